"""A house whose every write is watched, which can be frozen at any moment, and which an operator attends to."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import boto3
import botocore.session

from controller.aws.connect import connect
from controller.aws.known import Known
from controller.planning.plan import Plan
from controller.reconcile import Controller
from controller.report import Report
from controller.resources.base import Change
from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import READS, Sandbox
from controller.sandbox.wire import SIGNING_NAMES, Answer, Call, Request, read, signature
from controller.store import Store
from tests.cycle.house import House

Watcher = Callable[[str, Call], None]
"""Told ``before`` and ``after`` of every write, with the world standing still."""


class Watched:
    """A sandbox that shows each write to whoever watches."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.watchers: list[Watcher] = []

    def handle(self, request: Request) -> Answer:
        call = self._write(request) if self.watchers else None
        if call is None:
            return self._sandbox.handle(request)
        with self._sandbox.world.lock:
            self._tell("before", call)
            try:
                return self._sandbox.handle(request)
            finally:
                self._tell("after", call)

    def _write(self, request: Request) -> Call | None:
        signed = signature(request)
        service = SIGNING_NAMES.get(signed.signing_name) if signed else None
        call = read(service, request) if service else None
        return call if call and not call.operation.startswith(READS) else None

    def _tell(self, when: str, call: Call) -> None:
        for watcher in self.watchers:
            watcher(when, call)


@dataclass(frozen=True)
class Frozen:
    """Everything that outlives a process: the organization, and orgctl's own state."""

    world: bytes
    now: float
    store: bytes


class Yard(House):
    """See `House`. One session of the SDK serves all its controllers: making one costs more than a cycle."""

    def __init__(self, seed: str, git: str | None = None, **settings: Any) -> None:
        self.session: botocore.session.Session | None = None
        super().__init__(seed, git, **settings)

    def another(self, *, known: Known | None = None, **settings: Any) -> Controller:
        if self.session is None:
            self.session = botocore.session.Session()
            self.session.set_credentials(self.sandbox.world.management_account, "sandbox")
            self.watched = Watched(self.sandbox)
            attach(boto3.Session(botocore_session=self.session), cast(Sandbox, self.watched))
        chosen, session = self.settings.model_copy(update=settings), self.session
        return Controller(
            chosen,
            self.clock,
            self.store,
            lambda observer: connect(chosen, self.clock, read_only=False, observer=observer, session=session),
            known=known,
        )

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        self.watched.watchers.append(watcher)
        try:
            yield
        finally:
            self.watched.watchers.remove(watcher)

    # Crashes

    def freeze(self) -> Frozen:
        world = self.sandbox.world
        with world.lock:
            state = {name: value for name, value in vars(world).items() if name not in ("lock", "clock", "log")}
            return Frozen(pickle.dumps(state), world.clock.now(), dump(self.store))

    def thaw(self, frozen: Frozen, *, store: bool) -> None:
        """What a process finds that starts after a crash. `store`: orgctl's own state was kept, too."""
        world = self.sandbox.world
        vars(world).update(pickle.loads(frozen.world))
        world.clock.advance(frozen.now - world.clock.now())
        world.log.clear()
        self.sandbox.faults.all.clear()
        self.sandbox._settle_in()
        self.restart(frozen.store if store else None)

    def restart(self, state: bytes | None) -> None:
        """Another process goes on, with orgctl's state as it was or with none."""
        self.store.close()
        self.store = Store(":memory:", self.clock)
        if state is not None:
            self.store._db.deserialize(state)
        self.controller.close()
        self.controller = self.another()

    # What an operator does

    def operate(
        self, cycles: int = 12, *, approves: Callable[[Change], bool] = lambda _: True, every: float = 60
    ) -> Report:
        """Cycles, with holds approved as they come, until nothing is left to do."""
        for _ in range(cycles):
            report = self.attend(approves)
            if self.at_rest(report.plan):
                return report
            self.clock.sleep(every)
        raise AssertionError(
            "it does not come to rest: "
            + "\n".join(f"{o.change.id} {o.result}: {o.detail}" for o in report.outcomes)
            + "\n".join(map(str, report.plan.incomplete))
        )

    def attend(self, approves: Callable[[Change], bool] = lambda _: True) -> Report:
        """One cycle, and what it holds is approved for the next."""
        report = self.cycle()
        self.approve(report.plan, approves)
        return report

    def approve(self, plan: Plan, approves: Callable[[Change], bool]) -> None:
        """Let what is held through, where all that stands under one id may pass."""
        for hold in self.store.holds():
            if all(approves(change) for change in plan.held if change.id in hold.changes):
                self.store.approve(hold.id, "operator")

    @staticmethod
    def at_rest(plan: Plan) -> bool:
        return not plan.changes and not plan.incomplete and not any(note.passing for note in plan.notes)


def dump(store: Store) -> bytes:
    with store._lock:
        return store._db.serialize()
