"""What planning costs in CPU seconds and memory, without any AWS: diff, order, guard, the lockout prover, printing.

    .venv/bin/python -m bench.plan_speed                          # 10,000 accounts, 50,000 assignments, 40,000 cells
    .venv/bin/python -m bench.plan_speed --size S --json plan.json

Each case is a process of its own, so that its peak memory is its own. Seconds are the process's CPU seconds.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from controller.aws.api import Here
from controller.config import Limits, Settings
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files
from controller.planning import collector
from controller.planning.diff import diff
from controller.planning.guard import Memory, Rules, guard
from controller.planning.lockout import Proof
from controller.planning.markdown import to_markdown
from controller.planning.order import order
from controller.planning.plan import Plan
from controller.planning.render import to_json
from controller.planning.text import print_plan
from controller.proof import prover
from controller.resources import account_assignment, policy_attachment, security_hub
from controller.resources.account import Account
from controller.resources.base import Change, Desired, ForeignTags, Live, Observed
from controller.resources.organizational_unit import ROOT, OrganizationalUnit
from controller.resources.principals import Principal
from controller.resources.registry import KINDS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HERE = Here("o-bench00000", "999999999999", "aws", "us-east-1", "main", "orgctl-member")
BY_NAME = {kind.name: kind for kind in KINDS}
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2")
STANDARD = "aws-foundational-security-best-practices/v/1.0.0"


@dataclass(frozen=True, slots=True)
class Size:
    """`lines` of assignments, each a group's permission set in all accounts of one OU."""

    accounts: int
    units: int
    policies: int
    permission_sets: int
    groups: int
    lines: int


SIZES = {
    "S": Size(accounts=500, units=10, policies=15, permission_sets=10, groups=25, lines=50),
    "M": Size(accounts=2_500, units=50, policies=75, permission_sets=30, groups=100, lines=250),
    "L": Size(accounts=5_000, units=100, policies=150, permission_sets=50, groups=250, lines=500),
    "XL": Size(accounts=10_000, units=200, policies=300, permission_sets=100, groups=500, lines=1_000),
}


def documents(size: Size, shift: int = 0) -> list[dict[str, Any]]:
    """A desired state; `shift` gives every group another permission set, every policy other OUs and rules, and a tenth
    of the accounts another OU."""
    units = [f"u{number:03}" for number in range(size.units)]
    return [
        {"kind": "Organization", "regions": list(REGIONS), "policy_types": ["service_control"]},
        {"kind": "OrganizationalUnits", "units": {unit: {"tags": {"n": unit}} for unit in units}},
        {"kind": "Accounts", "accounts": {
            f"acct-{n:05}": {"email": f"aws+{n}@example.com", "tags": {"env": "prod", "team": f"t{n % 50}"},
                             "unit": f"/{units[(n + (shift if n % 10 == 0 else 0)) % size.units]}"}
            for n in range(size.accounts)}},
        *({"kind": "ServiceControlPolicy", "name": f"scp-{n:03}",
           "targets": {"units": [f"/{units[(n + step + shift) % size.units]}" for step in range(2)]},
           "content": {"Version": "2012-10-17", "Statement": [
               {"Effect": "Deny", "Action": [f"ec2:Delete{n}{action}*" for action in range(10 - shift)],
                "Resource": "*"}]}} for n in range(size.policies)),
        *({"kind": "PermissionSet", "name": f"Set{n:03}", "managed_policies": ["ReadOnlyAccess"]}
          for n in range(size.permission_sets)),
        {"kind": "Assignments", "assignments": [
            {"group": f"group-{n % size.groups:03}", "permission_sets": [f"Set{(n + shift) % size.permission_sets:03}"],
             "targets": {"units": [f"/{units[n % size.units]}"]}} for n in range(size.lines)]},
        {"kind": "SecurityHub", "targets": {"units": ["/"]}, "standards": [STANDARD],
         "disabled_controls": [{"control": f"ACM.{n}", "reason": "Ours"} for n in (1, 2)]},
    ]  # fmt: skip


def estate(size: Size, shift: int = 0) -> Estate:
    text = "---\n".join(yaml.dump(one, Dumper=yaml.CSafeDumper, sort_keys=False) for one in documents(size, shift))
    return load(Files({"estate.yaml": text.encode()}), now=NOW)


def found(size: Size) -> Live:
    """An organization of accounts alone, all in the root, seen whole."""
    root = OrganizationalUnit(key=ROOT, name=ROOT, id="r-root", title="Root", aws_path="o-bench00000/r-root")
    accounts = {
        id: Account(key=id, name=f"acct-{n:05}", id=id, unit=ROOT, tags={}, state="ACTIVE", management=False,
                    email=f"aws+{n}@example.com", title=f"acct-{n:05}")
        for n in range(size.accounts) for id in [f"{n:012}"]
    }  # fmt: skip
    groups = [f"group-{number:03}" for number in range(size.groups)]
    ids = {Principal("group", group): (f"{n:08x}-0000-0000-0000-000000000000", group) for n, group in enumerate(groups)}
    live = Live({kind.name: Observed() for kind in KINDS})
    live.observed["organizational_unit"] = Observed({ROOT: root})
    live.observed["account"] = Observed(accounts)
    live.observed["policy_attachment"] = policy_attachment.Seen(at=NOW)
    live.observed["account_assignment"] = account_assignment.Seen(at=NOW, principals=ids)
    live.observed["security_hub"] = security_hub.Seen()
    return live


def converged(size: Size, wanted: Estate) -> Live:
    """An organization that is as git says."""
    live = found(size)
    for kind in KINDS:
        have = live.observed[kind.name]
        made = {key: _made(one, have.resources) for key, one in kind.desire(wanted, live).resources.items()}
        live.observed[kind.name] = replace(have, resources={**have.resources, **made})
    seen = live.observed["policy_attachment"]
    assert isinstance(seen, policy_attachment.Seen)
    counts: dict[tuple[str, str], int] = {}
    for one in seen.resources.values():
        counts[one.policy_kind, one.target] = counts.get((one.policy_kind, one.target), 0) + 1
    live.observed["policy_attachment"] = replace(seen, counts=counts, listed=frozenset(counts))
    return live


def _made(one: Any, have: Mapping[str, Any]) -> Any:
    old = have.get(one.key)
    if isinstance(one, Account):
        return replace(old, unit=one.unit, tags=one.tags) if old else one
    more = {"aws_path": f"o-bench00000/r-root/ou-{one.key}"} if isinstance(one, OrganizationalUnit) else {}
    return replace(one, id=f"id-{one.key}", owner="main", **more)


CASES: dict[str, Callable[[Size], tuple[Estate, Live]]] = {
    "in sync": lambda size: (one := estate(size), converged(size, one)),
    "everything new": lambda size: (estate(size), found(size)),
    "everything replaced": lambda size: (estate(size, shift=1), converged(size, estate(size))),
}
"""Name → what git says, and what is live."""


class Stopwatch:
    """CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began


def measure(case: str, size: Size) -> dict[str, Any]:
    timed = Stopwatch()
    wanted, live = CASES[case](size)
    held = _peak_mib()
    with collector.put_off():  # as `reconcile.make_plan`
        plan = _plan(wanted, live, timed)
    at_plan = _peak_mib()
    for name, show in SHOWN.items():
        with timed(name):
            show(plan)
    return {"changes": len(plan.changes), "edges": _edges(plan.changes), "seconds": timed.seconds,
            "mib before": held, "mib": at_plan, "mib after printing": _peak_mib()}  # fmt: skip


def _plan(wanted: Estate, live: Live, timed: Stopwatch) -> Plan:
    with timed("desire"):
        desired: dict[str, Desired[Any]] = {kind.name: kind.desire(wanted, live) for kind in KINDS}
    with timed("diff"):
        difference = diff(BY_NAME, desired, live, "main", ForeignTags())
    with timed("order"):
        ordered = order(BY_NAME, difference.changes, live)
    settings = Settings(organization="o-bench00000", mode="enforce")
    prove = prover(KINDS, wanted, live, desired, HERE, settings)

    def proved(changes: Any) -> Proof:
        with timed("of that, the prover"):
            return prove(changes)

    rules = Rules("o-bench00000", Limits(), ("account/*prod-core*",), "enforce")
    with timed("guard"):
        guarded = guard(BY_NAME, ordered, desired, live, difference.losses, rules, Memory(NOW), proved)
    return Plan("o-bench00000", None, guarded.changes, difference.in_sync, difference.bystanders, (), difference.notes,
                guarded.fingerprints)  # fmt: skip


SHOWN: dict[str, Callable[[Plan], object]] = {
    "plan id": lambda plan: plan.plan_id,
    "as JSON": lambda plan: json.dumps(to_json(plan)),
    "as Markdown": to_markdown,
    "as text": lambda plan: print_plan(plan, Console(file=io.StringIO(), width=120)),
}


def _edges(changes: tuple[Change, ...]) -> int:
    return sum(len(change.requires) for change in changes)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def every_case(size: str, cases: Iterable[str] = CASES) -> dict[str, Any]:
    """Each case's figures, and told."""
    figures = {}
    print(f"{size}: {SIZES[size]}, {len(REGIONS)} Regions")
    for case in cases:
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            figures[case] = alone.apply(measure, (case, SIZES[size]))
        _tell(case, figures[case])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="XL")
    parser.add_argument("--case", choices=CASES, help="only this")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    figures = every_case(chosen.size, [chosen.case] if chosen.case else CASES)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


def _tell(case: str, one: dict[str, Any]) -> None:
    print(f"\n{case}: {one['changes']:,} changes, {one['edges']:,} of them before others")
    for name, seconds in one["seconds"].items():
        print(f"{seconds:9.2f} s  {name}")
    print(f"{one['mib']:9.0f} MiB at most until the plan is made ({one['mib before']:.0f} for its input), "
          f"{one['mib after printing']:.0f} when printed")  # fmt: skip


if __name__ == "__main__":
    main()
