"""What is around the changes of a plan: as much of the organization as it takes to say what they do to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from controller.resources.base import Json, Ref


class Spot(NamedTuple):
    """An account as people know it, and the OU it lies in."""

    name: str
    unit: str | None


@dataclass(frozen=True, slots=True)
class Scene:
    """The organization as it is.

    Attributes:
        accounts: By id.
        attached: An OU's path or an account's id → the policies on it, as far as they were looked at.
        contents: Of policies in IAM's grammar; one that is not here was not read.
        holders: Permission set that is edited → (principal, account) of all who have it.
        ends: Key of an assignment → the `until` that git gives it.
    """

    accounts: Mapping[str, Spot] = field(default_factory=dict)
    attached: Mapping[str, frozenset[Ref]] = field(default_factory=dict)
    contents: Mapping[Ref, Json] = field(default_factory=dict)
    holders: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    ends: Mapping[str, datetime] = field(default_factory=dict)
