"""Organizations: trusted services, delegated administrators, who may call, how fast."""

from __future__ import annotations

import pytest

from tests.contract.aws import SCP, Aws, refusal

ADMINISTRABLE = [
    "securityhub.amazonaws.com",
    "detective.amazonaws.com",
    "devops-guru.amazonaws.com",
    "sso.amazonaws.com",
    "config.amazonaws.com",
    "account.amazonaws.com",
    "inspector2.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "fms.amazonaws.com",
]


@pytest.mark.parametrize(
    "principal",
    ["resource-explorer-2.amazonaws.com", "malware-protection.guardduty.amazonaws.com", "notifications.amazonaws.com"],
)
def test_more_services_are_trusted_than_moto_knows(aws: Aws, principal: str) -> None:
    """Organizations User Guide, "AWS services that you can use with AWS Organizations"."""
    aws.organizations.enable_aws_service_access(ServicePrincipal=principal)

    listed = aws.organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert principal in [each["ServicePrincipal"] for each in listed]


@pytest.mark.parametrize("principal", ADMINISTRABLE)
def test_a_member_administers_a_service(aws: Aws, principal: str) -> None:
    """Organizations User Guide, "AWS services that you can use with AWS Organizations": delegated administrators; API
    reference, RegisterDelegatedAdministrator."""
    id = aws.member()
    aws.organizations.enable_aws_service_access(ServicePrincipal=principal)

    aws.organizations.register_delegated_administrator(AccountId=id, ServicePrincipal=principal)

    listed = aws.organizations.list_delegated_administrators(ServicePrincipal=principal)["DelegatedAdministrators"]
    assert [each["Id"] for each in listed] == [id]
    twice = refusal(aws.organizations.register_delegated_administrator, AccountId=id, ServicePrincipal=principal)
    assert twice == "AccountAlreadyRegisteredException"


def test_an_administrator_needs_service_access_first(aws: Aws) -> None:
    """Organizations API reference, ConstraintViolationException: SERVICE_ACCESS_NOT_ENABLED."""
    register = {"AccountId": aws.member(), "ServicePrincipal": "ssm.amazonaws.com"}

    answer = refusal(aws.organizations.register_delegated_administrator, **register)
    assert answer == "ConstraintViolationException SERVICE_ACCESS_NOT_ENABLED"
    aws.organizations.enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com")
    aws.organizations.register_delegated_administrator(**register)


def test_a_service_with_one_administrator_takes_no_second(aws: Aws) -> None:
    """Organizations API reference, ConstraintViolationException: DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE;
    GuardDuty User Guide, "Managing accounts with AWS Organizations"."""
    guardduty = "guardduty.amazonaws.com"
    aws.organizations.enable_aws_service_access(ServicePrincipal=guardduty)
    aws.organizations.register_delegated_administrator(AccountId=aws.member(), ServicePrincipal=guardduty)

    answer = refusal(
        aws.organizations.register_delegated_administrator, AccountId=aws.member(), ServicePrincipal=guardduty
    )
    assert answer == "ConstraintViolationException DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"


@pytest.mark.parametrize("operation", ["list_accounts", "list_roots", "list_delegated_administrators"])
def test_a_member_may_not_read_the_organization(aws: Aws, operation: str) -> None:
    """Organizations API reference, ListAccounts and others: "can be called only from the organization's management
    account or by a member account that is a delegated administrator"."""
    caller = aws.client("organizations", account=aws.member())

    assert refusal(getattr(caller, operation)) == "AccessDeniedException"


@pytest.mark.agreed
def test_a_member_may_describe_its_organization(aws: Aws) -> None:
    """Organizations API reference, DescribeOrganization: "from any account in a organization"."""
    caller = aws.client("organizations", account=aws.member())

    assert caller.describe_organization()["Organization"]["MasterAccountId"] == aws.management


def test_a_delegated_administrator_reads_all_and_writes_policies_only(aws: Aws) -> None:
    """Organizations API reference, ListAccounts, CreatePolicy and CreateOrganizationalUnit: who can call them."""
    id, another = aws.member(), aws.member()
    aws.organizations.enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com")
    aws.organizations.register_delegated_administrator(AccountId=id, ServicePrincipal="ssm.amazonaws.com")
    caller = aws.client("organizations", account=id)

    assert {each["Id"] for each in caller.list_accounts()["Accounts"]} == {aws.management, id, another}
    caller.create_policy(Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=SCP)
    assert refusal(caller.create_organizational_unit, ParentId=aws.root, Name="A") == "AccessDeniedException"


def test_calls_have_rates(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": throttling, ListRoots 1 a second, burst 2; API
    reference, TooManyRequestsException, which botocore's model gives the status 400 of a client's error."""
    aws.rule("rates")
    aws.organizations.list_roots()
    aws.organizations.list_roots()

    with pytest.raises(aws.organizations.exceptions.TooManyRequestsException) as error:
        aws.organizations.list_roots()

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    aws.wait(1)
    aws.organizations.list_roots()


def test_writes_that_overlap_are_refused(aws: Aws) -> None:
    """Organizations API reference, ConcurrentModificationException: "currently being modified by a different request";
    botocore's retry modes never try it again."""
    aws.rule("overlapping-writes")
    aws.unit("A")

    create = aws.organizations.create_organizational_unit
    assert refusal(create, ParentId=aws.root, Name="B") == "ConcurrentModificationException"
    aws.wait(1)
    aws.unit("B")


def test_a_read_may_not_see_what_was_just_written(aws: Aws) -> None:
    """Organizations User Guide, "Troubleshooting": "Changes that I make aren't always immediately visible"."""
    aws.rule("stale-reads")
    aws.wait(10)

    def seen() -> int:
        return len(aws.organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"])

    root = aws.root
    aws.unit("A", root)

    assert 0 in {seen() for _ in range(50)}
    aws.wait(10)
    assert {seen() for _ in range(50)} == {1}
