"""`orgctl explain`: which policy, which statement, which line."""

from __future__ import annotations

from typing import Any

import pytest

from controller.desired.load import load
from controller.errors import InvalidInput
from controller.explain import Explanation, Question, explain
from controller.policy.organization import SCP, Verdict
from tests.cycle.house import House, files

GIT = """
kind: Organization
policy_types: [service_control, resource_control]
---
kind: OrganizationalUnits
units: {Workloads: {units: {Prod: }}}
---
kind: Accounts
accounts:
  shop: {email: shop@example.com, unit: /Workloads/Prod}
---
kind: ServiceControlPolicy
name: guard
targets: {units: [/Workloads]}
content:
  Version: "2012-10-17"
  Statement:
    - {Sid: Leave, Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}
    - Sid: Abroad
      Effect: Deny
      NotAction: "iam:*"
      Resource: "*"
      Condition: {StringNotEquals: {"aws:RequestedRegion": eu-west-1}}
---
kind: ResourceControlPolicy
name: perimeter
targets: {units: [/]}
content:
  Version: "2012-10-17"
  Statement:
    Sid: Strangers
    Effect: Deny
    Principal: "*"
    Action: "s3:*"
    Resource: "*"
    Condition: {StringNotEqualsIfExists: {"aws:PrincipalOrgID": "{{ org.id }}"}}
"""


@pytest.fixture(scope="module")
def house() -> House:
    return House(GIT)


def ask(house: House, action: str, principal: str = "role/App", *, git: str = GIT, **more: Any) -> Explanation:
    question = Question("shop", principal, action, **more)
    aws = house.controller.aws
    return explain(aws.reader(), aws.here, load(files(git), now=house.clock.now()), question, "main")


def test_the_statement_that_denies_is_given_with_its_line(house: House) -> None:
    told = ask(house, "organizations:LeaveOrganization", region="eu-west-1")
    assert told.verdict is Verdict.DENIED
    [reason] = told.decisions[SCP].reasons
    assert str(reason) == ("service control policy 'guard' on /Workloads, statement 'Leave' (estate.yaml:18:7)")


@pytest.mark.parametrize(
    ("action", "more", "verdict"),
    [
        pytest.param("ec2:RunInstances", {"region": "eu-west-1"}, Verdict.ALLOWED, id="at home"),
        pytest.param("ec2:RunInstances", {"region": "us-east-1"}, Verdict.DENIED, id="abroad"),
        pytest.param("ec2:RunInstances", {}, Verdict.UNKNOWN, id="nobody said where"),
        pytest.param("iam:CreateRole", {}, Verdict.ALLOWED, id="wherever"),
        pytest.param(
            "s3:GetObject",
            {"principal": "arn:aws:iam::999988887777:role/Theirs", "region": "eu-west-1"},
            Verdict.UNKNOWN,
            id="a stranger, of whom is not known whether he is one",
        ),
        pytest.param(
            "s3:GetObject",
            {
                "principal": "arn:aws:iam::999988887777:role/Theirs",
                "region": "eu-west-1",
                "context": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"},
            },
            Verdict.DENIED,
            id="a stranger",
        ),
    ],
)
def test_verdicts(house: House, action: str, more: dict[str, Any], verdict: Verdict) -> None:
    assert ask(house, action, **more).verdict is verdict


def test_what_allows_is_named_level_by_level(house: House) -> None:
    told = ask(house, "ec2:RunInstances", region="eu-west-1")
    targets = [reason.target for reason in told.decisions[SCP].reasons]
    assert targets[:3] == ["/", "/Workloads", "/Workloads/Prod"] and len(targets) == 4
    assert "No SCP or RCP stops it" in list(told.lines())[-1]


def test_what_is_missing_is_said(house: House) -> None:
    lines = "\n".join(ask(house, "ec2:RunInstances").lines())
    assert "CANNOT TELL" in lines and "without: aws:RequestedRegion" in lines and "'Abroad' (estate.yaml:19:7)" in lines


def test_the_commit_is_judged_before_it_is_applied_and_aws_as_it_is_with_live(house: House) -> None:
    git = GIT.replace("StringNotEquals: {", "StringEquals: {")
    asked: dict[str, Any] = {"git": git, "region": "eu-west-1"}
    assert ask(house, "ec2:RunInstances", **asked).verdict is Verdict.DENIED
    assert ask(house, "ec2:RunInstances", live=True, **asked).verdict is Verdict.ALLOWED


def test_policies_that_git_does_not_name_are_read_along_the_way(house: House) -> None:
    told = ask(house, "organizations:LeaveOrganization", git="", live=True, region="eu-west-1")
    assert told.verdict is Verdict.DENIED
    assert "'guard' on /Workloads, statement 'Leave'" in str(told.decisions[SCP].reasons[0])


def test_service_linked_roles_and_the_management_account_are_not_bound(house: House) -> None:
    role = "role/aws-service-role/sso.amazonaws.com/AWSServiceRoleForSSO"
    told = ask(house, "organizations:LeaveOrganization", role)
    assert told.verdict is Verdict.ALLOWED and "service-linked" in told.unbound
    management = house.sandbox.world.management_account
    aws = house.controller.aws
    question = Question(management, "root", "organizations:LeaveOrganization")
    told = explain(aws.reader(), aws.here, load(files(GIT), now=house.clock.now()), question, "main")
    assert told.verdict is Verdict.ALLOWED and "management account" in told.unbound


def test_names_that_are_nobodys_are_told_in_words(house: House) -> None:
    with pytest.raises(InvalidInput, match="no principal"):
        ask(house, "s3:GetObject", "alice")
    with pytest.raises(InvalidInput, match="Did you mean"):
        aws = house.controller.aws
        explain(
            aws.reader(), aws.here, load(files(GIT), now=house.clock.now()), Question("shpo", "root", "a:B"), "main"
        )
