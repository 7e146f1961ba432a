"""Who reads an organization in the comparison. To add one: a `Contender` in `CONTENDERS`.

A contender is a program that is started with AWS's environment variables set to the simulated AWS, reads all of the
organization and ends with 0. What it calls, and how often it is refused, the simulated AWS counts; its CPU seconds and
memory the operating system.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import terraform


@dataclass(frozen=True, slots=True)
class Yard:
    """What a contender is given.

    Attributes:
        seed: The organization as desired state, which it is in sync with.
        place: An empty directory, where it is started.
        environment: The variables that it is started with: among them those that lead to the simulated AWS.
        rates: The multiple of AWS's published rates that hold.
    """

    seed: Path
    place: Path
    environment: Mapping[str, str]
    rates: float


@dataclass(frozen=True, slots=True)
class Contender:
    """One reader.

    Attributes:
        command: The program and its arguments.
        missing: Why it cannot run here; None where it can.
        prepare: What it needs to know beforehand (a state file), done without rates and not measured.
    """

    name: str
    command: Callable[[Yard], list[str]]
    missing: Callable[[], str | None] = lambda: None
    prepare: Callable[[Yard], None] = lambda _: None


def _orgctl(yard: Yard) -> list[str]:
    settings = f"rate_multiple: {yard.rates}\nstate_dir: state\n"
    (yard.place / "orgctl.yaml").write_text(settings, encoding="utf-8")
    return [sys.executable, "-m", "controller", "plan", str(yard.seed), "--share", "1"]


def _naive(_: Yard) -> list[str]:
    return [sys.executable, "-m", "bench.naive"]


CONTENDERS = {
    one.name: one
    for one in (
        Contender("orgctl", _orgctl),
        Contender("naive boto3", _naive),
        Contender(
            "terraform",
            lambda yard: terraform.command(),
            terraform.missing,
            lambda yard: terraform.prepare(yard.environment, yard.place),
        ),
    )
}
