"""Safety rule 6 for policies: new protection is on before old comes off, and no account passes through a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from controller.desired.paths import ROOT, ancestors
from controller.resources.base import Action, Change, Live, Resource
from controller.resources.changes import Changes
from controller.resources.organizational_unit import within
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


def attaches_over(unit: str, account: str, plan: Changes, live: Live) -> Iterator[str]:
    """Ids of the attachments to be made at `unit`, above it, or at the account itself: what awaits an account there."""
    yield from plan.table(_attached, live).over(unit, account)


def comes_first(change: Change, plan: Changes, live: Live) -> Iterator[str]:
    """Ids of the changes that come before this attachment goes on or comes off.

    A policy comes off when all new ones of its kind are on, at its target, above and below; when it is itself where
    else it goes on; when the policies there that may take over its rules are edited; and when the accounts in its
    reach that move have moved. Only where old and new do not fit on a target together (AWS's limit), the old goes
    first, and then it waits for nothing that might itself wait for such a target.
    """
    place = _place(change)
    crowded = _crowded(plan, place, live)
    if change.action is Action.CREATE and crowded:
        yield from (other.id for other in plan.where(_comes_off, place))
    if change.action is not Action.DELETE:
        return
    for id in plan.table(_attached, live).related(place):
        if not (crowded and _crowded(plan, _place(plan[id]), live)):
            yield id
    if not crowded:
        yield from _moves_under(place[1], plan)
        yield from (other.id for other in plan.where(_policy_goes_on, _policy(change)))
        yield from plan.table(_edited, live).related(place)


def loosens(change: Change) -> bool:
    """Whether it edits a policy so that the policy loses rules."""
    before, after = getattr(change.before, "content", None), getattr(change.after, "content", None)
    if not isinstance(before, PolicyDocument) or not isinstance(after, PolicyDocument):
        return False
    return loses_rules(before.to_json(), after.to_json())


def loosened_after(change: Change, plan: Changes, live: Live) -> Iterator[str]:
    """Ids of the changes that come before this policy loses rules.

    Those are the attachments of new policies, where this one is, that may take them over, but where old and new do not
    fit there together: they wait for what comes off. And the moves by which accounts leave its reach.
    """
    mine = plan.table(_targets, live).get((change.kind, change.key), [])
    for target in mine:
        place = (change.kind, target)
        for other in plan.where(_goes_on, place) if not _crowded(plan, place, live) else ():
            policy = getattr(other.after, "policy", "")
            if not any(f"{change.kind}/{policy}:{action}" in plan for action in (Action.UPDATE, Action.ADOPT)):
                yield other.id
        for move in plan.where(_leaves, target):
            if not any(within(getattr(move.after, "unit", None), stays) for stays in mine):
                yield move.id


def tightened_over(unit: str, account: str, plan: Changes, live: Live) -> Iterator[str]:
    """Ids of the edits of policies that await an account at `unit`; but for those that wait for moves themselves."""
    loose = plan.table(_loosening, live)
    return (id for id in plan.table(_edited, live).over(unit, account) if id not in loose)


def awaiting(old: str, new: str, plan: Changes, live: Live) -> Iterator[str]:
    """SCPs and RCPs that an account comes under by a move, once the plan is done: there all are looked at, always."""
    on = plan.table(_in_force, live)
    for level in set(ancestors(new)) - set(ancestors(old)):
        yield from on.get(level, ())


def beside(change: Change, plan: Changes, live: Live) -> Iterator[str]:
    """What else is on the target of this attachment once the plan is done."""
    yield from plan.table(_in_force, live).get(_place(change)[1], ())


def unseen(live: Live) -> bool:
    """Whether where policies are attached was looked at in vain."""
    return ATTACHMENT in live.observed and not live.whole(ATTACHMENT)


def balance(plan: Changes, place: Place) -> int:
    """How many more policies are on a place after the plan than before."""
    return len([*plan.where(_goes_on, place)]) - len([*plan.where(_comes_off, place)])


def _crowded(plan: Changes, place: Place, live: Live) -> bool:
    """Whether what is on the place and what goes on do not fit there together."""
    counts: Mapping[Place, int] = getattr(live.observed.get(ATTACHMENT), "counts", {})
    on = len([*plan.where(_goes_on, place)])
    return on > 0 and counts.get(place, 0) + on > MOST[place[0]]


def _moves_under(target: str, plan: Changes) -> Iterator[str]:
    """Ids of the moves of accounts that a policy on `target` reaches now.

    Those too that stay in its reach: it may be going down the tree, to where they move.
    """
    yield f"account/{target}:{Action.MOVE}"
    yield from (move.id for move in plan.where(_leaves, target))


def _place(change: Change) -> Place:
    side: Resource | None = change.after or change.before
    return getattr(side, "policy_kind", ""), getattr(side, "target", "")


def _policy(change: Change) -> str:
    return change.key.rpartition("@")[0]


# What changes are looked for by


def _goes_on(change: Change) -> Iterator[Place]:
    if change.kind == ATTACHMENT and change.action is Action.CREATE:
        yield _place(change)


def _comes_off(change: Change) -> Iterator[Place]:
    if change.kind == ATTACHMENT and change.action is Action.DELETE:
        yield _place(change)


def _policy_goes_on(change: Change) -> Iterator[str]:
    """The policy: attachments that are held count too, such as to an OU to come."""
    if change.kind == ATTACHMENT and change.action is Action.CREATE:
        yield _policy(change)


def _leaves(change: Change) -> Iterable[str]:
    """The OU that an account leaves, and all above it."""
    unit = getattr(change.before, "unit", None)
    return ancestors(unit) if change.kind == "account" and change.action is Action.MOVE and unit else ()


class _Tree:
    """Ids of changes by the places that they take effect at, found from there, from above and from below."""

    def __init__(self, found: Iterable[tuple[Place, str]], live: Live) -> None:
        seen = live.observed.get("account")
        accounts = {} if seen is None else seen.resources
        self._units = {key: getattr(account, "unit", None) for key, account in accounts.items()}
        self._at: dict[Place, list[str]] = {}
        self._within: dict[Place, list[str]] = {}
        for (kind, target), id in found:
            self._at.setdefault((kind, target), []).append(id)
            for above in self._way(target):
                self._within.setdefault((kind, above), []).append(id)

    def related(self, place: Place) -> Iterator[str]:
        """Those at the place, above it and below it."""
        kind, target = place
        yield from self._within.get(place, ())
        for above in self._way(target)[1:]:
            yield from self._at.get((kind, above), ())

    def over(self, unit: str, account: str) -> Iterator[str]:
        """Those of all kinds that take effect on an account in an OU."""
        for target in (account, *ancestors(unit)):
            for kind in MOST:
                yield from self._at.get((kind, target), ())

    def _way(self, target: str) -> list[str]:
        """The target and all above it."""
        if target.startswith(ROOT):
            return ancestors(target)
        unit = self._units.get(target)
        return [target] if unit is None else [target, *ancestors(unit)]


def _attached(plan: Changes, live: Live) -> _Tree:
    """The attachments to be made."""
    return _Tree(((_place(change), change.id) for change in plan.of(ATTACHMENT, Action.CREATE)), live)


def _targets(_: Changes, live: Live) -> dict[tuple[str, str], list[str]]:
    """(kind, policy) → what it is on."""
    seen = live.observed.get(ATTACHMENT)
    found: dict[tuple[str, str], list[str]] = {}
    for one in () if seen is None else seen.resources.values():
        policy = (getattr(one, "policy_kind", ""), getattr(one, "policy", ""))
        found.setdefault(policy, []).append(getattr(one, "target", ""))
    return found


def _in_force(plan: Changes, live: Live) -> dict[str, list[str]]:
    """Target → keys of the attachments of SCPs and RCPs there, once the plan is done."""
    seen = live.observed.get(ATTACHMENT)
    keys = {key: getattr(one, "target", "") for key, one in ({} if seen is None else seen.resources).items()}
    keys |= {change.key: _place(change)[1] for change in plan.of(ATTACHMENT, Action.CREATE)}
    gone = {change.key for change in plan.of(ATTACHMENT, Action.DELETE)}
    found: dict[str, list[str]] = {}
    for key, target in keys.items():
        if key not in gone and key.startswith(("service_control_policy/", "resource_control_policy/")):
            found.setdefault(target, []).append(key)
    return found


def _edits(plan: Changes) -> Iterator[Change]:
    return (change for change in plan.values() if change.kind in MOST and change.before and change.after)


def _edited(plan: Changes, live: Live) -> _Tree:
    """The edits of policies, where the policies are: there they may take over rules."""
    targets = plan.table(_targets, live)
    edits = ((edit.kind, edit.id, target) for edit in _edits(plan) for target in targets.get((edit.kind, edit.key), ()))
    return _Tree((((kind, target), id) for kind, id, target in edits), live)


def _loosening(plan: Changes, _: Live) -> frozenset[str]:
    return frozenset(edit.id for edit in _edits(plan) if loosens(edit))
