from __future__ import annotations

from typing import Any

from controller.importing.fold import fold
from controller.importing.notes import GAIN
from controller.resources.account import Account
from tests.importing.lives import Home, differences, value

ALL = {
    id: Account(key=id, name=id, id=id, unit=unit, state=state, management=id == "m")
    for id, unit, state in [
        ("m", "/", "ACTIVE"),
        ("a", "/A", "ACTIVE"),
        ("b", "/A/B", "ACTIVE"),
        ("c", "/A/B", "ACTIVE"),
        ("d", "/A/B", "SUSPENDED"),
        ("e", "/E", "ACTIVE"),
    ]
}


def names(*accounts: str) -> Any:
    found = fold(accounts, ALL)
    return list(found.units), sorted(found.accounts)


def test_accounts_that_make_up_an_ou_are_said_as_that_ou() -> None:
    assert names("b", "c") == (["/A/B"], [])
    assert names("a", "b", "c") == (["/A"], [])
    assert names("a", "b") == ([], ["a", "b"])


def test_the_management_account_is_never_meant_by_the_root() -> None:
    assert names("a", "b", "c", "e") == (["/"], [])
    assert names("m", "a", "b", "c", "e") == (["/"], ["m"])


def test_an_ou_of_one_account_stays_that_account() -> None:
    assert names("e") == ([], ["e"])


SEED = """
kind: OrganizationalUnits
units: {Workloads: }
---
kind: Accounts
accounts:
  one: {email: one@example.com, unit: /Workloads}
  two: {email: two@example.com, unit: /Workloads}
  three: {email: three@example.com, unit: /}
  four: {email: four@example.com, unit: /}
---
{kind: PermissionSet, name: Look, managed_policies: [ReadOnlyAccess]}
---
kind: Assignments
assignments: [{group: admins, permission_sets: [Look], targets: {accounts: [one, two, three]}}]
---
kind: SecurityHub
regions: [us-east-1]
targets: {accounts: [one, two]}
standards: [pci-dss/v/4.0.1]
---
{kind: SandboxWorld, owned_by: ""}
"""


def test_who_would_gain_access_is_said() -> None:
    home = Home(SEED)
    done = home.imported(folded=True)
    (assignments,) = value(done, "access/assignments.yaml")
    (line,) = assignments.assignments
    assert line.targets.units == ["/Workloads"] and line.targets.accounts == ["three"]
    assert done.notes.lines[GAIN] == ["group admins: Look in every account that comes to lie in or below /Workloads"]
    (hub,) = value(done, "security-hub.yaml")
    assert hub.targets.units == ["/Workloads"]
    assert differences(home.plan()) == []


def test_nothing_is_folded_unasked() -> None:
    done = Home(SEED).imported()
    (assignments,) = value(done, "access/assignments.yaml")
    assert assignments.assignments[0].targets.accounts == ["one", "three", "two"]
    assert GAIN not in done.notes.lines
