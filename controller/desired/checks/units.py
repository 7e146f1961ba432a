"""OrganizationalUnits: the documents merged into one tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from controller.desired import paths
from controller.desired.checks.lines import check_ending, check_tags
from controller.desired.declared import is_id
from controller.desired.documents.organizational_units import OrganizationalUnits, Unit
from controller.desired.estate import Document, UnitEntry
from controller.desired.findings import Findings
from controller.desired.marks import Mark, Marks, Path

MAX_DEPTH = 5
"""Levels below the root (Organizations User Guide, quotas)."""
MAX_NAME = 128
_BARE = Unit()


@dataclass(frozen=True, slots=True)
class _Line:
    """One place where an OU stands."""

    path: str
    unit: Unit
    defines: bool
    marks: Marks
    where: Path


def merge(documents: Iterable[Document[OrganizationalUnits]], findings: Findings) -> dict[str, UnitEntry]:
    """path → OU, parents before children."""
    merged: dict[str, UnitEntry] = {}
    defined: dict[str, Mark] = {}
    for document in documents:
        for line in _lines(document.model.units, paths.ROOT, document.marks, ("units",), findings):
            mark = line.marks.key(*line.where)
            if line.defines and line.path in defined:
                first = defined[line.path]
                what = f"the unit {line.path!r} stands here twice (first in {first.file}:{first.line})"
                findings.error(mark, what, "Keep its attributes in one place; elsewhere it may only carry `units`.")
            elif line.defines or line.path not in merged:
                merged[line.path] = _entry(line, mark)
                _check(line, findings)
            if line.defines:
                defined.setdefault(line.path, mark)
    _check_together(merged, findings)
    return merged


def _lines(
    units: Mapping[str, Unit | None], parent: str, marks: Marks, where: Path, findings: Findings
) -> Iterator[_Line]:
    for name, given in units.items():
        unit, here = given or _BARE, (*where, name)
        if not _check_name(name, marks.key(*here), findings):
            continue
        path = f"{'' if parent == paths.ROOT else parent}/{name}"
        yield _Line(path, unit, bool(unit.model_fields_set - {"units"}) or not unit.units, marks, here)
        if len(paths.names(path)) == MAX_DEPTH and unit.units:
            first = next(iter(unit.units))
            what = (
                f"the unit {paths.join(path, first)!r} is {MAX_DEPTH + 1} levels below the root; AWS allows {MAX_DEPTH}"
            )
            findings.error(marks.key(*here, "units", first), what, "Move it up.")
        else:
            yield from _lines(unit.units, path, marks, (*here, "units"), findings)


def _check_name(name: str, mark: Mark, findings: Findings) -> bool:
    plain = paths.unescape(name)
    if "/" in plain and "/" in name.replace("\\/", ""):
        findings.error(mark, f"the unit name {name!r} holds a '/'", "Nest it below `units`; within a name write '\\/'.")
    elif not plain.strip() or name.endswith("\\"):
        findings.error(mark, f"{name!r} is not a name for a unit", "Give it a name of 1 to 128 characters.")
    elif len(plain) > MAX_NAME:
        findings.error(mark, f"the unit's name has {len(plain)} characters; the limit is {MAX_NAME}", "Shorten it.")
    elif is_id(plain):
        findings.error(mark, f"the unit name {name!r} looks like an id", "Use the unit's name.")
    else:
        return True
    return False


def _entry(line: _Line, mark: Mark) -> UnitEntry:
    unit = line.unit
    return UnitEntry(
        path=line.path,
        name=paths.names(line.path)[-1],
        mark=mark,
        tags=unit.tags,
        formerly=unit.formerly,
        deleted=unit.deleted,
        released=unit.released,
        external=unit.external,
    )


def _check(line: _Line, findings: Findings) -> None:
    who = f"unit {line.path!r}"
    given = [key for key in ("tags", "formerly") if key in line.unit.model_fields_set]
    check_ending(who, line.unit, given, line.marks, line.where, findings)
    check_tags(who, line.unit.tags, line.marks, line.where, findings)
    former = line.unit.formerly
    if former is not None:
        mark = line.marks.at(*line.where, "formerly")
        if not (paths.is_absolute(former) if former.startswith("/") else former.strip()) or former == paths.ROOT:
            findings.error(
                mark, f"{who}: {former!r} is neither a name nor a path", "Write the former name, or /A/Name."
            )
        elif not former.startswith("/") and "/" in former.replace("\\/", ""):
            findings.error(mark, f"{who}: {former!r} is neither a name nor a path", f"Did you mean '/{former}'?")


def former_path(entry: UnitEntry) -> str | None:
    """The path, in git's own names, that an OU had before; None where it says nothing of that."""
    if entry.formerly is None or entry.formerly.startswith("/"):
        return entry.formerly
    return f"{'' if paths.parent(entry.path) == paths.ROOT else paths.parent(entry.path)}/{entry.formerly}"


def _check_together(units: Mapping[str, UnitEntry], findings: Findings) -> None:
    formers: dict[str, UnitEntry] = {}
    for entry in units.values():
        former = former_path(entry)
        if former in units:
            what = f"unit {entry.path!r}: it was formerly {former!r}, but that is a unit of its own here"
            fix = "Remove `formerly` once the rename is done, or the other unit."
            findings.error(entry.mark, what, fix)
        elif former in formers:
            what = f"unit {entry.path!r}: {formers[former].path!r} was formerly {former!r} as well"
            findings.error(entry.mark, what, "Only one unit can have been it.")
        elif former is not None:
            formers[former] = entry
        above = units.get(paths.parent(entry.path))
        if above is not None and above.deleted and not entry.deleted:
            what = f"unit {entry.path!r}: it lies in {above.path!r}, which is deleted"
            findings.error(entry.mark, what, "Delete it as well, or move it out first.")
