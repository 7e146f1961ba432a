"""What every request passes before it reaches a page, and every answer on its way out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 16 * 1024
"""Bytes. An approval or a pause has a few hundred."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?", re.IGNORECASE)
_HEADERS: Mapping[bytes, bytes] = {
    b"content-security-policy": (
        b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}


class Shield:
    """ASGI middleware: the Host header, the size of bodies, headers against misuse by other sites.

    Args:
        hosts: Host names that may be asked for; None: any that is well-formed. On a loopback address it names that
            address, so that no web page can reach the port by pointing its own name there (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        sending = _Sending(send)
        if not self._is_for_us(scope):
            await _refuse(sending, 400, b"the Host header names nobody here\n")
            return
        await self._app(scope, _Receiving(receive), sending)

    def _is_for_us(self, scope: Scope) -> bool:
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        match = _HOST.fullmatch(named[0]) if len(named) == 1 else None
        return match is not None and (self._hosts is None or match[1].lower() in self._hosts)


class _Receiving:
    """Counts what really comes: a Content-Length may be missing."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._bytes = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > BODY_LIMIT:
            raise HTTPException(413, f"the body has more than {BODY_LIMIT} bytes")
        return message


class _Sending:
    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            added = {b"cache-control": b"no-store", **_HEADERS}
            message["headers"] = [*message["headers"], *((n, v) for n, v in added.items() if n not in there)]
        await self._send(message)


async def _refuse(send: Send, status: int, why: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(why)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why})
