"""People, groups and memberships."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.directory import directory
from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, code

NOBODY = "00000000-0000-0000-0000-000000000000"


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return code(error)


class Store:
    """The client, with the store's id filled in: ``store.list_users()``."""

    def __init__(self, client: Any, id: str) -> None:
        self.client, self.id = client, id

    def __getattr__(self, operation: str) -> Any:
        return partial(getattr(self.client, operation), IdentityStoreId=self.id)

    def user(self, name: str, **more: Any) -> str:
        id: str = self.create_user(
            UserName=name, DisplayName=name, Name={"GivenName": name, "FamilyName": name}, **more
        )["UserId"]
        return id

    def group(self, name: str) -> str:
        id: str = self.create_group(DisplayName=name)["GroupId"]
        return id

    def names(self) -> list[str]:
        return [user["UserName"] for user in self.list_users()["Users"]]


@pytest.fixture
def store(client: Client, sandbox: Sandbox) -> Store:
    return Store(client("identitystore"), directory(sandbox.world).id)


def by(path: str, value: str) -> dict[str, Any]:
    return {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}


def test_a_user_is_found_by_name_and_by_email(store: Store) -> None:
    alice = store.user("alice", Emails=[{"Value": "alice@example.com", "Primary": True}])

    assert store.get_user_id(AlternateIdentifier=by("userName", "alice"))["UserId"] == alice
    assert store.get_user_id(AlternateIdentifier=by("emails.value", "alice@example.com"))["UserId"] == alice
    assert refusal(store.get_user_id, AlternateIdentifier=by("userName", "bob")) == "ResourceNotFoundException"


def test_a_group_is_found_by_its_display_name(store: Store) -> None:
    admins = store.group("admins")

    assert store.get_group_id(AlternateIdentifier=by("displayName", "admins"))["GroupId"] == admins
    assert refusal(store.get_group_id, AlternateIdentifier=by("displayName", "x")) == "ResourceNotFoundException"


def test_lists_come_in_pages_and_narrow_to_one_name(store: Store) -> None:
    for number in range(7):
        store.user(f"user-{number}")

    pages = list(store.client.get_paginator("list_users").paginate(IdentityStoreId=store.id, MaxResults=3))
    assert [len(page["Users"]) for page in pages] == [3, 3, 1]
    one = store.list_users(Filters=[{"AttributePath": "UserName", "AttributeValue": "user-4"}])["Users"]
    assert [user["UserName"] for user in one] == ["user-4"]
    assert refusal(store.list_users, NextToken="made up") == "ValidationException"


def test_names_and_emails_are_unique(store: Store) -> None:
    taken = [{"Value": "alice@example.com"}]
    store.user("alice", Emails=taken)
    store.group("admins")

    conflict = "ConflictException UNIQUENESS_CONSTRAINT_VIOLATION"
    assert refusal(store.create_user, UserName="alice", DisplayName="A") == conflict
    assert refusal(store.create_user, UserName="al", DisplayName="A", Emails=taken) == conflict
    assert refusal(store.create_group, DisplayName="admins") == conflict


def test_a_renamed_user_is_found_by_the_new_name_alone(store: Store) -> None:
    alice = store.user("alice")

    store.update_user(UserId=alice, Operations=[{"AttributePath": "userName", "AttributeValue": "alicia"}])

    assert store.get_user_id(AlternateIdentifier=by("userName", "alicia"))["UserId"] == alice
    assert refusal(store.get_user_id, AlternateIdentifier=by("userName", "alice")) == "ResourceNotFoundException"
    assert store.describe_user(UserId=alice)["Revision"] == "2"


def test_a_change_on_an_old_revision_is_refused(store: Store) -> None:
    admins = store.group("admins")
    rename = [{"AttributePath": "displayName", "AttributeValue": "owners"}]
    store.update_group(GroupId=admins, Operations=rename, Revision="1")

    stale = refusal(store.update_group, GroupId=admins, Operations=rename, Revision="1")

    assert stale == "ConflictException CONCURRENT_MODIFICATION"
    assert store.describe_group(GroupId=admins)["DisplayName"] == "owners"


def test_parts_of_a_name_change_and_attributes_go(store: Store) -> None:
    alice = store.user("alice", Title="Developer")

    store.update_user(
        UserId=alice,
        Operations=[{"AttributePath": "name.familyName", "AttributeValue": "Ames"}, {"AttributePath": "title"}],
    )

    shown = store.describe_user(UserId=alice)
    assert shown["Name"] == {"GivenName": "alice", "FamilyName": "Ames"}
    assert "Title" not in shown


def test_membership_comes_once_and_goes_with_either_side(store: Store) -> None:
    alice, bob, admins, ops = store.user("alice"), store.user("bob"), store.group("admins"), store.group("ops")
    for user in (alice, bob):
        store.create_group_membership(GroupId=admins, MemberId={"UserId": user})
    store.create_group_membership(GroupId=ops, MemberId={"UserId": alice})

    again = refusal(store.create_group_membership, GroupId=admins, MemberId={"UserId": alice})
    assert again == "ConflictException UNIQUENESS_CONSTRAINT_VIOLATION"

    def members(group: str) -> list[str]:
        return [one["MemberId"]["UserId"] for one in store.list_group_memberships(GroupId=group)["GroupMemberships"]]

    assert members(admins) == [alice, bob]
    store.delete_user(UserId=bob)
    assert members(admins) == [alice]
    store.delete_group(GroupId=admins)
    of_alice = store.list_group_memberships_for_member(MemberId={"UserId": alice})["GroupMemberships"]
    assert [one["GroupId"] for one in of_alice] == [ops]


def test_membership_in_several_groups_is_told_at_once(store: Store) -> None:
    alice, admins, ops = store.user("alice"), store.group("admins"), store.group("ops")
    membership = store.create_group_membership(GroupId=ops, MemberId={"UserId": alice})["MembershipId"]

    told = store.is_member_in_groups(MemberId={"UserId": alice}, GroupIds=[admins, ops])["Results"]

    assert [one["MembershipExists"] for one in told] == [False, True]
    assert store.get_group_membership_id(GroupId=ops, MemberId={"UserId": alice})["MembershipId"] == membership
    store.delete_group_membership(MembershipId=membership)
    assert refusal(store.describe_group_membership, MembershipId=membership) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("describe_user", {"UserId": NOBODY}),
        ("delete_user", {"UserId": NOBODY}),
        ("delete_group", {"GroupId": NOBODY}),
        ("list_group_memberships", {"GroupId": NOBODY}),
        ("delete_group_membership", {"MembershipId": NOBODY}),
    ],
)
def test_what_is_not_there_is_an_error(store: Store, operation: str, parameters: dict[str, str]) -> None:
    assert refusal(getattr(store, operation), **parameters) == "ResourceNotFoundException"


def test_a_store_is_there_once_in_its_home_region(client: Client, store: Store) -> None:
    elsewhere = client("identitystore", region="eu-west-1")

    assert refusal(elsewhere.list_users, IdentityStoreId=store.id) == "ResourceNotFoundException"
    assert refusal(store.client.list_users, IdentityStoreId="d-0000000000") == "ResourceNotFoundException"
    assert [one["IdentityStoreId"] for one in store.client.list_identity_stores()["IdentityStores"]] == [store.id]
    assert store.describe_identity_store()["IdentityStoreId"] == store.id
    assert elsewhere.list_identity_stores()["IdentityStores"] == []


def test_a_member_account_has_no_access(client: Client, sandbox: Sandbox, store: Store) -> None:
    member = sandbox.world.add_account("dev", "dev@example.com", sandbox.world.root_id).id

    theirs = client("identitystore", account=member)
    assert refusal(theirs.list_users, IdentityStoreId=store.id) == "AccessDeniedException"

    sandbox.world.delegated["sso.amazonaws.com"] = {member: 0.0}
    assert theirs.list_users(IdentityStoreId=store.id)["Users"] == []
