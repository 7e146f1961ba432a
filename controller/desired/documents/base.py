"""What every document has in common."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


class Model(BaseModel):
    """Strict: no unknown keys, no coercion; None only where a field says so."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DocumentModel(Model):
    """A whole document; subclasses narrow `kind` to a Literal."""

    version: Literal[1] = Field(default=1, description="The format's version; 1 where it is not given.")
    kind: str


ACCOUNT_ID = r"^[0-9]{12}$"
EMAIL = r"^[^\s@]+@[^\s@]+\.[^\s@]+$"
PERMISSION_SET_NAME = r"^[A-Za-z0-9_+=,.@-]+$"
PHONE = r"^[\s0-9()+-]+$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$"
SERVICE = r"^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$"
PATTERNS = {
    ACCOUNT_ID: "an account id: 12 digits in quotes",
    EMAIL: "an e-mail address",
    PERMISSION_SET_NAME: "a permission set's name: letters, digits and + = , . @ - _",
    PHONE: "a phone number: digits, blanks and + - ( )",
    REGION: "a Region such as eu-west-1",
    SERVICE: "a service principal such as securityhub.amazonaws.com",
}
"""Every pattern of the format, in words for people."""

# RFC 3339, section 5.6; Python's own parser takes far more than that.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _instant(value: object) -> object:
    """YAML gives text; strict pydantic wants it parsed. Anything else is left for pydantic to refuse."""
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            return value
    return value


Until = Annotated[
    AwareDatetime,
    BeforeValidator(_instant),
    Field(description="RFC 3339 with an offset.", examples=["2026-12-01T18:00:00Z"]),
]
AccountId = Annotated[str, StringConstraints(pattern=ACCOUNT_ID)]
RegionName = Annotated[str, StringConstraints(pattern=REGION)]
ServicePrincipal = Annotated[str, StringConstraints(pattern=SERVICE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
# Organizations API reference, Tag: keys 1 to 128, values 0 to 256 characters; 50 a resource (Organizations quotas).
Tags = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=128)],
        Annotated[str, StringConstraints(max_length=256)],
    ],
    Field(max_length=50, examples=[{"cost-centre": "100"}]),
]


class Attachment(Model):
    """Where a policy is attached: exactly here. Only `units` and `accounts`: they are AWS's attachment points."""

    units: list[str] = Field(
        default=[], description="Absolute OU paths; `/` is the root.", examples=[["/Workloads/Prod"]]
    )
    accounts: list[str] = Field(default=[], description="Account handles or ids.", examples=[["audit"]])


class Exclusion(Model):
    """What a selection leaves out."""

    units: list[str] = Field(default=[], description="Absolute OU paths, with everything below them.")
    accounts: list[str] = Field(default=[], description="Account handles or ids.")
    tags: dict[str, str] = Field(default={}, description="Accounts with every one of these tags.")


class Targets(Model):
    """A selection of accounts: (those below `units`, narrowed by `tags`) and `accounts`, less `exclude`.

    `tags` alone searches the whole organization. The management account matches only when named in `accounts`;
    accounts that are not ACTIVE never match.
    """

    units: list[str] = Field(
        default=[],
        description="Absolute OU paths, with everything below them; `/` is the root.",
        examples=[["/Workloads"]],
    )
    accounts: list[str] = Field(default=[], description="Account handles or ids.", examples=[["audit"]])
    tags: dict[str, str] = Field(
        default={}, description="Every one of these tags, with this value.", examples=[{"env": "prod"}]
    )
    exclude: Exclusion = Field(default=Exclusion(), description="What the selection leaves out.")
