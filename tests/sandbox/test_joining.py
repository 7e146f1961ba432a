"""Organizations: who joins by invitation, and what its resource policy and management policies say to members."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.organizations.effective import merge
from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, code

STRANGER = "999999999999"
DAY = 86_400


def invite(organizations: Any, target: str = STRANGER, kind: str = "ACCOUNT") -> str:
    made = organizations.invite_account_to_organization(Target={"Id": target, "Type": kind}, Notes="Welcome")
    assert made["Handshake"]["State"] == "OPEN"
    id: str = made["Handshake"]["Id"]
    return id


def test_an_account_joins_by_accepting_and_may_leave_at_once(
    sandbox: Sandbox, client: Client, organizations: Any
) -> None:
    id = invite(organizations)
    stranger = client("organizations", account=STRANGER)
    with pytest.raises(ClientError) as error:
        stranger.describe_organization()
    assert code(error) == "AWSOrganizationsNotInUseException"
    assert [each["Id"] for each in stranger.list_handshakes_for_account()["Handshakes"]] == [id]

    assert stranger.accept_handshake(HandshakeId=id)["Handshake"]["State"] == "ACCEPTED"

    joined = organizations.describe_account(AccountId=STRANGER)["Account"]
    assert (joined["JoinedMethod"], sandbox.world.accounts[STRANGER].roles) == ("INVITED", set())
    with pytest.raises(ClientError) as error:
        stranger.accept_handshake(HandshakeId=id)
    assert code(error) == "HandshakeConstraintViolationException ALREADY_IN_AN_ORGANIZATION" or "State" in code(error)
    stranger.leave_organization()
    assert STRANGER not in sandbox.world.accounts


@pytest.mark.parametrize(("operation", "state"), [("cancel", "CANCELED"), ("decline", "DECLINED")])
def test_an_invitation_ends_once(client: Client, organizations: Any, operation: str, state: str) -> None:
    id = invite(organizations)
    stranger = client("organizations", account=STRANGER)
    by, other = (organizations, stranger) if operation == "cancel" else (stranger, organizations)
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(other, f"{operation}_handshake")(HandshakeId=id)
    assert getattr(by, f"{operation}_handshake")(HandshakeId=id)["Handshake"]["State"] == state
    with pytest.raises(ClientError, match="HandshakeAlreadyInState"):
        getattr(by, f"{operation}_handshake")(HandshakeId=id)
    with pytest.raises(ClientError, match="InvalidHandshakeTransition"):
        stranger.accept_handshake(HandshakeId=id)
    invite(organizations)


def test_invitations_are_single_few_and_expire(sandbox: Sandbox, organizations: Any) -> None:
    id = invite(organizations, "a@example.com", "EMAIL")
    with pytest.raises(ClientError, match="DuplicateHandshake"):
        invite(organizations, "a@example.com", "EMAIL")
    with pytest.raises(ClientError) as error:
        invite(organizations, sandbox.world.management_account)
    assert code(error) == "HandshakeConstraintViolationException ALREADY_IN_AN_ORGANIZATION"
    for number in range(19):
        invite(organizations, f"b{number}@example.com", "EMAIL")
    with pytest.raises(ClientError) as error:
        invite(organizations, "c@example.com", "EMAIL")
    assert code(error) == "HandshakeConstraintViolationException HANDSHAKE_RATE_LIMIT_EXCEEDED"
    sandbox.world.clock.advance(15 * DAY)
    assert organizations.describe_handshake(HandshakeId=id)["Handshake"]["State"] == "EXPIRED"
    invite(organizations, "a@example.com", "EMAIL")
    listed = organizations.get_paginator("list_handshakes_for_organization").paginate()
    assert sum(len(page["Handshakes"]) for page in listed) == 21


def test_the_resource_policy_lets_a_member_do_what_it_says(
    sandbox: Sandbox, client: Client, organizations: Any
) -> None:
    member = sandbox.world.add_account("m", "m@example.com", sandbox.world.root_id).id
    delegated = client("organizations", account=member)
    with pytest.raises(ClientError, match="AccessDenied"):
        delegated.list_accounts()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{member}:root"},
        "Action": ["organizations:List*", "organizations:CreateOrganizationalUnit"],
        "Resource": "*",
    }
    put = organizations.put_resource_policy(Content=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert delegated.list_accounts()["Accounts"]
    with pytest.raises(ClientError, match="AccessDenied"):
        delegated.create_organizational_unit(ParentId=sandbox.world.root_id, Name="A")
    assert organizations.describe_resource_policy()["ResourcePolicy"] == put["ResourcePolicy"]
    organizations.delete_resource_policy()
    with pytest.raises(ClientError, match="ResourcePolicyNotFound"):
        organizations.describe_resource_policy()


@pytest.mark.parametrize("content", ["[]", "{", '{"Statement": [{"Effect": "Allow", "NotAction": "*"}]}'])
def test_a_resource_policy_that_is_none_is_refused(organizations: Any, content: str) -> None:
    with pytest.raises(ClientError, match="InvalidInput"):
        organizations.put_resource_policy(Content=content)


def test_the_effective_policy_is_all_that_is_inherited(sandbox: Sandbox, client: Client, organizations: Any) -> None:
    world = sandbox.world
    unit = world.add_unit("A", world.root_id)
    member = world.add_account("m", "m@example.com", unit.id).id
    own = client("organizations", account=member)
    organizations.enable_policy_type(RootId=world.root_id, PolicyType="TAG_POLICY")
    with pytest.raises(ClientError, match="EffectivePolicyNotFound"):
        own.describe_effective_policy(PolicyType="TAG_POLICY")
    above = {"tags": {"env": {"tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["prod", "dev"]}}}}
    below = {"tags": {"env": {"tag_value": {"@@append": ["test"], "@@remove": ["dev"]}}}}
    for content, target in ((above, world.root_id), (below, unit.id)):
        world.attach(world.add_policy(target, "TAG_POLICY", json.dumps(content)).id, target)
    got = own.describe_effective_policy(PolicyType="TAG_POLICY")["EffectivePolicy"]
    assert got["TargetId"] == member
    assert json.loads(got["PolicyContent"]) == {"tags": {"env": {"tag_key": "env", "tag_value": ["prod", "test"]}}}


def test_what_is_assigned_below_replaces_what_is_above() -> None:
    assert merge({"a": {"b": 1}}, {"a": {"b": {"@@assign": 2}}, "c": {"@@append": "x"}}) == {"a": {"b": 2}, "c": ["x"]}
