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
LABELS = {"title": "name"}
"""Attributes that people know by another word."""


def describe(change: Change, *, whole: bool = False) -> list[str]:
    """Lines that say what the change does to each attribute; private values are never shown.

    Args:
        whole: Long values are not cut.
    """
    if change.action is Action.DELETE:
        return []
    reason = [printable(change.reason)] if change.reason else []
    return reason + [printable(line if whole else _cut(line)) for line in _attributes(change)]


def _attributes(change: Change) -> list[str]:
    assert change.after is not None
    lines: list[str] = []
    if change.before is None and change.after.parent is not None:
        return lines  # a child's name says all of it
    for attribute in _compared(change.after):
        new = getattr(change.after, attribute.name)
        old = getattr(change.before, attribute.name, None) if change.before is not None else None
        if new is None or (change.before is not None and old == new) or (change.before is None and not new):
            continue
        if change.before is None and (new is True or (attribute.name == "title" and _names(change, new))):
            continue  # what goes without saying of something new
        label = LABELS.get(attribute.name, attribute.name)
        if attribute.metadata.get("private"):
            lines.append(f"{label}: {'set' if old is None else 'changed'} (not shown)")
        elif change.before is None:
            lines.append(f"{label}: {_text(plain(new))}")
        else:
            lines += _differences(label, old, new)
    if change.before is not None and change.before.owner != change.after.owner:
        lines.append(f"owner: {change.before.owner or 'nobody'} → {change.after.owner or 'nobody'}")
    return lines


def _names(change: Change, title: str) -> bool:
    return title == change.name.rsplit("/", 1)[-1]


def _compared(resource: Resource) -> Iterator[Field[Any]]:
    return (f for f in fields(resource) if f.compare and f.name != "key")


def _differences(name: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, set | frozenset) and isinstance(new, set | frozenset):
        yield from (f"{name}: - {_text(plain(item))}" for item in sorted(old - new, key=str))
        yield from (f"{name}: + {_text(plain(item))}" for item in sorted(new - old, key=str))
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield f"{name}.{key}: {_text(old.get(key))} → {_text(new.get(key))}"
    elif hasattr(old, "to_json") and hasattr(new, "to_json"):
        yield from (f"{name}{line}" for line in json_differences(plain(old), plain(new)))
    else:
        yield f"{name}: {_text(plain(old))} → {_text(plain(new))}"


def json_differences(old: Json, new: Json) -> Iterator[str]:
    """What differs between two JSON documents, a line each, with its path."""
    from deepdiff import DeepDiff  # slow to import, and only wanted when content differs

    found = DeepDiff(old, new, ignore_order=True, verbose_level=2, threshold_to_diff_deeper=0)
    for sign, change in (("+", "added"), ("-", "removed")):
        items = found.get(f"dictionary_item_{change}", {})
        yield from (f"{_path(path)}: {sign} {_text(value)}" for path, value in sorted(items.items()))
        yield from _items(sign, found.get(f"iterable_item_{change}", {}))
    for kind in ("values_changed", "type_changes"):
        for path, values in sorted(found.get(kind, {}).items()):
            yield f"{_path(path)}: {_text(values['old_value'])} → {_text(values['new_value'])}"


def _items(sign: str, found: Mapping[str, Json]) -> Iterator[str]:
    """Members of lists. Plain ones of one list go together, without their places: their order means nothing."""
    together: dict[str, list[str]] = {}
    for path, value in sorted(found.items()):
        if isinstance(value, dict | list):
            yield f"{_path(path)}: {sign} {_text(value)}"
        else:
            together.setdefault(path.rpartition("[")[0], []).append(_text(value))
    for path, values in together.items():
        yield f"{_path(path)}: {sign} {', '.join(sorted(values))}"


def _path(path: str) -> str:
    """deepdiff's ``root['Statement'][0]`` as ``.Statement[0]``."""
    return path.removeprefix("root").replace("['", ".").replace("']", "")


def _text(value: Json) -> str:
    if value is None:
        return "(none)"
    return readable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(line: str) -> str:
    """Both sides of the arrow keep their beginnings."""
    label, colon, rest = line.partition(": ")
    sides = rest.split(" → ") if rest.count(" → ") == 1 else [rest]
    longest = LONGEST_VALUE if len(sides) == 2 else LONGEST_VALUE * 2
    return label + colon + " → ".join(s if len(s) <= longest else f"{s[: longest - 1]}…" for s in sides)


def printable(text: str) -> str:
    """On one line, and without what a terminal would obey: names and descriptions are other people's."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def readable(text: str) -> str:
    """Ids that do not exist yet, in words."""
    from controller.desired.templates import fill

    if not symbols(text):
        return text
    return fill(text, lambda kind, name, attribute: f"({attribute} of {kind} {name}, known after create)")
