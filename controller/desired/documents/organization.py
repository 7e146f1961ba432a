"""kind: Organization."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.desired.documents.base import DocumentModel, Model

PolicyTypeName = Literal["service_control", "resource_control", "tag", "backup", "ai_services_opt_out", "declarative"]


class Disable(Model):
    """What is turned off. Each entry is approved by a person."""

    policy_types: list[PolicyTypeName] = []
    trusted_services: list[str] = []
    delegated_administrators: dict[str, list[str]] = {}


class Organization(DocumentModel):
    """What holds for the whole organization. At most one."""

    kind: Literal["Organization"]
    regions: list[str] = Field(default=[], description="Governed Regions: the default for everything regional.")
    policy_types: list[PolicyTypeName] = Field(
        default=[], description="Enabled in the root. Unlisted ones are left as they are."
    )
    trusted_services: list[str] = Field(default=[], description="Service principals trusted in the organization.")
    delegated_administrators: dict[str, list[str]] = Field(default={}, description="Account: service principals.")
    disable: Disable = Disable()
