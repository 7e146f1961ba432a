"""`orgctl import`: connect, import, save."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from controller.aws.connect import Aws, connect
from controller.clock import Clock
from controller.config import Settings
from controller.desired.documents.base import REGION
from controller.errors import InvalidInput, Problem, WrongOrganization
from controller.importing import seed as world
from controller.importing.organize import Imported, import_organization
from controller.importing.picture import Scope
from controller.importing.save import check_empty, save, write
from controller.resources.base import ForeignTags
from controller.resources.registry import KINDS


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it. `whole`: all that was asked for could be read, and `orgctl validate` takes it."""

    notes: tuple[str, ...]
    files: int
    whole: bool


def run(
    settings: Settings,
    out: Path,
    kinds: Iterable[str],
    unit: str,
    regions: Sequence[str],
    *,
    fold: bool,
    seed: bool,
) -> Done:
    """Look, and write to the disk; the connection has no way to write to AWS.

    Args:
        kinds: Globs over kinds of resource; none: all.

    Raises:
        InvalidInput: The options are wrong, or the directory is not empty.
        WrongOrganization: The settings name another one.
    """
    clock = Clock()
    beside = seed_file(out)
    check_empty(out)
    _check(regions, beside if seed else None, kinds, unit)
    scope = Scope(frozenset(k.name for k in KINDS if any(fnmatchcase(k.name, glob) for glob in kinds)), unit)
    aws = connect(settings, clock, read_only=True)
    try:
        return _run(aws, settings, scope, regions, out, beside if seed else None, clock, fold=fold)
    finally:
        aws.close()


def seed_file(out: Path) -> Path:
    """Beside the directory, not in it: what lies in it is desired state."""
    return out.resolve().with_name(f"{out.resolve().name}-sandbox.yaml")


def _run(
    aws: Aws,
    settings: Settings,
    scope: Scope,
    regions: Sequence[str],
    out: Path,
    beside: Path | None,
    clock: Clock,
    *,
    fold: bool,
) -> Done:
    if settings.organization not in (None, aws.here.organization_id):
        raise WrongOrganization(
            f"These credentials belong to organization {aws.here.organization_id}; the settings name "
            f"{settings.organization}. Nothing was read."
        )
    reader = aws.reader()
    foreign = ForeignTags(frozenset(settings.foreign_tag_keys))
    imported = import_organization(
        reader, scope=scope, regions=regions, folded=fold, foreign=foreign, limits=settings.policy_limits
    )
    save(imported, out, clock.now())
    if beside is not None:
        estate = os.path.relpath(out.resolve(), beside.parent)
        write(beside.parent, {beside.name: world.write(imported.picture, reader, estate)})
    notes = [*imported.notes.text(), *_problems(imported)]
    return Done(tuple(notes), len(imported.files) + 1, imported.whole and not imported.problems)


def _problems(imported: Imported) -> Iterable[str]:
    if imported.problems:
        yield "To correct before `orgctl validate` takes it:"
        yield from (f"  - {problem}" for problem in imported.problems)


def _check(regions: Sequence[str], beside: Path | None, kinds: Iterable[str], unit: str) -> None:
    for region in regions:
        if not re.fullmatch(REGION, region):
            raise InvalidInput([Problem("--region", 0, 0, f"'{region}' is not a Region", "Such as eu-west-1.")])
    if beside is not None and beside.exists():
        raise InvalidInput([Problem("--seed", 0, 0, f"{beside} is there already", "Move it away.")])
    if beside is not None and (list(kinds) or unit != "/"):
        fix = "Leave out --kind and --unit, or --seed."
        raise InvalidInput([Problem("--seed", 0, 0, "a part of an organization is none to rehearse on", fix)])
