"""Plans as Markdown: what a pull request's comment may and may not hold."""

from __future__ import annotations

import re

import pytest

from controller.planning.markdown import LIMIT, to_markdown
from controller.resources.base import Action, Change, Incomplete
from tests.planning.test_render import create, delete, plan
from tests.planning.things import box


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


def test_a_comment_is_never_too_long_and_says_what_is_cut() -> None:
    text = to_markdown(plan(*(create(f"{n:05}" + "x" * 90) for n in range(2000))))

    assert LIMIT * 0.99 < len(text) <= LIMIT
    kept = sum(line.startswith("- create") for line in text.splitlines())
    assert f"… cut: {2000 - kept} of 2000 are not here, or not whole; `orgctl plan --format json` lists" in text
    assert text.count("<details>") == text.splitlines().count("</details>") == 1


def test_what_is_cut_leaves_room_for_everything_else() -> None:
    held = [delete(f"{n:05}" + "x" * 90, blocked=f"too many: {n}") for n in range(2000)]
    text = to_markdown(plan(*held, create(source="a.yaml:3:1")))

    assert len(text) <= LIMIT
    assert "- create **`a`** (`a.yaml:3:1`)" in text


def test_a_single_entry_that_is_too_long_is_cut_within() -> None:
    many = Change("box", "a", "a", Action.UPDATE, box("a", marks=frozenset()), box("a", marks=_marks(3000)))
    text = to_markdown(plan(many, create("z")))

    assert len(text) <= LIMIT
    assert "… cut: 2 of 2 are not here, or not whole" in text


def _marks(number: int) -> frozenset[str]:
    return frozenset(f"{n:05}" + "x" * 40 for n in range(number))


def test_many_that_are_held_for_one_reason_are_one_entry() -> None:
    text = to_markdown(
        plan(*(delete(f"{n:02}", blocked="too many. If meant: orgctl approve abc123") for n in range(12)))
    )

    assert "- delete 12 × `ball`: `00`, `01`, " in text
    assert "`09` and 2 more\n  - held: too many. If meant: orgctl approve abc123\n" in text


def test_what_is_not_written_says_why_and_what_ends_that() -> None:
    waits = "paused by alice until noon (an incident): orgctl resume --kind box"

    assert f"2 shown, not written: {waits}\n" in to_markdown(
        plan(*(create(name, observe_only=True, waits=waits) for name in "ab"))
    )
    assert "not written" not in to_markdown(plan(create()))


def test_what_fits_is_not_cut() -> None:
    assert "cut here" not in to_markdown(plan(*(create(f"{n:05}") for n in range(500))))
