"""kind: SecurityHub."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import DocumentModel, Model, RegionName, Targets


class DisabledControl(Model):
    """A control that is off, and why."""

    control: str = Field(description="The control's id.", examples=["ACM.1"])
    reason: Annotated[str, StringConstraints(min_length=1)] = Field(
        description="Shown in Security Hub beside the control.", examples=["Certificates come from our own CA"]
    )
    standards: list[str] | None = Field(
        default=None,
        description="Only in these; absent: in every standard of the document that it belongs to.",
        examples=[["pci-dss/v/3.2.1"]],
    )


class SecurityHub(DocumentModel):
    """Which standards run, and which controls are off, in a selection of accounts and Regions."""

    kind: Literal["SecurityHub"]
    regions: list[RegionName] | None = Field(
        default=None, description="Absent: the organization's governed Regions.", examples=[["eu-west-1"]]
    )
    targets: Targets
    standards: list[str] = Field(description="These and no others; `[]`: none.", examples=[["pci-dss/v/3.2.1"]])
    disabled_controls: list[DisabledControl] = Field(
        default=[], description="These controls are off and no others of these standards."
    )
