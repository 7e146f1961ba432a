"""Plans at a terminal, and single changes in words."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from controller.planning.describe import LONGEST_VALUE, describe, json_differences
from controller.planning.plan import Bystander, Plan
from controller.planning.text import MANY, print_plan
from controller.resources.base import Action, Change, Incomplete, Json, Note, Resource
from tests.planning.things import ball, box


def change(before: Resource | None, after: Resource | None, **more: Any) -> Change:
    one = after or before
    assert one is not None
    action = Action.CREATE if before is None else Action.DELETE if after is None else Action.UPDATE
    return Change(one.kind, one.key, one.name, action, before, after, **more)


def printed(*changes: Change, verbose: bool = False, width: int = 80, **more: Any) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, color_system=None)
    print_plan(Plan("o-abcdefghij", "c" * 40, changes, {"box": 3}, **more), console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# One change


def test_only_what_differs_is_told() -> None:
    before = box("a", colour="red", marks=frozenset("xy"), tags={"env": "dev", "team": "a"})
    after = box("a", colour="red", marks=frozenset("yz"), tags={"env": "prod", "team": "a"})

    assert describe(change(before, after)) == ["marks: - x", "marks: + z", "tags.env: dev → prod"]


def test_what_is_not_managed_is_not_told() -> None:
    assert describe(change(box("a", colour="red"), box("a", colour=None))) == []


def test_an_adoption_says_whose_it_was() -> None:
    assert describe(change(box("a"), box("a", owner="main"))) == ["owner: nobody → main"]


def test_the_places_of_words_in_a_list_are_not_told() -> None:
    old: Json = {"Statement": [{"Sid": "A", "Action": ["a:1", "a:3"]}]}
    new: Json = {"Statement": [{"Sid": "A", "Action": ["a:0", "a:1", "a:2"]}]}

    told = list(json_differences(old, new))

    assert told == [".Statement[0].Action: + a:0, a:2", ".Statement[0].Action: - a:3"]


def test_several_words_new_in_one_list_are_one_line() -> None:
    old: Json = {"Statement": [{"Sid": "A", "Action": ["a:1"]}]}
    new: Json = {"Statement": [{"Sid": "A", "Action": ["a:3", "a:1", "a:2"]}]}

    assert list(json_differences(old, new)) == [".Statement[0].Action: + a:2, a:3"]


def test_a_statement_that_is_new_is_told_whole() -> None:
    told = list(json_differences({"Statement": [{"Sid": "A"}]}, {"Statement": [{"Sid": "A"}, {"Sid": "B"}]}))

    assert told == ['.Statement[1]: + {"Sid": "B"}']


def test_a_long_value_is_cut_on_both_sides_but_for_verbose() -> None:
    edit = change(box("a", colour="r" * 500), box("a", colour="g" * 500))

    (cut,) = describe(edit)
    (whole,) = describe(edit, whole=True)

    assert cut == f"colour: {'r' * (LONGEST_VALUE - 1)}… → {'g' * (LONGEST_VALUE - 1)}…"
    assert whole == f"colour: {'r' * 500} → {'g' * 500}"


def test_nothing_that_a_terminal_obeys_is_passed_on() -> None:
    """A description could clear the screen, or write a line of the plan that is not there."""
    hostile = box("a\x1b[2J", colour="red\n  - box everything\x1b[8m\r")

    text = printed(change(None, hostile, blocked="\x1b[8m"), bystanders=(Bystander("box", "x\x1b"),))

    assert "\x1b" not in text and "\r" not in text
    assert "colour: red\\n  - box everything\\x1b[8m\\r" in text


# A plan


def test_changes_are_grouped_by_ou_with_a_sign_and_their_place() -> None:
    text = printed(
        change(None, box("a", colour="red"), unit="/B", source="x.yaml:3:1"),
        change(box("b", colour="red"), None, unit="/A"),
        change(box("c", colour="red"), box("c", colour="blue")),
    )

    assert text.splitlines() == [
        "Plan " + text.split()[1] + " for organization o-abcdefghij, commit cccccccccccc",
        "",
        "Organization",
        "  ~ box c",
        "      colour: red → blue",
        "",
        "/A",
        "  - box b",
        "",
        "/B",
        "  + box a  x.yaml:3:1",
        "      colour: red",
        "",
        "1 to create, 1 to update, 1 to delete, 3 as git says.",
    ]


def test_many_children_of_one_line_of_yaml_are_one_line() -> None:
    names = [f"team/{n}" for n in range(MANY * 2 + 1)]
    changes = [change(None, ball(name, "a"), source="x.yaml:1:1") for name in names]

    text, all_of_it = printed(*changes), printed(*changes, verbose=True)

    assert f"  + {len(names)} × ball team/{{0, 1, 2, 3, 4, 5}} and 1 more (--verbose)  x.yaml:1:1\n" in text
    assert f"team/{{{', '.join(str(n) for n in range(len(names)))}}}" in all_of_it


def test_what_is_held_says_why_and_how() -> None:
    assert "      held: protected\n" in printed(change(box("a"), None, blocked="protected"))


def test_observe_mode_is_said_once_and_where_only_some_is_written_on_their_lines() -> None:
    why = "mode observe: say mode: enforce"
    shown = [change(None, box(name), observe_only=True, waits=why) for name in "ab"]

    assert printed(*shown).count("bserve") == 1
    assert printed(*shown).endswith(f"2 shown, not written: {why}\n")
    mixed = printed(*shown, change(None, box("c")))
    assert mixed.count("(observe: not written)") == 2


def test_lines_are_not_broken_in_a_narrow_terminal() -> None:
    change_with_a_long_name = change(None, box("a" * 200))

    assert "a" * 200 in printed(change_with_a_long_name, width=40)
    assert printed(width=20).splitlines()[-1] == "Nothing to do: 3 as git says."


def test_what_is_left_alone_or_was_not_seen_is_counted_and_named() -> None:
    unmanaged = tuple(Bystander("box", f"u{n}") for n in range(7))
    orphaned = (Bystander("box", "o", orphaned=True),)

    text = printed(
        bystanders=unmanaged + orphaned,
        incomplete=(Incomplete("ball", "AccessDenied"),),
        notes=(Note("box", "n", "is closed"),),
    )

    assert "  7 box: u0, u1, u2, u3, u4 and 2 more (--verbose)\n" in text
    assert "Orphaned, left alone\n  1 box: o\n" in text
    assert "Could not be observed, so not planned\n  ball: AccessDenied\n" in text
    assert "Notes\n  box n: is closed\n" in text
    assert "u6" in printed(bystanders=unmanaged, verbose=True)


def test_the_counts_come_last() -> None:
    assert printed(change(None, box("a"))).splitlines()[-1] == "1 to create, 3 as git says."
