"""'Did you mean …?'"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

_ENOUGH = 5000
"""Names to compare with; beyond that the search would be slower than the reader."""


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known spelling closest to `word`, capitals aside; None where none is close."""
    folded = {name.casefold(): name for name in list(known)[:_ENOUGH]}
    found = get_close_matches(word[:200].casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """A sentence for `Problem.fix`."""
    near = nearest(word, known)
    return f"Did you mean {near!r}?" if near is not None else otherwise
