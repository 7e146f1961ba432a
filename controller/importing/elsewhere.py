"""elsewhere.yaml: names that a partial import refers to and does not describe."""

from __future__ import annotations

from typing import Any

from controller.desired import paths
from controller.importing.accounts import identity, shared_emails
from controller.importing.picture import Picture
from controller.importing.units import nested

FILE = "elsewhere.yaml"
_ABOVE = """Named in the other files, and not described there. Where your repository declares them already,
remove them here."""


def write(picture: Picture) -> None:
    """After all others: they say what they refer to."""
    said: list[dict[str, Any]] = []
    if units := picture.elsewhere.get("units"):
        every = {step for path in units for step in paths.ancestors(path)} - {paths.ROOT}
        tree = nested({path: {"external": True} for path in every})
        said.append({"kind": "OrganizationalUnits", "units": tree})
    if accounts := picture.elsewhere.get("accounts"):
        shared, handles = shared_emails(picture), picture.seen.handles
        entries = {handles[id]: {**identity(picture.accounts[id], shared), "external": True} for id in accounts}
        said.append({"kind": "Accounts", "accounts": {handle: entries[handle] for handle in sorted(entries)}})
    sets = sorted(picture.elsewhere.get("permission_sets", ()))
    said += [{"kind": "PermissionSet", "name": name, "external": True} for name in sets]
    picture.put(FILE, "orgctl", said, above=_ABOVE)
