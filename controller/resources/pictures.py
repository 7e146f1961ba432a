"""Pictures of an organization for the lockout prover and `explain`: as it is, and as a plan would make it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from controller.desired import paths
from controller.desired.documents.policies import Policy as Document
from controller.desired.estate import Estate
from controller.desired.templates import fill
from controller.policy.evaluate import statements
from controller.policy.match import ANY
from controller.policy.organization import ALLOW_ALL, RCP, SCP, Attached
from controller.policy.picture import NOT_READ, Picture, Place
from controller.resources.account import Account
from controller.resources.base import Action, Change, Desired, Live
from controller.resources.organizational_unit import OrganizationalUnit
from controller.resources.policies import Policy, ResourceControlPolicy, ServiceControlPolicy
from controller.resources.policy_attachment import PolicyAttachment, Seen
from controller.resources.policy_document import PolicyDocument
from controller.resources.policy_type import PolicyType

EVERYTHING = ("FullAWSAccess", "RCPFullAWSAccess")


class Painter:
    """Makes pictures of one look at AWS, with file:line of what git says."""

    def __init__(self, estate: Estate, live: Live, desired: Mapping[str, Desired[Any]]) -> None:
        self._live = live
        self._places = {(d.model.name, _KIND_OF.get(d.model.kind)): _place(d) for d in estate.of(Document)}
        wanted = [
            (p.kind, p.key, p) for kind in (SCP, RCP) if kind in desired for p in desired[kind].resources.values()
        ]
        self._wanted: dict[tuple[str, str], Attached] = {
            (kind, key): self._attached(policy, policy.content) for kind, key, policy in wanted if policy.content
        }

    def before(self) -> Picture:
        """What is, as far as it was looked at."""
        seen = self._live.observed.get(PolicyAttachment.kind)
        attached: dict[Place, frozenset[str]] = {}
        for one in self._live.of(PolicyAttachment).values():
            if one.policy_kind in (SCP, RCP):
                place = (one.policy_kind, one.target)
                attached[place] = attached.get(place, frozenset()) | {one.policy}
        contents = seen.contents if isinstance(seen, Seen) else {}
        policies = {
            (policy.kind, policy.key): self._attached(policy, policy.content or contents.get(policy.ref))
            for resource in (ServiceControlPolicy, ResourceControlPolicy)
            for policy in self._live.of(resource).values()
        }
        accounts = [a for a in self._live.of(Account).values() if a.active and not a.management and a.unit]
        units = self._live.of(OrganizationalUnit).values()
        return Picture(
            ways={account.key: _way(str(account.unit), account.key) for account in accounts},
            names={account.key: account.name for account in accounts},
            attached=attached,
            policies=policies,
            listed=seen.listed if isinstance(seen, Seen) else frozenset(),
            off=frozenset(kind for kind, name in TYPES.items() if name not in self._live.of(PolicyType)),
            paths={unit.key: f"{unit.aws_path}/" for unit in units if unit.aws_path},
        )

    def after(self, before: Picture, changes: Iterable[Change]) -> Picture:
        """What changes would make of it."""
        attached, policies = dict(before.attached), dict(before.policies)
        ways, listed = dict(before.ways), set(before.listed)
        changes = list(changes)
        for change in changes:
            if isinstance(change.after, OrganizationalUnit) and change.action is Action.CREATE:
                # A new OU has FullAWSAccess, and nothing else (Organizations User Guide, "SCP evaluation").
                attached[SCP, change.key] = frozenset(EVERYTHING[:1])
                listed |= {(SCP, change.key), (RCP, change.key)}
        for change in changes:
            one = change.after or change.before
            if isinstance(one, PolicyAttachment):
                place = (one.policy_kind, one.target)
                had = attached.get(place, frozenset())
                attached[place] = had | {one.policy} if change.after is not None else had - {one.policy}
            elif isinstance(change.after, Policy) and change.after.content is not None:
                policies[change.kind, change.key] = self._attached(change.after, change.after.content)
            elif isinstance(change.after, Account) and change.key in ways and change.after.unit:
                ways[change.key] = _way(change.after.unit, change.key)
        return replace(before, ways=ways, attached=attached, policies=policies, listed=frozenset(listed))

    def _attached(self, policy: Policy, content: PolicyDocument | None) -> Attached:
        if policy.aws_managed:
            found = statements(ALLOW_ALL) if policy.key in EVERYTHING else None
            return Attached(policy.kind, policy.key, found, why="it is AWS's own")
        if content is None:
            return Attached(policy.kind, policy.key, None, policy.source, NOT_READ)
        place = self._places.get((policy.key, policy.kind), lambda _: None)
        wanted = getattr(self, "_wanted", {}).get((policy.kind, policy.key))
        try:
            found = statements(_unknown_ids_marked(content).to_json(), place)
        except ValueError as error:
            return Attached(policy.kind, policy.key, None, policy.source, str(error))
        if wanted is not None:  # a live statement stands where git says the same
            lines = {s: s.source for s in wanted.statements or ()}
            found = tuple(replace(s, source=lines.get(s)) for s in found)
        return Attached(policy.kind, policy.key, found, policy.source)


TYPES = {SCP: "service_control", RCP: "resource_control"}
"""Kind of policy → its type's name."""
_KIND_OF = {"ServiceControlPolicy": SCP, "ResourceControlPolicy": RCP}


def _place(document: Any) -> Callable[[int], str | None]:
    """Number of a statement → where it stands in git."""
    content = document.model.content
    single = isinstance(content, dict) and isinstance(content.get("Statement"), dict)
    path = ("content", "Statement")
    return lambda number: str(document.marks.at(*path) if single else document.marks.at(*path, number))


def _unknown_ids_marked(content: PolicyDocument) -> PolicyDocument:
    """Ids of what the same plan creates are not known to policies either."""
    return content.filled(lambda text: fill(text, lambda *_: ANY), iam=True)


def _way(unit: str, account: str) -> tuple[str, ...]:
    return (*reversed(paths.ancestors(unit)), account)
