"""access/permission-sets.yaml: each permission set with what it has; what it has not is not managed."""

from __future__ import annotations

from typing import Any

from controller.desired.checks.permission_sets import CONTROL_TOWER, INLINE_BYTES
from controller.importing.content import CannotWrite, Contents
from controller.importing.picture import Picture
from controller.importing.write import Block, Said
from controller.resources.permission_set import NO_POLICY, PermissionSet

FILE = "access/permission-sets.yaml"


def write(picture: Picture) -> None:
    """Where only a part of the tree is asked for, none: they belong to the whole organization."""
    if not picture.scope.has(PermissionSet.kind) or not picture.scope.whole_tree:
        return
    contents, live = Contents(picture), picture.seen.live.of(PermissionSet)
    for name in sorted(CONTROL_TOWER & live.keys()):
        picture.notes.left_out(f"permission set {name}", "AWS Control Tower's own, never touched")
    said = [_document(picture, live[name], contents) for name in sorted(live) if name not in CONTROL_TOWER]
    picture.put(FILE, "permission_set", said, above="What one may do, once signed in.")


def is_managed(picture: Picture, permission_set: PermissionSet) -> bool:
    """Whether its assignments are git's to state."""
    return permission_set.name not in CONTROL_TOWER and picture.not_ours(permission_set) is None


def _document(picture: Picture, one: PermissionSet, contents: Contents) -> dict[str, Any]:
    head: dict[str, Any] = {"kind": "PermissionSet", "name": one.name}
    inline, why = None, picture.not_ours(one)
    if why is not None:
        picture.notes.look(f"permission set {one.name}", f"named, but not managed: {why}")
        return {**head, "external": Said(True, why)}
    if not one.provisioned:
        why = "edited, and not provisioned since: applying provisions it"
        head["name"] = Said(one.name, why)
        picture.notes.look(f"permission set {one.name}", why)
    try:
        if one.inline_policy not in (None, NO_POLICY):
            assert one.inline_policy is not None
            inline = Block(contents.write(one.inline_policy, "PermissionSet", INLINE_BYTES))
    except CannotWrite as error:
        picture.notes.left_out(f"inline policy of permission set {one.name}", f"not managed: {error}")
    said = {**head, **attributes(one), "inline_policy": inline, "tags": picture.tags(one)}
    return {key: value for key, value in said.items() if value}


def attributes(one: PermissionSet) -> dict[str, Any]:
    """All but its inline policy and tags, as the format has them; what it lacks is empty."""
    return {
        "description": one.description,
        "session_duration": one.session_duration,
        "relay_state": one.relay_state,
        "managed_policies": sorted(one.managed_policies or ()),
        "customer_managed_policies": [_customer(policy) for policy in sorted(one.customer_managed_policies or ())],
        "permissions_boundary": _boundary(one.permissions_boundary),
    }


def _customer(policy: str) -> dict[str, str]:
    path, _, name = policy.rpartition("/")
    return {"name": name, **({"path": f"{path}/"} if path else {})}


def _boundary(boundary: str | None) -> dict[str, Any]:
    if not boundary:
        return {}
    if boundary.startswith("/"):
        return {"customer_managed_policy": _customer(boundary)}
    return {"managed_policy": boundary}
