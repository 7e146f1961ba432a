"""Requests and answers as AWS's clients send and read them."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.sandbox import Sandbox
from controller.sandbox.services import SERVICES
from controller.sandbox.wire import Request, Router, model, read, signature
from controller.sandbox.world import Refused
from tests.sandbox.conftest import Client, code


@pytest.fixture(params=["client", "http"])
def either(request: pytest.FixtureRequest) -> Client:
    made: Client = request.getfixturevalue(request.param)
    return made


def test_the_four_protocols_answer_through_both_adapters(either: Client, sandbox: Sandbox) -> None:
    management = sandbox.world.management_account

    assert either("organizations").describe_organization()["Organization"]["MasterAccountId"] == management
    assert either("account").get_account_information()["AccountId"] == management
    assert either("sts").get_caller_identity()["Account"] == management
    assert either("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"] == []


def test_errors_are_the_modelled_classes_with_their_reason_and_status(either: Client, sandbox: Sandbox) -> None:
    client = either("organizations")

    with pytest.raises(client.exceptions.ConstraintViolationException) as error:
        client.close_account(AccountId=sandbox.world.management_account)

    assert error.value.response["Reason"] == "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error.value.response["ResponseMetadata"]["RequestId"]


def test_an_error_has_the_status_that_the_model_gives_it(either: Client) -> None:
    client = either("account")

    with pytest.raises(client.exceptions.ResourceNotFoundException) as error:
        client.get_alternate_contact(AlternateContactType="SECURITY")

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_every_answer_has_its_own_request_id(client: Client) -> None:
    organizations = client("organizations")

    ids = {organizations.list_roots()["ResponseMetadata"]["RequestId"] for _ in range(3)}

    assert len(ids) == 3


def test_a_body_that_is_no_json_is_refused() -> None:
    request = Request("POST", "/", headers={"x-amz-target": "AWSOrganizationsV20161128.ListChildren"}, body=b"[1]")
    with pytest.raises(Refused, match="SerializationException"):
        read("organizations", request)


@pytest.mark.parametrize(
    ("path", "operation", "names"),
    [
        ("/standards", "DescribeStandards", {}),
        (
            "/tags/arn%3Aaws%3Asecurityhub%3Aeu-west-1%3A111122223333%3Ahub%2Fdefault",
            "ListTagsForResource",
            {"ResourceArn": "arn:aws:securityhub:eu-west-1:111122223333:hub/default"},
        ),
        (
            "/standards/controls/arn:aws:securityhub:eu-west-1:1:subscription/pci-dss/v/3.2.1",
            "DescribeStandardsControls",
            {"StandardsSubscriptionArn": "arn:aws:securityhub:eu-west-1:1:subscription/pci-dss/v/3.2.1"},
        ),
        ("/securityControls/definitions", "ListSecurityControlDefinitions", {}),
        ("/nothing", "", {}),
    ],
)
def test_operations_are_found_by_path(path: str, operation: str, names: dict[str, str]) -> None:
    assert Router(model("securityhub")).find("GET", path) == (operation, names)


def test_every_path_of_a_rest_service_leads_to_its_own_operation() -> None:
    for service in ("securityhub", "account"):
        router, described = Router(model(service)), model(service)
        for name in described.operation_names:
            http = described.operation_model(name).http
            path = http["requestUri"].replace("{", "x-").replace("+}", "/more").replace("}", "")
            assert router.find(http["method"], path)[0] == name


def test_the_service_and_region_are_the_signatures() -> None:
    header = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/securityhub/aws4_request, SignedHeaders=host"

    found = signature(Request("GET", "/", headers={"authorization": header}))

    assert found is not None
    assert (found.access_key, found.region, found.signing_name) == ("AKIA", "eu-west-1", "securityhub")


def test_a_presigned_query_is_a_signature_too() -> None:
    query = "Action=GetCallerIdentity&X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fsts%2Faws4_request"

    found = signature(Request("GET", "/", query))

    assert found is not None
    assert found.signing_name == "sts"


def test_an_anonymous_request_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.handle(Request("POST", "/"))

    assert answer.status == 403
    assert json.loads(answer.body)["__type"] == "MissingAuthenticationTokenException"


def test_other_services_are_motos(http: Client, sandbox: Sandbox) -> None:
    queue = http("sqs").create_queue(QueueName="events")["QueueUrl"]

    assert sandbox.world.management_account in queue


def test_every_operation_that_is_simulated_is_one_of_the_models() -> None:
    from botocore import xform_name

    for service in SERVICES:
        known = {xform_name(name) for name in model(service.name).operation_names}
        takes = {
            name
            for cls in service.__mro__
            for name, value in vars(cls).items()
            if not name.startswith("_")
            and list(getattr(value, "__annotations__", {})) == ["caller", "request", "return"]
        }
        assert takes, service.name
        assert takes <= known, service.name


def test_stopping_closes_open_connections_and_frees_the_port() -> None:
    sandbox = Sandbox.create()
    before = threading.active_count()
    sandbox.start()
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"GET /_sandbox/clock HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1 200 OK")

        sandbox.stop()

        while idle.recv(1000):
            pass  # what was left of the answer
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_nonsense_on_the_wire_only_ends_its_own_connection(http: Client, sandbox: Sandbox) -> None:
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(100) == b""

    assert http("sts").get_caller_identity()["Account"]


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> Any:
    sent = HttpRequest(f"{sandbox.url}/_sandbox/{path}", method=method, data=json.dumps(body or {}).encode())
    with urlopen(sent) as answer:
        return json.load(answer)


def test_curl_waiting_for_100_continue_is_told_to_go_on(http: Client, sandbox: Sandbox) -> None:
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = "POST /_sandbox/calls HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_a_bug_of_the_sandbox_is_an_internal_failure_and_logged(
    http: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sandbox.services["organizations"], "list_roots", lambda caller, request: 1 / 0)

    with pytest.raises(ClientError) as error:
        http("organizations").list_roots()

    assert code(error) == "InternalFailure"
    assert "ZeroDivisionError" in error.value.response["Error"]["Message"]
    assert "cannot answer" in caplog.text
