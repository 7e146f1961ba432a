"""When a cycle runs. APScheduler keeps the time; all it ever does is say that a cycle is wanted, and why."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from pydantic import BaseModel

from controller.desired.estate import Estate


class Reason(StrEnum):
    """Why a cycle is wanted."""

    START = "start"
    POLL = "poll"  # ask git; a cycle follows only where there is a new commit
    RESYNC = "resync"  # look again at what was looked at longest ago
    UNTIL = "until"
    RETRY = "retry"  # the last cycle left something to look at again
    SYNC = "sync"  # somebody asked over HTTP
    HANGUP = "hangup"  # SIGHUP
    DECIDED = "decided"  # somebody approved something over HTTP


AFTER = timedelta(seconds=1)
"""How long after an `until` the cycle runs: it must find that moment in the past."""
JITTER = 0.1
"""Of the interval: many controllers must not ask one git server in step."""


class Wanted:
    """The wish for a cycle. Wishes made while one runs become one further cycle, with all their reasons."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._reasons: set[Reason] = set()
        self._closed = False

    def want(self, reason: Reason) -> None:
        with self._changed:
            self._reasons.add(reason)
            self._changed.notify_all()

    def take(self, timeout: float) -> frozenset[Reason]:
        """All reasons there are, waiting for one for at most `timeout` seconds; they count as met from now on."""
        with self._changed:
            self._changed.wait_for(lambda: self._reasons or self._closed, timeout)
            reasons = frozenset(self._reasons)
            self._reasons.clear()
            return reasons

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


PARTS = 10
"""In so many looks all of AWS is looked at once, evenly: no burst of calls, and drift is found on the way."""
SHORTEST_PART = timedelta(seconds=5)
"""A look takes a while by itself, however little is asked."""


class Schedule:
    """Wishes by the clock: git each `interval`, all of AWS in each `resync`, and at every `until`."""

    def __init__(self, wanted: Wanted, interval: timedelta, resync: timedelta) -> None:
        self._wanted = wanted
        # One thread: a job only sets a flag. No job is ever too late to be worth it, and late ones become one.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        jitter = interval.total_seconds() * JITTER
        self._add(Reason.POLL, IntervalTrigger(seconds=interval.total_seconds(), jitter=jitter, timezone=UTC))
        part = min(resync, max(resync / PARTS, SHORTEST_PART))
        self._add(Reason.RESYNC, IntervalTrigger(seconds=part.total_seconds(), timezone=UTC))

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            # A shutdown in the middle of a look at what is due raises in the scheduler's thread. Paused, it looks no
            # more; and asking for the jobs waits for the look under way.
            self._scheduler.pause()
            self._scheduler.get_jobs()
            self._scheduler.shutdown(wait=False)

    def set_untils(self, moments: Iterable[datetime], now: datetime) -> None:
        """A cycle right after each of these that is still to come; what was planned before is forgotten."""
        wanted = {f"{Reason.UNTIL} {moment.isoformat()}": moment for moment in moments if moment >= now}
        for job in self._scheduler.get_jobs():
            if job.id.startswith(f"{Reason.UNTIL} ") and job.id not in wanted:
                job.remove()
        for id, moment in wanted.items():
            self._add(Reason.UNTIL, DateTrigger(moment + AFTER, timezone=UTC), id)

    def set_retry(self, at: datetime | None) -> None:
        """A cycle at that time, instead of whatever time was set before."""
        if at is not None:
            self._add(Reason.RETRY, DateTrigger(at, timezone=UTC))
        elif self._scheduler.get_job(Reason.RETRY):
            self._scheduler.remove_job(Reason.RETRY)

    def dates(self) -> dict[str, datetime]:
        """The dated jobs that are still to come."""
        return {
            job.id: job.trigger.run_date for job in self._scheduler.get_jobs() if isinstance(job.trigger, DateTrigger)
        }

    def _add(self, reason: Reason, trigger: DateTrigger | IntervalTrigger, id: str | None = None) -> None:
        self._scheduler.add_job(self._wanted.want, trigger, [reason], id=id or str(reason), replace_existing=True)


def untils(estate: Estate) -> frozenset[datetime]:
    """Every `until` in the estate, whichever document it stands in."""
    return frozenset(moment for document in estate.documents for moment in _untils(document.model))


def _untils(value: object) -> Iterator[datetime]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = getattr(value, name)
            if name == "until" and isinstance(inner, datetime):
                yield inner
            elif isinstance(inner, BaseModel | list | tuple | dict):
                yield from _untils(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            if isinstance(inner, BaseModel | list | tuple | dict):
                yield from _untils(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _untils(inner)
