"""Readers of one organization, side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.compare import measure
from bench.contenders import CONTENDERS
from bench.estates import Size, write


@pytest.mark.parametrize("name", ["orgctl", "naive boto3"])
def test_a_contender_reads_all_of_it_and_its_calls_are_counted(name: str, tmp_path: Path) -> None:
    size = Size(accounts=4, units=2, policies=3, attachments=3, permission_sets=2, groups=2, hub=False)
    seed = write(size, tmp_path / "estate")

    found = measure(CONTENDERS[name], seed, tmp_path / "place", latency=0, rates=1000)

    assert found["throttled"] == 0
    assert found["calls"]["organizations:ListOrganizationalUnitsForParent"] == 3
    assert found["calls"]["organizations:DescribePolicy"] in (3, 4), "with AWS's own or without"
    assert found["calls"]["sso-admin:DescribePermissionSet"] == 2
    assert found["total"] == sum(found["calls"].values())
