"""Whole cycles: OUs, accounts, policies."""

from __future__ import annotations

import pytest

from controller.errors import StalePlan, WrongOrganization
from controller.report import CycleResult
from tests.cycle.house import House

SMALL = """
kind: Organization
regions: [us-east-1]
policy_types: [service_control]
trusted_services: [sso.amazonaws.com]
---
kind: OrganizationalUnits
units:
  Workloads:
    units:
      Prod:
      Dev:
  Sandbox:
---
kind: Accounts
accounts:
  payments-prod: {email: aws+payments-prod@example.com, unit: /Workloads/Prod, tags: {env: prod}}
  payments-dev: {email: aws+payments-dev@example.com, unit: /Workloads/Dev}
---
kind: ServiceControlPolicy
name: deny-leave
targets: {units: [/Workloads]}
content:
  Version: "2012-10-17"
  Statement: [{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}]
"""

EMPTY = """
kind: SandboxWorld
accounts:
  payments-prod: {email: aws+payments-prod@example.com}
  payments-dev: {email: aws+payments-dev@example.com}
"""


def test_an_organization_with_nothing_converges_and_then_is_left_in_peace() -> None:
    house = House(EMPTY, SMALL)
    report = house.converge()
    assert report.result is CycleResult.CONVERGED
    assert house.units() == {"Workloads", "Prod", "Dev", "Sandbox"}
    assert house.place("payments-prod") == "Prod"
    assert house.attached("deny-leave") == {"Workloads"}
    written = house.calls_written()
    assert house.cycle().wrote == 0
    assert house.calls_written() == written


def test_a_converged_organization_has_an_empty_plan() -> None:
    assert House(SMALL).plan().changes == ()


def test_plan_writes_nothing() -> None:
    house = House(EMPTY, SMALL)
    assert house.plan().changes
    assert not house.calls_written()


def test_what_was_changed_by_hand_is_seen_and_reverted() -> None:
    house = House(SMALL)
    house.by_hand(
        "organizations:DetachPolicy", PolicyId=house.policy_id("deny-leave"), TargetId=house.unit_id("Workloads")
    )
    assert house.attached("deny-leave") == set()
    house.cycle()
    assert house.attached("deny-leave") == {"Workloads"}


def test_what_nobody_declared_is_shown_and_left_alone() -> None:
    house = House(SMALL)
    house.by_hand(
        "organizations:CreatePolicy", Name="theirs", Description="", Type="SERVICE_CONTROL_POLICY", Content=DENY_ALL
    )
    report = house.cycle()
    assert ("service_control_policy", "theirs") in {(b.kind, b.name) for b in report.plan.unmanaged}
    assert "theirs" in house.policies()
    assert not house.calls_written()


DENY_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]}'


def test_a_line_that_vanishes_orphans_a_policy_and_an_ou_and_takes_nothing_away() -> None:
    house = House(SMALL)
    house.git = SMALL.replace("  Sandbox:\n", "").split("---\nkind: ServiceControlPolicy")[0]
    report = house.cycle()
    assert {(b.kind, b.name) for b in report.plan.orphaned} == {
        ("service_control_policy", "deny-leave"),
        ("organizational_unit", "/Sandbox"),
    }
    assert house.attached("deny-leave") == {"Workloads"}
    assert "Sandbox" in house.units()


def test_deleted_takes_the_policy_off_and_away_and_then_is_a_no_op() -> None:
    house = House(SMALL)
    house.git = SMALL.replace("targets: {units: [/Workloads]}", "deleted: true")
    house.converge()
    assert house.policies() == set()
    assert house.cycle().plan.changes == ()


def test_an_ou_is_renamed_in_place() -> None:
    house = House(SMALL)
    before = house.unit_id("Prod")
    house.git = SMALL.replace("Prod:\n", "Production: {formerly: Prod}\n").replace(
        "/Workloads/Prod", "/Workloads/Production"
    )
    house.converge()
    assert house.unit_id("Production") == before
    assert house.place("payments-prod") == "Production"


def test_a_policy_is_renamed_in_place_and_stays_attached_throughout() -> None:
    house = House(SMALL)
    before = house.policy_id("deny-leave")
    house.git = SMALL.replace("name: deny-leave", "name: no-leaving\nformerly: deny-leave")
    report = house.cycle()
    assert [c.id for c in report.plan.changes] == ["service_control_policy/no-leaving:update"]
    assert house.policy_id("no-leaving") == before
    assert house.attached("no-leaving") == {"Workloads"}


def test_an_account_that_aws_lacks_is_held_and_the_rest_goes_on() -> None:
    house = House(EMPTY, SMALL.replace("aws+payments-dev@example.com", "aws+nobody@example.com"))
    report = house.cycle()
    (held,) = report.plan.held
    assert "creation is not enabled" in (held.blocked or "")
    assert house.place("payments-prod") == "Prod"


def test_contacts_that_cannot_be_managed_are_never_called_converged() -> None:
    contacts = "contacts: {billing: {name: B, title: T, email: b@example.com, phone: '1'}}}"
    house = House(EMPTY, SMALL.replace("unit: /Workloads/Dev}", f"unit: /Workloads/Dev, {contacts}"))
    assert house.converge().result is not CycleResult.CONVERGED
    (held,) = house.plan().held
    assert (held.id.endswith(":update"), "trusted access" in (held.blocked or "")) == (True, True)
    assert house.place("payments-dev") == "Dev"


def test_an_identical_policy_of_nobodys_is_adopted_and_another_one_is_held() -> None:
    house = House(SMALL + '---\nkind: SandboxWorld\nowned_by: ""\n', SMALL)
    plan = house.plan()
    assert {c.action for c in plan.changes} == {"adopt"}
    assert not plan.held
    house.git = SMALL.replace("organizations:LeaveOrganization", "organizations:*")
    held = {c.name for c in house.plan().held}
    assert "deny-leave" in held


def test_nothing_is_written_to_an_organization_that_the_settings_do_not_name() -> None:
    for pinned in (None, "o-someoneelse"):
        house = House(EMPTY, SMALL, organization=pinned)
        with pytest.raises(WrongOrganization, match=house.sandbox.world.organization_id):
            house.cycle()
        assert not house.calls_written()


def test_observe_is_what_it_says() -> None:
    house = House(EMPTY, SMALL, mode="observe")
    report = house.cycle()
    assert report.result is CycleResult.PENDING
    assert not house.calls_written()


def test_a_reviewed_plan_is_carried_out_only_while_it_is_true() -> None:
    from controller.desired.load import load
    from tests.cycle.house import files

    house = House(EMPTY, SMALL)
    estate = load(files(SMALL))
    reviewed = house.plan().plan_id
    house.by_hand("organizations:CreateOrganizationalUnit", ParentId=house.sandbox.world.root_id, Name="Sandbox")
    with pytest.raises(StalePlan):
        house.controller.cycle(estate, plan_id=reviewed)
    assert not house.calls_written()
    assert house.controller.cycle(estate, plan_id=house.plan().plan_id).wrote


def test_a_listing_that_fails_takes_nothing_away() -> None:
    house = House(SMALL)
    house.git = SMALL.replace("targets: {units: [/Workloads]}", "targets: {}")
    house.sandbox.faults.add(kind="error", operation="organizations:ListTargetsForPolicy", code="ServiceException")
    report = house.cycle()
    assert house.attached("deny-leave") == {"Workloads"}
    assert report.result is CycleResult.INCOMPLETE
    assert "policy_attachment" in {i.what for i in report.plan.incomplete}


def test_names_of_what_the_same_plan_creates_are_filled_in() -> None:
    git = SMALL.replace(
        'Action: "organizations:LeaveOrganization", Resource: "*"}',
        'Action: "s3:*", Resource: "*", Condition: {"ForAllValues:StringNotLike": '
        """{"aws:ResourceOrgPaths": ["{{ unit('/Workloads').path }}/*"]}}}""",
    )
    house = House(EMPTY, git)
    house.converge()
    world = house.sandbox.world
    content = next(p.content for p in world.policies.values() if p.name == "deny-leave")
    assert f"{world.organization_id}/{world.root_id}/{house.unit_id('Workloads')}/*" in content
