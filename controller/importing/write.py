"""Plain values to YAML as a person writes it: short things on one line, quotes where they are needed, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.desired import yaml12

WIDTH = 120
"""Characters of a line; a scalar that is longer stays whole."""
_FLOW_HEIGHT = 2
_FLOW_ITEMS = 4
_PLAIN = re.compile(r"[^\W\d_][\w/.@+=*%()~^;$<> :,'-]*|/[\w/.@+=*()-]*")
_FLOW_BREAKS = frozenset(",[]{}")
_OTHER_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Words that YAML 1.1 reads as something else; orgctl does not, but other tools may read the files as well."""


class Block(dict[str, Any]):
    """A mapping that is never written on one line."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value with a comment beside it."""

    value: Any
    comment: str


def document(value: Mapping[str, Any], *, above: str = "") -> str:
    """One document; `above` is a comment of one or more lines before it."""
    return comment(above) + "".join(f"{line}\n" for line in _pairs(value, 0))


def comment(text: str) -> str:
    """Lines of comment, nothing in them that could end the comment."""
    return "".join(f"# {printable(line)}".rstrip() + "\n" for line in text.splitlines())


def printable(text: str) -> str:
    """Text for a comment or a terminal: what does not print is shown as its escape."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def plain(value: Any) -> Any:
    """The value without its comments: what a parser has to find."""
    if isinstance(value, Said):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def survives(value: Any) -> bool:
    """Whether a parser finds exactly this value again in what is written."""
    documents, problems = yaml12.parse(document({"value": value}), "")
    return not problems and len(documents) == 1 and _same(documents[0].value, {"value": plain(value)})


def scalar(value: Any, *, flow: bool = False) -> str:
    """One scalar; `flow`: where brackets and commas mean something."""
    if isinstance(value, str):
        return value if _is_plain(value, flow) else quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else repr(value)


def quoted(text: str) -> str:
    """In quotes, on one line: in single ones where those take fewer escapes."""
    if text.isprintable() and text.count('"') + text.count("\\") > text.count("'"):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escape(c) if c in '"\\' or not c.isprintable() else c for c in text) + '"'


def _key(text: str, *, flow: bool = False) -> str:
    """A key; in quotes where it holds a colon, which is right without them and hard to read."""
    return quoted(text) if ":" in text else scalar(text, flow=flow)


def _same(one: Any, other: Any) -> bool:
    """Equality that tells ``true`` from ``1`` and knows the order of keys."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _is_plain(text: str, flow: bool) -> bool:
    if not _PLAIN.fullmatch(text) or text.casefold() in _OTHER_YAML or not text.isprintable():
        return False
    if text != text.strip() or ": " in text or text.endswith(":") or (flow and _FLOW_BREAKS & set(text)):
        return False
    try:
        return yaml12.plain(text) == text
    except ValueError:
        return False


def _escape(character: str) -> str:
    known = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    if known is not None:
        return known
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _pairs(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, item in value.items():
        item, beside = _opened(item)
        head = f"{pad}{_key(key)}:"
        short = "" if item is None else _on_one_line(item, len(head) + 1)
        if short is not None:
            yield f"{head} {short}".rstrip() + beside
        else:
            yield head + beside
            yield from _below(item, indent + 2)


def _items(value: list[Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for item in value:
        item, beside = _opened(item)
        short = _on_one_line(item, indent + 2)
        if short is not None:
            yield f"{pad}- {short}{beside}"
            continue
        first, *rest = _below(item, indent + 2)
        yield f"{pad}- {first.lstrip()}{beside}"
        yield from rest


def _below(value: Any, indent: int) -> Iterator[str]:
    return _pairs(value, indent) if isinstance(value, Mapping) else _items(value, indent)


def _opened(value: Any) -> tuple[Any, str]:
    """A value, and the comment that goes beside it."""
    return (value.value, f"  # {printable(value.comment)}") if isinstance(value, Said) else (value, "")


def _on_one_line(value: Any, used: int) -> str | None:
    """The value as it fits into the rest of a line; None where it takes lines of its own."""
    if not isinstance(value, Mapping | list):
        return scalar(value)
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    if isinstance(value, Block) or not _is_small(value, _FLOW_HEIGHT):
        return None
    text = _flow(value)
    return text if used + len(text) <= WIDTH else None


def _is_small(value: Any, height: int) -> bool:
    if isinstance(value, Said | Block):
        return False
    if isinstance(value, Mapping):
        return height > 0 and len(value) <= _FLOW_ITEMS and all(_is_small(item, height - 1) for item in value.values())
    if isinstance(value, list):
        return height > 0 and not any(isinstance(item, Mapping | list | Said) for item in value)
    return True


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key, flow=True)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value, flow=True)
