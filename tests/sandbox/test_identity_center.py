"""Permission sets, assignments and provisioning."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import access
from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, code

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
NOBODY = "00000000-0000-0000-0000-000000000000"


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return code(error)


class Center:
    """The client with the instance filled in, and the world behind it."""

    def __init__(self, client: Any, sandbox: Sandbox) -> None:
        self.client, self.sandbox = client, sandbox
        self.arn = access(sandbox.world).instance_arn("aws")
        world, store = sandbox.world, directory(sandbox.world)
        self.dev = world.add_account("dev", "dev@example.com", world.root_id).id
        self.prod = world.add_account("prod", "prod@example.com", world.root_id).id
        self.alice = store.add_user(world, "alice", {}).id
        self.admins = store.add_group(world, "admins").id

    def __getattr__(self, operation: str) -> Any:
        return partial(getattr(self.client, operation), InstanceArn=self.arn)

    def permission_set(self, name: str = "Power", **more: Any) -> str:
        arn: str = self.create_permission_set(Name=name, **more)["PermissionSet"]["PermissionSetArn"]
        return arn

    def row(self, permission_set: str, **more: str) -> dict[str, str]:
        return {
            "PermissionSetArn": permission_set,
            "TargetId": self.dev,
            "TargetType": "AWS_ACCOUNT",
            "PrincipalType": "USER",
            "PrincipalId": self.alice,
            **more,
        }

    def assign(self, permission_set: str, **more: str) -> dict[str, Any]:
        answer = self.create_account_assignment(**self.row(permission_set, **more))
        status: dict[str, Any] = answer["AccountAssignmentCreationStatus"]
        return status

    def ended(self, status: dict[str, Any]) -> dict[str, Any]:
        id = status["RequestId"]
        answer = self.describe_account_assignment_creation_status(AccountAssignmentCreationRequestId=id)
        looked: dict[str, Any] = answer["AccountAssignmentCreationStatus"]
        return looked

    def rows(self, permission_set: str, account: str | None = None) -> list[str]:
        listed = self.list_account_assignments(AccountId=account or self.dev, PermissionSetArn=permission_set)
        return [row["PrincipalId"] for row in listed["AccountAssignments"]]

    def stale(self, permission_set: str, status: str = "LATEST_PERMISSION_SET_NOT_PROVISIONED") -> list[str]:
        accounts: list[str] = self.list_accounts_for_provisioned_permission_set(
            PermissionSetArn=permission_set, ProvisioningStatus=status
        )["AccountIds"]
        return accounts

    def wait(self, seconds: float) -> None:
        self.sandbox.world.clock.advance(seconds)


@pytest.fixture
def center(client: Client, sandbox: Sandbox) -> Center:
    return Center(client("sso-admin"), sandbox)


# The instance


def test_the_instance_cannot_be_used_from_another_region_or_by_a_member(client: Client, center: Center) -> None:
    elsewhere = client("sso-admin", region="eu-west-1").list_permission_sets
    assert refusal(elsewhere, InstanceArn=center.arn) == "ResourceNotFoundException"
    theirs = client("sso-admin", account=center.dev).list_permission_sets
    assert refusal(theirs, InstanceArn=center.arn) == "AccessDeniedException"


# Permission sets


@pytest.mark.parametrize("duration", ["PT30M", "PT13H", "P1D", "eight hours"])
def test_a_session_lasts_one_to_twelve_hours(center: Center, duration: str) -> None:
    assert refusal(center.create_permission_set, Name="Power", SessionDuration=duration) == "ValidationException"


def test_permission_sets_are_listed_in_pages(center: Center) -> None:
    made = [center.permission_set(f"P{number}") for number in range(5)]

    pages = list(center.client.get_paginator("list_permission_sets").paginate(InstanceArn=center.arn, MaxResults=2))

    assert [arn for page in pages for arn in page["PermissionSets"]] == made
    assert len(pages) == 3
    assert refusal(center.list_permission_sets, NextToken="madeup") == "ValidationException"


def test_tags_are_readable_from_the_create_call_on(center: Center) -> None:
    arn = center.permission_set(Tags=[{"Key": "orgctl:managed-by", "Value": "main"}])
    center.tag_resource(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "platform"}])
    center.untag_resource(ResourceArn=arn, TagKeys=["orgctl:managed-by"])

    assert center.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "platform"}]
    reserved = [{"Key": "aws:x", "Value": ""}]
    assert refusal(center.tag_resource, ResourceArn=arn, Tags=reserved) == "ValidationException"


def test_the_inline_policy_is_limited_without_its_white_space(center: Center) -> None:
    arn = center.permission_set()
    statement = {"Effect": "Allow", "Action": "x" * 10_300, "Resource": "*"}
    long = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    spaced = POLICY + " " * 12_000

    put = partial(center.put_inline_policy_to_permission_set, PermissionSetArn=arn)
    assert refusal(put, InlinePolicy=long) == "ServiceQuotaExceededException"
    assert refusal(put, InlinePolicy="not json") == "ValidationException"
    put(InlinePolicy=spaced)
    assert center.get_inline_policy_for_permission_set(PermissionSetArn=arn)["InlinePolicy"] == spaced
    center.delete_inline_policy_from_permission_set(PermissionSetArn=arn)
    assert "InlinePolicy" not in center.get_inline_policy_for_permission_set(PermissionSetArn=arn)


def test_any_aws_managed_policy_can_be_attached_once(center: Center) -> None:
    arn = center.permission_set()
    attach = partial(center.attach_managed_policy_to_permission_set, PermissionSetArn=arn)
    attach(ManagedPolicyArn="arn:aws:iam::aws:policy/job-function/Billing")

    assert refusal(attach, ManagedPolicyArn="arn:aws:iam::aws:policy/job-function/Billing") == "ConflictException"
    assert refusal(attach, ManagedPolicyArn="arn:aws:iam::111122223333:policy/mine") == "ValidationException"
    listed = center.list_managed_policies_in_permission_set(PermissionSetArn=arn)["AttachedManagedPolicies"]
    assert listed == [{"Name": "Billing", "Arn": "arn:aws:iam::aws:policy/job-function/Billing"}]
    detach = partial(center.detach_managed_policy_from_permission_set, PermissionSetArn=arn)
    detach(ManagedPolicyArn="arn:aws:iam::aws:policy/job-function/Billing")
    gone = refusal(detach, ManagedPolicyArn="arn:aws:iam::aws:policy/job-function/Billing")
    assert gone == "ResourceNotFoundException"


def test_a_customer_managed_policy_goes_by_name_and_path(center: Center) -> None:
    arn = center.permission_set()
    attach = partial(center.attach_customer_managed_policy_reference_to_permission_set, PermissionSetArn=arn)
    attach(CustomerManagedPolicyReference={"Name": "team"})
    attach(CustomerManagedPolicyReference={"Name": "team", "Path": "/ops/"})

    assert refusal(attach, CustomerManagedPolicyReference={"Name": "team", "Path": "/"}) == "ConflictException"
    center.detach_customer_managed_policy_reference_from_permission_set(
        PermissionSetArn=arn, CustomerManagedPolicyReference={"Name": "team"}
    )
    listed = center.list_customer_managed_policy_references_in_permission_set(PermissionSetArn=arn)
    assert listed["CustomerManagedPolicyReferences"] == [{"Name": "team", "Path": "/ops/"}]


def test_a_boundary_is_one_policy_or_none(center: Center) -> None:
    arn = center.permission_set()
    put = partial(center.put_permissions_boundary_to_permission_set, PermissionSetArn=arn)
    managed = {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    both = {**managed, "CustomerManagedPolicyReference": {"Name": "team"}}

    get = partial(center.get_permissions_boundary_for_permission_set, PermissionSetArn=arn)
    assert refusal(get) == "ResourceNotFoundException"
    assert refusal(put, PermissionsBoundary=both) == "ValidationException"
    put(PermissionsBoundary=managed)
    assert get()["PermissionsBoundary"] == managed
    put(PermissionsBoundary={"CustomerManagedPolicyReference": {"Name": "team"}})
    assert get()["PermissionsBoundary"] == {"CustomerManagedPolicyReference": {"Name": "team", "Path": "/"}}
    center.delete_permissions_boundary_from_permission_set(PermissionSetArn=arn)
    assert refusal(get) == "ResourceNotFoundException"


# Assignments


@pytest.mark.parametrize("wrong", [{"TargetId": "999999999999"}, {"PrincipalId": NOBODY}])
def test_an_unknown_account_or_principal_ends_as_failed(center: Center, wrong: dict[str, str]) -> None:
    status = center.ended(center.assign(center.permission_set(), **wrong))

    assert status["Status"] == "FAILED"
    assert status["FailureReason"]


def test_a_suspended_account_takes_no_assignment(center: Center) -> None:
    center.sandbox.world.accounts[center.dev].state = "SUSPENDED"

    assert center.ended(center.assign(center.permission_set()))["Status"] == "FAILED"


def test_a_failure_can_be_ordered(center: Center) -> None:
    center.sandbox.world.failures["CreateAccountAssignment"] = ["An unexpected internal error"]
    arn = center.permission_set()

    assert center.ended(center.assign(arn))["FailureReason"] == "An unexpected internal error"
    assert center.rows(arn) == []
    assert center.ended(center.assign(arn))["Status"] == "SUCCEEDED"


def test_assignments_of_deleted_people_stay_and_can_be_removed(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn)
    store = directory(center.sandbox.world)
    store.remove_user(store.users[center.alice])

    assert center.rows(arn) == [center.alice]
    of_alice = center.list_account_assignments_for_principal(PrincipalType="USER", PrincipalId=center.alice)
    assert len(of_alice["AccountAssignments"]) == 1
    center.delete_account_assignment(**center.row(arn))
    assert center.rows(arn) == []


def test_removing_what_is_not_there_ends_as_failed(center: Center) -> None:
    status = center.delete_account_assignment(**center.row(center.permission_set()))["AccountAssignmentDeletionStatus"]

    looked = center.describe_account_assignment_deletion_status(AccountAssignmentDeletionRequestId=status["RequestId"])
    assert looked["AccountAssignmentDeletionStatus"]["Status"] == "FAILED"


def test_giving_and_taking_the_same_access_at_once_conflicts(center: Center) -> None:
    center.sandbox.world.delays["*"] = 5
    arn = center.permission_set()
    center.assign(arn)

    assert refusal(center.delete_account_assignment, **center.row(arn)) == "ConflictException"
    center.wait(5)
    center.delete_account_assignment(**center.row(arn))


def test_fifteen_assignment_operations_run_at_once(center: Center) -> None:
    center.sandbox.world.delays["*"] = 5
    arns = [center.permission_set(f"P{number}") for number in range(16)]
    for arn in arns[:15]:
        center.assign(arn)

    assert refusal(center.create_account_assignment, **center.row(arns[15])) == "ConflictException"
    center.wait(5 * 15)
    assert center.ended(center.assign(arns[15]))["Status"] == "IN_PROGRESS"


def test_an_account_is_written_by_one_operation_at_a_time(center: Center) -> None:
    center.sandbox.world.delays["CreateAccountAssignment"] = 10
    first, second = center.permission_set("A"), center.permission_set("B")
    center.assign(first)
    center.assign(second)
    center.assign(second, TargetId=center.prod)
    center.wait(10)

    assert (center.rows(first), center.rows(second)) == ([center.alice], [])
    assert center.rows(second, center.prod) == [center.alice]
    center.wait(10)
    assert center.rows(second) == [center.alice]


def test_requests_are_listed_by_their_status(center: Center) -> None:
    arn = center.permission_set()
    failed = center.assign(arn, PrincipalId=NOBODY)["RequestId"]
    center.assign(arn)
    center.delete_account_assignment(**center.row(arn))

    listed = center.list_account_assignment_creation_status(Filter={"Status": "FAILED"})
    assert [one["RequestId"] for one in listed["AccountAssignmentsCreationStatus"]] == [failed]
    assert len(center.list_account_assignment_creation_status()["AccountAssignmentsCreationStatus"]) == 2
    assert len(center.list_account_assignment_deletion_status()["AccountAssignmentsDeletionStatus"]) == 1


@pytest.mark.parametrize("newest", [True, False])
def test_the_newest_requests_or_the_oldest_are_on_the_first_page(center: Center, newest: bool) -> None:
    center.sandbox.rules.set({"newest-first": newest})
    arn = center.permission_set()
    ids = []
    for _ in range(120):
        ids.append(center.assign(arn)["RequestId"])
        center.wait(10)

    first = center.list_account_assignment_creation_status(MaxResults=100)
    rows = first["AccountAssignmentsCreationStatus"]
    more = center.list_account_assignment_creation_status(MaxResults=100, NextToken=first["NextToken"])

    in_order = [row["RequestId"] for row in rows + more["AccountAssignmentsCreationStatus"]]
    assert len(rows) == 100
    assert in_order == (ids[::-1] if newest else ids)
    assert rows[0].keys() == {"Status", "RequestId", "CreatedDate"}


def test_a_principals_access_is_listed_over_all_accounts(center: Center) -> None:
    arn = center.permission_set()
    for account in (center.dev, center.prod):
        center.assign(arn, TargetId=account, PrincipalType="GROUP", PrincipalId=center.admins)
    ask = partial(center.list_account_assignments_for_principal, PrincipalType="GROUP", PrincipalId=center.admins)

    assert [row["AccountId"] for row in ask()["AccountAssignments"]] == [center.dev, center.prod]
    assert [row["AccountId"] for row in ask(Filter={"AccountId": center.prod})["AccountAssignments"]] == [center.prod]


@pytest.mark.parametrize(("inherit", "expected"), [(False, 0), (True, 1)])
def test_what_groups_bring_is_listed_where_the_sandbox_is_told_so(center: Center, inherit: bool, expected: int) -> None:
    world, store = center.sandbox.world, directory(center.sandbox.world)
    store.join(world, store.groups[center.admins], store.users[center.alice])
    world.rules.set({"listing-is-direct": not inherit})
    center.assign(center.permission_set(), PrincipalType="GROUP", PrincipalId=center.admins)

    listed = center.list_account_assignments_for_principal(PrincipalType="USER", PrincipalId=center.alice)

    assert len(listed["AccountAssignments"]) == expected


def test_a_delegated_administrator_cannot_touch_the_management_account(client: Client, center: Center) -> None:
    world = center.sandbox.world
    world.delegated["sso.amazonaws.com"] = {center.dev: 0.0}
    arn = center.permission_set()
    theirs = client("sso-admin", account=center.dev)
    mine = center.row(arn, TargetId=world.management_account)

    assert refusal(theirs.create_account_assignment, InstanceArn=center.arn, **mine) == "AccessDeniedException"
    theirs.update_permission_set(InstanceArn=center.arn, PermissionSetArn=arn, Description="Theirs")
    center.create_account_assignment(**mine)
    edit = partial(theirs.update_permission_set, InstanceArn=center.arn, PermissionSetArn=arn)
    assert refusal(edit, Description="Again") == "AccessDeniedException"
    listing = partial(theirs.list_account_assignments_for_principal, InstanceArn=center.arn)
    assert refusal(listing, PrincipalType="USER", PrincipalId=center.alice) == "AccessDeniedException"


# Provisioning


def test_an_edit_reaches_an_account_only_by_provisioning(center: Center) -> None:
    center.sandbox.world.delays["ProvisionPermissionSet"] = 10
    arn = center.permission_set()
    center.assign(arn)
    assert center.stale(arn) == []

    center.put_inline_policy_to_permission_set(PermissionSetArn=arn, InlinePolicy=POLICY)

    assert center.stale(arn) == [center.dev]
    begun = center.provision_permission_set(PermissionSetArn=arn, TargetType="ALL_PROVISIONED_ACCOUNTS")
    assert begun["PermissionSetProvisioningStatus"]["Status"] == "IN_PROGRESS"
    assert center.stale(arn) == [center.dev]
    center.wait(10)
    id = begun["PermissionSetProvisioningStatus"]["RequestId"]
    ended = center.describe_permission_set_provisioning_status(ProvisionPermissionSetRequestId=id)
    assert ended["PermissionSetProvisioningStatus"]["Status"] == "SUCCEEDED"
    assert center.stale(arn) == []
    assert center.stale(arn, "LATEST_PERMISSION_SET_PROVISIONED") == [center.dev]
    assert len(center.list_permission_set_provisioning_status()["PermissionSetsProvisioningStatus"]) == 1


def test_an_edit_made_while_another_is_provisioned_is_still_to_be_done(center: Center) -> None:
    center.sandbox.world.delays["ProvisionPermissionSet"] = 10
    arn = center.permission_set()
    center.assign(arn)
    center.put_inline_policy_to_permission_set(PermissionSetArn=arn, InlinePolicy=POLICY)
    center.provision_permission_set(PermissionSetArn=arn, TargetType="ALL_PROVISIONED_ACCOUNTS")

    center.delete_inline_policy_from_permission_set(PermissionSetArn=arn)
    center.wait(10)

    assert center.stale(arn) == [center.dev]


def test_provisioning_one_account_leaves_the_others(center: Center) -> None:
    arn = center.permission_set()
    for account in (center.dev, center.prod):
        center.assign(arn, TargetId=account)
    center.update_permission_set(PermissionSetArn=arn, Description="Edited")

    center.provision_permission_set(PermissionSetArn=arn, TargetType="AWS_ACCOUNT", TargetId=center.prod)

    assert center.stale(arn) == [center.dev]
    missing = partial(center.provision_permission_set, PermissionSetArn=arn, TargetType="AWS_ACCOUNT")
    assert refusal(missing) == "ValidationException"
    assert refusal(missing, TargetId="999999999999") == "ResourceNotFoundException"


def test_tags_need_no_provisioning(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn)

    center.tag_resource(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "platform"}])

    assert center.stale(arn) == []


def test_three_permission_sets_are_provisioned_at_once(center: Center) -> None:
    center.sandbox.world.delays["ProvisionPermissionSet"] = 10
    arns = [center.permission_set(f"P{number}") for number in range(4)]
    provision = partial(center.provision_permission_set, TargetType="ALL_PROVISIONED_ACCOUNTS")
    for arn in arns[:3]:
        provision(PermissionSetArn=arn)

    assert refusal(provision, PermissionSetArn=arns[3]) == "ConflictException"
    center.wait(10)
    provision(PermissionSetArn=arns[3])


def test_an_assignment_provisions_and_the_last_one_takes_it_away(center: Center) -> None:
    arn = center.permission_set()
    center.assign(arn)
    center.assign(arn, PrincipalType="GROUP", PrincipalId=center.admins)

    def provisioned() -> list[str]:
        sets: list[str] = center.list_permission_sets_provisioned_to_account(AccountId=center.dev)["PermissionSets"]
        return sets

    assert provisioned() == [arn]
    center.delete_account_assignment(**center.row(arn))
    assert provisioned() == [arn]
    center.delete_account_assignment(**center.row(arn, PrincipalType="GROUP", PrincipalId=center.admins))
    assert provisioned() == []


def test_a_write_right_after_a_write_conflicts_where_the_sandbox_is_told_so(center: Center) -> None:
    arn = center.permission_set()
    center.sandbox.rules.set({"settling": 2})
    center.update_permission_set(PermissionSetArn=arn, Description="Edited")

    assert refusal(center.update_permission_set, PermissionSetArn=arn, Description="Again") == "ConflictException"
    center.wait(2)
    center.update_permission_set(PermissionSetArn=arn, Description="Again")
