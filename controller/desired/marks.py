"""Where a value stands: file, line and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """Every value's place in one document, by its path: ``("units", "Prod", "tags")``; ``()`` is the document."""

    places: Mapping[Path, Mark] = field(repr=False)

    def at(self, *path: str | int) -> Mark:
        """The place of the value at `path`, or of the nearest thing around it that has one."""
        for length in range(len(path), -1, -1):
            if (mark := self.places.get(path[:length])) is not None:
                return mark
        return Mark("?", 0, 0)
