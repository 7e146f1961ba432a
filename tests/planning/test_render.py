"""Plans as JSON, and their counts."""

from __future__ import annotations

import json
from typing import Any

from controller.planning.markdown import to_markdown
from controller.planning.plan import Bystander, Plan
from controller.planning.render import sentence, to_json
from controller.resources.base import Action, Change
from tests.planning.things import ball, box
from tests.reports import change as change_of_a_unit


def create(name: str = "a", **more: Any) -> Change:
    return Change("box", name, name, Action.CREATE, None, box(name, colour="red"), **more)


def delete(name: str = "b", **more: Any) -> Change:
    return Change("ball", name, name, Action.DELETE, ball(name, "a"), None, **more)


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan("o-abcdefghij", None, changes, {"box": 3}, **more)


# The counts


def test_the_counts_are_one_sentence() -> None:
    held = delete("c", blocked="too many")
    bystanders = (Bystander("box", "x"), Bystander("box", "y", orphaned=True))

    told = sentence(plan(create(), delete(), held, bystanders=bystanders))

    expected = "1 to create, 1 to delete, 1 held, 3 as git says, 1 unmanaged, left alone, 1 orphaned, left alone."
    assert told == expected


# Private data


def test_contacts_are_in_neither() -> None:
    """An update of a contact is shown as such; what it is, is nobody's business."""
    made = plan(change_of_a_unit("/A"))

    assert "contact: set (not shown)" in to_markdown(made)
    assert "555" not in to_markdown(made) + json.dumps(to_json(made))


# JSON


def test_json_has_both_sides_and_says_why_something_is_held() -> None:
    held = delete("c", blocked="too many", hold="abc123", requires=frozenset({"box/a:create"}))

    made = to_json(plan(create(), held))

    assert made["summary"]["blocked"] == 1
    first, second = made["changes"]
    assert (first["before"], first["after"]["colour"]) == (None, "red")
    assert (second["after"], second["blocked"], second["approve"]) == (None, "too many", "abc123")
    assert second["requires"] == ["box/a:create"]
    assert json.loads(json.dumps(made)) == made
