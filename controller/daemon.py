"""The loop: one cycle at a time, whenever one is wanted, until the process is asked to stop.

Threads: the main one waits for signals, one works, APScheduler's and the web server's only ask.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from controller.clock import Clock
from controller.desired.estate import Estate
from controller.errors import OrgctlError, Stopped
from controller.events import ENDED, Events
from controller.reconcile import Look
from controller.report import CycleResult, Outcome, Report, Result
from controller.schedule import Reason, Schedule, Wanted, untils
from controller.status import LastCycle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.config import Settings
    from controller.metrics import Metrics
    from controller.planning.guard import Pause
    from controller.revision import Revisions
    from controller.status import Board

log = structlog.get_logger(__name__)
HELD_TOLD = 20
"""Names of what one reason holds that the log gives."""

GRACE = timedelta(seconds=8)
"""From SIGTERM until a cycle that has not ended is abandoned; with what else must end, within the 10 s that container
runtimes and service managers grant."""
TURN = 5.0
"""Seconds between two signs of life of an idle loop."""
WOKEN = "woken"
"""Key of the store's facts; another process changes its value (``orgctl approve``) to have a cycle at the next poll."""

_CLEAN, _ABANDONED = 0, 1
# These look at git first; the others must not wait for it.
_ASK_GIT = frozenset({Reason.START, Reason.POLL, Reason.SYNC, Reason.HANGUP, Reason.DECIDED})


class Cycles(Protocol):
    """What the daemon needs of the controller."""

    def cycle(self, estate: Estate, look: Look) -> Report: ...


class Memory(Protocol):
    """What the daemon needs of the store."""

    def get(self, key: str) -> str | None: ...

    def pauses(self) -> list[Pause]: ...


class Daemon:
    """`orgctl run`, once everything is made."""

    def __init__(
        self,
        settings: Settings,
        revisions: Revisions,
        controller: Cycles,
        store: Memory,
        board: Board,
        metrics: Metrics,
        clock: Clock,
        *,
        exit: Callable[[int], None] = os._exit,
    ) -> None:
        self.wanted = Wanted()
        self.schedule = Schedule(self.wanted, settings.interval, settings.resync)
        self._settings, self._revisions, self._controller = settings, revisions, controller
        self._store, self._board, self._metrics, self._clock = store, board, metrics, clock
        self._exit = exit
        self._retries = 0
        self._woken = store.get(WOKEN)
        self._held_told: frozenset[str] = frozenset()

    # The process

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; the exit code. Only in the main thread. A second signal ends at once."""
        self.wanted.want(Reason.START)
        with Events() as events, events.signals():
            threading.Thread(target=self._work, args=[events], name="worker", daemon=True).start()
            self.schedule.start()
            try:
                return self._attend(events)
            finally:
                self.schedule.stop()

    def _attend(self, events: Events) -> int:
        """Answer signals until the worker has ended, or has been waited for long enough."""
        while (event := events.get()) == signal.SIGHUP:
            self.wanted.want(Reason.HANGUP)
        if event is None or event == ENDED:
            return _ABANDONED  # nobody asked it to
        log.info("stopping", signal=signal.Signals(event).name)
        self._clock.stop.set()
        self.wanted.close()
        deadline = self._clock.monotonic() + GRACE.total_seconds()
        while True:
            event = events.get(timeout=deadline - self._clock.monotonic())
            if event is None:
                log.error("the cycle under way did not end; abandoned", seconds=GRACE.total_seconds())
                # Threads that hang in a call would keep the interpreter waiting for ever.
                self._exit(_ABANDONED)
                return _ABANDONED
            if event == ENDED:
                log.info("stopped")
                return _CLEAN
            if event != signal.SIGHUP:
                self._exit(128 + event)
                return 128 + event

    # The loop

    def _work(self, events: Events) -> None:
        try:
            self._revisions.recall()
            self._show_standing()
            while not self._clock.stop.is_set():
                self._board.beat()
                if reasons := self.wanted.take(TURN):
                    self.once(*reasons)
        except Stopped:
            pass
        finally:
            events.put(ENDED)

    def once(self, *reasons: Reason) -> Report | None:
        """Look at git where these reasons ask for it, and run a cycle where there is reason for one.

        Returns:
            What came of it; None where none was wanted, nothing is in force yet, or it raised.

        Raises:
            Stopped: The process was asked to stop.
        """
        started, began = self._clock.now(), self._clock.monotonic()
        self._board.show(running=started)
        try:
            report = self._run(frozenset(reasons), started)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 the one boundary: no cycle, whatever it does, ends the daemon
            self._failed(error, started, self._clock.monotonic() - began)
            return None
        finally:
            self._board.show(running=None)
            self._board.beat()
        if report is not None:
            self._finished(report, started, self._clock.monotonic() - began)
        return report

    def _run(self, reasons: frozenset[Reason], now: datetime) -> Report | None:
        before, woken = self._revisions.standing.in_force, self._was_woken()
        # A git that does not answer must not delay what has another reason: its polls go on by themselves.
        silent = self._revisions.standing.fetch_error and reasons - _ASK_GIT
        if reasons & _ASK_GIT and not silent:
            self._ask_git()
        if reasons == {Reason.POLL} and self._revisions.standing.in_force == before and not woken:
            return None
        with self._timed("load"):
            estate = self._revisions.estate()
        if estate is None:
            log.warning("no commit is in force yet; nothing is done")
            return None
        self._show_standing()
        pauses = self._store.pauses()
        self._metrics.show_pauses(len(pauses))
        # The end of a pause is a moment like the end of an `until`: what it held back is due.
        self.schedule.set_untils({*untils(estate), *(pause.until for pause in pauses)}, now)
        log.info("cycle begins", reasons=[reason.value for reason in sorted(reasons)], commit=estate.commit)
        return self._controller.cycle(estate, _look(reasons))

    def _ask_git(self) -> None:
        with self._timed("fetch"):
            self._revisions.poll()
        if self._revisions.standing.fetch_error:
            self._metrics.on_fetch_failure()
        self._show_standing()

    def _show_standing(self) -> None:
        standing = self._revisions.standing
        self._board.show(standing=standing)
        commit = standing.in_force.hash if standing.in_force else None
        self._metrics.show_commits(commit, bad=bool(standing.refused), held=bool(standing.held))

    def _was_woken(self) -> bool:
        before, self._woken = self._woken, self._store.get(WOKEN)
        return before != self._woken

    # What came of it

    def _finished(self, report: Report, started: datetime, seconds: float) -> None:
        now = self._clock.now()
        self._metrics.on_cycle(report, seconds, now)
        good = report.result not in (CycleResult.ERROR, CycleResult.INCOMPLETE)
        ready = self._board.status.ready or all(missing.key is not None for missing in report.plan.incomplete)
        self._metrics.show_ready(ready)
        self._board.show(
            cycle=LastCycle(started, seconds, report.result),
            report=report,
            ready=ready,
            last_good=now if good else self._board.status.last_good,
        )
        _tell(report, seconds)
        self._tell_held(report)
        at_work = report.results[Result.PENDING] > 0 or report.plan.aws_at_work
        self._look_again(not good or at_work)

    def _tell_held(self, report: Report) -> None:
        """What is held, when it comes to be: it is the same in every cycle after that."""
        held = dict(report.plan.stuck)
        for change in report.plan.held:
            if change.hold:
                held.setdefault(str(change.blocked), []).append(f"{change.action} {change.kind} {change.name}")
        for why in sorted(held.keys() - self._held_told):
            log.warning("held", why=why, count=len(held[why]), changes=held[why][:HELD_TOLD])
        self._held_told = frozenset(held)

    def _failed(self, error: Exception, started: datetime, seconds: float) -> None:
        self._metrics.on_failed_cycle(seconds)
        what = str(error) if isinstance(error, OrgctlError) else f"unexpected {type(error).__name__}: {error}"
        self._board.show(cycle=LastCycle(started, seconds, CycleResult.ERROR, what))
        # A traceback is for bugs; what orgctl raises on purpose explains itself.
        log.error("cycle failed; tried again", error=what, exc_info=not isinstance(error, OrgctlError))
        self._look_again(True)

    def _look_again(self, needed: bool) -> None:
        """What failed or is not done yet is looked at again well before the next full cycle, ever less often."""
        if not needed:
            self._retries = 0
            self.schedule.set_retry(None)
            return
        pause = min(self._settings.interval * 2 ** min(self._retries, 16), self._settings.resync)
        self._retries += 1
        self.schedule.set_retry(self._clock.now() + pause)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self._metrics.on_phase(phase, self._clock.monotonic() - began)


def _look(reasons: frozenset[Reason]) -> Look:
    """A person who asks wants to know how things are; the clock asks for what is oldest; all else for what it needs."""
    if reasons & {Reason.SYNC, Reason.HANGUP}:
        return Look.ALL
    return Look.PART if Reason.RESYNC in reasons else Look.CHANGES


_UNDONE = {
    Result.FAILED: (logging.ERROR, "change failed"),
    Result.UNKNOWN: (logging.ERROR, "change without an answer"),
    Result.PENDING: (logging.WARNING, "change still under way"),
    Result.SKIPPED: (logging.WARNING, "change skipped"),
}


def tell_outcome(outcome: Outcome) -> None:
    """One log line per change that was tried."""
    change = outcome.change
    facts = {"kind": change.kind, "name": change.name, "action": change.action.value}
    if outcome.result is Result.APPLIED:
        log.info("change applied", **facts, seconds=round(outcome.seconds, 3))
    elif outcome.result in _UNDONE:
        level, message = _UNDONE[outcome.result]
        log.log(level, message, **facts, detail=outcome.detail)
    # What is held or only observed is the same in every cycle: its number is in the cycle's own line.


def _tell(report: Report, seconds: float) -> None:
    counts = {result.value: count for result, count in report.results.items() if count}
    log.info(
        "cycle ended",
        result=report.result.value,
        seconds=round(seconds, 3),
        commit=report.plan.commit,
        calls=sum(report.calls.values()),
        unchanged=sum(report.plan.in_sync.values()),
        **counts,
    )
    for missing in report.plan.incomplete:
        log.warning("not observed", what=missing.what, why=missing.why)
