"""kind: ServiceControlPolicy and the five like it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import Attachment, DocumentModel, Tags, Until


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
    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    description: Annotated[str, StringConstraints(max_length=512)] | None = None
    tags: Tags | None = None
    targets: Attachment | None = Field(default=None, description="Attached to exactly these; absent: not managed.")
    detached_from: Attachment | None = Field(default=None, description="FullAWSAccess only: where it is taken off.")
    until: Until | None = Field(default=None, description="Attached until then.")
    content: dict[str, Any] | None = Field(default=None, description="The policy document.")
    content_file: str | None = Field(default=None, description="JSON file with the content, relative to this file.")
    formerly: str | None = None
    deleted: bool = False
    released: bool = False
    external: bool = False
