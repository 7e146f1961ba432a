"""A small organization with people, and whole cycles over it: for permission sets, assignments and Security Hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from botocore.loaders import create_loader

from controller.aws.connect import Aws, connect
from controller.aws.transport import CallRecord
from controller.config import Limits, Settings
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files
from controller.planning.plan import Plan
from controller.reconcile import Controller
from controller.report import Outcome, Report
from controller.resources.base import Live, Observed, Resource
from controller.resources.registry import KINDS
from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import PermissionSet as SimPermissionSet
from controller.sandbox.identity_center.state import access
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import Hub, hubs
from controller.sandbox.seed import sow
from controller.sandbox.seed.reading import parse
from controller.store import Store
from tests.resources.organization import SandboxTime, session_of

GROUND = """
kind: Organization
regions: [us-east-1, eu-west-1]
trusted_services: [sso.amazonaws.com, securityhub.amazonaws.com, account.amazonaws.com]
---
kind: OrganizationalUnits
units: {Workloads: {units: {Prod: , Dev: }}, Security: }
---
kind: Accounts
accounts:
  audit: {id: "111111111111", email: audit@example.com, unit: /Security}
  payments-prod: {id: "222222222222", email: prod@example.com, unit: /Workloads/Prod, tags: {env: prod}}
  payments-dev: {id: "333333333333", email: dev@example.com, unit: /Workloads/Dev, tags: {env: dev}}
"""
"""What every commit of these tests says."""

MANAGEMENT, AUDIT, PROD, DEV = "100000000000", "111111111111", "222222222222", "333333333333"

PEOPLE = """
kind: SandboxWorld
people: {users: {alice: {}, frank: {}}, groups: {admins: [alice], developers: [frank]}}
"""

_MODELS = create_loader()
"""botocore's service models, read once for all tests: they are most of what a new session costs."""


def commit(*documents: str) -> Estate:
    """The ground and these documents, read as the controller reads them."""
    return load(Files({f"{number}.yaml": _yaml(text) for number, text in enumerate((GROUND, *documents))}))


def _yaml(text: str) -> bytes:
    return dedent(text).encode()


class Town:
    """A simulated organization, and a controller that is at home in it.

    Args:
        seed: Documents that are in force already, as the controller would have left them; and a SandboxWorld.
    """

    def __init__(self, *seed: str, **settings: Any) -> None:
        sown = parse(Files({f"{n}.yaml": _yaml(text) for n, text in enumerate((GROUND, *(seed or (PEOPLE,))))}))
        self.sandbox = Sandbox.create(virtual=True)
        sow(self.sandbox.world, sown.estate, sown.document)
        self.world = self.sandbox.world
        self.clock = SandboxTime(self.sandbox)
        self.records: list[CallRecord] = []
        self._last_write: int | None = None
        settings = {
            "mode": "enforce",
            "organization": self.world.organization_id,
            "rate_multiple": 1000,
            "workers": 4,
            "limits": Limits(removals=100, share=1.0),
            **settings,
        }
        self.settings = Settings(**settings)
        self.store = Store(":memory:", self.clock)
        self.controller = Controller(
            self.settings,
            self.clock,
            self.store,
            self._connected,
        )

    def _connected(self, count: Callable[[CallRecord], None]) -> Aws:
        def saw(record: CallRecord) -> None:
            count(record)
            self.records.append(record)
            if self._last_write is not None and sum(self.writes().values()) >= self._last_write:
                self.clock.stop.set()

        session = session_of(self.sandbox)
        session.register_component("data_loader", _MODELS)
        return connect(self.settings, self.clock, read_only=False, observer=saw, session=session)

    def close(self) -> None:
        self.controller.close()
        self.store.close()

    def stop_after(self, writes: int | None) -> None:
        """Ask the process to stop once so many writes were sent."""
        self._last_write = writes

    def cycle(self, *documents: str) -> Report:
        return self.controller.cycle(commit(*documents))

    def plan(self, *documents: str) -> Plan:
        return self.controller.plan(commit(*documents)).plan

    def settle(self, *documents: str, cycles: int = 4) -> Report:
        """Cycles until one writes nothing, some time apart."""
        for _ in range(cycles):
            report = self.cycle(*documents)
            if not report.plan.free:
                return report
            self.clock.sleep(120)
        raise AssertionError(f"not converged: {shown(report)}")

    # Identity Center

    def permission_set(self, name: str) -> SimPermissionSet | None:
        state = access(self.world)
        arn = state.arns.get(name)
        return None if arn is None else state.permission_sets[arn]

    def existing(self, name: str) -> SimPermissionSet:
        found = self.permission_set(name)
        assert found is not None, f"there is no permission set {name}"
        return found

    def assignments(self) -> set[str]:
        """``group:admins/Power/payments-prod`` …"""
        state, people = access(self.world), directory(self.world)
        names = {id: group.name for id, group in people.groups.items()}
        names |= {id: user.name for id, user in people.users.items()}
        return {
            f"{one.principal_type.lower()}:{names.get(one.principal, '(deleted)')}"
            f"/{state.permission_sets[one.permission_set].name}/{self.world.accounts[one.account].name}"
            for one in state.assignments()
        }

    # Security Hub

    def hub(self, account: str, region: str = "us-east-1") -> Hub:
        found = hubs(self.world).hubs[account, region]
        found.settle(self.world.clock.now())
        return found

    def hubs_on(self) -> set[tuple[str, str]]:
        return set(hubs(self.world).hubs)

    def calls(self, action: str) -> int:
        return sum(record.action == action for record in self.records)

    def writes(self) -> Counter[str]:
        every = {action for kind in KINDS for action in kind.writes}
        return Counter(record.action for record in self.records if record.action in every)

    def undeclared(self) -> set[str]:
        """Actions that were called and that no kind of these tests declares."""
        declared = {action for kind in KINDS for action in kind.reads | kind.writes}
        first_look = {"sts:AssumeRole", "sts:GetCallerIdentity", "organizations:DescribeOrganization"}
        return {record.action for record in self.records} - declared - first_look


def shown(report: Report) -> list[str]:
    """``create permission_set Power: applied`` …, in order; with the reason where it was not."""
    return [_outcome(outcome) for outcome in report.outcomes]


def _outcome(outcome: Outcome) -> str:
    change = outcome.change
    why = f" ({outcome.detail})" if outcome.detail else ""
    return f"{change.action} {change.kind} {change.name}: {outcome.result}{why}"


def notes(plan: Plan) -> list[str]:
    return [f"{note.name}: {note.text}" for note in plan.notes]


def live_with(*resources: Resource) -> Live:
    """A look at AWS, made by hand."""
    live = Live()
    for resource in resources:
        found = live.observed.setdefault(resource.kind, Observed({}))
        live.observed[resource.kind] = Observed({**found.resources, resource.key: resource})
    return live
