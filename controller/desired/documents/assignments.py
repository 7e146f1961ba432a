"""kind: Assignments. Documents of this kind merge."""

from __future__ import annotations

from typing import Literal

from controller.desired.documents.base import DocumentModel, Model, Targets, Until


class Assignment(Model):
    """One principal, some permission sets, a selection of accounts."""

    group: str | None = None
    user: str | None = None
    permission_sets: list[str]
    targets: Targets
    until: Until | None = None


class Assignments(DocumentModel):
    """Who may sign in where, and as what."""

    kind: Literal["Assignments"]
    assignments: list[Assignment] = []
