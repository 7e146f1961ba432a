"""Doing many things at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from controller.aws.workers import Workers
from controller.errors import Stopped
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def workers(clock: FakeClock) -> Iterator[Workers]:
    made = Workers(2, clock)
    yield made
    made.close()


def test_results_come_in_the_order_of_the_items(workers: Workers) -> None:
    assert workers.map(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert workers.map(str, []) == []


def test_calls_within_calls_within_calls_from_several_threads_end(workers: Workers) -> None:
    def sum_below(depth: int) -> int:
        return 1 if depth == 0 else sum(workers.map(sum_below, [depth - 1] * 5))

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(sum_below(3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [125] * 4


def test_things_really_go_side_by_side(workers: Workers) -> None:
    together = threading.Barrier(3, timeout=5)  # two workers and the caller

    workers.map(lambda _: together.wait(), range(3))


def test_an_error_is_raised_when_all_have_ended(workers: Workers) -> None:
    done: list[int] = []

    def work(n: int) -> None:
        done.append(n)
        if n in (3, 1):
            raise ValueError(n)

    with pytest.raises(ValueError, match="1"):
        workers.map(work, range(20))
    assert sorted(done) == list(range(20))


def test_stopping_leaves_what_nobody_has_begun(workers: Workers, clock: FakeClock) -> None:
    done: list[int] = []

    def work(n: int) -> None:
        done.append(n)
        clock.stop.set()

    with pytest.raises(Stopped):
        workers.map(work, range(100))
    assert len(done) <= 3


def test_having_been_stopped_outweighs_other_errors(workers: Workers) -> None:
    def work(n: int) -> None:
        raise Stopped if n == 1 else ValueError

    with pytest.raises(Stopped):
        workers.map(work, [0, 1])
