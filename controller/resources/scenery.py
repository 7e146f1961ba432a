"""Gathers what is around a plan's changes from one look at AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controller.planning.scene import Scene, Spot
from controller.policy.organization import ALLOW_ALL
from controller.resources.account import Account
from controller.resources.account_assignment import AccountAssignment
from controller.resources.base import Change, Desired, Json, Live, Ref, plain
from controller.resources.permission_set import PermissionSet
from controller.resources.pictures import EVERYTHING
from controller.resources.policies import Policy, ResourceControlPolicy, ServiceControlPolicy
from controller.resources.policy_attachment import PolicyAttachment, Seen


def scene(changes: Iterable[Change], desired: Mapping[str, Desired[Any]], live: Live) -> Scene:
    """Nothing where nothing is to change: a quiet cycle should cost nothing."""
    changed = {change.ref for change in changes}
    if not changed:
        return Scene()
    wanted = desired.get(AccountAssignment.kind)
    return Scene(
        accounts={key: Spot(one.name, one.unit) for key, one in live.of(Account).items()},
        attached=_attached(live),
        contents=_contents(live),
        holders=_holders(changed, live),
        ends={} if wanted is None else wanted.ends,
    )


def _attached(live: Live) -> dict[str, frozenset[Ref]]:
    found: dict[str, set[Ref]] = {}
    for one in live.of(PolicyAttachment).values():
        found.setdefault(one.target, set()).add(one.parent)
    return {target: frozenset(refs) for target, refs in found.items()}


def _contents(live: Live) -> dict[Ref, Json]:
    seen = live.observed.get(PolicyAttachment.kind)
    documents = dict(seen.contents) if isinstance(seen, Seen) else {}
    found: dict[Ref, Json] = {}
    kinds: tuple[type[Policy], ...] = (ServiceControlPolicy, ResourceControlPolicy)
    for policy in (policy for kind in kinds for policy in live.of(kind).values()):
        if policy.aws_managed and policy.key in EVERYTHING:
            found[policy.ref] = plain(ALLOW_ALL)
        elif (content := policy.content or documents.get(policy.ref)) is not None:
            found[policy.ref] = content.to_json()
    return found


def _holders(changed: set[Ref], live: Live) -> dict[str, frozenset[tuple[str, str]]]:
    """Of the permission sets that change."""
    found: dict[str, set[tuple[str, str]]] = {ref.key: set() for ref in changed if ref.kind == PermissionSet.kind}
    for one in live.of(AccountAssignment).values():
        if one.permission_set in found and not one.is_orphaned:
            found[one.permission_set].add((str(one.principal), one.account))
    return {name: frozenset(who) for name, who in found.items()}
