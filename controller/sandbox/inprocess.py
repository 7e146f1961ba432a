"""The sandbox without HTTP: botocore's requests answered before they are sent. For fast tests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from controller.clock import Clock
from controller.errors import Stopped
from controller.sandbox.faults import Dropped
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.wire import Request


def attach(session: Any, sandbox: Sandbox) -> None:
    """Let `sandbox` answer every client that is made from this boto3 session from now on."""
    session.events.register_first("before-send", _Answers(sandbox), unique_id=f"sandbox-{id(sandbox)}")


class VirtualTime(Clock):
    """For orgctl beside a sandbox of virtual time: the sandbox's time, and whoever waits moves it on for both."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._time = sandbox.world.clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._time.now(), UTC)

    def monotonic(self) -> float:
        return self._time.now()

    def sleep(self, seconds: float) -> None:
        if self.stop.is_set():
            raise Stopped
        self._time.advance(max(0.0, seconds))


class _Raw(io.BytesIO):
    """A body as urllib3 would give it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class _Answers:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Raises ConnectionClosedError where the sandbox drops the connection."""
        url = urlsplit(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        try:
            answer = self._sandbox.handle(
                Request(request.method, url.path or "/", url.query, headers, _bytes(request.body))
            )
        except Dropped:
            raise ConnectionClosedError(endpoint_url=request.url) from None
        given = HTTPHeaders()
        for name, value in answer.headers.items():
            given[name] = value
        return AWSResponse(request.url, answer.status, given, _Raw(answer.body))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body if isinstance(body, (bytes, bytearray)) else body.read())
