"""All that is wrong or doubtful in one commit, gathered while it is read."""

from __future__ import annotations

from collections.abc import Iterable

from controller.desired.marks import Mark
from controller.errors import Problem


class Findings:
    """Problems, and the places where no further complaint is due because something was left out there already."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.cut: set[Mark] = set()

    def error(self, mark: Mark, what: str, fix: str = "") -> None:
        if mark not in self.cut:
            self.problems.append(Problem(mark.file, mark.line, mark.column, what, fix))

    def warn(self, mark: Mark, what: str, fix: str = "") -> None:
        if mark not in self.cut:
            self.problems.append(Problem(mark.file, mark.line, mark.column, what, fix, warning=True))

    def add(self, problems: Iterable[Problem]) -> None:
        self.problems += problems

    @property
    def errors(self) -> list[Problem]:
        return sorted({p for p in self.problems if not p.warning})

    @property
    def warnings(self) -> list[Problem]:
        return sorted({p for p in self.problems if p.warning})
