"""Hubs, standards and controls, account by account and Region by Region: written into the world as they are."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from controller.catalogue.security_hub import standard_of
from controller.desired.documents.security_hub import DisabledControl, SecurityHub
from controller.sandbox.document import LiveHub
from controller.sandbox.security_hub.state import Configuration, Disabled, Hub, Hubs, Place, hubs
from controller.sandbox.seed.ground import Ground


def plant(ground: Ground) -> None:
    """All of Security Hub but its administrator."""
    state = hubs(ground.world)
    for region, lack in ground.document.lacking.items():
        state.missing_standards[region] = {standard_of(standard) for standard in lack.standards}
        state.missing_controls[region] = set(lack.controls)
    for found in ground.estate.of(SecurityHub):
        _cover(ground, state, found.model)
    for real in ground.document.security_hub:
        for place in _places(ground, real):
            _lie_over(ground, state, place, real)
    _centralize(ground, state)


def _cover(ground: Ground, state: Hubs, wanted: SecurityHub) -> None:
    for id in ground.selected(wanted.targets):
        for region in wanted.regions or ground.regions:
            name = f"{ground.handle(id)}/{region}"
            if region in ground.world.accounts[id].regions_off or not ground.exists("security_hub", name):
                continue
            hub = _on(ground, state, (id, region))
            hub.tags = ground.tags("security_hub", name, None, None)
            for standard in wanted.standards:
                _enable(ground, state, (id, region), standard)
            _disable(ground, state, (id, region), wanted.disabled_controls)


def _lie_over(ground: Ground, state: Hubs, place: Place, real: LiveHub) -> None:
    if not real.recorder:
        state.no_recorder.add(place)
    if real.enabled is False:
        state.hubs.pop(place, None)
        return
    if real.enabled:
        _on(ground, state, place)
    hub = state.hubs.get(place)
    if hub is None:
        return
    if real.tags is not None:
        hub.tags = {**real.tags, **{key: value for key, value in hub.tags.items() if key.startswith("orgctl:")}}
    if real.standards is not None:
        wanted = {standard_of(standard) for standard in real.standards}
        _forget(hub, [name for name in hub.subscriptions if name not in wanted])
    for standard in [*(real.standards or ()), *real.also]:
        _enable(ground, state, place, standard)
    _forget(hub, real.without)
    _disable(ground, state, place, real.disabled_controls)
    for key in [key for key in hub.disabled if key[1] in real.enabled_controls]:
        del hub.disabled[key]


def _on(ground: Ground, state: Hubs, place: Place) -> Hub:
    return state.hubs.setdefault(place, Hub(ground.world.clock.now()))


def _enable(ground: Ground, state: Hubs, place: Place, standard: str) -> None:
    hub, name, now = state.hubs[place], standard_of(standard), ground.world.clock.now()
    if name not in hub.subscriptions and name in set(state.standards(place[1])):
        hub.enable(name, now, now)


def _forget(hub: Hub, standards: Iterable[str]) -> None:
    for standard in standards:
        hub.forget(standard_of(standard))


def _disable(ground: Ground, state: Hubs, place: Place, off: Iterable[DisabledControl]) -> None:
    hub, now = state.hubs[place], ground.world.clock.now()
    for one in off:
        only = None if one.standards is None else {standard_of(standard) for standard in one.standards}
        for standard in hub.subscriptions:
            if state.has(place[1], standard, one.control) and (only is None or standard in only):
                hub.disabled[standard, one.control] = Disabled(one.reason, now)


def _places(ground: Ground, real: LiveHub) -> list[Place]:
    names = {**{id: id for id in ground.world.accounts}, **{id: handle for handle, id in ground.accounts.items()}}
    ids = [id for id, name in names.items() if any(fnmatchcase(name, glob) or id == glob for glob in real.accounts)]
    return [(id, region) for id in ids for region in real.regions or ground.regions]


def _centralize(ground: Ground, state: Hubs) -> None:
    central = ground.document.central_configuration
    if central is None:
        return
    state.linked = tuple(central.regions)
    state.linking = ("SPECIFIED_REGIONS", state.linked[1:])
    state.by_organization_policy = central.organization_policy
    if central.organization_policy:
        return
    state.configurations[central.regions[0]] = Configuration(type="CENTRAL")
    for target, policy in central.policies.items():
        id = ground.units.get(target) or ground.account(target)
        if id is not None:
            state.policies[id] = policy
