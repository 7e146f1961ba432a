"""Accounts: listing, creating (asynchronous), closing (asynchronous), removing."""

from __future__ import annotations

from math import inf
from typing import Any

from controller.sandbox.organizations.base import PAGE, Base, constraint, invalid
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Job, Refused, SimAccount

CLOSED_STAYS_SECONDS = 90 * 86_400
DEFAULT_ROLE = "OrganizationAccountAccessRole"
STATUS = {"PENDING_ACTIVATION": "ACTIVE", "CLOSED": "SUSPENDED"}
"""State → the older Status, where the two differ."""


class Accounts(Base):
    """State: ``creations`` and ``closures``, Jobs by id, in order."""

    @property
    def creations(self) -> dict[str, Job]:
        found: dict[str, Job] = self.state.setdefault("creations", {})
        return found

    @property
    def closures(self) -> dict[str, Job]:
        """By account id, until the account is gone."""
        found: dict[str, Job] = self.state.setdefault("closures", {})
        return found

    def settle(self) -> None:
        now = self.world.clock.now()
        if now < self.state.get("next", inf):
            return
        for job in self._running():
            if job.due <= now:
                self._settle_creation(job)
        for id, job in list(self.closures.items()):
            if job.due <= now:
                self.world.accounts[id].state = "CLOSED"
            if job.due + CLOSED_STAYS_SECONDS <= now:
                del self.closures[id]
                self.world.remove(id)
        self.state["next"] = min([job.due for job in self._running()] + self._closure_times(), default=inf)

    def _closure_times(self) -> list[float]:
        """When each account that is being closed, or is closed, next changes."""
        now = self.world.clock.now()
        return [job.due if job.due > now else job.due + CLOSED_STAYS_SECONDS for job in self.closures.values()]

    def _look_again(self, due: float) -> None:
        self.state["next"] = min(due, self.state.get("next", inf))

    def _running(self) -> list[Job]:
        return [self.creations[id] for id in self.state.get("running", ())]

    def _settle_creation(self, job: Job) -> None:
        self.state["running"].remove(job.id)
        job.settled = True
        taken = job.detail["email"].lower() in self.world.emails
        if job.failure is None and taken and self.world.rule("emails-unique"):
            job.failure = "EMAIL_ALREADY_EXISTS"
        if job.failure is None:
            account = self.world.add_account(
                job.detail["name"],
                job.detail["email"],
                self.world.root_id,
                id=job.detail["id"],
                roles={job.detail["role"]},
                tags=job.detail["tags"],
                joined=job.due,
            )
            job.detail["account"] = account.id

    def account_shape(self, account: SimAccount) -> dict[str, Any]:
        older = {"Status": STATUS.get(account.state, account.state)} if self.world.rule("status-of-accounts") else {}
        return {
            "Id": account.id,
            "Arn": self.arn("account", account.id),
            "Email": account.email,
            "Name": account.name,
            **older,
            "State": account.state,
            "JoinedMethod": "INVITED" if account.invited else "CREATED",
            "JoinedTimestamp": account.joined,
            "Paths": [self.world.path(account.id)],
        }

    def list_accounts(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        chunk, more = page(self.world, list(self.world.accounts.values()), request, size=PAGE)
        return {"Accounts": [self.account_shape(account) for account in chunk], **more}

    def list_accounts_for_parent(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        ids = self.children(self.container(request["ParentId"]).id, accounts=True)
        chunk, more = page(self.world, ids, request, size=PAGE)
        return {"Accounts": [self.account_shape(self.world.accounts[id]) for id in chunk], **more}

    def describe_account(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return {"Account": self.account_shape(self.account(request["AccountId"]))}

    def create_account(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        name, email = request["AccountName"], request["Email"]
        role = request.get("RoleName") or DEFAULT_ROLE
        if role.startswith("AWSServiceRoleFor"):
            raise invalid("INVALID_ROLE_NAME", "A role's name can't begin with AWSServiceRoleFor.")
        running = self._running()
        most = world.rules.limit("creations-at-once")
        if len(running) >= most:
            message = f"You can create {most:.0f} accounts at a time."
            raise constraint("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED", message)
        if len(world.accounts) + len(running) >= self.state.get("account_quota", world.rules.limit("accounts")):
            message = "You have exceeded the number of accounts in your organization."
            raise constraint("ACCOUNT_NUMBER_LIMIT_EXCEEDED", message)
        failure = world.failure("CreateAccount", "INTERNAL_FAILURE")
        if world.rule("emails-unique") and any(other.detail["email"].lower() == email.lower() for other in running):
            failure = "CONCURRENT_ACCOUNT_MODIFICATION"
        tags = self.check_tags(request.get("Tags"))
        detail = {"name": name, "email": email, "role": role, "tags": tags, "since": world.clock.now()}
        detail["id"] = world.new_account_id()
        job = Job("car-" + world.token(32), world.due("CreateAccount"), detail, failure)
        self.creations[job.id] = job
        self.state.setdefault("running", []).append(job.id)
        self._look_again(job.due)
        return {"CreateAccountStatus": self._status(job)}

    def describe_create_account_status(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        job = self.creations.get(request["CreateAccountRequestId"])
        if job is None:
            message = "We can't find a create account request with the CreateAccountRequestId that you specified."
            raise Refused("CreateAccountStatusNotFoundException", message)
        return {"CreateAccountStatus": self._status(job)}

    def list_create_account_status(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("States")
        statuses = [self._status(job) for job in self.creations.values()]
        chunk, more = page(
            self.world, [each for each in statuses if not wanted or each["State"] in wanted], request, size=PAGE
        )
        return {"CreateAccountStatuses": chunk, **more}

    def _status(self, job: Job) -> dict[str, Any]:
        shape = {"Id": job.id, "AccountName": job.detail["name"], "RequestedTimestamp": job.detail["since"]}
        if not job.settled:
            return {**shape, "State": "IN_PROGRESS"}
        if job.failure:
            return {**shape, "State": "FAILED", "FailureReason": job.failure, "CompletedTimestamp": job.due}
        return {**shape, "State": "SUCCEEDED", "AccountId": job.detail["account"], "CompletedTimestamp": job.due}

    def close_account(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self.account(request["AccountId"])
        if account.id == self.world.management_account:
            raise constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You can't close the management account.")
        if account.state == "PENDING_CLOSURE":
            raise Refused("ConflictException", "The account is already being closed.")
        if account.state == "CLOSED":
            raise Refused("AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
        self._check_closures()
        account.state = "PENDING_CLOSURE"
        job = Job(account.id, self.world.due("CloseAccount"), {"since": self.world.clock.now()})
        self.closures[account.id] = job
        self._look_again(job.due)
        return {}

    def _check_closures(self) -> None:
        """So many at a time; in 30 days 250, or a fifth of the accounts where that is more, never above 1,000."""
        now, most = self.world.clock.now(), self.world.rules.limit("closures-at-once")
        if sum(job.due > now for job in self.closures.values()) >= most:
            message = f"You can close {most:.0f} accounts at a time."
            raise constraint("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED", message)
        quota = min(1000, max(250, len(self.world.accounts) // 5))
        if (
            self.world.rule("closures-in-30-days")
            and sum(job.detail["since"] > now - 30 * 86_400 for job in self.closures.values()) >= quota
        ):
            raise constraint(
                "CLOSE_ACCOUNT_QUOTA_EXCEEDED", "You have exceeded close account quota for the past 30 days."
            )
