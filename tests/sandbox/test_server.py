"""HTTP as it comes: in pieces, several requests at once, and without an end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from controller.sandbox import server
from controller.sandbox.sandbox import Sandbox

BODY = json.dumps({"multiple": None}).encode()
POST = b"POST /_sandbox/rates HTTP/1.1\r\nHost: x\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
GET = b"GET /_sandbox/clock HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    with Sandbox.create(virtual=True) as sandbox:
        host, port = sandbox.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as made:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield made


def answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """(status, body) of so many answers."""
    found = []
    with connection.makefile("rb") as stream:
        for _ in range(count):
            status = int(stream.readline().split()[1])
            length = 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            found.append((status, stream.read(length)))
    return found


def test_a_request_may_come_in_pieces(connection: socket.socket) -> None:
    for start in range(0, len(POST), 7):
        connection.sendall(POST[start : start + 7])

    assert answers(connection, 1) == [(200, b'{"multiple": null}\n')]


def test_requests_may_come_together_and_are_answered_in_turn(connection: socket.socket) -> None:
    connection.sendall(GET + POST + GET)

    assert [b"multiple" in body for _, body in answers(connection, 3)] == [False, True, False]


def test_a_request_that_ends_early_is_not_carried_out(connection: socket.socket) -> None:
    connection.sendall(POST[:-3])
    connection.shutdown(socket.SHUT_WR)

    assert connection.recv(100) == b""


def test_a_head_without_an_end_is_no_request(connection: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONGEST_HEAD", 1_000)
    connection.sendall(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500)
    connection.shutdown(socket.SHUT_WR)

    assert connection.recv(100) == b""


def test_to_a_head_request_goes_a_head(connection: socket.socket) -> None:
    connection.sendall(GET.replace(b"GET", b"HEAD", 1).replace(b"Host", b"Connection: close\r\nHost"))

    with connection.makefile("rb") as stream:
        assert stream.read().endswith(b"\r\n\r\n")
