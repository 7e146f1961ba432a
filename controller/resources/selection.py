"""Which accounts a document's `targets` mean: units, accounts and tags, resolved against git and live AWS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from controller.desired import paths
from controller.desired.documents.accounts import AccountEntry
from controller.desired.documents.base import Targets
from controller.desired.estate import Estate
from controller.resources.account import Account
from controller.resources.base import Live, Note
from controller.resources.names import Names
from controller.resources.organizational_unit import ROOT


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids of the accounts that match; and of what cannot match, why: its name → a sentence's end."""

    accounts: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    def notes(self, kind: str, where: str) -> Iterator[Note]:
        """What a person should know; `where` is the document that selects."""
        for name, why in self.skipped.items():
            yield Note(kind, name, why)
        if not self.accounts:
            yield Note(kind, where, "its targets match no account")


def select(targets: Targets, estate: Estate, live: Live) -> Selection:
    """(The accounts below `units`, narrowed by `tags`) and `accounts`, less `exclude`; `tags` alone searches the root.

    Where an account is and which tags it has is what this commit declares, else what is live. The management account
    matches only when named in `accounts`; accounts that are not ACTIVE, and those that AWS lacks, never match.
    """
    return Selector(estate, live).select(targets)


@dataclass(frozen=True, slots=True)
class Member:
    """A live account, and where it is and how it is tagged once this commit is in force.

    `units`: the OU it lies in and all above; none where that is not known.
    """

    account: Account
    units: frozenset[str]
    tags: Mapping[str, str]

    def below(self, units: Iterable[str]) -> bool:
        return not self.units.isdisjoint(units)

    def has(self, tags: Mapping[str, str]) -> bool:
        """Every one of these tags, with this value."""
        return all(self.tags.get(key) == value for key, value in tags.items())


class Selector:
    """`select` for many `targets` of one commit: each looks only at the accounts below its own units."""

    def __init__(self, estate: Estate, live: Live) -> None:
        self._names = Names(estate, live)
        self._above = cache(lambda unit: frozenset(paths.ancestors(unit)))
        entries = {self._names.account_key(handle): entry for handle, entry in estate.accounts.items()}
        bare = AccountEntry()
        self._members = {id: self._member(account, entries.get(id, bare)) for id, account in live.of(Account).items()}
        self._inside: dict[str, list[Member]] = {}
        for member in self._members.values():
            for unit in member.units:
                self._inside.setdefault(unit, []).append(member)

    def select(self, targets: Targets) -> Selection:
        skipped: dict[str, str] = {}
        found: set[str] = set()
        for member in self._matches(targets, skipped):
            if member.account.active:
                found.add(member.account.key)
            else:
                skipped[member.account.name] = f"left out: the account is {member.account.state}, not ACTIVE"
        return Selection(tuple(sorted(found)), skipped)

    def _matches(self, targets: Targets, skipped: dict[str, str]) -> Iterator[Member]:
        out = targets.exclude
        units, accounts = self._paths(out.units, skipped), {self._id(name) for name in out.accounts}
        for member in (*self._below(targets, skipped), *self._named(targets, skipped)):
            excluded = member.below(units) or member.account.key in accounts or (out.tags and member.has(out.tags))
            if not excluded:
                yield member

    def _below(self, targets: Targets, skipped: dict[str, str]) -> Iterator[Member]:
        """What `units` and `tags` match."""
        units = self._paths(targets.units, skipped)
        if not targets.units and targets.tags:
            units = [ROOT]
        for unit in units:
            for member in self._inside.get(unit, ()):
                if not member.account.management and member.has(targets.tags):
                    yield member

    def _named(self, targets: Targets, skipped: dict[str, str]) -> Iterator[Member]:
        """What `accounts` names."""
        for name in targets.accounts:
            member = self._members.get(self._id(name))
            if member is None:
                skipped[name] = "left out: AWS has no such account"
            else:
                yield member

    def _member(self, account: Account, entry: AccountEntry) -> Member:
        ours = not entry.external and not entry.released
        unit = self._path(entry.unit) if ours and entry.unit is not None else account.unit
        tags = entry.tags if ours and entry.tags is not None else account.tags
        return Member(account, frozenset() if unit is None else self._above(unit), tags or {})

    def _paths(self, units: Iterable[str], skipped: dict[str, str]) -> list[str]:
        found = {unit: self._path(unit) for unit in units}
        skipped |= {unit: "left out: this organization has no such OU" for unit, path in found.items() if path is None}
        return [path for path in found.values() if path is not None]

    def _path(self, unit: str) -> str | None:
        """The path of an OU that git gives by path or id; None where no OU has that id."""
        try:
            return self._names.unit_key(unit)
        except KeyError:
            return None

    def _id(self, name: str) -> str:
        """The key of an account that git gives by handle or id."""
        try:
            return self._names.account_key(name)
        except KeyError:
            return name
