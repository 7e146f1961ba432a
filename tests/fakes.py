"""A clock that never waits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from controller.clock import Clock
from controller.errors import Stopped


class FakeClock(Clock):
    """Sleeping moves time on; nothing waits. Safe to use from several threads."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        super().__init__()
        self._start, self._passed, self._lock = start, 0.0, threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        if self.stop.is_set():
            raise Stopped
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._passed += max(0.0, seconds)
