"""What the main thread waits for: signals, by their number, and the end of the loop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

ENDED: Final = 0
"""The loop has ended. No signal has this number."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Events:
    """One byte per event, in a socket.

    Not a queue, nor a lock of any kind: the kernel may give a signal to any thread, Python's handlers run in the main
    one only, and nothing wakes it from a lock then. What runs wherever the signal arrives is the interpreter's own
    handler, which writes the signal's number here (Python library reference, signal.set_wakeup_fd).
    """

    def __init__(self) -> None:
        self._out, self._in = socket.socketpair()
        self._in.setblocking(False)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Receive signals; afterwards they do what they did before. Only in the main thread."""
        wakeup = signal.set_wakeup_fd(self._in.fileno(), warn_on_full_buffer=False)
        before = [signal.signal(number, lambda *_: None) for number in _SIGNALS]
        try:
            yield
        finally:
            for number, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)

    def put(self, event: int) -> None:
        self._in.send(bytes([event]))

    def get(self, timeout: float | None = None) -> int | None:
        """The next event, or None after `timeout` seconds without one."""
        self._out.settimeout(timeout if timeout is None else max(timeout, 0.001))
        try:
            return self._out.recv(1)[0]
        except TimeoutError:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._in.close()
