"""A commit's tree: which of its files are the desired state, judged before anything is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from controller.desired.source import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_TREE_BYTES,
    SUFFIXES,
    too_large,
)
from controller.errors import InvalidInput, Problem


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the tree; `mode` as git gives it, `size` in bytes."""

    mode: str
    oid: str
    size: int
    path: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path).suffix


def directory_in_repository(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path:
        fix = "Give a path from the repository's root, such as desired-state."
        raise InvalidInput([Problem("--path", 0, 0, f"'{path}' leads out of the repository", fix)])
    return "/".join(parts)


def entries(listing: bytes, directory: str) -> Iterator[Entry]:
    """``<mode> <type> <oid> <size>\\t<path>``, NUL-terminated (git-ls-tree, OUTPUT FORMAT). Submodules lack a size."""
    for line in listing.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, oid, size = facts.decode("ascii").split()
        name = path.decode("utf-8", "backslashreplace")
        if any(part.startswith(".") for part in name.split("/")):
            continue
        yield Entry(mode, oid, int(size) if size.isdigit() else 0, f"{directory}/{name}" if directory else name)


def judge(entries: Iterable[Entry]) -> tuple[list[Entry], list[Problem]]:
    """What is to be read, and what is wrong with the rest. Sizes are judged before anything is read."""
    kept: list[Entry] = []
    problems: list[Problem] = []
    for entry in entries:
        if entry.mode == "160000":
            what, fix = "a submodule: its files would not be read", "Copy them in, or move the submodule away."
        elif entry.mode == "120000" and entry.suffix in ("", *SUFFIXES):  # without a suffix, perhaps to a directory
            what, fix = "a symbolic link: links are not followed", "Put the file itself there."
        elif entry.mode == "120000" or entry.suffix not in SUFFIXES:
            continue
        elif entry.size > MAX_FILE_BYTES:
            what, fix = too_large(entry.size)
        else:
            kept.append(entry)
            continue
        problems.append(Problem(entry.path, 0, 0, what, fix))
    total = sum(entry.size for entry in kept)
    if len(kept) > MAX_FILES or total > MAX_TREE_BYTES:
        what = (
            f"{len(kept):,} files with {total / 2**20:.0f} MiB are more than the {MAX_FILES:,} files and "
            f"{MAX_TREE_BYTES // 2**20} MiB that a desired state may have"
        )
        raise InvalidInput([Problem(kept[0].path, 0, 0, what, "Is this the right directory?")])
    return kept, problems
