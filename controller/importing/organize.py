"""One import: look at everything, then write each kind of document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.aws.api import Reader
from controller.config import PolicyLimits
from controller.desired.load import read
from controller.desired.nearest import did_you_mean
from controller.desired.source import Files
from controller.errors import InvalidInput, Problem
from controller.importing import (
    accounts,
    assignments,
    elsewhere,
    organization,
    permission_sets,
    policies,
    security_hub,
    units,
)
from controller.importing.look import look
from controller.importing.notes import UNSEEN, Notes
from controller.importing.picture import Picture, Scope
from controller.resources.account import Account
from controller.resources.base import ForeignTags
from controller.resources.security_hub import SecurityHubs

_SHOWN = 5
"""Of a kind, that could not be read: after that the reason is known."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The organization as files.

    Attributes:
        files: path below the directory → text.
        notes: What a person should know.
        whole: Whether all that was asked for could be read.
        problems: What `orgctl validate` says of the files: nothing, unless AWS holds what the format cannot take.
    """

    files: Mapping[str, str]
    notes: Notes
    picture: Picture
    whole: bool = True
    problems: tuple[Problem, ...] = field(default=())


def import_organization(
    aws: Reader,
    *,
    scope: Scope | None = None,
    regions: Iterable[str] = (),
    folded: bool = False,
    foreign: ForeignTags | None = None,
    limits: PolicyLimits | None = None,
) -> Imported:
    """Read the organization and write it down. Nothing is changed, in AWS or on disk.

    Args:
        regions: Governed Regions; none: those in which Security Hub is found.
        folded: Say OUs for accounts that make one up.
        foreign: Tags that other tools own.
        limits: The settings' budget of policies; None is AWS's.
    """
    scope = scope or Scope()
    seen = look(aws, regions, security_hub=scope.has(SecurityHubs.name), contacts=scope.has(Account.kind))
    limits = limits or PolicyLimits()
    picture = Picture(seen, scope, foreign or ForeignTags(), limits=limits)
    _check_unit(picture)
    whole = _say_what_was_not_seen(picture)
    organization.write(picture)
    units.write(picture)
    accounts.write(picture)
    policies.write(picture)
    permission_sets.write(picture)
    assignments.write(picture, folded=folded)
    security_hub.write(picture, folded=folded)
    elsewhere.write(picture)
    files = dict(sorted(picture.files.items()))
    _, problems = read(Files({name: text.encode() for name, text in files.items()}), limits=limits)
    wrong = tuple(problem for problem in problems if not problem.warning)
    return Imported(files, picture.notes, picture, whole, wrong)


def _check_unit(picture: Picture) -> None:
    unit = picture.scope.unit
    if unit not in picture.units:
        fix = did_you_mean(unit, picture.units, "Paths begin at the root: /Workloads/Prod.")
        raise InvalidInput([Problem("--unit", 0, 0, f"there is no OU '{unit}'", fix)])


def _say_what_was_not_seen(picture: Picture) -> bool:
    missing = [one for one in picture.seen.incomplete() if picture.scope.has(one.kind)]
    for kind in dict.fromkeys(one.kind for one in missing):
        of_kind = [one for one in missing if one.kind == kind]
        for one in of_kind[:_SHOWN]:
            picture.notes.add(UNSEEN, f"{one.what}: {one.why}")
        if of_kind[_SHOWN:]:
            picture.notes.add(UNSEEN, f"{kind}: {len(of_kind) - _SHOWN} more")
    return not missing
