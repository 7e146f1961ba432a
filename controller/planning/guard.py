"""The guard rails: which changes of a plan are held, why, and what lets them through.

They judge the whole plan before the first write. Nothing in the repository that is reconciled can loosen them: limits,
protected names and modes come from the settings, approvals and pauses from the operators' own store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from shlex import quote
from typing import Any

from controller.config import Limits, ModeRule
from controller.planning.lockout import Prove, nothing_needed
from controller.planning.plan import digest
from controller.resources.base import Action, Change, Desired, Json, Kind, Live, Note, Ref, Resource
from controller.resources.changes import Changes

REPAIRS_BEFORE_BACKOFF = 5
"""The same repair this often within an hour is a fight with somebody (safety rule 7)."""
LONGEST_BACKOFF = timedelta(minutes=5)
OBSERVE = "mode observe: `mode: enforce` or `modes` in orgctl.yaml, or ORGCTL_MODE=enforce, lets it through"
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

    @property
    def command(self) -> str:
        """What ends it."""
        kind = "" if self.kind == "*" else f" --kind {quote(self.kind)}"
        return f"orgctl resume{kind}{'' if self.unit is None else f' --unit {quote(self.unit)}'}"


@dataclass(frozen=True, slots=True)
class Memory:
    """What the guards know of the past: a snapshot of the store.

    Attributes:
        approved: Fingerprints of changes a person let through, still valid and not yet used.
        removed: kind → unapproved removals begun within the last hour; those that AWS refused do not count.
        removing: Change ids of those among them whose end is not known: a plan may hold them again.
        baseline: kind → how many resources git wanted when it was last in force.
        ends: kind → key → an `until` that git gave it while that was still to come.
        repairs: change id + after-state → when it was applied, within the last hour.
        unknown: change id → when it was sent without an answer.
    """

    now: datetime
    approved: frozenset[str] = frozenset()
    removed: Mapping[str, int] = field(default_factory=dict)
    removing: frozenset[str] = frozenset()
    baseline: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
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
    notes: tuple[Note, ...] = ()


def guard(
    kinds: Mapping[str, Kind[Any]],
    changes: tuple[Change, ...],
    desired: Mapping[str, Desired[Any]],
    live: Live,
    losses: Mapping[str, str],
    rules: Rules,
    memory: Memory,
    prove: Prove = nothing_needed,
) -> Guarded:
    """Hold what must be held, strongest reason first; then what depends on it; then apply modes and pauses. Pure.

    Args:
        prove: What given changes would lock out (safety rule 2).
    """
    judge = _Judge(kinds, desired, live, losses, rules, memory, Changes(changes))
    judge.endings()
    judge.forbidden()
    judge.protected()
    judge.lockouts(prove)
    judge.always_approved()
    judge.doubtful()
    judge.adoptions()
    judge.limits()
    judge.sudden_emptiness()
    judge.fights()
    judge.unknown_outcomes()
    judge.dependants()
    judge.modes()
    while judge.lockouts(prove, free=True):  # what else is held may have been what made the rest harmless
        judge.dependants()
    return Guarded(tuple(judge.changes.values()), judge.fingerprints, frozenset(judge.fighting), tuple(judge.notes))


def fingerprint(organization_id: str, change: Change) -> str:
    """What an approval of this change stands for: organization, both sides in full, and what it rests on."""
    sides: list[Json] = [_side(change.before), _side(change.after)]
    return digest([organization_id, change.id, *sides, [*change.rests_on]])


def repair_key(change: Change) -> str:
    """The same for every repair that brings the same resource to the same state."""
    return digest([change.id, _side(change.after)])


def _side(resource: Resource | None) -> Json:
    return None if resource is None else resource.fingerprint()


def _lies_in(place: str | None, unit: str | None) -> bool:
    return place is not None and f"{place}/".startswith(f"{(unit or '').rstrip('/')}/")


@dataclass
class _Judge:
    kinds: Mapping[str, Kind[Any]]
    desired: Mapping[str, Desired[Any]]
    live: Live
    losses: Mapping[str, str]
    rules: Rules
    memory: Memory
    changes: Changes
    fingerprints: dict[str, str] = field(init=False)
    fighting: set[str] = field(default_factory=set)
    notes: dict[Note, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fingerprints = {id: fingerprint(self.rules.organization_id, c) for id, c in self.changes.items()}

    def endings(self) -> None:
        """The end of an `until` is exempt where it was known before it came; one written in the past is a removal."""
        for change in list(self.changes.values()):
            if change.exempt and not self._has_ended(change.kind, change.key):
                self.changes.put(replace(change, exempt=False))

    # What nobody can approve

    def forbidden(self) -> None:
        for change in self._open():
            if why := self.kinds[change.kind].forbids(change, self.changes, self.live):
                self._block(change, why)

    def protected(self) -> None:
        """A removal, and a rename: under another name nothing would be protected any more."""
        for change in self._open() if self.rules.protected else ():
            lost = self._names(change, change.before)
            if not self._removes(change):
                lost -= self._names(change, change.after)
            for pattern in self.rules.protected:
                if any(fnmatchcase(name, pattern) for name in lost):
                    self._block(change, f"'{pattern}' is protected by the settings; only changing them lets it through")
                    break

    def lockouts(self, prove: Prove, *, free: bool = False) -> bool:
        """Changes that take what must stay allowed; whether there were any. Without them, others may do so."""
        found = False
        while (proof := prove(c for c in self._open() if not (free and c.observe_only))).lost:
            found = True
            for id, why in proof.lost.items():
                self._block(self.changes[id], why)
        self.notes |= dict.fromkeys(proof.notes)
        return found

    # What a person may approve

    def always_approved(self) -> None:
        for change in self._open():
            if why := self.kinds[change.kind].needs_approval(change):
                self._hold([change], why)

    def doubtful(self) -> None:
        """What is about something that git may have mistaken for another: all of it waits, under one id."""
        doubts = {Ref(name, key): why for name, want in self.desired.items() for key, why in want.doubts.items()}
        group = [c for c in self._open() if not _concerned(c).isdisjoint(doubts)] if doubts else []
        if group:
            whys = sorted({doubts[ref] for change in group for ref in _concerned(change) & doubts.keys()})
            self._hold(group, "; ".join(whys[:2]) + (f" (and {len(whys) - 2} more)" if whys[2:] else ""))

    def adoptions(self) -> None:
        """An adoption that would remove or rewrite; cells of one document share one approval."""
        groups: dict[str, list[Change]] = {}
        for change in self._open():
            if change.id in self.losses:
                shared = change.source or change.id if change.kind == "security_hub" else change.id
                groups.setdefault(shared, []).append(change)
        for group in groups.values():
            why = self.losses[group[0].id] + (f" (and {len(group) - 1} more of the same document)" if group[1:] else "")
            self._hold(group, f"{why}; write it into git (orgctl import), or approve")

    def limits(self) -> None:
        """More removals of a kind than the settings allow in an hour: all of them wait, not only the excess."""
        limits = self.rules.limits
        for name, group in self._removals().items():
            total = len(self.live.of(self.kinds[name].resource))
            new = sum(change.id not in self.memory.removing for change in group)
            count = new + self.memory.removed.get(name, 0)
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
            ended = sum(self._has_ended(name, key) for key in want.expired)
            now = len(want.resources) + ended + len(want.gone)
            if before >= 2 and now < before / 2:
                group = [c for c in self._open() if c.kind == name]
                self._hold(
                    group, f"git names {now} {_plural(name)} where it named {before}; make sure the input is whole"
                )

    # What waits for a while

    def fights(self) -> None:
        for change in self.changes.values() if self.memory.repairs else ():
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
            if why := self._waits(change):
                self.changes.put(replace(self.changes[change.id], observe_only=True, waits=why))

    def _waits(self, change: Change) -> str:
        """Why it is not written, though nothing holds it."""
        if self._mode(change) == "observe":
            return OBSERVE
        if (pause := self._paused(change)) is not None:
            return f"paused by {pause.author} until {pause.until:%Y-%m-%d %H:%MZ} ({pause.reason}): {pause.command}"
        waits_for = [self.changes[r] for r in sorted(change.requires) if r in self.changes]
        return next((other.waits for other in waits_for if other.observe_only), "")

    def _mode(self, change: Change) -> str:
        mode = self.rules.mode
        for rule in self.rules.modes:
            concerns = self._touches if rule.mode == "observe" else self._within
            if fnmatchcase(change.kind, rule.kind) and concerns(change, rule.unit):
                mode = rule.mode
        return mode

    def _paused(self, change: Change) -> Pause | None:
        """The pause that ends last of those that stop it."""
        stopping = (
            pause
            for pause in self.memory.pauses
            if pause.until > self.memory.now
            and fnmatchcase(change.kind, pause.kind)
            and self._touches(change, pause.unit)
        )
        return max(stopping, key=lambda pause: pause.until, default=None)

    def _within(self, change: Change, unit: str | None) -> bool:
        """Whether both sides of the change lie in or below the OU: only then may its mode let it through."""
        return unit in (None, "/") or all(_lies_in(place, unit) for place in self._places(change))

    def _touches(self, change: Change, unit: str | None) -> bool:
        """Whether either side of it, or a child that an edit would reach, lies in or below the OU."""
        if unit in (None, "/"):
            return True
        return any(_lies_in(place, unit) for place in (*self._places(change), *self._reach.get(change.ref, ())))

    def _places(self, change: Change) -> list[str | None]:
        kind = self.kinds[change.kind]
        return [kind.unit(side, self.live) for side in (change.before, change.after) if side is not None] or [None]

    @cached_property
    def _reach(self) -> Mapping[Ref, set[str | None]]:
        """Parent → the OUs that its live children lie in: a policy's attachments, a permission set's assignments."""
        found: dict[Ref, set[str | None]] = {}
        for name, observed in self.live.observed.items():
            for child in observed.resources.values():
                if child.parent is not None:
                    found.setdefault(child.parent, set()).add(self.kinds[name].unit(child, self.live))
        return found

    # Helpers

    def _has_ended(self, kind: str, key: str) -> bool:
        end = self.memory.ends.get(kind, {}).get(key)
        return end is not None and end <= self.memory.now

    def _open(self) -> list[Change]:
        return [c for c in self.changes.values() if c.blocked is None]

    def _names(self, change: Change, side: Resource | None) -> set[str]:
        return set() if side is None else set(self.kinds[change.kind].names(side, self.live))

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
        self.changes.put(replace(change, blocked=why, hold=hold))

    def _hold(self, group: list[Change], why: str) -> None:
        """Hold those of the group that nobody approved, under one id."""
        waiting = [c for c in group if self.fingerprints[c.id] not in self.memory.approved]
        if not waiting:
            return
        hold = digest([*sorted(self.fingerprints[c.id] for c in waiting)])
        for change in waiting:
            self._block(change, f"{why}. If meant: orgctl approve {hold}", hold)


def _concerned(change: Change) -> set[Ref]:
    sides = (side for side in (change.before, change.after) if side is not None)
    return {change.ref, *(ref for side in sides for ref in side.about())}


def _plural(kind: str) -> str:
    words = kind.replace("_", " ")
    return words[:-1] + "ies" if words.endswith("y") else words + "s"
