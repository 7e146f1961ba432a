"""policy_type: a type of policy that is enabled in the root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.desired.documents.organization import Organization
from controller.desired.estate import Estate
from controller.errors import AwsError
from controller.resources.base import Action, Change, Desired, Gone, Kind, Live, Observed, Ref, Resource
from controller.resources.changes import Changes
from controller.resources.organizational_unit import LANE, ROOT, OrganizationalUnit, root_of

AWS_TYPES = {
    "service_control": "SERVICE_CONTROL_POLICY",
    "resource_control": "RESOURCE_CONTROL_POLICY",
    "tag": "TAG_POLICY",
    "backup": "BACKUP_POLICY",
    "ai_services_opt_out": "AISERVICES_OPT_OUT_POLICY",
    "declarative": "DECLARATIVE_POLICY_EC2",
}
"""The format's name → AWS's."""

ENABLED, ENABLING, DISABLING = "ENABLED", "PENDING_ENABLE", "PENDING_DISABLE"
POLL_SECONDS = 2.0
"""ListRoots may be called once a second, and others call it too."""
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyType(Resource):
    """Its key is the format's name for it. `status`: ``ENABLED``, ``PENDING_ENABLE``, ``PENDING_DISABLE``."""

    kind = "policy_type"

    status: str


class PolicyTypes(Kind[PolicyType]):
    """Types of policies. Enabling one is asynchronous."""

    name = "policy_type"
    resource = PolicyType
    requires = ("organizational_unit",)
    looks_after = ()
    reads = frozenset({"organizations:ListRoots"})
    writes = frozenset({"organizations:EnablePolicyType", "organizations:DisablePolicyType"})
    removal_needs_approval = True
    protective = True

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[PolicyType]:
        going = {name for document in estate.of(Organization) for name in document.model.disable.policy_types}
        status = _statuses(root_of(aws))
        return Observed(
            {
                name: PolicyType(key=name, name=name, status=status[name])
                for name in AWS_TYPES
                # One that is on its way out, as git wants, is as good as gone.
                if name in status and not (status[name] == DISABLING and name in going)
            }
        )

    def desire(self, estate: Estate, live: Live) -> Desired[PolicyType]:
        resources: dict[str, PolicyType] = {}
        gone: dict[str, tuple[Gone, str]] = {}
        for document in estate.of(Organization):
            for number, name in enumerate(document.model.policy_types):
                source = str(document.marks.at("policy_types", number))
                resources[name] = PolicyType(key=name, name=name, status=ENABLED, source=source)
            for number, name in enumerate(document.model.disable.policy_types):
                gone[name] = (Gone.DELETED, str(document.marks.at("disable", "policy_types", number)))
        return Desired(resources=resources, gone=gone)

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        return [(Call.of("organizations:ListRoots"),)]

    def create(self, aws: Writer, after: PolicyType) -> None:
        try:
            aws.send("organizations:EnablePolicyType", **_where(aws, after))
        except AwsError as error:
            if error.code != "PolicyTypeAlreadyEnabledException":
                raise
        self._wait(aws, after.key, ENABLED)

    def update(self, aws: Writer, before: PolicyType, after: PolicyType) -> None:
        """From a pending state: wait for it to end, and enable what was being disabled."""
        if before.status == DISABLING:
            self._wait(aws, after.key, None)
            self.create(aws, after)
        else:
            self._wait(aws, after.key, ENABLED)

    def delete(self, aws: Writer, before: PolicyType) -> None:
        if before.status == ENABLING:
            self._wait(aws, before.key, ENABLED)
        try:
            aws.send("organizations:DisablePolicyType", **_where(aws, before))
        except AwsError as error:
            if error.code != "PolicyTypeNotEnabledException":
                raise

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """Some types need a service's trust first (Organizations API reference, EnablePolicyType)."""
        if change.action is not Action.DELETE:
            yield from (trust.id for trust in plan.of("trusted_service", Action.CREATE))

    def lane(self, change: Change) -> str | None:
        return LANE

    def _wait(self, aws: Writer, name: str, status: str | None) -> None:
        """Until the type has this status; None: until it is off.

        Raises:
            InProgress: AWS takes longer; the next cycle looks again.
        """

        def reached() -> bool | None:
            root = next(iter(aws.reads.items("organizations:ListRoots", "Roots")))
            return True if _statuses(root).get(name) == status else None

        aws.wait(reached, action="organizations:EnablePolicyType", every=POLL_SECONDS, timeout=TIMEOUT_SECONDS)


def _statuses(root: Mapping[str, Any]) -> dict[str, str]:
    """The format's name → status; what is off is not in it."""
    names = {aws: name for name, aws in AWS_TYPES.items()}
    return {names[t["Type"]]: t["Status"] for t in root.get("PolicyTypes", ()) if t["Type"] in names}


def _where(aws: Writer, resource: PolicyType) -> dict[str, Any]:
    return {"RootId": aws.id_of(Ref(OrganizationalUnit.kind, ROOT)), "PolicyType": AWS_TYPES[resource.key]}
