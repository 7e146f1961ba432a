"""Which change goes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from controller.lanes import Lanes
from controller.resources.base import Action, Change, Kind
from tests.planning.things import Box, box


@dataclass
class Rows(Kind[Any]):
    """A kind whose lanes are the first letters of its keys."""

    name: str = "box"  # type: ignore[misc]
    resource: Any = Box  # type: ignore[misc]
    width: int = 3  # type: ignore[misc]
    asked: int = 0

    def lane(self, change: Change) -> str | None:
        self.asked += 1
        return change.key[0] if change.key[0].isupper() else None


def queued(*keys: str, kind: Rows | None = None) -> Lanes:
    changes = [Change("box", key, key, Action.CREATE, None, box(key)) for key in keys]
    lanes = Lanes({"box": kind or Rows()}, {change.id: number for number, change in enumerate(changes)})
    for change in changes:
        lanes.add(change)
    return lanes


def begun(lanes: Lanes) -> list[Change]:
    """All that have room now."""
    found = []
    while (change := lanes.next()) is not None:
        found.append(change)
    return found


def rounds(lanes: Lanes) -> Iterator[str]:
    """What runs side by side, where all take the same time."""
    while now := begun(lanes):
        yield " ".join(change.key for change in now)
        for change in now:
            lanes.ended(change)


def test_one_at_a_time_of_a_lane_and_as_many_as_the_width_of_all() -> None:
    assert list(rounds(queued("A1", "A2", "b", "c", "d"))) == ["A1 b c", "A2 d"]


def test_the_longest_lane_goes_first_so_that_none_is_left_to_end_alone() -> None:
    assert list(rounds(queued("B1", "C1", "D1", "A1", "A2", "A3"))) == ["A1 B1 C1", "A2 D1", "A3"]


def test_within_a_lane_and_among_equals_the_plans_order_holds() -> None:
    assert list(rounds(queued("c", "a", "b", "e", "d"))) == ["c a b", "e d"]


def test_what_becomes_ready_late_joins_its_lane_in_the_plans_order() -> None:
    changes = [Change("box", key, key, Action.CREATE, None, box(key)) for key in ("A1", "A2", "A3")]
    lanes = Lanes({"box": Rows()}, {change.id: number for number, change in enumerate(changes)})
    lanes.add(changes[2])
    lanes.add(changes[1])
    assert lanes.next() == changes[1]
    lanes.add(changes[0])
    assert lanes.next() is None
    lanes.ended(changes[1])
    assert lanes.next() == changes[0]


def test_a_lane_is_one_across_kinds() -> None:
    first, second = (
        Change("box", "A1", "A1", Action.CREATE, None, box("A1")),
        Change("other", "A2", "A2", Action.CREATE, None, box("A2")),
    )
    lanes = Lanes({"box": Rows(), "other": Rows(name="other")}, {first.id: 0, second.id: 1})
    lanes.add(first)
    lanes.add(second)
    assert begun(lanes) == [first]
    lanes.ended(first)
    assert begun(lanes) == [second]


def test_what_is_drained_never_begins() -> None:
    lanes = queued("A1", "A2", "b")
    assert lanes.next() is not None
    assert {change.key for change in lanes.drain()} == {"A2", "b"}
    assert lanes.next() is None


def test_choosing_does_not_look_at_all_that_wait() -> None:
    kind = Rows(width=15)
    lanes = queued(*(f"{chr(65 + number % 20)}{number}" for number in range(3000)), kind=kind)
    assert sum(len(now.split()) for now in rounds(lanes)) == 3000
    assert kind.asked <= 3 * 3000
