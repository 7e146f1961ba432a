"""Values held against botocore's shapes: what a request must be, and what an answer of the sandbox's own must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from controller.sandbox.world import Refused

CODES = {
    "organizations": "InvalidInputException",
    "securityhub": "InvalidInputException",
    "resourcegroupstaggingapi": "InvalidParameterException",
    "sts": "ValidationError",
}
"""Service → error code of a request that is not what its model says; ValidationException for the others."""

UNICODE = {
    "L": r"\w",
    "N": r"\d",
    "M": "\u0300-\u036f",
    "Z": " \u00a0\u2000-\u200a\u2028\u2029\u3000",
    "S": "$+<=>^`|~\u00a1-\u00bf\u2010-\u2bff",
    "P": r"!-#%-*,-/:;?@\[-\]_{}" + "\u00a1-\u00bf\u2010-\u2bff\u3001-\u303f",
}
"""Java's character classes, which Python's `re` lacks, near enough."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """`kind` is Organizations' ``Reason`` for it; ``TYPE``: the value is of another type."""

    path: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def check_request(service: str, shape: Any, parameters: dict[str, Any]) -> None:
    """Refuse a request that lacks a member or whose values the model does not allow."""
    flaw = next(flaws(shape, parameters), None) if shape else None
    if flaw is None:
        return
    if flaw.kind == "TYPE":
        raise Refused("SerializationException", str(flaw), status=400)
    refused = Refused(CODES.get(service, "ValidationException"), str(flaw))
    if service == "organizations":
        refused.fields["Reason"] = flaw.kind
    raise refused


def flaws(shape: Any, value: Any, path: str = "") -> Iterator[Flaw]:
    """All that is wrong with `value` as a `shape`."""
    kind = shape.type_name
    if kind in TYPES and not isinstance(value, TYPES[kind]) and not getattr(shape, "is_document_type", False):
        yield Flaw(path, "TYPE", f"{type(value).__name__} can not be converted to {kind}")
        return
    judge = JUDGES.get(kind)
    if judge:
        yield from judge(shape, value, path)


def without_what_is_empty(shape: Any, value: Any) -> Any:
    """`value` without members that its shape does not require and that hold nothing."""
    if shape.type_name == "list":
        return [without_what_is_empty(shape.member, each) for each in value]
    if shape.type_name != "structure" or shape.is_document_type:
        return value
    required, members = shape.metadata.get("required", ()), shape.members
    return {
        name: without_what_is_empty(members[name], each)
        for name, each in value.items()
        if name in required or each not in ([], {}, "", None)
    }


def _structure(shape: Any, value: Any, path: str) -> Iterator[Flaw]:
    if shape.is_document_type:
        return
    for name in shape.metadata.get("required", ()):
        if value.get(name) is None:
            yield Flaw(f"{path}{name}", "INPUT_REQUIRED", "is required")
    if shape.is_tagged_union and sum(each is not None for each in value.values()) != 1:
        yield Flaw(path.rstrip("."), "INPUT_REQUIRED", f"has one of {', '.join(shape.members)}, and no other")
    for name, each in value.items():
        if name not in shape.members:
            yield Flaw(f"{path}{name}", "INPUT_REQUIRED", f"is no member of {shape.name}")
        elif each is not None:
            member = shape.members[name]
            yield from flaws(member, each, f"{path}{name}" + ("." if member.type_name == "structure" else ""))


def _list(shape: Any, value: Any, path: str) -> Iterator[Flaw]:
    yield from _size(shape, len(value), path, "LENGTH", "items")
    for number, each in enumerate(value):
        yield from flaws(
            shape.member, each, f"{path}[{number}]" + ("." if shape.member.type_name == "structure" else "")
        )


def _map(shape: Any, value: Any, path: str) -> Iterator[Flaw]:
    yield from _size(shape, len(value), path, "LENGTH", "entries")
    for key, each in value.items():
        yield from flaws(shape.key, key, f"{path} key")
        yield from flaws(shape.value, each, f"{path}[{key}]" + ("." if shape.value.type_name == "structure" else ""))


def _string(shape: Any, value: Any, path: str) -> Iterator[Flaw]:
    yield from _size(shape, len(value), path, "LENGTH", "characters")
    if shape.enum and value not in shape.enum:
        kind = "INVALID_ENUM_POLICY_TYPE" if shape.name == "PolicyType" else "INVALID_ENUM"
        yield Flaw(path, kind, f"{value!r} is none of {', '.join(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        yield Flaw(path, "INVALID_PATTERN", f"You provided a value that does not match the required pattern {pattern}")


def _number(shape: Any, value: Any, path: str) -> Iterator[Flaw]:
    yield from _size(shape, value, path, "VALUE", "")


def _size(shape: Any, size: float, path: str, what: str, unit: str) -> Iterator[Flaw]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield Flaw(path, f"MIN_{what}_EXCEEDED", f"{size} {unit}".rstrip() + f" is less than {least}")
    if most is not None and size > most:
        yield Flaw(path, f"MAX_{what}_EXCEEDED", f"{size} {unit}".rstrip() + f" is more than {most}")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    # Models write ^a|b$ and mean ^(a|b)$, as a full match does.
    bare = text.removeprefix("^").removesuffix("$")
    return re.compile(re.sub(r"\\p\{(\w)\}", lambda found: _class(found, bare), bare), re.DOTALL)


def _class(found: re.Match[str], text: str) -> str:
    """The characters of ``\\p{L}``, in brackets of their own where it stands outside any."""
    inside = text.count("[", 0, found.start()) > text.count("]", 0, found.start())
    return UNICODE[found[1]] if inside else f"[{UNICODE[found[1]]}]"


TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "list": (list, tuple),
    "map": dict,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
}
"""Kind of shape → what its values are in Python; timestamps come in several."""

JUDGES = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "double": _number,
    "float": _number,
}
