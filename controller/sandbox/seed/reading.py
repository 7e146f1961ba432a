"""From files to a desired state and a SandboxWorld, each value with its place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.desired import text, yaml12
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import YAML, Files, directory
from controller.errors import InvalidInput, Problem
from controller.sandbox.document import SandboxWorld
from controller.sandbox.seed.names import check


@dataclass(frozen=True, slots=True)
class Seed:
    """What a world is made from."""

    estate: Estate
    document: SandboxWorld


def read(*paths: Path) -> Seed:
    """The seed in directories and YAML files, taken together.

    Raises:
        InvalidInput: All that is wrong with it.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in paths:
        source = directory(path) if path.is_dir() else Files({str(path): path.read_bytes()})
        files.update(source.files)
        problems += source.problems
    return parse(Files(files, tuple(problems)))


def parse(source: Files) -> Seed:
    """The seed in files, with the desired state that its SandboxWorld finds elsewhere.

    Raises:
        InvalidInput: All that is wrong with them.
    """
    files, problems = dict(source.files), [*source.problems]
    known = {os.path.realpath(name) for name in files}
    for elsewhere in _elsewhere(source.files):
        further = directory(elsewhere)
        files.update({name: read for name, read in further.files.items() if os.path.realpath(name) not in known})
        problems += further.problems
    estate = load(Files(files, tuple(problems)), extra=(SandboxWorld,))
    worlds = list(estate.of(SandboxWorld))
    if len(worlds) > 1:
        mark = worlds[1].mark
        fix = "Put everything into one document: there is one world."
        raise InvalidInput([Problem(mark.file, mark.line, mark.column, "a second SandboxWorld", fix)])
    if worlds and (wrong := check(worlds[0], estate)):
        raise InvalidInput(wrong)
    return Seed(estate, worlds[0].model if worlds else SandboxWorld(kind="SandboxWorld"))


def _elsewhere(files: Mapping[str, bytes]) -> Iterator[str]:
    """The directories that SandboxWorlds name, as seen from here."""
    for name, content in files.items():
        decoded = text.decode(content, name) if name.endswith(YAML) and b"SandboxWorld" in content else None
        if isinstance(decoded, str):
            for raw in yaml12.parse(decoded, name)[0]:
                match raw.value:
                    case {"kind": "SandboxWorld", "estate": str(estate)}:
                        yield os.path.relpath(Path(name).parent / estate)
