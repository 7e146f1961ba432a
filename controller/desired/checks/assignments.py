"""Assignments, and selections of accounts, which Security Hub's documents have as well."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from controller.desired.checks.lines import check_repeats, check_until
from controller.desired.declared import Declared
from controller.desired.documents.assignments import Assignment, Assignments
from controller.desired.documents.base import Targets
from controller.desired.estate import Document
from controller.desired.findings import Findings
from controller.desired.marks import Marks, Path


def check(
    documents: Iterable[Document[Assignments]], declared: Declared, now: datetime | None, findings: Findings
) -> None:
    for document in documents:
        for index, assignment in enumerate(document.model.assignments):
            _check(assignment, document.marks, ("assignments", index), declared, now, findings)


def _check(
    assignment: Assignment, marks: Marks, where: Path, declared: Declared, now: datetime | None, findings: Findings
) -> None:
    who = f"assignment of {assignment.group or assignment.user!r}"
    if assignment.group is not None and assignment.user is not None:
        what = f"assignment of both the group {assignment.group!r} and the user {assignment.user!r}"
        findings.error(marks.key(*where, "user"), what, "Keep one of the two, or make two assignments.")
    elif assignment.group is None and assignment.user is None:
        findings.error(marks.at(*where), "an assignment to nobody", "Add `group:` or `user:`.")
    for index, name in enumerate(assignment.permission_sets):
        declared.permission_set(name, marks.at(*where, "permission_sets", index), who, findings)
    check_repeats(who, assignment.permission_sets, marks, (*where, "permission_sets"), findings)
    check_targets(who, assignment.targets, marks, (*where, "targets"), declared, findings)
    check_until(who, assignment.until, now, marks, where, findings)


def check_targets(
    who: str, targets: Targets, marks: Marks, where: Path, declared: Declared, findings: Findings
) -> None:
    """A selection of accounts: of something, and by names that are declared."""
    if not (targets.units or targets.accounts or targets.tags):
        fix = "Add `units`, `accounts` or `tags`; `units: [/]` is the whole organization."
        findings.error(marks.key(*where), f"{who}: the targets select nothing", fix)
    for part, path in ((targets, where), (targets.exclude, (*where, "exclude"))):
        for index, unit in enumerate(part.units):
            declared.unit(unit, marks.at(*path, "units", index), who, findings)
        for index, account in enumerate(part.accounts):
            declared.account(account, marks.at(*path, "accounts", index), who, findings)
        check_repeats(who, part.units, marks, (*path, "units"), findings)
        check_repeats(who, map(declared.same_account, part.accounts), marks, (*path, "accounts"), findings)
