"""What the daemon says of itself: one immutable value, replaced as a whole, read by any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from controller.clock import Clock
from controller.report import CycleResult, Report
from controller.revision import Standing

STUCK_AFTER = 900.0
"""Seconds without any sign of life (a turn of the loop, an AWS call) after which the loop counts as stuck. A call
with all its retries, and git with its time limit, end within a few minutes."""


@dataclass(frozen=True, slots=True)
class LastCycle:
    """How the last cycle ended; `error` where it raised, and then there is no newer report."""

    started: datetime
    seconds: float
    result: CycleResult
    error: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is shown.

    Attributes:
        report: The last cycle that came to an end.
        last_good: When the last cycle ended that saw everything and failed nothing.
        ready: Every kind was observed whole at least once since the start.
        running: Since when a cycle is under way.
    """

    started: datetime
    standing: Standing = field(default_factory=Standing)
    cycle: LastCycle | None = None
    report: Report | None = None
    last_good: datetime | None = None
    ready: bool = False
    running: datetime | None = None


class Board:
    """Where the daemon writes its status, and everybody else reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._beat = clock.monotonic()
        self.status = Status(started=clock.now())

    def show(self, **changes: Any) -> None:
        """Change these attributes of the status."""
        with self._lock:
            self.status = replace(self.status, **changes)

    def beat(self) -> None:
        """The loop is alive."""
        self._beat = self._clock.monotonic()

    @property
    def alive(self) -> bool:
        return self._clock.monotonic() - self._beat < STUCK_AFTER
