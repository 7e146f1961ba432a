"""The names one commit declares, and references to them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from controller.desired import paths
from controller.desired.documents.accounts import AccountEntry
from controller.desired.estate import UnitEntry
from controller.desired.findings import Findings
from controller.desired.marks import Mark
from controller.desired.nearest import nearest

# Organizations API reference: RootId, OrganizationalUnitId, AccountId, PolicyId, OrganizationId.
ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
UNIT_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
POLICY_ID = re.compile(r"p-[0-9a-zA-Z_]{8,128}")
ORGANIZATION_ID = re.compile(r"o-[a-z0-9]{10,32}")
_SUGGESTIONS = 100
PERMISSION_SET_ARN = re.compile(r"arn:aws[a-z-]*:sso:::permissionSet/(sso)?ins-[a-zA-Z0-9-.]{16}/ps-[a-zA-Z0-9-./]{16}")


def is_id(name: str) -> bool:
    """Whether a name is shaped like an id of AWS Organizations: it would be taken for one."""
    return any(shape.fullmatch(name) for shape in (ACCOUNT_ID, UNIT_ID, POLICY_ID, ORGANIZATION_ID))


@dataclass(slots=True)
class Declared:
    """Names by kind, with where they were declared.

    Attributes:
        permission_sets: name → (where, whether it is being deleted).
        hidden: Names of documents that did not fit: nothing is known of them but that they exist.
        unsure: A file could not be read at all; what it declared is unknown, so no name is called dangling.
    """

    units: Mapping[str, UnitEntry]
    accounts: Mapping[str, AccountEntry]
    account_marks: Mapping[str, Mark]
    permission_sets: Mapping[str, tuple[Mark, bool]]
    hidden: Collection[str] = field(default_factory=frozenset)
    unsure: bool = False
    handles: Mapping[str, str] = field(init=False)
    """account id → handle."""
    suggested: dict[tuple[str, str], str | None] = field(init=False, default_factory=dict)
    """(dangling name, advice) → the nearest there is."""

    def __post_init__(self) -> None:
        self.handles = {entry.id: handle for handle, entry in self.accounts.items() if entry.id}

    def unit(self, path: str, mark: Mark, who: str, findings: Findings) -> None:
        """Complain unless `path` is the root, a declared OU or an id."""
        entry = self.units.get(path)
        if entry is not None and entry.deleted:
            what = f"{who}: the unit {path!r} is deleted ({_place(entry.mark)})"
            findings.error(mark, what, "Take the name out here, or keep the unit.")
        elif entry is None and path != paths.ROOT and not UNIT_ID.fullmatch(path):
            places = {name: unit.mark for name, unit in self.units.items()}
            if not paths.is_absolute(path):
                fix = self._advice(path, places, "Paths begin at the root: /Workloads/Prod.")
                findings.error(mark, f"{who}: {path!r} is not the path of a unit", fix)
                return
            self._dangling("unit", path, mark, who, findings, places, "Correct the path or declare the unit.")

    def account(self, name: str, mark: Mark, who: str, findings: Findings) -> None:
        """Complain unless `name` is a declared handle or an id."""
        if name not in self.accounts and not ACCOUNT_ID.fullmatch(name):
            fix = "Correct the name, declare the account, or give its id."
            self._dangling("account", name, mark, who, findings, self.account_marks, fix)

    def permission_set(self, name: str, mark: Mark, who: str, findings: Findings) -> None:
        """Complain unless `name` is a declared permission set or an ARN."""
        found = self.permission_sets.get(name)
        if found is not None and found[1]:
            what = f"{who}: the permission set {name!r} is deleted ({_place(found[0])})"
            findings.error(mark, what, "Take the name out here, or keep the permission set.")
        elif found is None and not PERMISSION_SET_ARN.fullmatch(name):
            places = {known: place for known, (place, _) in self.permission_sets.items()}
            fix = "Correct the name or declare the permission set (`external: true` where it is managed elsewhere)."
            self._dangling("permission set", name, mark, who, findings, places, fix)

    def same_account(self, name: str) -> str:
        """One name for one account: its handle where it has one here, else the id."""
        return self.handles.get(name, name)

    def _dangling(
        self, kind: str, name: str, mark: Mark, who: str, findings: Findings, places: Mapping[str, Mark], fix: str
    ) -> None:
        if not self.unsure and name not in self.hidden:
            findings.error(mark, f"{who}: there is no {kind} {name!r}", self._advice(name, places, fix))

    def _advice(self, name: str, places: Mapping[str, Mark], fix: str) -> str:
        # Looking for near spellings takes milliseconds; thousands of dangling names have one cause and need no advice.
        if (name, fix) not in self.suggested and len(self.suggested) < _SUGGESTIONS:
            self.suggested[name, fix] = nearest(name, places)
        near = self.suggested.get((name, fix))
        return fix if near is None else f"Did you mean {near!r} ({_place(places[near])})? {fix}".rstrip()


def _place(mark: Mark) -> str:
    return f"{mark.file}:{mark.line}"
