"""In what order: what must exist first exists first, what is needed goes last, new protection before old comes off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from controller.resources.base import Action, Change, Kind, Live, Ref
from controller.resources.changes import Changes


def order(kinds: Mapping[str, Kind[Any]], changes: Sequence[Change], live: Live) -> tuple[Change, ...]:
    """The changes with `requires` filled in, in one order that fulfils them; blocked where what they need is nowhere.

    Equal inputs give equal orders.
    """
    plan = Changes(changes)
    return _sorted(kinds, [_link(kinds, change, plan, live) for change in changes])


def _link(kinds: Mapping[str, Kind[Any]], change: Change, plan: Changes, live: Live) -> Change:
    requires: set[str] = set()
    missing: Ref | None = None
    if change.action is not Action.DELETE:
        for ref in () if change.after is None else change.after.needs():
            makers = [id for action in _MAKE if (id := f"{ref}:{action}") in plan]
            requires.update(makers)
            if not makers and ref.kind in kinds and live.get(ref) is None:
                missing = ref
    elif change.before is not None:
        requires.update(other.id for other in plan.where(_stops_needing, change.ref))
    requires.update(id for id in kinds[change.kind].after(change, plan, live) if id in plan)
    requires.discard(change.id)
    blocked = change.blocked
    if blocked is None and missing is not None:
        blocked = f"it needs {missing.kind.replace('_', ' ')} '{missing.key}', which does not exist and is not created"
    subject = change.after or change.before
    kind = kinds[change.kind]
    unit = None if subject is None else kind.unit(subject, live)
    rests_on = (*change.rests_on, *sorted(kind.rests_on(change, plan, live)))
    return change.placed(frozenset(requires), blocked, unit, rests_on)


_MAKE = [action for action in Action if action is not Action.DELETE]
"""What makes a resource what others need it to be."""


def _stops_needing(change: Change) -> frozenset[Ref]:
    """What is not needed any more after the change."""
    had = frozenset() if change.before is None else frozenset(change.before.needs())
    return had if change.after is None or not had else had.difference(change.after.needs())


def _sorted(kinds: Mapping[str, Kind[Any]], changes: Sequence[Change]) -> tuple[Change, ...]:
    rank = {name: place for place, name in enumerate(kinds)}
    by_id = {change.id: change for change in changes}
    places = {id: (rank[change.kind], change.key, change.action) for id, change in by_id.items()}
    while True:
        sorter: TopologicalSorter[str] = TopologicalSorter({id: change.requires for id, change in by_id.items()})
        try:
            sorter.prepare()
        except CycleError as error:
            circle = set(error.args[1])
            why = "it and others of this plan each wait for the other: " + ", ".join(sorted(circle))
            for id in circle:
                by_id[id] = replace(by_id[id], requires=by_id[id].requires - circle, blocked=by_id[id].blocked or why)
            continue
        break
    ordered: list[Change] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=places.__getitem__)
        ordered += [by_id[id] for id in ready]
        sorter.done(*ready)
    return tuple(ordered)
