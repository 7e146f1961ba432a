from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.importing.write import Block, Said, document, survives

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "no",
        "012345670123",
        "1.0",
        "- a",
        "a: b",
        "a #b",
        "#",
        "*",
        "&a",
        "'",
        '"',
        "null",
        "~",
        "",
        " ",
        "{{ x }}",
        "é",
        "0x1",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(VALUES)
def test_whatever_is_written_is_read_again(value: object) -> None:
    assert survives(value)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"id": "012345670123"}, 'id: "012345670123"'),
        ({"a": "no"}, 'a: "no"'),
        ({"a": "iam:Get*"}, "a: iam:Get*"),
        ({"a": "*"}, 'a: "*"'),
        ({"units": ["/Workloads/Prod", "/Sports"]}, "units: [/Workloads/Prod, /Sports]"),
        ({"targets": {"units": ["/"], "accounts": ["a, b"]}}, 'targets: {units: [/], accounts: ["a, b"]}'),
        ({"a": "Bills, budgets"}, "a: Bills, budgets"),
        ({"Prod": None}, "Prod:"),
        ({r"R\/D": 'the "A"'}, r"""'R\/D': 'the "A"'"""),
        ({"a": "it's: \\"}, r'''a: "it's: \\"'''),
        ({"a": Said("b", "why")}, "a: b  # why"),
        ({"a": "line\nline"}, 'a: "line\\nline"'),
    ],
)
def test_short_things_take_one_line_and_quotes_only_where_they_are_needed(value: dict[str, object], line: str) -> None:
    assert document(value) == line + "\n"


def test_long_things_take_lines_of_their_own() -> None:
    text = document({"statements": [Block({"Effect": "Deny", "Action": [f"service:Action{n}" for n in range(8)]})]})
    assert text.startswith("statements:\n  - Effect: Deny\n    Action:\n      - service:Action0\n")


def test_a_comment_cannot_break_out_of_its_line() -> None:
    assert document({"a": 1}, above="one\u2028two\x07") == "# one\n# two\\x07\na: 1\n"
