"""What every document has in common."""

from __future__ import annotations

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


def _instant(value: object) -> object:
    """YAML gives text; strict pydantic wants it parsed. Anything else is left for pydantic to refuse."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


Until = Annotated[AwareDatetime, BeforeValidator(_instant)]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Tags = dict[
    Annotated[str, StringConstraints(min_length=1, max_length=128)],
    Annotated[str, StringConstraints(max_length=256)],
]


class Attachment(Model):
    """Where a policy is attached: exactly here. Only `units` and `accounts`: they are AWS's attachment points."""

    units: list[str] = Field(
        default=[], description="Absolute OU paths; `/` is the root.", examples=[["/Workloads/Prod"]]
    )
    accounts: list[str] = Field(default=[], description="Account handles or ids.", examples=[["audit"]])


class Exclusion(Model):
    """What a selection leaves out."""

    units: list[str] = []
    accounts: list[str] = []
    tags: dict[str, str] = {}


class Targets(Model):
    """A selection of accounts: (those below `units`, narrowed by `tags`) and `accounts`, less `exclude`.

    `tags` alone searches the whole organization. The management account matches only when named in `accounts`;
    accounts that are not ACTIVE never match.
    """

    units: list[str] = Field(default=[], description="Absolute OU paths, with everything below them; `/` is the root.")
    accounts: list[str] = Field(default=[], description="Account handles or ids.")
    tags: dict[str, str] = Field(default={}, description="Every one of these tags, with this value.")
    exclude: Exclusion = Exclusion()
