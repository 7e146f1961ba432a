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

    def tell_once(self, problems: Iterable[Problem]) -> None:
        """Add problems, unless something else was said of their places already; nothing more is said there later."""
        told = [(Mark(problem.file, problem.line, problem.column), problem) for problem in problems]
        self.problems += [problem for mark, problem in told if mark not in self.cut]
        self.cut |= {mark for mark, _ in told}

    @property
    def errors(self) -> list[Problem]:
        return sorted({p for p in self.problems if not p.warning})

    @property
    def warnings(self) -> list[Problem]:
        return sorted({p for p in self.problems if p.warning})
