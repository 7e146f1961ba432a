"""Reading many accounts: cut into shards of whole accounts, each read wherever the executor of the settings runs it.

A shard's work is a function that can be pickled, of a Reader and of what is to be read. Accounts are never cut: AWS
counts calls by account and Region, so whoever reads a shard keeps to its accounts' rates without asking anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from controller.clock import Clock
from controller.errors import Stopped

if TYPE_CHECKING:
    from controller.aws.api import Reader

S = TypeVar("S")
T = TypeVar("T")

Work = Callable[["Reader", list[S]], T]
"""What is done with a shard. It is to be found by its module and name, and to keep its errors in what it returns."""

MOST_ACCOUNTS = 50
"""A shard's size: seconds of work, so that little is done twice where a worker is lost, and much more than its cost."""
_AT_ONCE = 4
"""Shards under way in threads: more than one, so that the end of one is not waited for. The calls under way are
limited by the transport, whatever the shards."""
_LOOK = 0.5
"""Seconds between two looks at whether the process was asked to stop."""


class FanOut(Protocol):
    """Where shards are read."""

    def run(self, reader: Reader, work: Work[S, T], accounts: Mapping[str, Sequence[S]]) -> list[T]:
        """What `work` returned for each shard, in the order of the accounts.

        Args:
            accounts: Account → what is to be read of it.

        Raises:
            NoWorkers: Shards cannot be read where the settings say.
            Stopped: The process was asked to stop.
        """

    def close(self) -> None:
        """Let go of the workers."""


class Threads:
    """In this process, by its own connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def run(self, reader: Reader, work: Work[S, T], accounts: Mapping[str, Sequence[S]]) -> list[T]:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fan-out") as executor:
            shards = cut(accounts, _AT_ONCE)
            futures = [executor.submit(copy_context().run, work, reader, shard) for shard in shards]
            results = dict(as_they_end(futures, self._clock))
        return [results[index] for index in range(len(futures))]

    def close(self) -> None:
        pass


def cut(accounts: Mapping[str, Sequence[S]], workers: int) -> Iterator[list[S]]:
    """Shards of whole accounts, small enough that each worker gets several."""
    each = min(MOST_ACCOUNTS, max(1, len(accounts) // (4 * workers)))
    names = iter(accounts)
    while some := list(islice(names, each)):
        yield list(chain.from_iterable(accounts[name] for name in some))


def as_they_end(
    futures: Iterable[Future[T]], clock: Clock, watch: Callable[[bool], None] = lambda moved: None
) -> Iterator[tuple[int, T]]:
    """(Which, its result), as they end; nothing of what was yielded is kept. The first error ends it all.

    Args:
        watch: Told now and then whether any has ended since; raises where waiting is of no use.

    Raises:
        Stopped: The process was asked to stop.
    """
    pending = {future: index for index, future in enumerate(futures)}
    try:
        while pending:
            if clock.stop.is_set():
                raise Stopped
            done, _ = wait(pending, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in done:
                yield pending.pop(future), future.result()
            watch(bool(done))
    finally:
        for future in pending:
            future.cancel()
