"""Bodies of JSON answers, written by functions that are made once for each shape.

moto's serializers look every member up in the model each time, which is most of what a large answer costs. They remain
the reference: what is written here is, byte for byte, what they write (`tests/contract/test_every_operation.py`). They
keep what has anything outside its body, or anything binary in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from moto.core.model import OperationModel
from moto.core.serialize import BaseJSONSerializer, TimestampSerializer

Convert = Callable[[Any], Any]

AS_IT_IS = ("string", "boolean")
NUMBERS: dict[str, Convert] = {"integer": int, "long": int, "float": float, "double": float}
WHOLE = ("structure", "list", "map", "timestamp", *AS_IT_IS, *NUMBERS)
"""The kinds of shape that can be written here."""

# Most answers repeat a few times: when accounts joined, when standards were enabled.
_timestamp = lru_cache(maxsize=65_536)(
    TimestampSerializer(BaseJSONSerializer.DEFAULT_TIMESTAMP_FORMAT)._convert_timestamp_to_str
)


@cache
def writer(operation: OperationModel) -> Callable[[Any], str] | None:
    """What makes the body of an operation's answer from its result; None: moto has to."""
    shape = operation.output_shape
    if shape is None or not shape.members or "payload" in shape.serialization:
        return None
    if any("location" in member.serialization for member in shape.members.values()) or not _is_whole(shape, set()):
        return None
    convert = _structure(shape)
    return lambda result: json.dumps(convert(result))


def _is_whole(shape: Any, seen: set[str]) -> bool:
    if shape.name in seen:
        return True
    seen.add(shape.name)
    if shape.type_name == "structure":
        return not shape.is_document_type and all(_is_whole(member, seen) for member in shape.members.values())
    inside = {"list": "member", "map": "value"}.get(shape.type_name)
    return _is_whole(getattr(shape, inside), seen) if inside else shape.type_name in WHOLE


def _converter(shape: Any) -> Convert | None:
    """None: the value stays as it is."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape)
    if kind == "list":
        return _list(_converter(shape.member))
    if kind == "map":
        return _map(_converter(shape.value))
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", BaseJSONSerializer.DEFAULT_TIMESTAMP_FORMAT)
        return lambda value: _timestamp(value, form)
    return NUMBERS.get(kind)


def _structure(shape: Any) -> Convert:
    members: list[tuple[str, str, Convert | None]] = []

    def write(value: Any) -> dict[str, Any]:
        if not members:  # filled by the first value, since structures can hold themselves
            members.extend(
                (name, member.serialization.get("name", name), _converter(member))
                for name, member in shape.members.items()
            )
        made = {}
        for name, written, convert in members:
            found = value.get(name)
            if found is not None:
                made[written] = convert(found) if convert else found
        return made

    return write


def _list(convert: Convert | None) -> Convert:
    return (lambda value: [convert(each) for each in value]) if convert else list


def _map(convert: Convert | None) -> Convert:
    return (lambda value: {key: convert(each) for key, each in value.items()}) if convert else dict
