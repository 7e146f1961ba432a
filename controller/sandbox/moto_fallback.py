"""Services that the sandbox does not simulate itself, answered by moto (SQS, EventBridge)."""

from __future__ import annotations

from functools import cache
from typing import Any

from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from controller.sandbox.wire import Answer, Request


@cache
def _moto() -> Client:
    # Loads in a second or more, and most sandboxes never need it.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return Client(DomainDispatcherApplication(create_backend_app), Response)


def answer(request: Request, account: str) -> Answer:
    """moto's answer, in the state that it keeps for `account`."""
    headers: dict[str, Any] = {**request.headers, "x-moto-account-id": account}
    headers.pop("content-length", None)
    environ = EnvironBuilder(
        path=request.path,
        query_string=request.query,
        method=request.method,
        headers=list(headers.items()),
        data=request.body,
    )
    response = _moto().open(environ)
    return Answer(response.status_code, dict(response.headers), response.get_data())
