"""units.yaml: the tree of OUs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from controller.desired import paths
from controller.importing.names import can_be_declared
from controller.importing.picture import Picture
from controller.importing.write import Block, Said
from controller.resources.organizational_unit import OrganizationalUnit

FILE = "units.yaml"


def write(picture: Picture) -> None:
    """OUs in the order of their names; what lies in one that git cannot name is reached by id."""
    if not picture.scope.has(OrganizationalUnit.kind):
        return
    said: dict[str, dict[str, Any]] = {}
    for path, unit in picture.units.items():
        if path == paths.ROOT or not picture.scope.covers(path):
            continue
        if can_be_declared(path):
            said[path] = _attributes(picture, unit)
        else:
            picture.notes.left_out(
                f"organizational unit {path}",
                f"its path has a name that git cannot write; it goes by its id, {unit.id}",
            )
    for above in {above for path in said for above in paths.ancestors(path)[1:-1]} - said.keys():
        picture.unit(above)  # an OU around those that are asked for: declared elsewhere
    if tree := nested(said):
        above = "The tree that accounts live in. A policy on a unit holds for everything below it."
        picture.put(FILE, "organizational_units", [{"kind": "OrganizationalUnits", "units": tree}], above=above)


def nested(said: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """path → attributes, as a tree; an OU on the way that is not among them is bare."""
    every = {step for path in said for step in paths.ancestors(path)} - {paths.ROOT}
    return _below(paths.ROOT, sorted(every, key=paths.names), said)


def _below(parent: str, every: Iterable[str], said: dict[str, dict[str, Any]]) -> Block:
    tree = Block()
    inside = [path for path in every if path != parent and paths.within(path, [parent])]
    for path in inside:
        if paths.parent(path) == parent:
            units = _below(path, inside, said)
            name = path[len("" if parent == paths.ROOT else parent) + 1 :]
            tree[name] = Block({**said.get(path, {}), "units": units}) if units else said.get(path) or None
    return tree


def _attributes(picture: Picture, unit: OrganizationalUnit) -> dict[str, Any]:
    if (why := picture.not_ours(unit)) is not None:
        picture.notes.look(f"organizational unit {unit.key}", why)
        return {"external": Said(True, why)}
    tags = picture.tags(unit)
    return {"tags": tags} if tags else {}
