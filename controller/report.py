"""What came of a cycle: one outcome per change, and how long everything took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from controller.planning.plan import Plan
from controller.resources.base import Change


class Result(StrEnum):
    """How one change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"  # something it requires did not succeed
    HELD = "held"  # by a guard rail
    OBSERVED = "observed"  # mode or pause: shown, not written
    PENDING = "pending"  # AWS is still working on it
    UNKNOWN = "unknown"  # no answer to a write


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change and what came of it; `detail` is for people."""

    change: Change
    result: Result
    detail: str = ""
    seconds: float = 0.0


class CycleResult(StrEnum):
    """How a cycle ended, worst first."""

    ERROR = "error"  # it raised: nothing can be said of the organization
    INCOMPLETE = "incomplete"  # something failed or could not be observed
    HELD = "held"  # a guard rail holds something
    PENDING = "pending"  # changes remain or will show: observe mode, or AWS still at work
    CONVERGED = "converged"  # the organization is as git says


@dataclass(frozen=True, slots=True)
class Report:
    """One cycle.

    Attributes:
        phases: Seconds by phase: observe, plan, apply.
        calls: AWS calls by action (``organizations:ListAccounts``), every attempt counted.
        oldest: Action → when the oldest of its answers that the plan was made from was asked for.
        wrote: How many changes were applied.
    """

    started: datetime
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    oldest: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def wrote(self) -> int:
        return sum(o.result is Result.APPLIED for o in self.outcomes)

    @property
    def results(self) -> Counter[Result]:
        return Counter(o.result for o in self.outcomes)

    @property
    def result(self) -> CycleResult:
        results = self.results
        if self.plan.incomplete or any(results[r] for r in (Result.FAILED, Result.SKIPPED, Result.UNKNOWN)):
            return CycleResult.INCOMPLETE
        if self.plan.held:
            return CycleResult.HELD
        undone = results[Result.OBSERVED] or results[Result.PENDING] or (self.plan.changes and not self.outcomes)
        if undone or self.plan.aws_at_work:
            return CycleResult.PENDING
        return CycleResult.CONVERGED
