"""Which action follows from git, AWS and the owner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.planning.diff import plannable
from controller.resources.base import Gone, Incomplete, Live, Observed, Ref
from tests.planning.things import KINDS, OURS, Case, ball, box, ids

A_LIST = {"ball": {"lists": frozenset({Ref("box", "A")})}}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(Case(boxes=[box("A")]), ["box/A:create"], id="named and not there: created"),
        pytest.param(Case(boxes=[box("A")], live_boxes=[box("A", OURS)]), [], id="as git says: nothing"),
        pytest.param(Case(boxes=[box("A")], live_boxes=[box("A")]), ["box/A:adopt"], id="named and nobody's: adopted"),
        pytest.param(
            Case(boxes=[box("A", colour="red")], live_boxes=[box("A", OURS, colour="blue")]),
            ["box/A:update"],
            id="differs: updated",
        ),
        pytest.param(
            Case(boxes=[box("A")], live_boxes=[box("A", OURS, colour="blue")]), [], id="an absent field is not managed"
        ),
        pytest.param(
            Case(boxes=[box("A", marks=frozenset())], live_boxes=[box("A", OURS, marks=frozenset("x"))]),
            ["box/A:update"],
            id="an empty list empties",
        ),
        pytest.param(Case(live_boxes=[box("A")]), [], id="nobody's and not in git: left alone"),
        pytest.param(
            Case(live_boxes=[box("A", OURS)]), [], id="ours, a parent, and no longer in git: orphaned, not deleted"
        ),
        pytest.param(
            Case(live_boxes=[box("A", OURS)], desired={"box": {"gone": {"A": (Gone.DELETED, "a:1:1")}}}),
            ["box/A:delete"],
            id="ours and said deleted: deleted",
        ),
        pytest.param(
            Case(desired={"box": {"gone": {"A": (Gone.DELETED, "a:1:1")}}}), [], id="said deleted and gone: nothing"
        ),
        pytest.param(
            Case(live_boxes=[box("A", OURS)], desired={"box": {"gone": {"A": (Gone.RELEASED, "a:1:1")}}}),
            ["box/A:update"],
            id="ours and said released: our tag goes",
        ),
        pytest.param(
            Case(live_boxes=[box("A")], desired={"box": {"gone": {"A": (Gone.RELEASED, "a:1:1")}}}),
            [],
            id="said released and not ours: nothing",
        ),
        pytest.param(
            Case(boxes=[box("A")], live_boxes=[box("A", OURS)], live_balls=[ball("x", "A", OURS)], desired=A_LIST),
            ["ball/x:delete"],
            id="a child gone from its list: removed",
        ),
        pytest.param(
            Case(boxes=[box("A")], live_boxes=[box("A", OURS)], live_balls=[ball("x", "A", OURS)]),
            [],
            id="a child whose list git does not state: left alone",
        ),
        pytest.param(
            Case(live_boxes=[box("A")], live_balls=[ball("x", "A")], desired=A_LIST),
            [],
            id="a stranger's child: left alone",
        ),
    ],
)
def test_the_action_follows_from_git_aws_and_the_owner(case: Case, expected: list[str]) -> None:
    assert ids(case.diff().changes) == expected


def test_what_another_instance_owns_is_an_error_and_says_whose_it_is() -> None:
    (change,) = Case(boxes=[box("A")], live_boxes=[box("A", "other")]).diff().changes
    assert change.blocked is not None
    assert "'other'" in change.blocked


@pytest.mark.parametrize("owner", [None, "other"])
def test_deleted_never_deletes_what_is_not_ours(owner: str | None) -> None:
    case = Case(live_boxes=[box("A", owner)], desired={"box": {"gone": {"A": (Gone.DELETED, "a:1:1")}}})
    (change,) = case.diff().changes
    assert change.blocked is not None
    assert change.action == "delete"


def test_an_orphan_is_shown_as_one_and_a_stranger_as_unmanaged() -> None:
    shown = Case(live_boxes=[box("A", OURS), box("B")]).diff().bystanders
    assert [(b.name, b.orphaned) for b in shown] == [("A", True), ("B", False)]


def test_foreign_tags_stay_when_tags_are_managed() -> None:
    live = box("A", OURS, tags={"aws:created": "x", "team": "old", "orgctl:note": "y"})
    (change,) = Case(boxes=[box("A", tags={"team": "new"})], live_boxes=[live]).diff().changes
    assert change.after is not None
    assert getattr(change.after, "tags") == {"aws:created": "x", "orgctl:note": "y", "team": "new"}  # noqa: B009


@pytest.mark.parametrize(
    ("want", "have", "lost"),
    [
        pytest.param({"colour": "red"}, {"colour": "blue"}, True, id="other content"),
        pytest.param({"colour": "red"}, {}, False, id="filling in what was empty"),
        pytest.param({"marks": frozenset("ab")}, {"marks": frozenset("a")}, False, id="adding to a set"),
        pytest.param({"marks": frozenset("b")}, {"marks": frozenset("a")}, True, id="taking out of a set"),
        pytest.param({"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "1"}}, False, id="adding a tag"),
        pytest.param({"tags": {"a": "2"}}, {"tags": {"a": "1"}}, True, id="changing a tag"),
        pytest.param({}, {"colour": "blue"}, False, id="not managed"),
    ],
)
def test_an_adoption_that_rewrites_is_noted(want: dict[str, Any], have: dict[str, Any], lost: bool) -> None:
    difference = Case(boxes=[box("A", **want)], live_boxes=[box("A", **have)]).diff()
    assert ids(difference.changes) == ["box/A:adopt"]
    assert bool(difference.losses) is lost


def test_an_adoption_whose_list_is_longer_than_gits_is_noted() -> None:
    case = Case(boxes=[box("A")], live_boxes=[box("A")], live_balls=[ball("x", "A")], desired=A_LIST)
    difference = case.diff()
    assert "x" in difference.losses["box/A:adopt"]
    assert ids(difference.changes) == ["box/A:adopt"], "and the child itself is not touched"


def test_one_thing_that_could_not_be_observed_is_not_planned_and_the_others_are() -> None:
    unseen = {"box": {"incomplete": (Incomplete("box", "denied", "A"),)}}
    case = Case(boxes=[box("A"), box("B")], observed=unseen)
    assert ids(case.diff().changes) == ["box/B:create"]


def test_a_kind_that_could_not_be_observed_holds_up_what_requires_it() -> None:
    blind = Live({"box": Observed(incomplete=(Incomplete("box", "throttled"),)), "ball": Observed()})
    assert plannable(KINDS, blind) == []


owners = st.sampled_from([None, OURS, "other"])
keys = st.sampled_from("ABCD")
colours = st.sampled_from([None, "red", "blue"])
wanted_boxes = st.dictionaries(keys, colours)
live_boxes = st.dictionaries(keys, st.tuples(owners, st.sampled_from(["red", "blue"])))


def applied(case: Case) -> Case:
    """What is live after every open change was carried out."""
    live = {b.key: b for b in case.live_boxes}
    for change in case.diff().changes:
        if change.blocked:
            continue
        if change.after is None:
            del live[change.key]
        else:
            live[change.key] = change.after  # type: ignore[assignment]
    return replace(case, live_boxes=list(live.values()))


@given(wanted_boxes, live_boxes)
def test_planning_again_after_applying_finds_nothing(
    want: dict[str, str | None], have: dict[str, tuple[str | None, str]]
) -> None:
    case = Case([box(k, colour=c) for k, c in want.items()], (), [box(k, o, colour=c) for k, (o, c) in have.items()])
    again = applied(case).diff().changes
    assert [c.id for c in again if not c.blocked] == []


@given(wanted_boxes, live_boxes)
def test_no_plan_ever_touches_what_git_does_not_name(
    want: dict[str, str | None], have: dict[str, tuple[str | None, str]]
) -> None:
    case = Case([box(k, colour=c) for k, c in want.items()], (), [box(k, o, colour=c) for k, (o, c) in have.items()])
    assert {c.key for c in case.diff().changes} <= set(want)
