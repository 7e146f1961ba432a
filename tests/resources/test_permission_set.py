"""Permission sets, from a commit to what accounts have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from controller.report import Result
from controller.resources.base import Action, Change
from controller.resources.permission_set import PermissionSet, PermissionSets, duration
from controller.resources.policy_document import PolicyDocument
from tests.resources.access import DEV, PEOPLE, PROD, Town, notes, shown

POWER = """
kind: PermissionSet
name: Power
description: Everyday work
session_duration: PT8H
relay_state: https://console.aws.amazon.com/
managed_policies: [PowerUserAccess, arn:aws:iam::aws:policy/SecurityAudit]
customer_managed_policies: [{name: team, path: /own/}, {name: bare}]
inline_policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:Get*", Resource: "*"}]}
permissions_boundary: {managed_policy: job-function/ViewOnlyAccess}
tags: {team: platform}
"""
ASSIGNED = """
kind: Assignments
assignments: [{group: admins, permission_sets: [Power], targets: {units: [/Workloads]}}]
"""
OWNER = {"orgctl:managed-by": "main"}


@pytest.fixture
def town() -> Iterator[Town]:
    """Nobody has any access yet."""
    made = Town()
    yield made
    made.close()


@pytest.fixture
def settled() -> Iterator[Town]:
    """Power is there, and assigned in production and development."""
    made = Town(POWER, ASSIGNED, PEOPLE)
    assert made.settle(POWER, ASSIGNED).plan.summary()["unchanged"]
    made.records.clear()
    yield made
    made.close()


def test_everything_in_the_format_is_created(town: Town) -> None:
    town.settle(POWER)

    made = town.existing("Power")
    assert (made.description, made.session_duration, made.relay_state) == (
        "Everyday work",
        "PT8H",
        "https://console.aws.amazon.com/",
    )
    assert set(made.managed) == {"arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/SecurityAudit"}
    assert set(made.customer) == {("team", "/own/"), ("bare", "/")}
    assert made.inline == '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
    assert made.boundary == {"ManagedPolicyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}
    assert made.tags == {"team": "platform", **OWNER}
    assert town.undeclared() == set()


def test_a_converged_set_is_left_alone(settled: Town) -> None:
    settled.cycle(POWER, ASSIGNED)
    assert not settled.writes()


def test_the_same_said_in_other_words_is_no_change(settled: Town) -> None:
    other = (
        POWER.replace("PT8H", "PT480M")
        .replace("[PowerUserAccess, arn:aws:iam::aws:policy/SecurityAudit]", "[SecurityAudit, PowerUserAccess]")
        .replace('Action: "s3:Get*"', 'Action: ["s3:Get*"]')
    )
    assert settled.cycle(other, ASSIGNED).plan.changes == ()


def test_an_edit_reaches_every_account_that_has_the_set(settled: Town) -> None:
    settled.world.delays["ProvisionPermissionSet"] = 30
    settled.settle(POWER.replace("PT8H", "PT2H"), ASSIGNED)

    made = settled.existing("Power")
    assert {account: rights.session_duration for account, rights in made.provisioned.items()} == {
        PROD: "PT2H",
        DEV: "PT2H",
    }
    assert settled.calls("sso:ProvisionPermissionSet") == 1


def test_tags_need_no_provisioning(settled: Town) -> None:
    settled.settle(POWER.replace("{team: platform}", "{cost: one}"), ASSIGNED)

    assert settled.existing("Power").tags == {"cost": "one", **OWNER}
    assert settled.calls("sso:ProvisionPermissionSet") == 0


def test_what_git_does_not_say_keeps_its_value_through_an_update(settled: Town) -> None:
    """UpdatePermissionSet clears what it is not given."""
    quiet = "{kind: PermissionSet, name: Power, session_duration: PT2H}"
    settled.settle(quiet, ASSIGNED)

    made = settled.existing("Power")
    assert (made.description, made.session_duration) == ("Everyday work", "PT2H")
    assert made.relay_state == "https://console.aws.amazon.com/"
    assert made.managed and made.inline and made.boundary


def test_what_git_says_is_empty_is_emptied(settled: Town) -> None:
    empty = """
    kind: PermissionSet
    name: Power
    managed_policies: []
    customer_managed_policies: []
    inline_policy: {}
    permissions_boundary: {}
    tags: {}
    """
    settled.settle(empty, ASSIGNED)

    made = settled.existing("Power")
    assert (made.managed, made.customer, made.inline, made.boundary, made.tags) == ({}, {}, "", None, OWNER)
    assert all(rights.managed == () for rights in made.provisioned.values())


def test_an_edit_by_hand_is_undone_and_provisioned(settled: Town) -> None:
    made = settled.existing("Power")
    made.managed["arn:aws:iam::aws:policy/AdministratorAccess"] = None
    made.inline = ""

    settled.settle(POWER, ASSIGNED)

    assert "arn:aws:iam::aws:policy/AdministratorAccess" not in made.managed
    assert made.inline
    assert all(rights == made.rights() for rights in made.provisioned.values())


def test_a_crash_between_edit_and_provisioning_is_repaired(settled: Town) -> None:
    made = settled.existing("Power")
    before = made.rights()
    made.session_duration = "PT3H"
    assert before != made.rights()

    settled.settle(POWER.replace("PT8H", "PT3H"), ASSIGNED)

    assert all(rights == made.rights() for rights in made.provisioned.values())
    assert settled.writes() == {"sso:ProvisionPermissionSet": 1}


def test_provisioning_that_fails_is_a_failure_with_awss_reason_and_tried_again(settled: Town) -> None:
    settled.sandbox.faults.add(operation="sso-admin:ProvisionPermissionSet", kind="fail", count=1, code="no such role")
    edited = POWER.replace("PT8H", "PT2H")

    first = settled.cycle(edited, ASSIGNED)
    assert [outcome.result for outcome in first.outcomes] == [Result.FAILED]
    assert "no such role" in first.outcomes[0].detail

    settled.settle(edited, ASSIGNED)
    made = settled.existing("Power")
    assert all(rights == made.rights() for rights in made.provisioned.values())


def test_provisioning_that_takes_too_long_is_pending_and_not_begun_twice_over(settled: Town) -> None:
    settled.world.delays["ProvisionPermissionSet"] = 1500
    edited = POWER.replace("PT8H", "PT2H")

    assert [outcome.result for outcome in settled.cycle(edited, ASSIGNED).outcomes] == [Result.PENDING]
    settled.clock.sleep(1500)
    assert settled.cycle(edited, ASSIGNED).plan.changes == ()


def test_a_suspended_account_that_lacks_the_edit_is_no_drift(settled: Town) -> None:
    settled.existing("Power").session_duration = "PT3H"
    for account in (PROD, DEV):
        settled.world.accounts[account].state = "SUSPENDED"

    assert settled.cycle(POWER.replace("PT8H", "PT3H"), ASSIGNED).plan.changes == ()


def test_policies_are_added_before_others_are_taken_away(settled: Town) -> None:
    changed = POWER.replace("[PowerUserAccess, arn:aws:iam::aws:policy/SecurityAudit]", "[ReadOnlyAccess]")
    settled.settle(changed.replace("[{name: team, path: /own/}, {name: bare}]", "[{name: new}]"), ASSIGNED)

    order = [record.action for record in settled.records if "tach" in record.action]
    assert [action.split(":")[1][:6] for action in order] == ["Attach"] * 2 + ["Detach"] * 4


def test_at_awss_limit_of_policies_an_old_one_goes_first(settled: Town) -> None:
    full = [f"Policy{number}" for number in range(25)]
    settled.settle(
        POWER.replace("[{name: team, path: /own/}, {name: bare}]", "[]").replace(
            "[PowerUserAccess, arn:aws:iam::aws:policy/SecurityAudit]", f"[{', '.join(full)}]"
        ),
        ASSIGNED,
    )
    other = [f"Policy{number}" for number in range(2, 27)]

    settled.settle(
        POWER.replace("[{name: team, path: /own/}, {name: bare}]", "[]").replace(
            "[PowerUserAccess, arn:aws:iam::aws:policy/SecurityAudit]", f"[{', '.join(other)}]"
        ),
        ASSIGNED,
    )

    assert {arn.rpartition("/")[2] for arn in settled.existing("Power").managed} == set(other)


def test_a_customer_managed_boundary(town: Town) -> None:
    own = """
    kind: PermissionSet
    name: Power
    permissions_boundary: {customer_managed_policy: {name: limit, path: /own/}}
    """
    town.settle(own)
    assert town.existing("Power").boundary == {"CustomerManagedPolicyReference": {"Name": "limit", "Path": "/own/"}}


def test_an_inline_policy_may_name_an_ou_that_the_same_commit_makes(town: Town) -> None:
    both = """
    kind: OrganizationalUnits
    units: {Sports: }
    ---
    kind: PermissionSet
    name: Power
    inline_policy:
      Version: "2012-10-17"
      Statement:
        Effect: Allow
        Action: "s3:*"
        Resource: "*"
        Condition: {"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": ["{{ unit('/Sports').path }}/*"]}}
    """
    town.settle(both)

    sports = next(unit for unit in town.world.units.values() if unit.name == "Sports")
    assert town.world.path(sports.id) + "*" in town.existing("Power").inline


# Whose they are


def test_a_set_that_nobody_named_is_shown_and_left_alone(town: Town) -> None:
    town.sandbox.call("sso-admin", "CreatePermissionSet", {"InstanceArn": _instance(town), "Name": "ByHand"})
    report = town.cycle(POWER)

    assert "ByHand" in {bystander.name for bystander in report.plan.unmanaged}
    assert town.permission_set("ByHand") is not None


def test_control_towers_sets_are_not_even_shown(town: Town) -> None:
    where = _instance(town)
    town.sandbox.call("sso-admin", "CreatePermissionSet", {"InstanceArn": where, "Name": "AWSPowerUserAccess"})

    assert "AWSPowerUserAccess" not in {bystander.name for bystander in town.plan(POWER).unmanaged}


def test_a_set_that_git_names_and_nobody_owns_is_adopted(town: Town) -> None:
    town.sandbox.call(
        "sso-admin", "CreatePermissionSet", {"InstanceArn": _instance(town), "Name": "Power", "Description": "Old"}
    )
    held = town.cycle(POWER)
    assert [(change.action, bool(change.hold)) for change in held.plan.changes] == [(Action.ADOPT, True)]

    gentle = "{kind: PermissionSet, name: Power, managed_policies: [ReadOnlyAccess]}"
    assert shown(town.cycle(gentle)) == ["adopt permission_set Power: applied"]
    assert town.existing("Power").tags == OWNER


def test_a_set_that_git_forgets_is_orphaned_not_deleted(settled: Town) -> None:
    report = settled.cycle("{kind: Assignments}")

    assert [orphan.name for orphan in report.plan.orphaned] == ["Power"]
    assert settled.permission_set("Power") is not None
    assert len(settled.assignments()) == 2


def test_a_deleted_set_goes_after_everybody_who_has_it(settled: Town) -> None:
    others = (
        "{kind: PermissionSet, name: Read, managed_policies: [ReadOnlyAccess]}",
        "{kind: Assignments, assignments: [{group: developers, permission_sets: [Read], targets: {units: [/]}}]}",
    )
    settled.settle(POWER, ASSIGNED, *others)
    gone = "{kind: PermissionSet, name: Power, deleted: true}"

    assert shown(settled.cycle(gone, *others)) == [
        "delete account_assignment admins/Power/payments-prod: applied",
        "delete account_assignment admins/Power/payments-dev: applied",
        "delete permission_set Power: applied",
    ]
    assert settled.permission_set("Power") is None
    assert settled.cycle(gone, *others).plan.changes == ()


def test_nothing_is_deleted_that_is_not_ours(town: Town) -> None:
    town.sandbox.call("sso-admin", "CreatePermissionSet", {"InstanceArn": _instance(town), "Name": "ByHand"})
    plan = town.cycle("{kind: PermissionSet, name: ByHand, deleted: true}").plan

    assert [bool(change.blocked) for change in plan.changes] == [True]
    assert town.permission_set("ByHand") is not None


def test_a_set_whose_tag_went_since_the_plan_is_not_deleted(settled: Town) -> None:
    gone = "{kind: PermissionSet, name: Power, deleted: true}"
    plan = settled.plan(gone)
    change = next(change for change in plan.changes if change.kind == "permission_set")
    settled.existing("Power").tags.clear()

    assert PermissionSets().owner(settled.controller.aws.reader(), change.before) is None  # type: ignore[arg-type]


def test_a_released_set_keeps_everything_but_our_tag(settled: Town) -> None:
    released = "{kind: PermissionSet, name: Power, released: true}"
    settled.cycle(released)

    made = settled.existing("Power")
    assert made.tags == {"team": "platform"}
    assert made.managed and len(settled.assignments()) == 2
    assert settled.cycle(released).plan.changes == ()


def test_another_instances_set_is_not_touched() -> None:
    town = Town(POWER, PEOPLE + "owned_by_others: {permission_set/Power: other}\n")
    plan = town.cycle(POWER.replace("PT8H", "PT2H")).plan
    town.close()

    assert ["instance 'other'" in (change.blocked or "") for change in plan.changes] == [True]


# Renames: the name cannot be changed, so another set takes its place


RENAMED = POWER.replace("name: Power", "name: Builder\nformerly: Power", 1)
REASSIGNED = ASSIGNED.replace("[Power]", "[Builder]")


def test_a_renamed_set_takes_the_place_of_the_old_one_without_a_gap(settled: Town) -> None:
    report = settled.cycle(RENAMED, REASSIGNED)

    assert shown(report) == [
        "create permission_set Builder: applied",
        "create account_assignment admins/Builder/payments-prod: applied",
        "create account_assignment admins/Builder/payments-dev: applied",
        "delete account_assignment admins/Power/payments-prod: applied",
        "delete account_assignment admins/Power/payments-dev: applied",
        "delete permission_set Power: applied",
    ]
    assert settled.cycle(RENAMED, REASSIGNED).plan.changes == ()


def test_the_old_set_stays_while_the_new_one_cannot_be_given(settled: Town) -> None:
    settled.sandbox.faults.add(operation="sso-admin:CreateAccountAssignment", kind="fail", code="not now")
    settled.cycle(RENAMED, REASSIGNED)

    assert settled.assignments() == {"group:admins/Power/payments-prod", "group:admins/Power/payments-dev"}
    assert settled.permission_set("Power") is not None


def test_a_set_of_the_former_name_that_is_not_ours_stays(town: Town) -> None:
    town.sandbox.call("sso-admin", "CreatePermissionSet", {"InstanceArn": _instance(town), "Name": "Power"})
    report = town.settle(RENAMED)

    assert "Power: formerly of 'Builder', but not ours: left alone" in notes(report.plan)
    assert town.permission_set("Power") is not None


def test_the_old_set_stays_while_somebody_has_it_and_git_lists_nobody(settled: Town) -> None:
    plan = settled.cycle(RENAMED).plan

    blocked = {change.name: change.blocked for change in plan.changes if change.blocked}
    assert "Power" in blocked
    assert len(settled.assignments()) == 2


# What cannot be seen


def test_without_an_identity_center_in_the_region_nothing_is_planned_and_the_reason_is_said() -> None:
    town = Town(identity_center_region="eu-west-1")
    plan = town.plan(POWER)
    town.close()

    why = {incomplete.kind: incomplete.why for incomplete in plan.incomplete}
    assert "not enabled in eu-west-1" in why["permission_set"]
    assert "account_assignment" in why


@pytest.mark.parametrize(
    "operation",
    [
        "ListPermissionSets",
        "DescribePermissionSet",
        "GetInlinePolicyForPermissionSet",
        "ListManagedPoliciesInPermissionSet",
        "ListCustomerManagedPolicyReferencesInPermissionSet",
        "GetPermissionsBoundaryForPermissionSet",
        "ListAccountsForProvisionedPermissionSet",
        "ListTagsForResource",
    ],
)
def test_a_read_that_fails_is_not_absence(settled: Town, operation: str) -> None:
    settled.sandbox.faults.add(
        operation=f"sso-admin:{operation}", kind="error", code="AccessDeniedException", status=400
    )
    report = settled.cycle("{kind: PermissionSet, name: Power, managed_policies: []}")

    assert not settled.writes()
    assert {incomplete.kind for incomplete in report.plan.incomplete} >= {"permission_set", "account_assignment"}


# Pure parts


@pytest.mark.parametrize(
    ("given", "canonical"),
    [("PT1H", "PT1H"), ("PT60M", "PT1H"), ("PT90M", "PT1H30M"), ("PT3600S", "PT1H"), ("eight hours", "eight hours")],
)
def test_durations_have_one_spelling(given: str, canonical: str) -> None:
    assert duration(given) == canonical


INLINE = PolicyDocument.of({"Version": "2012-10-17", "Statement": []}, iam=True)


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        pytest.param({"managed_policies": frozenset("AB")}, {"managed_policies": frozenset("A")}, True, id="fewer"),
        pytest.param({"managed_policies": frozenset("A")}, {"managed_policies": frozenset("AB")}, False, id="more"),
        pytest.param(
            {"customer_managed_policies": frozenset("/A")}, {"customer_managed_policies": frozenset()}, True, id="own"
        ),
        pytest.param(
            {"inline_policy": INLINE},
            {"inline_policy": PolicyDocument.of({}, iam=True)},
            True,
            id="the inline policy goes",
        ),
        pytest.param({"session_duration": "PT1H"}, {"session_duration": "PT2H"}, False, id="no policy at all"),
    ],
)
def test_what_counts_as_a_removal(before: dict[str, Any], after: dict[str, Any], counts: bool) -> None:
    had, has = (PermissionSet(key="A", name="A", **fields) for fields in (before, after))
    assert PermissionSets().removes(Change("permission_set", "A", "A", Action.UPDATE, had, has)) is counts


def _instance(town: Town) -> str:
    found: str = town.sandbox.call("sso-admin", "ListInstances")["Instances"][0]["InstanceArn"]
    return found
