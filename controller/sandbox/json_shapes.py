"""JSON of botocore's shapes, read and written by functions that are made once for each shape.

moto's parsers and serializers look every member up in the model each time, which is most of what a large answer costs.
They remain the reference: what is made here is, byte for byte, what they make (`tests/sandbox/test_json_shapes.py`),
and what stands outside the body, or is binary, is left to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from moto.core.model import OperationModel
from moto.core.serialize import BaseJSONSerializer, TimestampSerializer

Convert = Callable[[Any], Any]

PLAIN = ("string", "boolean")
NUMBERS: dict[str, Convert] = {"integer": int, "long": int, "float": float, "double": float}

_timestamps = TimestampSerializer(BaseJSONSerializer.DEFAULT_TIMESTAMP_FORMAT)
_timestamp = lru_cache(maxsize=65_536)(_timestamps._convert_timestamp_to_str)


class Unreadable(Exception):
    """A value is of another type than its shape."""


@cache
def writer(operation: OperationModel) -> Callable[[Any], str] | None:
    """Makes the body of an operation's answer from its result; None: moto has to."""
    shape = operation.output_shape
    if shape is None or not _in_the_body(shape):
        return None
    convert = _written(shape)
    return lambda result: json.dumps(convert(result))


@cache
def reader(operation: OperationModel) -> Callable[[bytes], dict[str, Any]] | None:
    """Makes an operation's parameters from a request's body; raises ValueError or Unreadable. None: moto has to."""
    shape = operation.input_shape
    if shape is None or not _in_the_body(shape):
        return None
    convert = _read(shape)

    def read(body: bytes) -> dict[str, Any]:
        parameters: dict[str, Any] = convert(json.loads(body) if body else {})
        return parameters

    return read


def _in_the_body(shape: Any) -> bool:
    """Whether all of a structure is in the body, and none of it binary or an open document."""
    bound = any("location" in member.serialization for member in shape.members.values())
    return not bound and "payload" not in shape.serialization and _textual(shape, set())


def _textual(shape: Any, seen: set[str]) -> bool:
    if shape.name in seen:
        return True
    seen.add(shape.name)
    kind = shape.type_name
    if kind == "structure":
        return not shape.is_document_type and all(_textual(member, seen) for member in shape.members.values())
    if kind == "list":
        return _textual(shape.member, seen)
    if kind == "map":
        return _textual(shape.value, seen)
    return kind in PLAIN or kind in NUMBERS or kind == "timestamp"


def _name(shape: Any, member: str) -> str:
    found: str = shape.serialization.get("name", member)
    return found


# Writing


def _written(shape: Any) -> Convert | None:  # noqa: RET503 (every kind of shape that is textual is here)
    """None: the value stays as it is."""
    kind = shape.type_name
    if kind in PLAIN:
        return None
    if kind in NUMBERS:
        return NUMBERS[kind]
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", BaseJSONSerializer.DEFAULT_TIMESTAMP_FORMAT)
        return lambda value: _timestamp(value, form)
    if kind == "list":
        return _each(_written(shape.member))
    if kind == "map":
        convert = _written(shape.value)
        return lambda value: {key: convert(each) if convert else each for key, each in value.items()}
    return _written_structure(shape)


def _each(convert: Convert | None) -> Convert:
    if convert is None:
        return list
    return lambda value: [convert(each) for each in value]


def _written_structure(shape: Any) -> Convert:
    members: list[tuple[str, str, Convert | None]] = []

    def write(value: Any) -> dict[str, Any]:
        if not members:  # filled by the first value: structures can hold themselves
            members.extend((name, _name(member, name), _written(member)) for name, member in shape.members.items())
        made = {}
        for name, wire, convert in members:
            found = value.get(name)
            if found is not None:
                made[wire] = convert(found) if convert else found
        return made

    return write


# Reading


def _read(shape: Any) -> Convert:
    kind = shape.type_name
    if kind in NUMBERS:
        return NUMBERS[kind]
    if kind == "list":
        return _read_list(_read(shape.member))
    if kind == "map":
        return _read_map(_read(shape.value))
    if kind == "structure":
        return _read_structure(shape)
    return _checked(bool if kind == "boolean" else str)


def _checked(type: type) -> Convert:
    def read(value: Any) -> Any:
        if not isinstance(value, type):
            raise Unreadable(f"{value!r:.80} is no {type.__name__}")
        return value

    return read
