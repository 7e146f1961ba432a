"""kind: Accounts. Documents of this kind merge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from controller.desired.documents.base import EMAIL, PHONE, AccountId, DocumentModel, Model, Tags

# Organizations API reference, Email and AccountName; Account Management API reference, PutAlternateContact.
Email = Annotated[str, StringConstraints(min_length=6, max_length=64, pattern=EMAIL)]


class Contact(Model):
    """An alternate contact; AWS takes all four together."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(examples=["Security operations"])
    title: Annotated[str, StringConstraints(min_length=1, max_length=50)] = Field(examples=["On call"])
    email: Annotated[str, StringConstraints(min_length=1, max_length=254)] = Field(examples=["soc@example.com"])
    phone: Annotated[str, StringConstraints(min_length=1, max_length=25, pattern=PHONE)] = Field(
        examples=["+1 555 0100"]
    )


class Contacts(Model):
    """Alternate contacts by type. Absent: not managed."""

    billing: Contact | None = Field(default=None, description="Asked about invoices.")
    operations: Contact | None = Field(default=None, description="Asked about availability.")
    security: Contact | None = Field(default=None, description="Asked about abuse and findings.")


class AccountEntry(Model):
    """One account: found by `id` or by `email`."""

    id: AccountId | None = Field(
        default=None, description="12 digits, in quotes: for an account that exists.", examples=["111122223333"]
    )
    email: Email | None = Field(
        default=None,
        description="The root user's address, whatever its case; identifies the account where `id` is absent.",
        examples=["aws+payments-prod@example.com"],
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None, description="The account's own name, where it differs from the handle."
    )
    unit: str | None = Field(
        default=None,
        description="Absolute path of the OU it belongs in, `/` for the root; absent: not managed.",
        examples=["/Workloads/Prod"],
    )
    tags: Tags | None = Field(default=None, description="The whole set of its tags; absent: not managed.")
    contacts: Contacts | None = Field(default=None, description="Alternate contacts; absent: not managed.")
    external: bool = Field(default=False, description="Managed elsewhere; declared so that its handle may be used.")
    released: bool = Field(default=False, description="No longer managed; its handle may still be used.")


class Accounts(DocumentModel):
    """Accounts by handle: the name they go by in these files. It is never written to AWS."""

    kind: Literal["Accounts"]
    accounts: dict[str, AccountEntry] = Field(
        default={},
        description="Handle: account.",
        examples=[{"payments-prod": {"email": "aws+payments-prod@example.com", "unit": "/Workloads/Prod"}}],
    )
