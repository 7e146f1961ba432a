"""From what was read to a sandbox that runs."""

from __future__ import annotations

from pathlib import Path

from controller.desired.estate import Estate
from controller.desired.templates import TemplateError
from controller.errors import InvalidInput, Problem
from controller.sandbox.document import SandboxWorld
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed import access, organization, security_hub
from controller.sandbox.seed.ground import Ground
from controller.sandbox.seed.reading import read
from controller.sandbox.world import World


def seeded(*paths: Path, virtual: bool = False, random_seed: int = 0, unowned: bool = False) -> Sandbox:
    """A new sandbox, seeded from the YAML in all `paths`, its faults, latency and rates in force.

    Args:
        virtual: Its time stands still but for what moves it on purpose.
        unowned: Nothing carries an owner's tag, whatever the seed says: as before orgctl came.

    Raises:
        InvalidInput: The YAML is wrong.
    """
    seed = read(*paths)
    document = seed.document
    if unowned:
        document = document.model_copy(update={"owned_by": "", "owned_by_others": {}})
    management = document.management.id
    sandbox = Sandbox.create(virtual=virtual, seed=random_seed, management_account=management)
    try:
        sow(sandbox.world, seed.estate, document)
    except TemplateError as error:  # git's content was checked; a live policy's was not
        fix = "Declare it in `accounts`, or correct the policy's content."
        raise InvalidInput([Problem(str(paths[0]), 0, 0, f"SandboxWorld: {error.why}", fix)]) from error
    sandbox.latency = dict(document.latency)
    if document.rates is not None:
        sandbox.rates.set(document.rates)
    for fault in document.faults:
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
