"""IAM Identity Center: permission sets, assignments, provisioning."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from tests.contract.aws import Aws, Center, refusal

NOBODY = "00000000-0000-0000-0000-000000000000"
TWENTY_FIVE = """
AWSAccountManagement AWSAppFabric AWSAppRunner AWSBilling AWSBudgets AWSCleanRooms AWSCloudFormation AWSCloudHSM
AWSCloudMap AWSCloudTrail_ AWSCodeArtifact AWSCodeBuild AWSCodeDeploy AWSCodePipeline_ AWSDataSync AWSDirectConnect
AWSDirectoryService AmazonEC2 AmazonES AmazonElastiCache AmazonElasticFileSystem AmazonElasticMapReduce
AmazonEventBridge AmazonEventBridgeScheduler AmazonEventBridgeSchemas
"""
"""Policies of AWS's own, ...ReadOnlyAccess, that moto knows as well."""


def test_there_is_one_instance_in_its_home_region(aws: Aws, center: Center) -> None:
    """IAM Identity Center User Guide, "Organization and account instances": one for the organization, in one Region;
    API reference, ListInstances."""
    assert aws.client("sso-admin", region="eu-west-1").list_instances()["Instances"] == []
    assert aws.client("sso-admin", account=center.dev).list_instances()["Instances"] == []
    elsewhere = aws.client("sso-admin", region="eu-west-1").list_permission_sets
    assert refusal(elsewhere, InstanceArn=center.arn) == "ResourceNotFoundException"


def test_a_permission_sets_arn_names_its_instance(aws: Aws, center: Center) -> None:
    """botocore's sso-admin shape PermissionSetArn."""
    instance = center.arn.rsplit("/", 1)[1]

    assert center.permission_set().startswith(f"arn:aws:sso:::permissionSet/{instance}/ps-")


def test_a_permission_sets_name_is_taken_once(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreatePermissionSet: ConflictException."""
    center.permission_set("Power")

    assert refusal(center.create_permission_set, Name="Power") == "ConflictException"


def test_a_session_lasts_an_hour_unless_said_otherwise(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreatePermissionSet: SessionDuration "in the ISO-8601 standard"; User Guide,
    "Set session duration for AWS accounts": one hour by default, twelve at most."""
    made = center.create_permission_set(Name="Power")["PermissionSet"]

    assert made["SessionDuration"] == "PT1H"
    assert refusal(center.create_permission_set, Name="Long", SessionDuration="PT13H") == "ValidationException"


def test_tags_are_readable_from_the_create_call_on(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreatePermissionSet (Tags), ListTagsForResource, TagResource."""
    arn = center.permission_set(Tags=[{"Key": "orgctl:managed-by", "Value": "main"}])
    center.tag_resource(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "platform"}])
    center.untag_resource(ResourceArn=arn, TagKeys=["orgctl:managed-by"])

    assert center.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "platform"}]


def test_an_inline_policy_is_limited_without_its_white_space(aws: Aws, center: Center) -> None:
    """IAM Identity Center User Guide, "IAM Identity Center quotas": 10,240 non-white-space bytes; API reference,
    PutInlinePolicyToPermissionSet."""
    arn = center.permission_set()
    put = partial(center.put_inline_policy_to_permission_set, PermissionSetArn=arn)

    def document(action: str) -> str:
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    assert refusal(put, InlinePolicy=document("x" * 10_300)) == "ServiceQuotaExceededException"
    spaced = document("s3:*") + " " * 12_000
    put(InlinePolicy=spaced)
    assert center.get_inline_policy_for_permission_set(PermissionSetArn=arn)["InlinePolicy"] == spaced


def test_any_policy_that_is_awss_can_be_attached(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, AttachManagedPolicyToPermissionSet: AWS adds managed policies all the time."""
    arn = center.permission_set()
    policy = "arn:aws:iam::aws:policy/OneOfTomorrow"

    center.attach_managed_policy_to_permission_set(PermissionSetArn=arn, ManagedPolicyArn=policy)

    listed = center.list_managed_policies_in_permission_set(PermissionSetArn=arn)["AttachedManagedPolicies"]
    assert listed == [{"Name": "OneOfTomorrow", "Arn": policy}]


def test_a_permission_set_holds_twenty_five_policies_of_both_sorts_together(aws: Aws, center: Center) -> None:
    """IAM Identity Center User Guide, "IAM Identity Center quotas": AWS managed and customer managed policies."""
    arn = center.permission_set()
    attach = partial(center.attach_managed_policy_to_permission_set, PermissionSetArn=arn)
    for service in TWENTY_FIVE.split():
        attach(ManagedPolicyArn=f"arn:aws:iam::aws:policy/{service}ReadOnlyAccess")

    more = partial(center.attach_customer_managed_policy_reference_to_permission_set, PermissionSetArn=arn)
    assert refusal(more, CustomerManagedPolicyReference={"Name": "team"}) == "ServiceQuotaExceededException"


@pytest.mark.agreed
def test_an_update_clears_the_relay_state_it_leaves_out(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, UpdatePermissionSet: optional members; terraform-provider-aws,
    permission_set.go, sends all of them because what is left out is cleared."""
    arn = center.permission_set(Description="Powerful", RelayState="https://example.com", SessionDuration="PT8H")

    center.update_permission_set(PermissionSetArn=arn, SessionDuration="PT2H")

    shown = center.describe_permission_set(PermissionSetArn=arn)["PermissionSet"]
    assert (shown.get("RelayState"), shown["SessionDuration"]) == (None, "PT2H")


def test_a_permission_set_in_use_cannot_be_deleted(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, DeletePermissionSet: ConflictException."""
    arn, alice = center.permission_set(), center.user()
    center.create_account_assignment(**center.row(arn, alice))

    assert refusal(center.delete_permission_set, PermissionSetArn=arn) == "ConflictException"
    center.delete_account_assignment(**center.row(arn, alice))
    center.delete_permission_set(PermissionSetArn=arn)
    assert refusal(center.describe_permission_set, PermissionSetArn=arn) == "ResourceNotFoundException"


def test_an_assignment_takes_its_time(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreateAccountAssignment: "asynchronous"; AccountAssignmentOperationStatus."""
    aws.delay("CreateAccountAssignment", 10)
    arn, alice = center.permission_set(), center.user()

    begun = center.create_account_assignment(**center.row(arn, alice))["AccountAssignmentCreationStatus"]

    assert begun["Status"] == "IN_PROGRESS"
    assert center.assigned(arn) == []
    aws.wait(10)
    ended = center.describe_account_assignment_creation_status(AccountAssignmentCreationRequestId=begun["RequestId"])
    assert ended["AccountAssignmentCreationStatus"]["Status"] == "SUCCEEDED"
    assert center.assigned(arn) == [alice]


def test_an_assignment_is_taken_away_in_a_while(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, DeleteAccountAssignment: AccountAssignmentDeletionStatus IN_PROGRESS first."""
    arn, alice = center.permission_set(), center.user()
    center.create_account_assignment(**center.row(arn, alice))
    aws.delay("DeleteAccountAssignment", 10)

    begun = center.delete_account_assignment(**center.row(arn, alice))["AccountAssignmentDeletionStatus"]

    assert begun["Status"] == "IN_PROGRESS"
    assert center.assigned(arn) == [alice]
    aws.wait(10)
    assert center.assigned(arn) == []


def test_an_assignment_made_twice_is_one(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreateAccountAssignment; terraform-provider-aws, account_assignment.go: making
    one that exists is not rejected."""
    arn, alice = center.permission_set(), center.user()
    for _ in range(2):
        assert center.assign(arn, alice)["Status"] == "SUCCEEDED"

    assert center.assigned(arn) == [alice]


@pytest.mark.parametrize("wrong", [{"TargetId": "999999999999"}, {"PrincipalId": NOBODY}])
def test_access_is_given_to_nobody_that_is_not_there(aws: Aws, center: Center, wrong: dict[str, str]) -> None:
    """IAM Identity Center API reference, AccountAssignmentOperationStatus: FAILED with a FailureReason (or
    CreateAccountAssignment's ResourceNotFoundException: AWS does not say which)."""
    arn, alice = center.permission_set(), center.user()
    try:
        status = center.assign(arn, alice, **wrong)
    except center.aws.client("sso-admin").exceptions.ResourceNotFoundException:
        return
    assert status["Status"] == "FAILED"
    assert status["FailureReason"]


def test_an_unknown_permission_set_is_given_to_nobody(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreateAccountAssignment: ResourceNotFoundException."""
    arn, alice = center.permission_set(), center.user()
    unknown = arn[:-4] + "0000"

    assert refusal(center.create_account_assignment, **center.row(unknown, alice)) == "ResourceNotFoundException"


def provisioned(center: Center, account: str, **only: str) -> list[str]:
    listed = center.list_permission_sets_provisioned_to_account(AccountId=account, **only)
    return list(listed.get("PermissionSets", ()))


def test_the_first_assignment_provisions_and_the_last_one_takes_it_away(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, CreateAccountAssignment: "… the permission set is automatically provisioned",
    ListPermissionSetsProvisionedToAccount."""
    arn, alice = center.permission_set(), center.user()
    center.create_account_assignment(**center.row(arn, alice))

    assert provisioned(center, center.dev) == [arn]
    assert provisioned(center, aws.management) == []
    center.delete_account_assignment(**center.row(arn, alice))
    assert provisioned(center, center.dev) == []


def test_an_edit_reaches_an_account_only_by_provisioning(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, ProvisionPermissionSet and ListPermissionSetsProvisionedToAccount:
    ProvisioningStatus LATEST_PERMISSION_SET_NOT_PROVISIONED."""
    arn, alice, other = center.permission_set(), center.user(), aws.member()
    for account in (center.dev, other):
        center.create_account_assignment(**center.row(arn, alice, TargetId=account))
    stale: dict[str, Any] = {"ProvisioningStatus": "LATEST_PERMISSION_SET_NOT_PROVISIONED"}
    assert provisioned(center, center.dev, **stale) == []

    center.update_permission_set(PermissionSetArn=arn, SessionDuration="PT2H")
    assert provisioned(center, center.dev, **stale) == provisioned(center, other, **stale) == [arn]
    center.provision_permission_set(PermissionSetArn=arn, TargetType="AWS_ACCOUNT", TargetId=center.dev)

    assert provisioned(center, center.dev, **stale) == []
    assert provisioned(center, other, **stale) == [arn]


def test_what_is_provisioned_is_listed_in_pages(aws: Aws, center: Center) -> None:
    """IAM Identity Center API reference, ListPermissionSetsProvisionedToAccount: MaxResults, NextToken."""
    alice = center.user()
    arns = [center.permission_set(f"P{number}") for number in range(3)]
    for arn in arns:
        center.create_account_assignment(**center.row(arn, alice))

    pages = aws.client("sso-admin").get_paginator("list_permission_sets_provisioned_to_account")
    found = [
        page["PermissionSets"] for page in pages.paginate(InstanceArn=center.arn, AccountId=center.dev, MaxResults=2)
    ]
    assert found == [arns[:2], arns[2:]]
