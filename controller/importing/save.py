"""Files onto the disk, and beside them what a person should know: all comment, so it may lie among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from controller import __version__
from controller.errors import InvalidInput, Problem
from controller.importing.organize import Imported
from controller.importing.write import comment

NOTES = "import-notes.yaml"


def check_empty(directory: Path) -> None:
    """An import never writes over anything, and never beside what it did not write: that would say things twice.

    Raises:
        InvalidInput: There is something.
    """
    try:
        taken = directory.exists() and (not directory.is_dir() or any(directory.iterdir()))
    except OSError as error:
        raise _unwritable(directory, error) from error
    if taken:
        fix = "Give a new or an empty one; then compare or merge with git."
        raise InvalidInput([Problem("--out", 0, 0, f"{directory} is not an empty directory", fix)])


def save(imported: Imported, directory: Path, now: datetime) -> None:
    """Write everything.

    Raises:
        InvalidInput: The directory is not empty, or cannot be written to.
    """
    check_empty(directory)
    write(directory, {**imported.files, NOTES: notes(imported, now)})


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Files below a directory.

    Raises:
        InvalidInput: They cannot be written.
    """
    try:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise _unwritable(directory, error) from error


def notes(imported: Imported, now: datetime) -> str:
    """When, what, and what to look at."""
    live, scope = imported.picture.seen.live, imported.picture.scope
    counts = Counter({kind: len(seen.resources) for kind, seen in live.observed.items() if scope.has(kind)})
    found = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count)
    part = "" if scope.whole_tree else f" Only what lies in or below {scope.unit} was written."
    head = (
        f"Organization {imported.picture.seen.here.organization_id} as orgctl {__version__} found it on "
        f"{now:%Y-%m-%d %H:%M:%SZ}.\nSeen: {found}.{part}\n"
        "All of this file is comment: remove it once it is read.\n"
    )
    return comment("\n".join([head, *imported.notes.text()]))


def _unwritable(directory: Path, error: OSError) -> InvalidInput:
    return InvalidInput([Problem("--out", 0, 0, f"{directory} cannot be written to: {error.strerror}")])
