"""Puts the lockout prover together: what must stay allowed here, and the organization that a plan would change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from controller.aws.api import Here
from controller.config import Settings
from controller.desired.documents.organization import Organization
from controller.desired.documents.security_hub import SecurityHub
from controller.desired.estate import Estate
from controller.planning.lockout import Prove, Prover
from controller.planning.needs import Whereabouts, needs
from controller.policy.match import ANY
from controller.resources.base import Desired, Kind, Live
from controller.resources.pictures import Painter


def prover(
    kinds: Iterable[Kind[Any]],
    estate: Estate,
    live: Live,
    desired: Mapping[str, Desired[Any]],
    here: Here,
    settings: Settings,
) -> Prove:
    """What says whether changes lock anybody out."""
    callers = [kind for kind in kinds if kind.member_actions]
    actions = frozenset(action for kind in callers for action in kind.member_actions)
    cells = _cells(callers, live, desired)
    must = needs(whereabouts(here, estate), settings.member_role, actions, cells, settings.break_glass)

    @cache
    def painter() -> Painter:
        return Painter(estate, live, desired)

    return Prover(lambda: painter().before(), lambda before, changes: painter().after(before, changes), must)


def _cells(
    callers: Iterable[Kind[Any]], live: Live, desired: Mapping[str, Desired[Any]]
) -> set[tuple[str, str]] | None:
    """(account, Region) where the controller calls with the member role; None where that could not be observed."""
    found: set[tuple[str, str]] = set()
    for kind in callers:
        if kind.name not in desired:
            return None
        for one in (*desired[kind.name].resources.values(), *live.of(kind.resource).values()):
            found.add((getattr(one, "account", ""), getattr(one, "region", "")))
    return found


def whereabouts(here: Here, estate: Estate) -> Whereabouts:
    """Where the controller is, with the Regions that git governs."""
    regions = [region for document in estate.of(Organization) for region in document.model.regions or ()]
    regions += [region for document in estate.of(SecurityHub) for region in document.model.regions or ()]
    return Whereabouts(
        here.organization_id,
        here.management_account,
        here.partition,
        principal_of(here.caller),
        here.identity_center_region,
        tuple(dict.fromkeys(regions)),
    )


def principal_of(caller: str) -> str:
    """aws:PrincipalArn of what GetCallerIdentity calls ``arn:aws:sts::…:assumed-role/Name/session``: the role's own, of
    which that does not show the path (IAM User Guide, "AWS global condition context keys", aws:PrincipalArn).
    """
    found = re.fullmatch(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.*", caller)
    return f"arn:{found[1]}:iam::{found[2]}:role/{ANY}{found[3]}" if found else caller
