"""Account assignments: given and taken asynchronously, listed from three sides."""

from __future__ import annotations

from typing import Any

from controller.sandbox.directory import directory
from controller.sandbox.identity_center.instance import Instance
from controller.sandbox.identity_center.state import CREATION, DELETION, Access, Assignment
from controller.sandbox.identity_center.statuses import listed, status
from controller.sandbox.identity_store import pages
from controller.sandbox.world import Caller, Job, Refused

Json = dict[str, Any]


class Assignments(Instance):
    """Operations on account assignments."""

    def create_account_assignment(self, caller: Caller, request: Json) -> Json:
        """What AWS finds wrong with account or principal it says in the status, not in the answer."""
        state = self._open(caller, request)
        assignment = self._assignment(caller, state, request)
        failure = self._failure(state, assignment)
        if failure and not self.world.rule("assigned-later"):
            raise Refused("ResourceNotFoundException", failure)
        job = self._begin(state, CREATION, assignment, failure)
        return {"AccountAssignmentCreationStatus": _show(job)}

    def delete_account_assignment(self, caller: Caller, request: Json) -> Json:
        """Also for principals that no longer exist."""
        state = self._open(caller, request)
        assignment = self._assignment(caller, state, request)
        known = assignment in state.by_place.get(assignment[:2], ())
        job = self._begin(state, DELETION, assignment, None if known else "The assignment does not exist.")
        return {"AccountAssignmentDeletionStatus": _show(job)}

    def describe_account_assignment_creation_status(self, caller: Caller, request: Json) -> Json:
        state = self._open(caller, request)
        job = self._job(state, CREATION, request["AccountAssignmentCreationRequestId"])
        return {"AccountAssignmentCreationStatus": _show(job)}

    def describe_account_assignment_deletion_status(self, caller: Caller, request: Json) -> Json:
        state = self._open(caller, request)
        job = self._job(state, DELETION, request["AccountAssignmentDeletionRequestId"])
        return {"AccountAssignmentDeletionStatus": _show(job)}

    def list_account_assignment_creation_status(self, caller: Caller, request: Json) -> Json:
        chunk, token = listed(self.world, self._open(caller, request), CREATION, request)
        return {"AccountAssignmentsCreationStatus": chunk, **token}

    def list_account_assignment_deletion_status(self, caller: Caller, request: Json) -> Json:
        chunk, token = listed(self.world, self._open(caller, request), DELETION, request)
        return {"AccountAssignmentsDeletionStatus": chunk, **token}

    def list_account_assignments(self, caller: Caller, request: Json) -> Json:
        state = self._open(caller, request)
        place = (self._account(request["AccountId"]), self._permission_set(state, request).arn)
        chunk, token = pages(self.world, list(state.by_place.get(place, ())), request)
        return {"AccountAssignments": [_row(assignment) for assignment in chunk], **token}

    def list_account_assignments_for_principal(self, caller: Caller, request: Json) -> Json:
        """From the management account only. Rows of deleted principals are listed as well."""
        state = self._open(caller, request)
        if caller.account != self.world.management_account and self.world.rule("access-callers"):
            raise Refused("AccessDeniedException", "This operation can be called from the management account only.")
        principals = [(request["PrincipalType"], request["PrincipalId"])]
        if request["PrincipalType"] == "USER" and not self.world.rule("listing-is-direct"):
            groups = directory(self.world).groups_of.get(request["PrincipalId"], ())
            principals += [("GROUP", group) for group in groups]
        rows = [row for principal in principals for row in state.by_principal.get(principal, ())]
        if only := request.get("Filter", {}).get("AccountId"):
            rows = [row for row in rows if row.account == only]
        chunk, token = pages(self.world, rows, request)
        return {"AccountAssignments": [_row(assignment) for assignment in chunk], **token}

    def _assignment(self, caller: Caller, state: Access, request: Json) -> Assignment:
        permission_set = self._permission_set(state, request)
        management = self.world.management_account
        theirs = management in {request["TargetId"], *permission_set.provisioned}
        if caller.account != management and theirs and self.world.rule("access-callers"):
            raise Refused(
                "AccessDeniedException",
                "Access to the management account is given and taken from the management account only.",
            )
        return Assignment(
            request["TargetId"], permission_set.arn, request["PrincipalType"], request["PrincipalId"].lower()
        )

    def _failure(self, state: Access, assignment: Assignment) -> str | None:
        """Why the assignment will end as FAILED, or None."""
        account = self.world.accounts.get(assignment.account)
        if account is None or account.state != "ACTIVE":
            return f"Received a 404 status error: {assignment.account} is no active account of this organization."
        store = directory(self.world)
        known = store.users if assignment.principal_type == "USER" else store.groups
        if assignment.principal not in known:
            return f"Received a 404 status error: {assignment.principal_type} {assignment.principal} was not found."
        place = state.by_place.get(assignment[:2], {})
        sets = sum(assignment.account in one.provisioned for one in state.permission_sets.values())
        most = self.world.rules.limit("permission-sets-in-account")
        if not place and sets >= most:
            return f"At most {most:.0f} permission sets can be provisioned in an account."
        groups = sum(row.principal_type == "GROUP" for row in place)
        most = self.world.rules.limit("groups-in-place")
        if assignment.principal_type == "GROUP" and assignment not in place and groups >= most:
            return f"At most {most:.0f} groups can have a permission set in an account."
        return None

    def _begin(self, state: Access, kind: str, assignment: Assignment, failure: str | None) -> Job:
        both = self.world.rule("deletions-count")
        counts, most = both or kind == CREATION, self.world.rules.limit("assignments-at-once")
        if counts and state.outstanding[CREATION] + both * state.outstanding[DELETION] >= most:
            raise Refused("ConflictException", f"{most:.0f} assignment operations are in progress already.")
        if assignment in state.touched and self.world.rule("same-assignment"):
            raise Refused("ConflictException", "There is a conflicting operation in process.")
        state.touched[assignment] = kind
        detail = {"assignment": assignment}
        return state.begin(self.world, kind, detail, accounts=(assignment.account,), failure=failure)

    def _job(self, state: Access, kind: str, id: str) -> Job:
        if id not in state.jobs[kind]:
            raise Refused("ResourceNotFoundException", f"There is no request {id}.")
        return state.jobs[kind][id]

    def _account(self, id: str) -> str:
        if id not in self.world.accounts:
            raise Refused("ResourceNotFoundException", f"Account {id} is not in this organization.")
        return id


def _row(assignment: Assignment) -> Json:
    return {
        "AccountId": assignment.account,
        "PermissionSetArn": assignment.permission_set,
        "PrincipalType": assignment.principal_type,
        "PrincipalId": assignment.principal,
    }


def _show(job: Job) -> Json:
    assignment: Assignment = job.detail["assignment"]
    return {
        **status(job),
        "TargetId": assignment.account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": assignment.permission_set,
        "PrincipalType": assignment.principal_type,
        "PrincipalId": assignment.principal,
    }
