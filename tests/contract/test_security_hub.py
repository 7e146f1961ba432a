"""Security Hub CSPM: hubs, and their administration for the organization."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.aws import Aws, refusal

HOME, ELSEWHERE = "us-east-1", "eu-west-1"


@pytest.fixture
def administrator(aws: Aws) -> str:
    """A member account that administers Security Hub in two Regions, with its hubs on."""
    id = aws.member()
    for region in (HOME, ELSEWHERE):
        # moto does not turn the administrator's hub on by itself, as AWS does.
        hub = aws.client("securityhub", account=id, region=region)
        hub.enable_security_hub(EnableDefaultStandards=False)
        management = aws.client("securityhub", region=region)
        management.enable_security_hub(EnableDefaultStandards=False)
        management.enable_organization_admin_account(AdminAccountId=id)
    return id


@pytest.mark.agreed
def test_without_a_hub_nothing_is_answered(aws: Aws) -> None:
    """Security Hub API reference, DescribeHub: InvalidAccessException; botocore's securityhub shape gives it 401."""
    hub = aws.client("securityhub", account=aws.member())

    with pytest.raises(hub.exceptions.InvalidAccessException, match="not subscribed to AWS Security Hub") as error:
        hub.describe_hub()

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401


@pytest.mark.agreed
def test_every_account_and_region_has_a_hub_of_its_own(aws: Aws) -> None:
    """Security Hub User Guide, "Enabling Security Hub CSPM": per account and Region; API reference,
    EnableSecurityHub."""
    id = aws.member()
    aws.client("securityhub", account=id).enable_security_hub()

    for other in (aws.client("securityhub", account=id, region=ELSEWHERE), aws.client("securityhub")):
        assert refusal(other.describe_hub) == "InvalidAccessException"


def test_a_hub_turned_on_twice_conflicts(aws: Aws) -> None:
    """Security Hub API reference, EnableSecurityHub: ResourceConflictException."""
    hub = aws.client("securityhub")
    hub.enable_security_hub()

    assert refusal(hub.enable_security_hub) == "ResourceConflictException"


def test_a_hubs_settings_are_its_own(aws: Aws) -> None:
    """Security Hub API reference, EnableSecurityHub (ControlFindingGenerator), UpdateSecurityHubConfiguration, and
    DescribeHub, which shows both settings."""
    hub = aws.client("securityhub")

    hub.enable_security_hub(ControlFindingGenerator="STANDARD_CONTROL")
    assert hub.describe_hub()["ControlFindingGenerator"] == "STANDARD_CONTROL"
    hub.update_security_hub_configuration(AutoEnableControls=False)
    assert hub.describe_hub()["AutoEnableControls"] is False


def test_members_are_listed_by_who_has_a_hub_only(aws: Aws) -> None:
    """Security Hub API reference, ListMembers: InvalidAccessException."""
    assert refusal(aws.client("securityhub").list_members) == "InvalidAccessException"


def test_the_organizations_accounts_are_members_by_themselves(aws: Aws, administrator: str) -> None:
    """Security Hub User Guide, "Managing administrator and member accounts with AWS Organizations"; API reference,
    ListMembers."""
    aws.client("securityhub", account=aws.member()).enable_security_hub()

    listed = aws.client("securityhub", account=administrator).list_members()["Members"]

    assert len(listed) == 2, "the management account's hub and the new one"
    assert {each["MemberStatus"] for each in listed} == {"Enabled"}


def configuration(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_organization_configuration()
    return found


def test_each_region_has_an_organization_configuration_of_its_own(aws: Aws, administrator: str) -> None:
    """Security Hub API reference, UpdateOrganizationConfiguration; User Guide, "Local configuration"."""
    here = aws.client("securityhub", account=administrator)
    there = aws.client("securityhub", account=administrator, region=ELSEWHERE)

    here.update_organization_configuration(AutoEnable=True, AutoEnableStandards="DEFAULT")

    assert (configuration(here)["AutoEnable"], configuration(here)["AutoEnableStandards"]) == (True, "DEFAULT")
    assert configuration(there)["AutoEnable"] is False


CENTRAL = {"AutoEnable": False, "OrganizationConfiguration": {"ConfigurationType": "CENTRAL"}}
"""All that a caller sends: the status is AWS's."""


def test_central_configuration_needs_an_aggregator(aws: Aws, administrator: str) -> None:
    """Security Hub User Guide, "Enabling central configuration": a finding aggregator first; API reference,
    UpdateOrganizationConfiguration."""
    hub = aws.client("securityhub", account=administrator)

    refused = refusal(hub.update_organization_configuration, **CENTRAL)
    assert refused in ("InvalidInputException", "ResourceNotFoundException")
    hub.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=[ELSEWHERE])
    hub.update_organization_configuration(**CENTRAL)


def test_central_configuration_is_pending_first(aws: Aws, administrator: str) -> None:
    """Security Hub API reference, OrganizationConfiguration: Status PENDING, ENABLED or FAILED, "only
    ConfigurationType" is sent."""
    hub = aws.client("securityhub", account=administrator)
    hub.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=[ELSEWHERE])
    aws.delay("UpdateOrganizationConfiguration", 60)

    hub.update_organization_configuration(**CENTRAL)

    central = {"ConfigurationType": "CENTRAL"}
    assert configuration(hub)["OrganizationConfiguration"] == {**central, "Status": "PENDING"}
    aws.wait(60)
    assert configuration(hub)["OrganizationConfiguration"] == {**central, "Status": "ENABLED"}
