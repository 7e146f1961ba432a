"""People, permission sets, and who has them where: written into the world as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controller.desired.documents.assignments import Assignment as Line
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.permission_set import PermissionSet as Wanted
from controller.sandbox.directory import Directory, directory
from controller.sandbox.document import LiveAssignment, LivePermissionSet
from controller.sandbox.identity_center.state import Access, Assignment, PermissionSet, access
from controller.sandbox.seed.ground import Ground
from controller.sandbox.seed.organization import minified


def plant(ground: Ground) -> None:
    """All of Identity Center and the Identity Store."""
    directory(ground.world).region = ground.document.identity_center_region
    _people(ground)
    _permission_sets(ground)
    edits = _assignments_and_edits(ground)
    _edit(ground, edits)


def _people(ground: Ground) -> None:
    store, people = directory(ground.world), ground.document.people
    if people is None:
        lines = [line for found in ground.estate.of(Assignments) for line in found.model.assignments]
        for name in dict.fromkeys(line.user for line in lines if line.user):
            _person(ground, store, name, None, None)
        for name in dict.fromkeys(line.group for line in lines if line.group):
            store.add_group(ground.world, name)
        return
    for name, person in people.users.items():
        _person(ground, store, name, person.display_name, person.email)
    for name, members in people.groups.items():
        group = store.add_group(ground.world, name)
        for member in members:
            if member in store.user_ids:
                store.join(ground.world, group, store.users[store.user_ids[member]])


def _person(ground: Ground, store: Directory, name: str, display_name: str | None, email: str | None) -> None:
    shown = display_name or name
    given, _, family = shown.partition(" ")
    attributes: dict[str, Any] = {"DisplayName": shown, "Name": {"GivenName": given, "FamilyName": family or given}}
    if email:
        attributes["Emails"] = [{"Value": email, "Type": "work", "Primary": True}]
    store.add_user(ground.world, name, attributes)


def _permission_sets(ground: Ground) -> None:
    """As git says; hand-made edits come once it is provisioned."""
    state = access(ground.world)
    for found in ground.estate.of(Wanted):
        wanted = found.model
        if wanted.deleted or not ground.exists("permission_set", wanted.name):
            continue
        made = state.add(ground.world, wanted.name)
        _write(ground, made, wanted)
        if not (wanted.external or wanted.released):
            made.tags = ground.tags("permission_set", wanted.name, wanted.tags, None)
    for name in ground.document.permission_sets:
        if name not in state.arns:
            state.add(ground.world, name)


def _write(ground: Ground, made: PermissionSet, given: Wanted | LivePermissionSet) -> None:
    """Every attribute that `given` states."""
    if given.description is not None:
        made.description = given.description
    if given.session_duration is not None:
        made.session_duration = given.session_duration
    if given.relay_state is not None:
        made.relay_state = given.relay_state
    if given.managed_policies is not None:
        made.managed = dict.fromkeys(_arn(ground, policy) for policy in given.managed_policies)
    if given.customer_managed_policies is not None:
        made.customer = {(policy.name, policy.path): None for policy in given.customer_managed_policies}
    if given.inline_policy is not None:
        made.inline = minified(ground, given.inline_policy) if given.inline_policy else ""
    if given.permissions_boundary is not None:
        made.boundary = _boundary(ground, given.permissions_boundary)


def _boundary(ground: Ground, boundary: Any) -> dict[str, Any] | None:
    if boundary.managed_policy:
        return {"ManagedPolicyArn": _arn(ground, boundary.managed_policy)}
    if boundary.customer_managed_policy:
        policy = boundary.customer_managed_policy
        return {"CustomerManagedPolicyReference": {"Name": policy.name, "Path": policy.path}}
    return None


def _arn(ground: Ground, policy: str) -> str:
    return policy if policy.startswith("arn:") else f"arn:{ground.world.partition}:iam::aws:policy/{policy}"


def _assignments_and_edits(ground: Ground) -> dict[str, LivePermissionSet]:
    """Assign, provisioning what git says first; returns the edits that never reached an account."""
    state, late = access(ground.world), {}
    for name, real in ground.document.permission_sets.items():
        if real.provisioned:
            _edit(ground, {name: real})
        else:
            late[name] = real
    for found in ground.estate.of(Assignments):
        for line in found.model.assignments:
            _assign(ground, state, line)
    for extra in ground.document.assignments:
        for assignment in _rows(ground, state, extra):
            if extra.missing:
                state.revoke(assignment)
            else:
                state.assign(assignment)
    return late


def _edit(ground: Ground, edits: dict[str, LivePermissionSet]) -> None:
    state = access(ground.world)
    for name, real in edits.items():
        made = state.permission_sets[state.arns[name]]
        _write(ground, made, real)
        if real.tags is not None:
            owner = {key: value for key, value in made.tags.items() if key.startswith("orgctl:")}
            made.tags = {**real.tags, **owner}


def _assign(ground: Ground, state: Access, line: Line) -> None:
    if line.until is not None and line.until <= ground.world.clock.datetime():
        return
    principal = _principal(ground, line.group, line.user)
    if principal is None:
        return
    for id in ground.selected(line.targets):
        for name in line.permission_sets:
            shown = f"{line.group or line.user}/{name}/{ground.handle(id)}"
            if name in state.arns and ground.exists("account_assignment", shown):
                state.assign(Assignment(id, state.arns[name], *principal))


def _principal(ground: Ground, group: str | None, user: str | None) -> tuple[str, str] | None:
    store = directory(ground.world)
    id = store.group_ids.get(group or "") or store.user_ids.get(user or "")
    return None if id is None else ("GROUP" if group else "USER", id)


def _rows(ground: Ground, state: Access, extra: LiveAssignment) -> Iterator[Assignment]:
    principal = _principal(ground, extra.group, extra.user)
    if extra.deleted_group or extra.deleted_user:
        principal = ("GROUP" if extra.deleted_group else "USER", ground.world.uuid())
    for name in extra.accounts:
        id = ground.account(name)
        if principal is not None and id is not None and extra.permission_set in state.arns:
            yield Assignment(id, state.arns[extra.permission_set], *principal)
