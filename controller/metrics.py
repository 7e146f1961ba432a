"""What Prometheus scrapes: one object with a registry of its own. Every series is there from zero, labels are few."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from controller import __version__
from controller.planning.plan import Plan
from controller.report import CycleResult, Outcome, Report, Result
from controller.resources.base import Action

if TYPE_CHECKING:
    from controller.aws.transport import CallRecord

STATES = ("in_sync", "drifted", "unmanaged", "orphaned", "failed", "blocked")
PHASES = ("fetch", "load", "observe", "plan", "apply")
REASONS = ("throttled", "denied", "absent", "conflict", "invalid", "server", "unanswered", "other")
OTHER = "other"
"""The label's value for what nobody declared: it bounds the number of series, and shows what is missing."""

_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
# By words in AWS's error codes; the first that fits. Codes themselves are too many for a label.
_REASONS_BY_WORD = (
    ("throttled", ("Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded")),
    ("denied", ("AccessDenied", "Unauthorized", "ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient")),
    ("absent", ("NotFound", "NoSuch", "NotAttached")),
    ("conflict", ("Conflict", "Duplicate", "AlreadyExists", "ConcurrentModification")),
    ("server", ("Internal", "Unavailable", "ServiceException", "ServerException")),
    ("unanswered", ("ConnectionError", "Timeout", "HTTPClientError", "SSLError", "ConnectionClosed")),
    ("invalid", ("Validation", "Invalid", "Malformed", "Constraint", "LimitExceeded", "Unsupported")),
)
_DRIFTED = (Result.OBSERVED, Result.PENDING)
_FAILED = (Result.FAILED, Result.SKIPPED, Result.UNKNOWN)


class Metrics:
    """Every metric of one controller.

    Args:
        kinds: Names of the kinds of resource.
        calls: IAM actions that may be called (``organizations:ListAccounts``).
    """

    def __init__(self, kinds: Iterable[str], calls: Iterable[str]) -> None:
        # They double the number of series and say nothing that `increase()` needs.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # has no annotations
        self.registry = CollectorRegistry()
        self._kinds = tuple(kinds)
        self._calls = {action: _service_and_operation(action) for action in calls}
        ProcessCollector(namespace="orgctl", registry=self.registry)
        self._make_loop()
        self._make_estate()
        self._make_aws()
        Info("orgctl_build", "Version of orgctl.", registry=self.registry).info({"version": __version__})

    def render(self) -> bytes:
        """The text that Prometheus scrapes, format 0.0.4."""
        return generate_latest(self.registry)

    # What happened

    def on_call(self, record: CallRecord) -> None:
        """One attempt of one AWS call."""
        service, operation = self._calls.get(record.action, (OTHER, OTHER))
        self._aws_calls.labels(service, operation).inc()
        self._aws_wait.labels(service, operation).inc(record.waited)
        self._aws_learned.labels(service, operation).set(record.learned)
        if record.code:
            reason = "throttled" if record.throttled else reason_of(record.code)
            self._aws_errors.labels(service, operation, reason).inc()
        if record.throttled:
            self._aws_throttles.labels(service, operation).inc()

    def on_phase(self, phase: str, seconds: float) -> None:
        self._phase_seconds.labels(phase).observe(seconds)

    def on_cycle(self, report: Report, seconds: float, now: datetime) -> None:
        """A cycle that came to its end, whatever its result."""
        self._cycles.labels(report.result).inc()
        self._cycle_seconds.observe(seconds)
        for phase, lasted in report.phases.items():
            self.on_phase(phase, lasted)
        for outcome in report.outcomes:
            self._changes.labels(outcome.change.kind, outcome.change.action, outcome.result).inc()
        if report.result not in (CycleResult.ERROR, CycleResult.INCOMPLETE):
            self._last_good_cycle.set(now.timestamp())
        self._show(report)
        for service in {service for service, _ in self._calls.values()}:
            asked = [at for action, at in report.oldest.items() if action.startswith(f"{service}:")]
            self._oldest.labels(service).set(min(asked).timestamp() if asked else 0)

    def on_failed_cycle(self, seconds: float) -> None:
        """A cycle that raised: what was known of the estate stays."""
        self._cycles.labels(CycleResult.ERROR).inc()
        self._cycle_seconds.observe(seconds)

    def on_fetch_failure(self) -> None:
        self._fetch_failures.inc()

    def show_commits(self, in_force: str | None, *, bad: bool, held: bool) -> None:
        self._commit.info({"commit": in_force or ""})
        self._bad_commit.set(bad)
        self._held_commit.set(held)

    def show_pauses(self, count: int) -> None:
        self._paused.set(count)

    def show_ready(self, ready: bool) -> None:
        self._ready.set(ready)

    def _show(self, report: Report) -> None:
        plan = report.plan
        self._holds.set(len({change.hold for change in plan.held if change.hold}))
        self._fights.set(len(plan.fights))
        missing = Tally(incomplete.kind for incomplete in plan.incomplete)
        # What could not be observed keeps its last numbers: it is not gone.
        unseen = {incomplete.kind for incomplete in plan.incomplete if incomplete.key is None}
        states = count_states(plan, report.outcomes)
        for kind in self._kinds:
            self._incomplete.labels(kind).set(missing[kind])
            for state in STATES:
                if kind not in unseen:
                    self._resources.labels(kind, state).set(states.get((kind, state), 0))

    # What there is

    def _make_loop(self) -> None:
        r = self.registry
        self._cycles = Counter("orgctl_cycles_total", "Cycles by how they ended.", ["result"], registry=r)
        self._cycle_seconds = Histogram(
            "orgctl_cycle_seconds", "How long a cycle took, with the look at git.", buckets=_SECONDS, registry=r
        )
        self._phase_seconds = Histogram(
            "orgctl_phase_seconds", "How long each phase of a cycle took.", ["phase"], buckets=_SECONDS, registry=r
        )
        self._last_good_cycle = Gauge(
            "orgctl_last_good_cycle_timestamp_seconds",
            "When the last cycle ended that saw everything and failed nothing, in seconds since 1970; 0: none yet.",
            registry=r,
        )
        self._commit = Info("orgctl_commit", "The commit in force; empty: none yet.", registry=r)
        self._commit.info({"commit": ""})
        self._bad_commit = Gauge(
            "orgctl_bad_commit", "1 while the branch's head is bad and an older commit stays in force.", registry=r
        )
        self._held_commit = Gauge(
            "orgctl_held_commit", "1 while the branch's head does not descend from the commit in force.", registry=r
        )
        self._fetch_failures = Counter("orgctl_git_fetch_failures_total", "Fetches that failed.", registry=r)
        self._ready = Gauge("orgctl_ready", "1 once everything was observed since the start.", registry=r)
        for result in CycleResult:
            self._cycles.labels(result)
        for phase in PHASES:
            self._phase_seconds.labels(phase)

    def _make_estate(self) -> None:
        r = self.registry
        self._resources = Gauge(
            "orgctl_resources", "Resources by kind and state, after the last cycle.", ["kind", "state"], registry=r
        )
        self._changes = Counter(
            "orgctl_changes_total", "Planned changes and what came of them.", ["kind", "action", "result"], registry=r
        )
        self._incomplete = Gauge(
            "orgctl_incomplete", "What could not be observed in the last cycle, by kind.", ["kind"], registry=r
        )
        self._holds = Gauge("orgctl_holds", "Groups of changes that wait for a person's approval.", registry=r)
        self._fights = Gauge("orgctl_fights", "Resources that something else keeps changing back.", registry=r)
        self._paused = Gauge("orgctl_paused", "Pauses in effect.", registry=r)
        for kind in self._kinds:
            self._incomplete.labels(kind)
            for state in STATES:
                self._resources.labels(kind, state)
            for action in Action:
                for result in Result:
                    self._changes.labels(kind, action, result)

    def _make_aws(self) -> None:
        r, names = self.registry, ["service", "operation"]
        self._aws_calls = Counter("orgctl_aws_calls_total", "Calls of AWS, every attempt counted.", names, registry=r)
        self._aws_errors = Counter(
            "orgctl_aws_errors_total",
            "Attempts that AWS answered with an error, or not.",
            [*names, "reason"],
            registry=r,
        )
        self._aws_throttles = Counter(
            "orgctl_aws_throttles_total", "Attempts that AWS refused for their rate.", names, registry=r
        )
        self._aws_wait = Counter(
            "orgctl_aws_wait_seconds_total", "Seconds waited to stay within AWS's rates.", names, registry=r
        )
        self._oldest = Gauge(
            "orgctl_oldest_observation_timestamp_seconds",
            "When the oldest answer was asked for that is still relied on, in seconds since 1970; 0: there is none.",
            ["service"],
            registry=r,
        )
        for service in {service for service, _ in self._calls.values()}:
            self._oldest.labels(service)
        self._aws_learned = Gauge(
            "orgctl_aws_learned_share",
            "Of the call rate we may use, what AWS lets us have: below 1 after throttles. As of the last call.",
            names,
            registry=r,
        )
        for service, operation in {*self._calls.values(), (OTHER, OTHER)}:
            self._aws_learned.labels(service, operation).set(1)
            for metric in (self._aws_calls, self._aws_throttles, self._aws_wait):
                metric.labels(service, operation)
            for reason in REASONS:
                self._aws_errors.labels(service, operation, reason)


def reason_of(code: str) -> str:
    """One of a few reasons for AWS's error code."""
    for reason, words in _REASONS_BY_WORD:
        if any(word in code for word in words):
            return reason
    return OTHER


def count_states(plan: Plan, outcomes: Iterable[Outcome]) -> Mapping[tuple[str, str], int]:
    """(kind, state) → how many resources, once the outcomes are taken into account.

    A change that was applied leaves its resource in sync, or gone; one that nobody tried is drift.
    """
    counts: Tally[tuple[str, str]] = Tally()
    for kind, number in plan.in_sync.items():
        counts[kind, "in_sync"] += number
    for bystander in plan.bystanders:
        counts[bystander.kind, "orphaned" if bystander.orphaned else "unmanaged"] += 1
    results = {outcome.change.id: outcome.result for outcome in outcomes}
    for change in plan.changes:
        result = results.get(change.id)
        if change.blocked or result is Result.HELD:
            counts[change.kind, "blocked"] += 1
        elif result in _FAILED:
            counts[change.kind, "failed"] += 1
        elif result is None or result in _DRIFTED:
            counts[change.kind, "drifted"] += 1
        elif change.action is not Action.DELETE:
            counts[change.kind, "in_sync"] += 1
    return counts


def _service_and_operation(action: str) -> tuple[str, str]:
    service, _, operation = action.partition(":")
    return service, operation
