"""A real `orgctl apply` over HTTP, killed by SIGKILL while AWS works on one of its writes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from controller.cli import main
from controller.clock import Clock
from controller.sandbox.faults import Dropped
from controller.sandbox.sandbox import READS, Sandbox
from controller.sandbox.seed.reading import parse
from controller.sandbox.seed.sowing import sow
from controller.sandbox.server import Server
from controller.sandbox.wire import SIGNING_NAMES, Answer, Request, read, signature
from controller.sandbox.world import World
from controller.store import Store
from tests.cycle.house import files
from tests.hardening.estates import AFTER, BEFORE, LIVE
from tests.hardening.picture import Fact, ids, lost_and_new, picture

THOROUGH = bool(os.environ.get("ORGCTL_THOROUGH"))
SHARDS = 8
DONE, PATIENCE = 0, 8
"""Exit code of an apply that leaves nothing to do, and after how many of them it has to have come to that."""


class Scene:
    """One organization behind a port, one repository, and orgctl's state; all as new after `again`.

    Attributes:
        writes: How many were begun since.
        strikes: (when, which write): when it has come to that, the process that makes it is killed.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "git").mkdir()
        (place / "git" / "estate.yaml").write_text(AFTER)
        seed = parse(files(BEFORE + LIVE))
        world = World()
        sow(world, seed.estate, seed.document)
        world.delays = {"*": 0.0}
        self.sandbox = Sandbox(world)
        self.sandbox.remember()
        self.born = ids(world)
        self.writes = 0
        self.strikes: tuple[str, int] | None = None
        self.server = Server(self.handle)
        self.process: BaseProcess | None = None
        self._forks = multiprocessing.get_context("forkserver")
        self._forks.set_forkserver_preload([__name__])

    def again(self, *strikes: str | int) -> None:
        self.sandbox.reset()
        self.writes, self.strikes = 0, strikes or None  # type: ignore[assignment]
        shutil.rmtree(self.place / "state", ignore_errors=True)

    def handle(self, request: Request) -> Answer:
        signed = signature(request)
        service = SIGNING_NAMES.get(signed.signing_name) if signed else None
        if service is None or read(service, request).operation.startswith(READS):
            return self.sandbox.handle(request)
        with self.sandbox.world.lock:
            self.writes += 1
            if self.strikes == ("before", self.writes):
                self.kill()
            answer = self.sandbox.handle(request)
            if self.strikes == ("after", self.writes):
                self.kill()
            return answer

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.pid is not None
        self.strikes = None
        os.kill(self.process.pid, signal.SIGKILL)
        raise Dropped

    def orgctl(self, *arguments: str) -> int:
        """The exit code of a process of its own, its parent knowing nothing of it but its id."""
        environment = {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": self.sandbox.world.management_account,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "ORGCTL_ORGANIZATION": self.sandbox.world.organization_id,
            "ORGCTL_MODE": "enforce",
            "ORGCTL_RATE_MULTIPLE": "1000",
            "ORGCTL_STATE_DIR": str(self.place / "state"),
        }
        self.process = self._forks.Process(target=run, args=(environment, str(self.place), arguments))
        self.process.start()
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode

    def apply(self) -> int:
        """With what a person has to approve approved before."""
        if not (self.place / "state").exists():
            self.orgctl("plan", str(self.place / "git"))
        store = Store(self.place / "state" / "orgctl.sqlite3", Clock())
        for hold in store.holds():
            store.approve(hold.id, "operator")
        store.close()
        return self.orgctl("apply", str(self.place / "git"), "--yes")

    def to_the_end(self) -> list[Fact]:
        for _ in range(PATIENCE):
            if self.apply() == DONE:
                return picture(self.sandbox.world, born=self.born)
        raise AssertionError("it does not come to an end")


def run(environment: dict[str, str], place: str, arguments: tuple[str, ...]) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "ORGCTL_"))]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(place)
    with (Path(place) / "said").open("a") as said:
        os.dup2(said.fileno(), sys.stdout.fileno())
        os.dup2(said.fileno(), sys.stderr.fileno())
    sys.argv = ["orgctl", *arguments]
    main()


@pytest.mark.parametrize("shard", range(SHARDS if THOROUGH else 1))
def test_a_killed_apply_is_finished_by_the_next_ones(shard: int, tmp_path: Path) -> None:
    """In `make hardening`, killed at every write, before its effect and before its answer; in `make test`, at a few."""
    scene = Scene(tmp_path)
    scene.server.start()
    try:
        scene.again()
        end = scene.to_the_end()
        assert scene.apply() == DONE
        every = range(1 + shard, scene.writes + 1, SHARDS) if THOROUGH else range(7, scene.writes, scene.writes // 3)
        wrong = {}
        for number in every:
            for when in ("before", "after") if THOROUGH else ("before" if number % 2 else "after",):
                scene.again(when, number)
                assert scene.apply() == -signal.SIGKILL
                if different := lost_and_new(end, scene.to_the_end()):
                    wrong[f"killed {when} the effect of write {number}"] = different
        assert not wrong, "\n\n".join(f"{moment}:\n{found}" for moment, found in wrong.items())
    finally:
        scene.server.stop()
