"""Services that the sandbox does not simulate itself, answered by moto (SQS, EventBridge).

What moto lacks it answers as no AWS service does: with an HTML page, or with no answer at all. Here it is refused, in
the words and the format in which AWS refuses an operation that it does not have.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from controller.sandbox.wire import Answer, Request, error_in_xml

REST_XML = {"s3", "route53", "cloudfront"}
"""Signing names of services whose REST answers are XML (their botocore models, ``protocol``)."""


@cache
def _moto() -> Client:
    # Loads in a second or more, and most sandboxes never need it.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    def application(backend: Any) -> Any:
        if backend is None:
            raise NotImplementedError("There is no such service")
        return create_backend_app(backend)

    return Client(DomainDispatcherApplication(application), Response)


def answer(request: Request, account: str, service: str, request_id: str) -> Answer:
    """moto's answer, in the state that it keeps for `account`; `service`: the signing name."""
    headers: dict[str, Any] = {**request.headers, "x-moto-account-id": account}
    headers.pop("content-length", None)
    environ = EnvironBuilder(
        path=request.path,
        query_string=request.query,
        method=request.method,
        headers=list(headers.items()),
        data=request.body,
    )
    try:
        response = _moto().open(environ)
    except NotImplementedError as lacking:
        return _unknown(request, service, request_id, str(lacking))
    if response.status_code >= 400 and response.mimetype == "text/html":
        return _unknown(request, service, request_id, f"There is no {request.method} {request.path}")
    return Answer(response.status_code, dict(response.headers), response.get_data())


def _unknown(request: Request, service: str, request_id: str, what: str) -> Answer:
    """AWS's answer to an operation that it does not have, in the protocol that the request speaks.

    Sources: EC2 API reference and IAM API reference, "Common errors": InvalidAction, 400; AWS JSON protocols:
    UnknownOperationException; API Gateway Developer Guide, "Gateway response types", of a path that is not there: 403.
    """
    message = f"{what}: the sandbox leaves {service} to moto, which lacks it."
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return error_in_xml(400, "InvalidAction", message, request_id, ec2=service == "ec2")
    if service in REST_XML:
        return error_in_xml(400, "InvalidAction", message, request_id)
    rpc = "x-amz-target" in request.headers
    status, code = (400, "UnknownOperationException") if rpc else (403, "MissingAuthenticationTokenException")
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code, "x-amzn-RequestId": request_id}
    return Answer(status, headers, json.dumps({"__type": code, "message": message}).encode())
