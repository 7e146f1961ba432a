"""Names of the organization in policy content: ``{{ unit('/Workloads').path }}`` and the few others there are.

Content is rendered after it was parsed, each string on its own, so that nothing a name stands for can change the
shape of a document. Jinja2 only reads the expressions; what it read is looked up in a table, never executed.

Ids of things that the same plan creates are *symbols*: text such as ``<orgctl unit.id /Sports>`` that stays in the
content until apply knows the id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias, Union
from urllib.parse import quote, unquote

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

Json: TypeAlias = Union[bool, int, float, str, list["Json"], dict[str, "Json"], None]  # noqa: UP007 recursive
Where: TypeAlias = tuple[str | int, ...]
Reference: TypeAlias = tuple[str, str, str]
"""kind (``org``, ``unit``, ``account``), name ("" for the organization), attribute."""

ATTRIBUTES = {"org": ("id", "root_id"), "unit": ("id", "path"), "account": ("id",)}
ALLOWED = (
    "{{ org.id }}, {{ org.root_id }}, {{ unit('/Path').id }}, {{ unit('/Path').path }} and {{ account('handle').id }}"
)


class Names(Protocol):
    """What the names stand for. Each may answer with a symbol, and raises KeyError where nothing resolves."""

    def organization_id(self) -> str: ...

    def root_id(self) -> str: ...

    def unit_id(self, path: str) -> str: ...

    def unit_path(self, path: str) -> str:
        """``o-…/r-…/ou-…``, without a trailing slash."""

    def account_id(self, handle: str) -> str: ...


class TemplateError(Exception):
    """One string that cannot be rendered: `where` it stands in the content, and `why`, for people."""

    def __init__(self, where: Where, why: str) -> None:
        self.where, self.why = where, why
        super().__init__(why)


def render(content: Json, names: Names) -> Json:
    """The content with every name replaced.

    Raises:
        TemplateError: For the first string that holds anything but the few expressions, or a name that is unknown.
    """
    return _render(content, names, ())


def references(content: Json) -> set[tuple[str, str]]:
    """What the content names: ``{("unit", "/Sports"), ("account", "audit"), ("org", "")}``.

    Raises:
        TemplateError: As `render`.
    """
    return {(kind, name) for _, (kind, name, _) in located(content)}


def located(content: Json) -> Iterator[tuple[Where, Reference]]:
    """Every reference with where it stands."""
    for where, text in _strings(content, ()):
        for piece in _pieces(text, where):
            if not isinstance(piece, str):
                yield where, piece


def problems(content: Json) -> Iterator[TemplateError]:
    """Every string that holds anything but the few expressions; names are not looked up."""
    for where, text in _strings(content, (), keys=True):
        try:
            _pieces(text, where)
        except TemplateError as error:
            yield error


# Symbols. ASCII without quotes, backslashes or spaces in names, so that JSON encoding leaves them alone; `render`
# refuses content that already holds one, so that nobody can write one by hand.

_OPEN = "<orgctl "
_SYMBOL = re.compile(r"<orgctl ([a-z]+)\.([a-z_]+) ([^ <>]*)>")


def symbol(kind: str, name: str, attribute: str) -> str:
    """Text that stands for an attribute known only after create: ``symbol("unit", "/Sports", "id")``."""
    return f"{_OPEN}{kind}.{attribute} {quote(name, safe='/@')}>"


def symbols(text: str) -> set[tuple[str, str, str]]:
    """The (kind, name, attribute) of every symbol in the text, which may be JSON."""
    return {_meaning(match) for match in _SYMBOL.finditer(text)}


def fill(text: str, lookup: Callable[[str, str, str], str]) -> str:
    """The text with each symbol replaced by ``lookup(kind, name, attribute)``; what that raises passes through."""
    return _SYMBOL.sub(lambda match: lookup(*_meaning(match)), text)


def known(text: str) -> bool:
    """Whether nothing in the text waits for a create."""
    return _SYMBOL.search(text) is None


def _meaning(match: re.Match[str]) -> tuple[str, str, str]:
    kind, attribute, name = match.groups()
    return kind, unquote(name), attribute


def _render(content: Json, names: Names, where: Where) -> Json:
    match content:
        case str():
            return "".join(
                piece if isinstance(piece, str) else _resolve(piece, names, where) for piece in _pieces(content, where)
            )
        case list():
            return [_render(item, names, (*where, index)) for index, item in enumerate(content)]
        case dict():
            for key in content:
                _check_key(key, where)
            return {key: _render(value, names, (*where, key)) for key, value in content.items()}
        case _:
            return content


def _resolve(reference: Reference, names: Names, where: Where) -> str:
    kind, name, attribute = reference
    try:
        match kind, attribute:
            case "org", "id":
                return names.organization_id()
            case "org", _:
                return names.root_id()
            case "unit", "id":
                return names.unit_id(name)
            case "unit", _:
                return names.unit_path(name)
            case _:
                return names.account_id(name)
    except KeyError:
        raise TemplateError(
            where, f"there is no {kind} {name!r}" if name else f"{kind}.{attribute} is unknown"
        ) from None


def _strings(content: Json, where: Where, *, keys: bool = False) -> Iterator[tuple[Where, str]]:
    match content:
        case str():
            yield where, content
        case list():
            for index, item in enumerate(content):
                yield from _strings(item, (*where, index), keys=keys)
        case dict():
            for key, value in content.items():
                if keys and _TEMPLATE.search(key):
                    yield where, key
                yield from _strings(value, (*where, key), keys=keys)


# Reading expressions.

TEMPLATED = re.compile(r"\{\{|\$\{")
"""In text that is not what AWS gets to see, or to compare: a name of ours, or a variable of IAM's."""
_TEMPLATE = re.compile(r"\{[{%#]")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LONGEST = 4096
_syntax = ImmutableSandboxedEnvironment(keep_trailing_newline=True)
_syntax.globals.clear()


def _check_key(key: str, where: Where) -> None:
    if _TEMPLATE.search(key):
        raise TemplateError(where, f"the key {key!r} holds an expression; names are replaced in values only")


def _pieces(text: str, where: Where) -> list[str | Reference]:
    """Plain text and references in turn."""
    if _OPEN in text:
        raise TemplateError(where, f"{_OPEN!r} is reserved: it marks ids that are known only after create")
    if not _TEMPLATE.search(text):
        return [text]
    pieces: list[str | Reference] = []
    for node in _parse(text, where).body:
        if not isinstance(node, nodes.Output):
            raise TemplateError(where, f"not an expression; there are {ALLOWED}")
        pieces += [
            item.data if isinstance(item, nodes.TemplateData) else _reference(item, where) for item in node.nodes
        ]
    return pieces


def _parse(text: str, where: Where) -> nodes.Template:
    if "{%" in text or "{#" in text:
        raise TemplateError(
            where, f"statements and comments ('{{% %}}', '{{# #}}') are not allowed; there are {ALLOWED}"
        )
    if text.rfind("}}") < text.rfind("{{"):  # so the searches below need not look for an end that never comes
        raise TemplateError(where, f"not a valid expression ('{{{{' without its '}}}}'); there are {ALLOWED}")
    # `\/` in a path is orgctl's way to write a slash within a name; in a Jinja string a backslash needs its double.
    source = _EXPRESSION.sub(lambda match: re.sub(r"(?<!\\)\\/", r"\\\\/", match[0]), text)
    try:
        if max((len(match[0]) for match in _EXPRESSION.finditer(text)), default=0) > _LONGEST:
            raise TemplateError(where, f"an expression is longer than {_LONGEST} characters")
        return _syntax.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(where, f"not a valid expression ({error.message}); there are {ALLOWED}") from None
    except (ValueError, RecursionError):
        raise TemplateError(where, f"not a valid expression; there are {ALLOWED}") from None


def _reference(node: nodes.Node, where: Where) -> Reference:
    match node:
        case nodes.Getattr(node=nodes.Name(name="org"), attr=str(attribute)) if attribute in ATTRIBUTES["org"]:
            return "org", "", attribute
        case nodes.Getattr(
            node=nodes.Call(
                node=nodes.Name(name=str(kind)),
                args=[nodes.Const(value=str(name))],
                kwargs=[],
                dyn_args=None,
                dyn_kwargs=None,
            ),
            attr=str(attribute),
        ) if kind in ("unit", "account") and attribute in ATTRIBUTES[kind]:
            return kind, name, attribute
        case _:
            raise TemplateError(where, f"not one of the names there are: {ALLOWED}")
