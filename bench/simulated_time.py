"""Time that passes only while everybody waits: AWS's hours in seconds, and no machine's speed in the figures."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Condition as _Condition
from typing import Any
from unittest.mock import patch

from controller.clock import Clock
from controller.errors import Stopped
from controller.sandbox.world import SandboxClock

_Lock = threading.Lock
_submit = ThreadPoolExecutor.submit


class SimulatedTime(Clock):
    """A clock for orgctl and, by `sandbox`, for the simulated AWS.

    It knows which threads have something to do: those that sleep by it do not, nor those that wait for another. When
    none has, it moves on to the next that is to wake, and wakes that one alone. Waiting is known within `passing`.
    """

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        super().__init__()
        self._now = start
        self._guard = _Lock()
        self._busy = 1
        self._sleepers: list[tuple[float, int, Any]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        if self.stop.is_set():
            raise Stopped
        woken = _Lock()
        woken.acquire()
        with self._guard:
            heapq.heappush(self._sleepers, (self._now + max(0.0, seconds), next(self._numbers), woken))
        self.rest()
        woken.acquire()

    def begin(self, threads: int = 1) -> None:
        """So many more have something to do."""
        with self._guard:
            self._busy += threads

    def rest(self) -> None:
        """One has nothing to do until it is woken."""
        with self._guard:
            self._busy -= 1
            if self._busy == 0 and self._sleepers:
                until, _, woken = heapq.heappop(self._sleepers)
                self._now = max(self._now, until)
                self._busy = 1
                woken.release()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Within, whatever waits for another thread is known to wait."""
        time = self

        class Condition(_Condition):
            def wait(self, timeout: float | None = None) -> bool:
                time.rest()
                woken = super().wait(timeout)
                if not woken:
                    time.begin()
                return woken

            def notify(self, n: int = 1) -> None:
                time.begin(min(n, len(self._waiters)))  # type: ignore[attr-defined]  # before they run
                super().notify(n)

        class Lock:
            """For what somebody may hold while it sleeps: other locks are held for moments."""

            def __init__(self) -> None:
                self._changed, self._held = Condition(_Lock()), False

            def acquire(self, blocking: bool = True) -> bool:
                with self._changed:
                    while self._held and blocking:
                        self._changed.wait()
                    got, self._held = not self._held, True
                    return got

            def release(self) -> None:
                with self._changed:
                    self._held = False
                    self._changed.notify()

            def __enter__(self) -> bool:
                return self.acquire()

            def __exit__(self, *_: object) -> None:
                self.release()

        def submit(pool: ThreadPoolExecutor, work: Any, /, *args: Any, **named: Any) -> Future[Any]:
            time.begin()
            future = _submit(pool, work, *args, **named)
            future.add_done_callback(lambda _: time.rest())  # called when whoever waits for it has been woken
            return future

        with (
            patch.object(threading, "Condition", Condition),
            patch.object(threading, "Lock", Lock),
            patch.object(ThreadPoolExecutor, "submit", submit),
        ):
            yield


class SimulatedSandboxTime(SandboxClock):
    """The same time, for the sandbox."""

    def __init__(self, time: SimulatedTime) -> None:
        super().__init__(virtual=True)
        self._time = time

    def now(self) -> float:
        return self._time.monotonic()

    def wait(self, seconds: float) -> None:
        self._time.sleep(seconds)
