"""The lines every kind may have: `formerly`, `deleted`, `released`, `external`; tags; `until`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from controller.desired.findings import Findings
from controller.desired.marks import Marks, Path

MAX_TAGS = 50
"""Of one resource (Organizations User Guide, quotas)."""


class Entry(Protocol):
    """Whatever can be deleted, released or external."""

    @property
    def deleted(self) -> bool: ...
    @property
    def released(self) -> bool: ...
    @property
    def external(self) -> bool: ...
    @property
    def formerly(self) -> str | None: ...


def check_ending(who: str, entry: Entry, given: Iterable[str], marks: Marks, path: Path, findings: Findings) -> None:
    """`deleted`, `released` and `external` exclude each other, and `external` everything that would be managed.

    Args:
        given: The keys that stand there and manage something.
    """
    said = [word for word in ("deleted", "released", "external") if getattr(entry, word)]
    for word in said[1:]:
        findings.error(marks.key(*path, word), f"{who}: both {said[0]} and {word}", "Keep one of the two.")
    if entry.external:
        for key in given:
            fix = f"Remove {key!r}, or `external` if it is to be managed here."
            findings.error(marks.key(*path, key), f"{who}: it is external, so {key!r} would have no effect", fix)
    elif said and entry.formerly is not None:
        fix = "Remove `formerly` and use the name it has now."
        findings.error(marks.key(*path, "formerly"), f"{who}: both {said[0]} and formerly", fix)


def check_tags(
    who: str, tags: Mapping[str, str] | None, marks: Marks, path: Path, findings: Findings, *, owned: bool = True
) -> None:
    """Keys that belong to AWS and to orgctl itself are not for git to set.

    Args:
        owned: The thing carries orgctl's own tag as well, which counts.
    """
    if owned and tags is not None and len(tags) > MAX_TAGS - 1:
        what = f"{who}: {len(tags)} tags; AWS allows {MAX_TAGS}, and one is orgctl's own"
        findings.error(marks.key(*path, "tags"), what, "Remove one.")
    for key in tags or ():
        if key.startswith(("aws:", "orgctl:")):
            what = f"{who}: tag keys that begin with '{key.split(':')[0]}:' are reserved"
            findings.error(marks.key(*path, "tags", key), what, "Choose another key.")


def check_until(
    who: str, until: datetime | None, now: datetime | None, marks: Marks, path: Path, findings: Findings
) -> None:
    """A time that is over."""
    if is_over(until, now) and until is not None:
        what = f"{who}: its `until` is past: it counts as over"
        findings.warn(marks.at(*path, "until"), what, "Remove it, or set a later time.")


def is_over(until: datetime | None, now: datetime | None) -> bool:
    return until is not None and now is not None and until <= now


def check_repeats(who: str, names: Iterable[str], marks: Marks, path: Path, findings: Findings) -> None:
    """A list that says something twice."""
    seen = set()
    for index, name in enumerate(names):
        if name in seen:
            findings.warn(marks.at(*path, index), f"{who}: {name!r} stands there twice", "Keep one of the two.")
        seen.add(name)
