"""How full AWS's windows are kept: 15 assignments or 3 provisions under way, 20 calls a second for all together.

    .venv/bin/python -m bench.windows                                   # 3,000 new assignments that take 3 s each
    .venv/bin/python -m bench.windows --number 300 --accounts 60 --seconds 1 3 10 --spread 0.5 --json windows.json
    .venv/bin/python -m bench.windows --what provision --number 30 --accounts 60 --seconds 8

The organization is simulated, with AWS's published rates, and so is its time (`bench.simulated_time`): the figures are
AWS's and orgctl's, and the machine has no part in them. The bound is the larger of two: the writes at 20 a second
times the share, and the time that the work takes, so many side by side as AWS allows.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.session import Session

from bench.simulated_time import SimulatedSandboxTime, SimulatedTime
from controller.aws.connect import Aws, connect
from controller.aws.transport import CallRecord
from controller.config import Settings
from controller.desired.load import load
from controller.desired.source import Files
from controller.planning.plan import Plan
from controller.reconcile import Controller
from controller.report import Result
from controller.sandbox.identity_center.state import CREATION, DELETION, PROVISIONING, access
from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed import sow
from controller.sandbox.seed.reading import parse
from controller.sandbox.world import Job, World
from controller.store import Store

CALLS_A_SECOND = 20
"""All operations of Identity Center together (IAM Identity Center User Guide, Quotas)."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done: `at_once` under way at most (same page), `calls` that write for each."""

    work: str
    at_once: int
    calls: int


TASKS = {"create": Task(CREATION, 15, 1), "delete": Task(DELETION, 15, 1), "provision": Task(PROVISIONING, 3, 2)}
"""New assignments; assignments that go; permission sets that are edited, each in one account."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one apply took.

    Attributes:
        what: Of `TASKS`.
        work: Seconds that AWS takes for each; `spread` is a share of that, to either side.
        seconds: From the first call of the apply to the last, in simulated time.
        bound: The least that they can be.
        most: So many under way at once.
        mean: On average, from the first to the last.
        calls: Of the apply, by action.
        refused: Calls that AWS refused, by operation and code.
    """

    what: str
    number: int
    accounts: int
    work: float
    spread: float
    share: float
    seconds: float
    bound: float
    most: int
    mean: float
    calls: dict[str, int]
    refused: dict[str, int]

    @property
    def ratio(self) -> float:
        return self.seconds / self.bound

    @property
    def looks(self) -> int:
        """Calls that ask what has become of a request."""
        return sum(count for action, count in self.calls.items() if action.endswith("Status"))


class _World(World):
    """Work takes `work` seconds, give or take the share `spread`."""

    work, spread = 3.0, 0.0

    def due(self, operation: str) -> float:
        return self.clock.now() + self.work * self.random.uniform(1 - self.spread, 1 + self.spread)


def measure(
    what: str,
    number: int,
    accounts: int,
    work: float = 3.0,
    *,
    spread: float = 0.0,
    latency: float = 0.04,
    share: float = 1.0,
    newest_first: bool = True,
) -> Figures:
    """Do one of `TASKS` so many times, in one apply."""
    task, (before, after) = TASKS[what], _estates(what, number, accounts)
    time = SimulatedTime()
    with time.passing():
        sandbox = _sandbox(time, before, number)
        world = sandbox.world
        assert isinstance(world, _World)
        world.work, world.spread = work, spread
        world.rules.set({"newest-first": newest_first})
        sandbox.rates.set(1)
        sandbox.latency["*"] = latency
        calls: Counter[str] = Counter()
        settings = Settings(organization=world.organization_id, mode="enforce", share=share)
        store = Store(":memory:", time)

        def linked(count: Callable[[CallRecord], None]) -> Aws:
            def saw(record: CallRecord) -> None:
                count(record)
                calls[record.action] += 1

            return connect(settings, time, read_only=False, observer=saw, session=_session(sandbox))

        def planned(_: Plan) -> None:
            calls.clear()
            sandbox.refused.clear()

        estate = load(Files({"estate.yaml": after}))
        controller = Controller(settings, time, store, linked, planned=planned)
        controller.plan(estate)
        for hold in store.holds():  # to take everything away is for a person to decide
            store.approve(hold.id, "bench")
        report = controller.cycle(estate)
        controller.close()
        store.close()
    odd = [outcome for outcome in report.outcomes if outcome.result is not Result.APPLIED]
    assert not odd and len(report.outcomes) == number, (len(report.outcomes), odd[:1], report.plan.held[:1])
    jobs = list(access(world).jobs[task.work].values())
    began = min(_begun(job) for job in jobs)
    took = sum(job.due - _begun(job) for job in jobs)
    return Figures(
        what,
        number,
        accounts,
        work,
        spread,
        share,
        seconds=report.phases["apply"],
        bound=max(number * task.calls / (CALLS_A_SECOND * share), took / task.at_once),
        most=_most(jobs),
        mean=took / (max(job.due for job in jobs) - began),
        calls=dict(calls.most_common()),
        refused=dict(sandbox.refused),
    )


def _begun(job: Job) -> float:
    begun: float = job.detail["CreatedDate"]
    return begun


def _most(jobs: Sequence[Job]) -> int:
    """Most under way at any moment; what ends at a moment has ended before anything begins."""
    under_way = most = 0
    for _, step in sorted([(_begun(job), 1) for job in jobs] + [(job.due, -1) for job in jobs]):
        under_way += step
        most = max(most, under_way)
    return most


def _sandbox(time: SimulatedTime, before: bytes, groups: int) -> Sandbox:
    sandbox = Sandbox(_World(clock=SimulatedSandboxTime(time)))
    people = {"kind": "SandboxWorld", "people": {"groups": {_group(n): [] for n in range(groups)}}}
    sown = parse(Files({"estate.yaml": before, "world.yaml": yaml.safe_dump(people).encode()}))
    sow(sandbox.world, sown.estate, sown.document)
    return sandbox


def _estates(what: str, number: int, accounts: int) -> tuple[bytes, bytes]:
    """What is in force, and what git wants now."""
    if what == "provision":  # each set in an account of its own: AWS writes the roles of one account one at a time
        lines = [_line(0, f"Set{n}", {"accounts": [f"a{n % accounts}"]}) for n in range(number)]
        return _estate(number, accounts, lines, "Made"), _estate(number, accounts, lines, "Edited")
    lines = [_line(n, "Set0", {"units": ["/Work"]}) for n in range(number // accounts)]
    none, given = _estate(1, accounts, [], "Made"), _estate(1, accounts, lines, "Made")
    return (none, given) if what == "create" else (given, none)


def _line(group: int, permission_set: str, targets: dict[str, list[str]]) -> dict[str, Any]:
    return {"group": _group(group), "permission_sets": [permission_set], "targets": targets}


def _estate(sets: int, accounts: int, assignments: list[dict[str, Any]], description: str) -> bytes:
    documents: list[dict[str, Any]] = [
        {"kind": "Organization", "regions": ["us-east-1"], "trusted_services": ["sso.amazonaws.com"]},
        {"kind": "OrganizationalUnits", "units": {"Work": None}},
        {
            "kind": "Accounts",
            "accounts": {f"a{n}": {"email": f"a{n}@example.com", "unit": "/Work"} for n in range(accounts)},
        },
        *({"kind": "PermissionSet", "name": f"Set{n}", "description": description} for n in range(sets)),
        {"kind": "Assignments", "assignments": assignments},
    ]
    return yaml.safe_dump_all(documents, sort_keys=False).encode()


def _group(number: int) -> str:
    return f"group-{number}"


def _session(sandbox: Sandbox) -> Session:
    session = Session()
    session.set_config_variable("region", "us-east-1")
    session.set_credentials("bench", "secret")
    attach(boto3.Session(botocore_session=session), sandbox)
    return session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", choices=TASKS, default="create")
    parser.add_argument("--number", type=int, default=3000, help="of assignments or permission sets")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0], help="that AWS takes for each; several rows")
    parser.add_argument("--spread", type=float, default=0.0, help="a share of that, by which it is more or less")
    parser.add_argument("--latency", type=float, default=0.04, help="seconds added to each call")
    parser.add_argument("--share", type=float, default=1.0, help="of AWS's published rates")
    parser.add_argument("--oldest-first", action="store_true", help="listings begin with the oldest request")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    if chosen.what != "provision" and chosen.number % chosen.accounts:
        parser.error("--number has to be so many for each account: every group has access to all")
    rows = []
    print("  each  number  seconds   bound  ratio  most  mean  status refused")
    for work in chosen.seconds:
        row = measure(
            chosen.what,
            chosen.number,
            chosen.accounts,
            work,
            spread=chosen.spread,
            latency=chosen.latency,
            share=chosen.share,
            newest_first=not chosen.oldest_first,
        )
        rows.append(row)
        print(
            f"{work:6.2f} {row.number:7} {row.seconds:8.1f} {row.bound:7.1f} {row.ratio:6.2f} {row.most:5} "
            f"{row.mean:5.1f} {row.looks:7} {sum(row.refused.values()):7}"
        )
        for action, count in row.calls.items():
            print(f"{count:14}  {action}")
    if chosen.json:
        found = [{**asdict(row), "ratio": row.ratio, "looks": row.looks} for row in rows]
        chosen.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
