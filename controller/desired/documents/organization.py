"""kind: Organization."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from controller.desired.documents.base import DocumentModel, Model, RegionName, ServicePrincipal

PolicyTypeName = Literal["service_control", "resource_control", "tag", "backup", "ai_services_opt_out", "declarative"]


class Disable(Model):
    """What is turned off. Each entry is approved by a person."""

    policy_types: list[PolicyTypeName] = Field(default=[], description="Disabled in the root.")
    trusted_services: list[ServicePrincipal] = Field(default=[], description="No longer trusted.")
    delegated_administrators: dict[str, list[ServicePrincipal]] = Field(
        default={}, description="Account: service principals it no longer administers."
    )


class Organization(DocumentModel):
    """What holds for the whole organization. At most one."""

    kind: Literal["Organization"]
    regions: list[RegionName] = Field(
        default=[],
        description="Governed Regions: the default for everything regional.",
        examples=[["us-east-1", "eu-west-1"]],
    )
    policy_types: list[PolicyTypeName] = Field(
        default=[], description="Enabled in the root. Unlisted ones are left as they are."
    )
    trusted_services: list[ServicePrincipal] = Field(
        default=[],
        description="Service principals trusted in the organization. Unlisted ones are left as they are.",
        examples=[["sso.amazonaws.com", "securityhub.amazonaws.com"]],
    )
    delegated_administrators: dict[str, list[ServicePrincipal]] = Field(
        default={},
        description="Account handle or id: the service principals it administers.",
        examples=[{"audit": ["securityhub.amazonaws.com"]}],
    )
    disable: Disable = Field(default=Disable(), description="What is turned off; each entry is approved by a person.")
