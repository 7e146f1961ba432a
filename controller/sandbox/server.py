"""HTTP/1.1 on a loopback port, with connections kept alive, for any AWS client."""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from http import HTTPStatus

from controller.sandbox.faults import Dropped
from controller.sandbox.wire import Answer, Request

Handle = Callable[[Request], Answer]

log = logging.getLogger(__name__)

LONGEST_HEAD = 1_048_576
"""Bytes of a request line and headers, after which what comes is no HTTP."""
PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Server:
    """Serves `handle` from `start` to `stop`, a thread for each connection."""

    def __init__(self, handle: Handle, port: int = 0) -> None:
        self._server = _Listener(handle, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more; returns when every connection is closed and its thread has ended."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, handle: Handle, port: int) -> None:
        self.handle = handle
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client was quicker


class _Connection(socketserver.BaseRequestHandler):
    """One connection: requests one after another, until either side closes it."""

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()

    def handle(self) -> None:
        try:
            while (request := self._read()) is not None:
                self._write(self._answer(request), request)
                if request.headers.get("connection", "").lower() == "close":
                    return
        except Dropped:
            # Closing with unsent data lingering for no time sends a reset, as a broken network would.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (ConnectionError, ValueError):
            return  # the client went away, or speaks no HTTP

    def _answer(self, request: Request) -> Answer:
        assert isinstance(self.server, _Listener)
        try:
            return self.server.handle(request)
        except Dropped:
            raise
        except Exception as error:
            # A bug of the sandbox, and its one boundary: without it AWS's clients would only see a reset.
            log.exception("the sandbox cannot answer %s %s", request.method, request.path)
            body = json.dumps({"__type": "InternalFailure", "message": f"The sandbox has a bug: {error!r}"})
            return Answer(500, {"Content-Type": "application/x-amz-json-1.1"}, body.encode())

    def _read(self) -> Request | None:
        """The next request; None: the client has closed.

        Raises:
            ValueError: What came is no HTTP request.
        """
        received = self._received
        while (end := received.find(b"\r\n\r\n")) < 0:
            if len(received) > LONGEST_HEAD or not self._receive():
                return None
        first, *lines = received[:end].decode("latin-1").split("\r\n")
        method, target, _ = first.split()
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if "expect" in headers and headers["expect"].lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        start = end + 4
        whole = start + int(headers.get("content-length", "0"))
        while len(received) < whole:
            if not self._receive():
                return None
        body = bytes(received[start:whole])
        del received[:whole]
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body)

    def _receive(self) -> bool:
        """Take what has come; False: nothing will."""
        chunk = self.request.recv(65_536)
        self._received += chunk
        return bool(chunk)

    def _write(self, answer: Answer, request: Request) -> None:
        lines = [f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, '')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "content-length"]
        lines += [f"Content-Length: {len(answer.body)}", "", ""]
        body = b"" if request.method == "HEAD" else answer.body
        self.request.sendall("\r\n".join(lines).encode("latin-1") + body)
