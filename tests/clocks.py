"""A clock that goes when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from controller.clock import Clock
from controller.errors import Stopped


class StillClock(Clock):
    """Stands at one moment until it is moved; a sleep moves it and never waits."""

    def __init__(self, at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        super().__init__()
        self.at = at
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        if self.stop.is_set():
            raise Stopped
        self.move(timedelta(seconds=seconds))

    def move(self, by: timedelta) -> None:
        self.at += by
        self.seconds += by.total_seconds()
