"""Bringing edited permission sets to the accounts that use them, and saying where that is still to be done."""

from __future__ import annotations

from typing import Any

from controller.sandbox.identity_center.instance import Instance
from controller.sandbox.identity_center.state import PROVISIONING, PermissionSet
from controller.sandbox.identity_center.statuses import listed, status
from controller.sandbox.identity_store import pages
from controller.sandbox.world import Caller, Job, Refused

Json = dict[str, Any]

ACCOUNTS_AT_ONCE = 3500
"""Identity Center User Guide, "Quotas"."""


class Provisioning(Instance):
    """An edit reaches an account only by being provisioned there."""

    def provision_permission_set(self, caller: Caller, request: Json) -> Json:
        """What is provisioned is the permission set as it is now, not as it will be when the work is done."""
        found = self._to_edit(caller, request)
        state = self._open(caller, request)
        accounts = self._targets(found, request)
        most = self.world.rules.limit("provisions-at-once")
        if state.outstanding[PROVISIONING] >= most:
            raise Refused("ConflictException", f"{most:.0f} permission sets are being provisioned already.")
        detail = {
            "permission_set": found,
            "rights": dict.fromkeys(accounts, found.rights()),
            "account": request.get("TargetId"),
        }
        job = state.begin(self.world, PROVISIONING, detail, accounts=accounts, failure=None)
        return {"PermissionSetProvisioningStatus": _show(job)}

    def describe_permission_set_provisioning_status(self, caller: Caller, request: Json) -> Json:
        state = self._open(caller, request)
        job = state.jobs[PROVISIONING].get(request["ProvisionPermissionSetRequestId"])
        if job is None:
            raise Refused("ResourceNotFoundException", "There is no such request.")
        return {"PermissionSetProvisioningStatus": _show(job)}

    def list_permission_set_provisioning_status(self, caller: Caller, request: Json) -> Json:
        chunk, token = listed(self.world, self._open(caller, request), PROVISIONING, request)
        return {"PermissionSetsProvisioningStatus": chunk, **token}

    def list_accounts_for_provisioned_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._permission_set(self._open(caller, request), request)
        now, only = found.rights(), request.get("ProvisioningStatus")
        accounts = [id for id, then in found.provisioned.items() if _wanted(only, then == now)]
        chunk, token = pages(self.world, accounts, request)
        return {"AccountIds": chunk, **token}

    def list_permission_sets_provisioned_to_account(self, caller: Caller, request: Json) -> Json:
        state = self._open(caller, request)
        account, only = request["AccountId"], request.get("ProvisioningStatus")
        if account not in self.world.accounts:
            raise Refused("ResourceNotFoundException", f"Account {account} is not in this organization.")
        arns = [
            found.arn
            for found in state.permission_sets.values()
            if account in found.provisioned and _wanted(only, found.provisioned[account] == found.rights())
        ]
        chunk, token = pages(self.world, arns, request)
        return {"PermissionSets": chunk, **token}

    def _targets(self, permission_set: PermissionSet, request: Json) -> tuple[str, ...]:
        if request["TargetType"] == "ALL_PROVISIONED_ACCOUNTS":
            if len(permission_set.provisioned) > ACCOUNTS_AT_ONCE:
                raise Refused(
                    "ValidationException", f"More than {ACCOUNTS_AT_ONCE} accounts are provisioned one by one."
                )
            return tuple(permission_set.provisioned)
        target = request.get("TargetId")
        if not target:
            raise Refused("ValidationException", "TargetId is required with the target type AWS_ACCOUNT.")
        if target not in permission_set.provisioned:
            raise Refused("ResourceNotFoundException", f"{permission_set.name} is not assigned in {target}.")
        return (target,)


def _wanted(only: str | None, latest: bool) -> bool:
    return only is None or (only == "LATEST_PERMISSION_SET_PROVISIONED") == latest


def _show(job: Job) -> Json:
    shown = {**status(job), "PermissionSetArn": job.detail["permission_set"].arn}
    if job.detail["account"]:
        shown["AccountId"] = job.detail["account"]
    return shown
