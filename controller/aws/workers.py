"""Doing many things at once, from any thread, within one another, without ever waiting for a free thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Generic, TypeVar

from controller.clock import Clock
from controller.errors import Stopped

T = TypeVar("T")
S = TypeVar("S")


_OF_ONE_JOB = 2
_IN_ALL = 8


class Workers:
    """A thread pool whose callers work along: where every thread is busy, the caller does all of it itself.

    That is why a function run by `map` may call `map` again: nobody ever waits for work that nobody has begun.

    Most threads sleep until their call's turn comes. So there are more of them than calls may be under way, begun as
    they are needed, and no single `map` gets all: what has its turn now finds a thread.

    Args:
        count: Calls that may be under way at once (the transport sees to it, not the pool).
    """

    def __init__(self, count: int, clock: Clock) -> None:
        self._helpers = _OF_ONE_JOB * count
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=_IN_ALL * count, thread_name_prefix="aws")

    def map(self, function: Callable[[T], S], items: Iterable[T]) -> list[S]:
        """Results in the order of `items`. The first error, in that order, is raised when all have ended.

        Raises:
            Stopped: The process was asked to stop; items not yet begun are left.
        """
        job = _Job(function, list(items), self._clock)
        for _ in range(min(self._helpers, len(job.items) - 1)):
            self._pool.submit(copy_context().run, job.work)
        job.work()
        return job.finish()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Job(Generic[T, S]):
    """One call of `map`. Whoever has time takes the next item."""

    def __init__(self, function: Callable[[T], S], items: list[T], clock: Clock) -> None:
        self.function, self.items, self.clock = function, items, clock
        self.results: dict[int, S] = {}
        self.errors: dict[int, BaseException] = {}
        self._next = 0
        self._under_way = 0
        self._changed = threading.Condition()

    def work(self) -> None:
        while (index := self._take()) is not None:
            try:
                self.results[index] = self.function(self.items[index])
            except BaseException as error:  # noqa: BLE001  raised again by `finish`, in the thread that asked
                self.errors[index] = error
            finally:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()

    def _take(self) -> int | None:
        with self._changed:
            if self._next >= len(self.items) or self.clock.stop.is_set():
                return None
            self._next += 1
            self._under_way += 1
            return self._next - 1

    def finish(self) -> list[S]:
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0)
        if self.errors:
            stopped = next((e for e in self.errors.values() if isinstance(e, Stopped)), None)
            raise stopped or self.errors[min(self.errors)]
        if len(self.results) < len(self.items):
            raise Stopped
        return [self.results[index] for index in range(len(self.items))]
