"""The people and groups of the simulated organization, and who is in which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from controller.sandbox.world import World

Json = dict[str, Any]


@dataclass(slots=True)
class User:
    """`attributes` are CreateUser's own members, but for the user name."""

    id: str
    name: str
    attributes: Json
    created: float
    updated: float
    revision: int = 1

    @property
    def emails(self) -> list[str]:
        return [email["Value"] for email in self.attributes.get("Emails", ()) if email.get("Value")]


@dataclass(slots=True)
class Group:
    """`members`: user id → membership id."""

    id: str
    name: str
    description: str | None
    created: float
    updated: float
    revision: int = 1
    members: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Directory:
    """The one identity store of the organization; every look-up is a dictionary's."""

    id: str
    region: str = "us-east-1"
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    user_ids: dict[str, str] = field(default_factory=dict)
    """user name → id."""
    email_ids: dict[str, str] = field(default_factory=dict)
    group_ids: dict[str, str] = field(default_factory=dict)
    """display name → id."""
    memberships: dict[str, tuple[str, str]] = field(default_factory=dict)
    """membership id → (group id, user id)."""
    groups_of: dict[str, dict[str, None]] = field(default_factory=dict)
    """user id → ids of the groups it is in."""

    def add_user(self, world: World, name: str, attributes: Json) -> User:
        now = world.clock.now()
        user = User(world.uuid(), name, attributes, now, now)
        self.users[user.id] = user
        self.user_ids[name] = user.id
        self.email_ids.update(dict.fromkeys(user.emails, user.id))
        return user

    def add_group(self, world: World, name: str, description: str | None = None) -> Group:
        now = world.clock.now()
        group = Group(world.uuid(), name, description, now, now)
        self.groups[group.id] = group
        self.group_ids[name] = group.id
        return group

    def join(self, world: World, group: Group, user: User) -> str:
        """Put a user into a group: the membership's id."""
        membership = world.uuid()
        group.members[user.id] = membership
        self.memberships[membership] = (group.id, user.id)
        self.groups_of.setdefault(user.id, {})[group.id] = None
        return membership

    def leave(self, membership: str) -> None:
        group, user = self.memberships.pop(membership)
        del self.groups[group].members[user]
        del self.groups_of[user][group]

    def remove_user(self, user: User) -> None:
        """Its memberships go with it; its account assignments stay behind."""
        for group in list(self.groups_of.pop(user.id, ())):
            del self.memberships[self.groups[group].members.pop(user.id)]
        del self.users[user.id], self.user_ids[user.name]
        self._forget_emails(user)

    def remove_group(self, group: Group) -> None:
        """Its memberships go with it; its account assignments stay behind."""
        for user, membership in group.members.items():
            del self.memberships[membership], self.groups_of[user][group.id]
        del self.groups[group.id], self.group_ids[group.name]

    def rewrite(self, user: User, name: str, attributes: Json) -> None:
        """Give a user another name and other attributes, the look-ups with them."""
        del self.user_ids[user.name]
        self._forget_emails(user)
        user.name, user.attributes = name, attributes
        self.user_ids[name] = user.id
        self.email_ids.update(dict.fromkeys(user.emails, user.id))

    def _forget_emails(self, user: User) -> None:
        for email in user.emails:
            self.email_ids.pop(email, None)


def directory(world: World) -> Directory:
    """The world's identity store, made when it is first asked for."""
    found: Directory | None = world.data.get("identitystore")
    if found is None:
        found = world.data["identitystore"] = Directory("d-" + world.token(10, "0123456789abcdef"))
    return found
