"""kind: PermissionSet."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import DocumentModel, Model, Tags


class CustomerManagedPolicy(Model):
    """A policy by name and path that exists in every account the permission set reaches."""

    name: str
    path: str = "/"


class Boundary(Model):
    """Exactly one of the two."""

    managed_policy: str | None = None
    customer_managed_policy: CustomerManagedPolicy | None = None


class PermissionSet(DocumentModel):
    """One permission set of IAM Identity Center."""

    kind: Literal["PermissionSet"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[\w+=,.@-]+$")]
    description: Annotated[str, StringConstraints(min_length=1, max_length=700)] | None = None
    session_duration: str | None = Field(default=None, description="ISO 8601, 1 to 12 hours.", examples=["PT8H"])
    relay_state: Annotated[str, StringConstraints(min_length=1, max_length=240)] | None = None
    managed_policies: list[str] | None = Field(default=None, description="AWS-managed policies, by name or ARN.")
    customer_managed_policies: list[CustomerManagedPolicy] | None = None
    inline_policy: dict[str, Any] | None = None
    inline_policy_file: str | None = None
    permissions_boundary: Boundary | None = None
    tags: Tags | None = None
    formerly: str | None = None
    deleted: bool = False
    released: bool = False
    external: bool = False
