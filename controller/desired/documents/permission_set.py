"""kind: PermissionSet."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import PERMISSION_SET_NAME, DocumentModel, Model, Tags

# IAM Identity Center API reference: PermissionSet, CustomerManagedPolicyReference.


class CustomerManagedPolicy(Model):
    """A policy by name and path that exists in every account the permission set reaches."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(examples=["team-boundary"])
    path: Annotated[str, StringConstraints(min_length=1, max_length=512)] = Field(default="/", examples=["/teams/"])


class Boundary(Model):
    """Exactly one of the two."""

    managed_policy: str | None = Field(
        default=None, description="An AWS-managed policy, by name or ARN.", examples=["ReadOnlyAccess"]
    )
    customer_managed_policy: CustomerManagedPolicy | None = None


class PermissionSet(DocumentModel):
    """One permission set of IAM Identity Center. Absent fields are not managed; empty ones are emptied."""

    kind: Literal["PermissionSet"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=PERMISSION_SET_NAME)] = Field(
        examples=["PowerUserAccess"]
    )
    description: Annotated[str, StringConstraints(min_length=1, max_length=700)] | None = None
    session_duration: str | None = Field(default=None, description="ISO 8601, 1 to 12 hours.", examples=["PT8H"])
    relay_state: Annotated[str, StringConstraints(min_length=1, max_length=240)] | None = Field(
        default=None,
        description="Where people land after signing in.",
        examples=["https://console.aws.amazon.com/"],
    )
    managed_policies: list[str] | None = Field(
        default=None,
        description="AWS-managed policies, by name or ARN.",
        examples=[["PowerUserAccess", "arn:aws:iam::aws:policy/SecurityAudit"]],
    )
    customer_managed_policies: list[CustomerManagedPolicy] | None = Field(
        default=None, description="Policies that exist under this name in every account it reaches."
    )
    # In a loaded commit also what `inline_policy_file` holds.
    inline_policy: dict[str, Any] | None = Field(
        default=None, description="An IAM policy document; `{}`: none. Names are replaced as in a policy's content."
    )
    inline_policy_file: str | None = Field(
        default=None, description="JSON file with the inline policy, relative to this file.", examples=["access.json"]
    )
    permissions_boundary: Boundary | None = Field(
        default=None, description="The most that its policies can allow; `{}`: none."
    )
    tags: Tags | None = Field(default=None, description="The whole set of its tags; absent: not managed.")
    formerly: str | None = Field(default=None, description="The name it had before.")
    deleted: bool = Field(default=False, description="Deletes it.")
    released: bool = Field(default=False, description="Removes orgctl's tag and leaves the rest as it is.")
    external: bool = Field(default=False, description="Managed elsewhere; declared so that its name may be used.")
