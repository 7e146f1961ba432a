"""Reading who has which permission set where, in either of two ways: by permission set and account, or by principal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

from controller.aws.api import Reader
from controller.aws.known import SLOWER, Call
from controller.desired.documents.permission_set import PermissionSet as PermissionSetDocument
from controller.desired.estate import Estate
from controller.resources.account import Account
from controller.resources.base import Live
from controller.resources.identity_center import instance
from controller.resources.permission_set import PermissionSet
from controller.resources.principals import Principal

READS = frozenset(
    {
        "sso:ListAccountAssignments",
        "sso:ListAccountAssignmentsForPrincipal",
        "sso:ListAccountsForProvisionedPermissionSet",
        "sso:ListInstances",
    }
)
_PROVISIONED = "sso:ListAccountsForProvisionedPermissionSet"
_AT_PLACE = "sso:ListAccountAssignments"


class Row(NamedTuple):
    """One assignment as AWS lists it. `type`: ``group`` or ``user``."""

    permission_set: PermissionSet
    account: str
    type: str
    principal_id: str


def by_place(aws: Reader, sets: Iterable[PermissionSet], live: Live) -> list[Row]:
    """Every assignment of these permission sets in accounts that are ACTIVE: in others nothing can be changed."""
    places = _places(aws, sets, live)
    return [row for found in aws.map(lambda place: _assigned(aws, place), places) for row in found]


Place = tuple[PermissionSet, str]
"""A permission set, and an account that it is provisioned to."""


def _places(aws: Reader, sets: Iterable[PermissionSet], live: Live, *, slow: bool = False) -> list[Place]:
    accounts, where = live.of(Account), instance(aws).arn

    def accounts_of(one: PermissionSet) -> list[Place]:
        found = aws.items(_PROVISIONED, "AccountIds", slow=slow, InstanceArn=where, PermissionSetArn=one.id)
        return [(one, id) for id in found if id in accounts and accounts[id].active]

    return [place for found in aws.map(accounts_of, sets) for place in found]


def _assigned(aws: Reader, place: Place, *, slow: bool = False) -> list[Row]:
    one, account = place
    where: dict[str, Any] = {"InstanceArn": instance(aws).arn, "AccountId": account, "PermissionSetArn": one.id}
    found = aws.items(_AT_PLACE, "AccountAssignments", slow=slow, **where)
    return [Row(one, account, row["PrincipalType"].lower(), row["PrincipalId"]) for row in found]


def by_principal(
    aws: Reader, people: Mapping[Principal, str], sets: Iterable[PermissionSet], estate: Estate, live: Live
) -> list[Row]:
    """The same, asked for by principal; and what nobody has, as far as it is known."""
    where, accounts = instance(aws).arn, live.of(Account)
    by_arn = {one.id: one for one in sets}

    def theirs(principal: Principal) -> list[Row]:
        id = people[principal]
        found = aws.items(
            "sso:ListAccountAssignmentsForPrincipal",
            "AccountAssignments",
            InstanceArn=where,
            PrincipalId=id,
            PrincipalType=principal.type.upper(),
        )
        # Whether a user's list has what comes by groups is not documented: only what is given to this principal counts.
        return [
            Row(by_arn[row["PermissionSetArn"]], row["AccountId"], principal.type, id)
            for row in found
            if row["PrincipalId"] == id and row["PrincipalType"].lower() == principal.type
            if row["PermissionSetArn"] in by_arn and row["AccountId"] in accounts and accounts[row["AccountId"]].active
        ]

    given = [row for found in aws.map(theirs, people) for row in found]
    ids = {(principal.type, id) for principal, id in people.items()}
    leftovers = (row for row in _slowly(aws, by_arn.values(), estate, live) if (row.type, row.principal_id) not in ids)
    return [*given, *leftovers]


def _slowly(aws: Reader, sets: Iterable[PermissionSet], estate: Estate, live: Live) -> Iterator[Row]:
    """Rows by permission set and account: of sets that are to go all, since AWS deletes none that has any; of others
    what is known, and a little more in each look that has a share of the time to spend."""
    going = {d.model.name for d in estate.of(PermissionSetDocument) if d.model.deleted}
    going |= {d.model.formerly for d in estate.of(PermissionSetDocument) if d.model.formerly}
    yield from by_place(aws, [one for one in sets if one.name in going], live)
    if aws.known is None or not (aws.known.part or aws.known.has(_AT_PLACE)):
        return
    places = _places(aws, [one for one in sets if one.name not in going], live, slow=True)
    where = instance(aws).arn
    asked: list[Place] = []
    new: list[Place] = []
    for place in places:
        call = at_place(where, str(place[0].id), place[1])
        (asked if aws.known.recall(call) or aws.known.is_doubted(call) else new).append(place)
    asked += new[: ceil(len(places) * aws.known.part / SLOWER)]
    for some in aws.map(lambda place: _assigned(aws, place, slow=True), asked):
        yield from some


def at_place(where: str, permission_set_arn: str, account: str) -> Call:
    """What asks who has a permission set in an account. `where`: the instance's ARN."""
    return Call.of(_AT_PLACE, InstanceArn=where, AccountId=account, PermissionSetArn=permission_set_arn)


def of_principal(where: str, type: str, id: str) -> Call:
    """What asks for all that is given to a ``group`` or ``user``."""
    return Call.of(
        "sso:ListAccountAssignmentsForPrincipal", InstanceArn=where, PrincipalId=id, PrincipalType=type.upper()
    )


def provisioned(where: str, permission_set_arn: str) -> Call:
    """What asks in which accounts a permission set is."""
    return Call.of(_PROVISIONED, InstanceArn=where, PermissionSetArn=permission_set_arn)


def tags_of_set(where: str, permission_set_arn: str) -> Call:
    """What asks whose a permission set is."""
    return Call.of("sso:ListTagsForResource", InstanceArn=where, ResourceArn=permission_set_arn)
