"""The whole live organization, through the kinds that every plan is made from.

Most kinds read only what git names. So they look twice: first for names, then with a made-up commit that names
all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.aws.api import Here, Reader
from controller.catalogue.security_hub import STANDARDS
from controller.desired import paths
from controller.desired.documents.accounts import AccountEntry, Contact, Contacts
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.base import DocumentModel, Targets
from controller.desired.documents.organization import Organization
from controller.desired.documents.permission_set import PermissionSet as PermissionSetDocument
from controller.desired.documents.policies import Policy as PolicyDocument
from controller.desired.documents.security_hub import SecurityHub as SecurityHubDocument
from controller.desired.estate import Document, Estate, UnitEntry
from controller.desired.marks import Mark, Marks
from controller.errors import CannotConnect
from controller.importing.names import handles
from controller.importing.regions import governed
from controller.reconcile import observe
from controller.resources.account import Account
from controller.resources.base import Incomplete, Kind, Live
from controller.resources.delegated_administrator import SECURITY_HUB
from controller.resources.organizational_unit import OrganizationalUnit
from controller.resources.permission_set import PermissionSet
from controller.resources.policies import POLICY_KINDS, ServiceControlPolicy, targets_of
from controller.resources.policy_attachment import PolicyAttachment
from controller.resources.registry import KINDS
from controller.resources.security_hub import SecurityHubs

FULL_ACCESS = "FullAWSAccess"
_NOWHERE = Mark("import", 0, 0)
_NOBODYS = "(orgctl import)"
"""Naming any policy of a type has its list read, also while the type is off."""
_ANY_CONTACT = Contact(name="-", title="-", email="-", phone="0")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is live.

    Attributes:
        handles: account id → what git will call it.
        regions: Governed Regions.
        without_full_access: Keys of the OUs and accounts that FullAWSAccess is not attached to.
        estate: The commit that names all of it.
        kinds: Of resources, that were looked at.
    """

    here: Here
    live: Live
    handles: Mapping[str, str]
    regions: tuple[str, ...]
    without_full_access: frozenset[str]
    estate: Estate
    kinds: frozenset[str] = field(default_factory=frozenset)

    def incomplete(self) -> list[Incomplete]:
        """What could not be seen."""
        return list(self.live.incomplete())


def look(aws: Reader, regions: Iterable[str] = (), *, security_hub: bool = True, contacts: bool = True) -> Seen:
    """Look at everything. Where something cannot be read, that is in the result's `incomplete`.

    Args:
        regions: Governed Regions; none: those in which Security Hub is found.
        security_hub: Whether to look at Security Hub in every account.
        contacts: Whether to read accounts' contacts: people's data, and three calls for each account.
    """
    kinds = {kind.name: kind for kind in KINDS if security_hub or kind.name != SecurityHubs.name}
    listed = observe(_first(kinds), aws, _naming(_lists()))
    _check_ground(listed)
    found = handles(listed.of(Account).values())
    where = tuple(regions) or governed(aws, listed)
    estate = _everything(listed, found, where, aws.here, contacts=contacts)
    live = observe(kinds, aws, estate)
    return Seen(
        here=aws.here,
        live=live,
        handles=found,
        regions=where,
        without_full_access=_without_full_access(aws, live),
        estate=estate,
        kinds=frozenset(kinds),
    )


def _first(kinds: Mapping[str, Kind[Any]]) -> dict[str, Kind[Any]]:
    """The kinds whose lists are names; what belongs to a policy, a permission set or an account comes later."""
    later = {PolicyAttachment.kind, "account_assignment", SecurityHubs.name}
    return {name: kind for name, kind in kinds.items() if name not in later}


def _check_ground(listed: Live) -> None:
    """Everything has its place in the tree, or belongs to an account."""
    for kind in (OrganizationalUnit.kind, Account.kind):
        if not listed.whole(kind):
            why = next(one.why for one in listed.observed[kind].incomplete if one.key is None)
            raise CannotConnect(f"Nothing can be imported without the organization's OUs and accounts: {kind}: {why}")


def _lists() -> Iterator[DocumentModel]:
    for kind in POLICY_KINDS:
        yield _policy(kind.document, name=_NOBODYS, external=True)


def _policy(kind: str, **said: Any) -> PolicyDocument:
    return PolicyDocument.model_construct(None, kind=kind, **said)  # type: ignore[arg-type]  # as the format has it


def _everything(
    listed: Live, handles: Mapping[str, str], regions: tuple[str, ...], here: Here, *, contacts: bool
) -> Estate:
    accounts = listed.of(Account)
    # Where the Tagging API shows tags of no account at all it may not know accounts: then each is asked.
    expected = None if any(account.tags for account in accounts.values()) else {"orgctl:import": "?"}
    any_contacts = Contacts.model_construct(billing=_ANY_CONTACT, operations=_ANY_CONTACT, security=_ANY_CONTACT)
    return _naming(
        _documents(listed, handles, regions, here),
        units={
            path: UnitEntry(path, paths.names(path)[-1], _NOWHERE)
            for path in listed.of(OrganizationalUnit)
            if path != paths.ROOT
        },
        accounts={
            handles[id]: AccountEntry.model_construct(
                id=id, unit=account.unit, tags=expected, contacts=any_contacts if contacts else None
            )
            for id, account in accounts.items()
        },
    )


def _documents(
    listed: Live, handles: Mapping[str, str], regions: tuple[str, ...], here: Here
) -> Iterator[DocumentModel]:
    management = handles[here.management_account]
    yield Organization.model_construct(
        kind="Organization", regions=list(regions), delegated_administrators={management: [SECURITY_HUB]}
    )
    yield from _lists()
    for kind in POLICY_KINDS:
        for policy in listed.of(kind.resource).values():
            if not policy.aws_managed:
                yield _policy(kind.document, name=policy.key, content={})
    for permission_set in listed.of(PermissionSet).values():
        yield PermissionSetDocument.model_construct(kind="PermissionSet", name=permission_set.key)
    yield Assignments(kind="Assignments")
    yield SecurityHubDocument.model_construct(
        kind="SecurityHub",
        regions=list(regions),
        targets=Targets(units=[paths.ROOT], accounts=[management]),
        standards=list(STANDARDS),
    )


def _naming(
    documents: Iterable[DocumentModel],
    units: Mapping[str, UnitEntry] | None = None,
    accounts: Mapping[str, AccountEntry] | None = None,
) -> Estate:
    marks = Marks({(): _NOWHERE})
    return Estate(
        documents=tuple(Document(model, marks) for model in documents), units=units or {}, accounts=accounts or {}
    )


def _without_full_access(aws: Reader, live: Live) -> frozenset[str]:
    """Where FullAWSAccess was taken off; AWS attaches it to everything itself."""
    policy = live.of(ServiceControlPolicy).get(FULL_ACCESS)
    if policy is None or "service_control" not in live.observed["policy_type"].resources:
        return frozenset()
    ids = set(targets_of(aws, str(policy.id)))
    everything = (*live.of(OrganizationalUnit).values(), *live.of(Account).values())
    return frozenset(one.key for one in everything if one.id not in ids)
