"""One import: look at everything, then write each kind of document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.aws.api import Reader
from controller.desired.load import read
from controller.desired.source import Files
from controller.errors import Problem
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
from controller.resources.base import ForeignTags
from controller.resources.security_hub import SecurityHubs


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
) -> Imported:
    """Read the organization and write it down. Nothing is changed, in AWS or on disk.

    Args:
        regions: Governed Regions; none: those in which Security Hub is found.
        folded: Say OUs for accounts that make one up.
        foreign: Tags that other tools own.
    """
    scope = scope or Scope()
    seen = look(aws, regions, security_hub=scope.has(SecurityHubs.name))
    picture = Picture(seen, scope, foreign or ForeignTags())
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
    _, problems = read(Files({name: text.encode() for name, text in files.items()}))
    wrong = tuple(problem for problem in problems if not problem.warning)
    return Imported(files, picture.notes, picture, whole, wrong)


def _say_what_was_not_seen(picture: Picture) -> bool:
    whole = True
    for missing in picture.seen.incomplete():
        if picture.scope.has(missing.kind):
            whole = False
            picture.notes.add(UNSEEN, f"{missing.what}: {missing.why}")
    return whole
