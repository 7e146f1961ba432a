"""From plain values to a document's model; what does not fit is said in words, each at its place."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from controller.desired.documents import MODELS
from controller.desired.documents.base import PATTERNS, DocumentModel
from controller.desired.marks import KEPT, Cuts, Mark, Marks, Node, Path, cuts
from controller.desired.nearest import did_you_mean
from controller.desired.yaml12 import RawDocument
from controller.errors import Problem

RESERVED = {
    "deleted": "A thing of this kind is not deleted by orgctl; take its line away.",
    "released": "A thing of this kind carries no tag of orgctl's; take its line away.",
    "external": "A thing of this kind has no name that others use; take its line away.",
    "formerly": "A thing of this kind is not renamed.",
}
_FREE = ("content", "inline_policy")
"""Keys under which AWS's own grammar begins."""
_ATTEMPTS = 4
HIDDEN = "this value"
"""People's contact data stays out of messages."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A document as its model, as far as it fits.

    Attributes:
        model: None where nothing usable is left.
        node: The places in what is left.
        problems: All that did not fit.
        cut: The places around what was left out: no further complaint is due there.
    """

    model: DocumentModel | None
    node: Node
    problems: tuple[Problem, ...] = ()
    cut: frozenset[Mark] = frozenset()


def shape(raw: RawDocument, model: type[DocumentModel], text: str) -> Shaped:
    """The document as `model`.

    What does not fit is cut out and the rest tried again, so that one slip does not hide the document's other names.

    Args:
        text: The file's, for quoting what was written.
    """
    draft = _Draft(raw.value, raw.node)
    nulls = list(_nulls(raw.value, (), model.__name__)) if model in MODELS else []
    problems = [_null_problem(path, raw.marks.at(*path)) for path in nulls]
    draft.drop(nulls)
    for attempt in range(_ATTEMPTS):
        try:
            left = model.model_validate(draft.value)
            return Shaped(left, draft.node, tuple(problems), frozenset(draft.cut))
        except ValidationError as error:
            details = error.errors(include_url=False)
            if attempt == 0:
                quiet, marks, lines = set(nulls), Marks.of(draft.node), text.split("\n")
                told = [detail for detail in details if detail["loc"] not in quiet]
                problems += [_problem(detail, model, marks, lines) for detail in told]
            draft.drop([_culprit(detail) for detail in details])
    return Shaped(None, draft.node, tuple(problems), frozenset(draft.cut))


@dataclass(slots=True)
class _Draft:
    """What is left of a document."""

    value: Any
    node: Node
    cut: set[Mark] = field(default_factory=set)

    def drop(self, paths: Iterable[Path]) -> None:
        paths = set(paths)
        marks = Marks.of(self.node)
        for path in paths:
            for length in range(len(path) + 1):
                self.cut |= {marks.at(*path[:length]), marks.key(*path[:length])}
        if () in paths:
            self.value = None
        elif paths:
            away = cuts(paths)
            self.value, self.node = _without(self.value, away), self.node.without(away)


def dotted(path: Path) -> str:
    """``accounts.payments-prod.tags`` or ``assignments[2].targets``, as people read it."""
    steps = (f"[{step}]" if isinstance(step, int) else step if step.isprintable() else repr(step) for step in path)
    return re.sub(r"\.\[", "[", ".".join(steps))


def _nulls(value: Any, path: Path, document: str) -> Iterator[Path]:
    """Every null but an OU without attributes and what stands in a policy's own grammar."""
    if value is None:
        if path and not (document == "OrganizationalUnits" and len(path) % 2 == 0 and path[-2] == "units"):
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            if not (key in _FREE and not path and item is not None):
                yield from _nulls(item, (*path, key), document)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nulls(item, (*path, index), document)


def _null_problem(path: Path, mark: Mark) -> Problem:
    fix = "Leave the key out (not managed), or write [] or {} (managed and empty)."
    return Problem(mark.file, mark.line, mark.column, f"{dotted(path)}: there is no value", fix)


def _without(value: Any, away: Cuts | None) -> Any:
    """A copy without what is to go; shares all the rest."""
    if away and isinstance(value, dict):
        kept = {key: item for key, item in value.items() if away.get(key, KEPT) is not None}
        return {key: _without(item, away.get(key)) for key, item in kept.items()}
    if away and isinstance(value, list):
        left = [(index, item) for index, item in enumerate(value) if away.get(index, KEPT) is not None]
        return [_without(item, away.get(index)) for index, item in left]
    return value


def _location(detail: ErrorDetails) -> tuple[Path, bool]:
    """The error's path, and whether it is about the key there rather than the value."""
    loc = tuple(detail["loc"])
    return (loc[:-1], True) if loc and loc[-1] == "[key]" else (loc, False)


def _culprit(detail: ErrorDetails) -> Path:
    """What to cut: the value; or what lacks a key."""
    path, _ = _location(detail)
    return path[:-1] if detail["type"] == "missing" else path


def _problem(detail: ErrorDetails, model: type[BaseModel], marks: Marks, lines: Sequence[str]) -> Problem:
    path, of_key = _location(detail)
    at_key = of_key or detail["type"] == "extra_forbidden"
    mark = marks.key(*path) if at_key else marks.key(*path[:-1]) if detail["type"] == "missing" else marks.at(*path)
    what, fix = words(detail, path, model, HIDDEN if "contacts" in path else _written(lines, mark))
    return Problem(mark.file, mark.line, mark.column, what, fix)


def words(detail: ErrorDetails, path: Path, model: type[BaseModel], written: str) -> tuple[str, str]:
    """What and fix, for a person who knows YAML and not pydantic."""
    name, context = dotted(path), detail.get("ctx", {})
    around = dotted(path[:-1]) or "the document"
    match detail["type"]:
        case "extra_forbidden":
            known = _keys(model, path[:-1])
            last = str(path[-1])
            listed = f"Known here: {', '.join(known)}." if known else "Remove it."
            return f"{around}: unknown key {last!r}", RESERVED.get(last) or did_you_mean(last, known, listed)
        case "missing":
            return f"{around}: the key {str(path[-1])!r} is missing", _example(model, path)
        case "literal_error":
            expected = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            listed = f"It is {context.get('expected')}."
            return f"{name}: {_shown(detail)} is not known here", did_you_mean(str(detail["input"]), expected, listed)
        case "string_type":
            return f"{name}: {_kind(detail['input'], written)}, not text", _quoted(detail["input"], written)
        case "string_pattern_mismatch":
            return f"{name}: {_shown(detail)} is not {PATTERNS.get(context['pattern'], 'well formed')}", ""
        case "string_too_short":
            return f"{name}: it is empty or too short", f"At least {_count(context['min_length'], 'character')}."
        case "string_too_long":
            length = len(str(detail["input"]))
            return f"{name}: {length} characters; the limit is {context['max_length']}", "Shorten it."
        case "too_long":
            return f"{name}: {context['actual_length']} entries; the limit is {context['max_length']}", "Remove some."
        case "too_short":
            return f"{name}: it is empty", f"At least {_count(context['min_length'], 'entry', 'entries')}."
        case "timezone_aware" | "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing":
            fix = "Write it as in 2026-12-01T18:00:00Z."
            return f"{name}: {_shown(detail)} is not a time with an offset (RFC 3339)", fix
        case kind if kind in _EXPECTED:
            expected_kind, fix = _EXPECTED[kind]
            return f"{name or 'the document'}: {_kind(detail['input'], written)}, not {expected_kind}", fix
        case _:
            given = "" if "contacts" in path else f"It is {_shown(detail)}."
            return f"{name or 'the document'}: {detail['msg'].removeprefix('Value error, ')}", given


_EXPECTED = {
    "list_type": ("a list", "Write it as [one, two], or a line '- one' for each."),
    "dict_type": ("a mapping", "Write it as 'key: value' lines, or {}."),
    "model_type": ("a mapping", "Write it as 'key: value' lines, or {}."),
    "model_attributes_type": ("a mapping", "Write it as 'key: value' lines, or {}."),
    "bool_type": ("true or false", "Write true or false, without quotes."),
    "int_type": ("a whole number", "Write digits, without quotes."),
    "float_type": ("a number", "Write digits, without quotes."),
}


def _kind(value: object, written: str) -> str:
    match value:
        case bool():
            return f"{written or str(value).lower()} is a boolean"
        case int() | float():
            return f"{written or value} is a number"
        case str():
            return f"{HIDDEN if written == HIDDEN else repr(value[:60])} is text"
        case list():
            return "this is a list"
        case None:
            return "there is no value"
        case _:
            return "this is a mapping"


def _quoted(value: object, written: str) -> str:
    if isinstance(value, bool | int | float) and written not in ("", HIDDEN):
        return f'Write it in quotes: "{written}".'
    return "Write text, in quotes where it looks like something else."


def _written(lines: Sequence[str], mark: Mark) -> str:
    """The plain scalar at a place, as it was typed: what was read as a number has lost its leading zeros."""
    line = lines[mark.line - 1] if 0 < mark.line <= len(lines) else ""
    found = re.match(r"[^\s,\]}:'\"{\[&*!#]+", line[mark.column - 1 :])
    return found[0][:60] if found else ""


def _shown(detail: ErrorDetails) -> str:
    value = detail["input"]
    if "contacts" in detail["loc"]:
        return HIDDEN
    return repr(value[:60]) if isinstance(value, str) else str(value)[:60]


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand at `path`."""
    found = _model_at(model, path)
    return [] if found is None else [*found.model_fields]


def _example(model: type[BaseModel], path: Path) -> str:
    found = _model_at(model, path[:-1])
    field = None if found is None else found.model_fields.get(str(path[-1]))
    if field is None or not field.examples:
        return "Add it."
    return f"For example {path[-1]}: {field.examples[0]}" if isinstance(field.examples[0], str) else "Add it."


def _model_at(annotation: Any, path: Path) -> type[BaseModel] | None:
    """The model whose fields are the keys at `path`; None inside of free content."""
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return annotation
        field = annotation.model_fields.get(str(path[0]))
        return None if field is None else _model_at(field.annotation, path[1:])
    if path and get_origin(annotation) in (dict, list, Mapping):
        return _model_at(get_args(annotation)[-1], path[1:])
    return None


def _bare(annotation: Any) -> Any:
    """Without Annotated and without None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            rest = [part for part in get_args(annotation) if part is not types.NoneType]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation
