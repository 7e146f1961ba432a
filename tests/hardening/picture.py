"""A simulated organization as a value, by names that people read. Two are equal where the organizations are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import access
from controller.sandbox.security_hub.state import Hub, hubs
from controller.sandbox.world import World

Fact = tuple[Any, ...]
"""``("attached", "deny-leave", "/Workloads")``: kind of fact, name of its subject, and what is so of it."""


class Names:
    """What AWS's ids are called."""

    def __init__(self, world: World) -> None:
        people = directory(world)
        self._names = {
            **{id: self.path(world, id) for id in world.units},
            **{account.id: account.name for account in world.accounts.values()},
            **{policy.id: policy.name for policy in world.policies.values()},
            **{found.arn: found.name for found in access(world).permission_sets.values()},
            **{user.id: f"user:{user.name}" for user in people.users.values()},
            **{group.id: f"group:{group.name}" for group in people.groups.values()},
        }
        self._ids = re.compile("|".join(map(re.escape, sorted(self._names, key=len, reverse=True))))

    def __getitem__(self, id: str) -> str:
        return self._names[id]

    def get(self, id: str) -> str:
        return self._names.get(id, id)

    def text(self, text: str) -> str:
        """Text with every id replaced by its name."""
        return self._ids.sub(lambda found: self._names[found[0]], text)

    @staticmethod
    def path(world: World, id: str) -> str:
        steps: list[str] = []
        unit = world.units[id]
        while unit.parent is not None:
            steps.append(unit.name)
            unit = world.units[unit.parent]
        return "/" + "/".join(reversed(steps))


def picture(world: World, *, born: frozenset[str] = frozenset()) -> list[Fact]:
    """Every fact about the organization, sorted; something that is there twice is in it twice.

    Args:
        born: Ids that are to be told apart from new ones of the same name: what must survive, not be made again.
    """
    with world.lock:
        return sorted([*_organization(world, born), *_access(world, born), *_hubs(world)], key=repr)


def _organization(world: World, born: frozenset[str]) -> Iterator[Fact]:
    names = Names(world)
    for unit in world.units.values():
        yield "unit", names[unit.id], _pairs(unit.tags), unit.id in born
    for account in world.accounts.values():
        contacts = sorted((type, _pairs(contact)) for type, contact in account.contacts.items())
        yield "account", account.name, names[account.parent], account.state, _pairs(account.tags), contacts
    for policy in world.policies.values():
        content = names.text(policy.content)
        yield "policy", policy.name, policy.type, policy.description, content, _pairs(policy.tags), policy.id in born
        for target in policy.targets:
            yield "attached", policy.name, names[target]
    for type in world.policy_types:
        yield "policy type", type, world.policy_type_status(type)
    for service in world.trusted_services:
        yield "trusted", service
    for service, accounts in world.delegated.items():
        for id in accounts:
            yield "administers", names[id], service


def _access(world: World, born: frozenset[str]) -> Iterator[Fact]:
    names, state = Names(world), access(world)
    for found in state.permission_sets.values():
        yield "permission set", found.name, found.rights(), _pairs(found.tags), found.arn in born
        for account, rights in found.provisioned.items():
            yield "provisioned", found.name, names[account], rights
    for one in state.assignments():
        yield "assigned", names.get(one.principal), names[one.permission_set], names[one.account]
    for kind, count in state.outstanding.items():
        if count:
            yield "under way", kind, count


def _hubs(world: World) -> Iterator[Fact]:
    names, state = Names(world), hubs(world)
    for (account, region), hub in state.hubs.items():
        on = standards_of(hub, world)
        off = sorted((one, control, why.reason) for (one, control), why in hub.disabled.items() if one in on)
        yield "hub", names[account], region, _pairs(hub.tags), sorted(on), off
    for region, account in state.administrators.items():
        yield "hub administrator", names[account], region


def standards_of(hub: Hub, world: World) -> set[str]:
    """Those that are on or coming on, or not yet off."""
    return {name for name, one in hub.subscriptions.items() if one.is_on(world.clock.now())}


def _pairs(mapping: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(mapping.items())


def ids(world: World) -> frozenset[str]:
    """Of everything that could be made a second time."""
    return frozenset([*world.units, *world.policies, *access(world).permission_sets])


def lost_and_new(before: Iterable[Fact], after: Iterable[Fact]) -> str:
    """How two pictures differ, for people."""
    old, new = list(before), list(after)
    lines = [f"- {fact}" for fact in old if fact not in new or old.count(fact) > new.count(fact)]
    return "\n".join([*lines, *(f"+ {fact}" for fact in new if fact not in old or new.count(fact) > old.count(fact))])
