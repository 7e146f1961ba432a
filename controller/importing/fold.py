"""Accounts that make up an OU, said as that OU."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.desired import paths
from controller.resources.account import Account

FEWEST = 2
"""Accounts below an OU that make it worth a name: an OU of one account says nothing of whom it is for."""


@dataclass(frozen=True, slots=True)
class Folded:
    """OUs that are covered whole, and the accounts beside them."""

    units: tuple[str, ...]
    accounts: frozenset[str]


def fold(accounts: Iterable[str], every: Mapping[str, Account]) -> Folded:
    """The fewest names for exactly these accounts, as `targets` read them: OUs mean what is ACTIVE in or below them.

    Args:
        accounts: Ids of ACTIVE accounts.
        every: Of the organization.
    """
    rest = set(accounts)
    inside: dict[str, set[str]] = {}
    for id, account in every.items():
        # The management account matches only by name, those that are not ACTIVE not at all.
        if account.active and not account.management and account.unit is not None:
            for path in paths.ancestors(account.unit):
                inside.setdefault(path, set()).add(id)
    units: list[str] = []
    for path in sorted(inside, key=lambda path: (len(paths.names(path)), paths.names(path))):
        if len(inside[path]) >= FEWEST and inside[path] <= rest:
            units.append(path)
            rest -= inside[path]
    return Folded(tuple(units), frozenset(rest))
