"""Account assignments: who may sign in where, by name, for as long as git says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from controller.errors import Stopped
from controller.report import Result
from controller.resources.base import Action
from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import Access, Assignment, access
from controller.sandbox.world import Job, World
from tests.resources.access import MANAGEMENT, PEOPLE, PROD, Town, notes, shown

SETS = """
{kind: PermissionSet, name: Power, managed_policies: [PowerUserAccess]}
---
{kind: PermissionSet, name: Read, managed_policies: [ReadOnlyAccess]}
"""
LINES = """
kind: Assignments
assignments:
  - {group: admins, permission_sets: [Power], targets: {units: [/Workloads]}}
  - {user: frank, permission_sets: [Read], targets: {accounts: [audit]}}
"""
GIVEN = {"group:admins/Power/payments-prod", "group:admins/Power/payments-dev", "user:frank/Read/audit"}


def lines(*entries: str) -> str:
    return "kind: Assignments\nassignments: [" + ", ".join(entries) + "]"


@pytest.fixture
def town() -> Iterator[Town]:
    """The permission sets are there; nobody has them."""
    made = Town(SETS, PEOPLE)
    yield made
    made.close()


@pytest.fixture
def settled() -> Iterator[Town]:
    made = Town(SETS, LINES, PEOPLE)
    assert made.assignments() == GIVEN
    made.settle(SETS, LINES)
    made.records.clear()
    yield made
    made.close()


def arn(town: Town, name: str) -> str:
    return town.existing(name).arn


def give(town: Town, name: str, account: str, group: str) -> None:
    """As somebody does it in the console."""
    access(town.world).assign(Assignment(account, arn(town, name), "GROUP", directory(town.world).group_ids[group]))


def test_people_get_what_git_says(town: Town) -> None:
    town.world.delays["CreateAccountAssignment"] = 20
    town.settle(SETS, LINES)

    assert town.assignments() == GIVEN
    assert town.undeclared() == set()


def test_what_agrees_is_left_alone(settled: Town) -> None:
    settled.cycle(SETS, LINES)
    assert not settled.writes()


def test_access_given_by_hand_is_taken_away(settled: Town) -> None:
    give(settled, "Read", PROD, "developers")
    settled.world.delays["DeleteAccountAssignment"] = 20

    assert shown(settled.cycle(SETS, LINES)) == ["delete account_assignment developers/Read/payments-prod: applied"]
    assert settled.assignments() == GIVEN


def test_access_taken_away_by_hand_comes_back(settled: Town) -> None:
    state = access(settled.world)
    state.revoke(next(one for one in state.assignments() if one.account == PROD))

    settled.settle(SETS, LINES)
    assert settled.assignments() == GIVEN


def test_a_line_that_goes_takes_its_access_with_it(settled: Town) -> None:
    settled.settle(SETS, lines("{group: admins, permission_sets: [Power], targets: {units: [/Workloads]}}"))
    assert settled.assignments() == GIVEN - {"user:frank/Read/audit"}


def test_what_a_deleted_person_left_behind_is_removed(settled: Town) -> None:
    people = directory(settled.world)
    people.remove_group(people.groups[people.group_ids["developers"]])
    access(settled.world).assign(Assignment(PROD, arn(settled, "Read"), "USER", "12345678-1234-1234-1234-123456789012"))

    report = settled.cycle(SETS, LINES)

    assert shown(report) == [
        "delete account_assignment (deleted 12345678-1234-1234-1234-123456789012)/Read/payments-prod: applied"
    ]
    assert settled.assignments() == GIVEN


def test_lines_unite(town: Town) -> None:
    twice = lines(
        "{group: admins, permission_sets: [Power, Read], targets: {units: [/Workloads/Prod]}}",
        "{group: admins, permission_sets: [Power], targets: {tags: {env: prod}}}",
    )
    report = town.settle(SETS, twice)

    assert town.assignments() == {"group:admins/Power/payments-prod", "group:admins/Read/payments-prod"}
    assert report.plan.in_sync["account_assignment"] == 2


def test_without_a_list_nothing_is_managed(settled: Town) -> None:
    give(settled, "Read", PROD, "developers")
    settled.cycle(SETS)

    assert settled.assignments() == {*GIVEN, "group:developers/Read/payments-prod"}
    assert settled.calls("sso:ListAccountAssignments") == 0


def test_an_empty_list_takes_everything_away_once_somebody_agrees(settled: Town) -> None:
    empty = "{kind: Assignments, assignments: []}"
    held = settled.cycle(SETS, empty).plan
    assert {change.action for change in held.changes} == {Action.DELETE}
    assert settled.assignments() == GIVEN

    settled.store.approve(next(change.hold for change in held.changes if change.hold), "tester")
    settled.cycle(SETS, empty)
    assert settled.assignments() == set()


# Names


def test_while_somebody_is_unknown_nothing_of_that_set_is_revoked(settled: Town) -> None:
    give(settled, "Power", PROD, "developers")
    give(settled, "Read", PROD, "developers")
    unknown = LINES + "  - {group: newcomers, permission_sets: [Power], targets: {accounts: [audit]}}\n"

    report = settled.cycle(SETS, unknown)

    assert settled.assignments() == {*GIVEN, "group:developers/Power/payments-prod"}
    blocked = {change.name: change.blocked for change in report.plan.changes if change.blocked}
    assert list(blocked) == ["newcomers/Power/audit"]
    assert "group 'newcomers' is not in the identity store" in str(blocked["newcomers/Power/audit"])
    assert "group:newcomers: nobody of that name is in the identity store" in notes(report.plan)


def test_nobody_loses_the_old_set_while_somebody_is_unknown_to_the_one_that_takes_its_place(settled: Town) -> None:
    renamed = SETS.replace("name: Power", "name: Builder, formerly: Power")
    both = lines(
        "{group: admins, permission_sets: [Builder], targets: {units: [/Workloads]}}",
        "{group: newcomers, permission_sets: [Builder], targets: {units: [/Workloads]}}",
        "{user: frank, permission_sets: [Read], targets: {accounts: [audit]}}",
    )
    settled.cycle(renamed, both)

    assert settled.assignments() >= GIVEN
    assert settled.permission_set("Power") is not None


def test_somebody_unknown_whose_time_is_over_is_nobodys_business(settled: Town) -> None:
    give(settled, "Power", PROD, "developers")
    over = "  - {group: newcomers, permission_sets: [Power], targets: {units: [/]}, until: 2020-01-01T00:00:00Z}\n"
    settled.settle(SETS, LINES + over)

    assert settled.assignments() == GIVEN


def test_principals_and_sets_may_be_given_by_id(town: Town) -> None:
    people = directory(town.world)
    by_id = lines(
        f"{{group: {people.group_ids['admins']}, permission_sets: ['{arn(town, 'Power')}'],"
        " targets: {accounts: [audit]}}",
        "{group: admins, permission_sets: [Power], targets: {accounts: [audit]}}",
    )
    report = town.settle(SETS, by_id)

    assert town.assignments() == {"group:admins/Power/audit"}
    assert report.plan.in_sync["account_assignment"] == 1


def test_the_management_account_only_by_name(town: Town) -> None:
    everywhere = lines("{group: admins, permission_sets: [Read], targets: {units: [/]}}")
    town.settle(SETS, everywhere)
    assert "group:admins/Read/management" not in town.assignments()

    named = lines(f"{{group: admins, permission_sets: [Read], targets: {{units: [/], accounts: ['{MANAGEMENT}']}}}}")
    town.settle(SETS, named)
    assert "group:admins/Read/management" in town.assignments()


def test_a_suspended_account_is_left_as_it_is_and_said_so(settled: Town) -> None:
    settled.world.accounts[PROD].state = "SUSPENDED"
    report = settled.cycle(SETS, LINES)

    assert report.plan.changes == ()
    assert "payments-prod: left out: the account is SUSPENDED, not ACTIVE" in notes(report.plan)
    assert settled.assignments() == GIVEN


# Whose they are


def test_a_set_that_is_managed_elsewhere_can_be_given_and_keeps_what_others_gave() -> None:
    external = "{kind: PermissionSet, name: Read, external: true}"
    power = "{kind: PermissionSet, name: Power, managed_policies: [PowerUserAccess]}"
    town = Town(external, power, PEOPLE)
    give(town, "Read", PROD, "developers")
    report = town.settle(external, power, LINES)

    assert town.assignments() == {*GIVEN, "group:developers/Read/payments-prod"}
    assert "developers/Read/payments-prod" not in {bystander.name for bystander in report.plan.unmanaged}
    town.close()


def test_a_set_that_is_not_ours_yet_is_not_given_while_its_adoption_is_held() -> None:
    town = Town(SETS, PEOPLE + "not_owned: [permission_set/Read]\npermission_sets: {Read: {description: Theirs}}\n")
    give(town, "Read", PROD, "developers")
    stated = SETS.replace("name: Read,", "name: Read, description: Ours,")
    report = town.cycle(stated, LINES)

    held = next(change for change in report.plan.changes if change.name == "Read")
    assert held.action is Action.ADOPT and "developers/Read/payments-prod" in str(held.blocked)
    assert town.assignments() == {*GIVEN - {"user:frank/Read/audit"}, "group:developers/Read/payments-prod"}
    town.close()


# Time


def test_access_ends_when_its_time_is_over_however_many_at_once() -> None:
    until = "2030-01-01T00:00:00+00:00"
    boxed = lines(f"{{group: admins, permission_sets: [Power, Read], targets: {{units: [/]}}, until: '{until}'}}")
    town = Town(SETS, PEOPLE, limits={"removals": 1})
    town.settle(SETS, boxed)
    assert len(town.assignments()) == 6

    town.clock.sleep(timedelta(days=365 * 20).total_seconds())
    report = town.cycle(SETS, boxed)

    assert town.assignments() == set()
    assert all(change.exempt for change in report.plan.changes)
    assert town.cycle(SETS, boxed).plan.changes == ()
    town.close()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("", id="for ever wins"),
        pytest.param(", until: '2060-01-01T00:00:00Z'", id="the later one wins"),
    ],
)
def test_of_several_lines_the_longest_counts(other: str) -> None:
    both = lines(
        "{group: admins, permission_sets: [Read], targets: {accounts: [audit]}, until: '2020-01-01T00:00:00Z'}",
        f"{{group: admins, permission_sets: [Read], targets: {{accounts: [audit]}}{other}}}",
    )
    town = Town(SETS, PEOPLE)
    town.settle(SETS, both)
    assert town.assignments() == {"group:admins/Read/audit"}
    town.close()


# Order


def test_access_is_granted_before_what_it_replaces_leaves(settled: Town) -> None:
    swapped = lines(
        "{group: admins, permission_sets: [Read], targets: {units: [/Workloads]}}",
        "{user: frank, permission_sets: [Read], targets: {accounts: [audit]}}",
    )
    order = shown(settled.cycle(SETS, swapped))

    for account in ("payments-prod", "payments-dev"):
        granted = order.index(f"create account_assignment admins/Read/{account}: applied")
        assert granted < order.index(f"delete account_assignment admins/Power/{account}: applied")


def test_what_cannot_be_replaced_stays(settled: Town) -> None:
    settled.sandbox.faults.add(operation="sso-admin:CreateAccountAssignment", kind="fail", code="no such account")
    swapped = lines(
        "{group: admins, permission_sets: [Read], targets: {units: [/Workloads]}}",
        "{user: frank, permission_sets: [Read], targets: {accounts: [audit]}}",
    )
    report = settled.cycle(SETS, swapped)

    assert settled.assignments() == GIVEN
    assert {outcome.result for outcome in report.outcomes} == {Result.FAILED, Result.SKIPPED}
    assert any("no such account" in outcome.detail for outcome in report.outcomes)


def test_one_account_is_written_one_change_at_a_time(town: Town) -> None:
    """AWS writes one role of an account at a time; what waits there would use up the few that may be under way."""
    town.world.delays["CreateAccountAssignment"] = 40
    many = lines(
        "{group: admins, permission_sets: [Power, Read], targets: {accounts: [audit]}}",
        "{user: frank, permission_sets: [Power, Read], targets: {accounts: [audit]}}",
    )
    town.settle(SETS, many)
    assert len(town.assignments()) == 4
    assert not any("ConflictException" in refused for refused in town.sandbox.refused)


# What goes wrong


def test_a_creation_that_takes_too_long_is_pending_and_seen_later(town: Town) -> None:
    town.world.delays["CreateAccountAssignment"] = 400
    one = lines("{user: frank, permission_sets: [Read], targets: {accounts: [audit]}}")

    assert [outcome.result for outcome in town.cycle(SETS, one).outcomes] == [Result.PENDING]
    town.clock.sleep(400)
    assert town.cycle(SETS, one).plan.changes == ()


def test_one_look_serves_all_that_wait(town: Town) -> None:
    town.world.delays["CreateAccountAssignment"] = 20
    town.settle(SETS, LINES)
    assert town.calls("sso:CreateAccountAssignment") == 3
    assert town.calls("sso:ListAccountAssignmentCreationStatus") > 0
    assert town.calls("sso:DescribeAccountAssignmentCreationStatus") == 0


@pytest.mark.parametrize(
    "code", [pytest.param("AccessDeniedException", id="denied"), pytest.param("InternalServerException", id="broken")]
)
def test_without_the_listing_each_is_asked_after_by_itself(town: Town, code: str) -> None:
    town.sandbox.faults.add(operation="sso-admin:ListAccountAssignmentCreationStatus", kind="error", code=code)
    town.world.delays["CreateAccountAssignment"] = 20
    town.settle(SETS, LINES)
    assert town.assignments() == GIVEN
    assert 3 <= town.calls("sso:DescribeAccountAssignmentCreationStatus") < 30


def test_a_request_that_newer_ones_have_pushed_off_the_page_is_asked_after(town: Town) -> None:
    """Others give access, too: a hundred requests since ours."""
    town.world.delays["CreateAccountAssignment"] = 200
    begin = Access.begin

    def beset(state: Access, world: World, kind: str, *args: Any, **named: Any) -> Job:
        ours = begin(state, world, kind, *args, **named)
        for number in range(100):
            other = Job(f"other-{number}-{ours.id}", world.clock.now(), {"CreatedDate": world.clock.now()})
            state.jobs[kind][other.id] = replace(other, settled=True)
        return ours

    with patch.object(Access, "begin", beset):
        town.settle(SETS, lines("{user: frank, permission_sets: [Read], targets: {accounts: [audit]}}"))
    assert town.assignments() == {"user:frank/Read/audit"}
    assert 1 <= town.calls("sso:DescribeAccountAssignmentCreationStatus") < 60


def test_a_failure_is_asked_after_once_for_its_reason(town: Town) -> None:
    town.sandbox.faults.add(operation="sso-admin:CreateAccountAssignment", kind="fail", code="no such account", count=1)
    report = town.cycle(SETS, LINES)

    assert sorted(outcome.result for outcome in report.outcomes) == [Result.APPLIED, Result.APPLIED, Result.FAILED]
    assert sum("no such account" in outcome.detail for outcome in report.outcomes) == 1
    assert town.calls("sso:DescribeAccountAssignmentCreationStatus") == 1


def test_all_that_wait_end_when_the_process_is_to_stop(town: Town) -> None:
    town.world.delays["CreateAccountAssignment"] = 1_000_000
    town.stop_after(1)
    with pytest.raises(Stopped):
        town.cycle(SETS, LINES)
    assert {write["outcome"] for write in town.store.writes()} == {"unknown"}


def test_an_answer_that_is_lost_leaves_the_assignment_once(town: Town) -> None:
    town.sandbox.faults.add(operation="sso-admin:CreateAccountAssignment", kind="lost", count=1)
    town.settle(SETS, LINES)
    assert town.assignments() == GIVEN


def test_a_deletion_whose_answer_is_lost_is_done(settled: Town) -> None:
    settled.sandbox.faults.add(operation="sso-admin:DeleteAccountAssignment", kind="lost", count=1)
    fewer = lines("{group: admins, permission_sets: [Power], targets: {units: [/Workloads]}}")
    settled.settle(SETS, fewer)
    assert settled.assignments() == GIVEN - {"user:frank/Read/audit"}


def test_a_deletion_that_fails_is_a_failure(settled: Town) -> None:
    settled.sandbox.faults.add(operation="sso-admin:DeleteAccountAssignment", kind="fail", code="not now")
    fewer = lines("{group: admins, permission_sets: [Power], targets: {units: [/Workloads]}}")
    report = settled.cycle(SETS, fewer)

    assert [outcome.result for outcome in report.outcomes] == [Result.FAILED]
    assert "not now" in report.outcomes[0].detail


@pytest.mark.parametrize(
    "operation",
    [
        "sso-admin:ListAccountAssignments",
        "sso-admin:ListAccountsForProvisionedPermissionSet",
        "identitystore:GetGroupId",
        "identitystore:GetUserId",
        "identitystore:DescribeGroup",
    ],
)
def test_a_read_that_fails_takes_nobodys_access_away(settled: Town, operation: str) -> None:
    give(settled, "Read", PROD, "developers")
    before = settled.assignments()
    settled.sandbox.faults.add(operation=operation, kind="error", code="AccessDeniedException", status=400)

    report = settled.cycle(
        SETS,
        lines(
            "{group: admins, permission_sets: [Power], targets: {accounts: [audit]}}",
            "{user: frank, permission_sets: [Power], targets: {accounts: [audit]}}",
        ),
    )

    assert settled.assignments() == before
    assert "account_assignment" in {incomplete.kind for incomplete in report.plan.incomplete}


def test_modes_follow_the_account() -> None:
    town = Town(SETS, PEOPLE, modes=[{"unit": "/Workloads", "mode": "observe"}])
    town.cycle(SETS, LINES)
    assert town.assignments() == {"user:frank/Read/audit"}
    town.close()
