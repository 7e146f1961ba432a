"""Writing one permission set: what is added comes before what is taken away, and all of it goes out to the accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from controller.aws.api import Writer
from controller.aws.tags import as_list, with_owner
from controller.errors import AwsError
from controller.resources.identity_center import instance
from controller.resources.identity_center_status import Work, settle
from controller.resources.names import filled

if TYPE_CHECKING:
    from controller.resources.permission_set import PermissionSet

Call = tuple[str, dict[str, Any]]
"""An operation of sso-admin on the permission set, and its parameters."""

WRITES = frozenset(
    {
        "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
        "sso:AttachManagedPolicyToPermissionSet",
        "sso:DeleteInlinePolicyFromPermissionSet",
        "sso:DeletePermissionsBoundaryFromPermissionSet",
        "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
        "sso:DetachManagedPolicyFromPermissionSet",
        "sso:ProvisionPermissionSet",
        "sso:PutInlinePolicyToPermissionSet",
        "sso:PutPermissionsBoundaryToPermissionSet",
        "sso:TagResource",
        "sso:UntagResource",
        "sso:UpdatePermissionSet",
    }
)

_ALREADY_GONE = "ResourceNotFoundException"
_FULL = "ServiceQuotaExceededException"
PROVISIONING = Work(
    "sso:ProvisionPermissionSet",
    describe="sso:DescribePermissionSetProvisioningStatus",
    id="ProvisionPermissionSetRequestId",
    status="PermissionSetProvisioningStatus",
    listing="sso:ListPermissionSetProvisioningStatus",
    statuses="PermissionSetsProvisioningStatus",
    timeout=600,  # as long as Terraform's provider gives it
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One permission set on its way from `before` to `after`, which both say everything."""

    aws: Writer
    arn: str
    before: PermissionSet
    after: PermissionSet

    def tags(self) -> None:
        had = with_owner(self.before.tags, self.before.owner)
        has = with_owner(self.after.tags, self.after.owner)
        resource: dict[str, Any] = {"InstanceArn": instance(self.aws.reads).arn, "ResourceArn": self.arn}
        if added := {key: value for key, value in has.items() if had.get(key) != value}:
            self.aws.send("sso:TagResource", **resource, Tags=as_list(added))
        if removed := sorted(had.keys() - has.keys()):
            self.aws.send("sso:UntagResource", **resource, TagKeys=removed)

    def attributes(self) -> None:
        """All three together: what is left out is cleared (IAM Identity Center API reference, UpdatePermissionSet)."""
        if attributes(self.before) != attributes(self.after):
            self._send("UpdatePermissionSet", attributes(self.after))

    def rights(self) -> None:
        """The boundary first, then what is added, then what is taken away: nobody lacks anything in between."""
        if self.after.permissions_boundary and self.after.permissions_boundary != self.before.permissions_boundary:
            boundary = self._boundary(self.after.permissions_boundary)
            self._send("PutPermissionsBoundaryToPermissionSet", {"PermissionsBoundary": boundary})
        taken = list(self._taken())
        for operation, parameters in self._added():
            try:
                self._send(operation, parameters)
            except AwsError as error:
                if error.code != _FULL or not taken:
                    raise
                # At AWS's limit of policies, and only there, an old one goes first.
                self._take(taken.pop(0))
                self._send(operation, parameters)
        for call in taken:
            self._take(call)
        self._inline()
        if self.before.permissions_boundary and not self.after.permissions_boundary:
            self._take(("DeletePermissionsBoundaryFromPermissionSet", {}))

    def provision(self) -> None:
        """Push the set to every account that uses it, and wait.

        Raises:
            InProgress: Still running; the next cycle looks again, and sees which accounts lack it.
            AsyncFailed: AWS says FAILED.
        """
        answer = self.aws.send(
            PROVISIONING.action,
            InstanceArn=instance(self.aws.reads).arn,
            PermissionSetArn=self.arn,
            TargetType="ALL_PROVISIONED_ACCOUNTS",
        )
        settle(self.aws, PROVISIONING, answer[PROVISIONING.status])

    def _added(self) -> Iterator[Call]:
        for policy in _less(self.after.managed_policies, self.before.managed_policies):
            yield "AttachManagedPolicyToPermissionSet", {"ManagedPolicyArn": self._managed(policy)}
        for policy in _less(self.after.customer_managed_policies, self.before.customer_managed_policies):
            yield (
                "AttachCustomerManagedPolicyReferenceToPermissionSet",
                {"CustomerManagedPolicyReference": _own(policy)},
            )

    def _taken(self) -> Iterator[Call]:
        for policy in _less(self.before.managed_policies, self.after.managed_policies):
            yield "DetachManagedPolicyFromPermissionSet", {"ManagedPolicyArn": self._managed(policy)}
        for policy in _less(self.before.customer_managed_policies, self.after.customer_managed_policies):
            reference = {"CustomerManagedPolicyReference": _own(policy)}
            yield "DetachCustomerManagedPolicyReferenceFromPermissionSet", reference

    def _inline(self) -> None:
        had, has = self.before.inline_policy, self.after.inline_policy
        if has is None or has == had:
            return
        if has.to_json() == {}:
            self._take(("DeleteInlinePolicyFromPermissionSet", {}))
        else:
            self._send("PutInlinePolicyToPermissionSet", {"InlinePolicy": filled(has, self.aws, iam=True).text})

    def _boundary(self, policy: str) -> dict[str, Any]:
        if policy.startswith("/"):
            return {"CustomerManagedPolicyReference": _own(policy)}
        return {"ManagedPolicyArn": self._managed(policy)}

    def _managed(self, policy: str) -> str:
        return f"arn:{self.aws.here.partition}:iam::aws:policy/{policy}"

    def _send(self, operation: str, parameters: dict[str, Any]) -> None:
        where = instance(self.aws.reads).arn
        self.aws.send(f"sso:{operation}", InstanceArn=where, PermissionSetArn=self.arn, **parameters)

    def _take(self, call: Call) -> None:
        try:
            self._send(*call)
        except AwsError as error:
            if error.code != _ALREADY_GONE:
                raise


def attributes(one: PermissionSet) -> dict[str, str]:
    """What CreatePermissionSet and UpdatePermissionSet take, but for what there is none of."""
    given = {
        "Description": one.description,
        "SessionDuration": one.session_duration,
        "RelayState": one.relay_state,
    }
    return {member: value for member, value in given.items() if value}


def rights(one: PermissionSet) -> tuple[Any, ...]:
    """All that reaches an account: everything but tags."""
    return (
        attributes(one),
        one.managed_policies,
        one.customer_managed_policies,
        one.inline_policy,
        one.permissions_boundary,
    )


def _less(some: frozenset[str] | None, others: frozenset[str] | None) -> list[str]:
    return sorted((some or frozenset()) - (others or frozenset()))


def _own(policy: str) -> dict[str, str]:
    path, _, name = policy.rpartition("/")
    return {"Name": name, "Path": f"{path}/"}
