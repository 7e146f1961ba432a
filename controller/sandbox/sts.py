"""AWS STS: who a key belongs to, and keys for roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controller.sandbox.world import Caller, Refused, Service, World

LONGEST_CHAINED_SECONDS = 3600
"""A role session that assumes another role gets an hour at most (STS API reference, AssumeRole)."""

USER = "orgctl-sandbox"
"""Name of the management account's user, to whom every key belongs that STS did not issue."""


@dataclass(frozen=True, slots=True)
class Session:
    """What one issued access key stands for."""

    account: str
    role: str
    name: str
    expires: float


class Sts(Service):
    """State in ``world.data["sts"]``: ``sessions`` by access key; ``external_ids`` that roles ask for, by role name."""

    name = "sts"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        state = world.data.setdefault("sts", {})
        self.sessions: dict[str, Session] = state.setdefault("sessions", {})
        self.external_ids: dict[str, str] = state.setdefault("external_ids", {})

    def identify(self, access_key: str, region: str) -> Caller:
        """Who signed with `access_key`.

        A key that is an account's id is that account itself; any other that STS did not issue, the management
        account's user, so that any made-up credentials work.

        Raises:
            Refused: The session is over, or not of this sandbox.
        """
        session = self.sessions.get(access_key)
        if session is not None:
            if session.expires <= self.world.clock.now():
                raise Refused(
                    "ExpiredTokenException", "The security token included in the request is expired", status=403
                )
            return Caller(session.account, region, session.role, session.name)
        if access_key.startswith("ASIA"):
            message = "The security token included in the request is invalid."
            raise Refused("UnrecognizedClientException", message, status=403)
        known = access_key in self.world.accounts or access_key in self.world.strangers
        account = access_key if known else self.world.management_account
        return Caller(account, region)

    def get_caller_identity(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return {"Account": caller.account, "UserId": self._user_id(caller), "Arn": self.arn(caller)}

    def assume_role(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        arn, name = request["RoleArn"], request["RoleSessionName"]
        account, role = self._role(arn)
        if not self._trusts(caller, account, role, request.get("ExternalId")):
            message = f"User: {self.arn(caller)} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise Refused("AccessDenied", message, status=403)
        seconds = int(request.get("DurationSeconds") or LONGEST_CHAINED_SECONDS)
        if caller.role and seconds > LONGEST_CHAINED_SECONDS:
            message = (
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            )
            raise Refused("ValidationError", message, status=400)
        if seconds > self.world.rules.limit("session-length"):
            message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise Refused("ValidationError", message, status=400)
        session = Session(account, role, name, self.world.clock.now() + seconds)
        key = "ASIA" + self.world.token(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        self.sessions[key] = session
        assumed = Caller(account, caller.region, role, name)
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": self.world.token(40),
                "SessionToken": self.world.token(64),
                "Expiration": datetime.fromtimestamp(session.expires, UTC),
            },
            "AssumedRoleUser": {"AssumedRoleId": self._user_id(assumed), "Arn": self.arn(assumed)},
        }

    def arn(self, caller: Caller) -> str:
        partition = self.world.partition
        if caller.role:
            return f"arn:{partition}:sts::{caller.account}:assumed-role/{caller.role}/{caller.session}"
        if caller.account == self.world.management_account:
            return f"arn:{partition}:iam::{caller.account}:user/{USER}"
        return f"arn:{partition}:iam::{caller.account}:root"

    def _role(self, arn: str) -> tuple[str, str]:
        """(account, role name, its path dropped) of a role's ARN."""
        parts = arn.split(":")
        if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
            raise Refused("ValidationError", f"{arn} is invalid", status=400)
        return parts[4], parts[5].rpartition("/")[2]

    def _trusts(self, caller: Caller, account_id: str, role: str, external_id: str | None) -> bool:
        account = self.world.accounts.get(account_id)
        if account is None or account.state != "ACTIVE" or role not in account.roles:
            return False
        if caller.account not in (account_id, self.world.management_account):
            return False
        asked = self.external_ids.get(role)
        return asked is None or external_id == asked

    def _user_id(self, caller: Caller) -> str:
        if caller.role:
            return f"AROA{caller.role.upper():A<16.16}:{caller.session}"
        return "AIDASANDBOXUSER00000" if caller.account == self.world.management_account else caller.account
