"""delegated_administrator: a member account that administers a service for the organization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.desired.documents.organization import Organization
from controller.desired.estate import Document, Estate
from controller.errors import AwsError
from controller.resources.account import Account
from controller.resources.base import Action, Change, Desired, Gone, Kind, Live, Observed, Ref, Resource
from controller.resources.changes import Changes
from controller.resources.names import Names
from controller.resources.organizational_unit import LANE
from controller.resources.trusted_service import TrustedService

SECURITY_HUB = "securityhub.amazonaws.com"
"""Named with its own API, Region by Region: with that of Organizations it "doesn't reflect" in Security Hub (Security
Hub User Guide, designating a delegated administrator)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedAdministrator(Resource):
    """An account and a service principal.

    Attributes:
        account: Its key.
        regions: Of Security Hub: the governed Regions in which it is the administrator. Of others: None.
    """

    kind = "delegated_administrator"

    account: str = field(compare=False)
    service: str = field(compare=False)
    regions: frozenset[str] | None = None

    def about(self) -> Iterable[Ref]:
        return self.needs()

    def needs(self) -> Iterable[Ref]:
        return (Ref(Account.kind, self.account),)


class DelegatedAdministrators(Kind[DelegatedAdministrator]):
    """Delegated administrators."""

    name = "delegated_administrator"
    resource = DelegatedAdministrator
    requires = ("account", "trusted_service")
    reads = frozenset(
        {
            "organizations:ListDelegatedAdministrators",
            "organizations:ListDelegatedServicesForAccount",
            "securityhub:ListOrganizationAdminAccounts",
        }
    )
    writes = frozenset(
        {
            "organizations:RegisterDelegatedAdministrator",
            "organizations:DeregisterDelegatedAdministrator",
            "securityhub:EnableOrganizationAdminAccount",
            "securityhub:DisableOrganizationAdminAccount",
        }
    )
    removal_needs_approval = True

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[DelegatedAdministrator]:
        names = Names(estate, live)
        accounts = [a["Id"] for a in aws.items("organizations:ListDelegatedAdministrators", "DelegatedAdministrators")]
        services = aws.map(lambda account: _services(aws, account), accounts)
        found = {
            (account, service): _administrator(account, service, names)
            for account, of_account in zip(accounts, services, strict=True)
            for service in of_account
        }
        if _names_security_hub(estate):
            for account, regions in _security_hub(aws, _regions(estate)).items():
                found[account, SECURITY_HUB] = _administrator(account, SECURITY_HUB, names, regions)
            for account, service in found:
                if service == SECURITY_HUB and found[account, service].regions is None:
                    found[account, service] = _administrator(account, service, names, frozenset())
        return Observed({administrator.key: administrator for administrator in found.values()})

    def desire(self, estate: Estate, live: Live) -> Desired[DelegatedAdministrator]:
        names = Names(estate, live)
        resources: dict[str, DelegatedAdministrator] = {}
        gone: dict[str, tuple[Gone, str]] = {}
        blocked: dict[str, str] = {}
        for document in estate.of(Organization):
            regions = frozenset(document.model.regions)
            for key, account, service, source in _entries(document, names, blocked, disabled=False):
                resources[key] = _administrator(
                    account, service, names, regions if service == SECURITY_HUB else None, source
                )
                if service == SECURITY_HUB and not regions:
                    blocked[key] = "Security Hub's administrator is named per Region: give `regions`"
            for key, _, _, source in _entries(document, names, blocked, disabled=True):
                gone[key] = (Gone.DELETED, source)
        blocked |= _second_administrators(resources, gone, live)
        return Desired(resources=resources, gone=gone, blocked=blocked)

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        yield (Call.of("organizations:ListDelegatedAdministrators"),)
        for change in changes:
            side = change.before or change.after
            assert isinstance(side, DelegatedAdministrator)
            yield (Call.of("organizations:ListDelegatedServicesForAccount", AccountId=side.account),)
            for region in _regions(estate) if side.service == SECURITY_HUB else ():
                yield (Call.of("securityhub:ListOrganizationAdminAccounts", region=region),)

    def create(self, aws: Writer, after: DelegatedAdministrator) -> None:
        if after.service == SECURITY_HUB:
            self._enable_security_hub(aws, after.account, after.regions or frozenset())
            return
        try:
            aws.send(
                "organizations:RegisterDelegatedAdministrator",
                AccountId=after.account,
                ServicePrincipal=after.service,
            )
        except AwsError as error:
            if error.code != "AccountAlreadyRegisteredException":
                raise

    def update(self, aws: Writer, before: DelegatedAdministrator, after: DelegatedAdministrator) -> None:
        self._enable_security_hub(aws, after.account, (after.regions or frozenset()) - (before.regions or frozenset()))

    def delete(self, aws: Writer, before: DelegatedAdministrator) -> None:
        for region in sorted(before.regions or ()):
            aws.send("securityhub:DisableOrganizationAdminAccount", region=region, AdminAccountId=before.account)
        try:
            aws.send(
                "organizations:DeregisterDelegatedAdministrator",
                AccountId=before.account,
                ServicePrincipal=before.service,
            )
        except AwsError as error:
            # Security Hub takes its own away from Organizations' list once the last Region is without.
            if error.code != "AccountNotRegisteredException":
                raise

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """A service is trusted before it has an administrator; the old one goes before the new one comes."""
        side = change.after
        if change.action is Action.DELETE or not isinstance(side, DelegatedAdministrator):
            return
        yield f"{Ref(TrustedService.kind, side.service)}:{Action.CREATE}"
        for other in plan.of(self.name, Action.DELETE):
            if other.key.endswith(f"/{side.service}"):
                yield other.id

    def unit(self, resource: DelegatedAdministrator, live: Live) -> str | None:
        account = live.of(Account).get(resource.account)
        return None if account is None else account.unit

    def lane(self, change: Change) -> str | None:
        return LANE

    def _enable_security_hub(self, aws: Writer, account: str, regions: Iterable[str]) -> None:
        for region in sorted(regions):
            aws.send("securityhub:EnableOrganizationAdminAccount", region=region, AdminAccountId=account)


def _services(aws: Reader, account: str) -> list[str]:
    listed = aws.items("organizations:ListDelegatedServicesForAccount", "DelegatedServices", AccountId=account)
    return [item["ServicePrincipal"] for item in listed]


def _security_hub(aws: Reader, regions: list[str]) -> dict[str, frozenset[str]]:
    """account → Regions in which it administers Security Hub; one that is being removed does no more."""
    answers = aws.map(
        lambda region: list(aws.items("securityhub:ListOrganizationAdminAccounts", "AdminAccounts", region=region)),
        regions,
    )
    found: dict[str, frozenset[str]] = {}
    for region, administrators in zip(regions, answers, strict=True):
        for administrator in administrators:
            if administrator.get("Status") == "ENABLED":
                account = administrator["AccountId"]
                found[account] = found.get(account, frozenset()) | {region}
    return found


def _regions(estate: Estate) -> list[str]:
    return sorted({region for document in estate.of(Organization) for region in document.model.regions})


def _names_security_hub(estate: Estate) -> bool:
    """Its own API is asked only where git says something of it: it may not be in use at all."""
    return any(
        SECURITY_HUB in services
        for document in estate.of(Organization)
        for lists in (document.model.delegated_administrators, document.model.disable.delegated_administrators)
        for services in lists.values()
    )


def _entries(
    document: Document[Organization], names: Names, blocked: dict[str, str], *, disabled: bool
) -> Iterator[tuple[str, str, str, str]]:
    """(key, account, service, file:line:column) of each line; accounts that nothing is known of are blocked."""
    path = ("disable", "delegated_administrators") if disabled else ("delegated_administrators",)
    model = document.model.disable if disabled else document.model
    for name, services in model.delegated_administrators.items():
        for number, service in enumerate(services):
            try:
                account = names.account_key(name)
            except KeyError:
                blocked[f"{name}/{service}"] = f"there is no account {name} in this organization"
                continue
            yield f"{account}/{service}", account, service, str(document.marks.at(*path, name, number))


def _second_administrators(
    resources: Mapping[str, DelegatedAdministrator], gone: Mapping[str, object], live: Live
) -> dict[str, str]:
    """Security Hub has one administrator: another one has to be taken off first, on purpose."""
    others = {
        one.account: one.name
        for one in live.of(DelegatedAdministrator).values()
        if one.service == SECURITY_HUB and one.key not in gone
    }
    return {
        key: f"Security Hub has an administrator, {name}: name it in `disable: delegated_administrators` as well"
        for key, one in resources.items()
        if one.service == SECURITY_HUB
        for account, name in others.items()
        if account != one.account
    }


def _administrator(
    account: str, service: str, names: Names, regions: frozenset[str] | None = None, source: str | None = None
) -> DelegatedAdministrator:
    return DelegatedAdministrator(
        key=f"{account}/{service}",
        name=f"{names.account_name(account)}/{service}",
        source=source,
        account=account,
        service=service,
        regions=regions,
    )
