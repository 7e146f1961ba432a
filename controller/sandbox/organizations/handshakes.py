"""Handshakes: accounts invited into the organization, from either side; and leaving it again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from controller.sandbox.organizations.accounts import Accounts
from controller.sandbox.organizations.base import PAGE, constraint, invalid
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Refused

EXPIRES_SECONDS = 15 * 86_400
LISTED_SECONDS = 30 * 86_400
"""How long one that has ended is still listed (Organizations User Guide, "Quotas"; so is the one before)."""
DAY_SECONDS = 86_400


@dataclass(slots=True)
class Handshake:
    """An invitation. `target` is an account's id or an e-mail address, as `kind` says: ACCOUNT or EMAIL."""

    id: str
    target: str
    kind: str
    notes: str
    since: float
    tags: dict[str, str]
    ended: tuple[str, float] | None = None
    """(state, when), once it is no longer open."""

    def state(self, now: float) -> str:
        if self.ended:
            return self.ended[0]
        return "EXPIRED" if self.since + EXPIRES_SECONDS <= now else "OPEN"


class Handshakes(Accounts):
    """State: ``handshakes`` by id. Whoever is invited by id has credentials: the id, as members have theirs."""

    @property
    def handshakes(self) -> dict[str, Handshake]:
        found: dict[str, Handshake] = self.state.setdefault("handshakes", {})
        return found

    def invite_account_to_organization(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        world, now = self.world, self.world.clock.now()
        target, kind = request["Target"]["Id"], request["Target"]["Type"]
        if kind == "ACCOUNT" and not re.fullmatch(r"\d{12}", target):
            raise invalid("INVALID_PARTY_TYPE_TARGET", "You specified a target that is no account.")
        if kind == "EMAIL" and "@" not in target:
            raise invalid("INVALID_EMAIL_ADDRESS_TARGET", "You specified an invalid email address.")
        if kind == "ORGANIZATION":
            raise invalid("INVALID_PARTY_TYPE_TARGET", "An organization cannot be invited.")
        if target in world.accounts or target.lower() in world.emails:
            raise _impossible("ALREADY_IN_AN_ORGANIZATION", "The account is a member of an organization already.")
        open_ones = [each for each in self.handshakes.values() if each.state(now) == "OPEN"]
        if any(each.target == target for each in open_ones):
            raise Refused("DuplicateHandshakeException", "A handshake with the same action and target exists already.")
        today = sum(each.since > now - DAY_SECONDS for each in self.handshakes.values())
        if today >= world.rules.limit("invitations"):
            raise _impossible("HANDSHAKE_RATE_LIMIT_EXCEEDED", "You have sent too many invitations in a day.")
        most = self.state.get("account_quota", world.rules.limit("accounts"))
        if len(world.accounts) + len(open_ones) >= most:
            raise _impossible("ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the number of accounts.")
        tags = self.check_tags(request.get("Tags"))
        made = Handshake("h-" + world.token(32), target, kind, request.get("Notes", ""), now, tags)
        self.handshakes[made.id] = made
        if kind == "ACCOUNT":
            world.strangers.add(target)
        return {"Handshake": self._show(made)}

    def accept_handshake(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """The account joins, in the root, without the role that created accounts have."""
        found = self._to_end(caller, request, "ACCEPTED")
        world, id = self.world, caller.account
        if id in world.accounts:
            raise _impossible("ALREADY_IN_AN_ORGANIZATION", "The account is a member of an organization already.")
        email = found.target if found.kind == "EMAIL" else f"{id}@example.com"
        world.add_account(f"account-{id}", email, world.root_id, id=id, tags=dict(found.tags), invited=True)
        world.strangers.discard(id)
        return {"Handshake": self._show(found)}

    def decline_handshake(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return {"Handshake": self._show(self._to_end(caller, request, "DECLINED"))}

    def cancel_handshake(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return {"Handshake": self._show(self._to_end(caller, request, "CANCELED"))}

    def describe_handshake(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        found = self._handshake(request)
        if caller.account not in self.world.accounts and caller.account != found.target and found.kind == "ACCOUNT":
            raise Refused("AccessDeniedException", "You don't have permissions to access this resource.")
        return {"Handshake": self._show(found)}

    def list_handshakes_for_account(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return self._list([each for each in self._listed(request) if each.target == caller.account], request)

    def list_handshakes_for_organization(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return self._list(self._listed(request), request)

    def leave_organization(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        if caller.account == self.world.management_account:
            raise Refused("MasterCannotLeaveOrganizationException", "The management account cannot leave.")
        return self.remove_account_from_organization(caller, {"AccountId": caller.account})

    def _listed(self, request: dict[str, Any]) -> list[Handshake]:
        now = self.world.clock.now()
        recent = [h for h in self.handshakes.values() if h.ended is None or h.ended[1] + LISTED_SECONDS > now]
        return recent if request.get("Filter", {}).get("ActionType", "INVITE") == "INVITE" else []

    def _list(self, found: list[Handshake], request: dict[str, Any]) -> dict[str, Any]:
        chunk, more = page(self.world, found, request, size=PAGE)
        return {"Handshakes": [self._show(each) for each in chunk], **more}

    def _handshake(self, request: dict[str, Any]) -> Handshake:
        found = self.handshakes.get(request["HandshakeId"])
        if found is None:
            message = "We can't find a handshake with the HandshakeId that you specified."
            raise Refused("HandshakeNotFoundException", message)
        return found

    def _to_end(self, caller: Caller, request: dict[str, Any], state: str) -> Handshake:
        """The open handshake that a request names, brought to `state`; only its originator cancels it."""
        found, now = self._handshake(request), self.world.clock.now()
        ours = caller.account == self.world.management_account
        if ours != (state == "CANCELED") or (not ours and found.kind == "ACCOUNT" and caller.account != found.target):
            raise Refused("AccessDeniedException", "You don't have permissions to access this resource.")
        if found.state(now) == state:
            raise Refused("HandshakeAlreadyInStateException", f"The handshake is {state} already.")
        if found.state(now) != "OPEN":
            message = f"A handshake that is {found.state(now)} cannot become {state}."
            raise Refused("InvalidHandshakeTransitionException", message)
        found.ended = (state, now)
        return found

    def _show(self, handshake: Handshake) -> dict[str, Any]:
        world = self.world
        management = world.accounts[world.management_account]
        inner = [
            {"Type": "MASTER_EMAIL", "Value": management.email},
            {"Type": "MASTER_NAME", "Value": management.name},
            {"Type": "ORGANIZATION_FEATURE_SET", "Value": "ALL"},
        ]
        notes = [{"Type": "NOTES", "Value": handshake.notes}] if handshake.notes else []
        return {
            "Id": handshake.id,
            "Arn": self.arn("handshake", f"invite/{handshake.id}"),
            "Parties": [
                {"Id": world.organization_id, "Type": "ORGANIZATION"},
                {"Id": handshake.target, "Type": handshake.kind},
            ],
            "State": handshake.state(world.clock.now()),
            "RequestedTimestamp": handshake.since,
            "ExpirationTimestamp": handshake.since + EXPIRES_SECONDS,
            "Action": "INVITE",
            "Resources": [
                {"Type": "ORGANIZATION", "Value": world.organization_id, "Resources": inner},
                {"Type": handshake.kind, "Value": handshake.target},
                *notes,
            ],
        }

    def remove_account_from_organization(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self.account(request["AccountId"])
        if account.id == self.world.management_account:
            message = "You can't remove a management account from an organization."
            raise Refused("MasterCannotLeaveOrganizationException", message)
        if any(account.id in accounts for accounts in self.world.delegated.values()):
            message = "You can't remove an account that is a delegated administrator."
            raise constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", message)
        days = self.world.rules.amount("waiting-period")
        if not account.invited and account.joined > self.world.clock.now() - days * DAY_SECONDS:
            raise constraint("WAIT_PERIOD_ACTIVE", "Wait until at least four days after the account was created.")
        self.closures.pop(account.id, None)
        self.world.remove(account.id)
        self.world.strangers.add(account.id)
        return {}


def _impossible(reason: str, message: str) -> Refused:
    return Refused("HandshakeConstraintViolationException", message, Reason=reason)
