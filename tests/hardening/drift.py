"""What people do by hand to an organization that orgctl manages."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from controller.sandbox.identity_center.state import access
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import hubs
from controller.sandbox.world import World
from tests.hardening.commits import ACCOUNTS, MANAGED, some
from tests.hardening.laws import THEIRS


def drift(sandbox: Sandbox, random: Random) -> None:
    """Some of everything."""
    with sandbox.world.lock:
        for happening in some(random, HAPPENINGS):
            happening(sandbox.world, random)


def _detached(world: World, random: Random) -> None:
    for policy in [policy for policy in world.policies.values() if policy.name not in THEIRS | {"FullAWSAccess"}]:
        for target in some(random, [*policy.targets]):
            if len(world.attached[target]) > 1:
                world.detach(policy.id, target)


def _attached(world: World, random: Random) -> None:
    policies = [one for one in world.policies.values() if one.name not in THEIRS and not one.aws_managed]
    for policy in policies:
        for target in some(random, [id for id in world.attached if not _is_theirs(world, id)], 2):
            world.attach(policy.id, target)


def _moved(world: World, random: Random) -> None:
    for account in [one for one in world.accounts.values() if one.name in ACCOUNTS]:
        if random.random() < 0.5:
            world.move(account.id, random.choice([id for id in world.units if not _is_theirs(world, id)]))


def _retagged(world: World, random: Random) -> None:
    found = [unit.tags for unit in world.units.values() if unit.parent is not None and unit.name != "Theirs"]
    found += [account.tags for account in world.accounts.values() if account.name in ACCOUNTS]
    found += [policy.tags for policy in world.policies.values() if not policy.aws_managed and policy.name != "theirs"]
    for tags in found:
        if random.random() < 0.3:
            tags["drift"] = "1"


def _edited(world: World, random: Random) -> None:
    for found in access(world).permission_sets.values():
        if found.name not in THEIRS and random.random() < 0.5:
            found.managed[f"arn:aws:iam::aws:policy/{random.choice(MANAGED)}"] = None


def _assigned(world: World, random: Random) -> None:
    state = access(world)
    for one in some(random, [*state.assignments()]):
        if state.permission_sets[one.permission_set].name not in THEIRS:
            state.revoke(one)
            if random.random() < 0.5:
                other = random.choice([account.id for account in world.accounts.values() if account.name in ACCOUNTS])
                state.assign(one._replace(account=other))


def _standards(world: World, random: Random) -> None:
    for hub in hubs(world).hubs.values():
        for standard in some(random, [*hub.subscriptions]):
            del hub.subscriptions[standard]


def _hubs_off(world: World, random: Random) -> None:
    for place in some(random, [*hubs(world).hubs]):
        del hubs(world).hubs[place]


def _controls(world: World, random: Random) -> None:
    for hub in hubs(world).hubs.values():
        for key in some(random, [*hub.disabled]):
            del hub.disabled[key]


def _rewritten(world: World, random: Random) -> None:
    for policy in [policy for policy in world.policies.values() if policy.name not in THEIRS | {"FullAWSAccess"}]:
        if random.random() < 0.5:
            policy.content = policy.content.replace(":*", ":List*")


def _untrusted(world: World, random: Random) -> None:
    for service in some(random, [*world.trusted_services]):
        if service != "sso.amazonaws.com":
            del world.trusted_services[service]


def _is_theirs(world: World, id: str) -> bool:
    return (world.accounts.get(id) or world.units[id]).name in {"theirs", "Theirs"}


HAPPENINGS: tuple[Callable[[World, Random], None], ...] = (
    _detached, _attached, _moved, _retagged, _edited, _assigned, _standards, _hubs_off, _controls, _rewritten,
    _untrusted,
)  # fmt: skip
