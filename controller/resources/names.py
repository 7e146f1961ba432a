"""What names in git stand for: accounts and OUs by handle, path or id, and the ids that policy content asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from controller.aws.api import Writer
from controller.desired import paths, templates
from controller.desired.estate import Estate
from controller.resources.account import Account, account_ids
from controller.resources.base import Json, Live, Ref
from controller.resources.organizational_unit import OrganizationalUnit, unit_key
from controller.resources.policy_document import PolicyDocument


class Names:
    """Names of one commit against one look at AWS; `desired.templates.Names` for policy content.

    What git declares and AWS lacks is answered with a symbol: its id is known after create.
    """

    def __init__(self, estate: Estate, live: Live) -> None:
        self._estate = estate
        self._units = live.of(OrganizationalUnit)
        self._accounts = live.of(Account)
        self._live = live

    @cached_property
    def _emails(self) -> dict[str, str]:
        return account_ids(self._live)

    def unit_key(self, name: str) -> str:
        """The path of an OU that is given by its path or its id.

        Raises:
            KeyError: No OU has this id.
        """
        return unit_key(name, self._live)

    def account_key(self, name: str) -> str:
        """The key of an account that is given by its handle or its id; of one that AWS lacks, its e-mail address.

        Raises:
            KeyError: No account is called so.
        """
        entry = self._estate.accounts.get(name)
        if entry is None:
            return self._accounts[name].key
        if entry.id is not None:
            return entry.id
        email = str(entry.email).casefold()
        return self._emails.get(email, email)

    def account_name(self, key: str) -> str:
        """What people call the account of a key."""
        account = self._accounts.get(key)
        if account is not None:
            return account.name
        entries = self._estate.accounts.items()
        return next((handle for handle, e in entries if key in (e.id, str(e.email).casefold())), key)

    def organization_id(self) -> str:
        return self._root().split("/")[0]

    def root_id(self) -> str:
        return self._root().split("/")[1]

    def unit_id(self, path: str) -> str:
        unit = self._unit(path)
        return templates.symbol("unit", path, "id") if unit is None else str(unit.id)

    def unit_path(self, path: str) -> str:
        unit = self._unit(path)
        return templates.symbol("unit", path, "path") if unit is None else str(unit.aws_path)

    def account_id(self, handle: str) -> str:
        key = self.account_key(handle)
        if not key.isdigit():
            raise KeyError(handle)  # accounts are not created: there will be no id
        return key

    def _unit(self, path: str) -> OrganizationalUnit | None:
        """The OU; None where it is still to be created."""
        key = self.unit_key(path)
        if key not in self._units and key not in self._estate.units:
            raise KeyError(path)
        return self._units.get(key)

    def _root(self) -> str:
        return str(self._units[paths.ROOT].aws_path)


def rendered(content: Json, estate: Estate, live: Live) -> Json:
    """Policy content with every name replaced.

    Raises:
        TemplateError: A name that does not resolve.
    """
    return templates.render(content, Names(estate, live))


def accounts_in(content: Json, estate: Estate, live: Live) -> frozenset[str]:
    """Keys of the accounts that content names which could be rendered."""
    named = [name for kind, name in templates.references(content) if kind == "account"]
    return frozenset(map(Names(estate, live).account_key, named)) if named else frozenset()


def refs_in(document: PolicyDocument) -> frozenset[Ref]:
    """The OUs whose ids the document waits for."""
    return frozenset(Ref(OrganizationalUnit.kind, path) for _, path, _ in templates.symbols(document.text))


def filled(document: PolicyDocument, aws: Writer, *, iam: bool) -> PolicyDocument:
    """The document with the ids of what this apply has created.

    Raises:
        KeyError: Something it names was not created.
    """
    return document.filled(lambda text: templates.fill(text, _ids(aws)), iam=iam)


def _ids(aws: Writer) -> Callable[[str, str, str], str]:
    def look_up(kind: str, name: str, attribute: str) -> str:
        assert kind == "unit", kind
        ids = [aws.id_of(Ref(OrganizationalUnit.kind, path)) for path in reversed(paths.ancestors(name))]
        return ids[-1] if attribute == "id" else "/".join([aws.here.organization_id, *ids])

    return look_up
