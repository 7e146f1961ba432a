"""What else is looked at where something changes, so that it can be said what the change does to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controller.aws.api import Reader
from controller.desired import paths
from controller.desired.estate import Estate
from controller.policy.organization import RCP, SCP
from controller.resources.account import Account, Accounts
from controller.resources.base import Live, Ref, Resource
from controller.resources.policies import Policy, ResourceControlPolicies, ServiceControlPolicies
from controller.resources.policy_document import PolicyDocument
from controller.resources.protection import Place

MOST_READ = 40
"""Policies read in one cycle beyond those that git names: DescribePolicy is allowed twice a second (Organizations User
Guide, throttling limits). What an account loses by policies beyond that cannot be told."""
_KINDS = (ServiceControlPolicies(), ResourceControlPolicies())


def decisive(estate: Estate, live: Live, attachments: Iterable[Resource]) -> set[Place]:
    """Where it matters what else is attached, beyond where something goes on or comes off: the levels that a moving
    account comes under, and the targets of a policy whose allows are edited."""
    return {*_new_levels(estate, live), *_edited_allows(estate, live, attachments)}


def contents(aws: Reader, live: Live, attachments: Iterable[Resource], places: set[Place]) -> dict[Ref, PolicyDocument]:
    """The content of SCPs and RCPs on these places that is not known yet, `MOST_READ` of them at most."""
    refs = {one.parent for one in attachments if one.parent and _place(one) in places and _place(one)[0] in (SCP, RCP)}
    found = [live.get(ref) for ref in sorted(refs, key=str)]
    unread = [p for p in found if isinstance(p, Policy) and p.content is None and not p.aws_managed][:MOST_READ]

    def read(policy: Policy) -> PolicyDocument:
        answer = aws.get("organizations:DescribePolicy", PolicyId=policy.id)
        return PolicyDocument.parse(answer["Policy"]["Content"], iam=True)

    return dict(zip([policy.ref for policy in unread], aws.map(read, unread), strict=True))


def _new_levels(estate: Estate, live: Live) -> Iterator[Place]:
    have = live.of(Account)
    for key, want in Accounts().desire(estate, live).resources.items():
        unit = have[key].unit if key in have else None
        if unit and want.unit and want.unit != unit:
            for level in set(paths.ancestors(want.unit)) - set(paths.ancestors(unit)):
                yield from ((kind.name, level) for kind in _KINDS)


def _edited_allows(estate: Estate, live: Live, attachments: Iterable[Resource]) -> Iterator[Place]:
    kind = _KINDS[0]  # RCPs allow nothing of their own
    have = live.of(kind.resource)
    edited = {
        key
        for key, want in kind.desire(estate, live).resources.items()
        if (live_one := have.get(key)) is not None
        and live_one.content is not None
        and want.content not in (None, live_one.content)
        and '"Allow"' in live_one.content.text
    }
    return (
        _place(one) for one in attachments if _place(one)[0] == kind.name and one.parent and one.parent.key in edited
    )


def _place(one: Resource) -> Place:
    return getattr(one, "policy_kind", ""), getattr(one, "target", "")
