"""kind: ServiceControlPolicy and the five like it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import Attachment, DocumentModel, Name, Tags, Until


class Policy(DocumentModel):
    """One policy of AWS Organizations and the roots, OUs and accounts it is attached to."""

    kind: Literal[
        "ServiceControlPolicy",
        "ResourceControlPolicy",
        "TagPolicy",
        "BackupPolicy",
        "AiServicesOptOutPolicy",
        "DeclarativePolicy",
    ]
    name: Name = Field(description="Unique among policies of its kind.", examples=["region-lock"])
    # Organizations API reference, PolicyDescription.
    description: Annotated[str, StringConstraints(max_length=512)] | None = None
    tags: Tags | None = Field(default=None, description="The whole set of its tags; absent: not managed.")
    targets: Attachment | None = Field(default=None, description="Attached to exactly these; absent: not managed.")
    detached_from: Attachment | None = Field(default=None, description="FullAWSAccess only: where it is taken off.")
    until: Until | None = Field(default=None, description="Attached until then.")
    # In a loaded commit also what `content_file` holds.
    content: dict[str, Any] | None = Field(
        default=None,
        description="The policy document; `{{ unit('/Path').id }}` and the like stand for ids.",
        examples=[
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
            }
        ],
    )
    content_file: str | None = Field(
        default=None, description="JSON file with the content, relative to this file.", examples=["region-lock.json"]
    )
    formerly: str | None = Field(default=None, description="The name it had before; it is renamed in place.")
    deleted: bool = Field(default=False, description="Detaches it everywhere and deletes it.")
    released: bool = Field(default=False, description="Removes orgctl's tag and leaves the rest as it is.")
    external: bool = Field(default=False, description="Managed elsewhere; declared so that its name may be used.")
