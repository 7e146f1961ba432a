"""What is held, why, and what lets it through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controller.config import Limits, ModeRule
from controller.planning.guard import OBSERVE, Guarded, Memory, Pause, repair_key
from controller.resources.base import Change, Desired, Gone, Kind, Live, Ref
from tests.planning.things import KINDS, NOW, OURS, Ball, BallKind, Box, BoxKind, Case, ball, box


def removing(count: int, of: int) -> Case:
    """`count` of `of` children of an owned box go from its list."""
    everything = [ball(f"b{n:03}", "A", OURS) for n in range(of)]
    return Case(
        boxes=[box("A")],
        live_boxes=[box("A", OURS)],
        balls=[replace(b, owner=None) for b in everything[count:]],
        live_balls=everything,
        desired={"ball": {"lists": frozenset({Ref("box", "A")})}},
    )


def held(guarded: Guarded) -> list[Change]:
    return [c for c in guarded.changes if c.blocked]


@pytest.mark.parametrize(
    ("count", "of", "is_held"),
    [
        pytest.param(5, 15, False, id="five of a few: the limit itself passes"),
        pytest.param(6, 15, True, id="six of a few"),
        pytest.param(2, 20, False, id="a tenth of twenty"),
        pytest.param(3, 20, True, id="more than a tenth of twenty"),
        pytest.param(5, 100, False, id="five of a hundred"),
        pytest.param(6, 100, True, id="six of a hundred"),
    ],
)
def test_removals_beyond_the_limit_are_held_all_of_them(count: int, of: int, is_held: bool) -> None:
    assert len(held(removing(count, of).guarded())) == (count if is_held else 0)


def test_additions_go_on_while_removals_are_held() -> None:
    case = removing(6, 20)
    case.balls = [*case.balls, ball("new", "A")]
    guarded = case.guarded()
    assert [c.id for c in guarded.changes if not c.blocked] == ["ball/new:create"]


def test_the_hour_rolls_what_was_removed_before_counts() -> None:
    memory = Memory(now=NOW, removed={"ball": 4})
    assert len(held(removing(2, 15).guarded(memory))) == 2
    assert held(removing(1, 15).guarded(memory)) == []


def test_what_is_tried_again_is_not_counted_twice() -> None:
    case = removing(2, 15)
    again = {c.id for c in held(case.guarded(limits=Limits(removals=0)))}
    memory = Memory(now=NOW, removed={"ball": 5}, removing=frozenset(again))
    assert held(case.guarded(memory)) == []
    assert len(held(case.guarded(Memory(now=NOW, removed={"ball": 4})))) == 2


def test_the_end_of_an_until_is_not_counted_where_it_was_known_before_it_came() -> None:
    case = removing(6, 15)
    case.desired["ball"]["expired"] = frozenset(f"b{n:03}" for n in range(6))
    known = {f"b{n:03}": NOW - timedelta(seconds=1) for n in range(6)}
    assert held(case.guarded(Memory(now=NOW, ends={"ball": known}))) == []
    assert len(held(case.guarded())) == 6, "an until that is written in the past is a removal like any other"
    later = {key: NOW + timedelta(days=1) for key in known}
    assert len(held(case.guarded(Memory(now=NOW, ends={"ball": later})))) == 6, "and so is one that was brought forward"


def test_an_approval_lets_exactly_those_changes_through() -> None:
    first = removing(6, 15).guarded()
    approved = frozenset(first.fingerprints[c.id] for c in held(first))
    memory = Memory(now=NOW, approved=approved)
    assert held(removing(6, 15).guarded(memory)) == []
    assert len(held(removing(12, 15).guarded(memory))) == 6, "six more than were approved wait"


def test_an_approval_is_void_when_what_is_there_changed() -> None:
    first = removing(6, 15).guarded()
    memory = Memory(now=NOW, approved=frozenset(first.fingerprints[c.id] for c in held(first)))
    changed = removing(6, 15)
    changed.live_balls = [replace(b, size=7) for b in changed.live_balls]
    assert len(held(changed.guarded(memory))) == 6


def test_the_message_says_how_many_of_how_many_the_limit_and_the_command() -> None:
    change = held(removing(6, 15).guarded())[0]
    assert change.blocked is not None
    assert "6 of 15 balls" in change.blocked
    assert f"orgctl approve {change.hold}" in change.blocked


def test_a_kind_that_falls_to_none_is_held_whatever_the_limits() -> None:
    case = removing(2, 2)
    assert len(held(case.guarded(limits=Limits(removals=100, share=1)))) == 2


def test_sudden_emptiness_holds_additions_of_that_kind_too() -> None:
    case = removing(2, 20)
    case.balls = [ball("new", "A")]
    guarded = case.guarded(Memory(now=NOW, baseline={"ball": 20}), limits=Limits(removals=100, share=1))
    assert "ball/new:create" in [c.id for c in held(guarded)]


def test_nothing_that_is_protected_by_name_is_removed_and_no_approval_helps() -> None:
    guarded = removing(1, 15).guarded(protected=("ball/b0*",))
    (change,) = held(guarded)
    assert change.hold is None
    memory = Memory(now=NOW, approved=frozenset(guarded.fingerprints.values()))
    assert len(held(removing(1, 15).guarded(memory, protected=("ball/b0*",)))) == 1


def test_an_adoption_that_rewrites_waits_for_a_person() -> None:
    case = Case(boxes=[box("A", colour="red")], live_boxes=[box("A", colour="blue")])
    (change,) = held(case.guarded())
    assert change.hold is not None
    assert change.blocked and "colour" in change.blocked
    assert f"write it into git (orgctl import), or approve. If meant: orgctl approve {change.hold}" in change.blocked


def test_what_depends_on_something_held_is_held_with_it() -> None:
    case = Case(boxes=[box("A", colour="red")], live_boxes=[box("A", colour="blue")], balls=[ball("x", "A")])
    blocked = {c.id: c.blocked or "" for c in case.guarded().changes}
    assert "waits for box 'A'" in blocked["ball/x:create"]


def test_what_needs_something_that_is_nowhere_is_held_and_says_so() -> None:
    (change,) = Case(balls=[ball("x", "A")]).guarded().changes
    assert "box 'A'" in (change.blocked or "")


def drift() -> Case:
    return Case(boxes=[box("A", colour="red")], live_boxes=[box("A", OURS, colour="blue")])


def test_a_fight_backs_off_for_at_most_five_minutes() -> None:
    (change,) = drift().guarded().changes
    often = tuple(NOW - timedelta(minutes=10 + n) for n in range(8))
    just_now = (*often, NOW - timedelta(seconds=30))
    fighting = drift().guarded(Memory(now=NOW, repairs={repair_key(change): just_now}))
    assert len(held(fighting)) == 1
    assert fighting.fights == {change.id}
    rested = drift().guarded(Memory(now=NOW, repairs={repair_key(change): often}))
    assert held(rested) == []
    assert rested.fights == {change.id}, "still a fight, and still said"


def test_restoring_protection_never_backs_off() -> None:
    class Shield(BoxKind):
        protective = True

    case = replace(drift(), kinds={"box": Shield(), "ball": BallKind()})
    (change,) = case.guarded().changes
    fighting = case.guarded(Memory(now=NOW, repairs={repair_key(change): (NOW,) * 9}))
    assert held(fighting) == []
    assert fighting.fights


def test_a_create_that_aws_does_not_deduplicate_is_looked_for_before_it_is_sent_again() -> None:
    class Account(BoxKind):
        deduplicated = False

    case = Case(boxes=[box("A")], kinds={"box": Account(), "ball": BallKind()})
    lately = Memory(now=NOW, unknown={"box/A:create": NOW - timedelta(seconds=5)})
    assert len(held(case.guarded(lately))) == 1
    long_ago = Memory(now=NOW, unknown={"box/A:create": NOW - timedelta(minutes=5)})
    assert held(case.guarded(long_ago)) == []


def modes(guarded: Guarded) -> dict[str, bool]:
    return {c.id: c.observe_only for c in guarded.changes}


class PlacedBox(BoxKind):
    def unit(self, resource: Box, live: Live) -> str | None:
        return f"/{resource.key}"


PLACED: Mapping[str, Kind[Any]] = {"box": PlacedBox(), "ball": BallKind()}


def test_observe_is_the_default_and_the_settings_enforce_by_kind_and_subtree() -> None:
    case = Case(boxes=[box("A"), box("B")], kinds=PLACED)
    assert modes(case.guarded(mode="observe")) == {"box/A:create": True, "box/B:create": True}
    rules = (ModeRule(unit="/A", mode="enforce"),)
    assert modes(case.guarded(mode="observe", modes=rules)) == {"box/A:create": False, "box/B:create": True}


def test_what_requires_an_observed_change_is_not_written_either() -> None:
    case = Case(boxes=[box("A")], balls=[ball("x", "A")])
    rules = (ModeRule(kind="ball", mode="enforce"),)
    assert modes(case.guarded(mode="observe", modes=rules)) == {"box/A:create": True, "ball/x:create": True}


def test_a_pause_stops_writes_until_it_expires() -> None:
    pause = Pause(NOW + timedelta(hours=1), "incident", "alice", kind="box")
    case = Case(boxes=[box("A")])
    assert modes(case.guarded(Memory(now=NOW, pauses=(pause,)))) == {"box/A:create": True}
    later = Memory(now=NOW + timedelta(hours=2), pauses=(pause,))
    assert modes(case.guarded(later)) == {"box/A:create": False}


def test_what_is_not_written_says_why_and_what_lets_it_through() -> None:
    def why(**given: Any) -> set[str]:
        case = Case(boxes=[box("A")], balls=[ball("x", "A")], kinds=PLACED)
        memory = given.pop("memory", Memory(now=NOW))
        return {change.waits for change in case.guarded(memory, **given).changes}

    def paused(**scope: Any) -> Memory:
        return Memory(now=NOW, pauses=(Pause(NOW + timedelta(hours=1), "incident", "alice", **scope),))

    words = "paused by alice until 2026-03-01 13:00Z (incident): orgctl resume"
    assert why() == {""}
    assert why(mode="observe") == {OBSERVE}
    assert why(memory=paused()) == {words}
    assert why(memory=paused(kind="box")) == {f"{words} --kind box"}, "what waits for it says the same"
    assert why(memory=paused(unit="/A")) == {f"{words} --unit /A"}
    assert Pause(NOW, "", "", unit="/it's").command == """orgctl resume --unit '/it'"'"'s'"""


def test_what_always_needs_approval_is_held_even_when_it_is_one() -> None:
    class Precious(BoxKind):
        removal_needs_approval = True

    case = Case(
        live_boxes=[box("A", OURS), box("B", OURS)],
        boxes=[box("B")],
        desired={"box": {"gone": {"A": (Gone.DELETED, "a:1:1")}}},
        kinds={"box": Precious(), "ball": BallKind()},
    )
    (change,) = held(case.guarded())
    assert change.hold is not None


def test_kinds_of_the_tests_are_kinds() -> None:
    assert {k.resource for k in KINDS.values()} == {Box, Ball}
    assert isinstance(Case().wanted["box"], Desired)
