from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.desired.templates import (
    Json,
    TemplateError,
    fill,
    known,
    problems,
    references,
    render,
    symbol,
    symbols,
)


class Names:
    """An organization with one live unit, one that the same plan creates, one account."""

    def organization_id(self) -> str:
        return "o-a1b2c3d4e5"

    def root_id(self) -> str:
        return "r-ab12"

    def unit_id(self, path: str) -> str:
        return {"/Sports": "ou-ab12-11111111", "/A\\/B": "ou-ab12-22222222", "/New": symbol("unit", "/New", "id")}[path]

    def unit_path(self, path: str) -> str:
        return f"o-a1b2c3d4e5/r-ab12/{self.unit_id(path)}"

    def account_id(self, handle: str) -> str:
        return {"audit": "111122223333"}[handle]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{{ org.id }}", "o-a1b2c3d4e5", id="the organization"),
        pytest.param("{{org.root_id}}", "r-ab12", id="its root, without blanks"),
        pytest.param(
            "{{ unit('/Sports').path }}/*", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*", id="a path without slash"
        ),
        pytest.param('{{ unit("/Sports").id }}', "ou-ab12-11111111", id="double quotes"),
        pytest.param("{{ unit('/A\\/B').id }}", "ou-ab12-22222222", id="a slash within a name"),
        pytest.param("arn:aws:iam::{{ account('audit').id }}:root", "arn:aws:iam::111122223333:root", id="an account"),
        pytest.param("{{ org.id }}/{{ org.root_id }}\n", "o-a1b2c3d4e5/r-ab12\n", id="two, and the text around them"),
        pytest.param("${aws:PrincipalTag/team}", "${aws:PrincipalTag/team}", id="IAM's variables pass through"),
        pytest.param("${aws:username}-{{ org.id }}", "${aws:username}-o-a1b2c3d4e5", id="beside one of ours"),
        pytest.param("a }} b } {", "a }} b } {", id="braces that open nothing"),
    ],
)
def test_names_are_replaced(text: str, expected: str) -> None:
    assert render({"a": [text, 1, None, True]}, Names()) == {"a": [expected, 1, None, True]}


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in [1] %}{% endfor %}",
        "{# a comment #}",
        "{{ org }}",
        "{{ org.name }}",
        "{{ org.__class__ }}",
        "{{ org['id'] }}",
        "{{ org.id | upper }}",
        "{{ org.id ~ 'x' }}",
        "{{ unit('/Sports') }}",
        "{{ unit('/Sports').name }}",
        "{{ unit('/Sports').id.__class__ }}",
        "{{ unit(name).id }}",
        "{{ unit('/Sports', 1).id }}",
        "{{ unit(path='/Sports').id }}",
        "{{ unit(*['/Sports']).id }}",
        "{{ account('audit').path }}",
        "{{ cycler('a').next }}",
        "{{ range(10 ** 9) }}",
        "{{ 'text' }}",
        "{{ 1 }}",
        "{{ " + "9" * 4000 + " }}",
        "{{ " + "(" * 3000 + " }}",
        "{{ " + "x" * 5000 + " }}",
        "{{",
        "{{ }}",
        "{{ unit('/Sports'.id }}",
        symbol("unit", "/Sports", "id"),
    ],
)
def test_anything_else_is_an_error_where_it_stands(text: str) -> None:
    with pytest.raises(TemplateError) as raised:
        render({"Statement": [{"Resource": text}]}, Names())

    assert raised.value.where == ("Statement", 0, "Resource")
    assert [error.where for error in problems({"Statement": [{"Resource": text}]})] == [("Statement", 0, "Resource")]


def test_keys_are_not_rendered() -> None:
    with pytest.raises(TemplateError, match="names are replaced in values only"):
        render({"{{ org.id }}": 1}, Names())


@pytest.mark.parametrize("text", ["{{ unit('/Nowhere').id }}", "{{ account('nobody').id }}"])
def test_a_name_that_does_not_resolve_is_said(text: str) -> None:
    with pytest.raises(TemplateError, match=r"there is no (unit '/Nowhere'|account 'nobody')"):
        render([text], Names())


def test_references_are_found_without_names() -> None:
    content: Json = ["{{ unit('/Sports').path }}", {"a": "{{ account('audit').id }} {{ org.id }}"}]

    assert references(content) == {("unit", "/Sports"), ("account", "audit"), ("org", "")}


def test_what_is_created_by_the_same_plan_stays_a_symbol_until_it_is_filled_in() -> None:
    rendered = json.dumps(render({"a": "{{ unit('/New').path }}/*"}, Names()))

    assert not known(rendered)
    assert symbols(rendered) == {("unit", "/New", "id")}
    filled = fill(rendered, lambda kind, name, attribute: "ou-ab12-99999999")
    assert json.loads(filled) == {"a": "o-a1b2c3d4e5/r-ab12/ou-ab12-99999999/*"}
    assert known(filled)


@given(st.text(min_size=1))
def test_symbols_survive_json_whatever_the_name(name: str) -> None:
    text = json.dumps({"a": f"x{symbol('unit', name, 'path')}y"})

    assert symbols(text) == {("unit", name, "path")}
    assert json.loads(fill(text, lambda *_: "!")) == {"a": "x!y"}


@given(st.text(alphabet="{}%#'\"()[]./\\ aorgunit_id1", max_size=60))
def test_no_text_does_anything_but_render_or_be_refused(text: str) -> None:
    try:
        rendered = render([text], Names())
    except TemplateError as error:
        assert error.where == (0,)
    else:
        assert isinstance(rendered, list)
