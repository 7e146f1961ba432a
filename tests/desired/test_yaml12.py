from __future__ import annotations

import pytest

from controller.desired.yaml12 import MAX_ALIASED, parse


def value(text: str) -> object:
    (document,), problems = parse(text, "f.yaml")
    assert problems == []
    return document.value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("no", "no", id="no is a word"),
        pytest.param("on", "on", id="on is a word"),
        pytest.param("012345670123", 12345670123, id="leading zeros are never octal"),
        pytest.param("0o17", 15, id="octal says so"),
        pytest.param("0xff", 255, id="hexadecimal"),
        pytest.param("1_000", "1_000", id="underscores make no number"),
        pytest.param("12:30:45", "12:30:45", id="a time is no base 60"),
        pytest.param("2026-12-01", "2026-12-01", id="a date is text"),
        pytest.param("2012-10-17", "2012-10-17", id="the version of a policy is text"),
        pytest.param("'1'", "1", id="in quotes it is text"),
        pytest.param("!!str 1", "1", id="tagged as text"),
        pytest.param("! 1", "1", id="tagged as no plain scalar"),
        pytest.param("1e3", 1000.0, id="a float"),
        pytest.param("-.5", -0.5, id="a float without a leading zero"),
        pytest.param("+", "+", id="a sign alone"),
        pytest.param(".", ".", id="a dot alone"),
        pytest.param("TRUE", True, id="true in capitals"),
        pytest.param("tRUE", "tRUE", id="true in no way of YAML's"),
        pytest.param("~", None, id="a tilde"),
        pytest.param("", None, id="nothing"),
        pytest.param("=", "=", id="YAML 1.1's default value"),
        pytest.param("[a, {b: c}]", ["a", {"b": "c"}], id="flow style"),
    ],
)
def test_scalars_read_as_yaml_1_2_reads_them(written: str, read: object) -> None:
    assert value(f"x: {written}") == {"x": read}
    assert type(value(f"x: {written}")["x"]) is type(read)  # type: ignore[index]


def test_every_value_and_every_key_knows_its_place() -> None:
    (document,), _ = parse("# note\nunits:\n  Prod:\n    tags: {a: b}\n  list:\n    - one\n    - [two]\n", "u.yaml")

    assert str(document.marks.at("units", "Prod", "tags", "a")) == "u.yaml:4:15"
    assert str(document.marks.key("units", "Prod", "tags", "a")) == "u.yaml:4:12"
    assert str(document.marks.key("units", "Prod")) == "u.yaml:3:3"
    assert str(document.marks.at("units", "list", 1, 0)) == "u.yaml:7:8"
    assert str(document.marks.at("units", "Prod", "nothing", "here")) == "u.yaml:4:5", "the nearest thing around it"
    assert {path for path in document.marks.places if len(path) == 1} == {("units",)}
    assert len(document.marks.places) == 9


def test_aliases_stand_for_values_and_their_places() -> None:
    (document,), problems = parse("a: &x [1, {b: c}]\nd: *x\n", "f.yaml")

    assert problems == []
    assert document.value == {"a": [1, {"b": "c"}], "d": [1, {"b": "c"}]}
    assert str(document.marks.at("d", 1, "b")) == "f.yaml:1:15"


def test_an_alias_may_stand_for_as_much_as_the_limit() -> None:
    items = ", ".join(["x"] * 999)
    fits, too_much = MAX_ALIASED // 1000, MAX_ALIASED // 1000 + 1

    assert parse(f"a: &a [{items}]\nb: [{', '.join(['*a'] * fits)}]\n", "f")[1] == []
    assert len(parse(f"a: &a [{items}]\nb: [{', '.join(['*a'] * too_much)}]\n", "f")[1]) == 1


def test_aliases_cannot_nest_deeper_than_text_can() -> None:
    deep = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [[[[[*a{n - 1}]]]]]\n" for n in range(1, 100))

    (problem,) = parse(deep, "f.yaml")[1]

    assert problem.what == "nested deeper than 64 levels"


def test_anchors_do_not_outlive_their_document() -> None:
    _, problems = parse("a: &x 1\n---\nb: *x\n", "f.yaml")

    assert [(problem.line, problem.what) for problem in problems] == [(3, "*x refers to nothing")]


def test_documents_before_a_syntax_error_are_still_read() -> None:
    documents, problems = parse("a: 1\n---\nb: [\n", "f.yaml")

    assert [document.value for document in documents] == [{"a": 1}]
    assert len(problems) == 1


@pytest.mark.parametrize("written", [".inf", "-.Inf", ".nan", "1e999", "9" * 5000])
def test_numbers_that_json_cannot_write_are_refused(written: str) -> None:
    (problem,) = parse(f"x: {written}", "f.yaml")[1]

    assert (problem.line, problem.column) == (1, 4)
    assert "quotes" in problem.fix
