"""One cycle, and it reads like one: observe, desire, plan, guard, apply, report."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from graphlib import TopologicalSorter
from math import inf
from typing import TYPE_CHECKING, Any

from controller.apply import Progress, apply
from controller.aws.actions import only_reads, service_of
from controller.aws.api import Here, Reader
from controller.aws.known import Basis, Known
from controller.clock import Clock
from controller.config import Settings
from controller.desired.estate import Estate
from controller.errors import AwsError, NoWorkers, StalePlan, WrongOrganization
from controller.planning import collector
from controller.planning.diff import diff, plannable
from controller.planning.guard import Rules, guard
from controller.planning.order import order
from controller.planning.plan import Plan
from controller.proof import prover
from controller.report import Report
from controller.resources.base import Change, Desired, ForeignTags, Incomplete, Kind, Live, Observed
from controller.resources.registry import KINDS
from controller.resources.scenery import scene
from controller.store import Store

if TYPE_CHECKING:
    from controller.aws.connect import Aws
    from controller.aws.transport import CallRecord

Kinds = Mapping[str, Kind[Any]]

SETTLE_SECONDS = 5.0
"""After our own writes nothing is looked at for so long, or it might be planned again, and removals counted twice: AWS
does not show every change at once (Organizations User Guide, Troubleshooting). How long it takes AWS does not say."""


MOST_LOOKS = 5
"""In one cycle. What is found out of date shows other changes, which rest on other things; it soon comes to an end."""


_GONE = "NotFoundException"
"""How the codes end by which the services say that there is no such thing (their API references, common errors)."""


class Look(StrEnum):
    """How much of AWS a cycle asks about, beyond what is not known, and what is about to be written rests on."""

    ALL = "all"
    """Everything."""
    PART = "part"
    """The oldest, so much that nothing grows older than the settings' `resync`."""
    CHANGES = "changes"
    """No more."""


class Controller:
    """Reconciles one organization. One cycle at a time.

    Args:
        known: What AWS said in earlier cycles. Whatever it holds, nothing is written that rests on anything older than
            the cycle itself.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        store: Store,
        connect: Callable[[Callable[[CallRecord], None]], Aws],
        *,
        kinds: Kinds | None = None,
        known: Known | None = None,
        on_call: Callable[[CallRecord], None] = lambda _: None,
        planned: Callable[[Plan], None] = lambda _: None,
        progress: Progress = lambda _: None,
    ) -> None:
        self.settings, self.clock, self.store = settings, clock, store
        self.planned = planned
        self.kinds = {kind.name: kind for kind in KINDS} if kinds is None else dict(kinds)
        self.progress = progress
        self._counts: Counter[str] = Counter()
        self._wrote_at = -inf
        self.known = known or Known()  # what AWS said in earlier cycles
        self._commit: str | None = None
        self._audited_at: datetime | None = None
        self._on_call = on_call
        self._connect = connect
        self._aws: Aws | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def aws(self) -> Aws:
        """The connection, made at first use and kept: its credentials and connections are worth keeping."""
        if self._aws is None:
            self._aws = self._connect(self._count)
        return self._aws

    def close(self) -> None:
        if self._aws is not None:
            self._aws.close()

    def plan(self, estate: Estate) -> Report:
        """Look at everything and compare; writes nothing to AWS."""
        with self._one_at_a_time:
            return self._plan(estate, Look.ALL)[0]

    def cycle(self, estate: Estate, look: Look = Look.ALL, *, plan_id: str | None = None) -> Report:
        """Look, compare, and carry out what nothing holds.

        Args:
            plan_id: Only if this is what there is to do: a plan that was reviewed.

        Raises:
            WrongOrganization: The settings pin no organization, or another one than the credentials answer from.
            StalePlan: There is something else to do than the plan of `plan_id` says.
            AwsError: AWS cannot be asked at all.
            Stopped: The process was asked to stop.
        """
        with self._one_at_a_time:
            self._check_organization()
            report, live, wanted = self._plan(estate, look)
            if plan_id is not None and report.plan.plan_id != plan_id:
                raise StalePlan(
                    f"there is something else to do than plan {plan_id} says (now: {report.plan.plan_id}). "
                    "Nothing was written. Plan and review again."
                )
            self.store.settle(change.id for change in report.plan.changes)
            held = {change.kind for change in report.plan.held}
            self.store.remember_wanted(wanted, held)
            self._doubt(_bases(self.kinds, report.plan.free, live, estate))
            phases = dict(report.phases)
            with self._timed(phases, "apply"):
                outcomes = apply(
                    report.plan,
                    self.kinds,
                    self.aws.writer(live),
                    self.store,
                    workers=self.settings.workers,
                    progress=self.progress,
                )
            report = replace(report, outcomes=outcomes, phases=phases, calls=dict(self._counts))
            self.store.remember_cycle(report)
            return report

    def _plan(self, estate: Estate, look: Look) -> tuple[Report, Live, Mapping[str, Desired[Any]]]:
        self._let_settle()
        self._counts.clear()
        started = self.clock.now()
        phases: dict[str, float] = {}
        self._forget(look, started)
        first = self.known.look + 1
        for left in reversed(range(MOST_LOOKS)):
            with self._timed(phases, "observe"):
                live = self._observe(estate)
            with self._timed(phases, "plan"):
                plan, wanted = make_plan(self.kinds, estate, live, self.aws.here, self.settings, self.store)
            if not left or not self._is_to_look_again(plan, live, estate, first):
                break
            if left == 1:  # then everything, and nothing can be out of date
                self.known.forget(slow=True)
        self._commit = estate.commit
        self.known.save()
        self.store.remember_holds(plan)
        self.planned(plan)
        return Report(started, plan, (), phases, dict(self._counts), self.known.ages()), live, wanted

    def _forget(self, look: Look, now: datetime) -> None:
        """What is to be asked again in any case."""
        resync, since = self.settings.resync, self._audited_at or now
        self.known.part = 0.0
        if look is Look.ALL:
            self.known.forget()
        elif look is Look.PART:
            self.known.part = min(1.0, (now - since) / resync)
            self.known.forget_oldest(self.known.part)
        if look is not Look.CHANGES or self._audited_at is None:
            self._audited_at = now
        self.known.forget_older(resync * (1 - self.known.part), now)

    def _observe(self, estate: Estate) -> Live:
        self.known.begin()
        live = observe(self.kinds, self.aws.reader(self.known), estate)
        if all(live.whole(name) for name in self.kinds):
            self.known.tidy()
        return live

    def _is_to_look_again(self, plan: Plan, live: Live, estate: Estate, since: int) -> bool:
        """Whether anything that the plan rests on was asked before look `since`; that is forgotten."""
        if self.known.is_new(since):
            return False
        torn = _with_required(self.kinds, {missing.kind for missing in plan.incomplete if missing.torn})
        reads = frozenset[str]().union(*(self.kinds[name].reads for name in torn))
        if not self.known.is_new(since, reads):
            self.known.forget_actions(reads)
            return True
        changes = plan.free
        if estate.commit is None or estate.commit != self._commit:
            # Git may name for the first time what has come about since AWS was asked.
            changes = (*changes, *(change for change in plan.held if change.before is None))
        bases = _bases(self.kinds, changes, live, estate)
        if bases is None:
            self.known.forget()
            return True
        stale = [basis[-1] for basis in bases if self.known.is_stale(basis, since)]
        self.known.doubt(stale)
        return bool(stale)

    def _doubt(self, bases: Iterable[Basis] | None) -> None:
        """What is about to be written is out of date, whatever becomes of it; also for whoever starts after a crash."""
        if bases is None:
            self.known.forget()
        else:
            self.known.doubt(basis[-1] for basis in bases)
        self.known.save()

    def _let_settle(self) -> None:
        """Above AWS's rates (`rate_multiple`) there is a sandbox, whose time is as much shorter."""
        rest = self._wrote_at + SETTLE_SECONDS / max(1.0, self.settings.rate_multiple) - self.clock.monotonic()
        if rest > 0:
            self.clock.sleep(rest)

    def _check_organization(self) -> None:
        pinned, found = self.settings.organization, self.aws.here.organization_id
        if pinned is None:
            raise WrongOrganization(
                f"The settings name no organization, so nothing is written. If {found} is the one, set "
                f"`organization: {found}` in orgctl.yaml, ORGCTL_ORGANIZATION={found}, or pass --organization {found}."
            )
        if pinned != found:
            raise WrongOrganization(
                f"These credentials belong to organization {found}; the settings name {pinned}. Nothing was written."
            )

    def _count(self, record: CallRecord) -> None:
        self._counts[record.action] += 1
        if not only_reads(service_of(record.action)[1]):
            self._wrote_at = self.clock.monotonic()
        self._on_call(record)

    @contextmanager
    def _timed(self, phases: dict[str, float], phase: str) -> Iterator[None]:
        began = self.clock.monotonic()
        yield
        phases[phase] = phases.get(phase, 0.0) + self.clock.monotonic() - began


def _with_required(kinds: Kinds, names: set[str]) -> set[str]:
    """These kinds and all that they require."""
    above = {required for name in names for required in kinds[name].requires if required in kinds}
    return names if above <= names else _with_required(kinds, names | above)


def _bases(kinds: Kinds, changes: Iterable[Change], live: Live, estate: Estate) -> set[Basis] | None:
    """What these changes rest on; None: everything."""
    by_kind: dict[str, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change)
    found: set[Basis] = set()
    for name, some in by_kind.items():
        bases = kinds[name].bases(some, live, estate)
        if bases is None:
            return None
        found.update(bases)
    return found


@collector.put_off()
def make_plan(
    kinds: Kinds, estate: Estate, live: Live, here: Here, settings: Settings, store: Store
) -> tuple[Plan, dict[str, Desired[Any]]]:
    """The guarded plan, and what git wants."""
    desired = desire(kinds, estate, live)
    difference = diff(kinds, desired, live, settings.instance, ForeignTags(frozenset(settings.foreign_tag_keys)))
    ordered = order(kinds, difference.changes, live)
    rules = Rules(
        here.organization_id, settings.limits, tuple(settings.protected), settings.mode, tuple(settings.modes)
    )
    prove = prover(kinds.values(), estate, live, desired, here, settings)
    guarded = guard(kinds, ordered, desired, live, difference.losses, rules, store.memory(), prove)
    plan = Plan(
        organization_id=here.organization_id,
        commit=estate.commit,
        changes=guarded.changes,
        in_sync=difference.in_sync,
        bystanders=difference.bystanders,
        incomplete=tuple(live.incomplete()),
        notes=(*difference.notes, *guarded.notes),
        fingerprints=guarded.fingerprints,
        fights=guarded.fights,
        scene=scene(guarded.changes, desired, live),
    )
    return plan, desired


def desire(kinds: Kinds, estate: Estate, live: Live) -> dict[str, Desired[Any]]:
    """What git wants, of every kind that could be observed with all it rests on."""
    able = plannable(kinds, live)
    for name in kinds:
        if name not in able and live.whole(name):
            missing = next(r for r in kinds[name].requires if r not in able)
            waits = Incomplete(name, f"waits for {missing}, which could not be observed")
            seen = live.observed[name]
            live.observed[name] = Observed(seen.resources, (*seen.incomplete, waits), seen.notes)
    return {name: kinds[name].desire(estate, live) for name in able}


def observe(kinds: Kinds, aws: Reader, estate: Estate) -> Live:
    """Everything live, kinds side by side, each after those it requires. A kind that cannot be read is incomplete."""
    live = Live()
    sorter: TopologicalSorter[str] = TopologicalSorter(
        {n: [r for r in _looks_after(k) if r in kinds] for n, k in kinds.items()}
    )
    sorter.prepare()
    changed = threading.Condition()

    def look(name: str) -> None:
        live.observed[name] = Observed(incomplete=(Incomplete(name, "it was not looked at"),))
        try:
            live.observed[name] = _observe_one(kinds[name], aws, live, estate)
        finally:
            with changed:
                sorter.done(name)
                changed.notify()

    with ThreadPoolExecutor(max_workers=max(1, len(kinds)), thread_name_prefix="observe") as pool:
        futures = []
        with changed:
            while sorter.is_active():
                futures += [pool.submit(look, name) for name in sorter.get_ready()]
                if sorter.is_active():
                    changed.wait(timeout=1)
        for future in futures:
            future.result()
    return live


def _observe_one(kind: Kind[Any], aws: Reader, live: Live, estate: Estate) -> Observed[Any]:
    for required in _looks_after(kind):
        if required in live.observed and not live.whole(required):
            return Observed(incomplete=(Incomplete(kind.name, f"waits for {required}, which could not be observed"),))
    try:
        return kind.observe(aws, live, estate)
    except AwsError as error:
        # What was listed once and is not there any more: the list is the older answer.
        return Observed(incomplete=(Incomplete(kind.name, str(error), torn=error.code.endswith(_GONE)),))
    except NoWorkers as error:
        return Observed(incomplete=(Incomplete(kind.name, str(error)),))


def _looks_after(kind: Kind[Any]) -> tuple[str, ...]:
    return kind.requires if kind.looks_after is None else kind.looks_after
