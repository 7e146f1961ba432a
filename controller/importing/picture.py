"""What the writers of documents share: what was seen, what is asked for, and the names by which things refer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.config import PolicyLimits
from controller.desired import paths
from controller.desired.checks.lines import MAX_TAGS
from controller.importing import names
from controller.importing.look import Seen
from controller.importing.notes import Notes
from controller.importing.write import comment, document
from controller.resources.account import Account
from controller.resources.base import OWNER_TAG, ForeignTags, Resource
from controller.resources.organizational_unit import OrganizationalUnit, within

SCHEMA = "# yaml-language-server: $schema={up}schemas/{kind}.json\n"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is imported: kinds of resource (none: all), and what lies in or below one OU."""

    kinds: frozenset[str] = frozenset()
    unit: str = paths.ROOT

    def has(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    @property
    def whole_tree(self) -> bool:
        return self.unit == paths.ROOT

    def covers(self, path: str | None) -> bool:
        return self.whole_tree or within(path, self.unit)


@dataclass(slots=True)
class Picture:
    """One import on its way into files.

    Attributes:
        files: path below the directory → text.
        elsewhere: What documents refer to and this import does not describe: OU paths, account ids, permission sets.
    """

    seen: Seen
    scope: Scope
    foreign: ForeignTags
    notes: Notes = field(default_factory=Notes)
    limits: PolicyLimits = field(default_factory=PolicyLimits)
    files: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, set[str]] = field(default_factory=dict)

    @property
    def units(self) -> Mapping[str, OrganizationalUnit]:
        return self.seen.live.of(OrganizationalUnit)

    @property
    def accounts(self) -> Mapping[str, Account]:
        return self.seen.live.of(Account)

    def unit(self, path: str) -> str:
        """How git refers to an OU: by its path, or by its id where it cannot write that."""
        if path == paths.ROOT:
            return path
        if not self.can_name(path):
            return str(self.units[path].id)
        if not (self.scope.has(OrganizationalUnit.kind) and self.scope.covers(path)):
            self.elsewhere.setdefault("units", set()).add(path)
        return path

    def can_name(self, path: str) -> bool:
        """Whether git can refer to an OU by its path."""
        return path == paths.ROOT or names.can_be_declared(path)

    def account(self, id: str) -> str:
        """How git refers to an account: by its handle."""
        if not (self.scope.has(Account.kind) and self.scope.covers(self.accounts[id].unit)):
            self.elsewhere.setdefault("accounts", set()).add(id)
        return self.seen.handles[id]

    def places(self, units: Iterable[str], accounts: Iterable[str]) -> dict[str, Any]:
        """``units`` and ``accounts`` as targets have them, those that are empty left out."""
        found = {
            "units": [self.unit(path) for path in sorted(units, key=paths.names)],
            "accounts": sorted(map(self.account, accounts)),
        }
        return {key: value for key, value in found.items() if value}

    def tags(self, resource: Resource) -> dict[str, str]:
        """The tags that git may state, by key."""
        tags: Mapping[str, str] = getattr(resource, "tags", None) or {}
        return {key: value for key, value in sorted(tags.items()) if not self.foreign.covers(key)}

    def not_ours(self, resource: Resource) -> str | None:
        """Why git can name it but not manage it, or None."""
        if resource.owner not in (None, self.seen.here.instance):
            return f"belongs to instance '{resource.owner}' of orgctl"
        if len(getattr(resource, "tags", None) or {}) >= MAX_TAGS and resource.owner is None:
            return f"has {MAX_TAGS} tags already, and {OWNER_TAG} would be one more"
        return None

    def put(self, file: str, kind: str, documents: Iterable[Mapping[str, Any]], *, above: str = "") -> None:
        """Documents of one kind as a file; none: no file."""
        texts = [document(one) for one in documents]
        if texts:
            head = SCHEMA.format(up="../" * (file.count("/") + 1), kind=kind)
            self.files[file] = head + comment(above) + "---\n".join(texts)
