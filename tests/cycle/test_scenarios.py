"""Situations from published write-ups, each from nothing to converged, kept, and undone when the YAML says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.report import CycleResult
from controller.sandbox.security_hub.state import hubs
from tests.cycle.house import House

ANYCOMPANY = """
kind: SandboxWorld
accounts:
  media-1: {email: aws+media-1@example.com}
  baseball-1: {email: aws+baseball-1@example.com}
people:
  users: {alice: {}, frank: {}}
  groups: {developers: [alice], infosec: [frank]}
delays: {"*": 2}
"""

BOUNDARIES = """
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control]
trusted_services: [sso.amazonaws.com, securityhub.amazonaws.com]
---
kind: OrganizationalUnits
units:
  Media:
  Sports:
    units: {Baseball: , Basketball: , Football: }
  Governance:
---
kind: Accounts
accounts:
  media-1: {email: aws+media-1@example.com, unit: /Media, tags: {env: prod}}
  baseball-1: {email: aws+baseball-1@example.com, unit: /Sports/Baseball, tags: {env: dev}}
---
kind: ServiceControlPolicy
name: sports-only
targets: {units: [/Sports]}
content:
  Version: "2012-10-17"
  Statement:
    - Effect: Deny
      Action: "s3:*"
      Resource: "*"
      Condition:
        "ForAllValues:StringNotLike":
          "aws:ResourceOrgPaths": ["{{ unit('/Sports').path }}/*"]
        StringNotEquals:
          "aws:ResourceAccount": "{{ account('media-1').id }}"
          "aws:ResourceOrgID": "{{ org.id }}"
"""


def converged(house: House) -> None:
    assert house.converge(8).result is CycleResult.CONVERGED
    written = house.calls_written()
    assert house.cycle().plan.changes == ()
    assert house.calls_written() == written


def test_boundaries_name_ous_and_accounts_that_the_same_commit_makes() -> None:
    house = House(ANYCOMPANY, BOUNDARIES)
    converged(house)
    world = house.sandbox.world
    content = next(p.content for p in world.policies.values() if p.name == "sports-only")
    assert f'"{world.organization_id}/{world.root_id}/{house.unit_id("Sports")}/*"' in content
    assert next(a.id for a in world.accounts.values() if a.name == "media-1") in content
    assert house.place("baseball-1") == "Baseball"
    house.git = BOUNDARIES.replace("targets: {units: [/Sports]}", "deleted: true")
    house.converge()
    assert house.policies() == set()


def test_a_game_day_ends_by_itself_also_after_a_restart() -> None:
    house = House(ANYCOMPANY, BOUNDARIES)
    house.converge()
    end = house.clock.now() + timedelta(hours=2)
    house.git = (
        BOUNDARIES
        + f"""
---
kind: ServiceControlPolicy
name: no-eu-west-1
targets: {{units: [/Media]}}
until: "{end.isoformat()}"
content:
  Version: "2012-10-17"
  Statement:
    - Effect: Deny
      Action: "*"
      Resource: "*"
      Condition: {{StringEquals: {{"aws:RequestedRegion": eu-west-1}}}}
"""
    )
    house.converge()
    assert house.attached("no-eu-west-1") == {"Media"}
    house.clock.sleep(timedelta(hours=2, seconds=1).total_seconds())
    house.controller = house.another()
    house.converge()
    assert house.attached("no-eu-west-1") == set()
    assert "no-eu-west-1" in house.policies(), "the policy stays, to be attached again"
    converged(house)


STANDARDS = """
---
kind: SecurityHub
targets: {units: [/]}
standards: [pci-dss/v/3.2.1, aws-foundational-security-best-practices/v/1.0.0]
disabled_controls:
  - {control: ACM.1, reason: Certificates come from our own CA}
  - {control: APIGateway.1, reason: Logged at the edge}
"""


def test_standards_and_disabled_controls_hold_in_every_account_and_region_also_in_a_new_one() -> None:
    house = House(ANYCOMPANY, BOUNDARIES + STANDARDS)
    converged(house)
    assert house.controls_off("media-1", "eu-west-1") == house.controls_off("baseball-1", "us-east-1")
    assert {control for _, control in house.controls_off("media-1", "us-east-1")} == {"ACM.1", "APIGateway.1"}
    account = next(a.id for a in house.sandbox.world.accounts.values() if a.name == "media-1")
    house.turn_standard_off_and_on(account, "us-east-1", "aws-foundational-security-best-practices/v/1.0.0")
    assert house.controls_off("media-1", "us-east-1") == set(), "AWS forgets which controls were off"
    converged(house)
    assert {control for _, control in house.controls_off("media-1", "us-east-1")} == {"ACM.1", "APIGateway.1"}


PEOPLE = """
---
kind: PermissionSet
name: PowerUserAccess
managed_policies: [PowerUserAccess]
---
kind: PermissionSet
name: EC2-S3-FullAccess
managed_policies: [AmazonEC2FullAccess, AmazonS3FullAccess]
---
kind: PermissionSet
name: AuditAccess
managed_policies: [SecurityAudit]
---
kind: Assignments
assignments:
  - {user: alice, permission_sets: [PowerUserAccess, EC2-S3-FullAccess], targets: {tags: {env: dev}}}
  - {group: infosec, permission_sets: [AuditAccess], targets: {units: [/]}}
"""


def test_people_reach_what_their_tags_ous_and_names_say() -> None:
    house = House(ANYCOMPANY, BOUNDARIES + PEOPLE)
    converged(house)
    assert house.access() == {
        "alice/PowerUserAccess/baseball-1",
        "alice/EC2-S3-FullAccess/baseball-1",
        "infosec/AuditAccess/baseball-1",
        "infosec/AuditAccess/media-1",
    }
    house.git = house.git.replace("unit: /Media, tags: {env: prod}", "unit: /Media, tags: {env: dev}")
    converged(house)
    assert "alice/PowerUserAccess/media-1" in house.access(), "a tag moves access with it, in the same commit"


@pytest.mark.parametrize("hand", ["policy", "assignment", "hub"])
def test_whatever_is_done_by_hand_is_undone(hand: str) -> None:
    house = House(ANYCOMPANY, BOUNDARIES + STANDARDS + PEOPLE)
    house.converge(8)
    before = (house.attached("sports-only"), house.access(), house.controls_off("media-1", "us-east-1"))
    account = next(a.id for a in house.sandbox.world.accounts.values() if a.name == "media-1")
    if hand == "policy":
        target = house.unit_id("Sports")
        house.by_hand("organizations:DetachPolicy", PolicyId=house.policy_id("sports-only"), TargetId=target)
    elif hand == "assignment":
        house.assign_by_hand("alice", "PowerUserAccess", account)
    else:
        house.turn_standard_off_and_on(account, "us-east-1", "pci-dss/v/3.2.1")
    house.converge(8)
    assert (house.attached("sports-only"), house.access(), house.controls_off("media-1", "us-east-1")) == before


def test_a_region_s_list_of_standards_that_comes_back_short_turns_nothing_off() -> None:
    house = House(ANYCOMPANY, BOUNDARIES + STANDARDS)
    house.converge(8)
    hubs(house.sandbox.world).missing_standards["us-east-1"] = {"pci-dss/v/3.2.1"}
    assert house.cycle().plan.changes == ()


def test_standards_follow_an_account_when_it_moves_and_wait_while_its_move_is_held() -> None:
    house = House(ANYCOMPANY, BOUNDARIES + STANDARDS.replace("units: [/]", "units: [/Sports]"), limits={"removals": 0})
    house.git = house.git.replace("unit: /Media", "unit: /Sports")
    report = house.cycle()
    waits = {c.name: c.blocked or "" for c in report.plan.held if c.kind == "security_hub"}
    assert set(waits) == {"media-1/us-east-1", "media-1/eu-west-1", "baseball-1/us-east-1", "baseball-1/eu-west-1"}
    assert all("waits for account" in why for why in waits.values())


def test_the_management_account_moves_only_with_a_persons_approval() -> None:
    house = House(ANYCOMPANY, BOUNDARIES)
    house.converge(8)
    house.git = BOUNDARIES.replace("accounts:\n", 'accounts:\n  root-account: {id: "100000000000", unit: /Media}\n', 1)
    (held,) = house.cycle().plan.held
    assert held.hold is not None
    assert "management account" in (held.blocked or "")
