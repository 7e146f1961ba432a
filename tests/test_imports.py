"""What a command loads before it does anything: by module, since seconds are the machine's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SDK = {"boto3", "botocore", "moto", "distributed", "awscli"}
HEAVY = SDK | {"pydantic", "pydantic_settings", "jinja2", "deepdiff", "structlog", "rich", "starlette", "uvicorn"}
SHOW = """
import sys
sys.argv = ["orgctl", *sys.argv[1:]]
from controller.cli import main
try:
    main()
finally:
    print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(place: Path, *arguments: str) -> set[str]:
    """Top-level packages that a new interpreter has loaded once `orgctl` with these arguments is done."""
    run = subprocess.run(
        [sys.executable, "-c", SHOW, *arguments], cwd=place, capture_output=True, text=True, check=True
    )
    told = run.stdout.splitlines()[-1]
    assert told.startswith("loaded: ")
    return set(told.split()[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["--version"]])
def test_help_loads_next_to_nothing(tmp_path: Path, arguments: list[str]) -> None:
    found = loaded(tmp_path, *arguments)

    assert "click" in found
    assert found & HEAVY == set()


def test_validate_needs_no_sdk_and_no_web_server(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(
        """
kind: Organization
regions: [us-east-1]
policy_types: [service_control]
---
kind: OrganizationalUnits
units: {Workloads: }
---
kind: ServiceControlPolicy
name: deny-leave
targets: {units: [/Workloads]}
content:
  Version: "2012-10-17"
  Statement: [{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}]
---
kind: SecurityHub
targets: {units: [/]}
standards: [aws-foundational-security-best-practices/v/1.0.0]
"""
    )

    found = loaded(tmp_path, "validate", str(tmp_path))

    assert "pydantic" in found
    assert found & (SDK | {"starlette", "uvicorn", "rich", "deepdiff", "structlog"}) == set()
