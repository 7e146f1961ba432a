"""organization.yaml: Regions, policy types, trusted services, delegated administrators."""

from __future__ import annotations

import re
from typing import Any

from controller.desired.documents.base import SERVICE
from controller.importing.picture import Picture
from controller.resources.delegated_administrator import SECURITY_HUB, DelegatedAdministrator
from controller.resources.policy_type import AWS_TYPES, ENABLED, PolicyType
from controller.resources.trusted_service import TrustedService

FILE = "organization.yaml"
KINDS = (PolicyType.kind, TrustedService.kind, DelegatedAdministrator.kind)


def write(picture: Picture) -> None:
    """Nothing, where only a part of the tree is asked for."""
    if not picture.scope.whole_tree or not any(map(picture.scope.has, KINDS)):
        return
    said: dict[str, Any] = {
        "kind": "Organization",
        "regions": list(picture.seen.regions),
        "policy_types": _policy_types(picture),
        "trusted_services": _trusted_services(picture),
        "delegated_administrators": _administrators(picture),
    }
    made = {key: value for key, value in said.items() if value}
    picture.put(
        FILE, "organization", [made], above="What holds for the whole organization. Nothing here is exhaustive."
    )


def _policy_types(picture: Picture) -> list[str]:
    live = picture.seen.live.of(PolicyType)
    if not picture.scope.has(PolicyType.kind):
        return []
    for key, type in live.items():
        if type.status != ENABLED:
            picture.notes.left_out(f"policy type {key}", f"it is {type.status} just now")
    return [key for key in AWS_TYPES if key in live and live[key].status == ENABLED]


def _trusted_services(picture: Picture) -> list[str]:
    if not picture.scope.has(TrustedService.kind):
        return []
    found = sorted(picture.seen.live.of(TrustedService))
    for principal in found:
        if not re.fullmatch(SERVICE, principal):
            picture.notes.left_out(f"trusted service {principal}", "the format has no such service principals")
    return [principal for principal in found if re.fullmatch(SERVICE, principal)]


def _administrators(picture: Picture) -> dict[str, list[str]]:
    if not picture.scope.has(DelegatedAdministrator.kind):
        return {}
    found: dict[str, list[str]] = {}
    for one in picture.seen.live.of(DelegatedAdministrator).values():
        if (why := _why_not(picture, one)) is not None:
            picture.notes.left_out(f"delegated administrator {one.name}", why)
        else:
            found.setdefault(picture.account(one.account), []).append(one.service)
    return {account: sorted(found[account]) for account in sorted(found)}


def _why_not(picture: Picture, one: DelegatedAdministrator) -> str | None:
    if one.account not in picture.accounts:
        return "its account is not in the organization"
    if one.service == SECURITY_HUB and one.regions != frozenset(picture.seen.regions):
        where = ", ".join(sorted(one.regions or ())) or "no Region"
        return f"it administers Security Hub in {where}, and not in exactly the governed Regions"
    if not re.fullmatch(SERVICE, one.service):
        return "the format has no such service principals"
    return None
