"""Clocks that go when a test says so."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
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


class CommonTime(Clock):
    """Virtual time for several threads: it moves on, to the earliest to wake, when all of them sleep.

    Only one of them runs at a time, so a run is the same every time. Whoever holds a lock must not sleep.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._changed = threading.Condition()
        self._sleepers: list[tuple[float, int]] = []
        self._numbers = itertools.count()
        self._awake: int | None = None

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._sleep_as(next(self._numbers), self._now + max(0.0, seconds))
        if self.stop.is_set():
            raise Stopped

    def run(self, *works: Callable[[], object]) -> None:
        """Each work in a thread of its own, from now on; ends with the last. The first error is raised."""
        errors: list[BaseException] = []

        def begin(number: int, work: Callable[[], object]) -> None:
            try:
                self._wait_to_wake(number)
                work()
            except BaseException as error:  # noqa: BLE001  raised below
                errors.append(error)
            finally:
                with self._changed:
                    self._wake_next()

        numbers = [next(self._numbers) for _ in works]
        threads = [threading.Thread(target=begin, args=pair) for pair in zip(numbers, works, strict=True)]
        with self._changed:
            for number in numbers:
                heapq.heappush(self._sleepers, (self._now, number))
            self._wake_next()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _sleep_as(self, number: int, until: float) -> None:
        with self._changed:
            heapq.heappush(self._sleepers, (until, number))
            self._wake_next()
        self._wait_to_wake(number)

    def _wait_to_wake(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._awake == number)

    def _wake_next(self) -> None:
        self._awake = None
        if self._sleepers:
            until, self._awake = heapq.heappop(self._sleepers)
            self._now = max(self._now, until)
        self._changed.notify_all()
