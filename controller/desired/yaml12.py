"""YAML text to plain values, each with its place. Scalars read as YAML 1.2's core schema reads them.

libyaml's C parser makes the events and this module builds the values from them: nothing here recurses and nothing is
constructed by tag, so no text can exhaust the stack, the memory, or make an object. YAML 1.2.2, chapter 10.3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, Union

import yaml

from controller.desired.marks import Marks, Node
from controller.errors import Problem

Value: TypeAlias = Union[bool, int, float, str, list["Value"], dict[str, "Value"], None]  # noqa: UP007 recursive

MAX_DEPTH = 64
"""Levels of nesting. The format needs a dozen; backup policies, the deepest of AWS's documents, no more."""
MAX_ALIASED = 50_000
"""Values that all aliases of a file may stand for together. Sharing lists needs hundreds, an alias bomb billions."""

# The wheels of PyYAML come with libyaml; without it the same events come slowly.
_Parser = getattr(yaml, "CLoader", yaml.Loader)
_CORE = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
_LONGEST_INT = 4000
_SKIP = object()


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One document as plain values, before anything is known of its kind."""

    value: Value
    node: Node

    @property
    def marks(self) -> Marks:
        return Marks.of(self.node)


def parse(text: str, file: str) -> tuple[list[RawDocument], list[Problem]]:
    """Every document of a file, and all that is wrong with it as YAML.

    After a syntax error only the documents before it are there. Never raises.
    """
    builder = _Builder(file)
    try:
        _drive(_Parser(text), builder)
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_syntax_problem(error, text, file))
    except (yaml.YAMLError, UnicodeError) as error:
        builder.problems.append(Problem(file, 1, 1, f"this is not YAML: {error}"))
    except _GiveUp:
        pass
    return builder.documents, builder.problems


def plain(text: str) -> Value:
    """What an unquoted scalar means in YAML 1.2's core schema.

    Raises:
        ValueError: A number that JSON has no way to write.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INT.match(text):
        if len(text) > _LONGEST_INT:
            raise ValueError("a number with thousands of digits")
        return int(text)
    if _OCTAL.match(text):
        return int(text[2:], 8)
    if _HEX.match(text):
        return int(text[2:], 16)
    if _NOT_FINITE.match(text) or (_FLOAT.match(text) and not math.isfinite(float(text))):
        raise ValueError("not a number that JSON can write")
    return float(text) if _FLOAT.match(text) else text


class _GiveUp(Exception):
    """The rest of the file is not worth reading; why is among the problems."""


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    value: Any
    node: Node
    anchor: str | None
    key: Any = None
    key_node: Node | None = None


def _drive(parser: Any, builder: _Builder) -> None:
    while True:
        event = parser.get_event()
        match event:
            case yaml.ScalarEvent():
                builder.scalar(event)
            case yaml.MappingStartEvent():
                builder.open({}, event, "map")
            case yaml.SequenceStartEvent():
                builder.open([], event, "seq")
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                builder.close()
            case yaml.AliasEvent():
                builder.alias(event)
            case yaml.DocumentStartEvent():
                builder.start()
            case yaml.StreamEndEvent() | None:
                return


@dataclass(slots=True)
class _Builder:
    file: str
    documents: list[RawDocument] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, Node] | None] = field(default_factory=dict)
    """name → value; None while the anchored collection is still open."""
    aliased: int = 0

    def start(self) -> None:
        self.stack.clear()
        self.anchors.clear()

    def scalar(self, event: yaml.ScalarEvent) -> None:
        node = self.node(event)
        value = self.meaning(event, node)
        node.plain = event.implicit[0] and event.tag is None
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, node)
        self.add(value, node)

    def open(self, value: Any, event: Any, core: str) -> None:
        node = self.node(event)
        if event.tag not in (None, "!", _CORE + core):
            self.refuse_tag(event.tag, node)
        if len(self.stack) >= MAX_DEPTH:
            self.problem(node, f"nested deeper than {MAX_DEPTH} levels", "Nothing in the format is: flatten it.")
            raise _GiveUp
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node.fields, node.items = ({}, None) if core == "map" else (None, [])
        self.stack.append(_Open(value, node, event.anchor))

    def close(self) -> None:
        done = self.stack.pop()
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.value, done.node)
        self.add(done.value, done.node)

    def alias(self, event: yaml.AliasEvent) -> None:
        node, name = self.node(event), event.anchor
        if name not in self.anchors:
            self.problem(node, f"*{name} refers to nothing", f"Give a value before it the anchor &{name}.")
            self.add(None, node)
            return
        target = self.anchors[name]
        if target is None:
            self.problem(node, f"*{name} stands inside &{name}: a cycle without an end", "Write the value out.")
            self.add(None, node)
            return
        self.aliased += target[1].size
        if self.aliased > MAX_ALIASED:
            self.problem(
                node,
                f"the aliases of this file stand for more than {MAX_ALIASED:,} values",
                "Write the values out, or split the file.",
            )
            raise _GiveUp
        if len(self.stack) + target[1].height > MAX_DEPTH:
            self.problem(node, f"nested deeper than {MAX_DEPTH} levels", "Nothing in the format is: flatten it.")
            raise _GiveUp
        self.add(*target)

    def add(self, value: Any, node: Node) -> None:
        """Put a finished value where it belongs: the document, a list, a mapping's key or a mapping's value."""
        if not self.stack:
            self.documents.append(RawDocument(value, node))
            return
        top = self.stack[-1]
        top.node.size += node.size
        top.node.height = max(top.node.height, node.height + 1)
        if top.node.items is not None:
            top.value.append(value)
            top.node.items.append(node)
        elif top.key_node is None:
            top.key, top.key_node = self.key(value, node, top.node), node
        else:
            if top.key is not _SKIP and top.node.fields is not None:
                top.value[top.key] = value
                top.node.fields[top.key] = (top.key_node, node)
            top.key = top.key_node = None

    def key(self, value: Any, node: Node, mapping: Node) -> Any:
        """The key, or `_SKIP` where it is none and its value goes nowhere."""
        if not isinstance(value, str):
            scalar = not isinstance(value, list | dict)
            what = f"{_kind(value)}, not text" if scalar else "a list or mapping"
            self.problem(node, f"this key is {what}", "Put the key in quotes." if scalar else "A key is plain text.")
            return _SKIP
        if value == "<<" and node.plain:
            self.problem(node, "merge keys ('<<') are not part of YAML 1.2", "Write the keys out.")
            return _SKIP
        first = (mapping.fields or {}).get(value)
        if first is not None:
            self.problem(
                node,
                f"the key {value[:60]!r} stands here twice (first in line {first[0].line})",
                "Keep one of the two.",
            )
            return _SKIP
        return value

    def meaning(self, event: yaml.ScalarEvent, node: Node) -> Value:
        text = str(event.value)
        try:
            match event.tag:
                case None:
                    return plain(text) if event.implicit[0] else text
                case "!":
                    return text
                case tag if tag.startswith(_CORE) and tag.removeprefix(_CORE) in (
                    "str",
                    "null",
                    "bool",
                    "int",
                    "float",
                ):
                    return self.tagged(text, tag.removeprefix(_CORE), node)
                case tag:
                    self.refuse_tag(tag, node)
        except ValueError as error:
            self.problem(node, f"{text[:40]!r} is {error}", "Put it in quotes if it is meant as text.")
        return text

    def tagged(self, text: str, name: str, node: Node) -> Value:
        value = text if name == "str" else plain(text)
        if name != "str" and _kind(value) != _KINDS[name]:
            self.problem(node, f"{text[:40]!r} is not a !!{name}", "Drop the tag.")
        return value

    def refuse_tag(self, tag: str, node: Node) -> None:
        name = tag.replace(_CORE, "!!")
        self.problem(
            node, f"the tag {name} is not allowed here", "Drop it: values are plain text, numbers, lists and maps."
        )

    def node(self, event: Any) -> Node:
        mark = event.start_mark
        return Node(self.file, mark.line + 1, mark.column + 1)

    def problem(self, node: Node, what: str, fix: str) -> None:
        self.problems.append(Problem(node.file, node.line, node.column, what, fix))


_KINDS = {"null": "null", "bool": "a boolean", "int": "a number", "float": "a number"}


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case _:
            return "text"


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(file, 1, 1, f"this is not YAML: {error.problem}")
    said = str(error.problem or error.context or "unreadable")
    what, fix = next(_explanations(said, _character(text, mark.line, mark.column)), (f"this is not YAML: {said}", ""))
    if error.context and error.context_mark is not None:
        begun = f"{error.context_mark.line + 1}:{error.context_mark.column + 1}"
        what += f" ({error.context}, begun at {begun})"
    return Problem(file, mark.line + 1, mark.column + 1, what, fix)


def _explanations(said: str, character: str) -> Iterator[tuple[str, str]]:
    """libyaml's words in ours, with advice."""
    if "cannot start any token" in said:
        if character == "\t":
            yield "a tab cannot indent YAML", "Indent with spaces."
        yield f"{character!r} cannot begin a value", "Put the value in quotes."
    if "mapping values are not allowed" in said:
        yield "a ':' where no key can stand", "Put a value that holds ': ' in quotes, or correct the indentation."
    if "unexpected end of stream" in said or "did not find expected node content" in said:
        yield "the file ends, or goes on, in the middle of a value", "Close the quote or bracket that was opened."
    if "expected ',' or" in said:
        yield "a ',' or the closing bracket is missing", "Close the bracket, or put a ',' between the entries."
    if "expected ':'" in said:
        yield "a key without its ':'", "Write 'key: value', or correct the indentation."
    if "did not find expected key" in said or "block end" in said or "'-' indicator" in said:
        yield "this line does not fit the ones above", "Correct the indentation; quote values with special characters."
    if "undefined tag handle" in said:
        yield "an unknown tag", "Put a value that begins with '!' in quotes."


def _character(text: str, line: int, column: int) -> str:
    lines = text.split("\n", line + 1)
    return lines[line][column : column + 1] if line < len(lines) else ""
