"""What a daemon costs that runs: its first look, time in which nothing happens, and commits, in calls.

    .venv/bin/python -m bench.running --size M

The organization is simulated in this process, with its time; a count depends on no machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import yaml

from bench import bounds
from bench.compare import FULL_PAGES
from bench.estates import SIZES, Size, write
from controller.aws.connect import connect
from controller.config import Settings
from controller.desired.load import load
from controller.desired.source import Files
from controller.reconcile import Controller, Look
from controller.report import Report
from controller.sandbox.inprocess import VirtualTime, attach
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed import sow
from controller.sandbox.seed.reading import parse
from controller.schedule import PARTS
from controller.store import Store

COMMITS = (1, 10, 100)
"""Assignments that one commit adds, each in another account."""


class Daemon:
    """What `orgctl run` does, look by look."""

    def __init__(self, estate: str) -> None:
        given = parse(Files({"estate.yaml": estate.encode()}))
        self.sandbox = Sandbox.create(virtual=True, rules=FULL_PAGES)
        sow(self.sandbox.world, given.estate, given.document)
        self.clock, self.settings = VirtualTime(self.sandbox), self._settings()
        session = botocore.session.Session()
        session.set_credentials(self.sandbox.world.management_account, "sandbox")
        attach(boto3.Session(botocore_session=session), self.sandbox)
        self.controller = Controller(
            self.settings,
            self.clock,
            Store(":memory:", self.clock),
            lambda observer: connect(self.settings, self.clock, read_only=False, observer=observer, session=session),
        )

    def _settings(self) -> Settings:
        organization = self.sandbox.world.organization_id
        return Settings(organization=organization, mode="enforce", rate_multiple=1000, workers=8)

    def look(self, estate: str, look: Look) -> tuple[Report, int]:
        """The report, and the calls."""
        self.sandbox.world.calls.clear()
        report = self.controller.cycle(load(Files({"estate.yaml": estate.encode()}), now=self.clock.now()), look)
        return report, sum(self.sandbox.world.calls.values())

    def hour(self, estate: str) -> Iterable[tuple[int, float]]:
        """Each look's calls, and what part of a `resync` it stands for."""
        part = self.settings.resync / PARTS
        for _ in range(int(timedelta(hours=1) / part)):
            self.clock.sleep(part.total_seconds())
            yield self.look(estate, Look.PART)[1], self.controller.known.part


def measure(size: str, *, hub: bool = False) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        seed = write(replace(SIZES[size], hub=hub), Path(place))
        estate = (seed / "estate.yaml").read_text()
        bound = bounds.of(seed)
    daemon = Daemon(estate)
    report, first = daemon.look(estate, Look.ALL)
    assert not report.plan.changes, report.plan.summary()
    _, nothing = daemon.look(estate, Look.CHANGES)
    idle = list(daemon.hour(estate))
    commits, number = {}, 0
    for count in COMMITS:
        lines = [_line(SIZES[size], number + n) for n in range(count)]
        number += count
        estate += "---\n" + yaml.safe_dump({"kind": "Assignments", "assignments": lines})
        report, calls = daemon.look(estate, Look.CHANGES)
        daemon.clock.sleep(60)
        commits[count] = {"written": report.wrote, "calls": calls, "after": daemon.look(estate, Look.CHANGES)[1]}
    return {
        "size": size,
        "bound": bound["total"],
        "first": first,
        "nothing": nothing,
        "resync": round(sum(calls for calls, _ in idle) / sum(part for _, part in idle)),
        "commits": commits,
    }


def _line(size: Size, number: int) -> dict[str, Any]:
    """A group's permission set in an account that lies in another OU than its own."""
    account = (number + number // size.groups + 1) % size.accounts
    where = {"accounts": [f"acct-{account:05}"]}
    return {"group": f"group-{number % size.groups:03}", "permission_sets": ["Set00"], "targets": where}


def tell(figures: dict[str, Any]) -> None:
    first = figures["first"]
    print(f"{first:7,} calls of the first look, {first / figures['bound']:.2f} × the least")
    print(f"{figures['nothing']:7,} calls of a look where nothing happened")
    print(f"{figures['resync']:7,} calls of a `resync` without news, {figures['resync'] / first:.2f} first looks")
    for count, one in figures["commits"].items():
        print(f"{one['calls']:7,} calls of a commit that adds {count} assignments ({one['written']} written), "
              f"{one['after']} to look at them again")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    figures = measure(chosen.size)
    tell(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
