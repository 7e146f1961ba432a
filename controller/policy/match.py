"""Patterns against texts, of which parts may not be known: the random end of a role's name, an id before it exists.

An unknown part is written with the private characters below. Whatever it turns out to be, a match that needs no look
at it is certain, and one that no filling in could make is out of the question.
"""

from __future__ import annotations

import re
from functools import lru_cache

ONE = "\ue000"
"""One character that is not known."""
ANY = "\ue001"
"""Any number of characters that are not known."""
OTHER = "\ue004"
"""A name that no policy names: only wildcards match it."""
_STAR, _QUESTION = "\ue002", "\ue003"  # `*` and `?` that stand for themselves
_LITERALS = {"*": _STAR, "?": _QUESTION}
_ORDINARY = str.maketrans({_STAR: "*", _QUESTION: "?"})


def matches(pattern: str, text: str, *, fold: bool = False) -> bool | None:
    """Whether a text matches a pattern with ``*`` and ``?``; None where that depends on what is not known.

    Args:
        fold: Capitals do not matter.
    """
    if fold:
        pattern, text = pattern.casefold(), text.casefold()
    if ANY not in pattern and _regex(pattern).fullmatch(text):
        return True
    if ANY not in pattern and ANY not in text and ONE not in text:
        return False
    return None if _possible(pattern, text) else False


def arn_matches(pattern: str, text: str) -> bool | None:
    """As ArnLike and ArnEquals compare: each of the six parts by itself (IAM User Guide, "IAM JSON policy elements:
    Condition operators", ARN condition operators).
    """
    if not pattern.strip("*"):
        return True
    wanted, parts = pattern.split(":", 5), text.split(":", 5)
    if len(wanted) != len(parts) or any(ANY in part for part in (*wanted[:5], *parts[:5])):
        whole = matches(pattern, text)
        return whole if whole is not True or len(wanted) == len(parts) else None  # not documented
    answers = [matches(want, part) for want, part in zip(wanted, parts, strict=True)]
    return False if False in answers else (None if None in answers else True)


def literal(text: str) -> str:
    """A pattern that only this text matches."""
    return "".join(_LITERALS.get(character, character) for character in text)


def shown(text: str) -> str:
    """For people: unknown parts as a star."""
    return re.sub(f"[{ONE}{ANY}]+", "*", text)


@lru_cache(maxsize=65536)
def _regex(pattern: str) -> re.Pattern[str]:
    steps = {"*": ".*", "?": f"[^{ANY}]"}
    return re.compile("".join(steps.get(c) or re.escape(c.translate(_ORDINARY)) for c in pattern), re.DOTALL)


@lru_cache(maxsize=65536)
def _possible(pattern: str, text: str) -> bool:
    """Whether some filling in makes them match: whether two globs have a text in common."""
    seen: set[tuple[int, int]] = set()
    waiting = [(0, 0)]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        i, j = place
        if i == len(pattern) and j == len(text):
            return True
        wide = i < len(pattern) and pattern[i] in ("*", ANY)
        open_ = j < len(text) and text[j] == ANY
        if wide:
            waiting.append((i + 1, j))
        if open_:
            waiting.append((i, j + 1))
        if wide and j < len(text):
            waiting.append((i, j + 1))
        elif open_ and i < len(pattern):
            waiting.append((i + 1, j))
        elif i < len(pattern) and j < len(text) and _alike(pattern[i], text[j]):
            waiting.append((i + 1, j + 1))
    return False


def _alike(wanted: str, given: str) -> bool:
    return wanted == "?" or given == ONE or wanted.translate(_ORDINARY) == given
