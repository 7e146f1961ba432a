"""A SandboxWorld that completes the imported files: the same organization, to rehearse changes on."""

from __future__ import annotations

from collections.abc import Iterator
from glob import escape
from typing import Any

from pydantic import ValidationError

from controller.aws.api import Reader
from controller.catalogue.security_hub import STANDARDS, control_ids
from controller.desired.checks.permission_sets import CONTROL_TOWER
from controller.desired.documents.accounts import AccountEntry
from controller.importing.names import can_be_declared
from controller.importing.permission_sets import attributes, is_managed
from controller.importing.picture import Picture
from controller.importing.policies import is_written_whole, places_of
from controller.importing.security_hub import why_not
from controller.importing.write import Block, comment, document
from controller.resources.account import Account
from controller.resources.account_assignment import AccountAssignment
from controller.resources.base import OWNER_TAG, Resource
from controller.resources.organizational_unit import ROOT, OrganizationalUnit
from controller.resources.permission_set import NO_POLICY, PermissionSet
from controller.resources.policies import POLICY_KINDS, targets_of
from controller.resources.security_hub import Seen
from controller.resources.security_hub_cell import SecurityHub

_ABOVE = """The rest of the organization, for `orgctl sandbox --seed` with this file: ids, owners, states, and what git
does not say. It is not part of the desired state, and must not lie among its files."""


def write(picture: Picture, aws: Reader, estate: str) -> str:
    """The document.

    Args:
        aws: For where the policies are attached that git does not describe.
        estate: The directory of the imported files, as seen from this one.
    """
    management = picture.accounts[picture.seen.here.management_account]
    said: dict[str, Any] = {
        "kind": "SandboxWorld",
        "estate": estate,
        "organization": picture.seen.here.organization_id,
        "root": picture.units[ROOT].id,
        "management": {
            "id": management.key,
            # So that git's entry and this account are one.
            "name": management.title or management.name,
            **_email(management),
        },
        "identity_center_region": picture.seen.here.identity_center_region,
        "member_role": {"name": picture.seen.here.member_role},
        **_owners(picture),
        "people": _people(picture),
        "accounts": Block(_accounts(picture)),
        "units": _units(picture),
        "policies": list(_policies(picture, aws)),
        "permission_sets": dict(_permission_sets(picture)),
        "assignments": list(_assignments(picture)),
        "security_hub": list(_hubs(picture)),
        "lacking": dict(_lacking(picture)),
    }
    kept = {key: value for key, value in said.items() if value or key == "owned_by"}
    return comment(_ABOVE) + document(kept)


def _email(account: Account) -> dict[str, str]:
    try:
        return {"email": str(AccountEntry(email=account.email).email)} if account.email else {}
    except ValidationError:
        return {}


def _owners(picture: Picture) -> dict[str, Any]:
    """Whose things are: by default ours where any are, else nobody's."""
    owners = dict(_owned(picture))
    instance = picture.seen.here.instance
    if instance not in owners.values():
        return {"owned_by": "", "owned_by_others": {name: owner for name, owner in owners.items() if owner}}
    return {
        "owned_by": instance,
        "not_owned": [name for name, owner in owners.items() if owner is None],
        "owned_by_others": {name: owner for name, owner in owners.items() if owner not in (None, instance)},
    }


def _owned(picture: Picture) -> Iterator[tuple[str, str | None]]:
    """Glob for just this thing, as plans show it → its owner."""
    live = picture.seen.live
    kinds: list[type[Resource]] = [OrganizationalUnit, *(k.resource for k in POLICY_KINDS), PermissionSet, SecurityHub]
    for kind in kinds:
        for key, one in sorted(live.of(kind).items()):
            if key != ROOT and not getattr(one, "aws_managed", False):
                yield escape(f"{kind.kind}{_shown(picture, one)}"), one.owner


def _shown(picture: Picture, one: Resource) -> str:
    if isinstance(one, SecurityHub):
        return f"/{picture.seen.handles[one.account]}/{one.region}"
    return one.key if one.key.startswith("/") else f"/{one.key}"


def _people(picture: Picture) -> dict[str, Any]:
    """Those who have access somewhere, by name. Nothing else about them is read."""
    live = picture.seen.live.of(AccountAssignment).values()
    found = sorted({one.principal for one in live if not one.is_orphaned and not one.principal.is_id})
    users = Block({one.name: {} for one in found if one.type == "user"})
    groups = Block({one.name: [] for one in found if one.type == "group"})
    return {key: value for key, value in (("users", users), ("groups", groups)) if value}


def _accounts(picture: Picture) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for id, account in picture.accounts.items():
        said: dict[str, Any] = {"id": id, **_email(account)}
        if account.title and account.title != picture.seen.handles[id]:
            said["name"] = account.title
        if not account.active or not can_be_declared(account.unit or ROOT):
            said["unit"] = account.unit or ROOT
        if not account.active:
            said |= {"state": account.state, "tags": dict(sorted((account.tags or {}).items()))}
        found[picture.seen.handles[id]] = said
    return {handle: found[handle] for handle in sorted(found)}


def _units(picture: Picture) -> dict[str, Any]:
    """Those that git cannot name, or that are another's."""
    return Block(
        {
            path: {"tags": _all_tags(unit)}
            for path, unit in picture.units.items()
            if path != ROOT and (not can_be_declared(path) or picture.not_ours(unit) is not None)
        }
    )


def _all_tags(one: Resource) -> dict[str, str]:
    tags = dict(sorted((getattr(one, "tags", None) or {}).items()))
    return {**tags, OWNER_TAG: one.owner} if one.owner else tags


def _policies(picture: Picture, aws: Reader) -> Iterator[dict[str, Any]]:
    """Those that git does not describe."""
    keys = {one.id: one.key for one in (*picture.units.values(), *picture.accounts.values())}
    for kind in POLICY_KINDS:
        for name, policy in sorted(picture.seen.live.of(kind.resource).items()):
            if policy.aws_managed or is_written_whole(picture, kind, policy):
                continue
            targets = [keys[id] for id in targets_of(aws, str(policy.id)) if id in keys]
            said = {
                "kind": kind.document,
                "name": name,
                "description": policy.description,
                "tags": _all_tags(policy),
                "content_text": None if policy.content is None else policy.content.text,
                "attached_to": places_of(picture, targets),
            }
            yield {key: value for key, value in said.items() if value}


def _permission_sets(picture: Picture) -> Iterator[tuple[str, Any]]:
    for name, one in sorted(picture.seen.live.of(PermissionSet).items()):
        if not is_managed(picture, one):
            inline = one.inline_policy or NO_POLICY
            said = {**attributes(one), "inline_policy": inline.to_json(), "tags": _all_tags(one)}
            yield name, {key: value for key, value in said.items() if value}


def _assignments(picture: Picture) -> Iterator[dict[str, Any]]:
    """Those of people who are gone, and of permission sets that are not described."""
    sets = picture.seen.live.of(PermissionSet)
    for _, one in sorted(picture.seen.live.of(AccountAssignment).items()):
        if one.is_orphaned:
            who = {f"deleted_{one.principal.type}": str(one.principal_id)}
        elif one.permission_set in CONTROL_TOWER or not is_managed(picture, sets[one.permission_set]):
            who = {one.principal.type: one.principal.name}
        else:
            continue
        yield {**who, "permission_set": one.permission_set, "accounts": [picture.seen.handles[one.account]]}


def _hubs(picture: Picture) -> Iterator[dict[str, Any]]:
    """Those that git does not describe."""
    seen = picture.seen.live.observed.get(SecurityHub.kind)
    if not isinstance(seen, Seen):
        return
    for _, cell in sorted(seen.resources.items()):
        if why_not(picture, cell, seen) is None:
            continue
        known = sorted(cell.standards & STANDARDS.keys())
        disabled = [(*entry.split(" "), reason) for entry, reason in sorted(cell.disabled.items()) if reason]
        said = {
            "accounts": [escape(picture.seen.handles[cell.account])],
            "regions": [cell.region],
            "enabled": True,
            "standards": known,
            "disabled_controls": [
                {"control": control, "reason": reason, "standards": [standard]}
                for standard, control, reason in disabled
                if standard in known
            ],
            "tags": {OWNER_TAG: cell.owner} if cell.owner else {},
        }
        yield {key: value for key, value in said.items() if value}


def _lacking(picture: Picture) -> Iterator[tuple[str, Any]]:
    """What Regions do not have of that the catalogue knows."""
    seen = picture.seen.live.observed.get(SecurityHub.kind)
    if not isinstance(seen, Seen):
        return
    for region in sorted(seen.offered):
        controls = {
            control
            for (place, standard), there in seen.controls.items()
            if place == region
            for control in control_ids(standard) - there
        }
        said = {"standards": sorted(STANDARDS.keys() - seen.offered[region]), "controls": sorted(controls)}
        if any(said.values()):
            yield region, {key: value for key, value in said.items() if value}
