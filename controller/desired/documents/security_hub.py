"""kind: SecurityHub."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import DocumentModel, Model, Targets


class DisabledControl(Model):
    """A control that is off, and why."""

    control: str = Field(examples=["ACM.1"])
    reason: Annotated[str, StringConstraints(min_length=1)]
    standards: list[str] | None = Field(
        default=None, description="Only in these; absent: in every standard it belongs to."
    )


class SecurityHub(DocumentModel):
    """Which standards run, and which controls are off, in a selection of accounts and Regions."""

    kind: Literal["SecurityHub"]
    regions: list[str] | None = Field(default=None, description="Absent: the organization's governed Regions.")
    targets: Targets
    standards: list[str] = Field(description="These and no others; `[]`: none.", examples=[["pci-dss/v/3.2.1"]])
    disabled_controls: list[DisabledControl] = []
