"""`orgctl access`: who can reach an account, and where a person can go."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from controller.access import Row, access, to_csv, to_table
from controller.desired.load import load
from controller.errors import InvalidInput
from tests.cycle.house import House, files

GIT = """
kind: Accounts
accounts:
  shop: {email: shop@example.com}
  data: {email: data@example.com}
---
kind: PermissionSet
name: PowerUser
---
kind: PermissionSet
name: Audit
---
kind: Assignments
assignments:
  - {group: developers, permission_sets: [PowerUser], targets: {accounts: [shop]}}
  - {group: auditors, permission_sets: [Audit], targets: {units: [/]}, until: 2999-01-01T00:00:00Z}
  - {user: alice, permission_sets: [Audit], targets: {accounts: [data]}}
"""
PEOPLE = """
---
kind: SandboxWorld
people:
  users: {alice: {}, bob: {}, "=cmd": {}}
  groups: {developers: [alice, bob], auditors: ["=cmd"], guests: []}
"""


@pytest.fixture(scope="module")
def house() -> House:
    house = House(GIT + PEOPLE, GIT)
    house.assign_by_hand("bob", "Audit", next(a.id for a in house.sandbox.world.accounts.values() if a.name == "shop"))
    return house


def ask(house: House, *, git: str = GIT, live: bool = True, **question: Any) -> list[Row]:
    asked = {"account": None, "principal": None, **question}
    now = house.clock.now()
    return access(house.controller.aws.reader(), load(files(git), now=now), live=live, now=now, **asked)


def ways(rows: list[Row]) -> set[tuple[str, str, str, str]]:
    return {(row.principal, row.group, row.permission_set, row.account) for row in rows}


def test_who_can_reach_an_account_by_which_group_and_line(house: House) -> None:
    rows = ask(house, account="shop")
    assert ways(rows) == {
        ("user:alice", "developers", "PowerUser", "shop"),
        ("user:bob", "developers", "PowerUser", "shop"),
        ("user:=cmd", "auditors", "Audit", "shop"),
        ("user:bob", "", "Audit", "shop"),
    }
    lines = {(row.principal, row.group): row.source for row in rows}
    assert lines["user:alice", "developers"].startswith("estate.yaml:15:")
    assert lines["user:bob", ""] == "", "given by hand: no line of git grants it"
    [audit] = [row for row in rows if row.group == "auditors"]
    assert audit.until == "2999-01-01T00:00:00+00:00"


@pytest.mark.parametrize("direct", [True, False], ids=["a user's own rows", "its groups' as well"])
def test_where_a_person_can_go_by_name_and_through_groups(
    house: House, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Identity Center API reference, ListAccountAssignmentsForPrincipal, does not say which of the two AWS lists."""
    monkeypatch.setitem(house.sandbox.rules.holds, "listing-is-direct", direct)
    assert ways(ask(house, principal="alice")) == {
        ("user:alice", "developers", "PowerUser", "shop"),
        ("user:alice", "", "Audit", "data"),
    }
    assert ways(ask(house, principal="group:auditors")) == {
        ("group:auditors", "", "Audit", "shop"),
        ("group:auditors", "", "Audit", "data"),
    }
    assert ask(house, principal="guests") == []


def test_what_git_says_before_it_is_so(house: House) -> None:
    git = GIT + "  - {group: guests, permission_sets: [Audit], targets: {accounts: [data]}}\n"
    assert ("group:guests", "", "Audit", "data") in ways(ask(house, git=git, live=False, account="data"))
    assert ways(ask(house, git=git, live=True, account="data")) == ways(ask(house, live=False, account="data"))
    assert ways(ask(house, git=git, live=False, principal="bob")) == {("user:bob", "developers", "PowerUser", "shop")}


def test_an_end_in_the_past_grants_nothing_and_the_latest_of_two_counts(house: House) -> None:
    git = GIT.replace("2999-01-01", "2001-01-01")
    assert ("user:=cmd", "auditors", "Audit", "shop") not in ways(ask(house, git=git, live=False, account="shop"))
    git = GIT + "  - {group: auditors, permission_sets: [Audit], targets: {accounts: [shop]}}\n"
    [row] = [row for row in ask(house, git=git, live=False, account="shop") if row.group == "auditors"]
    assert row.until == ""


def test_assignments_of_nobody_are_listed_as_orphaned() -> None:
    house = House(GIT + PEOPLE, GIT)
    store = house.by_hand("sso-admin:ListInstances")["Instances"][0]["IdentityStoreId"]
    groups = house.by_hand("identitystore:ListGroups", IdentityStoreId=store)["Groups"]
    gone = next(group["GroupId"] for group in groups if group["DisplayName"] == "developers")
    house.by_hand("identitystore:DeleteGroup", IdentityStoreId=store, GroupId=gone)
    [row] = [row for row in ask(house, account="shop") if row.permission_set == "PowerUser"]
    assert row.orphaned and row.principal == f"group:(deleted {gone})"
    [row] = [row for row in ask(house, account="shop", live=False) if row.permission_set == "PowerUser"]
    assert row.orphaned and row.principal == "group:developers"
    assert any("(orphaned)" in line for line in to_table([row]))


def test_what_is_nobodys_is_found_in_the_whole_organization() -> None:
    left = """
assignments:
  - {deleted_user: mallory, permission_set: Audit, accounts: [shop]}
  - {deleted_group: contractors, permission_set: PowerUser, accounts: [shop, data]}
"""
    house = House(GIT + PEOPLE + left, GIT)

    rows = ask(house, orphaned=True)

    assert all(row.orphaned and row.source == "" and "(deleted " in row.principal for row in rows)
    assert [(row.principal.split(":")[0], row.permission_set, row.account) for row in rows] == [
        ("group", "PowerUser", "data"),
        ("group", "PowerUser", "shop"),
        ("user", "Audit", "shop"),
    ]
    gone = GIT + "  - {group: leavers, permission_sets: [Audit], targets: {accounts: [data]}}\n"
    assert [row.principal for row in ask(house, git=gone, live=False, orphaned=True)] == ["group:leavers"]
    assert ask(House(GIT + PEOPLE, GIT), orphaned=True) == []


def test_tables_line_up_and_csv_holds_no_formula(house: House) -> None:
    rows = ask(house, account="shop")
    lines = list(to_table(rows))
    assert len(lines) == 5 and lines[0].startswith("PRINCIPAL")
    assert len({line.index("shop") for line in lines[1:]}) == 1
    read = list(csv.DictReader(io.StringIO(to_csv([Row("=cmd", "", "A", "shop", "1", "", "", False)]))))
    assert read[0]["principal"] == "'=cmd" and read[0]["orphaned"] == "false"


def test_names_that_are_nobodys_are_told_in_words(house: House) -> None:
    with pytest.raises(InvalidInput, match="no user or group 'carol'"):
        ask(house, principal="carol")
    with pytest.raises(InvalidInput, match="no account 'shpo'"):
        ask(house, account="shpo")
