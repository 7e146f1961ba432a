"""security-hub.yaml: account × Region cells, gathered into the fewest documents that say the same of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.catalogue.security_hub import STANDARDS
from controller.importing.fold import Folded, fold
from controller.importing.organization import FILE as ORGANIZATION
from controller.importing.picture import Picture
from controller.resources.security_hub import SecurityHubs, Seen
from controller.resources.security_hub_cell import SecurityHub

FILE = "security-hub.yaml"
Offers = Mapping[tuple[str, str], frozenset[str]]
"""(Region, standard) → ids of the controls that it has there."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one document says: standards, and ``"<standard> <control>"`` → reason.

    Attributes:
        cells: account ids by Region.
    """

    standards: frozenset[str]
    disabled: Mapping[str, str]
    cells: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def with_(self, other: Wish, offers: Offers) -> Wish | None:
        """Both as one, where that says the same of every cell: a Region has no control that the other one turns off."""
        together = {**self.disabled, **other.disabled}
        fits = self.standards == other.standards and all(
            together[entry] == self.disabled.get(entry, together[entry])
            and together[entry] == other.disabled.get(entry, together[entry])
            and not (entry not in self.disabled and _is_offered(entry, self.cells, offers))
            and not (entry not in other.disabled and _is_offered(entry, other.cells, offers))
            for entry in together
        )
        if not fits:
            return None
        regions = {*self.cells, *other.cells}
        nobody: frozenset[str] = frozenset()
        cells = {region: self.cells.get(region, nobody) | other.cells.get(region, nobody) for region in regions}
        return Wish(self.standards, together, cells)


def write(picture: Picture, *, folded: bool) -> None:
    """Only hubs that are on; `folded`: OUs, where every account in them has the same."""
    if not picture.scope.has(SecurityHubs.name) or SecurityHubs.name not in picture.seen.kinds:
        return
    seen = picture.seen.live.observed[SecurityHubs.name]
    if not isinstance(seen, Seen):
        return
    wishes = _merged(_wishes(picture, seen), seen.controls)
    said = [
        _document(picture, wish, regions, accounts, seen.controls, folded)
        for wish in wishes
        for regions, accounts in _blocks(wish.cells)
    ]
    above = "Which checks run where. Each account and Region is covered by exactly one of these documents."
    picture.put(FILE, "security_hub", said, above=above)


def _wishes(picture: Picture, seen: Seen) -> list[Wish]:
    """One for each different pair of standards and controls that are off, in a fixed order."""
    cells: dict[tuple[Any, Any], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key in sorted(seen.resources):
        cell = seen.resources[key]
        if not picture.scope.covers(picture.accounts[cell.account].unit):
            continue
        if (why := why_not(picture, cell, seen)) is not None:
            picture.notes.left_out(f"Security Hub of {cell.name}", why)
        else:
            cells[tuple(sorted(cell.standards)), tuple(sorted(cell.disabled.items()))][cell.region].add(cell.account)
    return [
        Wish(frozenset(standards), dict(disabled), {region: frozenset(ids) for region, ids in sorted(where.items())})
        for (standards, disabled), where in sorted(cells.items())
    ]


def why_not(picture: Picture, cell: SecurityHub, seen: Seen) -> str | None:
    """Why git does not describe a cell, or None."""
    if cell.key in seen.governed:
        return seen.governed[cell.key]
    if (why := picture.not_ours(cell)) is not None:
        return why
    if waiting := cell.unready | cell.leaving:
        return f"AWS is still at work on {', '.join(sorted(waiting))}: import again later"
    if unknown := cell.standards - STANDARDS.keys():
        return f"the catalogue does not know {', '.join(sorted(unknown))}"
    if unreasoned := sorted(entry for entry, reason in cell.disabled.items() if not reason.strip()):
        return f"{unreasoned[0]} is off without a reason; give one in Security Hub"
    return None


def _merged(wishes: list[Wish], offers: Offers) -> list[Wish]:
    """As few as there can be with one Region lacking controls that another has."""
    found: list[Wish] = []
    for wish in sorted(wishes, key=lambda wish: -len(wish.disabled)):
        for index, other in enumerate(found):
            if (both := other.with_(wish, offers)) is not None:
                found[index] = both
                break
        else:
            found.append(wish)
    return sorted(found, key=lambda wish: (-_size(wish), sorted(wish.standards), sorted(wish.disabled)))


def _size(wish: Wish) -> int:
    return sum(map(len, wish.cells.values()))


def _is_offered(entry: str, regions: Iterable[str], offers: Offers) -> bool:
    standard, _, control = entry.partition(" ")
    return any(control in offers.get((region, standard), ()) for region in regions)


def _blocks(cells: Mapping[str, frozenset[str]]) -> Iterator[tuple[list[str], frozenset[str]]]:
    """Cells as Regions × accounts, the way that takes fewer of them: by accounts' Regions, or by Regions' accounts."""
    regions_of: dict[str, set[str]] = defaultdict(set)
    for region, accounts in cells.items():
        for account in accounts:
            regions_of[account].add(region)
    by_regions: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for account, regions in regions_of.items():
        by_regions[tuple(sorted(regions))].add(account)
    by_accounts: dict[frozenset[str], list[str]] = defaultdict(list)
    for region in sorted(cells):
        by_accounts[cells[region]].append(region)
    if len(by_accounts) < len(by_regions):
        yield from ((regions, accounts) for accounts, regions in by_accounts.items())
    else:
        yield from ((list(regions), frozenset(by_regions[regions])) for regions in sorted(by_regions))


def _document(
    picture: Picture, wish: Wish, regions: list[str], accounts: frozenset[str], offers: Offers, folded: bool
) -> dict[str, Any]:
    where = fold(accounts, picture.accounts) if folded else Folded((), accounts)
    is_default = tuple(regions) == picture.seen.regions and ORGANIZATION in picture.files
    disabled = _controls(wish, regions, offers)
    return {
        "kind": "SecurityHub",
        **({} if is_default else {"regions": regions}),
        "targets": picture.places(where.units, where.accounts),
        "standards": sorted(wish.standards),
        **({"disabled_controls": disabled} if disabled else {}),
    }


def _controls(wish: Wish, regions: list[str], offers: Offers) -> list[dict[str, Any]]:
    """Each control once for each reason; its standards only where others of the document have it and keep it on."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry, reason in wish.disabled.items():
        standard, _, control = entry.partition(" ")
        if _is_offered(entry, regions, offers):
            found[control, reason].add(standard)
    return [
        {
            "control": control,
            **({} if standards >= _having(control, wish, regions, offers) else {"standards": sorted(standards)}),
            "reason": reason,
        }
        for (control, reason), standards in sorted(found.items())
    ]


def _having(control: str, wish: Wish, regions: list[str], offers: Offers) -> set[str]:
    """The document's standards that have the control somewhere."""
    return {s for s in wish.standards if _is_offered(f"{s} {control}", regions, offers)}
