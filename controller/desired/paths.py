"""Absolute OU paths as git writes them: ``/Workloads/Prod``, with a ``/`` inside a name written ``\\/``."""

from __future__ import annotations

import re
from collections.abc import Iterable

ROOT = "/"
_SLASH = re.compile(r"(?<!\\)/")


def join(parent: str, name: str) -> str:
    """The path of the OU `name`, as AWS calls it, directly below `parent`."""
    return f"{'' if parent == ROOT else parent}/{escape(name)}"


def escape(name: str) -> str:
    return name.replace("/", "\\/")


def unescape(name: str) -> str:
    return name.replace("\\/", "/")


def names(path: str) -> list[str]:
    """The names on the way from the root, as AWS calls them; none for the root itself."""
    return [unescape(step) for step in _SLASH.split(path)[1:]] if path != ROOT else []


def parent(path: str) -> str:
    """The path one level up; the root's is the root."""
    cut = max((match.start() for match in _SLASH.finditer(path)), default=0)
    return path[:cut] or ROOT


def ancestors(path: str) -> list[str]:
    """The path itself and all above it, up to and with the root."""
    found = [path]
    while found[-1] != ROOT:
        found.append(parent(found[-1]))
    return found


def is_absolute(path: str) -> bool:
    """Whether it is written as a path: ``/`` or ``/A/B``, no empty name, nothing after the last."""
    return path == ROOT or (path.startswith("/") and all(names(path)))


def within(path: str, tops: Iterable[str]) -> bool:
    """Whether the OU is one of `tops` or lies below one."""
    return not set(ancestors(path)).isdisjoint(tops)
