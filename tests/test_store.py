"""What outlives a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.errors import InvalidInput
from controller.planning.guard import Pause
from controller.planning.plan import Plan
from controller.report import Outcome, Result
from controller.resources.base import Action, Change
from controller.store import Store
from tests.fakes import FakeClock
from tests.planning.things import OURS, box

CHANGE = Change("box", "A", "A", Action.DELETE, box("A", OURS), None)
HELD = replace(CHANGE, blocked="too many. If meant: orgctl approve abc123abc123", hold="abc123abc123")
PLAN = Plan("o-test", "c0ffee", (HELD,), {}, fingerprints={CHANGE.id: "f1"})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Store:
    return Store(tmp_path / "state" / "orgctl.sqlite3", clock)


def test_an_approval_needs_a_hold_and_names_those_there_are(store: Store) -> None:
    store.remember_holds(PLAN)
    with pytest.raises(InvalidInput, match="abc123abc123"):
        store.approve("ffffffffffff", "alice")


def test_an_approval_lasts_a_day_and_is_used_once(store: Store, clock: FakeClock) -> None:
    store.remember_holds(PLAN)
    store.approve("abc123abc123", "alice")
    assert store.memory().approved == {"f1"}
    store.intend(CHANGE, "f1", counted_removal=True)
    store.record(Outcome(CHANGE, Result.APPLIED), PLAN)
    assert store.memory().approved == frozenset()
    assert store.memory().removed == {}, "what a person approved does not count against the limit"
    store.approve("abc123abc123", "alice")
    clock.advance(timedelta(hours=24, seconds=1).total_seconds())
    assert store.memory().approved == frozenset()


def test_the_audit_trail_says_who_approved(store: Store) -> None:
    store.remember_holds(PLAN)
    store.approve("abc123abc123", "alice")
    store.record(Outcome(CHANGE, Result.FAILED, "no"), PLAN)
    store.record(Outcome(CHANGE, Result.APPLIED), PLAN)
    store.record(Outcome(CHANGE, Result.APPLIED), PLAN)
    assert [write["detail"] for write in store.writes()] == ["", "approved by alice", "no; approved by alice"]


def test_an_approval_that_has_expired_spares_no_removal_from_the_count(store: Store, clock: FakeClock) -> None:
    store.remember_holds(PLAN)
    store.approve("abc123abc123", "alice")
    clock.advance(timedelta(hours=25).total_seconds())
    store.intend(CHANGE, "f1", counted_removal=True)
    assert store.memory().removed == {"box": 1}


def test_a_failed_change_keeps_its_approval(store: Store) -> None:
    store.remember_holds(PLAN)
    store.approve("abc123", "alice")
    store.record(Outcome(CHANGE, Result.FAILED, "no"), PLAN)
    assert store.memory().approved == {"f1"}


def test_removals_and_repairs_are_counted_for_an_hour(store: Store, clock: FakeClock) -> None:
    store.intend(CHANGE, "f1", counted_removal=True)
    store.record(Outcome(CHANGE, Result.APPLIED), PLAN)
    assert store.memory().removed == {"box": 1}
    assert [len(times) for times in store.memory().repairs.values()] == [1]
    clock.advance(3601)
    assert store.memory().removed == {}
    assert store.memory().repairs == {}


def test_a_removal_that_aws_refused_is_none(store: Store) -> None:
    store.intend(CHANGE, "f1", counted_removal=True)
    store.record(Outcome(CHANGE, Result.FAILED, "no"), PLAN)
    assert store.memory().removed == {}


@pytest.mark.parametrize("result", [Result.UNKNOWN, Result.PENDING, None])
def test_a_removal_whose_end_nobody_saw_counts_once_however_often_it_is_tried(
    store: Store, result: Result | None
) -> None:
    """None: the process died before it could write the outcome down."""
    for _ in range(2):
        store.intend(CHANGE, "f1", counted_removal=True)
        if result is not None:
            store.record(Outcome(CHANGE, result), PLAN)
        assert store.memory().removed == {"box": 1}
        assert store.memory().removing == {CHANGE.id}
    store.settle([])
    assert store.memory().removed == {"box": 1}
    assert store.memory().removing == frozenset(), "it has shown up"


def test_a_write_without_an_answer_is_remembered_until_it_has_shown_up(store: Store) -> None:
    store.intend(CHANGE)
    store.record(Outcome(CHANGE, Result.UNKNOWN), PLAN)
    assert CHANGE.id in store.memory().unknown
    store.settle([CHANGE.id])
    assert CHANGE.id in store.memory().unknown, "it is still planned, so it has not shown up"
    store.settle([])
    assert store.memory().unknown == {}


def test_a_crash_between_intent_and_answer_is_remembered_by_the_next_process(tmp_path: Path, clock: FakeClock) -> None:
    first = Store(tmp_path / "s.sqlite3", clock)
    first.intend(CHANGE)
    first.close()
    assert CHANGE.id in Store(tmp_path / "s.sqlite3", clock).memory().unknown


def test_a_pause_always_expires_and_can_be_ended(store: Store, clock: FakeClock) -> None:
    store.pause(Pause(clock.now() + timedelta(hours=2), "incident", "alice", kind="box"))
    assert [p.reason for p in store.pauses()] == ["incident"]
    clock.advance(2 * 3600 + 1)
    assert store.pauses() == []
    store.pause(Pause(clock.now() + timedelta(hours=2), "again", "alice", unit="/A"))
    assert store.resume(unit="/B") == 0
    assert store.resume() == 1
    assert store.pauses() == []


def test_every_write_is_recorded_with_both_sides_and_the_commit(store: Store) -> None:
    store.record(Outcome(CHANGE, Result.FAILED, "AccessDenied"), PLAN)
    (row,) = store.writes()
    assert (row["commit"], row["change"], row["outcome"]) == ("c0ffee", CHANGE.id, "failed")
    assert row["detail"] == "AccessDenied"
    assert row["after"] is None
    assert OURS in row["before"]


def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "s.sqlite3").write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(InvalidInput, match="Move the file away"):
        Store(tmp_path / "s.sqlite3", clock)


def test_facts_survive(tmp_path: Path, clock: FakeClock) -> None:
    Store(tmp_path / "s.sqlite3", clock).set("in-force", "abc")
    assert Store(tmp_path / "s.sqlite3", clock).get("in-force") == "abc"
