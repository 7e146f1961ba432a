"""trusted_service: a service principal that the organization trusts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.desired.documents.organization import Organization
from controller.desired.estate import Estate
from controller.resources.base import Action, Change, Desired, Gone, Kind, Live, Observed, Resource
from controller.resources.changes import Changes
from controller.resources.organizational_unit import LANE


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedService(Resource):
    """Its key is the service principal."""

    kind = "trusted_service"


class TrustedServices(Kind[TrustedService]):
    """Trusted access of AWS services to the organization."""

    name = "trusted_service"
    resource = TrustedService
    reads = frozenset({"organizations:ListAWSServiceAccessForOrganization"})
    writes = frozenset({"organizations:EnableAWSServiceAccess", "organizations:DisableAWSServiceAccess"})
    removal_needs_approval = True

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[TrustedService]:
        listed = aws.items("organizations:ListAWSServiceAccessForOrganization", "EnabledServicePrincipals")
        principals = [item["ServicePrincipal"] for item in listed]
        return Observed({principal: TrustedService(key=principal, name=principal) for principal in principals})

    def desire(self, estate: Estate, live: Live) -> Desired[TrustedService]:
        resources: dict[str, TrustedService] = {}
        gone: dict[str, tuple[Gone, str]] = {}
        for document in estate.of(Organization):
            for number, principal in enumerate(document.model.trusted_services):
                source = str(document.marks.at("trusted_services", number))
                resources[principal] = TrustedService(key=principal, name=principal, source=source)
            for number, principal in enumerate(document.model.disable.trusted_services):
                gone[principal] = (Gone.DELETED, str(document.marks.at("disable", "trusted_services", number)))
        return Desired(resources=resources, gone=gone)

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        return [(Call.of("organizations:ListAWSServiceAccessForOrganization"),)]

    def create(self, aws: Writer, after: TrustedService) -> None:
        aws.send("organizations:EnableAWSServiceAccess", ServicePrincipal=after.key)

    def delete(self, aws: Writer, before: TrustedService) -> None:
        aws.send("organizations:DisableAWSServiceAccess", ServicePrincipal=before.key)

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """Trust goes last: AWS refuses while a policy type or an administrator still rests on it."""
        if change.action is not Action.DELETE:
            return
        yield from (type.id for type in plan.of("policy_type", Action.DELETE))
        for other in plan.of("delegated_administrator", Action.DELETE):
            if other.key.endswith(f"/{change.key}"):
                yield other.id

    def lane(self, change: Change) -> str | None:
        return LANE
