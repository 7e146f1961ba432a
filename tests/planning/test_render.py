"""Plans as JSON and as Markdown: what a pull request's comment may and may not hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from controller.planning.plan import Bystander, Plan
from controller.planning.render import MARKDOWN_LIMIT, sentence, to_json, to_markdown
from controller.resources.base import Action, Change, Incomplete
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


# Markdown


def test_markdown_shows_what_is_held_first_and_folds_the_rest() -> None:
    held = delete("c", blocked="too many go. If meant: orgctl approve abc123")

    text = to_markdown(plan(create(source="a.yaml:3:1"), held))

    assert text.index("Held by a guard rail") < text.index("<details>")
    assert "- delete `ball` **`c`**\n  - held: too many go. If meant: orgctl approve abc123" in text
    assert "<details><summary><code>box</code>: 1 create</summary>" in text
    assert "- create **`a`** (`a.yaml:3:1`)\n  - `colour: red`" in text


def test_equal_plans_give_equal_markdown() -> None:
    texts = {to_markdown(plan(create(), delete(), create("z"))) for _ in range(3)}

    assert len(texts) == 1


def test_what_could_not_be_seen_is_said() -> None:
    text = to_markdown(plan(incomplete=(Incomplete("box", "AccessDenied from *:List*"),)))

    assert r"- `box`: AccessDenied from \*:List\*" in text


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "`code` and ``more``",
        "</details>\n\n# A heading",
        "@everybody",
        "[here](https://example.com)",
        "**bold** _and_ ~~so~~ | on",
        "\x1b[2J\x1b[1;1H",
        "a\u202eb",
    ],
)
def test_names_stay_names(name: str) -> None:
    """What others wrote is set as code, on one line: no markup, no mention, nothing that a terminal obeys."""
    text = to_markdown(plan(create(name), delete(name, blocked=f"'{name}' is protected")))

    (line,) = [line for line in text.splitlines() if line.startswith("- create")]
    fence, inside = re.fullmatch(r"- create \*\*(`+) ?(.*?) ?\1\*\*", line).groups()  # type: ignore[union-attr]
    assert fence not in inside
    assert all(character.isprintable() or character in "\n\u200b" for character in text)
    assert text.splitlines().count("</details>") == 1
    prose = re.sub(r"(`+).*?\1", "", re.sub(r"\\.", "", "\n".join(li for li in text.splitlines() if "held: " in li)))
    assert not re.search(r"[<>*_`~|\[\]]|@\w", prose), prose


def test_a_comment_is_never_too_long_and_says_where_the_rest_is() -> None:
    text = to_markdown(plan(*(create(f"{n:05}" + "x" * 90) for n in range(2000))))

    assert MARKDOWN_LIMIT * 0.99 < len(text) <= MARKDOWN_LIMIT
    assert text.splitlines()[-1] == "… cut here; `orgctl plan --format json` has all of it."
    assert text.count("<details>") == text.splitlines().count("</details>") == 1


def test_what_fits_is_not_cut() -> None:
    assert "cut here" not in to_markdown(plan(*(create(f"{n:05}") for n in range(500))))


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
