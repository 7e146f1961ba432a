"""`orgctl access`: who can reach an account, where a person or group can go, what is nobody's; by which line of git."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import TypeAlias

from controller.aws.api import Reader
from controller.desired.documents.assignments import Assignments
from controller.desired.estate import Estate
from controller.desired.nearest import did_you_mean
from controller.errors import CannotConnect, InvalidInput, Problem
from controller.reconcile import observe
from controller.resources.account import Account
from controller.resources.base import Json, Live
from controller.resources.identity_center import instance
from controller.resources.principals import Principal, id_of, name_of, principal_of
from controller.resources.registry import KINDS
from controller.resources.selection import Selector

READS = frozenset(
    {
        "identitystore:ListGroupMemberships",
        "identitystore:ListGroupMembershipsForMember",
        "sso:DescribePermissionSet",
        "sso:ListAccountAssignments",
        "sso:ListAccountAssignmentsForPrincipal",
        "sso:ListPermissionSetsProvisionedToAccount",
    }
)
"""What is called beyond what kinds of resources read."""
_KINDS = ("organizational_unit", "trusted_service", "account")

Key: TypeAlias = tuple[str, str, str, str]
"""``user`` or ``group``, its id (else its name), permission set, account id."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way into an account.

    Attributes:
        principal: ``user:alice``; ``group:admins`` where the group has no members.
        group: Through which group; "" where the assignment is the person's own.
        account: Its handle or name.
        until: When it ends; "" where it does not.
        source: file:line:column of the line of git that grants it; "" where none does.
        orphaned: It is of nobody: its user or group is gone from the identity store, or never was there.
    """

    principal: str
    group: str
    permission_set: str
    account: str
    account_id: str
    until: str
    source: str
    orphaned: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """One assignment. `id`: of its principal; None where the identity store has nobody of that name."""

    principal: Principal
    id: str | None
    permission_set: str
    account: str
    until: str = ""
    source: str = ""
    orphaned: bool = False

    @property
    def key(self) -> Key:
        return self.principal.type, self.id or self.principal.name, self.permission_set, self.account


def access(
    aws: Reader,
    estate: Estate,
    *,
    account: str | None = None,
    principal: str | None = None,
    orphaned: bool = False,
    live: bool,
    now: datetime,
) -> list[Row]:
    """Every way in, sorted: of one account, or of one user or group; or what is nobody's, everywhere.

    Args:
        orphaned: Only assignments whose user or group is gone.
        live: What AWS says now, rather than what git says.

    Raises:
        InvalidInput: There is no such account, user or group.
        AwsError: What decides could not be read.
    """
    seen = observe({kind.name: kind for kind in KINDS if kind.name in _KINDS}, aws, estate)
    for incomplete in seen.incomplete():
        raise CannotConnect(f"{incomplete.what} could not be read: {incomplete.why}")
    lines = _united(_in_git(aws, estate, seen, now))
    accounts = None if account is None else {_account(account, seen)}
    who = None if principal is None else _principals(aws, principal)
    if not live:
        found = [grant for grant in lines.values() if accounts is None or grant.account in accounts]
        found = [grant for grant in found if who is None or (grant.principal.type, grant.id) in who]
    else:
        places = seen.of(Account) if orphaned and accounts is None else accounts
        rows = _live_of_accounts(aws, places) if places is not None else _live_of_principals(aws, who or {})
        found = [_with_line(grant, lines) for grant in rows]
    if orphaned:
        found = [grant for grant in found if grant.orphaned]
    names = {key: one.name for key, one in seen.of(Account).items()}
    people = None if principal is None else principal
    return sorted(
        _rows(aws, found, names, people, who), key=lambda row: (row.account, row.principal, *asdict(row).values())
    )


# What git says


def _in_git(aws: Reader, estate: Estate, seen: Live, now: datetime) -> Iterator[Grant]:
    selector = Selector(estate, seen)
    for document in estate.of(Assignments):
        for number, line in enumerate(document.model.assignments):
            if line.until is not None and line.until <= now:
                continue
            principal, source = principal_of(line), str(document.marks.at("assignments", number))
            id = aws.once(("principal", principal), lambda who=principal: id_of(aws, who))  # type: ignore[misc]
            until = "" if line.until is None else line.until.isoformat()
            for name in line.permission_sets:
                shown = _name_of_set(aws, name) if name.startswith("arn:") else name
                for account in selector.select(line.targets).accounts:
                    yield Grant(principal, id, shown, account, until, source, orphaned=id is None)


def _united(grants: Iterable[Grant]) -> dict[Key, Grant]:
    """Lines that grant the same are one grant, until the latest of their ends; for ever if one has none."""
    found: dict[Key, Grant] = {}
    for grant in grants:
        had = found.setdefault(grant.key, grant)
        if had.until and (not grant.until or datetime.fromisoformat(grant.until) > datetime.fromisoformat(had.until)):
            found[grant.key] = grant
    return found


def _with_line(grant: Grant, lines: Mapping[Key, Grant]) -> Grant:
    line = lines.get(grant.key)
    return grant if line is None else replace(grant, until=line.until, source=line.source)


# What AWS says


def _live_of_accounts(aws: Reader, accounts: Iterable[str]) -> list[Grant]:
    where = instance(aws).arn

    def provisioned(account: str) -> list[tuple[str, str]]:
        listed = aws.items(
            "sso:ListPermissionSetsProvisionedToAccount", "PermissionSets", InstanceArn=where, AccountId=account
        )
        return [(account, arn) for arn in listed]

    places = [place for found in aws.map(provisioned, accounts) for place in found]

    def assigned(place: tuple[str, str]) -> list[Grant]:
        account, arn = place
        listed = aws.items(
            "sso:ListAccountAssignments",
            "AccountAssignments",
            InstanceArn=where,
            AccountId=account,
            PermissionSetArn=arn,
        )
        return [_grant(aws, row["PrincipalType"], row["PrincipalId"], arn, account) for row in listed]

    return [grant for grants in aws.map(assigned, places) for grant in grants]


def _live_of_principals(aws: Reader, who: Mapping[tuple[str, str], str]) -> list[Grant]:
    """AWS does not say whether a user's own listing has those of the user's groups: each is asked about by itself."""
    where = instance(aws).arn

    def assigned(one: tuple[str, str]) -> list[Grant]:
        listed = aws.items(
            "sso:ListAccountAssignmentsForPrincipal",
            "AccountAssignments",
            InstanceArn=where,
            PrincipalType=one[0].upper(),
            PrincipalId=one[1],
        )
        return [
            _grant(aws, row["PrincipalType"], row["PrincipalId"], row["PermissionSetArn"], row["AccountId"])
            for row in listed
        ]

    return list(dict.fromkeys(grant for grants in aws.map(assigned, who) for grant in grants))


def _grant(aws: Reader, type: str, id: str, permission_set_arn: str, account: str) -> Grant:
    name = _name(aws, type.lower(), id)
    gone = name == f"(deleted {id})"
    return Grant(Principal(type.lower(), name), id, _name_of_set(aws, permission_set_arn), account, orphaned=gone)


def _name_of_set(aws: Reader, arn: str) -> str:
    def ask() -> str:
        answer = aws.get("sso:DescribePermissionSet", InstanceArn=instance(aws).arn, PermissionSetArn=arn)
        return str(answer["PermissionSet"]["Name"])

    return aws.once(("permission set", arn), ask)


def _name(aws: Reader, type: str, id: str) -> str:
    return aws.once(("name", type, id), lambda: name_of(aws, type, id))


# People and groups


def _principals(aws: Reader, given: str) -> dict[tuple[str, str], str]:
    """(type, id) → name of the user and the user's groups, or of the group."""
    type, colon, name = given.partition(":")
    types = (type,) if colon and type in ("user", "group") else ("user", "group")
    for one in types:
        principal = Principal(one, name if colon and type in ("user", "group") else given)
        if (id := id_of(aws, principal)) is not None:
            groups = _groups_of(aws, id) if one == "user" else []
            return {(one, id): principal.name} | {("group", group): _name(aws, "group", group) for group in groups}
    what = f"there is no user or group '{given}' in the identity store"
    raise InvalidInput([Problem("--principal", 0, 0, what, "Give a user name or a group's display name.")])


def _groups_of(aws: Reader, user: str) -> list[str]:
    listed = aws.items(
        "identitystore:ListGroupMembershipsForMember",
        "GroupMemberships",
        IdentityStoreId=instance(aws).identity_store_id,
        MemberId={"UserId": user},
    )
    return [row["GroupId"] for row in listed]


def _members(aws: Reader, group: str) -> list[str]:
    """Ids of a group's users."""
    listed = aws.items(
        "identitystore:ListGroupMemberships",
        "GroupMemberships",
        IdentityStoreId=instance(aws).identity_store_id,
        GroupId=group,
    )
    return [row["MemberId"]["UserId"] for row in listed if "UserId" in row["MemberId"]]


def _rows(
    aws: Reader,
    grants: Iterable[Grant],
    names: Mapping[str, str],
    asked: str | None,
    who: Mapping[tuple[str, str], str] | None,
) -> Iterator[Row]:
    user = next((f"user:{name}" for (type, _), name in (who or {}).items() if type == "user"), None)
    for grant in grants:
        row = Row(
            principal=str(grant.principal),
            group="",
            permission_set=grant.permission_set,
            account=names.get(grant.account, grant.account),
            account_id=grant.account,
            until=grant.until,
            source=grant.source,
            orphaned=grant.orphaned,
        )
        if grant.principal.type == "user" or grant.orphaned or grant.id is None:
            yield row
        elif asked is not None:
            yield replace(row, principal=user, group=grant.principal.name) if user else row
        else:
            id = grant.id
            members = aws.once(("members", id), lambda id=id: _members(aws, id))  # type: ignore[misc]
            people = aws.map(lambda one: _name(aws, "user", one), members)
            yield from (replace(row, principal=f"user:{name}", group=grant.principal.name) for name in people)
            if not members:
                yield row


def _account(given: str, seen: Live) -> str:
    accounts = seen.of(Account).values()
    for one in accounts:
        if given in (one.key, one.name, one.title, one.email):
            return one.key
    fix = did_you_mean(given, [one.name for one in accounts], "Give its handle, its name or its id.")
    raise InvalidInput([Problem("--account", 0, 0, f"there is no account '{given}' in this organization", fix)])


# Told


def to_json(rows: Iterable[Row]) -> Json:
    return [asdict(row) for row in rows]


def to_csv(rows: Iterable[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in asdict(row).items()})
    return out.getvalue()


def _harmless(value: str | bool) -> str:
    """A spreadsheet takes text that begins like this for a formula; a name in the identity store may."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def to_table(rows: Iterable[Row]) -> Iterator[str]:
    """Lines with columns as wide as what is in them."""
    cells = [("PRINCIPAL", "GROUP", "PERMISSION SET", "ACCOUNT", "UNTIL", "LINE")]
    for row in rows:
        line = "(orphaned)" if row.orphaned else row.source or "(not in git)"
        account = f"{row.account} ({row.account_id})" if row.account != row.account_id else row.account
        cells.append((row.principal, row.group or "-", row.permission_set, account, row.until or "-", line))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for one in cells:
        yield "  ".join(text.ljust(width) for text, width in zip(one, widths, strict=True)).rstrip()
