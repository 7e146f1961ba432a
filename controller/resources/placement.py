"""The questions that tell which policies are where and what they say: what changes of several kinds rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from controller.aws.known import Basis, Call
from controller.policy.organization import RCP, SCP
from controller.resources.base import Live, Ref
from controller.resources.policy_type import AWS_TYPES
from controller.resources.protection import ATTACHMENT, Place


def description_call(policy_id: str) -> Call:
    """What asks for a policy's name, description and content."""
    return Call.of("organizations:DescribePolicy", PolicyId=policy_id)


def targets_call(policy_id: str) -> Call:
    """What asks for where a policy is attached."""
    return Call.of("organizations:ListTargetsForPolicy", PolicyId=policy_id)


def policies_call(target_id: str, policy_kind: str) -> Call:
    """What asks for the policies of a kind that are on an OU, the root or an account."""
    type = AWS_TYPES[policy_kind.removesuffix("_policy")]
    return Call.of("organizations:ListPoliciesForTarget", TargetId=target_id, Filter=type)


def policies_on(places: Iterable[Place], live: Live) -> Iterator[Basis]:
    """What asks for all that is on these places, and for what the SCPs and RCPs there say."""
    wanted = set(places)
    for kind, target in wanted:
        place = live.get(Ref("organizational_unit" if target.startswith("/") else "account", target))
        if place is not None and place.id is not None:
            yield (policies_call(place.id, kind),)
    seen = live.observed.get(ATTACHMENT)
    for one in seen.resources.values() if seen else ():
        on, id = (getattr(one, "policy_kind", ""), getattr(one, "target", "")), getattr(one, "policy_id", None)
        if on in wanted and on[0] in (SCP, RCP) and id is not None:
            yield (description_call(id),)
