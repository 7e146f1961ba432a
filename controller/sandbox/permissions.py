"""IAM policies of those who call, enforced where the sandbox is told to.

``world.data["iam"]`` maps a role's name (the same in every account), or `MANAGEMENT_USER`, to IAM policy documents.
Whoever is not in it may do everything. Actions are compared, and resources where the request names some: ARNs, and
what has an ARN in Organizations. Of statements with a Condition, an Allow counts and a Deny does not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from controller.sandbox.world import Caller, Refused, World

MANAGEMENT_USER = "management user"
"""The management account's own credentials; no IAM name has a space."""

PREFIXES = {"sso-admin": "sso", "resourcegroupstaggingapi": "tag"}
"""botocore's name → the prefix of the service's IAM actions, where they differ."""


def check(world: World, caller: Caller, arn: str, service: str, operation: str, resources: list[str]) -> None:
    """Refuse what the policies of `caller`, whose ARN is `arn`, do not allow on `resources`: ARNs."""
    documents = world.data.get("iam", {}).get(caller.role or MANAGEMENT_USER)
    if documents is None or (service == "sts" and operation == "GetCallerIdentity"):
        return
    action = f"{PREFIXES.get(service, service)}:{operation}"
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _list(document["Statement"])
        if _covers(statement, action, resources)
    }
    if effects == {"Allow"}:
        return
    why = (
        "with an explicit deny in an identity-based policy"
        if "Deny" in effects
        else f"because no identity-based policy allows the {action} action"
    )
    message = f"User: {arn} is not authorized to perform: {action} {why}"
    if service == "sts":
        raise Refused("AccessDenied", message, status=403)
    raise Refused("AccessDeniedException", message)


def _covers(statement: dict[str, Any], action: str, resources: list[str]) -> bool:
    if statement["Effect"] == "Deny" and "Condition" in statement:
        return False
    if "NotAction" in statement:
        named = not _matches(statement["NotAction"], action.lower(), lower=True)
    else:
        named = _matches(statement.get("Action", ()), action.lower(), lower=True)
    if not named or "Resource" not in statement:
        return named
    patterns = _list(statement["Resource"])
    if "*" in patterns:
        return True
    if not resources:
        return bool(statement["Effect"] == "Allow")
    return any(_matches(patterns, resource) for resource in resources)


def _matches(patterns: Any, text: str, *, lower: bool = False) -> bool:
    return any(_pattern(each.lower() if lower else each).fullmatch(text) for each in _list(patterns))


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in text))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
