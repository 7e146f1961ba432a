"""The guard rails: which changes of a plan are held, why, and what lets them through.

They judge the whole plan before the first write. Nothing in the repository that is reconciled can loosen them: limits,
protected names and modes come from the settings, approvals and pauses from the operators' own store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from controller.config import Limits, ModeRule
from controller.planning.plan import digest
from controller.resources.base import Action, Change, Desired, Json, Kind, Live, Resource

REPAIRS_BEFORE_BACKOFF = 5
"""The same repair this often within an hour is a fight with somebody (safety rule 7)."""
LONGEST_BACKOFF = timedelta(minutes=5)
AWS_SHOWS_BY = timedelta(seconds=60)
"""How long a write of unknown outcome is looked for before it is sent again: AWS Organizations is eventually
consistent and says of no bound (Organizations User Guide, troubleshooting)."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Writes are stopped for a kind, a subtree or everything, until `until`."""

    until: datetime
    reason: str
    author: str
    kind: str = "*"
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the guards know of the past: a snapshot of the store.

    Attributes:
        approved: Fingerprints of changes a person let through, still valid and not yet used.
        removed: kind → unapproved removals applied within the last hour.
        baseline: kind → how many resources git wanted when it was last in force.
        repairs: change id + after-state → when it was applied, within the last hour.
        unknown: change id → when it was sent without an answer.
    """

    now: datetime
    approved: frozenset[str] = frozenset()
    removed: Mapping[str, int] = field(default_factory=dict)
    baseline: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    unknown: Mapping[str, datetime] = field(default_factory=dict)
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """The part of the settings that guards read."""

    organization_id: str
    limits: Limits = field(default_factory=Limits)
    protected: tuple[str, ...] = ()
    mode: str = "observe"
    modes: tuple[ModeRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Guarded:
    """The changes after the guards, and each one's fingerprint; `fights` are changes in a fight right now."""

    changes: tuple[Change, ...]
    fingerprints: Mapping[str, str]
    fights: frozenset[str] = frozenset()


def guard(
    kinds: Mapping[str, Kind[Any]],
    changes: tuple[Change, ...],
    desired: Mapping[str, Desired[Any]],
    live: Live,
    losses: Mapping[str, str],
    rules: Rules,
    memory: Memory,
) -> Guarded:
    """Hold what must be held, strongest reason first; then what depends on it; then apply modes and pauses. Pure."""
    judge = _Judge(kinds, desired, live, losses, rules, memory, {c.id: c for c in changes})
    judge.forbidden()
    judge.protected()
    judge.always_approved()
    judge.adoptions()
    judge.limits()
    judge.sudden_emptiness()
    judge.fights()
    judge.unknown_outcomes()
    judge.dependants()
    judge.modes()
    return Guarded(tuple(judge.changes.values()), judge.fingerprints, frozenset(judge.fighting))


def fingerprint(organization_id: str, change: Change) -> str:
    """What an approval of this change stands for: organization, both sides in full, and what it rests on."""
    sides: list[Json] = [_side(change.before), _side(change.after)]
    return digest([organization_id, change.id, *sides, [*change.rests_on]])


def repair_key(change: Change) -> str:
    """The same for every repair that brings the same resource to the same state."""
    return digest([change.id, _side(change.after)])


def _side(resource: Resource | None) -> Json:
    return None if resource is None else resource.fingerprint()


@dataclass(slots=True)
class _Judge:
    kinds: Mapping[str, Kind[Any]]
    desired: Mapping[str, Desired[Any]]
    live: Live
    losses: Mapping[str, str]
    rules: Rules
    memory: Memory
    changes: dict[str, Change]
    fingerprints: dict[str, str] = field(init=False)
    fighting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.fingerprints = {id: fingerprint(self.rules.organization_id, c) for id, c in self.changes.items()}

    # What nobody can approve

    def forbidden(self) -> None:
        for change in self._open():
            if why := self.kinds[change.kind].forbids(change, self.changes, self.live):
                self._block(change, why)

    def protected(self) -> None:
        for change in self._open():
            if not self._removes(change):
                continue
            names = {f"{change.kind}/{change.name}", f"{change.kind}/{change.key}"}
            for pattern in self.rules.protected:
                if any(fnmatchcase(name, pattern) for name in names):
                    self._block(change, f"'{pattern}' is protected by the settings; only changing them lets it through")
                    break

    # What a person may approve

    def always_approved(self) -> None:
        for change in self._open():
            if why := self.kinds[change.kind].needs_approval(change):
                self._hold([change], why)

    def adoptions(self) -> None:
        """An adoption that would remove or rewrite; cells of one document share one approval."""
        groups: dict[str, list[Change]] = {}
        for change in self._open():
            if change.id in self.losses:
                shared = change.source or change.id if change.kind == "security_hub" else change.id
                groups.setdefault(shared, []).append(change)
        for group in groups.values():
            why = self.losses[group[0].id] + (f" (and {len(group) - 1} more of the same document)" if group[1:] else "")
            self._hold(group, f"{why}; write it into git, or approve")

    def limits(self) -> None:
        """More removals of a kind than the settings allow in an hour: all of them wait, not only the excess."""
        limits = self.rules.limits
        for name, group in self._removals().items():
            total = len(self.live.of(self.kinds[name].resource))
            count = len(group) + self.memory.removed.get(name, 0)
            share = count / total if total else 1.0
            if count > limits.removals or (total >= limits.share_from and share > limits.share):
                why = (
                    f"would remove {count} of {total} {_plural(name)} within an hour ({share:.0%}; the limit is "
                    f"{limits.removals}, or {limits.share:.0%} of {limits.share_from} and more)"
                )
                self._hold(group, why)

    def sudden_emptiness(self) -> None:
        """A kind that falls from two or more to none, or by over half, may be a broken input: all of it waits."""
        for name, want in self.desired.items():
            before = self.memory.baseline.get(name)
            if before is None:
                before = sum(r.owner is not None for r in self.live.of(self.kinds[name].resource).values())
            now = len(want.resources) + len(want.expired) + len(want.gone)
            if before >= 2 and now < before / 2:
                group = [c for c in self._open() if c.kind == name]
                self._hold(
                    group, f"git names {now} {_plural(name)} where it named {before}; make sure the input is whole"
                )

    # What waits for a while

    def fights(self) -> None:
        for change in self.changes.values():
            times = self.memory.repairs.get(repair_key(change), ())
            if len(times) < REPAIRS_BEFORE_BACKOFF:
                continue
            self.fighting.add(change.id)
            wait = min(LONGEST_BACKOFF, timedelta(seconds=10 * 2 ** (len(times) - REPAIRS_BEFORE_BACKOFF)))
            restores = self.kinds[change.kind].protective and change.action is not Action.DELETE
            if not restores and self.memory.now < max(times) + wait and not change.blocked:
                why = f"somebody undoes it: repaired {len(times)} times within an hour; next try in at most {wait}"
                self._block(change, why)

    def unknown_outcomes(self) -> None:
        for change in self._open():
            if change.action is not Action.CREATE or self.kinds[change.kind].deduplicated:
                continue  # sending it again does no harm
            sent = self.memory.unknown.get(change.id)
            if sent is not None and self.memory.now < sent + AWS_SHOWS_BY:
                self._block(change, "it was sent and got no answer; looked for before it is sent again")

    # What follows

    def dependants(self) -> None:
        """`changes` is in an order that fulfils `requires`, so one pass reaches everything."""
        for change in list(self.changes.values()):
            held = sorted(r for r in change.requires if r in self.changes and self.changes[r].blocked)
            if held and not change.blocked:
                first = self.changes[held[0]]
                self._block(change, f"waits for {first.kind.replace('_', ' ')} '{first.name}', which is held")

    def modes(self) -> None:
        for change in list(self.changes.values()):
            waits = any(self.changes[r].observe_only for r in change.requires if r in self.changes)
            if waits or self._mode(change) == "observe" or self._paused(change):
                self.changes[change.id] = replace(self.changes[change.id], observe_only=True)

    def _mode(self, change: Change) -> str:
        mode = self.rules.mode
        for rule in self.rules.modes:
            if fnmatchcase(change.kind, rule.kind) and self._within(change, rule.unit):
                mode = rule.mode
        return mode

    def _paused(self, change: Change) -> bool:
        return any(
            pause.until > self.memory.now and fnmatchcase(change.kind, pause.kind) and self._within(change, pause.unit)
            for pause in self.memory.pauses
        )

    def _within(self, change: Change, unit: str | None) -> bool:
        """Whether either side of the change lies in or below the OU."""
        if unit is None or unit == "/":
            return True
        kind = self.kinds[change.kind]
        sides = (side for side in (change.before, change.after) if side is not None)
        places: Iterable[str | None] = [kind.unit(side, self.live) for side in sides]
        return any(place is not None and f"{place}/".startswith(f"{unit}/") for place in places)

    # Helpers

    def _open(self) -> list[Change]:
        return [c for c in self.changes.values() if c.blocked is None]

    def _removes(self, change: Change) -> bool:
        return self.kinds[change.kind].removes(change)

    def _removals(self) -> dict[str, list[Change]]:
        groups: dict[str, list[Change]] = {}
        for change in self.changes.values():
            counted = change.blocked is None and not change.exempt and self._removes(change)
            if counted and self.fingerprints[change.id] not in self.memory.approved:
                groups.setdefault(change.kind, []).append(change)
        return groups

    def _block(self, change: Change, why: str, hold: str | None = None) -> None:
        self.changes[change.id] = replace(change, blocked=why, hold=hold)

    def _hold(self, group: list[Change], why: str) -> None:
        """Hold those of the group that nobody approved, under one id."""
        waiting = [c for c in group if self.fingerprints[c.id] not in self.memory.approved]
        if not waiting:
            return
        hold = digest([*sorted(self.fingerprints[c.id] for c in waiting)])
        for change in waiting:
            self._block(change, f"{why}. If meant: orgctl approve {hold}", hold)


def _plural(kind: str) -> str:
    words = kind.replace("_", " ")
    return words[:-1] + "ies" if words.endswith("y") else words + "s"
