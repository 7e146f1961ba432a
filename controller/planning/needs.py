"""Which calls no plan may take away: the controller's own in member accounts, and those of break-glass access."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from controller.config import BreakGlass
from controller.planning.lockout import Need, OrgPaths
from controller.policy.match import ANY, ONE, OTHER, shown
from controller.policy.organization import RCP, SCP
from controller.policy.request import NOT_FROM_A_MACHINE, Request, principal_keys

_GLOBAL = frozenset({"account", "budgets", "ce", "cloudfront", "iam", "organizations", "route53", "support"})
"""Services with one endpoint for the world: aws:RequestedRegion is us-east-1 (IAM User Guide, "AWS global condition
context keys", aws:RequestedRegion)."""
_GLOBAL_REGION = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the controller is, as far as requests show it.

    Attributes:
        caller: ARN of the controller's own role or user, parts of it perhaps unknown; "" where not known at all.
        regions: The governed ones; none: not known.
    """

    organization_id: str
    management_account: str
    partition: str = "aws"
    caller: str = ""
    identity_center_region: str = "us-east-1"
    regions: tuple[str, ...] = ()

    def region_of(self, action: str) -> tuple[str | None, ...]:
        """The Regions that a call is made in."""
        if action.partition(":")[0] in _GLOBAL:
            return (_GLOBAL_REGION.get(self.partition),)
        return self.regions or (None,)


_Resources: TypeAlias = Callable[[str, str, str | None, Whereabouts], tuple[str, ...]]


def needs(
    here: Whereabouts,
    member_role: str,
    actions: Iterable[str],
    cells: Iterable[tuple[str, str]] | None,
    break_glass: Iterable[BreakGlass],
) -> list[Need]:
    """All that must stay allowed in member accounts.

    Args:
        actions: What the controller calls there with the member role.
        cells: (account, Region) where it does so; None: not known, so everywhere. Elsewhere it has to get in all the
            same, in any of the governed Regions: there may be work for it tomorrow.
    """
    role = f"arn:{here.partition}:iam::{{account}}:role/{member_role}"
    who = f"the controller's member role '{member_role}'"
    found: list[Need] = []
    for action in sorted(actions):
        if cells is None:
            found += _in_the_account(here, who, role, [action], _any_resource)
            continue
        for region, accounts in _by_region(cells).items():
            call = _Call(here, role, action, (region,), _any_resource)
            found.append(Need(who, SCP, action, region, _pattern(role), call, accounts))
        call = _Call(here, role, action, here.region_of(action), _any_resource)
        found.append(Need(who, SCP, action, None, _pattern(role), call))
    found.append(_assuming(here, who, role, _controllers_keys(here)))
    for one in break_glass:
        arn, who = _of_break_glass(one, here)
        found += _in_the_account(here, who, arn, one.actions, _some_resource)
        if one.role is not None:  # Identity Center's own ways into a role are not documented for RCPs
            found.append(_assuming(here, who, arn, {}))
    return found


def _by_region(cells: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Region → accounts."""
    found: dict[str, set[str]] = {}
    for account, region in cells:
        found.setdefault(region, set()).add(account)
    return {region: frozenset(accounts) for region, accounts in sorted(found.items())}


def role_of(permission_set: str, account: str, partition: str, identity_center_region: str) -> str:
    """The role that Identity Center makes of a permission set in an account; its last 16 digits are random (IAM
    Identity Center User Guide, "Referencing permission sets in resource policies, Amazon EKS Cluster config maps, and
    AWS KMS key policies").
    """
    region = "" if identity_center_region == "us-east-1" else f"{identity_center_region}/"
    path = f"role/aws-reserved/sso.amazonaws.com/{region}AWSReservedSSO_{permission_set}_{ONE * 16}"
    return f"arn:{partition}:iam::{account}:{path}"


def _of_break_glass(one: BreakGlass, here: Whereabouts) -> tuple[str, str]:
    """Its ARN with ``{account}`` in it, and who it is in words."""
    if one.role is not None:
        return f"arn:{here.partition}:iam::{{account}}:role/{one.role}", f"break-glass role '{one.role}'"
    assert one.permission_set is not None
    arn = role_of(one.permission_set, "{account}", here.partition, here.identity_center_region)
    return arn, f"break-glass permission set '{one.permission_set}'"


def _in_the_account(
    here: Whereabouts, who: str, role: str, actions: Iterable[str], resources: _Resources
) -> Iterator[Need]:
    """Calls of a role of the account, which SCPs bind."""
    for action in actions:
        for region in here.region_of(action):
            yield Need(who, SCP, action, region, _pattern(role), _Call(here, role, action, (region,), resources))


def _assuming(here: Whereabouts, who: str, role: str, keys: dict[str, str | tuple[str, ...]]) -> Need:
    """Assuming the role from elsewhere: the role is a resource of the account, which RCPs protect."""
    return Need(f"{who} (whoever assumes it)", RCP, "sts:AssumeRole", None, "it", _Assume(here, role, keys))


def _controllers_keys(here: Whereabouts) -> dict[str, str | tuple[str, ...]]:
    keys = principal_keys(here.caller, organization=here.organization_id, account=here.management_account)
    if not here.caller:
        del keys["aws:PrincipalArn"]
    if ":user/" in here.caller or not here.caller:
        del keys["aws:PrincipalType"], keys["aws:username"]
    return keys


def _pattern(role: str) -> str:
    return shown(role.replace("{account}", "*"))


@dataclass(frozen=True, slots=True)
class _Call:
    here: Whereabouts
    role: str
    action: str
    regions: tuple[str | None, ...]
    resources: _Resources

    def __call__(self, account: str, paths: OrgPaths) -> tuple[Request, ...]:
        return tuple(self._in(region, account, paths) for region in self.regions)

    def _in(self, region: str | None, account: str, paths: OrgPaths) -> Request:
        keys = principal_keys(
            self.role.replace("{account}", account),
            organization=self.here.organization_id,
            account=account,
            paths=paths,
        )
        keys |= NOT_FROM_A_MACHINE
        if region is not None:
            keys["aws:RequestedRegion"] = region
        return Request(self.action, self.resources(self.action, account, region, self.here)).knowing(keys)


@dataclass(frozen=True, slots=True)
class _Assume:
    here: Whereabouts
    role: str
    keys: dict[str, str | tuple[str, ...]]

    def __call__(self, account: str, paths: OrgPaths) -> tuple[Request, ...]:
        keys = {
            **self.keys,
            "aws:ResourceAccount": account,
            "aws:ResourceOrgID": self.here.organization_id,
            "aws:SecureTransport": "true",
            **({} if paths is None else {"aws:ResourceOrgPaths": paths}),
        }
        return (Request("sts:AssumeRole", (self.role.replace("{account}", account),)).knowing(keys),)


def _any_resource(action: str, account: str, region: str | None, here: Whereabouts) -> tuple[str, ...]:
    """The controller's calls: about one of the account's resources, or about none (``*``); none of them may fail."""
    service = action.partition(":")[0]
    return "*", f"arn:{here.partition}:{service}:{region or ANY}:{account}:{ANY}"


def _some_resource(action: str, account: str, region: str | None, here: Whereabouts) -> tuple[str, ...]:
    """A resource that no policy names: a person loses a call when it is denied in general, not on this or that."""
    service = action.partition(":")[0]
    if service == "iam":
        return (f"arn:{here.partition}:iam::{account}:role/{OTHER}",)
    if service == "s3":
        return (f"arn:{here.partition}:s3:::{OTHER}",)
    return (f"arn:{here.partition}:{service}:{region or ANY}:{account}:{OTHER}",)
