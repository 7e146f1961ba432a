"""OUs, accounts, policies, trust: written into the world as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from controller.desired import paths, templates
from controller.desired.documents.accounts import AccountEntry, Contacts
from controller.desired.documents.organization import Organization
from controller.desired.documents.policies import Policy
from controller.sandbox.document import LiveAccount, LivePolicy, LiveUnit
from controller.sandbox.security_hub.administration import SERVICE as SECURITY_HUB
from controller.sandbox.security_hub.state import Hub, hubs
from controller.sandbox.seed.ground import Ground
from controller.sandbox.world import SimPolicy

POLICY_TYPES = {
    "service_control": "SERVICE_CONTROL_POLICY",
    "resource_control": "RESOURCE_CONTROL_POLICY",
    "tag": "TAG_POLICY",
    "backup": "BACKUP_POLICY",
    "ai_services_opt_out": "AISERVICES_OPT_OUT_POLICY",
    "declarative": "DECLARATIVE_POLICY_EC2",
}
KINDS = {
    "ServiceControlPolicy": "service_control",
    "ResourceControlPolicy": "resource_control",
    "TagPolicy": "tag",
    "BackupPolicy": "backup",
    "AiServicesOptOutPolicy": "ai_services_opt_out",
    "DeclarativePolicy": "declarative",
}
_CREATED_WITH = "OrganizationAccountAccessRole"
"""The role that AWS makes in every account it creates (Organizations API reference, CreateAccount)."""


def plant(ground: Ground) -> None:
    """All of AWS Organizations, and the accounts' contacts and roles."""
    _name_the_organization(ground)
    _units(ground)
    _accounts(ground)
    _services(ground)
    _policies(ground)


def _name_the_organization(ground: Ground) -> None:
    world, document = ground.world, ground.document
    world.organization_id = document.organization or world.organization_id
    if document.root:
        _rename_root(ground, document.root)
    ground.units["/"] = world.root_id
    management = world.accounts[world.management_account]
    del world.emails[management.email.lower()]
    management.name, management.email = document.management.name, document.management.email
    world.emails[management.email.lower()] = management.id
    ground.accounts[management.name], ground.names[management.id] = management.id, management.name


def _rename_root(ground: Ground, id: str) -> None:
    """Give the root of a new world, in which there is only the management account, another id."""
    world, old = ground.world, ground.world.root_id
    root = world.units.pop(old)
    world.root_id = root.id = id
    world.units[id] = root
    world.children[id], world.attached[id] = world.children.pop(old), world.attached.pop(old)
    world.accounts[world.management_account].parent = id
    for policy in world.policies.values():
        policy.targets = {id if target == old else target: None for target in policy.targets}


def _units(ground: Ground) -> None:
    live = ground.document.units
    for path, entry in ground.estate.units.items():
        if not entry.deleted and ground.exists("organizational_unit", path) and paths.parent(path) in ground.units:
            real = live.get(path, LiveUnit())
            tags = ground.tags("organizational_unit", path, entry.tags, real.tags)
            _unit(ground, path, real.name or entry.name, tags if not entry.external else dict(real.tags or {}))
    for path, unit in live.items():
        if path not in ground.estate.units:
            _unit(ground, path, unit.name or paths.names(path)[-1], dict(unit.tags or {}))


def _unit(ground: Ground, path: str, name: str, tags: dict[str, str]) -> None:
    unit = ground.world.add_unit(name, ground.unit(paths.parent(path)), tags=tags)
    ground.units[path], ground.names[unit.id] = unit.id, path


def _accounts(ground: Ground) -> None:
    live = ground.document.accounts
    taken = {entry.id for entry in ground.estate.accounts.values()} | {real.id for real in live.values()}
    for handle in {**ground.estate.accounts, **live}:
        entry = ground.estate.accounts.get(handle) or AccountEntry()
        if handle in live or ground.exists("account", handle):
            _account(ground, handle, entry, live.get(handle) or LiveAccount(), taken)


def _account(ground: Ground, handle: str, entry: AccountEntry, real: LiveAccount, taken: set[str | None]) -> None:
    world, role = ground.world, ground.document.member_role
    id, email = entry.id or real.id, real.email or entry.email or f"{handle}@example.com"
    management = world.accounts[world.management_account]
    if handle == management.name or id == management.id or email.lower() == management.email.lower():
        account = management
    else:
        while id is None or id in world.accounts:
            made = world.new_account_id()
            id = made if made not in taken else None
        unit = ground.unit(real.unit or entry.unit or "/")
        account = world.add_account(real.name or entry.name or handle, email, unit, id=id, state=real.state)
        account.roles = {_CREATED_WITH} if {handle, id} & {*role.missing_in} else {_CREATED_WITH, role.name}
    ground.accounts[handle], ground.names[account.id] = account.id, handle
    account.tags = dict((entry.tags if real.tags is None else real.tags) or {})
    account.contacts = dict(_contacts((entry.contacts if real.contacts is None else real.contacts) or Contacts()))
    account.regions_off = set(real.disabled_regions)


def _contacts(contacts: Contacts) -> Iterator[tuple[str, dict[str, str]]]:
    for type in ("BILLING", "OPERATIONS", "SECURITY"):
        contact = getattr(contacts, type.lower())
        if contact is not None:
            yield (
                type,
                {
                    "Name": contact.name,
                    "Title": contact.title,
                    "EmailAddress": contact.email,
                    "PhoneNumber": contact.phone,
                },
            )


def _services(ground: Ground) -> None:
    world, now = ground.world, ground.world.clock.now()
    organization = next((found.model for found in ground.estate.of(Organization)), Organization(kind="Organization"))
    for type in organization.policy_types:
        if POLICY_TYPES[type] not in world.policy_types and ground.exists("policy_type", type):
            world.policy_types[POLICY_TYPES[type]] = ("ENABLED", now)
            world.attach_default(POLICY_TYPES[type])
    for service in organization.trusted_services:
        if ground.exists("trusted_service", service):
            world.trusted_services[service] = now
    world.trusted_services.update(dict.fromkeys(ground.document.trusted_services, now))
    for account, services in organization.delegated_administrators.items():
        _delegate(ground, account, [s for s in services if ground.exists("delegated_administrator", f"{account}/{s}")])
    for account, services in ground.document.delegated_administrators.items():
        _delegate(ground, account, services)


def _delegate(ground: Ground, account: str, services: list[str]) -> None:
    """Security Hub's administrator is one in every governed Region, and has its hub on there."""
    id, now = ground.account(account), ground.world.clock.now()
    if id is None:
        return
    for service in services:
        ground.world.trusted_services.setdefault(service, now)
        ground.world.delegated.setdefault(service, {})[id] = now
        if service == SECURITY_HUB:
            for region in ground.regions:
                hubs(ground.world).administrators[region] = id
                hubs(ground.world).hubs.setdefault((id, region), Hub(now))


def _policies(ground: Ground) -> None:
    named: set[tuple[str, str]] = set()
    live = {(policy.kind, policy.name): policy for policy in ground.document.policies}
    for found in ground.estate.of(Policy):
        policy = found.model
        named.add((policy.kind, policy.name))
        real = live.get((policy.kind, policy.name)) or LivePolicy(kind=policy.kind, name=policy.name)
        if not policy.deleted and ground.exists(f"{KINDS[policy.kind]}_policy", policy.name):
            _policy(ground, policy, real)
    for key, real in live.items():
        if key not in named:
            _policy(ground, Policy(kind=real.kind, name=real.name, external=True), real)


def _policy(ground: Ground, policy: Policy, real: LivePolicy) -> None:
    type = POLICY_TYPES[KINDS[policy.kind]]
    planted = next((p for p in ground.world.policies.values() if p.aws_managed and p.name == policy.name), None)
    if planted is None:
        planted = _new_policy(ground, policy, real)
    elif policy.detached_from is not None:
        _attach(ground, planted, (), ground.targets(policy.detached_from))
    if ground.world.policy_type_status(type) is None:
        return
    over = policy.until is not None and policy.until <= ground.world.clock.datetime()
    wanted = [] if over else list(ground.targets(policy.targets))
    _attach(ground, planted, [*wanted, *ground.targets(real.attached_to)], ground.targets(real.detached_from))


def _new_policy(ground: Ground, policy: Policy, real: LivePolicy) -> SimPolicy:
    kind = KINDS[policy.kind]
    ours = not (policy.external or policy.released)
    tags = ground.tags(f"{kind}_policy", policy.name, policy.tags, real.tags) if ours else dict(real.tags or {})
    content = real.content_text or minified(ground, policy.content if real.content is None else real.content)
    description = policy.description if real.description is None else real.description
    return ground.world.add_policy(
        real.called or policy.name, POLICY_TYPES[kind], content, description or "", tags=tags
    )


def _attach(ground: Ground, policy: SimPolicy, on: Any, off: Any) -> None:
    gone = set(off)
    for target in on:
        if target not in gone:
            ground.world.attach(policy.id, target)
    for target in gone & set(policy.targets):
        ground.world.detach(policy.id, target)


def minified(ground: Ground, content: dict[str, Any] | None) -> str:
    """Content as it is sent, its names replaced."""
    rendered = templates.render(dict(content or {}), ground)
    return json.dumps(rendered, separators=(",", ":"), ensure_ascii=False)
