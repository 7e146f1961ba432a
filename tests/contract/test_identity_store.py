"""The Identity Store: people, groups, memberships."""

from __future__ import annotations

from functools import partial

import pytest

from tests.contract.aws import Aws, Center, refusal

NOBODY = "00000000-0000-0000-0000-000000000000"
CONFLICT = "ConflictException UNIQUENESS_CONSTRAINT_VIOLATION"


@pytest.mark.parametrize("operation", ["list_users", "list_groups"])
def test_a_store_must_be_there(aws: Aws, center: Center, operation: str) -> None:
    """Identity Store API reference, ListUsers and ListGroups: ResourceNotFoundException."""
    store = aws.client("identitystore")

    assert refusal(getattr(store, operation), IdentityStoreId="d-0000000000") == "ResourceNotFoundException"


def test_membership_comes_once(aws: Aws, center: Center) -> None:
    """Identity Store API reference, CreateGroupMembership: ConflictException and its Reason."""
    alice, admins = center.user(), center.group()
    join = partial(center.store, "create_group_membership", GroupId=admins, MemberId={"UserId": alice})
    join()

    assert refusal(join) == CONFLICT
    assert len(center.store("list_group_memberships", GroupId=admins)["GroupMemberships"]) == 1


def test_a_group_takes_its_memberships_with_it(aws: Aws, center: Center) -> None:
    """Identity Store API reference, DeleteGroup and ListGroupMembershipsForMember."""
    alice, admins, ops = center.user(), center.group("admins"), center.group("ops")
    for group in (admins, ops):
        center.store("create_group_membership", GroupId=group, MemberId={"UserId": alice})

    center.store("delete_group", GroupId=admins)

    left = center.store("list_group_memberships_for_member", MemberId={"UserId": alice})["GroupMemberships"]
    assert [one["GroupId"] for one in left] == [ops]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_group", {"GroupId": NOBODY}),
        ("delete_user", {"UserId": NOBODY}),
        ("delete_group_membership", {"MembershipId": NOBODY}),
        ("list_group_memberships", {"GroupId": NOBODY}),
    ],
)
def test_what_is_not_there_is_an_error(aws: Aws, center: Center, operation: str, parameters: dict[str, str]) -> None:
    """Identity Store API reference, DeleteGroup, DeleteUser, DeleteGroupMembership, ListGroupMemberships:
    ResourceNotFoundException."""
    assert refusal(partial(center.store, operation), **parameters) == "ResourceNotFoundException"


@pytest.mark.agreed
def test_an_external_id_is_nobodys(aws: Aws, center: Center) -> None:
    """Identity Store API reference, GetUserId: AlternateIdentifier's ExternalId comes from an identity provider, and no
    operation of the API sets it; ResourceNotFoundException."""
    outside = {"ExternalId": {"Issuer": "https://example.com", "Id": "alice"}}

    assert refusal(partial(center.store, "get_user_id"), AlternateIdentifier=outside) == "ResourceNotFoundException"


def test_answers_carry_arns_and_revisions(aws: Aws, center: Center) -> None:
    """botocore's identitystore shapes DescribeUserResponse and DescribeGroupResponse: UserArn, GroupArn, Revision."""
    alice, admins = center.user(), center.group()

    user, group = center.store("describe_user", UserId=alice), center.store("describe_group", GroupId=admins)

    assert user["UserArn"] == f"arn:aws:identitystore:::user/{alice}"
    assert group["GroupArn"] == f"arn:aws:identitystore:::group/{admins}"
    assert (user["Revision"], group["Revision"]) == ("1", "1")


def test_an_email_is_one_persons(aws: Aws, center: Center) -> None:
    """Identity Store API reference, CreateUser: ConflictException; User Guide, "Username and email address
    uniqueness"."""
    taken = [{"Value": "alice@example.com", "Type": "work", "Primary": True}]
    center.user("alice", Emails=taken)

    names = {"DisplayName": "A", "Name": {"GivenName": "A", "FamilyName": "A"}}
    create = partial(center.store, "create_user", UserName="al", Emails=taken, **names)
    assert refusal(create) == CONFLICT


def test_a_rename_to_a_taken_name_conflicts(aws: Aws, center: Center) -> None:
    """Identity Store API reference, UpdateGroup and UpdateUser: ConflictException."""
    center.group("admins")
    ops = center.group("ops")

    rename = partial(center.store, "update_group", GroupId=ops)
    assert refusal(rename, Operations=[{"AttributePath": "displayName", "AttributeValue": "admins"}]) == CONFLICT
