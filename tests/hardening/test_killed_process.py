"""A real `orgctl apply`, killed while AWS works on one of its writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from controller.sandbox.faults import Dropped
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed.reading import parse
from controller.sandbox.seed.sowing import sow
from controller.sandbox.world import SandboxClock, World
from tests.cycle.house import files
from tests.hardening.estates import AFTER, BEFORE, LIVE
from tests.hardening.picture import Fact, ids, lost_and_new, picture
from tests.hardening.yard import Yard

CHANGED = AFTER.replace(
    "delegated_administrators: {audit: [securityhub.amazonaws.com], data: [config.amazonaws.com]}", ""
)
# What a person would have to approve is left out.
GIT = CHANGED[: CHANGED.index("disable:")] + CHANGED[CHANGED.index("---\nkind: OrganizationalUnits") :]
DONE = 0


class Gate(SandboxClock):
    """A clock at which a slow call waits until it may go on, or is lost before it takes effect."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.open = threading.Event(), threading.Event()
        self.drops = False

    def wait(self, seconds: float) -> None:
        self.reached.set()
        assert self.open.wait(60)
        if self.drops:
            raise Dropped


@pytest.mark.parametrize(
    ("write", "takes_effect"),
    [("organizations:CreateOrganizationalUnit", False), ("sso-admin:CreatePermissionSet", True)],
)
def test_a_killed_apply_is_finished_by_the_next_one(write: str, takes_effect: bool, tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "estate.yaml").write_text(GIT)
    gate = Gate()
    sandbox = sown(World(clock=gate))
    born = ids(sandbox.world)
    sandbox.faults.add(operation=write, kind="slow", seconds=1, count=1)
    with sandbox:
        killed = orgctl_apply(tmp_path, sandbox)
        assert gate.reached.wait(60)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(60) == -signal.SIGKILL
        gate.drops = not takes_effect
        gate.open.set()
        for _ in range(2):
            again = orgctl_apply(tmp_path, sandbox)
            assert again.wait(60) == DONE
    different = lost_and_new(undisturbed(), picture(sandbox.world, born=born))
    assert not different, different


def sown(world: World) -> Sandbox:
    seed = parse(files(BEFORE + LIVE))
    sow(world, seed.estate, seed.document)
    world.delays = {"*": 0.0}
    return Sandbox(world)


def undisturbed() -> list[Fact]:
    yard = Yard(BEFORE + LIVE, GIT)
    born = ids(yard.sandbox.world)
    yard.operate()
    return picture(yard.sandbox.world, born=born)


def orgctl_apply(place: Path, sandbox: Sandbox) -> subprocess.Popen[bytes]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORGCTL_", "COV_CORE_"))},
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": sandbox.world.management_account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ORGCTL_ORGANIZATION": sandbox.world.organization_id,
        "ORGCTL_MODE": "enforce",
        "ORGCTL_RATE_MULTIPLE": "1000",
        "ORGCTL_STATE_DIR": str(place / "state"),
    }
    command = [sys.executable, "-m", "controller", "apply", str(place / "git"), "--yes"]
    return subprocess.Popen(command, env=environment, cwd=place, stdout=subprocess.DEVNULL)
