"""Yes, no, or cannot tell: the logic of three values, which remembers what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A truth, or None where it cannot be told; and what would have to be known to tell."""

    truth: bool | None
    missing: frozenset[str] = frozenset()

    def __invert__(self) -> Answer:
        return self if self.truth is None else (NO if self.truth else YES)


YES, NO = Answer(True), Answer(False)


def unknown(*missing: str) -> Answer:
    return Answer(None, frozenset(missing))


def answer(truth: bool | None, *missing: str) -> Answer:
    """`missing` is what a None is for want of."""
    return unknown(*missing) if truth is None else (YES if truth else NO)


def every(answers: Iterable[Answer]) -> Answer:
    """Whether all are so. One no decides, whatever else is not known; `answers` is read no further."""
    missing: set[str] = set()
    open_ = False
    for one in answers:
        if one.truth is False:
            return NO
        if one.truth is None:
            open_ = True
            missing |= one.missing
    return Answer(None, frozenset(missing)) if open_ else YES


def some(answers: Iterable[Answer]) -> Answer:
    """Whether any is so."""
    return ~every(~one for one in answers)
