"""Carrying a plan out: concurrently, in dependency order, one outcome per change, and nothing that is not in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import Any

from controller.aws.api import Writer
from controller.errors import AwsError, InProgress, OrgctlError, Stopped, UnknownOutcome
from controller.lanes import Lanes
from controller.planning.plan import Plan
from controller.report import Outcome, Result
from controller.resources.base import Action, Change, Kind
from controller.store import Store

Progress = Callable[[Outcome], None]


def apply(
    plan: Plan,
    kinds: Mapping[str, Kind[Any]],
    writer: Writer,
    store: Store,
    *,
    workers: int,
    progress: Progress = lambda _: None,
) -> tuple[Outcome, ...]:
    """Carry out every change that nothing holds; what depends on a failure is skipped, the rest carries on.

    Changes of one lane run one at a time, and no more than `Kind.width` of a kind at once. Stopping the process
    abandons what has not begun; what has begun ends between two calls and is looked at again by the next cycle.

    Raises:
        Stopped: After everything under way has ended and been recorded.
    """
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply") as pool:
        return _Run(plan, kinds, writer, store, pool, progress).run()


class _Run:
    def __init__(
        self,
        plan: Plan,
        kinds: Mapping[str, Kind[Any]],
        writer: Writer,
        store: Store,
        pool: ThreadPoolExecutor,
        progress: Progress,
    ) -> None:
        self.plan, self.kinds, self.writer, self.store, self.pool = plan, kinds, writer, store, pool
        self.progress = progress
        self.changes = {change.id: change for change in plan.changes}
        self.outcomes: dict[str, Outcome] = {}
        self.running: dict[Future[Outcome], Change] = {}
        self.place = {id: number for number, id in enumerate(self.changes)}
        self.lanes = Lanes(kinds, self.place)
        self.sorter: TopologicalSorter[str] = TopologicalSorter({id: c.requires for id, c in self.changes.items()})

    def run(self) -> tuple[Outcome, ...]:
        self.sorter.prepare()
        stopping = False
        while self.sorter.is_active():
            stopping = stopping or self.writer.clock.stop.is_set()
            self._admit()
            if stopping:
                for change in self.lanes.drain():
                    self._ended(Outcome(change, Result.SKIPPED, "not begun: the process was asked to stop"))
            while (begun := self.lanes.next()) is not None:
                self.running[self.pool.submit(self._carry_out, begun)] = begun
            if self.running:
                done, _ = wait(self.running, return_when=FIRST_COMPLETED)
                for future in done:
                    self.lanes.ended(self.running.pop(future))
                    self._ended(future.result())
        if self.writer.clock.stop.is_set():  # also where it was the last changes that were abandoned
            raise Stopped
        return tuple(self.outcomes[id] for id in self.changes)

    def _admit(self) -> None:
        """Queue what has become ready. What is not to be sent has ended at once, and more may be ready by that."""
        while ready := self.sorter.get_ready():
            for id in sorted(ready, key=self.place.__getitem__):
                change = self.changes[id]
                if (outcome := self._without_writing(change)) is None:
                    self.lanes.add(change)
                else:
                    self._ended(outcome)

    def _without_writing(self, change: Change) -> Outcome | None:
        """The outcome of a change that is not to be sent, or None for one that is."""
        if change.blocked:
            return Outcome(change, Result.HELD, change.blocked)
        if change.observe_only:
            return Outcome(change, Result.OBSERVED, f"not written: {change.waits}")
        failed = [r for r in sorted(change.requires) if self.outcomes[r].result is not Result.APPLIED]
        if failed:
            first = self.changes[failed[0]]
            pending = all(self.outcomes[r].result is Result.PENDING for r in failed)
            why = f"waits for {first.kind} '{first.name}', which is {self.outcomes[failed[0]].result}"
            return Outcome(change, Result.PENDING if pending else Result.SKIPPED, why)
        return None

    def _ended(self, outcome: Outcome) -> None:
        self.outcomes[outcome.change.id] = outcome
        self.progress(outcome)
        self.sorter.done(outcome.change.id)

    def _carry_out(self, change: Change) -> Outcome:
        """One change, in a thread of its own. The one place where any error becomes an outcome."""
        kind = self.kinds[change.kind]
        began = self.writer.clock.monotonic()
        removal = not change.exempt and kind.removes(change)
        self.store.intend(change, self.plan.fingerprints.get(change.id), counted_removal=removal)
        try:
            _send(kind, self.writer, change)
            result, detail = Result.APPLIED, ""
        except InProgress as error:
            result, detail = Result.PENDING, str(error)
        except UnknownOutcome as error:
            result, detail = Result.UNKNOWN, str(error)
        except Stopped:
            # Between two calls of one change: what was sent is looked at again, like an answer that never came.
            result, detail = Result.UNKNOWN, "abandoned: the process was asked to stop"
        except (AwsError, OrgctlError) as error:
            result, detail = Result.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 a bug in one kind must not stop the others
            result, detail = Result.FAILED, f"unexpected {type(error).__name__}: {error}"
        outcome = Outcome(change, result, detail, self.writer.clock.monotonic() - began)
        self.store.record(outcome, self.plan)
        return outcome


def _send(kind: Kind[Any], writer: Writer, change: Change) -> None:
    if change.action is Action.CREATE:
        kind.create(writer, change.after)
    elif change.action is Action.DELETE:
        assert change.before is not None
        # Read again just before: a tag taken away by hand since the plan means that it is no longer ours.
        owner = kind.owner(writer.reads, change.before)
        if owner != change.before.owner:
            raise OrgctlError(f"its owner changed from {change.before.owner} to {owner} since the plan; left alone")
        kind.delete(writer, change.before)
    else:
        kind.update(writer, change.before, change.after)
