"""The simulated Identity Store: people, groups, and who is in which (Identity Store API reference)."""

from __future__ import annotations

from typing import Any

from controller.sandbox.directory import Directory, Group, User, directory
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Refused, Service, World

SSO = "sso.amazonaws.com"
_PERSONAL = (
    "DisplayName",
    "Name",
    "Emails",
    "NickName",
    "Title",
    "UserType",
    "PreferredLanguage",
    "Locale",
    "Timezone",
)

Json = dict[str, Any]


def administrates(world: World, caller: Caller) -> bool:
    """Whether the caller is the management account or Identity Center's delegated administrator."""
    if not world.rule("access-callers"):
        return True
    return caller.account == world.management_account or caller.account in world.delegated.get(SSO, ())


def pages(world: World, items: list[Any], request: Json) -> tuple[list[Any], dict[str, str]]:
    """One page of at most 100."""
    return page(world, items, request, size=100)


class IdentityStore(Service):
    """botocore's `identitystore`. Strict about ids: a store, user or group that is not there is an error."""

    name = "identitystore"

    def describe_identity_store(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        return {"IdentityStoreId": store.id, "IdentityStoreArn": self._store_arn(store)}

    def list_identity_stores(self, caller: Caller, request: Json) -> Json:
        store = directory(self.world)
        home = caller.region == store.region or not self.world.rule("home-region")
        here = home and administrates(self.world, caller)
        listed = [{"IdentityStoreId": store.id, "IdentityStoreArn": self._store_arn(store)}] if here else []
        chunk, token = pages(self.world, listed, request)
        return {"IdentityStores": chunk, **token}

    # Users

    def create_user(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        name = request.get("UserName")
        if not name:
            raise Refused("ValidationException", "UserName is required.")
        attributes = {member: request[member] for member in _PERSONAL if member in request}
        self._unique_user(store, name, attributes, None)
        user = store.add_user(self.world, name, attributes)
        return self._user_reference(store, user)

    def describe_user(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        return self._show_user(store, self._user(store, request.get("UserId")))

    def list_users(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        users = list(store.users.values())
        if (wanted := _filter(request, "UserName")) is not None:
            users = [user for user in users if user.name == wanted]
        chunk, token = pages(self.world, users, request)
        return {"Users": [self._show_user(store, user) for user in chunk], **token}

    def get_user_id(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        path, value = _alternate(request)
        found = {"username": store.user_ids, "emails.value": store.email_ids}.get(path)
        if found is None:
            raise Refused("ValidationException", f"Users cannot be looked up by {path}.")
        if value not in found:
            raise _missing("USER", str(value))
        return {
            "IdentityStoreId": store.id,
            "UserId": found[value],
            "UserArn": self._arn("user", found[value]),
        }

    def update_user(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        user = self._user(store, request.get("UserId"))
        _expect_revision(user, request)
        changed = _operate({"UserName": user.name, **user.attributes}, request.get("Operations", []))
        name = changed.pop("UserName", None)
        if not name:
            raise Refused("ValidationException", "UserName cannot be removed.")
        self._unique_user(store, name, changed, user)
        store.rewrite(user, name, changed)
        self._touch(user)
        return self._user_reference(store, user)

    def delete_user(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        user = self._user(store, request.get("UserId"))
        _expect_revision(user, request)
        store.remove_user(user)
        return {}

    # Groups

    def create_group(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        name = request.get("DisplayName")
        if not name:
            raise Refused("ValidationException", "DisplayName is required.")
        self._unique("DisplayName", name, store.group_ids, None)
        group = store.add_group(self.world, name, request.get("Description"))
        return self._group_reference(store, group)

    def describe_group(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        return self._show_group(store, self._group(store, request.get("GroupId")))

    def list_groups(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        groups = list(store.groups.values())
        if (wanted := _filter(request, "DisplayName")) is not None:
            groups = [group for group in groups if group.name == wanted]
        chunk, token = pages(self.world, groups, request)
        return {"Groups": [self._show_group(store, group) for group in chunk], **token}

    def get_group_id(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        path, value = _alternate(request)
        if path != "displayname":
            raise Refused("ValidationException", f"Groups cannot be looked up by {path}.")
        if value not in store.group_ids:
            raise _missing("GROUP", str(value))
        id = store.group_ids[value]
        return {"IdentityStoreId": store.id, "GroupId": id, "GroupArn": self._arn("group", id)}

    def update_group(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        group = self._group(store, request.get("GroupId"))
        _expect_revision(group, request)
        before = {"DisplayName": group.name, "Description": group.description}
        changed = _operate(before, request.get("Operations", []))
        if not changed.get("DisplayName"):
            raise Refused("ValidationException", "DisplayName cannot be removed.")
        self._unique("DisplayName", changed["DisplayName"], store.group_ids, group.id)
        del store.group_ids[group.name]
        group.name, group.description = changed["DisplayName"], changed.get("Description")
        store.group_ids[group.name] = group.id
        self._touch(group)
        return self._group_reference(store, group)

    def delete_group(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        group = self._group(store, request.get("GroupId"))
        _expect_revision(group, request)
        store.remove_group(group)
        return {}

    # Memberships

    def create_group_membership(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        group = self._group(store, request.get("GroupId"))
        user = self._user(store, request.get("MemberId", {}).get("UserId"))
        if user.id in group.members:
            raise Refused(
                "ConflictException",
                "The user is already a member of the group.",
                Reason="UNIQUENESS_CONSTRAINT_VIOLATION",
            )
        membership = store.join(self.world, group, user)
        return self._membership_reference(store, membership)

    def describe_group_membership(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        return self._show_membership(store, self._membership(store, request.get("MembershipId")))

    def delete_group_membership(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        store.leave(self._membership(store, request.get("MembershipId")))
        return {}

    def get_group_membership_id(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        group = self._group(store, request.get("GroupId"))
        user = self._user(store, request.get("MemberId", {}).get("UserId"))
        if user.id not in group.members:
            raise _missing("GROUP_MEMBERSHIP", user.id)
        return self._membership_reference(store, group.members[user.id])

    def list_group_memberships(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        group = self._group(store, request.get("GroupId"))
        chunk, token = pages(self.world, list(group.members.values()), request)
        return {"GroupMemberships": [self._show_membership(store, id) for id in chunk], **token}

    def list_group_memberships_for_member(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        user = self._user(store, request.get("MemberId", {}).get("UserId"))
        ids = [store.groups[group].members[user.id] for group in store.groups_of.get(user.id, ())]
        chunk, token = pages(self.world, ids, request)
        return {"GroupMemberships": [self._show_membership(store, id) for id in chunk], **token}

    def is_member_in_groups(self, caller: Caller, request: Json) -> Json:
        store = self._open(caller, request)
        user = self._user(store, request.get("MemberId", {}).get("UserId"))
        groups = [self._group(store, id) for id in request.get("GroupIds", ())]
        return {
            "Results": [
                {
                    "GroupId": group.id,
                    "MemberId": {"UserId": user.id},
                    "MembershipExists": user.id in group.members,
                }
                for group in groups
            ]
        }

    # What a request refers to

    def _open(self, caller: Caller, request: Json) -> Directory:
        """The store a request names, where it may be reached from here by this caller."""
        if not administrates(self.world, caller):
            raise Refused("AccessDeniedException", "You do not have sufficient access to perform this action.")
        store = directory(self.world)
        away = caller.region != store.region and self.world.rule("home-region")
        if str(request.get("IdentityStoreId")).rsplit("/", 1)[-1] != store.id or away:
            raise _missing("IDENTITY_STORE", str(request.get("IdentityStoreId")))
        return store

    def _user(self, store: Directory, id: Any) -> User:
        id = _plain(id)
        if id not in store.users:
            raise _missing("USER", id)
        return store.users[id]

    def _group(self, store: Directory, id: Any) -> Group:
        id = _plain(id)
        if id not in store.groups:
            raise _missing("GROUP", id)
        return store.groups[id]

    def _membership(self, store: Directory, id: Any) -> str:
        membership = _plain(id)
        if membership not in store.memberships:
            raise _missing("GROUP_MEMBERSHIP", membership)
        return membership

    def _unique_user(self, store: Directory, name: str, attributes: Json, itself: User | None) -> None:
        own = itself.id if itself else None
        self._unique("UserName", name, store.user_ids, own)
        for email in attributes.get("Emails", ()):
            self._unique("Emails", email.get("Value"), store.email_ids, own)

    def _unique(self, member: str, value: Any, taken: dict[str, str], itself: str | None) -> None:
        if taken.get(value, itself) != itself and self.world.rule("names-in-store"):
            raise Refused("ConflictException", f"Duplicate {member}.", Reason="UNIQUENESS_CONSTRAINT_VIOLATION")

    def _touch(self, thing: User | Group) -> None:
        thing.revision += 1
        thing.updated = self.world.clock.now()

    # What an answer shows

    def _arn(self, what: str, id: str) -> str:
        return f"arn:{self.world.partition}:identitystore:::{what}/{id}"

    def _store_arn(self, store: Directory) -> str:
        owner = self.world.management_account
        return f"arn:{self.world.partition}:identitystore::{owner}:identitystore/{store.id}"

    def _user_reference(self, store: Directory, user: User) -> Json:
        return {
            "IdentityStoreId": store.id,
            "UserId": user.id,
            "UserArn": self._arn("user", user.id),
            "Revision": str(user.revision),
        }

    def _group_reference(self, store: Directory, group: Group) -> Json:
        return {
            "IdentityStoreId": store.id,
            "GroupId": group.id,
            "GroupArn": self._arn("group", group.id),
            "Revision": str(group.revision),
        }

    def _membership_reference(self, store: Directory, id: str) -> Json:
        return {"IdentityStoreId": store.id, "MembershipId": id, "MembershipArn": self._arn("membership", id)}

    def _show_user(self, store: Directory, user: User) -> Json:
        return {
            **self._user_reference(store, user),
            "UserName": user.name,
            "UserStatus": "ENABLED",
            "CreatedAt": user.created,
            "UpdatedAt": user.updated,
            **user.attributes,
        }

    def _show_group(self, store: Directory, group: Group) -> Json:
        described = {"Description": group.description} if group.description else {}
        return {
            **self._group_reference(store, group),
            "DisplayName": group.name,
            "CreatedAt": group.created,
            "UpdatedAt": group.updated,
            **described,
        }

    def _show_membership(self, store: Directory, id: str) -> Json:
        group, user = store.memberships[id]
        return {**self._membership_reference(store, id), "GroupId": group, "MemberId": {"UserId": user}}


def _plain(id: Any) -> str:
    """An id, also where it was given as an ARN."""
    return str(id or "").rsplit("/", 1)[-1]


def _missing(what: str, id: str) -> Refused:
    return Refused("ResourceNotFoundException", f"{what} not found.", ResourceType=what, ResourceId=id)


def _expect_revision(thing: User | Group, request: Json) -> None:
    if request.get("Revision") not in (None, str(thing.revision)):
        raise Refused("ConflictException", "It has been changed since that revision.", Reason="CONCURRENT_MODIFICATION")


def _filter(request: Json, path: str) -> str | None:
    """The value that a listing is narrowed to; only `path` can be filtered on."""
    for wanted in request.get("Filters", ()):
        if wanted["AttributePath"].lower() != path.lower():
            raise Refused("ValidationException", f"The listing can be filtered on {path} only.")
        return str(wanted["AttributeValue"])
    return None


def _alternate(request: Json) -> tuple[str, Any]:
    """(attribute path in lower case, value) of an AlternateIdentifier."""
    identifier = request.get("AlternateIdentifier", {})
    if "UniqueAttribute" in identifier:
        unique = identifier["UniqueAttribute"]
        if not isinstance(unique["AttributeValue"], str):
            raise Refused("ValidationException", "An attribute's value is a text.")
        return unique["AttributePath"].lower(), unique["AttributeValue"]
    raise _missing("USER", str(identifier.get("ExternalId", {}).get("Id")))


def _operate(attributes: Json, operations: list[Json]) -> Json:
    """`attributes` with each operation's path set, or removed where the operation gives no value."""
    changed = dict(attributes)
    for operation in operations:
        first, *rest = (step[:1].upper() + step[1:] for step in operation["AttributePath"].split("."))
        value = operation.get("AttributeValue")
        if rest:
            value = {**changed.get(first, {}), rest[0]: value}
        elif isinstance(value, list):
            value = [{key[:1].upper() + key[1:]: item for key, item in entry.items()} for entry in value]
        if value is None:
            changed.pop(first, None)
        else:
            changed[first] = value
    return changed
