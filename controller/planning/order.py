"""In what order: what must exist first exists first, what is needed goes last, new protection before old comes off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from controller.resources.base import Action, Change, Kind, Live, Ref, Resource


def order(kinds: Mapping[str, Kind[Any]], changes: Sequence[Change], live: Live) -> tuple[Change, ...]:
    """The changes with `requires` filled in, in one order that fulfils them; blocked where what they need is nowhere.

    Equal inputs give equal orders.
    """
    plan = {change.id: change for change in changes}
    linked = [_link(kinds, change, plan, live) for change in changes]
    return _sorted(kinds, linked)


def _link(kinds: Mapping[str, Kind[Any]], change: Change, plan: Mapping[str, Change], live: Live) -> Change:
    requires: set[str] = set()
    missing: Ref | None = None
    if change.action is not Action.DELETE:
        for ref in _needs(change.after):
            makers = _makers(ref, plan)
            requires |= makers
            if not makers and ref.kind in kinds and live.get(ref) is None:
                missing = ref
    if change.before is not None:
        requires |= _leavers(change, plan)
    requires |= set(kinds[change.kind].after(change, plan, live))
    requires.discard(change.id)
    blocked = change.blocked
    if blocked is None and missing is not None:
        blocked = f"it needs {missing.kind.replace('_', ' ')} '{missing.key}', which does not exist and is not created"
    unit = kinds[change.kind].unit(change.after or change.before, live) if change.after or change.before else None
    return replace(change, requires=frozenset(r for r in requires if r in plan), blocked=blocked, unit=unit)


def _needs(resource: Resource | None) -> frozenset[Ref]:
    return frozenset() if resource is None else frozenset(resource.needs())


def _makers(ref: Ref, plan: Mapping[str, Change]) -> set[str]:
    """Changes of the plan that make `ref` what others need it to be."""
    ids = (f"{ref}:{action}" for action in Action if action is not Action.DELETE)
    return {id for id in ids if id in plan}


def _leavers(change: Change, plan: Mapping[str, Change]) -> set[str]:
    """For a delete: the changes after which nothing needs it any more."""
    if change.action is not Action.DELETE:
        return set()
    return {
        other.id
        for other in plan.values()
        if change.ref in _needs(other.before) and (other.after is None or change.ref not in _needs(other.after))
    }


def _sorted(kinds: Mapping[str, Kind[Any]], changes: Sequence[Change]) -> tuple[Change, ...]:
    rank = {name: place for place, name in enumerate(kinds)}
    by_id = {change.id: change for change in changes}
    while True:
        sorter: TopologicalSorter[str] = TopologicalSorter({c.id: c.requires for c in by_id.values()})
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
        ready = sorted(sorter.get_ready(), key=lambda id: (rank[by_id[id].kind], by_id[id].key, by_id[id].action))
        ordered += [by_id[id] for id in ready]
        sorter.done(*ready)
    return tuple(ordered)
