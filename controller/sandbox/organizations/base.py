"""What all of simulated Organizations shares: who may call, look-ups, ARNs and checks of names and tags."""

from __future__ import annotations

import re
from typing import Any

from controller.sandbox.world import Caller, Refused, Service, SimAccount, SimUnit

ANY_MEMBER = {"DescribeOrganization", "DescribeEffectivePolicy", "LeaveOrganization"}
ANYBODY = {"AcceptHandshake", "CancelHandshake", "DeclineHandshake", "DescribeHandshake", "ListHandshakesForAccount"}
"""For accounts that are in no organization, too."""
DELEGATED_WRITES = {
    "CreatePolicy",
    "UpdatePolicy",
    "DeletePolicy",
    "AttachPolicy",
    "DetachPolicy",
    "EnablePolicyType",
    "DisablePolicyType",
    "TagResource",
    "UntagResource",
}
"""What "can be called only from the organization's management account or by a member account that is a delegated
administrator" (API reference) says of, besides every Describe and List."""

PAGE = 20
SCRIPT = re.compile(r"<\s*/?\s*script|javascript:", re.IGNORECASE)


def constraint(reason: str, message: str) -> Refused:
    return Refused("ConstraintViolationException", message, Reason=reason)


def invalid(reason: str, message: str) -> Refused:
    return Refused("InvalidInputException", message, Reason=reason)


class Base(Service):
    """State in ``world.data["organizations"]``; what the whole sandbox needs is in `World` itself."""

    name = "organizations"

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.world.data.setdefault("organizations", {})
        return found

    def admit(self, caller: Caller, operation: str) -> None:
        """Refuse what AWS reserves to the management account and delegated administrators."""
        world = self.world
        if caller.account == world.management_account or operation in ANYBODY or not world.rule("callers"):
            return
        if caller.account not in world.accounts:
            raise Refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        if operation in ANY_MEMBER:
            return
        reads = operation.startswith(("Describe", "List")) or operation in DELEGATED_WRITES
        if reads and any(caller.account in accounts for accounts in world.delegated.values()):
            return
        if reads and self.delegated(caller.account, operation):
            return
        raise Refused("AccessDeniedException", "You don't have permissions to access this resource.")

    def delegated(self, account: str, operation: str) -> bool:
        """Whether the organization's resource policy lets a member call an operation (see `delegation`)."""
        return False

    def arn(self, kind: str, id: str) -> str:
        """`kind`: ``organization``, ``root``, ``ou``, ``account``, or ``policy`` with `id` as ``type/p-…``."""
        middle = self.world.organization_id if kind == "organization" else f"{self.world.organization_id}/{id}"
        return f"arn:{self.world.partition}:organizations::{self.world.management_account}:{kind}/{middle}"

    def account(self, id: str) -> SimAccount:
        found = self.world.accounts.get(id)
        if found is None:
            raise Refused("AccountNotFoundException", "You specified an account that doesn't exist.")
        return found

    def unit(self, id: str) -> SimUnit:
        """An OU; the root is none."""
        found = self.world.units.get(id)
        if found is None or found.parent is None:
            raise Refused(
                "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist."
            )
        return found

    def container(self, id: str, otherwise: str = "ParentNotFoundException") -> SimUnit:
        """The root or an OU."""
        found = self.world.units.get(id)
        if found is None:
            raise Refused(otherwise, f"You specified parent that doesn't exist: {id}")
        return found

    def check_text(self, text: str) -> str:
        """Names and descriptions are refused where they look like script (API reference, InvalidInputException)."""
        if SCRIPT.search(text):
            raise invalid("INVALID_PATTERN", "You provided a value that doesn't match the required pattern.")
        return text

    def check_tags(self, tags: list[dict[str, str]] | None, existing: dict[str, str] | None = None) -> dict[str, str]:
        """`existing` with `tags`, as a new dictionary."""
        given = {tag["Key"]: tag["Value"] for tag in tags or ()}
        if len(given) < len(tags or ()):
            raise invalid("DUPLICATE_TAG_KEY", "Tag keys must be unique among the tags attached to the same entity.")
        if any(key.lower().startswith("aws:") for key in given):
            message = "You can't add, edit, or delete system tag keys: they begin with aws:."
            raise invalid("INVALID_SYSTEM_TAGS_PARAMETER", message)
        result = {**(existing or {}), **given}
        most = self.world.rules.limit("tags")
        if len(result) > most:
            message = f"You have exceeded the {most:.0f} tags that a resource can have."
            raise constraint("MAX_TAG_LIMIT_EXCEEDED", message)
        return result

    def children(self, id: str, *, accounts: bool) -> list[str]:
        """The ids of the accounts, or else the OUs, directly in `id`."""
        inside = self.world.accounts if accounts else self.world.units
        return [child for child in self.world.children[id] if child in inside]
