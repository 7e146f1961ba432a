"""kind: OrganizationalUnits. Documents of this kind merge."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.desired.documents.base import DocumentModel, Model, Tags


class Unit(Model):
    """One OU. Its attributes stand in one place; as a bare ancestor it may repeat in other files."""

    tags: Tags | None = Field(default=None, description="The whole set of its tags; absent: not managed.")
    units: dict[str, Unit | None] = Field(
        default={}, description="The OUs in it, by name; a `/` in a name is written `\\/`."
    )
    formerly: str | None = Field(
        default=None,
        description="The name it had before (renamed in place), or the absolute path it was at.",
        examples=["Production"],
    )
    deleted: bool = Field(default=False, description="Deletes it, once it is empty.")
    released: bool = Field(default=False, description="Removes orgctl's tag and leaves the rest as it is.")
    external: bool = Field(default=False, description="Managed elsewhere; declared so that its name may be used.")


class OrganizationalUnits(DocumentModel):
    """A part of the OU tree."""

    kind: Literal["OrganizationalUnits"]
    units: dict[str, Unit | None] = Field(
        default={},
        description="The OUs directly below the root, by name.",
        examples=[{"Workloads": {"units": {"Prod": {"tags": {"env": "prod"}}, "Dev": None}}}],
    )
