"""Account Management and STS: who may act on whom."""

from __future__ import annotations

import pytest

from tests.contract.aws import Aws, refusal

KIND = {"AlternateContactType": "SECURITY"}
CONTACT = {
    **KIND,
    "Name": "SOC",
    "Title": "On call",
    "EmailAddress": "soc@example.com",
    "PhoneNumber": "+1 555 0100",
}


def test_an_account_of_another_organization_is_refused(aws: Aws) -> None:
    """Account Management API reference, PutAlternateContact: AccountId must be a member account of the caller's
    organization; AccessDeniedException."""
    aws.organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")

    answer = refusal(aws.client("account").put_alternate_contact, **CONTACT, AccountId="999999999999")
    assert answer == "AccessDeniedException"


def test_the_management_account_omits_its_own_id(aws: Aws) -> None:
    """Account Management API reference, PutAlternateContact: "The management account can't specify its
    own AccountId"."""
    aws.organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")

    answer = refusal(aws.client("account").put_alternate_contact, **CONTACT, AccountId=aws.management)
    assert answer == "AccessDeniedException"
    aws.client("account").put_alternate_contact(**CONTACT)


def test_other_accounts_need_trusted_access(aws: Aws) -> None:
    """Account Management API reference, PutAlternateContact: "the organization must have trusted access enabled for the
    Account Management service"."""
    there = {**CONTACT, "AccountId": aws.member()}

    assert refusal(aws.client("account").put_alternate_contact, **there) == "AccessDeniedException"
    aws.organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    aws.client("account").put_alternate_contact(**there)


def test_a_member_acts_on_itself_only(aws: Aws) -> None:
    """Account Management API reference, PutAlternateContact: AccountId is for the management account and delegated
    administrators."""
    aws.organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    other = aws.member()
    own = aws.client("account", account=aws.member())
    own.put_alternate_contact(**CONTACT)

    assert refusal(own.put_alternate_contact, **CONTACT, AccountId=other) == "AccessDeniedException"


@pytest.mark.agreed
def test_a_contact_is_each_accounts_own(aws: Aws) -> None:
    """Account Management API reference, GetAlternateContact: ResourceNotFoundException where there is none."""
    aws.organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    member, account = aws.member(), aws.client("account")

    account.put_alternate_contact(**CONTACT, AccountId=member)

    assert account.get_alternate_contact(**KIND, AccountId=member)["AlternateContact"] == CONTACT
    assert refusal(account.get_alternate_contact, **KIND) == "ResourceNotFoundException"


@pytest.mark.parametrize("whose", ["a member's", "nobody's"])
def test_a_role_that_is_not_there_is_not_assumed(aws: Aws, whose: str) -> None:
    """STS API reference, AssumeRole: AccessDenied unless the role exists and its trust policy allows the caller; IAM
    User Guide, "Troubleshoot IAM roles"."""
    account = aws.member() if whose == "a member's" else "999999999999"
    arn = f"arn:aws:iam::{account}:role/nothing-of-the-kind"

    assert refusal(aws.client("sts").assume_role, RoleArn=arn, RoleSessionName="orgctl") == "AccessDenied"


def test_another_members_role_is_not_assumed(aws: Aws) -> None:
    """Organizations API reference, CreateAccount: the role that it makes "trusts the management account"."""
    one, other = aws.member(), aws.member()
    arn = f"arn:aws:iam::{other}:role/OrganizationAccountAccessRole"

    assert refusal(aws.client("sts", account=one).assume_role, RoleArn=arn, RoleSessionName="orgctl") == "AccessDenied"


def test_a_role_is_not_assumed_for_longer_than_it_allows(aws: Aws) -> None:
    """STS API reference, AssumeRole: DurationSeconds up to the role's MaxSessionDuration, an hour unless set
    otherwise; ValidationError."""
    arn = f"arn:aws:iam::{aws.member()}:role/OrganizationAccountAccessRole"
    assume = aws.client("sts").assume_role

    assert refusal(assume, RoleArn=arn, RoleSessionName="orgctl", DurationSeconds=7200) == "ValidationError"
    assume(RoleArn=arn, RoleSessionName="orgctl", DurationSeconds=3600)
