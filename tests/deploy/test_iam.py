"""deploy/iam/ holds what the kinds of resources declare to call, and no more."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.aws.actions import only_reads
from controller.iam_policies import LONGEST, controller_read, controller_write, files, member_reads, member_writes
from controller.resources.registry import KINDS

DIRECTORY = Path(__file__).parents[2] / "deploy" / "iam"


@pytest.mark.parametrize("name", sorted(files()))
def test_what_is_checked_in_is_what_the_kinds_declare(name: str) -> None:
    assert (DIRECTORY / name).read_text() == files()[name], "run `make iam`"


def test_every_file_there_is_generated() -> None:
    assert {file.name for file in DIRECTORY.iterdir()} == set(files())


def test_the_policy_for_plan_has_no_action_that_writes() -> None:
    assert [a for a in actions(controller_read(KINDS)) if not only_reads(a.partition(":")[2])] == []


def test_the_read_only_member_role_has_no_action_that_writes() -> None:
    assert member_reads(KINDS).isdisjoint(member_writes(KINDS))
    assert all(only_reads(a.partition(":")[2]) for a in member_reads(KINDS))


def test_every_declared_action_is_granted_somewhere() -> None:
    granted = {*actions(controller_read(KINDS)), *actions(controller_write(KINDS))}
    granted |= member_reads(KINDS) | member_writes(KINDS)
    assert {a for kind in KINDS for a in kind.reads | kind.writes} <= granted


@pytest.mark.parametrize("make", [controller_read, controller_write])
def test_a_policy_fits_into_a_managed_policy(make: Any) -> None:
    assert len(json.dumps(make(KINDS), separators=(",", ":"))) <= LONGEST


def test_no_action_is_a_wildcard() -> None:
    everything = {*actions(controller_read(KINDS)), *actions(controller_write(KINDS))}
    assert [a for a in everything | member_reads(KINDS) | member_writes(KINDS) if "*" in a] == []


def test_the_template_is_one_that_cloudformation_accepts() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [linter, DIRECTORY / "member-role.yaml"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def actions(policy: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for statement in policy["Statement"]:
        value = statement["Action"]
        found += [value] if isinstance(value, str) else value
    return found
