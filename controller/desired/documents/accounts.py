"""kind: Accounts. Documents of this kind merge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import AccountId, DocumentModel, Model, Tags

Email = Annotated[str, StringConstraints(min_length=6, max_length=64, pattern=r"^[^\s@]+@[^\s@]+\.[^\s@]+$")]


class Contact(Model):
    """An alternate contact; AWS takes all four together."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    phone: Annotated[str, StringConstraints(min_length=1, max_length=25, pattern=r"^[\s0-9()+-]+$")]


class Contacts(Model):
    """Alternate contacts by type. Absent: not managed."""

    billing: Contact | None = None
    operations: Contact | None = None
    security: Contact | None = None


class AccountEntry(Model):
    """One account: found by `id` or by `email`."""

    id: AccountId | None = None
    email: Email | None = None
    name: str | None = Field(default=None, description="The account's own name, where it differs from the handle.")
    unit: str | None = Field(default=None, description="Absolute path of the OU it belongs in; absent: not managed.")
    tags: Tags | None = None
    contacts: Contacts | None = None
    external: bool = False
    released: bool = False


class Accounts(DocumentModel):
    """Accounts by handle: the name they go by in these files."""

    kind: Literal["Accounts"]
    accounts: dict[str, AccountEntry] = {}
