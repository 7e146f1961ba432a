"""The least that a full read can cost, from the seed alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.bounds import assignments, audit, of, reads
from bench.estates import SIZES, write
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files, directory


def estate(text: str) -> Estate:
    return load(Files({"estate.yaml": text.encode()}))


def test_an_empty_organization_still_has_to_be_asked_who_and_what_it_is() -> None:
    calls = reads(estate("{kind: OrganizationalUnits, units: {}}"))

    assert calls == dict.fromkeys(
        [
            "sts:GetCallerIdentity",
            "organizations:DescribeOrganization",
            "organizations:ListRoots",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListAccounts",
            "organizations:ListAWSServiceAccessForOrganization",
            "organizations:ListDelegatedAdministrators",
            "tag:GetResources",
            "sso:ListInstances",
            "sso:ListPermissionSets",
        ],
        1,
    )


def test_pages_are_full_and_each_ou_is_asked_for_its_children() -> None:
    units = ", ".join(f"u{n}: " for n in range(41))

    calls = reads(estate(f"{{kind: OrganizationalUnits, units: {{{units}}}}}"))

    assert calls["organizations:ListOrganizationalUnitsForParent"] == 3 + 41


def test_assignments_are_counted_by_whichever_way_is_cheaper() -> None:
    accounts = ", ".join(f"a{n}: {{email: a{n}@example.com, unit: /}}" for n in range(150))
    text = f"""
{{kind: Accounts, accounts: {{{accounts}}}}}
---
{{kind: PermissionSet, name: Admin}}
---
kind: Assignments
assignments:
  - {{group: everywhere, permission_sets: [Admin], targets: {{units: [/]}}}}
"""
    few = text + "\n".join(
        f"  - {{user: u{n}, permission_sets: [Admin], targets: {{accounts: [a0]}}}}" for n in range(9)
    )
    many = few.replace("targets: {units: [/]}", "targets: {accounts: [a1]}")

    assert len(assignments(estate(few))) == 159
    assert audit(estate(few)) == {"sso:ListAccountsForProvisionedPermissionSet": 2, "sso:ListAccountAssignments": 150}
    assert reads(estate(few))["sso:ListAccountAssignmentsForPrincipal"] == 2 + 9
    assert reads(estate(many))["sso:ListAccountAssignments"] == 2, "of ten principals, in two accounts"


def test_whom_git_names_is_listed_where_principals_are_asked_about_and_looked_up_where_places_are(
    tmp_path: Path,
) -> None:
    small, large = (load(directory(write(SIZES[size], tmp_path / size))) for size in ("S", "M"))

    assert (reads(small)["identitystore:GetGroupId"], reads(small)["identitystore:ListGroups"]) == (12, 0)
    assert (reads(large)["identitystore:GetGroupId"], reads(large)["identitystore:ListGroups"]) == (0, 1)


@pytest.mark.parametrize("size, calls, seconds", [("S", 159, 5), ("M", 464, 29)])
def test_the_sizes_that_are_measured(size: str, calls: int, seconds: float, tmp_path: Path) -> None:
    seed = write(replace(SIZES[size], hub=False), tmp_path / "estate")

    bound = of(seed)

    assert (bound["total"], bound["seconds"]) == (calls, seconds)
    assert bound["bottleneck"] == "organizations:DescribePolicy"


def test_size_m_is_what_it_is_said_to_be(tmp_path: Path) -> None:
    found = load(directory(write(replace(SIZES["M"], hub=False), tmp_path / "estate")))

    assert (len(found.accounts), len(found.units), len(assignments(found))) == (500, 60, 3000)
