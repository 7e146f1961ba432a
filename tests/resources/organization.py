"""A simulated organization, and the way from a commit to it: observe, desire, diff, order, each change by its kind."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.session import Session

from controller.aws.connect import Aws, connect
from controller.aws.transport import CallRecord
from controller.clock import Clock
from controller.config import Settings
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files
from controller.errors import OrgctlError, Stopped
from controller.planning.diff import Difference, diff
from controller.planning.order import order
from controller.resources.account import Accounts
from controller.resources.base import Action, Change, Desired, ForeignTags, Kind, Live, Resource
from controller.resources.changes import Changes
from controller.resources.delegated_administrator import DelegatedAdministrators
from controller.resources.organizational_unit import OrganizationalUnits
from controller.resources.policies import POLICY_KINDS
from controller.resources.policy_attachment import PolicyAttachments
from controller.resources.policy_type import PolicyTypes
from controller.resources.trusted_service import TrustedServices
from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import Sandbox

KINDS: tuple[Kind[Any], ...] = (
    OrganizationalUnits(),
    TrustedServices(),
    PolicyTypes(),
    Accounts(),
    *POLICY_KINDS,
    PolicyAttachments(),
    DelegatedAdministrators(),
)


class SandboxTime(Clock):
    """The sandbox's own time; a sleep moves it."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox

    def now(self) -> datetime:
        return self.sandbox.world.clock.datetime()

    def monotonic(self) -> float:
        return self.sandbox.world.clock.now()

    def sleep(self, seconds: float) -> None:
        if self.stop.is_set():
            raise Stopped
        with self.sandbox.world.lock:
            self.sandbox.world.clock.advance(seconds)


class Organization:
    """The sandbox, and this controller's connection to it. Every call is held against what its kind declares."""

    def __init__(self, **settings: Any) -> None:
        self.sandbox = Sandbox.create(virtual=True)
        self.sandbox.strict = True
        self.world = self.sandbox.world
        self.clock = SandboxTime(self.sandbox)
        self.records: list[CallRecord] = []
        self.undeclared: set[str] = set()
        self.aws = self.connected(Settings(workers=4, rate_multiple=1000, **settings))
        self._declared: frozenset[str] | None = None

    def connected(self, settings: Settings, *, read_only: bool = False) -> Aws:
        return connect(settings, self.clock, read_only=read_only, observer=self._saw, session=session_of(self.sandbox))

    def _saw(self, record: CallRecord) -> None:
        self.records.append(record)
        declared = getattr(self, "_declared", None)
        if declared is not None and record.action not in declared:
            self.undeclared.add(record.action)

    def observe(self, estate: Estate) -> Live:
        live, aws = Live(), self.aws.reader()
        for kind in KINDS:
            self._declared = kind.reads
            live.observed[kind.name] = kind.observe(aws, live, estate)
        self._declared = None
        return live

    def desire(self, estate: Estate, live: Live) -> dict[str, Desired[Any]]:
        return {kind.name: kind.desire(estate, live) for kind in KINDS}

    def difference(self, estate: Estate, live: Live) -> Difference:
        return diff(_by_name(), self.desire(estate, live), live, self.aws.here.instance, ForeignTags())

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        live = self.observe(estate)
        return order(_by_name(), self.difference(estate, live).changes, live)

    def converge(self, estate: Estate) -> tuple[Change, ...]:
        """Carry out everything that is not blocked, one change after the other. Returns the changes."""
        live = self.observe(estate)
        changes = order(_by_name(), self.difference(estate, live).changes, live)
        writer, plan = self.aws.writer(live), Changes(changes)
        for change in changes:
            kind = _by_name()[change.kind]
            if change.blocked or kind.forbids(change, plan, live):
                continue
            self._declared = kind.reads | kind.writes
            if change.action is Action.CREATE:
                kind.create(writer, change.after)
            elif change.action is Action.DELETE:
                assert change.before is not None
                if kind.owner(writer.reads, change.before) != change.before.owner:
                    raise OrgctlError("its owner changed")
                kind.delete(writer, change.before)
            else:
                kind.update(writer, change.before, change.after)
        self._declared = None
        assert not self.undeclared, f"called without being declared: {self.undeclared}"
        return changes

    def kind(self, name: str) -> Kind[Any]:
        return _by_name()[name]

    def calls(self, action: str) -> int:
        return sum(record.action == action for record in self.records)

    def ids(self, *, of: str) -> Mapping[str, str]:
        """path or name → id, of ``units``, ``accounts`` or ``policies``."""
        if of == "accounts":
            return {account.name: account.id for account in self.world.accounts.values()}
        if of == "policies":
            return {policy.name: policy.id for policy in self.world.policies.values()}
        return {self.path(id): id for id in self.world.units}

    def path(self, unit: str) -> str:
        found = self.world.units[unit]
        if found.parent is None:
            return "/"
        return f"{self.path(found.parent).rstrip('/')}/{found.name}"

    def close(self) -> None:
        self.aws.close()


def session_of(sandbox: Sandbox, access_key: str | None = "test") -> Session:
    """A botocore session that the sandbox answers; `access_key` None: without credentials."""
    session = Session()
    session.set_config_variable("region", "us-east-1")
    session.get_component("credential_provider").providers.clear()  # whatever this machine has
    if access_key is not None:
        session.set_credentials(access_key, "secret")
    attach(boto3.Session(botocore_session=session), sandbox)
    return session


def _by_name() -> dict[str, Kind[Any]]:
    return {kind.name: kind for kind in KINDS}


def commit(text: str, now: datetime | None = None) -> Estate:
    """A commit of one file."""
    return load(Files({"test.yaml": textwrap.dedent(text).encode()}), now=now)


def shown(changes: tuple[Change, ...]) -> list[str]:
    """``create organizational_unit /A`` …, in order; blocked ones with their reason."""
    return [f"{c.action} {c.kind} {c.name}" + (f" BLOCKED {c.blocked}" if c.blocked else "") for c in changes]


def live_of(live: Live, kind: str) -> Mapping[str, Resource]:
    return live.observed[kind].resources
