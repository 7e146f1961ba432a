"""account: an existing account: the OU it lies in, its tags, its alternate contacts. Never created, never closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.aws.tags import NO_TAGS, READ_ACTIONS, WRITE_ACTIONS, organization_tags, retag, tags_basis
from controller.desired import paths
from controller.desired.documents.accounts import AccountEntry
from controller.desired.documents.accounts import Contact as ContactEntry
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.organization import Organization
from controller.desired.documents.security_hub import SecurityHub
from controller.desired.estate import Estate
from controller.errors import AwsError
from controller.policy.organization import RCP, SCP
from controller.resources.base import (
    Action,
    Change,
    Desired,
    Incomplete,
    Json,
    Kind,
    Live,
    Note,
    Observed,
    Ref,
    Resource,
    private,
)
from controller.resources.changes import Changes
from controller.resources.organizational_unit import LANE, OrganizationalUnit, unit_key, way_to
from controller.resources.placement import policies_on
from controller.resources.protection import Place, attaches_over, awaiting, tightened_over, unseen
from controller.resources.trusted_service import TrustedService

ACTIVE = "ACTIVE"
CONTACT_TYPES = ("billing", "operations", "security")
TRUST = "account.amazonaws.com"
"""Needs trusted access before the management account may see members' contacts (Account API reference,
PutAlternateContact)."""


@dataclass(frozen=True, slots=True)
class Contact:
    """An alternate contact. Somebody's personal data: sent, compared, never shown."""

    name: str
    title: str
    email: str
    phone: str

    def to_json(self) -> Json:
        return {"name": self.name, "title": self.title, "email": self.email, "phone": self.phone}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Resource):
    """An account. Its key is its id; of one that AWS lacks, its e-mail address in lower case.

    Attributes:
        name: The handle in git, else its own name.
        unit: Path of the OU it lies in, as git calls it.
        billing, operations, security: Alternate contacts; live ones are known only where git manages them.
        management: Whether it is the organization's management account.
        state: ``ACTIVE``, ``SUSPENDED``, ``PENDING_CLOSURE``, ``CLOSED``, ``PENDING_ACTIVATION``.
        title: Its own name in AWS.
        unreachable: Its contacts can be neither seen nor written: that needs trusted access, which git does not want.
    """

    kind = "account"

    unit: str | None = None
    tags: Mapping[str, str] | None = None
    billing: Contact | None = private(default=None)  # noqa: RUF009  a field
    operations: Contact | None = private(default=None)  # noqa: RUF009  a field
    security: Contact | None = private(default=None)  # noqa: RUF009  a field
    management: bool | None = field(default=None, compare=False)
    state: str | None = field(default=None, compare=False)
    email: str | None = field(default=None, compare=False)
    title: str | None = field(default=None, compare=False)
    unreachable: bool = field(default=False, compare=False)

    @property
    def active(self) -> bool:
        return self.state == ACTIVE

    def needs(self) -> Iterable[Ref]:
        return () if self.unit is None else (Ref(OrganizationalUnit.kind, self.unit),)


class Accounts(Kind[Account]):
    """Accounts."""

    name = "account"
    resource = Account
    requires = ("organizational_unit", "trusted_service")
    reads = READ_ACTIONS | {
        "organizations:DescribeAccount",
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "account:GetAlternateContact",
    }
    writes = WRITE_ACTIONS | {"organizations:MoveAccount", "account:PutAlternateContact"}

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[Account]:
        listed = _listed(aws)
        handles = _handles(estate, listed)
        expected = {id: estate.accounts[handle].tags or {} for id, handle in handles.items()}
        ids = [account["Id"] for account in listed]
        keys = selecting_tags(estate)
        decisive = {id: keys for id in ids if id not in handles or estate.accounts[handles[id]].tags is None}
        tags = organization_tags(aws, "account", ids, expected, decisive)
        units = {unit.id: unit.key for unit in live.of(OrganizationalUnit).values() if unit.id}
        parents = _parents(aws, listed, units)
        accounts = {
            item["Id"]: Account(
                key=item["Id"],
                name=handles.get(item["Id"]) or item.get("Name") or item["Id"],
                id=item["Id"],
                unit=units.get(parents.get(item["Id"], "")),
                tags=tags.get(item["Id"], NO_TAGS),
                management=item["Id"] == aws.here.management_account,
                state=item.get("State") or item.get("Status"),  # Status is announced to go
                email=item.get("Email"),
                title=item.get("Name"),
            )
            for item in listed
        }
        lost = [
            Incomplete(self.name, f"it lies in {parents.get(id)}, an OU that was not there a moment ago", id, torn=True)
            for id, account in accounts.items()
            if account.unit is None
        ]
        read = [
            account
            for account in accounts.values()
            if account.active
            and (account.management or _trusted(live))
            and account.key in handles
            and estate.accounts[handles[account.key]].contacts is not None
        ]
        seen = aws.map(lambda account: self._with_contacts(aws, account, estate.accounts[handles[account.key]]), read)
        accounts.update({account.key: account for account in seen if isinstance(account, Account)})
        failed = [failure for failure in seen if isinstance(failure, Incomplete)]
        return Observed(accounts, (*lost, *failed))

    def desire(self, estate: Estate, live: Live) -> Desired[Account]:
        have = live.of(Account)
        resources: dict[str, Account] = {}
        blocked: dict[str, str] = {}
        emails = account_ids(live)
        notes: list[Note] = []
        for handle, entry in estate.accounts.items():
            if entry.external or entry.released:
                continue
            email = str(entry.email).casefold()
            key = entry.id or emails.get(email, email)
            found = have.get(key)
            source = str(estate.account_marks[handle]) if handle in estate.account_marks else None
            if key in resources:
                blocked[key] = f"'{resources[key].name}' and '{handle}' are the same account: keep one of them"
                continue
            resources[key] = Account(key=key, name=handle, source=source)
            if found is None:
                blocked[key] = _missing(entry)
            elif not found.active:
                notes.append(Note(self.name, handle, f"it is {found.state} in AWS, so it is left alone"))
            else:
                try:
                    resources[key] = self._wanted(resources[key], entry, found, live, estate, notes)
                except KeyError:
                    blocked[key] = f"there is no OU {entry.unit} in this organization: give its path"
        return Desired(resources=resources, blocked=blocked, doubts=_mixed_up(estate, have, emails), notes=tuple(notes))

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        """Where it lies, its tags and contacts; of a move the policies that await it, too."""
        awaited: set[Place] = set()
        for change in changes:
            account = change.before
            if not isinstance(account, Account):
                yield (_LIST,)
                continue
            yield place_basis(account.key)
            yield tags_basis(account.key)
            for type in CONTACT_TYPES:
                yield (_contact_call(account.key, type, management=bool(account.management)),)
            if change.action is Action.MOVE and isinstance(change.after, Account) and change.after.unit is not None:
                yield from way_to(change.after.unit, live)
                awaited |= {(kind, level) for level in paths.ancestors(change.after.unit) for kind in (SCP, RCP)}
        yield from policies_on(awaited, live)

    def update(self, aws: Writer, before: Account, after: Account) -> None:
        if before.unit != after.unit:
            self._move(aws, before, after)
        if after.tags is not None and before.tags != after.tags:
            retag(aws, after.key, before.tags or {}, after.tags)
        for type in CONTACT_TYPES:
            contact = getattr(after, type)
            if contact is not None and contact != getattr(before, type):
                aws.send(
                    "account:PutAlternateContact",
                    AlternateContactType=type.upper(),
                    Name=contact.name,
                    Title=contact.title,
                    EmailAddress=contact.email,
                    PhoneNumber=contact.phone,
                    **_subject(aws, after.key),
                )

    def changes(
        self, before: Account | None, after: Account | None
    ) -> Iterator[tuple[Action, Account | None, Account | None]]:
        """A move is a change of its own: other things wait for it, and it is counted and approved by itself.

        Contacts that cannot be written come last, when nothing else is left that they would hold up.
        """
        if before is None or after is None:
            yield from super().changes(before, after)
            return
        if before.unit != after.unit:
            yield Action.MOVE, before, replace(before, unit=after.unit, source=after.source)
        rest = replace(after, unit=before.unit)
        if after.unreachable:
            others = replace(rest, billing=before.billing, operations=before.operations, security=before.security)
            rest = others if before != others else rest
        if before != rest:
            yield Action.UPDATE, before, rest

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """A move waits for the policies of where it goes; contacts wait for the trust they need."""
        if change.action is Action.UPDATE and _contacts(change.before) != _contacts(change.after):
            yield f"{Ref(TrustedService.kind, TRUST)}:{Action.CREATE}"
        if change.action is Action.MOVE and isinstance(change.after, Account) and change.after.unit is not None:
            yield from attaches_over(change.after.unit, change.key, plan, live)
            yield from tightened_over(change.after.unit, change.key, plan, live)

    def rests_on(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """A move: which policies await the account."""
        old, new = (getattr(side, "unit", None) for side in (change.before, change.after))
        return awaiting(old, new, plan, live) if change.action is Action.MOVE and old and new else ()

    def needs_approval(self, change: Change) -> str | None:
        account = change.before
        if change.action is Action.MOVE and isinstance(account, Account) and account.management:
            return "moving the management account is always approved by a person"
        return None

    def forbids(self, change: Change, plan: Changes, live: Live) -> str | None:
        if change.action is Action.MOVE and unseen(live):
            return "which policies await it where it goes could not be observed"
        account = change.after
        if isinstance(account, Account) and account.unreachable and _contacts(change.before) != _contacts(account):
            return f"its contacts cannot be managed without trusted access: add {TRUST} to trusted_services"
        return None

    def unit(self, resource: Account, live: Live) -> str | None:
        return resource.unit

    def lane(self, change: Change) -> str | None:
        """Contacts are another service's: they need not queue."""
        before, after = change.before, change.after
        if isinstance(before, Account) and isinstance(after, Account):
            return LANE if before.unit != after.unit or before.tags != after.tags else None
        return LANE

    def _wanted(
        self, bare: Account, entry: AccountEntry, found: Account, live: Live, estate: Estate, notes: list[Note]
    ) -> Account:
        if found.title not in (entry.name or bare.name, None):
            text = f"its own name in AWS is '{found.title}'; orgctl writes no account names"
            notes.append(Note(self.name, bare.name, text))
        wanted = replace(bare, unit=entry.unit and unit_key(entry.unit, live), tags=entry.tags)
        if entry.contacts is None:
            return wanted
        return replace(
            wanted,
            unreachable=not (found.management or _trusted(live) or _to_be_trusted(estate)),
            billing=_contact(entry.contacts.billing),
            operations=_contact(entry.contacts.operations),
            security=_contact(entry.contacts.security),
        )

    def _move(self, aws: Writer, before: Account, after: Account) -> None:
        assert before.unit is not None and after.unit is not None
        try:
            aws.send(
                "organizations:MoveAccount",
                AccountId=after.key,
                SourceParentId=aws.id_of(Ref(OrganizationalUnit.kind, before.unit)),
                DestinationParentId=aws.id_of(Ref(OrganizationalUnit.kind, after.unit)),
            )
        except AwsError as error:
            if error.code != "DuplicateAccountException":  # it is there already
                raise

    def _with_contacts(self, aws: Reader, account: Account, entry: AccountEntry) -> Account | Incomplete:
        """The account with those contacts that git manages. One account's refusal is nobody else's."""
        assert entry.contacts is not None
        managed: dict[str, Any] = {}
        try:
            for type in CONTACT_TYPES:
                if getattr(entry.contacts, type) is not None:
                    managed[type] = _read_contact(aws, account.key, type)
            return replace(account, **managed)
        except AwsError as error:
            return Incomplete(self.name, str(error), account.key)


_LIST = Call.of("organizations:ListAccounts")


def place_basis(id: str) -> Basis:
    """What says where one account lies, and what state it is in."""
    return _LIST, Call.of("organizations:DescribeAccount", AccountId=id)


def membership(ids: Iterable[str], live: Live, estate: Estate) -> Iterator[Basis]:
    """What says which `targets` mean these accounts: their places, and their tags where any selects by tags."""
    accounts, by_tags = live.of(Account), bool(selecting_tags(estate))
    for account in (accounts[id] for id in ids if id in accounts):
        yield place_basis(account.key)
        yield from way_to(account.unit, live) if account.unit else ()
        if by_tags:
            yield tags_basis(account.key)


def _listed(aws: Reader) -> list[dict[str, Any]]:
    """Every account, those that were asked about by themselves since as they are now."""
    singles = aws.known.doubted("organizations:DescribeAccount") if aws.known else ()
    if aws.known and len(singles) > aws.known.cost(_LIST):
        aws.known.doubt([_LIST], instead_of=singles)  # twenty at a time is cheaper
    listed: list[dict[str, Any]] = list(aws.items("organizations:ListAccounts", "Accounts"))
    asked = [one["Id"] for one in listed if aws.is_better(place_basis(one["Id"])[-1], than=_LIST)]
    if not asked:
        return listed
    found = dict(zip(asked, aws.map(lambda id: _described(aws, id), asked), strict=True))
    return [account for one in listed if (account := found.get(one["Id"], one)) is not None]


def _described(aws: Reader, id: str) -> dict[str, Any] | None:
    """None: it has left the organization."""
    answer = aws.find("organizations:DescribeAccount", absent="AccountNotFoundException", AccountId=id)
    return None if answer is None else answer["Account"]


def _contact_call(account: str, type: str, *, management: bool) -> Call:
    subject = {} if management else {"AccountId": account}
    return Call.of("account:GetAlternateContact", AlternateContactType=type.upper(), **subject)


def _read_contact(aws: Reader, account: str, type: str) -> Contact | None:
    answer = aws.find(
        "account:GetAlternateContact",
        absent="ResourceNotFoundException",
        AlternateContactType=type.upper(),
        **_subject(aws, account),
    )
    if answer is None:
        return None
    found = answer["AlternateContact"]
    return Contact(found["Name"], found["Title"], found["EmailAddress"], found["PhoneNumber"])


def _subject(aws: Reader | Writer, account: str) -> dict[str, Any]:
    """The management account must leave its own id out (Account API reference, PutAlternateContact)."""
    return {} if account == aws.here.management_account else {"AccountId": account}


def _contact(entry: ContactEntry | None) -> Contact | None:
    return None if entry is None else Contact(entry.name, entry.title, entry.email, entry.phone)


def _contacts(resource: Resource | None) -> tuple[Any, ...]:
    return tuple(getattr(resource, type, None) for type in CONTACT_TYPES)


def _trusted(live: Live) -> bool:
    return TRUST in live.of(TrustedService)


def _to_be_trusted(estate: Estate) -> bool:
    return any(TRUST in document.model.trusted_services for document in estate.of(Organization))


def selecting_tags(estate: Estate) -> set[str]:
    """Keys of the tags by which `targets` select: an account that lacks one by mistake would lose what they give."""
    lines = [line.targets for document in estate.of(Assignments) for line in document.model.assignments]
    every = [*lines, *(document.model.targets for document in estate.of(SecurityHub))]
    return {key for targets in every for key in (*targets.tags, *targets.exclude.tags)}


def _handles(estate: Estate, listed: list[dict[str, Any]]) -> dict[str, str]:
    """account id → its handle in git."""
    ids = {account["Id"] for account in listed}
    emails = _by_email((account["Id"], account.get("Email"), account.get("State")) for account in listed)
    found: dict[str, str] = {}
    for handle, entry in estate.accounts.items():
        id = entry.id or emails.get(str(entry.email).casefold())
        if id is not None and id in ids:
            found.setdefault(id, handle)
    return found


def _by_email(accounts: Iterable[tuple[str, str | None, str | None]]) -> dict[str, str]:
    """e-mail in lower case → account id; of several (a closed account may linger), the active one."""
    found: dict[str, str] = {}
    for id, email, state in accounts:
        if email and (email.casefold() not in found or state == ACTIVE):
            found[email.casefold()] = id
    return found


def account_ids(live: Live) -> dict[str, str]:
    """e-mail address in lower case → account id."""
    return _by_email((account.key, account.email, account.state) for account in live.of(Account).values())


def _mixed_up(estate: Estate, have: Mapping[str, Account], emails: Mapping[str, str]) -> dict[str, str]:
    """Accounts that git calls by another one's name, and those others: addresses were swapped, or one is wrong."""
    names = {str(one.title).casefold(): key for key, one in have.items() if one.active and one.title}
    doubts: dict[str, str] = {}
    victims: dict[str, str] = {}  # what they have would go to the other
    for handle, entry in estate.accounts.items():
        name = entry.name or handle
        found = have.get(entry.id or emails.get(str(entry.email).casefold(), ""))
        victim = names.get(name.casefold())
        if found is None or not found.active or victim is None or (found.title or name).casefold() == name.casefold():
            continue
        what = f"the id {entry.id}" if entry.id else f"the address {entry.email}"
        why = f"'{name}' is the name of another account, and {what} is that of '{found.title}'"
        doubts[found.key] = victims[victim] = f"{why}: correct it, or say `name: {found.title}`"
    return {**victims, **doubts}


def _missing(entry: AccountEntry) -> str:
    if entry.id:
        return f"there is no account {entry.id} in this organization: correct the id, or invite the account first"
    return (
        f"no account of this organization has the e-mail address {entry.email}, and creation is not enabled: create "
        "the account, or correct the address"
    )


def _parents(aws: Reader, listed: list[dict[str, Any]], units: Mapping[str, str]) -> dict[str, str]:
    """account id → id of the OU or root it lies in.

    From ``Paths`` (``o-…/r-…/ou-…/<account>/``), which ListAccounts gives; where any lacks it, from one listing per OU.
    """
    found = {account["Id"]: account["Paths"][0].strip("/").split("/")[-2] for account in listed if account.get("Paths")}
    if len(found) < len(listed):
        if aws.known is not None:  # older than the accounts, it would say where they were
            aws.known.forget_actions({"organizations:ListAccountsForParent"})
        ids = list(units)
        inside = aws.map(lambda unit: _account_ids_in(aws, unit), ids)
        found |= {account: unit for unit, accounts in zip(ids, inside, strict=True) for account in accounts}
    return found


def _account_ids_in(aws: Reader, unit: str) -> list[str]:
    return [account["Id"] for account in aws.items("organizations:ListAccountsForParent", "Accounts", ParentId=unit)]
