"""In what order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from controller.planning.order import order
from controller.resources.base import Action, Change, Gone, Live, Ref
from tests.planning.things import KINDS, OURS, BallKind, Case, ball, box, ids


def planned(case: Case) -> tuple[Change, ...]:
    return order(case.kinds, case.diff().changes, case.live)


def test_what_must_exist_first_comes_first() -> None:
    changes = planned(Case(boxes=[box("A")], balls=[ball("x", "A")]))
    assert ids(changes) == ["box/A:create", "ball/x:create"]
    assert changes[1].requires == {"box/A:create"}


def test_what_is_needed_goes_last() -> None:
    case = Case(
        live_boxes=[box("A", OURS)],
        live_balls=[ball("x", "A", OURS)],
        desired={
            "box": {"gone": {"A": (Gone.DELETED, "a:1:1")}},
            "ball": {"lists": frozenset({Ref("box", "A")})},
        },
    )
    changes = planned(case)
    assert ids(changes) == ["ball/x:delete", "box/A:delete"]
    assert changes[1].requires == {"ball/x:delete"}


def test_changes_that_wait_for_each_other_are_held_and_the_rest_goes_on() -> None:
    class Stubborn(BallKind):
        def after(self, change: Change, plan: Mapping[str, Change], live: Live) -> Iterable[str]:
            return [id for id in plan if id.startswith("ball/") and id != change.id and change.key != "free"]

    case = Case(
        boxes=[box("A")],
        live_boxes=[box("A", OURS)],
        balls=[ball("x", "A"), ball("y", "A"), ball("free", "A")],
        kinds={**KINDS, "ball": Stubborn()},
    )
    blocked = {c.key: c.blocked for c in planned(case)}
    assert blocked["free"] is None
    assert "each wait" in (blocked["x"] or "")
    assert "each wait" in (blocked["y"] or "")


def test_a_change_that_is_given_its_place_keeps_all_else() -> None:
    text = {name: name for name in ("kind", "key", "name", "source", "unit", "reason", "blocked", "hold", "waits")}
    change = Change(
        **text,
        action=Action.UPDATE,
        before=box("A"),
        after=box("B"),
        rests_on=("x",),
        exempt=True,
        requires=frozenset("r"),
        observe_only=True,
    )
    assert all(getattr(change, one.name) != one.default for one in fields(change)), "a field is left out here"

    assert change.placed(frozenset("s"), "why", "/U", ("y",)) == replace(
        change, requires=frozenset("s"), blocked="why", unit="/U", rests_on=("y",)
    )


trees = st.dictionaries(st.sampled_from("ABCDEF"), st.sets(st.integers(0, 5), max_size=4))


@given(trees, trees)
def test_every_order_fulfils_its_own_requirements(want: dict[str, set[int]], have: dict[str, set[int]]) -> None:
    case = Case(
        boxes=[box(k) for k in want],
        balls=[ball(f"{k}{n}", k) for k, ns in want.items() for n in ns],
        live_boxes=[box(k, OURS) for k in have],
        live_balls=[ball(f"{k}{n}", k, OURS) for k, ns in have.items() for n in ns],
        desired={
            "box": {"gone": dict.fromkeys(have.keys() - want.keys(), (Gone.DELETED, "a:1:1"))},
            "ball": {"lists": frozenset(Ref("box", k) for k in want.keys() | have.keys())},
        },
    )
    changes = planned(case)
    place = {c.id: n for n, c in enumerate(changes)}
    assert len(place) == len(case.diff().changes)
    assert all(place[r] < place[c.id] for c in changes for r in c.requires)
    gone = {c.key for c in changes if c.kind == "box" and c.action == "delete"}
    balls_of_gone = {b.key for b in case.live_balls if b.box in gone}
    assert all(any(c.key == b and c.action == "delete" for c in changes) for b in balls_of_gone)


def test_equal_plans_come_in_equal_order() -> None:
    boxes = [box(k) for k in "CAB"]
    assert ids(planned(Case(boxes=boxes))) == ids(planned(Case(boxes=boxes[::-1])))
    assert replace(Case(boxes=boxes)).diff().changes == Case(boxes=boxes).diff().changes
