"""From files to a desired state and a SandboxWorld, each value with its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.desired import text, yaml12
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.shape import shape
from controller.desired.source import YAML, Files, directory
from controller.errors import InvalidInput, Problem
from controller.sandbox.document import SandboxWorld

_WORLD = re.compile(rb"^kind:\s*['\"]?SandboxWorld\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seed:
    """What a world is made from."""

    estate: Estate
    document: SandboxWorld


def read(path: Path) -> Seed:
    """The seed in a directory, or in one YAML file.

    Raises:
        InvalidInput: All that is wrong with it.
    """
    return parse(directory(path) if path.is_dir() else Files({str(path): path.read_bytes()}))


def parse(source: Files) -> Seed:
    """The seed in files; those with a SandboxWorld hold nothing else.

    Raises:
        InvalidInput: All that is wrong with them.
    """
    files = dict(source.files)
    worlds = {name: files.pop(name) for name in list(files) if name.endswith(YAML) and _WORLD.search(files[name])}
    document = _document(worlds) if worlds else SandboxWorld(kind="SandboxWorld")
    if document.estate is not None:
        files.update(_elsewhere(next(iter(worlds)), document.estate))
    return Seed(load(Files(files, source.problems)), document)


def _document(worlds: Mapping[str, bytes]) -> SandboxWorld:
    """The one SandboxWorld there may be."""
    problems: list[Problem] = []
    found: list[SandboxWorld] = []
    for name, content in worlds.items():
        decoded = text.decode(content, name)
        if isinstance(decoded, Problem):
            problems.append(decoded)
            continue
        raws, wrong = yaml12.parse(decoded, name)
        problems += wrong
        for raw in raws:
            shaped = shape(raw, SandboxWorld, decoded)
            problems += shaped.problems
            found += [shaped.model] if isinstance(shaped.model, SandboxWorld) else []
            problems += _one_only(raw, found)
    if problems:
        raise InvalidInput(problems)
    return found[0]


def _one_only(raw: yaml12.RawDocument, found: list[SandboxWorld]) -> Iterable[Problem]:
    if len(found) > 1:
        mark = raw.marks.at()
        what = "a second SandboxWorld"
        yield Problem(mark.file, mark.line, mark.column, what, "There is one world: put everything into one document.")


def _elsewhere(file: str, estate: str) -> Mapping[str, bytes]:
    """The desired state in a directory given relative to a file."""
    return directory(os.path.relpath(Path(file).parent / estate)).files
