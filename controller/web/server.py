"""uvicorn in a thread of its own, on one port."""

from __future__ import annotations

import os
import re
import socket
import threading
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from controller.errors import InvalidInput, Problem

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
STOP_SECONDS = 1
"""How long answers under way may take when the process ends."""


class Server:
    """Serves `app` from `start` to `stop`.

    Args:
        listen: ``host:port``; port 0 takes a free one.

    Raises:
        InvalidInput: `listen` is no address, or somebody else's.
    """

    def __init__(self, app: ASGIApp, listen: str) -> None:
        self._socket = _bind(*parse_listen(listen))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            limit_concurrency=100,
        )
        self._server = uvicorn.Server(config)
        # In a thread other than the main one uvicorn leaves signals alone (uvicorn.Server.capture_signals).
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        # The socket listens already: whoever connects before the thread serves is answered then.
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS + 1)
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


def parse_listen(listen: str) -> tuple[str, int]:
    """(host, port) of ``127.0.0.1:9464``, ``[::]:9464``, ``:9464`` (all interfaces)."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]\s]*):(\d{1,5})", listen)
    if match is None or int(match[2]) > 65535:
        raise InvalidInput([Problem("settings", 0, 0, f"listen: '{listen}' is not host:port", "Write 127.0.0.1:9464.")])
    return match[1].strip("[]"), int(match[2])


def allowed_hosts(listen: str) -> frozenset[str] | None:
    """The Host headers to accept: on a loopback address only its own names, elsewhere any."""
    host, _ = parse_listen(listen)
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return LOOPBACK_HOSTS | {host} if local else None


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        what = f"listen: cannot serve on {host}:{port}: {_why(error)}"
        fix = "Choose another address (`listen`), or stop what uses it."
        raise InvalidInput([Problem("settings", 0, 0, what, fix)]) from error


def _why(error: OSError) -> str:
    # asyncio and getaddrinfo put the address into `strerror` again; the latter's numbers are negative.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
