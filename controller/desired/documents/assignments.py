"""kind: Assignments. Documents of this kind merge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import DocumentModel, Model, Targets, Until


class Assignment(Model):
    """One principal, some permission sets, a selection of accounts. Exactly one of `group` and `user`."""

    # Identity Store API reference, GroupDisplayName and UserName.
    group: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        default=None, description="A group, by its display name.", examples=["platform-admins"]
    )
    user: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None, description="A user, by user name.", examples=["alice"]
    )
    permission_sets: list[str] = Field(
        description="Permission sets, by name or ARN.", examples=[["PowerUserAccess"]], min_length=1
    )
    targets: Targets
    until: Until | None = Field(default=None, description="Granted until then; absent: for as long as the line stands.")


class Assignments(DocumentModel):
    """Who may sign in where, and as what."""

    kind: Literal["Assignments"]
    assignments: list[Assignment] = Field(default=[], description="They unite: none takes away what another grants.")
