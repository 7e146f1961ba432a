"""What every part of the seeding looks up: names to ids, owners, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from controller.desired import paths
from controller.desired.documents.accounts import AccountEntry
from controller.desired.documents.base import Attachment, Targets
from controller.desired.documents.organization import Organization
from controller.desired.estate import Estate
from controller.resources.base import OWNER_TAG
from controller.sandbox.document import SandboxWorld
from controller.sandbox.world import World

STALE_UNIT = "00000000"
"""Ends the id that content has for an OU that is not there: as if it had been deleted since."""


@dataclass(slots=True)
class Ground:
    """A world being seeded, and the two things it is seeded from.

    Attributes:
        units: path, as git calls it → id of the OU.
        accounts: handle → id.
        names: id → path or handle.
    """

    world: World
    estate: Estate
    document: SandboxWorld
    units: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def regions(self) -> list[str]:
        """The governed Regions."""
        for found in self.estate.of(Organization):
            if found.model.regions:
                return list(found.model.regions)
        return [self.document.identity_center_region]

    def exists(self, kind: str, name: str) -> bool:
        """Whether something that git declares is there."""
        return not any(fnmatchcase(thing(kind, name), glob) for glob in self.document.missing)

    def owner(self, kind: str, name: str) -> str | None:
        """The instance whose tag something that git declares carries."""
        shown = thing(kind, name)
        for glob, instance in self.document.owned_by_others.items():
            if fnmatchcase(shown, glob):
                return instance
        nobodys = any(fnmatchcase(shown, glob) for glob in self.document.not_owned)
        return None if nobodys else self.document.owned_by or None

    def tags(
        self, kind: str, name: str, wanted: Mapping[str, str] | None, real: Mapping[str, str] | None
    ) -> dict[str, str]:
        """The tags of something that git declares: its own, or what it really has, and the owner's."""
        owner = self.owner(kind, name)
        its_own = (wanted if real is None else real) or {}
        return {**its_own, OWNER_TAG: owner} if owner else dict(its_own)

    # Names

    def unit(self, path: str) -> str:
        """The id of an OU, or of the nearest one above it that is there."""
        return next(self.units[step] for step in paths.ancestors(path) if step in self.units)

    def account(self, name: str) -> str | None:
        """The id behind a handle (or an id); None: there is no such account."""
        id = self.accounts.get(name, name)
        return id if id in self.world.accounts else None

    def targets(self, attachment: Attachment | None) -> Iterator[str]:
        """The ids of roots, OUs and accounts, those that are there."""
        if attachment is None:
            return
        yield from (self.units[path] for path in attachment.units if path in self.units)
        yield from filter(None, map(self.account, attachment.accounts))

    def selected(self, targets: Targets) -> list[str]:
        """Ids of the active accounts that `targets` mean, by where git puts them and how git tags them."""
        entries = {id: self.estate.accounts.get(handle) for handle, id in self.accounts.items()}
        units = targets.units or (["/"] if targets.tags else [])
        named, out = set(self._ids(targets.accounts)), set(self._ids(targets.exclude.accounts))
        found = []
        for id, account in self.world.accounts.items():
            path, tags = self._placed(id, entries.get(id))
            below = id != self.world.management_account and paths.within(path, units) and _has(tags, targets.tags)
            left_out = (
                id in out
                or paths.within(path, targets.exclude.units)
                or (bool(targets.exclude.tags) and _has(tags, targets.exclude.tags))
            )
            if (below or id in named) and not left_out and account.state == "ACTIVE":
                found.append(id)
        return found

    def handle(self, id: str) -> str:
        """What an account is called in plans."""
        return self.names.get(id, id)

    def _ids(self, names: Iterable[str]) -> Iterator[str]:
        yield from filter(None, map(self.account, names))

    def _placed(self, id: str, entry: AccountEntry | None) -> tuple[str, Mapping[str, str]]:
        account = self.world.accounts[id]
        path = entry.unit if entry and entry.unit else self.names.get(account.parent, "/")
        return path, account.tags if entry is None or entry.tags is None else entry.tags

    # `controller.desired.templates.Names`: what policy content may name.

    def organization_id(self) -> str:
        return self.world.organization_id

    def root_id(self) -> str:
        return self.world.root_id

    def unit_id(self, path: str) -> str:
        return self.units.get(path) or f"ou-{self.world.root_id[2:]}-{STALE_UNIT}"

    def unit_path(self, path: str) -> str:
        if path in self.units:
            return self.world.path(self.units[path]).rstrip("/")
        return f"{self.unit_path(paths.parent(path))}/{self.unit_id(path)}"

    def account_id(self, handle: str) -> str:
        """Raises KeyError."""
        return self.accounts.get(handle) or self.world.accounts[handle].id


def thing(kind: str, name: str) -> str:
    """``kind/name``; an OU's path brings its own slash."""
    return f"{kind}{name}" if name.startswith("/") else f"{kind}/{name}"


def _has(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(tags.get(key) == value for key, value in wanted.items())
