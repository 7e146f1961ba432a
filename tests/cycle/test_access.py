"""Whole cycles: permission sets and who is assigned them."""

from __future__ import annotations

from datetime import timedelta

from controller.report import CycleResult, Result
from tests.cycle.house import House

ACCESS = """
kind: OrganizationalUnits
units:
  Prod:
  Dev:
---
kind: Accounts
accounts:
  shop-prod: {email: aws+shop-prod@example.com, unit: /Prod, tags: {env: prod}}
  data-prod: {email: aws+data-prod@example.com, unit: /Prod, tags: {env: prod}}
  shop-dev: {email: aws+shop-dev@example.com, unit: /Dev, tags: {env: dev}}
---
kind: PermissionSet
name: PowerUserAccess
description: Everything but IAM
session_duration: PT8H
managed_policies: [PowerUserAccess]
---
kind: PermissionSet
name: AuditAccess
managed_policies: [SecurityAudit]
inline_policy:
  Version: "2012-10-17"
  Statement: [{Effect: Allow, Action: "support:*", Resource: "*"}]
---
kind: Assignments
assignments:
  - {group: developers, permission_sets: [PowerUserAccess], targets: {units: [/Dev]}}
  - {group: auditors, permission_sets: [AuditAccess], targets: {units: [/]}}
  - {user: alice, permission_sets: [PowerUserAccess], targets: {tags: {env: prod}, exclude: {accounts: [data-prod]}}}
"""

PEOPLE = """
---
kind: SandboxWorld
people:
  users: {alice: {}, bob: {}}
  groups: {developers: [alice, bob], auditors: [bob]}
delays: {"*": 3}
"""

NOTHING_YET = """
kind: SandboxWorld
people:
  users: {alice: {}, bob: {}}
  groups: {developers: [alice, bob], auditors: [bob]}
delays: {"*": 3}
accounts:
  shop-prod: {email: aws+shop-prod@example.com}
  data-prod: {email: aws+data-prod@example.com}
  shop-dev: {email: aws+shop-dev@example.com}
"""

EXPECTED = {
    "developers/PowerUserAccess/shop-dev",
    "auditors/AuditAccess/shop-dev",
    "auditors/AuditAccess/shop-prod",
    "auditors/AuditAccess/data-prod",
    "alice/PowerUserAccess/shop-prod",
}


def test_permission_sets_and_assignments_converge_from_nothing_and_then_rest() -> None:
    house = House(NOTHING_YET, ACCESS)
    house.converge()
    assert house.access() == EXPECTED
    written = house.calls_written()
    assert house.cycle().result is CycleResult.CONVERGED
    assert house.calls_written() == written


def test_an_edit_reaches_the_accounts_because_it_is_provisioned() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace("session_duration: PT8H", "session_duration: PT4H")
    house.converge()
    assert house.sandbox.world.calls["sso-admin:ProvisionPermissionSet"] == 1
    assert house.plan().changes == ()


def test_an_edit_whose_provisioning_failed_is_not_believed_and_tried_again() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace("session_duration: PT8H", "session_duration: PT4H")
    house.sandbox.faults.add(
        kind="fail", operation="sso-admin:ProvisionPermissionSet", count=1, code="the role is in use"
    )
    report = house.cycle()
    (outcome,) = report.outcomes
    assert outcome.result is Result.FAILED
    assert "the role is in use" in outcome.detail
    house.converge()
    assert house.plan().changes == ()


def test_an_edit_by_hand_is_reverted() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    state = house.permission_set("AuditAccess")
    house.by_hand(
        "sso-admin:AttachManagedPolicyToPermissionSet",
        InstanceArn=state["instance"],
        PermissionSetArn=state["arn"],
        ManagedPolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
    )
    house.converge()
    got = house.by_hand(
        "sso-admin:ListManagedPoliciesInPermissionSet", InstanceArn=state["instance"], PermissionSetArn=state["arn"]
    )
    assert [p["Name"] for p in got["AttachedManagedPolicies"]] == ["SecurityAudit"]


def test_a_line_gone_from_git_is_access_gone_from_aws() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = "\n".join(line for line in ACCESS.splitlines() if "user: alice" not in line)
    house.converge()
    assert house.access() == EXPECTED - {"alice/PowerUserAccess/shop-prod"}


def test_access_ends_when_its_time_is_up_without_anybody_approving() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    end = (house.clock.now() + timedelta(hours=1)).isoformat()
    house.git = ACCESS.replace("targets: {units: [/Dev]}}", f'targets: {{units: [/Dev]}}, until: "{end}"}}')
    assert house.cycle().plan.changes == ()
    house.clock.sleep(3700)
    house.converge()
    assert house.access() == EXPECTED - {"developers/PowerUserAccess/shop-dev"}


def test_a_principal_that_does_not_resolve_holds_only_itself_and_revokes_nothing_of_its_permission_sets() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace("user: alice", "user: alicia").replace("group: auditors", "group: developers")
    report = house.cycle()
    assert any("alicia" in (c.blocked or "") for c in report.plan.held)
    assert "alice/PowerUserAccess/shop-prod" in house.access()
    assert "developers/AuditAccess/shop-prod" in house.access(), "another permission set is not concerned"


def test_orphaned_assignments_of_deleted_people_go() -> None:
    mess = PEOPLE + "assignments: [{deleted_user: gone, permission_set: AuditAccess, accounts: [shop-dev]}]\n"
    house = House(ACCESS + mess, ACCESS)
    assert len(house.access()) == len(EXPECTED) + 1
    house.converge()
    assert house.access() == EXPECTED


def test_many_removals_at_once_are_held_and_one_approval_lets_them_through_once() -> None:
    house = House(ACCESS + PEOPLE, ACCESS, limits={"removals": 2})
    house.git = ACCESS.replace("targets: {units: [/]}", "targets: {accounts: [shop-dev]}").replace(
        "  - {group: developers, permission_sets: [PowerUserAccess], targets: {units: [/Dev]}}\n", ""
    )
    report = house.cycle()
    assert report.result is CycleResult.HELD
    assert house.access() == EXPECTED
    (hold,) = house.store.holds()
    assert f"orgctl approve {hold.id}" in hold.why
    house.store.approve(hold.id, "alice")
    house.converge()
    assert house.access() == {"auditors/AuditAccess/shop-dev", "alice/PowerUserAccess/shop-prod"}


def test_access_is_granted_before_its_replacement_leaves() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace(
        "user: alice, permission_sets: [PowerUserAccess]", "user: bob, permission_sets: [PowerUserAccess]"
    )
    house.sandbox.faults.add(kind="fail", operation="sso-admin:CreateAccountAssignment", count=1, code="no")
    house.cycle()
    assert "alice/PowerUserAccess/shop-prod" in house.access()
    house.converge()
    assert house.access() == EXPECTED - {"alice/PowerUserAccess/shop-prod"} | {"bob/PowerUserAccess/shop-prod"}


def test_a_deleted_permission_set_goes_after_its_assignments() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    head, _, tail = ACCESS.partition("name: AuditAccess\n")
    _, _, rest = tail.partition("---\n")
    lines = [line for line in rest.splitlines() if "AuditAccess" not in line]
    house.git = head + "name: AuditAccess\ndeleted: true\n---\n" + "\n".join(lines)
    report = house.cycle()
    assert "make sure the input is whole" in (report.plan.held[0].blocked or ""), "three of five assignments go"
    assert {c.kind for c in report.plan.held} == {"account_assignment", "permission_set"}
    house.store.approve(house.store.holds()[0].id, "alice")
    house.converge()
    assert house.access() == {a for a in EXPECTED if "AuditAccess" not in a}
    assert house.permission_sets() == {"PowerUserAccess"}


def test_a_renamed_permission_set_takes_its_assignments_along() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace("name: AuditAccess", "name: Audit\nformerly: AuditAccess").replace(
        "[AuditAccess]", "[Audit]"
    )
    house.converge(6)
    assert house.permission_sets() == {"PowerUserAccess", "Audit"}
    assert house.access() == {a.replace("AuditAccess", "Audit") for a in EXPECTED}


def test_a_stranger_s_permission_set_is_left_alone_with_its_assignments() -> None:
    mess = PEOPLE + (
        "permission_sets: {Theirs: {managed_policies: [ReadOnlyAccess]}}\n"
        "assignments: [{group: developers, permission_set: Theirs, accounts: [shop-prod]}]\n"
    )
    house = House(ACCESS + mess, ACCESS)
    report = house.converge()
    assert "developers/Theirs/shop-prod" in house.access()
    assert "Theirs" in {b.name for b in report.plan.unmanaged}


def test_an_unreadable_identity_store_takes_nobodys_access_away() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace("  - {group: auditors", "  - {group: developers")
    house.sandbox.faults.add(kind="error", operation="identitystore:*", code="AccessDeniedException", status=400)
    report = house.cycle()
    assert house.access() == EXPECTED
    assert report.result is CycleResult.INCOMPLETE
