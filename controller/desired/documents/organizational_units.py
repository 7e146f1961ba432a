"""kind: OrganizationalUnits. Documents of this kind merge."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.desired.documents.base import DocumentModel, Model, Tags


class Unit(Model):
    """One OU. Its attributes stand in one place; as a bare ancestor it may repeat in other files."""

    tags: Tags | None = Field(default=None, description="The whole set of its tags; absent: not managed.")
    units: dict[str, Unit | None] = Field(default={}, description="The OUs in it, by name.")
    formerly: str | None = Field(
        default=None, description="`Name` it had before (renamed in place), or `/Path` it was at."
    )
    deleted: bool = False
    released: bool = False
    external: bool = Field(default=False, description="Managed elsewhere; declared so that its name may be used.")


class OrganizationalUnits(DocumentModel):
    """A part of the OU tree."""

    kind: Literal["OrganizationalUnits"]
    units: dict[str, Unit | None] = {}
