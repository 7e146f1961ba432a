"""The worked example's policies do what their descriptions say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.desired.templates import render
from controller.policy.evaluate import applies, statements
from controller.policy.request import Request, principal_keys

POLICIES = Path(__file__).parents[2] / "desired-state" / "policies"
ORGANIZATION, ACCOUNT = "o-a1b2c3d4e5", "111122223333"
SSO = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO"
DEVELOPER, BREAK_GLASS = f"{SSO}_PowerUserAccess_0123456789abcdef", f"{SSO}_BreakGlassAdmin_0123456789abcdef"
ORGCTL = f"arn:aws:iam::{ACCOUNT}:role/OrgctlMember"


class Names:
    def organization_id(self) -> str:
        return ORGANIZATION

    def root_id(self) -> str:
        return "r-ab12"

    def unit_id(self, path: str) -> str:
        return f"ou-ab12-{abs(hash(path)) % 10**8:08}"

    def unit_path(self, path: str) -> str:
        return f"{ORGANIZATION}/r-ab12/{self.unit_id(path)}"

    def account_id(self, handle: str) -> str:
        return "444455556666"


def content(name: str) -> Any:
    for file in POLICIES.glob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if document["name"] == name:
                return render(document["content"], Names())
    raise KeyError(name)


def denies(name: str, action: str, resource: str = "*", principal: str = DEVELOPER, **known: str) -> bool | None:
    """Whether any statement of the policy hits; `known`: condition keys with `_` for the colon."""
    keys = {**principal_keys(principal, organization=ORGANIZATION, account=ACCOUNT)}
    more = {key.replace("_", ":", 1): value for key, value in known.items()}
    request = Request(action, (resource,)).knowing(keys).knowing(more)
    answers = [applies(one, request).truth for one in statements(content(name)) if one.effect == "deny"]
    return True if True in answers else (None if None in answers else False)


@pytest.mark.parametrize(
    ("name", "action", "known", "expected"),
    [
        pytest.param("region-lock", "ec2:RunInstances", {"aws_RequestedRegion": "ap-south-1"}, True, id="abroad"),
        pytest.param("region-lock", "ec2:RunInstances", {"aws_RequestedRegion": "eu-west-1"}, False, id="at home"),
        pytest.param("region-lock", "iam:CreateRole", {"aws_RequestedRegion": "ap-south-1"}, False, id="global"),
        pytest.param("region-lock", "ec2:RunInstances", {}, None, id="no Region given: not guessed"),
        pytest.param("network-perimeter", "s3:GetObject", {"aws_SourceIp": "203.0.113.8"}, False, id="the office"),
        pytest.param("network-perimeter", "s3:GetObject", {"aws_SourceIp": "192.0.2.1"}, True, id="elsewhere"),
        pytest.param("network-perimeter", "s3:GetObject", {}, None, id="an address that is not known"),
        pytest.param("protect-security-services", "securityhub:DisableSecurityHub", {}, True, id="hub off"),
        pytest.param("protect-security-services", "securityhub:GetFindings", {}, False, id="looking is free"),
        pytest.param("sandbox-guard", "savingsplans:CreateSavingsPlan", {}, True, id="no commitments"),
        pytest.param("quarantine", "ec2:RunInstances", {}, True, id="quarantined"),
        pytest.param("quarantine", "s3:ListBucket", {}, False, id="looked at"),
        pytest.param("require-imdsv2", "s3:GetObject", {"ec2_RoleDelivery": "1.0"}, True, id="stolen credentials"),
        pytest.param("require-imdsv2", "s3:GetObject", {"ec2_RoleDelivery": "2.0"}, False, id="version 2"),
        pytest.param("organization-boundary", "s3:PutObject", {"aws_ResourceOrgID": "o-zzzzzzzzzz"}, True, id="out"),
        pytest.param("organization-boundary", "s3:PutObject", {"aws_ResourceOrgID": ORGANIZATION}, False, id="in"),
    ],
)
def test_the_intent(name: str, action: str, known: dict[str, str], expected: bool | None) -> None:
    assert denies(name, action, **known) is expected


def test_small_instances_may_be_launched_in_the_sandbox_and_big_ones_not() -> None:
    launch = ("ec2:RunInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/*")
    assert denies("sandbox-guard", *launch, ec2_InstanceType="t3.micro") is False
    assert denies("sandbox-guard", *launch, ec2_InstanceType="p5.48xlarge") is True


def test_a_trail_is_protected_by_its_name() -> None:
    stop, trail = "cloudtrail:StopLogging", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/"
    assert denies("protect-logs", stop, f"{trail}organization-main") is True
    assert denies("protect-logs", stop, f"{trail}mine") is False


@pytest.mark.parametrize("name", ["region-lock", "network-perimeter", "protect-security-services", "quarantine"])
def test_the_controller_is_exempt_from_what_would_lock_it_out(name: str) -> None:
    action = "securityhub:BatchDisableStandards"
    assert denies(name, action, principal=ORGCTL, aws_RequestedRegion="ap-south-1") is False


@pytest.mark.parametrize("name", ["network-perimeter", "quarantine"])
def test_break_glass_is_exempt_from_what_would_lock_it_out(name: str) -> None:
    assert denies(name, "iam:AttachRolePolicy", principal=BREAK_GLASS) is False


def test_strangers_stay_out_of_the_resources_and_our_own_get_in() -> None:
    assert denies("resource-perimeter", "s3:GetObject", aws_PrincipalOrgID="o-zzzzzzzzzz") is True
    assert denies("resource-perimeter", "s3:GetObject") is False
    assert denies("resource-perimeter", "s3:GetObject", aws_SecureTransport="false") is True
