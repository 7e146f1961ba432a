"""What differs between desired and live, kind by kind: changes, and what is left alone and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.planning.plan import Bystander
from controller.resources.base import (
    Action,
    Change,
    Desired,
    ForeignTags,
    Gone,
    Kind,
    Live,
    Note,
    Observed,
    Ref,
    Resource,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """All kinds' changes, unordered and unguarded.

    `losses`: change id → why this adoption would remove or rewrite what it found (held until a person agrees).
    """

    changes: tuple[Change, ...] = ()
    in_sync: Mapping[str, int] = field(default_factory=dict)
    bystanders: tuple[Bystander, ...] = ()
    notes: tuple[Note, ...] = ()
    losses: Mapping[str, str] = field(default_factory=dict)


def diff(
    kinds: Mapping[str, Kind[Any]],
    desired: Mapping[str, Desired[Any]],
    live: Live,
    instance: str,
    foreign: ForeignTags,
) -> Difference:
    """Compare every kind that was observed whole, and whose required kinds were. Pure.

    Args:
        desired: By kind; a kind that is not in it is not planned.
        instance: Whose tag makes a resource ours.
    """
    unlisted = _unlisted(kinds, desired, live)
    changes: list[Change] = []
    bystanders: list[Bystander] = []
    in_sync: dict[str, int] = {}
    losses: dict[str, str] = {}
    notes: list[Note] = []
    for name, kind in kinds.items():
        if name not in desired:
            continue
        comparison = _Comparison(kind, desired[name], live.observed[name], instance, foreign, unlisted)
        notes += [*live.observed[name].notes, *desired[name].notes]
        in_sync[name] = 0
        for key in comparison.all_keys():
            found = list(comparison.compare(key))
            changes += [item for item in found if isinstance(item, Change)]
            bystanders += [item for item in found if isinstance(item, Bystander)]
            in_sync[name] += not found and comparison.wanted(key)
        losses.update(comparison.losses)
    return Difference(tuple(changes), in_sync, tuple(bystanders), tuple(dict.fromkeys(notes)), losses)


def plannable(kinds: Mapping[str, Kind[Any]], live: Live) -> list[str]:
    """Kinds observed whole whose required kinds, through all levels, are plannable too; in the order of `kinds`."""
    able: dict[str, bool] = {}

    def judge(name: str) -> bool:
        if name not in able:
            able[name] = live.whole(name) and all(judge(r) for r in kinds[name].requires if r in kinds)
        return able[name]

    return [name for name in kinds if judge(name)]


def _unlisted(kinds: Mapping[str, Kind[Any]], desired: Mapping[str, Desired[Any]], live: Live) -> dict[Ref, list[str]]:
    """parent → names of its live children that its list in git does not name: what adopting the parent would remove."""
    found: dict[Ref, list[str]] = {}
    for name, want in desired.items():
        for key, have in live.observed[name].resources.items():
            if have.parent in want.lists and key not in want.resources and not kinds[name].is_void(have):
                found.setdefault(have.parent, []).append(have.name)
    return found


@dataclass(slots=True)
class _Comparison:
    """One kind's desired and live, key by key."""

    kind: Kind[Any]
    desired: Desired[Any]
    observed: Observed[Any]
    instance: str
    foreign: ForeignTags
    unlisted: Mapping[Ref, list[str]]
    losses: dict[str, str] = field(default_factory=dict)

    def all_keys(self) -> list[str]:
        unseen = {i.key for i in self.observed.incomplete}
        every = {*self.desired.resources, *self.desired.blocked, *self.desired.gone, *self.observed.resources}
        return sorted(key for key in every if key not in unseen)

    def wanted(self, key: str) -> bool:
        return key in self.desired.resources

    def compare(self, key: str) -> Iterator[Change | Bystander]:
        want = self.desired.resources.get(key)
        have = self.observed.resources.get(key)
        if (why := self.desired.blocked.get(key)) is not None:
            yield self._blocked(key, want, have, why)
        elif want is not None:
            yield from self._wanted(want, have)
        elif key in self.desired.gone:
            yield from self._gone(key, have)
        elif have is not None:
            yield from self._unnamed(have)

    def _wanted(self, want: Resource, have: Resource | None) -> Iterator[Change]:
        if have is None:
            after = replace(want, owner=self.instance) if self.kind.ownable else want
            yield from self._changes(None, after)
        elif self.kind.ownable and have.owner not in (None, self.instance):
            why = f"it belongs to instance '{have.owner}' of orgctl; only that one may change it, or release it"
            yield self._blocked(have.key, want, have, why)
        else:
            owner = self.instance if self.kind.ownable else have.owner
            after = replace(want.over(have, self.foreign), owner=owner)
            for change in self._changes(have, after):
                if change.action is Action.ADOPT:
                    change = self._weigh(change)
                yield change

    def _weigh(self, adoption: Change) -> Change:
        """Note down what an adoption would take away or rewrite."""
        assert adoption.before is not None and adoption.after is not None
        extra = sorted(self.unlisted.get(adoption.ref, ()))
        reasons = [f"rewrite its {', '.join(lost)}"] if (lost := rewritten(adoption.before, adoption.after)) else []
        if extra:
            shown = ", ".join(extra[:3]) + (f" and {len(extra) - 3} more" if len(extra) > 3 else "")
            reasons.append(f"later remove what git does not name ({shown})")
        if reasons:
            self.losses[adoption.id] = f"adopting it would {' and '.join(reasons)}"
        return replace(adoption, rests_on=tuple(extra))

    def _gone(self, key: str, have: Resource | None) -> Iterator[Change]:
        what, source = self.desired.gone[key]
        if have is None:
            return
        ours = not self.kind.ownable or have.owner == self.instance
        if what is Gone.RELEASED:
            if self.kind.ownable and ours:
                after = replace(have, owner=None, source=source)
                yield Change(self.kind.name, key, have.name, Action.UPDATE, have, after, source, reason="released")
        elif ours:
            yield from self._changes(have, None, source=source)
        else:
            whose = f"belongs to instance '{have.owner}'" if have.owner else "is not managed by orgctl"
            why = f"git says deleted, but it {whose}; nothing is deleted that is not ours"
            yield replace(self._blocked(key, None, have, why), action=Action.DELETE, source=source)

    def _unnamed(self, have: Resource) -> Iterator[Change | Bystander]:
        ours = have.owner == self.instance
        if have.parent is not None and ours and have.parent in self.desired.lists:
            yield from self._changes(have, None, exempt=have.key in self.desired.expired)
        elif self.kind.ownable and ours and self.kind.outlives_its_line:
            yield Bystander(self.kind.name, have.name, orphaned=True)
        elif not self.kind.ignored(have):
            yield Bystander(self.kind.name, have.name)

    def _changes(
        self, before: Resource | None, after: Resource | None, *, source: str | None = None, exempt: bool = False
    ) -> Iterator[Change]:
        known = after or before
        assert known is not None
        for action, had, has in self.kind.changes(before, after):
            yield Change(self.kind.name, known.key, known.name, action, had, has, source or known.source, exempt=exempt)

    def _blocked(self, key: str, want: Resource | None, have: Resource | None, why: str) -> Change:
        known = want or have
        action = Action.CREATE if have is None else Action.UPDATE
        name = known.name if known else key
        return Change(self.kind.name, key, name, action, have, want, known.source if known else None, blocked=why)


def rewritten(before: Resource, after: Resource) -> list[str]:
    """Names of the attributes in which `after` lacks or replaces something that `before` has.

    Adding to a set or mapping, or filling in what was empty, rewrites nothing.
    """
    lost = []
    for name in after.__dataclass_fields__:
        field_ = after.__dataclass_fields__[name]
        old, new = getattr(before, name), getattr(after, name)
        if not field_.compare or name == "key" or not old or old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            kept = all(k in new and new[k] == v for k, v in old.items())
        elif isinstance(old, set | frozenset) and isinstance(new, set | frozenset):
            kept = old <= new
        else:
            kept = False
        if not kept:
            lost.append(name)
    return lost
