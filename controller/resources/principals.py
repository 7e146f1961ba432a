"""Users and groups of the identity store, by the names that git gives them. They are looked up, never written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controller.aws.api import Reader
from controller.aws.known import Basis, Call
from controller.desired.documents.assignments import Assignment, Assignments
from controller.desired.estate import Estate
from controller.errors import AwsError
from controller.resources.base import Json
from controller.resources.identity_center import instance

READS = frozenset(
    {
        "identitystore:DescribeGroup",
        "identitystore:DescribeUser",
        "identitystore:GetGroupId",
        "identitystore:GetUserId",
        "identitystore:ListGroups",
        "identitystore:ListUsers",
    }
)

_PRINCIPAL_ID = re.compile(r"([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Principal(NamedTuple):
    """A user or group, by the name that git gives it; or by id."""

    type: str
    """``group`` or ``user``."""
    name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"

    @property
    def is_id(self) -> bool:
        """Whether the name is taken for an id."""
        return _PRINCIPAL_ID.fullmatch(self.name) is not None

    def to_json(self) -> Json:
        return str(self)


def principal_of(line: Assignment) -> Principal:
    return Principal("group", line.group) if line.group is not None else Principal("user", str(line.user))


def named(estate: Estate) -> list[Principal]:
    """Everybody that git names, sorted."""
    return sorted({principal_of(line) for doc in estate.of(Assignments) for line in doc.model.assignments})


def everyone(aws: Reader, most: int) -> dict[Principal, str] | None:
    """The identity store's groups and users → their ids; None where there are more than `most`, or it will not tell."""
    store = instance(aws).identity_store_id
    found: dict[Principal, str] = {}
    for type, (action, member, id, name) in _LISTS.items():
        try:
            some = aws.some(action, member, most=most - len(found), IdentityStoreId=store)
        except AwsError:
            return None  # there is another way, which needs no such permission
        if some is None:
            return None
        found |= {Principal(type, one[name]): one[id] for one in some if one.get(name)}
    return found


_LISTS = {
    "group": ("identitystore:ListGroups", "Groups", "GroupId", "DisplayName"),
    "user": ("identitystore:ListUsers", "Users", "UserId", "UserName"),
}


def basis(principal: Principal, identity_store_id: str) -> Basis:
    """What says who one that git names is."""
    everyone = Call.of(_LISTS[principal.type][0], IdentityStoreId=identity_store_id)
    if principal.is_id:
        action, member, _ = _DESCRIPTIONS[principal.type]
        return everyone, Call.of(action, IdentityStoreId=identity_store_id, **{member: principal.name.lower()})
    action, path, _ = _LOOK_UPS[principal.type]
    return everyone, Call.of(
        action, IdentityStoreId=identity_store_id, AlternateIdentifier=_named(path, principal.name)
    )


def resolve(
    aws: Reader, principals: Iterable[Principal], everyone: Mapping[Principal, str] | None = None
) -> dict[Principal, tuple[str, str]]:
    """Each principal → (id, name); two spellings of one get one name. Those unknown are left out.

    Args:
        everyone: The identity store's, where they were listed: who is among them is not asked about.
    """
    known, named = everyone or {}, list(principals)
    for one in set(named) - known.keys() if everyone is not None else ():
        listing, alone = basis(one, instance(aws).identity_store_id)
        aws.ask_anew([alone], than=listing)
    found: dict[Principal, tuple[str, str]] = {}
    names: dict[tuple[str, str], str] = {}

    def id_now(one: Principal) -> str | None:
        alone = basis(one, instance(aws).identity_store_id)
        return known[one] if one in known and not aws.is_better(alone[1], than=alone[0]) else id_of(aws, one)

    for principal, id in zip(named, aws.map(id_now, named), strict=True):
        if id is not None:
            name = _name(aws, principal.type, id) if principal.is_id else principal.name
            found[principal] = (id, names.setdefault((principal.type, id), str(name)))
    return found


def id_of(aws: Reader, principal: Principal) -> str | None:
    """Its id; None where the identity store has nobody of that name."""
    store = instance(aws).identity_store_id
    if principal.is_id:
        id = principal.name.lower()
        return None if _name(aws, principal.type, id) is None else id
    action, path, member = _LOOK_UPS[principal.type]
    answer = aws.find(
        action,
        absent="ResourceNotFoundException",
        IdentityStoreId=store,
        AlternateIdentifier=_named(path, principal.name),
    )
    return None if answer is None else str(answer[member])


def _named(path: str, name: str) -> Json:
    return {"UniqueAttribute": {"AttributePath": path, "AttributeValue": name}}


_LOOK_UPS = {
    "group": ("identitystore:GetGroupId", "displayName", "GroupId"),
    "user": ("identitystore:GetUserId", "userName", "UserId"),
}
_DESCRIPTIONS = {
    "group": ("identitystore:DescribeGroup", "GroupId", "DisplayName"),
    "user": ("identitystore:DescribeUser", "UserId", "UserName"),
}


def name_of(aws: Reader, type: str, id: str) -> str:
    """A principal's name. One that was deleted leaves its assignments behind, to be found by its id alone."""
    return _name(aws, type, id) or deleted(id)


def deleted(id: str | None) -> str:
    """What one that is gone is called."""
    return f"(deleted {id})"


def _name(aws: Reader, type: str, id: str) -> str | None:
    """None: there is nobody of this id."""
    return aws.once(("principal", type, id), lambda: _asked_name(aws, type, id))


def _asked_name(aws: Reader, type: str, id: str) -> str | None:
    action, member, shown = _DESCRIPTIONS[type]
    answer = aws.find(
        action,
        absent="ResourceNotFoundException",
        IdentityStoreId=instance(aws).identity_store_id,
        **{member: id},
    )
    return None if answer is None else str(answer.get(shown) or id)
