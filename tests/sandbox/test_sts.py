"""Whose a key is, and keys for roles."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import ONCE, Client


@pytest.fixture
def member(sandbox: Sandbox) -> str:
    return sandbox.world.add_account("a", "a@example.com", sandbox.world.root_id, roles={"orgctl-member"}).id


def assume(client: Any, account: str, role: str = "orgctl-member", **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{account}:role/{role}"
    answer: dict[str, Any] = client.assume_role(RoleArn=arn, RoleSessionName="orgctl", **more)
    return answer


def session(sandbox: Sandbox, credentials: dict[str, Any]) -> boto3.Session:
    made = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name="eu-west-1",
    )
    attach(made, sandbox)
    return made


def test_a_roles_keys_are_that_accounts(client: Client, sandbox: Sandbox, member: str) -> None:
    credentials = assume(client("sts"), member)["Credentials"]

    found = session(sandbox, credentials).client("sts").get_caller_identity()

    assert found["Account"] == member
    assert found["Arn"] == f"arn:aws:sts::{member}:assumed-role/orgctl-member/orgctl"


@pytest.mark.parametrize("role", ["nobody", "orgctl-member"])
def test_neither_an_unknown_role_nor_one_of_an_inactive_account_is_assumed(
    client: Client, sandbox: Sandbox, member: str, role: str
) -> None:
    if role == "orgctl-member":
        sandbox.world.accounts[member].state = "SUSPENDED"

    with pytest.raises(ClientError) as error:
        assume(client("sts"), member, role)

    assert error.value.response["Error"]["Code"] == "AccessDenied"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_role_is_assumed_from_its_own_or_the_management_account_only(
    client: Client, sandbox: Sandbox, member: str
) -> None:
    other = sandbox.world.add_account("b", "b@example.com", sandbox.world.root_id).id

    assume(client("sts", account=member), member)
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(client("sts", account=other), member)


def test_an_external_id_must_be_the_right_one(client: Client, sandbox: Sandbox, member: str) -> None:
    sandbox.sts.external_ids["orgctl-member"] = "shibboleth"

    with pytest.raises(ClientError, match="AccessDenied"):
        assume(client("sts"), member)
    assume(client("sts"), member, ExternalId="shibboleth")


def test_a_session_ends(client: Client, sandbox: Sandbox, member: str) -> None:
    credentials = assume(client("sts"), member, DurationSeconds=900)["Credentials"]
    organizations = session(sandbox, credentials).client("organizations", config=ONCE)
    organizations.describe_organization()

    sandbox.world.clock.advance(900)

    with pytest.raises(ClientError, match="ExpiredTokenException"):
        organizations.describe_organization()


def test_a_chained_session_lasts_an_hour_at_most(client: Client, sandbox: Sandbox, member: str) -> None:
    credentials = assume(client("sts"), member)["Credentials"]

    with pytest.raises(ClientError, match="ValidationError"):
        assume(session(sandbox, credentials).client("sts"), member, DurationSeconds=7200)


def test_keys_of_another_sandbox_are_nobodys(sandbox: Sandbox) -> None:
    keys = {"AccessKeyId": "ASIAAAAAAAAAAAAAAAAA", "SecretAccessKey": "x", "SessionToken": "x"}

    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        session(sandbox, keys).client("organizations", config=ONCE).describe_organization()
