"""How fast Security Hub is observed in many accounts × Regions, beside what one core can issue with botocore at all.

    .venv/bin/python -m bench.fan_out --size S                    # 100 accounts × 4 Regions
    .venv/bin/python -m bench.fan_out --size XL --cluster --json fan_out.json       # 10,000 × 4; takes its time

The ceiling is a loop that makes the same calls through botocore with nothing around them: no budget, no credentials to
fetch, nothing kept. The simulated AWS is a process of its own, and so is each reader, so that CPU seconds
and peak memory are its own. Calls for each CPU second are compared: they say the same on a machine with other work.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials

from bench.sandbox_speed import FSBP, REGIONS
from controller.aws.timestamps import quicken
from controller.catalogue.security_hub import standard_arn, standard_of

SIZES = {"S": 100, "M": 500, "L": 2_500, "XL": 10_000}
"""Accounts; each has four Regions."""
CONTROLS_A_CALL = 100
CEILING_ACCOUNTS = 250
"""So many are enough to know the ceiling's rate."""
THREADS = 8
"""Of the ceiling: enough that one core is never idle."""
WORKERS = 2
"""Of the cluster."""


def ceiling(state: dict[str, Any], *, quick: bool = False) -> dict[str, Any]:
    """The calls alone, by a few threads that each have clients of their own.

    Args:
        quick: Times in answers are read as orgctl reads them, not as botocore does: what is left is orgctl's own cost.
    """
    session = botocore.session.get_session()
    if quick:
        quicken(session)
    session.set_credentials("test", "x")
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    hands = [{region: session.create_client("securityhub", region, config=config) for region in REGIONS}
             for _ in range(THREADS)]  # fmt: skip
    controls = {region: _controls(_as(hands[0][region], state["accounts"][0]), region) for region in REGIONS}

    def work(number: int) -> int:
        calls = 0
        for account in state["accounts"][:CEILING_ACCOUNTS][number::THREADS]:
            for region, client in hands[number].items():
                calls += _look(_as(client, account), controls[region])
        return calls

    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        calls = sum(pool.map(work, range(THREADS)))
    return {"calls": calls, "wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "mib": _peak_mib()}


def _look(client: Any, controls: list[dict[str, str]]) -> int:
    """What orgctl asks of one account in one Region; how many calls it took."""
    hub = client.describe_hub()
    client.list_tags_for_resource(ResourceArn=hub["HubArn"])
    client.get_enabled_standards()
    starts = range(0, len(controls), CONTROLS_A_CALL)
    for start in starts:
        some = controls[start : start + CONTROLS_A_CALL]
        client.batch_get_standards_control_associations(StandardsControlAssociationIds=some)
    return 3 + len(starts)


def _as(client: Any, account: str) -> Any:
    client._request_signer._credentials = Credentials(account, "x")
    return client


def _controls(client: Any, region: str) -> list[dict[str, str]]:
    arn = standard_arn("aws", region, FSBP)
    pages = client.get_paginator("list_security_control_definitions").paginate(StandardsArn=arn)
    ids = [one["SecurityControlId"] for page in pages for one in page["SecurityControlDefinitions"]]
    return [{"StandardsArn": arn, "SecurityControlId": id} for id in sorted(ids)]


def orgctl(state: dict[str, Any], executor: str = "threads", share: float = 1.0) -> dict[str, Any]:
    """orgctl's own observation of the same cells, at AWS's published rates."""
    from controller.aws.connect import connect
    from controller.clock import Clock
    from controller.config import Settings
    from controller.resources.security_hub_cell import SecurityHub, cell_key, look

    settings = Settings(member_role="orgctl-member", share=share, executor=executor)
    calls = refused = 0

    def count(record: Any) -> None:
        nonlocal calls, refused
        calls += 1
        refused += record.throttled

    aws = connect(settings, Clock(), read_only=True, observer=count)
    standards = frozenset([standard_of(FSBP)])
    cells = [
        SecurityHub(key=cell_key(account, region), name=f"{account}/{region}", standards=standards)
        for account in state["accounts"]
        for region in REGIONS
    ]
    began, cpu = time.perf_counter(), time.process_time()
    seen = look(aws.reader(), cells)
    figures = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    aws.close()
    wrong = [one for one in seen.cells.values() if not isinstance(one, SecurityHub) or len(one.disabled) != 5]
    assert not wrong, f"{len(wrong)} cells were not seen as they are: {wrong[0]}"
    return {"calls": calls, "refused": refused, **figures, "mib": _peak_mib()}


def cluster(state: dict[str, Any], share: float = 1.0) -> dict[str, Any]:
    """The same on a Dask cluster of two workers on this machine, `cpu` being the controller's, and theirs apart."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as made:
        processes = [worker.pid for worker in made.workers.values()]
        before = [_cpu_of(process) for process in processes]
        figures = orgctl(state, made.scheduler_address.replace("tcp://", "dask://"), share)
        spent = [_cpu_of(process) - was for process, was in zip(processes, before, strict=True)]
    return {**figures, "workers_cpu": spent}


def _cpu_of(process: int) -> float:
    """CPU seconds of another process so far (proc(5): utime and stime)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


READERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ceiling": ceiling,
    "quick ceiling": partial(ceiling, quick=True),
    "orgctl": orgctl,
    "cluster": cluster,
}


@contextmanager
def sandbox(accounts: int) -> Iterator[dict[str, Any]]:
    """A populated one in a process of its own; what a reader needs to know of it."""
    command = [sys.executable, "-m", "bench.sandbox_speed", "--serve", str(accounts)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.stdin.close()
            server.wait()


def alone(reader: str, state: dict[str, Any]) -> dict[str, Any]:
    """One reader in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ORGCTL_"))}
    environment |= {
        "AWS_ENDPOINT_URL": state["url"],
        "AWS_ACCESS_KEY_ID": state["management"],
        "AWS_SECRET_ACCESS_KEY": "sandbox",
    }
    command = [sys.executable, "-m", "bench.fan_out", "--reader", reader]
    wanted = json.dumps({"accounts": state["accounts"]})
    run = subprocess.run(command, input=wanted, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def measure(accounts: int, *, with_cluster: bool) -> dict[str, Any]:
    with sandbox(accounts) as state:
        found = {name: alone(name, state) for name in READERS if with_cluster or name != "cluster"}
    figures: dict[str, Any] = {"accounts": accounts, "regions": len(REGIONS), **found}
    rates = {name: one["calls"] / one["cpu"] for name, one in found.items()}
    figures["of_the_ceiling"] = rates["orgctl"] / rates["ceiling"]
    figures["of_the_quick_ceiling"] = rates["orgctl"] / rates["quick ceiling"]
    if with_cluster:
        figures["cluster_speed_up"] = found["orgctl"]["wall"] / found["cluster"]["wall"]
    return figures


def tell(figures: dict[str, Any]) -> None:
    print(f"{figures['accounts']:,} accounts × {figures['regions']} Regions")
    for name in READERS:
        if name in figures:
            one = figures[name]
            workers = "".join(f" + {cpu:.1f}" for cpu in one.get("workers_cpu", ()))
            cpu = one["cpu"] + sum(one.get("workers_cpu", ()))
            print(f"{name:13} {one['calls']:9,} calls  {one['wall']:7.1f} s  {one['cpu']:.1f}{workers} s CPU  "
                  f"{one['calls'] / cpu:6.0f} calls a CPU second  {one['mib']:5.0f} MiB")  # fmt: skip
    print(f"orgctl's calls a CPU second: {figures['of_the_ceiling']:.0%} of what botocore does, "
          f"{figures['of_the_quick_ceiling']:.0%} of what it does with orgctl's way to read times")  # fmt: skip
    if "cluster_speed_up" in figures:
        print(f"{WORKERS} workers against threads: {figures['cluster_speed_up']:.2f} × by the clock")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--accounts", type=int, help="instead of a size")
    parser.add_argument("--cluster", action="store_true", help="also on two workers of a Dask cluster")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.reader:
        print(json.dumps(READERS[chosen.reader](json.loads(sys.stdin.read()))))
        return
    figures = measure(chosen.accounts or SIZES[chosen.size], with_cluster=chosen.cluster)
    tell(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
