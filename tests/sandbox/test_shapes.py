"""Requests and answers held against botocore's models."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.organizations import Organizations
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.shapes import flaws
from controller.sandbox.wire import model
from controller.sandbox.world import Refused
from tests.sandbox.conftest import Client


@pytest.mark.parametrize(
    ("operation", "parameters", "reason"),
    [
        ("DescribeAccount", {}, "INPUT_REQUIRED"),
        ("DescribeAccount", {"AccountId": "12"}, "INVALID_PATTERN"),
        ("ListAccounts", {"MaxResults": 21}, "MAX_VALUE_EXCEEDED"),
        ("ListAccounts", {"MaxResults": 0}, "MIN_VALUE_EXCEEDED"),
        ("CreateOrganizationalUnit", {"ParentId": "r-abcd", "Name": "x" * 129}, "MAX_LENGTH_EXCEEDED"),
        ("CreateOrganizationalUnit", {"ParentId": "r-abcd", "Name": ""}, "MIN_LENGTH_EXCEEDED"),
        ("ListPolicies", {"Filter": "NO_POLICY"}, "INVALID_ENUM_POLICY_TYPE"),
        ("ListChildren", {"ParentId": "r-abcd", "ChildType": "USER"}, "INVALID_ENUM"),
        ("TagResource", {"ResourceId": "r-abcd", "Tags": [{"Key": "a!b", "Value": ""}]}, "INVALID_PATTERN"),
    ],
)
def test_what_the_model_does_not_allow_is_refused_with_a_reason(
    sandbox: Sandbox, operation: str, parameters: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        sandbox.call("organizations", operation, parameters)

    assert (refused.value.code, refused.value.fields) == ("InvalidInputException", {"Reason": reason})


def test_each_service_has_its_own_code_for_it(client: Client) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        client("account").put_account_name(AccountName="<b>")
    with pytest.raises(ClientError, match="ValidationError"):
        client("sts").assume_role(RoleArn="arn:aws:iam::111122223333:role/x", RoleSessionName="a b")


@pytest.mark.parametrize("key", ["orgctl:managed-by", "Kostenstelle Süd", "a.b/c=d+e-f@g_1"])
def test_tag_keys_of_every_alphabet_pass(key: str) -> None:
    assert list(flaws(model("organizations").shape_for("TagKey"), key)) == []


def test_an_answer_that_aws_would_not_give_is_noticed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Organizations, "list_roots", lambda *_: {"Roots": [{"Id": "root", "Nmae": "x"}]})

    with pytest.raises(AssertionError, match="answers what AWS never would"):
        sandbox.call("organizations", "ListRoots")
