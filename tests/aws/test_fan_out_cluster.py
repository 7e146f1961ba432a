"""Security Hub read by a real Dask cluster: a scheduler and two worker processes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from controller.aws.connect import connect
from controller.aws.transport import CallRecord
from controller.clock import Clock
from controller.config import Settings
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files
from controller.reconcile import observe
from controller.resources import security_hub_cell
from controller.resources.base import Observed
from controller.resources.registry import KINDS
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import hubs
from controller.sandbox.seed import sow
from controller.sandbox.seed.reading import parse
from tests.aws import errands

dask = pytest.importorskip("dask", reason="orgctl[cluster] is not installed")
distributed = pytest.importorskip("distributed", reason="orgctl[cluster] is not installed")
pytestmark = pytest.mark.cluster

ACCOUNTS = 16
FSBP = "aws-foundational-security-best-practices/v/1.0.0"
ESTATE = f"""
kind: Organization
regions: [us-east-1, eu-west-1]
trusted_services: [securityhub.amazonaws.com]
---
kind: Accounts
accounts: {{{", ".join(f"a{n}: {{email: a{n}@example.com, unit: /, tags: {{}}}}" for n in range(ACCOUNTS))}}}
---
kind: SecurityHub
targets: {{units: [/]}}
standards: [{FSBP}]
disabled_controls: [{{control: ACM.1, reason: Our own CA}}]
"""
NEEDED = ("organizational_unit", "trusted_service", "delegated_administrator", "account", "security_hub")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


class Cluster:
    """An organization that is served over HTTP, and workers that have its management account's credentials."""

    def __init__(self, place: Path) -> None:
        given = parse(Files({"estate.yaml": ESTATE.encode()}))
        self.estate: Estate = load(Files({"estate.yaml": ESTATE.encode()}))
        self.sandbox = Sandbox.create()
        sow(self.sandbox.world, given.estate, given.document)
        self._make_trouble()
        self.sandbox.start()
        self._environment = pytest.MonkeyPatch()
        for name in [name for name in os.environ if name.startswith(("ORGCTL_", "AWS_"))]:
            self._environment.delenv(name)
        self._environment.setenv("AWS_ENDPOINT_URL", self.sandbox.url)
        self._environment.setenv("AWS_ACCESS_KEY_ID", self.sandbox.world.management_account)
        self._environment.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
        self.died = place / "died"
        self._environment.setenv(errands.MARK, str(self.died))
        self._environment.chdir(place)
        with dask.config.set({"distributed.scheduler.allowed-failures": 1}):  # 3 take long
            self._cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        self.address = self._cluster.scheduler_address.replace("tcp://", "dask://")

    def _make_trouble(self) -> None:
        """A role that is missing, a hub that is off, and one that somebody changed."""
        world = self.sandbox.world
        ids = {account.name: account.id for account in world.accounts.values()}
        world.accounts[ids["a3"]].roles.clear()
        del hubs(world).hubs[ids["a4"], "eu-west-1"]
        hubs(world).hubs[ids["a5"], "us-east-1"].disabled.clear()

    def look(self, executor: str) -> tuple[Observed[Any], list[CallRecord]]:
        """What is observed of Security Hub, and the calls it took."""
        records: list[CallRecord] = []
        settings = Settings(rate_multiple=1000, workers=8, executor=executor)
        aws = connect(settings, Clock(), read_only=True, observer=records.append)
        try:
            live = observe({kind.name: kind for kind in KINDS if kind.name in NEEDED}, aws.reader(), self.estate)
        finally:
            aws.close()
        return live.observed["security_hub"], records

    def close(self) -> None:
        self._cluster.close()
        self._environment.undo()
        self.sandbox.stop()


def whole(observed: Observed[Any]) -> dict[str, Any]:
    """Everything of it, what `==` leaves out too."""
    return {**asdict(observed), "order": list(observed.resources)}


def hub_calls(records: list[CallRecord]) -> Counter[str]:
    return Counter(record.action for record in records if record.account is not None)


def test_two_workers_see_what_threads_see_with_the_same_calls(cluster: Cluster) -> None:
    expected, calls = cluster.look("threads")
    cluster.sandbox.world.calls.clear()

    seen, told = cluster.look(cluster.address)

    assert whole(seen) == whole(expected)
    assert (len(seen.resources), len(seen.incomplete)) == (2 * ACCOUNTS - 3, 2)
    once_for_each_worker = {"securityhub:DescribeStandards", "securityhub:ListSecurityControlDefinitions"}
    more = hub_calls(told) - hub_calls(calls)
    assert more.keys() <= once_for_each_worker
    assert not hub_calls(calls) - hub_calls(told)
    assert Counter(record.action for record in told)["sts:GetCallerIdentity"] == 1 + 2, "both workers connected"
    assert sum(cluster.sandbox.world.calls.values()) == len(told), "every call is told of, whoever made it"


def test_what_a_killed_worker_was_reading_another_reads(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, _ = cluster.look("threads")
    monkeypatch.setattr(security_hub_cell, "_look_at", errands.look_and_die)

    seen, _ = cluster.look(cluster.address)

    assert cluster.died.exists()
    assert whole(seen) == whole(expected)


def test_work_that_kills_every_worker_leaves_the_kind_incomplete(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_hub_cell, "_look_at", errands.die)

    seen, _ = cluster.look(cluster.address)

    assert seen.resources == {}
    assert [one.key for one in seen.incomplete] == [None]
    assert "lost one worker after another" in seen.incomplete[0].why
