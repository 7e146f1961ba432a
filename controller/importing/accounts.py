"""accounts/<top OU>.yaml: where each account lies, its tags, its contacts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import ValidationError

from controller.desired import paths
from controller.desired.documents.accounts import AccountEntry
from controller.desired.documents.accounts import Contact as ContactEntry
from controller.importing.names import FileNames, by_top_unit
from controller.importing.picture import Picture
from controller.importing.write import Block, Said
from controller.resources.account import CONTACT_TYPES, TRUST, Account, Contact
from controller.resources.trusted_service import TrustedService

INACTIVE = "inactive"


def write(picture: Picture) -> None:
    """One file for each OU directly below the root, one for the root, one for accounts that are not ACTIVE."""
    if not picture.scope.has(Account.kind):
        return
    wanted = [account for account in picture.accounts.values() if picture.scope.covers(account.unit)]
    active = [account for account in wanted if account.active]
    _say_of_contacts(picture, active)
    emails = shared_emails(picture)
    files = FileNames()
    files.take(INACTIVE, without=INACTIVE)
    for top, accounts in sorted(by_top_unit(active).items(), key=lambda item: paths.names(item[0])):
        name = files.take("root" if top == paths.ROOT else paths.names(top)[-1].casefold(), without="unit")
        said = {picture.seen.handles[one.key]: _entry(picture, one, emails) for one in accounts}
        above = f"The accounts {'in the root' if top == paths.ROOT else 'below ' + top}."
        _put(picture, f"accounts/{name}.yaml", said, above)
    said = {picture.seen.handles[one.key]: _inactive(picture, one, emails) for one in wanted if not one.active}
    above = "Accounts that are not ACTIVE. They are left alone, wherever they lie; their names may be used."
    _put(picture, f"accounts/{INACTIVE}.yaml", said, above)


def identity(account: Account, shared: Counter[str]) -> dict[str, str]:
    """How git finds the account: by its e-mail address where that is its alone."""
    email = account.email or ""
    if shared[email.casefold()] == 1:
        try:
            AccountEntry(email=email)
            return {"email": email}
        except ValidationError:
            pass
    return {"id": account.key}


def shared_emails(picture: Picture) -> Counter[str]:
    """e-mail in lower case → how many accounts have it."""
    return Counter((account.email or "").casefold() for account in picture.accounts.values())


def _put(picture: Picture, file: str, said: dict[str, Any], above: str) -> None:
    if said:
        document = {"kind": "Accounts", "accounts": Block({handle: said[handle] for handle in sorted(said)})}
        picture.put(file, "accounts", [document], above=above)


def _named(picture: Picture, account: Account, shared: Counter[str]) -> dict[str, Any]:
    is_handle = account.title == picture.seen.handles[account.key]
    return {**identity(account, shared), **({"name": account.title} if account.title and not is_handle else {})}


def _entry(picture: Picture, account: Account, shared: Counter[str]) -> Block:
    tags = picture.tags(account)
    contacts = _contacts(picture, account)
    return Block(
        {
            **_named(picture, account, shared),
            **({"unit": picture.unit(account.unit)} if account.unit is not None else {}),
            **({"tags": tags} if tags else {}),
            **({"contacts": contacts} if contacts else {}),
        }
    )


def _inactive(picture: Picture, account: Account, shared: Counter[str]) -> Block:
    said = _named(picture, account, shared)
    first = next(iter(said))
    return Block({**said, first: Said(said[first], str(account.state))})


def _contacts(picture: Picture, account: Account) -> dict[str, Any]:
    """Those that it has; all three are looked at."""
    found: dict[str, Contact] = {type: getattr(account, type) for type in CONTACT_TYPES}
    said: dict[str, Any] = {}
    for type, contact in found.items():
        if contact is None:
            continue
        try:
            ContactEntry(name=contact.name, title=contact.title, email=contact.email, phone=contact.phone)
            said[type] = contact.to_json()
        except ValidationError:
            name = picture.seen.handles[account.key]
            picture.notes.left_out(f"{type} contact of {name}", "its values do not fit what AWS takes today")
    return said


def _say_of_contacts(picture: Picture, accounts: list[Account]) -> None:
    if TRUST not in picture.seen.live.of(TrustedService):
        picture.notes.left_out("contacts of member accounts", f"they can be read once the organization trusts {TRUST}")
    if any(getattr(account, type) for account in accounts for type in CONTACT_TYPES):
        picture.notes.look("accounts/", "holds people's contact data (names, e-mail addresses, telephone numbers)")
