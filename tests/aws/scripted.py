"""AWS as a script: each request is answered by the next line, and remembered."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from controller.aws.transport import CallRecord, Transport
from controller.config import Settings
from tests.fakes import FakeClock


@dataclass(frozen=True)
class Answer:
    """An HTTP answer in AWS's JSON protocols."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Request:
    """What was sent, by whom."""

    operation: str
    access_key: str
    region: str
    parameters: dict[str, Any]


Line = Answer | Exception


def ok(**body: Any) -> Answer:
    return Answer(200, body, {})


def refusal(code: str, status: int = 400, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    return Answer(status, {"__type": code, "message": f"{code} it is", **fields}, headers or {})


class Script:
    """Answers in turn; the last one for ever. Given a function, it answers each request as that says."""

    def __init__(self, *lines: Line, by: Callable[[Request], Line] | None = None) -> None:
        self.lines = list(lines)
        self.by = by
        self.requests: list[Request] = []
        self.records: list[CallRecord] = []
        self.clock = FakeClock()
        self._lock = threading.Lock()

    def transport(self, *, read_only: bool = False, **settings: Any) -> Transport:
        session = Session()
        session.get_component("credential_provider").providers.clear()  # whatever this machine has
        session.set_credentials("own", "secret")
        session.register("before-send", self._answer)
        return Transport(
            Settings(**{"workers": 4, "rate_multiple": 1000, **settings}),
            self.clock,
            read_only=read_only,
            observer=self.records.append,
            session=session,
            jitter=lambda: 1.0,
        )

    @property
    def sent(self) -> list[str]:
        return [request.operation for request in self.requests]

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked = _read(request)
        with self._lock:
            self.requests.append(asked)
            line = self.lines.pop(0) if len(self.lines) > 1 else (self.lines[0] if self.lines else ok())
        if self.by is not None:
            line = self.by(asked)
        if isinstance(line, Exception):
            raise line
        headers = HTTPHeaders()
        for name, value in {"x-amzn-requestid": "request-1", **line.headers}.items():
            headers[name] = value
        return AWSResponse(request.url, line.status, headers, _Raw(json.dumps(line.body).encode()))


def call(transport: Transport, action: str, **options: Any) -> dict[str, Any]:
    """One call; a read with our own credentials unless `options` say otherwise."""
    parameters = options.pop("parameters", {})
    return transport.call(
        action, parameters, **{"account": None, "region": None, "write": False, "repeatable": True, **options}
    )


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _read(request: AWSPreparedRequest) -> Request:
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", _text(request.headers["Authorization"]))
    assert scope
    body = _text(request.body or b"")
    target = _text(request.headers.get("X-Amz-Target", b"")).rpartition(".")[2]
    action = re.search(r"Action=(\w+)", body)
    parameters = json.loads(body) if body.startswith("{") else {}
    return Request(target or (action[1] if action else request.url), scope[1], scope[2], parameters)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
