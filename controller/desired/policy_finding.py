"""What a look into a policy document finds."""

from __future__ import annotations

from dataclasses import dataclass

from controller.desired.marks import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong or doubtful, at a path in the content. `of_key`: the key there is meant, not its value."""

    where: Path
    what: str
    fix: str = ""
    warning: bool = False
    of_key: bool = False
