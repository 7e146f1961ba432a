"""All the situations together: from nothing and from a mess to the same organization, kept, repaired, and undone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cycle.house import House
from tests.cycle.test_scenarios import BOUNDARIES, PEOPLE, STANDARDS, converged

ENVIRONMENTS = """
---
kind: OrganizationalUnits
units: {Workloads: {units: {Prod: , Dev: }}}
---
kind: Accounts
accounts:
  shop-prod:
    email: aws+shop-prod@example.com
    unit: /Workloads/Prod
    tags: {env: prod, support: business}
    contacts:
      billing: {name: Finance, title: Payer, email: pay@example.com, phone: "+1 555 0101"}
      security: {name: SOC, title: On call, email: soc@example.com, phone: "+1 555 0100"}
  shop-dev: {email: aws+shop-dev@example.com, unit: /Workloads/Dev, tags: {env: dev, support: developer}}
---
kind: ServiceControlPolicy
name: network-perimeter
description: Only through our own addresses
targets: {units: [/Workloads/Prod]}
content:
  Version: "2012-10-17"
  Statement:
    - Effect: Deny
      Action: "*"
      Resource: "*"
      Condition:
        NotIpAddress: {"aws:SourceIp": [198.51.100.16/28]}
        BoolIfExists: {"aws:ViaAWSService": "false"}
        ArnNotLikeIfExists: {"aws:PrincipalARN": ["arn:aws:iam::*:role/aws-service-role/*", "*/OrgctlMember"]}
---
kind: ServiceControlPolicy
name: small-machines
targets: {units: [/Workloads/Dev]}
content:
  Version: "2012-10-17"
  Statement:
    - Effect: Deny
      Action: ec2:RunInstances
      Resource: "arn:aws:ec2:*:*:instance/*"
      Condition: {StringLike: {"ec2:InstanceType": "*.metal"}}
"""

TRUST = "trusted_services: [sso.amazonaws.com, "
ALL = BOUNDARIES.replace(TRUST, TRUST + "account.amazonaws.com, ") + STANDARDS + PEOPLE + ENVIRONMENTS

GROUND = """
kind: SandboxWorld
people:
  users: {alice: {}, frank: {}}
  groups: {developers: [alice], infosec: [frank]}
accounts:
  media-1: {email: aws+media-1@example.com}
  baseball-1: {email: aws+baseball-1@example.com}
  shop-prod: {email: aws+shop-prod@example.com}
  shop-dev: {email: aws+shop-dev@example.com}
  closed: {email: aws+closed@example.com, state: SUSPENDED}
delays: {"*": 2}
"""

MESS = (
    GROUND.replace("media-1@example.com}", "media-1@example.com, unit: /, tags: {env: who knows}}")
    + """
not_owned: [service_control_policy/sports-only]
missing: [organizational_unit/Sports/Football, service_control_policy/small-machines]
policies:
  - {name: network-perimeter, description: By hand, detached_from: {units: [/Workloads/Prod]}}
  - {name: nobodys, content: {Version: "2012-10-17", Statement: []}, attached_to: {units: [/Media]}}
permission_sets:
  PowerUserAccess: {provisioned: false}
assignments:
  - {deleted_user: mallory, permission_set: AuditAccess, accounts: [media-1]}
  - {user: alice, permission_set: PowerUserAccess, accounts: [shop-dev], missing: true}
security_hub:
  - {accounts: [baseball-1], regions: [eu-west-1], enabled: false}
  - {accounts: [media-1], without: [pci-dss/v/3.2.1], enabled_controls: [ACM.1]}
"""
)


def picture(house: House) -> dict[str, Any]:
    """What the situations are about, as it is in AWS."""
    accounts = ("media-1", "baseball-1", "shop-prod", "shop-dev")
    return {
        "attached": {name: house.attached(name) for name in ("sports-only", "network-perimeter", "small-machines")},
        "places": {name: house.place(name) for name in accounts},
        "tags": {a.name: a.tags for a in house.sandbox.world.accounts.values() if a.name in accounts},
        "access": house.access(),
        "controls off": {
            (name, region): house.controls_off(name, region)
            for name in accounts
            for region in ("us-east-1", "eu-west-1")
        },
        "contact": contact(house, "SECURITY"),
    }


def contact(house: House, which: str) -> str:
    shop = next(a.id for a in house.sandbox.world.accounts.values() if a.name == "shop-prod")
    got = house.by_hand("account:GetAlternateContact", AccountId=shop, AlternateContactType=which)
    name: str = got["AlternateContact"]["Name"]
    return name


@pytest.fixture
def built() -> House:
    house = House(GROUND, ALL, limits={"removals": 100, "share": 1.0})
    converged(house)
    return house


def test_a_mess_becomes_what_nothing_becomes_and_what_is_nobodys_stays(built: House) -> None:
    messy = House(ALL + "\n---\n" + MESS, ALL)
    converged(messy)

    assert picture(messy) == picture(built)
    assert messy.attached("nobodys") == {"Media"}
    assert {place["shop-prod"] for place in (picture(messy)["places"],)} == {"Prod"}


def test_each_environment_has_its_own_guard_rails_and_people(built: House) -> None:
    now = picture(built)

    assert now["attached"]["network-perimeter"] == {"Prod"}
    assert now["attached"]["small-machines"] == {"Dev"}
    assert {who for who in now["access"] if who.endswith("shop-prod")} == {"infosec/AuditAccess/shop-prod"}
    assert "alice/PowerUserAccess/shop-dev" in now["access"]
    assert now["tags"]["shop-dev"] == {"env": "dev", "support": "developer"}
    assert (contact(built, "BILLING"), contact(built, "SECURITY")) == ("Finance", "SOC")


def test_what_the_yaml_takes_back_is_undone_and_nothing_else(built: House) -> None:
    before = picture(built)
    built.git = (
        ALL.replace("targets: {units: [/Workloads/Prod]}", "targets: {units: []}")
        .replace("standards: [pci-dss/v/3.2.1, ", "standards: [")
        .replace("  - {control: APIGateway.1, reason: Logged at the edge}\n", "")
        .replace("permission_sets: [PowerUserAccess, EC2-S3-FullAccess]", "permission_sets: [EC2-S3-FullAccess]")
        .replace("unit: /Workloads/Dev, tags: {env: dev, support: developer}", "unit: /Workloads/Dev, tags: {env: dev}")
        .replace("name: SOC, title: On call", "name: Night watch, title: On call")
    )
    converged(built)

    after = picture(built)
    assert after["attached"] == {**before["attached"], "network-perimeter": set()}
    assert after["access"] == {who for who in before["access"] if "/PowerUserAccess/" not in who}
    standard = "aws-foundational-security-best-practices/v/1.0.0"
    assert set(map(frozenset, after["controls off"].values())) == {frozenset({(standard, "ACM.1")})}
    assert after["tags"] == {**before["tags"], "shop-dev": {"env": "dev"}}
    assert after["places"] == before["places"]
    assert after["contact"] == "Night watch"
