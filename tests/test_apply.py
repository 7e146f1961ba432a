"""Carrying a plan out, with kinds that keep their resources in a dictionary."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from controller.apply import apply
from controller.aws.api import Here, Reader, Writer
from controller.clock import Clock
from controller.errors import AwsError, Denied, InProgress, Stopped, UnknownOutcome
from controller.planning.plan import Plan
from controller.report import Outcome, Result
from controller.resources.base import Action, Change, Kind, Live
from controller.store import Store
from tests.fakes import FakeClock
from tests.planning.things import OURS, Box, box

HERE = Here("o-test", "100000000000", "aws", "us-east-1", OURS, "Member")


class NoCalls:
    """AWS that nobody asks."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def call(self, action: str, *_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError(action)

    def page_token(self, action: str) -> tuple[str, str]:
        raise AssertionError(action)

    def page_limit(self, action: str) -> dict[str, int]:
        raise AssertionError(action)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [function(item) for item in items]


@dataclass
class Shelf(Kind[Any]):
    """A kind whose writes land in `world`; `trouble` says which keys raise what."""

    name: str = "box"  # type: ignore[misc]
    resource: Any = Box  # type: ignore[misc]
    width: int = 8  # type: ignore[misc]
    one_lane: bool = False
    trouble: dict[str, Exception] = field(default_factory=dict)
    world: dict[str, Any] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    owner_now: str | None = OURS
    meanwhile: Callable[[str], None] = lambda _: None
    under_way: int = 0
    most_under_way: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def _write(self, key: str, value: Any) -> None:
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        self.meanwhile(key)
        with self.lock:
            self.under_way -= 1
            self.order.append(key)
        if key in self.trouble:
            raise self.trouble[key]
        self.world[key] = value

    def create(self, aws: Writer, after: Any) -> None:
        self._write(after.key, after)

    def update(self, aws: Writer, before: Any, after: Any) -> None:
        self._write(after.key, after)

    def delete(self, aws: Writer, before: Any) -> None:
        self._write(before.key, None)

    def owner(self, aws: Reader, live: Any) -> str | None:
        return self.owner_now

    def lane(self, change: Change) -> str | None:
        return "one" if self.one_lane else None


def creates(*keys: str, **requires: set[str]) -> list[Change]:
    return [
        Change(
            "box", k, k, Action.CREATE, None, box(k),
            requires=frozenset(f"box/{r}:create" for r in requires.get(k, set())),
        )
        for k in keys
    ]  # fmt: skip


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Store:
    return Store(":memory:", clock)


def carry_out(changes: Iterable[Change], shelf: Shelf, clock: Clock, store: Store) -> dict[str, Outcome]:
    plan = Plan("o-test", None, tuple(changes), {})
    writer = Writer(NoCalls(clock), HERE, Live())
    return {o.change.key: o for o in apply(plan, {"box": shelf}, writer, store, workers=4)}


def test_what_must_come_first_has_ended_before_the_next_begins(clock: FakeClock, store: Store) -> None:
    shelf = Shelf()
    carry_out(creates("a", "b", "c", a={"b"}, b={"c"}), shelf, clock, store)
    assert shelf.order == ["c", "b", "a"]


def test_one_failure_skips_what_depends_on_it_and_nothing_else(clock: FakeClock, store: Store) -> None:
    shelf = Shelf(trouble={"a": Denied("organizations:CreatePolicy", "AccessDeniedException", request_id="r-1")})
    outcomes = carry_out(creates("a", "b", "c", b={"a"}), shelf, clock, store)
    assert {k: o.result for k, o in outcomes.items()} == {
        "a": Result.FAILED,
        "b": Result.SKIPPED,
        "c": Result.APPLIED,
    }
    assert "organizations:CreatePolicy" in outcomes["a"].detail
    assert "r-1" in outcomes["a"].detail


@pytest.mark.parametrize(
    ("error", "result"),
    [
        pytest.param(InProgress("x:Y", "InProgress"), Result.PENDING, id="still at work is no failure"),
        pytest.param(UnknownOutcome("x:Y", "NoAnswer"), Result.UNKNOWN, id="no answer is not a failure either"),
        pytest.param(AwsError("x:Y", "ServiceException"), Result.FAILED, id="an error of AWS"),
        pytest.param(ZeroDivisionError(), Result.FAILED, id="a bug in one kind does not stop the others"),
    ],
)
def test_every_change_has_an_outcome(error: Exception, result: Result, clock: FakeClock, store: Store) -> None:
    outcomes = carry_out(creates("a", "b"), Shelf(trouble={"a": error}), clock, store)
    assert outcomes["a"].result is result
    assert outcomes["b"].result is Result.APPLIED


def test_held_and_observed_changes_are_never_sent(clock: FakeClock, store: Store) -> None:
    held, observed, free = creates("a", "b", "c")
    shelf = Shelf()
    changes = [replace(held, blocked="no"), replace(observed, observe_only=True), free]
    outcomes = carry_out(changes, shelf, clock, store)
    assert shelf.order == ["c"]
    assert [outcomes[k].result for k in "ab"] == [Result.HELD, Result.OBSERVED]


def test_changes_of_one_lane_never_overlap(clock: FakeClock, store: Store) -> None:
    shelf = Shelf(one_lane=True)
    carry_out(creates(*"abcdefgh"), shelf, clock, store)
    assert shelf.most_under_way == 1
    assert len(shelf.world) == 8


def test_changes_without_a_lane_do_overlap_up_to_the_width(clock: FakeClock, store: Store) -> None:
    together = threading.Barrier(2, timeout=10)
    shelf = Shelf(width=2, meanwhile=lambda _: (together.wait(), None)[1])
    carry_out(creates(*"abcd"), shelf, clock, store)
    assert shelf.most_under_way == 2


def test_a_delete_asks_once_more_whose_it_is(clock: FakeClock, store: Store) -> None:
    shelf = Shelf(owner_now="other")
    delete = Change("box", "a", "a", Action.DELETE, box("a", OURS), None)
    outcomes = carry_out([delete], shelf, clock, store)
    assert outcomes["a"].result is Result.FAILED
    assert "owner changed" in outcomes["a"].detail
    assert shelf.order == []


def test_a_stop_lets_what_began_end_begins_nothing_more_and_records_both(clock: FakeClock, store: Store) -> None:
    def stop(key: str) -> None:
        clock.stop.set()

    shelf = Shelf(width=1, meanwhile=stop)
    with pytest.raises(Stopped):
        carry_out(creates("a", "b", "c"), shelf, clock, store)
    assert shelf.order == ["a"]
    assert [w["outcome"] for w in store.writes()] == ["applied"]


def test_a_change_abandoned_between_two_calls_is_looked_at_again(clock: FakeClock, store: Store) -> None:
    outcomes = carry_out(creates("a"), Shelf(trouble={"a": Stopped()}), clock, store)
    assert outcomes["a"].result is Result.UNKNOWN
    assert "box/a:create" in store.memory().unknown
