"""Whole cycles against an AWS that is as hard to live with as it is documented to be, and as it might be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from controller.report import CycleResult, Result
from controller.sandbox.directory import directory
from controller.sandbox.rules import FACTS, STRICT, Switch
from controller.sandbox.security_hub.state import hubs
from controller.sandbox.wire import Call
from tests.cycle.house import House
from tests.hardening.yard import Yard

NOTHING = """
kind: SandboxWorld
people:
  users: {alice: {}, bob: {}}
  groups: {developers: [alice, bob], auditors: [bob]}
accounts:
  audit: {email: aws+audit@example.com}
  shop-prod: {email: aws+shop-prod@example.com}
  shop-dev: {email: aws+shop-dev@example.com}
  data-dev: {email: aws+data-dev@example.com}
"""
ESTATE = """
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control, resource_control, tag]
trusted_services: [sso.amazonaws.com, securityhub.amazonaws.com, config.amazonaws.com]
---
kind: OrganizationalUnits
units:
  Workloads:
    units:
      Prod:
      Dev:
  Security:
---
kind: Accounts
accounts:
  audit: {email: aws+audit@example.com, unit: /Security}
  shop-prod: {email: aws+shop-prod@example.com, unit: /Workloads/Prod, tags: {env: prod}}
  shop-dev: {email: aws+shop-dev@example.com, unit: /Workloads/Dev, tags: {env: dev}}
  data-dev: {email: aws+data-dev@example.com, unit: /Workloads/Dev, tags: {env: dev}}
---
kind: ServiceControlPolicy
name: deny-leave
targets: {units: [/Workloads, /Security]}
content:
  Version: "2012-10-17"
  Statement: [{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}]
---
kind: TagPolicy
name: environments
targets: {units: [/Workloads]}
content: {tags: {env: {tag_key: {"@@assign": env}}}}
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
  - {group: developers, permission_sets: [PowerUserAccess], targets: {units: [/Workloads/Dev]}}
  - {group: auditors, permission_sets: [AuditAccess], targets: {units: [/]}}
  - {user: alice, permission_sets: [PowerUserAccess], targets: {tags: {env: prod}}}
---
kind: SecurityHub
targets: {units: [/Workloads/Prod]}
standards: [pci-dss/v/3.2.1, aws-foundational-security-best-practices/v/1.0.0]
disabled_controls:
  - {control: ACM.1, reason: Certificates come from our own CA}
"""
ACCESS = {
    "developers/PowerUserAccess/shop-dev",
    "developers/PowerUserAccess/data-dev",
    "alice/PowerUserAccess/shop-prod",
    "auditors/AuditAccess/audit",
    "auditors/AuditAccess/shop-prod",
    "auditors/AuditAccess/shop-dev",
    "auditors/AuditAccess/data-dev",
}
NEXT = (
    ESTATE.replace("      Dev:\n", "      Development: {formerly: Dev}\n")
    .replace("/Workloads/Dev", "/Workloads/Development")
    .replace("shop-dev@example.com, unit: /Workloads/Development", "shop-dev@example.com, unit: /Workloads/Prod")
    .replace("session_duration: PT8H", "session_duration: PT4H")
    .replace("units: [/Workloads, /Security]", "units: [/Workloads]")
    .replace("\n  - {user: alice, permission_sets: [PowerUserAccess], targets: {tags: {env: prod}}}", "")
    .replace("[pci-dss/v/3.2.1, aws", "[cis-aws-foundations-benchmark/v/3.0.0, aws")
)


def strict(random: int, rules: Mapping[str, Switch]) -> House:
    return House(NOTHING, ESTATE, rules={**STRICT, **rules}, random=random, rate_multiple=1.0)


def as_wanted(house: House) -> None:
    assert house.access() == ACCESS
    assert house.units() == {"Workloads", "Prod", "Dev", "Security"}
    assert house.attached("deny-leave") == {"Workloads", "Security"}
    assert house.attached("environments") == {"Workloads"}
    assert house.place("shop-dev") == house.place("data-dev") == "Dev"
    assert {control for _, control in house.controls_off("shop-prod", "eu-west-1")} == {"ACM.1"}


def as_next(house: House) -> None:
    assert house.units() == {"Workloads", "Prod", "Development", "Security"}
    assert (house.place("shop-dev"), house.place("data-dev")) == ("Prod", "Development")
    assert house.attached("deny-leave") == {"Workloads"}
    assert house.access() == ACCESS - {"alice/PowerUserAccess/shop-prod", "developers/PowerUserAccess/shop-dev"}


@pytest.mark.parametrize("random", range(4))
def test_an_organization_converges_and_follows_the_next_commit_with_every_rule_on(random: int) -> None:
    house = strict(random, {})
    house.converge(8)
    as_wanted(house)
    house.git = NEXT
    house.converge(8)
    as_next(house)
    written = house.calls_written()
    assert house.cycle().result is CycleResult.CONVERGED
    assert house.calls_written() == written


class Asked(dict[str, bool]):
    """Which rules hold; and which of them came up."""

    def __init__(self, holds: dict[str, bool]) -> None:
        super().__init__(holds)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> bool:
        self.names.add(name)
        return super().__getitem__(name)


CROWD = [f"crowd-{number}" for number in range(5)]
ROWS = "".join(f"  - {{group: {name}, permission_sets: [AuditAccess], targets: {{units: [/]}}}}\n" for name in CROWD)
CROWDED = ESTATE.replace("assignments:\n", f"assignments:\n{ROWS}")


def stumbling(fact: str, holds: bool) -> Yard:
    """Where every open question comes up: answers are lost, roles throttled, more than fifteen assignments wanted."""
    people = NOTHING.replace("auditors: [bob]", "auditors: [bob], " + ", ".join(f"{name}: []" for name in CROWD))
    house = Yard(people, CROWDED, rules={**STRICT, fact: holds}, random=7, rate_multiple=1.0)
    for lost in ("securityhub:EnableSecurityHub", "securityhub:BatchEnableStandards"):
        house.sandbox.faults.add(operation=lost, kind="lost", count=1)
    house.sandbox.faults.add(operation="sts:AssumeRole", kind="throttle", count=1)
    hubs(house.sandbox.world).missing_controls["eu-west-1"] = {"IAM.6"}
    house.sandbox.rules.holds = Asked(house.sandbox.rules.holds)
    return house


def stumble_on(house: Yard) -> None:
    house.operate(12)
    assert {row for row in house.access() if not row.startswith("crowd")} == ACCESS
    assert len(house.access()) == len(ACCESS) + 4 * len(CROWD)
    house.sandbox.faults.add(operation="organizations:UpdateOrganizationalUnit", kind="lost", count=1)
    house.git = NEXT
    house.operate(12)


ELSEWHERE = {"no-instance", "assigned-later", "control-of-standard-off", "listing-is-direct"}
"""They come up where somebody else acts meanwhile, in the tests after this one, and for `orgctl access`, in its own."""


@pytest.mark.parametrize("fact", ["", *FACTS])
def test_an_organization_converges_whatever_aws_does_where_it_does_not_say(fact: str) -> None:
    house = stumbling(fact or "delays", holds=not fact)
    stumble_on(house)
    as_next(house)
    asked = house.sandbox.rules.holds
    assert isinstance(asked, Asked)
    assert {fact} - ELSEWHERE <= {"", *asked.names}, "it makes no difference to this test"


@pytest.mark.parametrize("later", [True, False])
def test_a_group_that_goes_between_plan_and_apply_costs_nobody_else_access(later: bool) -> None:
    """Identity Center API reference, CreateAccountAssignment: FAILED, or refused; it does not say which."""
    house = Yard(NOTHING, ESTATE, rules={"assigned-later": later})

    def watch(when: str, call: Call) -> None:
        store = directory(house.sandbox.world)
        if call.operation == "CreateAccountAssignment" and "auditors" in store.group_ids:
            store.remove_group(store.groups[store.group_ids["auditors"]])

    with house.watching(watch):
        outcomes = house.cycle().outcomes
    failed = {outcome.change.name for outcome in outcomes if outcome.result is Result.FAILED}
    assert failed == {row for row in ACCESS if row.startswith("auditors")}
    assert house.access() == ACCESS - failed


@pytest.mark.parametrize("fault", ["", "AccessDeniedException"])
def test_an_instance_that_cannot_be_found_is_not_seen_rather_than_absent(fault: str) -> None:
    """Identity Center API reference, ListInstances, does not say whether strangers are refused or see an empty list."""
    house = House(NOTHING, ESTATE)
    house.converge()
    if fault:
        house.sandbox.faults.add(operation="sso-admin:ListInstances", kind="error", code=fault)
    else:
        directory(house.sandbox.world).region = "eu-west-1"
    plan = house.plan()
    assert {"permission_set", "account_assignment"} <= {one.kind for one in plan.incomplete}
    assert not plan.changes


def test_the_next_commit_is_followed_where_every_open_question_has_its_other_answer() -> None:
    house = strict(7, dict.fromkeys(FACTS, False))
    house.converge(8)
    as_wanted(house)
    house.git = NEXT
    house.converge(8)
    as_next(house)


@pytest.mark.parametrize("random", range(4))
def test_a_cycle_on_the_heels_of_another_does_not_repeat_what_aws_does_not_show_yet(random: int) -> None:
    house = strict(random, {"stale-reads": 5.0, "jobs-fail": False})
    for _ in range(3):
        house.cycle()
    taken = Counter(
        f"{entry['operation']} {entry['account']} {entry['region']} {sorted(entry['parameters'].items())}"
        for entry in house.sandbox.world.log
        if "parameters" in entry and not entry["error"]
    )
    assert [call for call, times in taken.items() if times > 1] == []
    house.clock.sleep(120)  # until standards are on
    house.converge(8)
    as_wanted(house)


def test_a_permission_set_whose_last_edit_is_still_spreading_is_waited_for() -> None:
    house = strict(4, {"settling": 4.0, "jobs-fail": False})
    outcomes = house.cycle().outcomes
    assert [outcome.detail for outcome in outcomes if outcome.result is Result.FAILED] == []


def test_work_that_aws_fails_is_begun_again() -> None:
    house = strict(3, {"jobs-fail": 0.4})
    first = house.cycle()
    assert Result.FAILED in {outcome.result for outcome in first.outcomes}
    house.sandbox.rules.off("jobs-fail")
    house.converge(8)
    as_wanted(house)
