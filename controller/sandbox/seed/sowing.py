"""From what was read to a sandbox that runs."""

from __future__ import annotations

from pathlib import Path

from controller.desired.estate import Estate
from controller.sandbox.document import SandboxWorld
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed import access, organization, security_hub
from controller.sandbox.seed.ground import Ground
from controller.sandbox.seed.reading import read
from controller.sandbox.world import World


def seeded(*paths: Path, virtual: bool = False, random_seed: int = 0) -> Sandbox:
    """A new sandbox, seeded from the YAML in all `paths`, its faults, latency and rates in force.

    Args:
        virtual: Its time stands still but for what moves it on purpose.

    Raises:
        InvalidInput: The YAML is wrong.
    """
    seed = read(*paths)
    management = seed.document.management.id
    sandbox = Sandbox.create(virtual=virtual, seed=random_seed, management_account=management)
    sow(sandbox.world, seed.estate, seed.document)
    sandbox.latency = dict(seed.document.latency)
    if seed.document.rates is not None:
        sandbox.rates.set(seed.document.rates)
    for fault in seed.document.faults:
        sandbox.faults.add(**fault.model_dump())
    return sandbox


def sow(world: World, estate: Estate, document: SandboxWorld | None = None) -> Ground:
    """Write everything into a new world, in which there is nothing but its management account.

    Raises:
        KeyError: Content names an account that neither side declares.
    """
    document = document or SandboxWorld(kind="SandboxWorld")
    ground = Ground(world, estate, document)
    world.rules.set(document.rules)
    world.delays.update(document.delays)
    role = document.member_role
    if role.external_id:
        world.data.setdefault("sts", {}).setdefault("external_ids", {})[role.name] = role.external_id
    organization.plant(ground)
    access.plant(ground)
    security_hub.plant(ground)
    return ground
