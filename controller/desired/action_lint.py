"""Actions in policy documents: how they are written, and whether IAM knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache

from controller.catalogue.iam import actions, as_of, services, services_under_rcps
from controller.desired.marks import Path
from controller.desired.nearest import did_you_mean
from controller.desired.policy_finding import Finding

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?-]+")
_SERVICES = re.compile(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?-]+")
_FIX = "Write service:Action, as in s3:GetObject."


def check_action(action: str, where: Path, *, rcp: bool) -> Iterator[Finding]:
    """What is wrong or doubtful in one value of Action or NotAction.

    Args:
        rcp: Whether it stands in a resource control policy.
    """
    if action == "*":
        if rcp:  # Organizations User Guide, "RCP syntax", Action element
            what = "an RCP cannot say '*' for all actions: AWS refuses it"
            yield Finding(where, what, "Write a service's, as in s3:*, for each service that it is about.")
    elif not _ACTION.fullmatch(action):
        yield Finding(where, f"{action!r} is not an action", _FIX, warning=bool(_SERVICES.fullmatch(action)))
    elif (doubt := _unknown(action)) is not None:
        yield Finding(where, *doubt, warning=True)
    elif rcp and (service := action.partition(":")[0].casefold()) not in services_under_rcps():
        what = f"RCPs do not bind {service}, as far as AWS's list of {as_of()} goes: {action!r} has no effect"
        yield Finding(where, what, "Use an SCP, or leave it out.", warning=True)


@lru_cache(maxsize=10_000)
def _unknown(action: str) -> tuple[str, str] | None:
    """(what is doubtful, what to do) of an action that IAM does not seem to have."""
    service, _, name = action.partition(":")
    prefix, since = service.casefold(), f"in AWS's list of {as_of()}"
    if prefix not in services():
        return f"{action!r}: there is no service {service!r} {since}", did_you_mean(service, services(), _AGED)
    known = actions(prefix)
    if not re.search(r"[*?]", name):
        if name.casefold() in known:
            return None
        return f"{action!r}: {prefix} has no such action {since}", did_you_mean(name, known.values(), _AGED)
    matches = re.compile(translate(name.casefold())).fullmatch
    if any(matches(one) for one in known):
        return None
    near = did_you_mean(re.sub(r"[*?]", "", name), known.values(), _AGED)
    return f"{action!r} matches no action of {prefix} {since}", near


_AGED = "Check its spelling; a newer one is let through all the same."
