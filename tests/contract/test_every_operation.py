"""Every operation that the sandbox simulates, each called once and held to botocore's model, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from controller.sandbox.sandbox import Sandbox
from controller.sandbox.services import SERVICES
from controller.sandbox.shapes import flaws
from controller.sandbox.wire import SIGNING_NAMES, Answer, Call, Request, model, operation_model, write_as_moto_does
from controller.sandbox.wire import write as serve
from controller.sandbox.world import Refused
from tests.contract import session
from tests.contract.aws import Aws, refusal

JSON = [service.name for service in SERVICES if model(service.name).metadata["protocol"] != "query"]


def simulated() -> set[str]:
    """``service:Operation``."""
    return {
        f"{service.name}:{name}"
        for service in SERVICES
        for name in model(service.name).operation_names
        if hasattr(service, xform_name(name))
    }


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox.create(virtual=True)
    made.strict = True
    return made


def test_every_operation_answers_as_the_model_says_and_as_moto_would_write_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: set[str] = set()

    def write(call: Call, result: Mapping[str, Any], request_id: str) -> Answer:
        answer = serve(call, result, request_id)
        assert answer == write_as_moto_does(call, result, request_id)
        answered.add(f"{call.service}:{call.operation}")
        return answer

    monkeypatch.setattr("controller.sandbox.sandbox.write", write)
    session.everything(Aws(sandbox))

    assert sandbox.refused == {}
    assert simulated() - answered == set(), "tests/contract/session.py does not call these: let it"


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_a_request_that_lacks_what_the_model_requires_is_refused(sandbox: Sandbox, service: str) -> None:
    for name in sorted(simulated()):
        described = operation_model(*name.split(":")).input_shape
        if not name.startswith(f"{service}:") or described is None or not described.metadata.get("required"):
            continue
        with pytest.raises(Refused) as refused:
            sandbox.call(service, name.partition(":")[2], {})
        assert refused.value.code in ("ValidationException", "InvalidInputException", "ValidationError")


@pytest.mark.parametrize("service", JSON)
def test_a_value_of_another_type_cannot_be_read(sandbox: Sandbox, service: str) -> None:
    """AWS JSON protocols: SerializationException, HTTP 400."""
    checked = 0
    for name in sorted(simulated()):
        described = operation_model(*name.split(":")).input_shape
        for member, shape in described.members.items() if described and name.startswith(f"{service}:") else ():
            wrong: Any = {"string": 5, "integer": "five", "boolean": "yes", "list": "x", "map": "x", "structure": "x"}[
                shape.type_name
            ]
            found = list(flaws(described, {member: wrong}))
            assert "TYPE" in [flaw.kind for flaw in found], f"{name} {member}"
            checked += 1
    assert checked


def signed(service: str, method: str = "POST", path: str = "/", target: str = "", body: bytes = b"{}") -> Request:
    signing = {name: key for key, name in SIGNING_NAMES.items()}[service]
    scope = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{signing}/aws4_request, SignedHeaders=host"
    headers = {"authorization": scope, **({"x-amz-target": target} if target else {})}
    return Request(method, path, headers=headers, body=body)


@pytest.mark.parametrize("service", ["organizations", "sso-admin", "identitystore", "resourcegroupstaggingapi"])
@pytest.mark.parametrize("target", ["", "Nothing", "AWSOrganizationsV20161128.Nothing"])
def test_an_unknown_target_is_an_unknown_operation(sandbox: Sandbox, service: str, target: str) -> None:
    """AWS Common Errors: UnknownOperationException, HTTP 400; Smithy's AWS JSON 1.1 protocol."""
    answer = sandbox.handle(signed(service, target=target))

    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/x-amz-json-1.1")
    assert json.loads(answer.body)["__type"] == "UnknownOperationException"


@pytest.mark.parametrize("service", ["securityhub", "account"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing/of/the/kind"), ("PUT", "/accounts/at/all"), ("GET", "/")]
)
def test_an_unknown_path_is_refused_by_the_front(sandbox: Sandbox, service: str, method: str, path: str) -> None:
    """API Gateway Developer Guide, "Gateway response types": MISSING_AUTHENTICATION_TOKEN, 403, also "when the client
    attempts to invoke an unsupported API method or resource". That this front stands here, AWS does not say."""
    answer = sandbox.handle(signed(service, method, path))

    assert (answer.status, answer.headers["Content-Type"]) == (403, "application/json")
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.loads(answer.body) == {"message": "Missing Authentication Token"}


def test_an_operation_of_the_model_that_is_not_simulated_says_so(sandbox: Sandbox) -> None:
    for service, operation in (
        ("organizations", "enable_all_features"),
        ("securityhub", "get_findings"),
        ("account", "get_primary_email"),
        ("sso-admin", "list_regions"),
    ):
        call = getattr(Aws(sandbox).client(service), operation)
        required = {
            "account": {"AccountId": "1" * 12},
            "sso-admin": {"InstanceArn": "arn:aws:sso:::instance/ssoins-" + "0" * 16},
        }
        with pytest.raises(ClientError, match="the sandbox does not simulate it") as error:
            call(**required.get(service, {}))
        assert error.value.response["Error"]["Code"] == "UnknownOperationException"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_unknown_action_is_refused_in_xml(sandbox: Sandbox) -> None:
    """STS API reference, Common Errors: InvalidAction, HTTP 400."""
    answer = sandbox.handle(signed("sts", body=b"Action=Nothing&Version=2011-06-15"))

    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/xml")
    assert b"<Code>InvalidAction</Code>" in answer.body


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("detective", "list_graphs", 403, "MissingAuthenticationTokenException"),
        ("lambda", "get_account_settings", 403, "MissingAuthenticationTokenException"),
        ("cloudtrail", "lookup_events", 400, "UnknownOperationException"),
        ("iam", "list_service_specific_credentials", 400, "InvalidAction"),
        ("ec2", "describe_trunk_interface_associations", 400, "InvalidAction"),
        ("route53", "list_cidr_collections", 400, "InvalidAction"),
    ],
)
def test_what_neither_the_sandbox_nor_moto_has_is_refused_in_the_services_own_format(
    sandbox: Sandbox, service: str, operation: str, status: int, code: str
) -> None:
    with pytest.raises(ClientError, match="to moto, which lacks it") as error:
        getattr(Aws(sandbox).client(service), operation)()
    answer = error.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)


def test_a_session_that_is_over_is_refused_by_other_services_too(sandbox: Sandbox) -> None:
    aws = Aws(sandbox)
    queues = aws.client("sqs", account=aws.member())
    queues.list_queues()
    aws.wait(3600)

    assert refusal(queues.list_queues) == "ExpiredTokenException"
