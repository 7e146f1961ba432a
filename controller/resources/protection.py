"""Safety rule 6 for policies: new protection is on before old comes off, and no account passes through a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from controller.resources.base import Action, Change, Live, Resource
from controller.resources.organizational_unit import ROOT, within
from controller.resources.policy_document import PolicyDocument, loses_rules

Place: TypeAlias = tuple[str, str]
"""Policy kind, and the target: an OU's path or an account's key."""

MOST = {
    "service_control_policy": 10,
    "resource_control_policy": 5,
    "tag_policy": 10,
    "backup_policy": 10,
    "ai_services_opt_out_policy": 5,
    "declarative_policy": 10,
}
"""Policies of a kind directly on one root, OU or account (Organizations User Guide, quotas)."""

ATTACHMENT = "policy_attachment"


def attaches_over(unit: str, account: str, plan: Mapping[str, Change]) -> Iterator[str]:
    """Ids of the attachments to be made at `unit`, above it, or at the account itself: what awaits an account there."""
    for change in _attachments(plan, Action.CREATE):
        target = _place(change)[1]
        if target == account or (target.startswith(ROOT) and within(unit, target)):
            yield change.id


def comes_first(
    change: Change,
    plan: Mapping[str, Change],
    counts: Mapping[Place, int],
    units: Mapping[str, str | None],
    edited: Mapping[str, Iterable[Place]],
) -> Iterator[str]:
    """Ids of the changes that come before this attachment goes on or comes off.

    A policy comes off when all new ones of its kind are on, at its target, above and below; when it is itself where
    else it goes on; when the policies there that may take over its rules are edited; and when the accounts in its
    reach that move have moved. Only where old and new do not fit on a target together (AWS's limit), the old goes
    first, and then it waits for nothing that might itself wait for such a target.

    Args:
        counts: How many policies are on a place now.
        units: account → path of its OU.
        edited: See `edits`.
    """
    place = _place(change)
    crowded = _crowded(plan, place, counts)
    if change.action is Action.CREATE and crowded:
        yield from (other.id for other in _attachments(plan, Action.DELETE) if _place(other) == place)
    if change.action is not Action.DELETE:
        return
    for other in _attachments(plan, Action.CREATE):
        kind, target = _place(other)
        if (
            kind == place[0]
            and _related(target, place[1], units)
            and not (crowded and _crowded(plan, (kind, target), counts))
        ):
            yield other.id
    if not crowded:
        yield from _moves_under(place[1], plan)
        yield from _elsewhere(change, plan)
        for id, places in edited.items():
            if any(kind == place[0] and _related(target, place[1], units) for kind, target in places):
                yield id


def edits(plan: Mapping[str, Change], live: Live) -> dict[str, list[Place]]:
    """Id of each edit of a policy → what that policy is on: there it may take over rules."""
    edited = {(c.kind, c.key): id for id, c in plan.items() if c.kind in MOST and c.before and c.after}
    found: dict[str, list[Place]] = {}
    for one in _observed(live) if edited else ():
        kind, policy = getattr(one, "policy_kind", ""), getattr(one, "policy", "")
        if (id := edited.get((kind, policy))) is not None:
            found.setdefault(id, []).append((kind, getattr(one, "target", "")))
    return found


def loosens(change: Change) -> bool:
    """Whether it edits a policy so that the policy loses rules."""
    before, after = getattr(change.before, "content", None), getattr(change.after, "content", None)
    if not isinstance(before, PolicyDocument) or not isinstance(after, PolicyDocument):
        return False
    return loses_rules(before.to_json(), after.to_json())


def loosened_after(change: Change, plan: Mapping[str, Change], live: Live) -> Iterator[str]:
    """Ids of the changes that come before this policy loses rules.

    Those are the attachments of new policies, where this one is, that may take them over, but where old and new do not
    fit there together: they wait for what comes off. And the moves by which accounts leave its reach.
    """
    counts = getattr(live.observed.get(ATTACHMENT), "counts", {})
    mine = {
        getattr(one, "target", "")
        for one in _observed(live)
        if getattr(one, "policy_kind", "") == change.kind and getattr(one, "policy", "") == change.key
    }
    for other in _attachments(plan, Action.CREATE):
        place, policy = _place(other), getattr(other.after, "policy", "")
        edited = any(f"{place[0]}/{policy}:{action}" in plan for action in (Action.UPDATE, Action.ADOPT))
        if place[0] == change.kind and place[1] in mine and not edited and not _crowded(plan, place, counts):
            yield other.id
    for id, other in plan.items():
        if other.kind == "account" and other.action is Action.MOVE:
            stays = any(within(getattr(other.after, "unit", None), target) for target in mine)
            if not stays and any(within(getattr(other.before, "unit", None), target) for target in mine):
                yield id


def tightened_over(unit: str, account: str, plan: Mapping[str, Change], live: Live) -> Iterator[str]:
    """Ids of the edits of policies that await an account at `unit`; but for those that wait for moves themselves."""
    for id, places in edits(plan, live).items():
        over = (t == account or (t.startswith(ROOT) and within(unit, t)) for _, t in places)
        if any(over) and not loosens(plan[id]):
            yield id


def unseen(live: Live) -> bool:
    """Whether where policies are attached was looked at in vain."""
    return ATTACHMENT in live.observed and not live.whole(ATTACHMENT)


def _elsewhere(change: Change, plan: Mapping[str, Change]) -> Iterator[str]:
    """Ids of the attachments by which the same policy goes on elsewhere: those held too, such as to an OU to come."""
    policy = change.key.rpartition("@")[0]
    return (other.id for other in _attachments(plan, Action.CREATE) if other.key.rpartition("@")[0] == policy)


def _observed(live: Live) -> Iterable[Resource]:
    seen = live.observed.get(ATTACHMENT)
    return () if seen is None else seen.resources.values()


def balance(plan: Mapping[str, Change], place: Place) -> int:
    """How many more policies are on a place after the plan than before."""
    on = sum(_place(change) == place for change in _attachments(plan, Action.CREATE))
    off = sum(_place(change) == place for change in _attachments(plan, Action.DELETE))
    return on - off


def _crowded(plan: Mapping[str, Change], place: Place, counts: Mapping[Place, int]) -> bool:
    """Whether what is on the place and what goes on do not fit there together."""
    on = sum(_place(change) == place for change in _attachments(plan, Action.CREATE))
    return on > 0 and counts.get(place, 0) + on > MOST[place[0]]


def _related(one: str, other: str, units: Mapping[str, str | None]) -> bool:
    """Whether two targets are the same, or one lies above the other."""
    if one == other:
        return True
    return any(
        above.startswith(ROOT) and within(below if below.startswith(ROOT) else units.get(below), above)
        for above, below in ((one, other), (other, one))
    )


def _moves_under(target: str, plan: Mapping[str, Change]) -> Iterator[str]:
    """Ids of the moves of accounts that a policy on `target` reaches now.

    Those too that stay in its reach: it may be going down the tree, to where they move.
    """
    for change in plan.values():
        moves = change.kind == "account" and change.action is Action.MOVE
        if moves and (change.key == target or within(getattr(change.before, "unit", None), target)):
            yield change.id


def _attachments(plan: Mapping[str, Change], action: Action) -> Iterator[Change]:
    return (change for change in plan.values() if change.kind == ATTACHMENT and change.action is action)


def _place(change: Change) -> Place:
    side: Resource | None = change.after or change.before
    return getattr(side, "policy_kind", ""), getattr(side, "target", "")
