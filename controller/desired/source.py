"""Where the files come from: a commit's tree in memory, or a plain directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from controller.errors import InvalidInput, Problem

MAX_FILE_BYTES = 4 * 1024 * 1024
"""Of one file. A year of a large team's accounts is a tenth of that."""
MAX_TREE_BYTES = 64 * 1024 * 1024
MAX_FILES = 20_000
YAML = (".yaml", ".yml")
SUFFIXES = (*YAML, ".json")
"""What a desired state consists of; whatever else lies there is not read."""
_PLAINLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class Source(Protocol):
    """A desired state as bytes. Nothing outside of it is ever read.

    Attributes:
        files: path, as people are to see it → bytes.
        problems: What lies there and was not read, and why.
        commit: The commit's hash, None for a plain directory.
    """

    @property
    def files(self) -> Mapping[str, bytes]: ...

    @property
    def problems(self) -> Sequence[Problem]: ...

    @property
    def commit(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Files:
    """A desired state in memory."""

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...] = ()
    commit: str | None = None


def directory(root: Path | str) -> Files:
    """The desired state below a directory, paths beginning as `root` does. Dotfiles and other suffixes are ignored.

    Symbolic links are never followed, also those that stay in the tree: a commit's reader does not follow them either,
    and one file under two names would say everything twice.

    Raises:
        InvalidInput: There is no such directory.
    """
    root = Path(root)
    if not root.is_dir():
        what = "not a directory" if root.exists() else "there is no such directory"
        raise InvalidInput([Problem(_printable(str(root)), 0, 0, what, "Give the directory that holds the YAML.")])
    reader = _Reader()
    for path in _walk(root, reader):
        reader.take(path)
        if reader.full:
            break
    return Files(reader.files, tuple(reader.problems))


class _Reader:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.problems: list[Problem] = []
        self.bytes = 0
        self.full = False

    def take(self, path: Path) -> None:
        """One regular file, opened so that neither a link nor a pipe put there meanwhile is followed or waited for."""
        name = str(path)
        if _printable(name) != name:
            self.refuse(path, "the file's name is not valid UTF-8", "Rename it.")
            return
        try:
            with os.fdopen(os.open(path, _PLAINLY), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    self.refuse(path, "not a regular file", "Move it elsewhere.")
                elif status.st_size > MAX_FILE_BYTES:
                    self.refuse(path, *too_large(status.st_size))
                else:
                    self.keep(name, file.read(MAX_FILE_BYTES))
        except OSError as error:
            self.refuse(path, f"cannot be read: {error.strerror}", "Correct the file's permissions.")

    def keep(self, name: str, content: bytes) -> None:
        self.bytes += len(content)
        if self.bytes > MAX_TREE_BYTES or len(self.files) >= MAX_FILES:
            what = f"more than {MAX_FILES:,} files or {MAX_TREE_BYTES // 2**20} MiB: nothing further was read"
            self.problems.append(Problem(name, 0, 0, what, "Is this the right directory?"))
            self.full = True
            return
        self.files[name] = content

    def refuse(self, path: Path, what: str, fix: str) -> None:
        self.problems.append(Problem(_printable(str(path)), 0, 0, what, fix))


def too_large(size: int) -> tuple[str, str]:
    """What and fix for a file above `MAX_FILE_BYTES`."""
    return f"{size / 2**20:.1f} MiB; the limit is {MAX_FILE_BYTES // 2**20} MiB", "Split the file."


def _walk(top: Path, reader: _Reader) -> Iterator[Path]:
    """The files to read, in the order of their paths."""
    waiting = _entries(top, reader)
    while waiting:
        entry = waiting.pop()
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            if path.suffix in SUFFIXES or os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where it may not look
                reader.refuse(path, "a symbolic link: links are not followed", "Put the file itself there.")
        elif entry.is_dir(follow_symlinks=False):
            waiting += _entries(path, reader)
        elif path.suffix in SUFFIXES:
            yield path


def _entries(directory: Path, reader: _Reader) -> list[os.DirEntry[str]]:
    """What lies in it, the first at the end."""
    try:
        return sorted(os.scandir(directory), key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        reader.refuse(directory, f"cannot be read: {error.strerror}", "Correct the directory's permissions.")
        return []


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
