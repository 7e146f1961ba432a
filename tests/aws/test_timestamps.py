"""Times in AWS's answers."""

from __future__ import annotations

from datetime import datetime

import pytest
from botocore.utils import parse_timestamp

from controller.aws import timestamps
from controller.aws.timestamps import read
from tests.resources.organization import Organization


@pytest.mark.parametrize(
    "written",
    [
        "2022-05-03T18:33:24.353Z",
        "2022-05-03T18:33:24Z",
        "2022-05-03T18:33:24.353000+02:00",
        "2022-05-03T18:33:24",
        "20220503",
        "20220503T183324Z",
        "Tue, 03 May 2022 18:33:24 GMT",
        "1651602804",
        "1651602804.353",
        1651602804,
        1651602804.353,
        0,
    ],
)
def test_every_format_means_what_it_means_to_botocore(written: object) -> None:
    expected = parse_timestamp(written)

    found = read(written)

    assert found == expected
    assert found.utcoffset() == expected.utcoffset()


def test_what_is_no_time_is_an_error_as_in_botocore() -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        read("yesterday")


def test_a_connections_answers_are_read_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    def noting(value: object) -> datetime:
        told.append(value)
        return read(value)

    monkeypatch.setattr(timestamps, "read", noting)
    organization = Organization()
    root = organization.world.root_id
    member = organization.world.add_account("a", "a@example.com", root, roles={"OrgctlMember"})

    organization.aws.reader().get("sts:GetCallerIdentity", account=member.id)

    assert len(told) == 1, "when the member role's credentials expire"
