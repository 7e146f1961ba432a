"""One change in words: which attributes differ, policy content compared as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from typing import Any

from controller.desired.templates import symbols
from controller.resources.base import Action, Change, Json, Resource, plain

LONGEST_VALUE = 100
"""Characters of a single value before it is cut."""


def describe(change: Change) -> list[str]:
    """Lines that say what the change does to each attribute; private values are never shown."""
    if change.action is Action.DELETE:
        return []
    assert change.after is not None
    lines = [] if not change.reason else [change.reason]
    if change.before is None and change.after.parent is not None:
        return lines  # a child's name says all of it
    for attribute in _compared(change.after):
        new = getattr(change.after, attribute.name)
        old = getattr(change.before, attribute.name, None) if change.before is not None else None
        if new is None or (change.before is not None and old == new) or (change.before is None and not new):
            continue
        if change.before is None and attribute.name == "title" and new == change.name.rsplit("/", 1)[-1]:
            continue
        if attribute.metadata.get("private"):
            lines.append(f"{attribute.name}: {'set' if old is None else 'changed'} (not shown)")
        elif change.before is None:
            lines.append(f"{attribute.name}: {_short(plain(new))}")
        else:
            lines += _differences(attribute.name, old, new)
    if change.before is not None and change.before.owner != change.after.owner:
        lines.append(f"owner: {change.before.owner or 'nobody'} → {change.after.owner or 'nobody'}")
    return lines


def _compared(resource: Resource) -> Iterator[Field[Any]]:
    return (f for f in fields(resource) if f.compare and f.name != "key")


def _differences(name: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, set | frozenset) and isinstance(new, set | frozenset):
        yield from (f"{name}: - {_short(plain(item))}" for item in sorted(old - new, key=str))
        yield from (f"{name}: + {_short(plain(item))}" for item in sorted(new - old, key=str))
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield f"{name}.{key}: {_short(old.get(key))} → {_short(new.get(key))}"
    elif hasattr(old, "to_json") and hasattr(new, "to_json"):
        yield from (f"{name}{line}" for line in json_differences(plain(old), plain(new)))
    else:
        yield f"{name}: {_short(plain(old))} → {_short(plain(new))}"


def json_differences(old: Json, new: Json) -> Iterator[str]:
    """What differs between two JSON documents, a line each, with its path."""
    from deepdiff import DeepDiff  # slow to import, and only wanted when content differs

    found = DeepDiff(old, new, ignore_order=True, verbose_level=2, threshold_to_diff_deeper=0)
    for path, value in sorted(found.get("dictionary_item_added", {}).items()):
        yield f"{_path(path)}: + {_short(value)}"
    for path, value in sorted(found.get("dictionary_item_removed", {}).items()):
        yield f"{_path(path)}: - {_short(value)}"
    for path, value in sorted(found.get("iterable_item_added", {}).items()):
        yield f"{_path(path)}: + {_short(value)}"
    for path, value in sorted(found.get("iterable_item_removed", {}).items()):
        yield f"{_path(path)}: - {_short(value)}"
    for kind in ("values_changed", "type_changes"):
        for path, values in sorted(found.get(kind, {}).items()):
            yield f"{_path(path)}: {_short(values['old_value'])} → {_short(values['new_value'])}"


def _path(path: str) -> str:
    """deepdiff's ``root['Statement'][0]`` as ``.Statement[0]``."""
    return path.removeprefix("root").replace("['", ".").replace("']", "")


def _short(value: Json) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = readable(text)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def readable(text: str) -> str:
    """Ids that do not exist yet, in words."""
    from controller.desired.templates import fill

    if not symbols(text):
        return text
    return fill(text, lambda kind, name, attribute: f"({attribute} of {kind} {name}, known after create)")
