"""AWS's wire formats: an HTTP request read as a call, a result written as an answer.

Only botocore's service models say what they look like; moto's parsers and serializers apply them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.loaders
import botocore.model
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SERIALIZERS, SerializationContext
from werkzeug.datastructures import Headers, MultiDict

from controller.sandbox import json_bodies
from controller.sandbox.world import Refused

SIGNING_NAMES = {
    "organizations": "organizations",
    "account": "account",
    "sts": "sts",
    "tagging": "resourcegroupstaggingapi",
    "sso": "sso-admin",
    "identitystore": "identitystore",
    "securityhub": "securityhub",
}
"""The name in a signature's credential scope → the service's name in botocore."""

CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(slots=True)
class Request:
    """An HTTP request. `path` is as it was sent (``%2F`` kept), header names are lower-case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Call:
    """What a request asks for. `operation` is "" where the service has none like it."""

    service: str
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose request it is, as its SigV4 credential scope says. The signature itself is not checked."""

    access_key: str
    region: str
    signing_name: str


def signature(request: Request) -> Signature | None:
    """Read from the Authorization header, or from a presigned query; None: an anonymous request."""
    text = request.headers.get("authorization")
    if text is None and "X-Amz-Credential=" in request.query:
        text = "Credential=" + dict(parse_qsl(request.query))["X-Amz-Credential"]
    found = CREDENTIAL.search(text or "")
    return Signature(found[1], found[2], found[3]) if found else None


@cache
def model(service: str) -> ServiceModel:
    """The service's model, reduced to the one protocol that botocore speaks with it."""
    description = botocore.loaders.create_loader().load_service_model(service, "service-2")
    protocol = botocore.model.ServiceModel(description, service).resolved_protocol
    return ServiceModel({**description, "metadata": {**description["metadata"], "protocol": protocol}}, service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    found: OperationModel = model(service).operation_model(operation)
    return found


def read(service: str, request: Request) -> Call:
    """The call that a request to `service` makes.

    Raises:
        Refused: It has no such operation, or its body cannot be read.
    """
    form = MultiDict(parse_qsl(request.query, keep_blank_values=True) if request.query else ())
    names: dict[str, str] = {}
    protocol = model(service).metadata["protocol"]
    if protocol == "json":
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    elif protocol == "query":
        form.update(parse_qsl(request.body.decode(), keep_blank_values=True))
        operation = form.get("Action", "")
    else:
        operation, names = _router(service).find(request.method, request.path)
    if protocol == "rest-json" and not operation:
        # The front's answer to a path that it does not route (API Gateway Developer Guide, "Gateway response types").
        raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    if operation not in _operations(service):
        raise unknown_operation(service, f"{request.method} {request.path} {operation}".rstrip())
    asked: Any = {
        "body": request.body,
        "headers": Headers(list(request.headers.items())) if _has_headers(service, operation) else Headers(),
        "method": request.method,
        "url_params": names,
        "url_path": request.path,
        "values": form,
    }
    try:
        parameters = PROTOCOL_PARSERS[protocol](operation_model(service, operation)).parse(asked)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Refused("SerializationException", f"The request's body cannot be read: {error}") from error
    return Call(service, operation, parameters)


@cache
def _has_headers(service: str, operation: str) -> bool:
    """Whether any of an operation's parameters is a header."""
    shape = operation_model(service, operation).input_shape
    return bool(shape) and any("header" in each.serialization.get("location", "") for each in shape.members.values())


def unknown_operation(service: str, what: str) -> Refused:
    code = "InvalidAction" if model(service).metadata["protocol"] == "query" else "UnknownOperationException"
    return Refused(code, f"There is no {service} operation for {what}.", status=400)


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(model(service).operation_names)


def write(call: Call, result: Mapping[str, Any], request_id: str) -> Answer:
    """The HTTP answer that carries a result."""
    operation = operation_model(call.service, call.operation)
    protocol = operation.service_model.metadata["protocol"]
    if protocol != "query" and (writer := json_bodies.writer(operation)):
        headers = {"Content-Type": _content_type(call.service), "x-amzn-RequestId": request_id}
        return Answer(operation.http.get("responseCode", 200), headers, writer(result).encode())
    return write_as_moto_does(call, result, request_id)


def write_as_moto_does(call: Call, result: Mapping[str, Any], request_id: str) -> Answer:
    """What `write` has to equal, and what it leaves to moto."""
    operation = operation_model(call.service, call.operation)
    serializer = _PLAIN_SERIALIZERS[operation.service_model.metadata["protocol"]]
    made = serializer(operation, context=SerializationContext(request_id)).serialize(result)
    body = made["body"]
    return Answer(
        made["status_code"],
        {**made["headers"], "x-amzn-RequestId": request_id},
        body.encode() if isinstance(body, str) else body,
    )


@cache
def _content_type(service: str) -> str:
    """Of answers in JSON."""
    metadata = model(service).metadata
    version = metadata.get("jsonVersion", "1.0")
    return f"application/x-amz-json-{version}" if metadata["protocol"] == "json" else "application/json"


class _Plain:
    """Takes members from dictionaries, which is all that the sandbox's results are made of: a third quicker."""

    def get_value(self, value: Mapping[str, Any], key: str, shape: Any) -> Any:
        return value.get(key)


_PLAIN_SERIALIZERS = {protocol: type("Plain", (_Plain, kind), {}) for protocol, kind in SERIALIZERS.items()}


def refuse(service: str, refused: Refused, request_id: str) -> Answer:
    """The HTTP answer that carries an error; its status is the model's where `refused` gives none."""
    shape = _errors(service).get(refused.code)
    status = refused.status or (shape.metadata.get("error", {}).get("httpStatusCode") if shape else None) or 400
    if model(service).metadata["protocol"] == "query":
        return error_in_xml(status, refused.code, refused.message, request_id)
    message = next((name for name in (shape.members if shape else ()) if name.lower() == "message"), "message")
    body = {message: refused.message, **refused.fields}
    if model(service).metadata["protocol"] == "json":
        body["__type"] = refused.code
    headers = {
        "x-amzn-RequestId": request_id,
        "Content-Type": _content_type(service),
        "x-amzn-ErrorType": refused.code,
    }
    return Answer(status, headers, json.dumps(body, default=str).encode())


def error_in_xml(status: int, code: str, message: str, request_id: str, *, ec2: bool = False) -> Answer:
    """The query protocol's error; EC2 has an envelope of its own (EC2 API reference, "Error codes")."""
    code, message = _escape(code), _escape(message)
    if ec2:
        error = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        text = f"<Response>{error}<RequestID>{request_id}</RequestID></Response>"
    else:
        fault = "Sender" if status < 500 else "Receiver"
        error = f"<Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return Answer(status, {"x-amzn-RequestId": request_id, "Content-Type": "text/xml"}, text.encode())


@cache
def _errors(service: str) -> dict[str, Any]:
    return {code: shape for shape in model(service).error_shapes for code in (shape.name, shape.error_code)}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(slots=True)
class _Step:
    """One place in a tree of path segments."""

    literals: dict[str, _Step] = field(default_factory=dict)
    named: dict[str, _Step] = field(default_factory=dict)
    """``{Name}`` → what follows; any one segment goes here."""
    greedy: tuple[str, str] | None = None
    """(``{Name+}``, operation): takes all that is left."""
    operation: str = ""


class Router:
    """Operations by method and path, from the ``http`` of each operation in a rest-json model."""

    def __init__(self, service: ServiceModel) -> None:
        self.methods: dict[str, _Step] = {}
        for name in service.operation_names:
            http = service.operation_model(name).http
            self._add(self.methods.setdefault(http["method"], _Step()), http["requestUri"].partition("?")[0], name)

    def _add(self, step: _Step, path: str, operation: str) -> None:
        for segment in path.strip("/").split("/"):
            if segment.endswith("+}"):
                step.greedy = (segment[1:-2], operation)
                return
            if segment.startswith("{"):
                step = step.named.setdefault(segment[1:-1], _Step())
            else:
                step = step.literals.setdefault(segment, _Step())
        step.operation = operation

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """(operation, path parameters), unquoted; ("", {}) where nothing matches. Literal segments win over names."""
        start = self.methods.get(method)
        return (self._walk(start, path.strip("/").split("/"), {}) if start else None) or ("", {})

    def _walk(self, step: _Step, rest: list[str], names: dict[str, str]) -> tuple[str, dict[str, str]] | None:
        if not rest:
            return (step.operation, names) if step.operation else None
        head, *tail = rest
        if (after := step.literals.get(head)) and (found := self._walk(after, tail, names)):
            return found
        for name, after in step.named.items():
            if head and (found := self._walk(after, tail, {**names, name: unquote(head)})):
                return found
        if step.greedy:
            name, operation = step.greedy
            return operation, {**names, name: unquote("/".join(rest))}
        return None


@cache
def _router(service: str) -> Router:
    return Router(model(service))
