"""The least that a cold full read of an organization can cost, computed from its seed alone: no AWS, no orgctl.

    .venv/bin/python -m bench.bounds --size M

For each thing that has to be known the cheapest complete way is counted, with every page full. Not among the reads are
the attachments of AWS's own FullAWSAccess, which is on everything, and the assignments of principals that the seed does
not name: finding those is an audit, whose cost `audit` gives.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import ceil
from pathlib import Path

from bench.estates import SIZES, write
from controller.aws.cost import seconds
from controller.desired import paths
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.base import Targets
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.documents.policies import Policy
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import directory

ORGANIZATIONS_PAGE = 20
"""Of every List operation but tags (Organizations API reference, MaxResults)."""
IDENTITY_CENTER_PAGE = 100
"""IAM Identity Center API reference, MaxResults."""
TAGGING_PAGE = 100
"""Resource Groups Tagging API reference, GetResources, ResourcesPerPage."""
OF_A_SET = (
    "DescribePermissionSet",
    "ListManagedPoliciesInPermissionSet",
    "ListCustomerManagedPolicyReferencesInPermissionSet",
    "GetInlinePolicyForPermissionSet",
    "GetPermissionsBoundaryForPermissionSet",
    "ListTagsForResource",
    "ListAccountsForProvisionedPermissionSet",  # those where it is out of date; where it is at all, `audit` counts
)
"""What has to be asked of each permission set."""


def reads(estate: Estate) -> dict[str, int]:
    """IAM action → calls, of the cheapest complete ways."""
    accounts = len(estate.accounts) + 1  # the management account is not in the seed
    policies = [document.model for document in estate.of(Policy)]
    sets = [document.model.name for document in estate.of(PermissionSet)]
    tagged = accounts + len(estate.units) + len(policies)
    calls = {
        "sts:GetCallerIdentity": 1,
        "organizations:DescribeOrganization": 1,
        "organizations:ListRoots": 1,
        "organizations:ListOrganizationalUnitsForParent": _units(estate),
        "organizations:ListAccounts": ceil(accounts / ORGANIZATIONS_PAGE),  # with the OU that each lies in
        "organizations:ListAWSServiceAccessForOrganization": 1,
        "organizations:ListDelegatedAdministrators": 1,
        "organizations:ListPolicies": _policies(policies),
        "organizations:DescribePolicy": len(policies),
        **_attachments(estate, policies, accounts),
        "tag:GetResources": ceil(tagged / TAGGING_PAGE),
        "sso:ListInstances": 1,
        "sso:ListPermissionSets": max(1, ceil(len(sets) / IDENTITY_CENTER_PAGE)),
        **{f"sso:{operation}": len(sets) for operation in OF_A_SET},
    }
    return Counter(calls) + Counter(_access(estate))


def audit(estate: Estate) -> dict[str, int]:
    """What proves that nobody else has access: every permission set in every account where it is provisioned."""
    pairs = {(name, account) for _, name, account in assignments(estate)}
    places = Counter(name for name, _ in pairs)
    return {
        "sso:ListAccountsForProvisionedPermissionSet": sum(ceil(n / IDENTITY_CENTER_PAGE) for n in places.values()),
        "sso:ListAccountAssignments": len(pairs),
    }


def assignments(estate: Estate) -> set[tuple[str, str, str]]:
    """(principal, permission set, account), for targets that are OUs and accounts alone."""
    found: set[tuple[str, str, str]] = set()
    for document in estate.of(Assignments):
        for line in document.model.assignments:
            where = _accounts(estate, line.targets)
            found |= {(str(line.group or line.user), name, one) for name in line.permission_sets for one in where}
    return found


def _accounts(estate: Estate, targets: Targets) -> set[str]:
    below = {
        handle
        for handle, entry in estate.accounts.items()
        if entry.unit is not None and paths.within(entry.unit, targets.units)
    }
    return below | set(targets.accounts)


def _units(estate: Estate) -> int:
    """One listing of every OU and the root: each may have children."""
    children = Counter(paths.parent(path) for path in estate.units)
    return sum(max(1, ceil(children[parent] / ORGANIZATIONS_PAGE)) for parent in (paths.ROOT, *estate.units))


def _policies(policies: Iterable[Policy]) -> int:
    """Pages for each type that is in use, with one policy of AWS's own."""
    types = Counter(type(policy) for policy in policies)
    return sum(ceil((count + 1) / ORGANIZATIONS_PAGE) for count in types.values())


def _attachments(estate: Estate, policies: list[Policy], accounts: int) -> dict[str, int]:
    by_policy = sum(max(1, ceil(_targets(policy) / ORGANIZATIONS_PAGE)) for policy in policies)
    by_target = (1 + len(estate.units) + accounts) * len({type(policy) for policy in policies})
    if by_policy <= by_target:
        return {"organizations:ListTargetsForPolicy": by_policy}
    return {"organizations:ListPoliciesForTarget": by_target}


def _targets(policy: Policy) -> int:
    targets = policy.targets
    return 0 if targets is None else len(targets.units) + len(targets.accounts)


FEW_PLACES = 100
"""Pairs of a permission set and an account up to which everything is looked at, leftovers of deleted people too."""


def _access(estate: Estate) -> dict[str, int]:
    """Who has which permission set where: by pair, which shows all, or by principal where that is cheaper.

    The seed's identity store has those that the seed names.
    """
    lines = [line for document in estate.of(Assignments) for line in document.model.assignments]
    groups, users = {line.group for line in lines if line.group}, {line.user for line in lines if line.user}
    if not lines:
        return {}
    each = Counter(principal for principal, _, _ in assignments(estate))
    by_pair = {"identitystore:GetGroupId": len(groups), "identitystore:GetUserId": len(users), **audit(estate)}
    by_principal = {
        "identitystore:ListGroups": max(1, ceil(len(groups) / IDENTITY_CENTER_PAGE)),
        "identitystore:ListUsers": max(1, ceil(len(users) / IDENTITY_CENTER_PAGE)),
        "sso:ListAccountAssignmentsForPrincipal": sum(ceil(count / IDENTITY_CENTER_PAGE) for count in each.values()),
    }
    few = by_pair["sso:ListAccountAssignments"] <= FEW_PLACES
    return by_pair if few or sum(by_pair.values()) <= sum(by_principal.values()) else by_principal


def of(seed: Path, share: float = 1.0, multiple: float = 1.0) -> dict[str, object]:
    """The bound of a seed, as figures."""
    estate = load(directory(seed))
    calls = {action: count for action, count in reads(estate).items() if count}
    least, bottleneck = seconds(calls, share, multiple)
    proof = audit(estate)
    return {
        "calls": calls,
        "total": sum(calls.values()),
        "seconds": least,
        "bottleneck": bottleneck,
        "audit_total": sum(proof.values()),
        "audit_seconds": seconds(proof, share, multiple)[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--share", type=float, default=1.0, help="of AWS's rates")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        seed = write(replace(SIZES[chosen.size], hub=False), Path(place) / "estate")
        bound = of(seed, chosen.share)
    assert isinstance(bound["calls"], dict)
    for action, count in sorted(bound["calls"].items(), key=lambda item: -item[1]):
        print(f"{count:7,}  {action}")
    print(f"{bound['total']:7,}  calls; {bound['seconds']:.1f} s, because of {bound['bottleneck']}")
    print(
        f"{bound['audit_total']:7,}  calls and {bound['audit_seconds']:.1f} s more to prove that nobody else has access"
    )


if __name__ == "__main__":
    main()
