"""The plan: what would be written, in order; what is held; what is left alone. One immutable value for all readers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.planning.scene import Scene
from controller.resources.base import Action, Change, Incomplete, Json, Note

ORPHANED = "ours, but no longer in git: say `deleted: true` or `released: true`, or name it again"


@dataclass(frozen=True, slots=True)
class Bystander:
    """A live resource that the plan leaves alone: unmanaged, or orphaned (ours, but git no longer names it)."""

    kind: str
    name: str
    orphaned: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered changes from live to desired.

    Attributes:
        changes: In an order that AWS accepts; `Change.requires` holds the exact dependencies.
        in_sync: kind → how many resources are as git says.
        commit: The commit the desired state comes from; None for a plain directory.
    """

    organization_id: str
    commit: str | None
    changes: tuple[Change, ...]
    in_sync: Mapping[str, int]
    bystanders: tuple[Bystander, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    notes: tuple[Note, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """change id → digest of the change: what an approval lets through."""
    fights: frozenset[str] = frozenset()
    """Ids of changes that somebody keeps undoing."""
    scene: Scene = field(default_factory=Scene, compare=False, repr=False)
    """What is around the changes, for saying what they do to people."""

    @property
    def plan_id(self) -> str:
        """Digest of everything that would be written and everything held; two equal plans have equal ids."""
        return digest([self.organization_id, [[c.id, self.fingerprints.get(c.id), c.blocked] for c in self.changes]])

    @property
    def unmanaged(self) -> tuple[Bystander, ...]:
        return tuple(b for b in self.bystanders if not b.orphaned)

    @property
    def orphaned(self) -> tuple[Bystander, ...]:
        return tuple(b for b in self.bystanders if b.orphaned)

    @property
    def held(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.blocked)

    @property
    def free(self) -> tuple[Change, ...]:
        """What an apply would write."""
        return tuple(c for c in self.changes if not c.blocked and not c.observe_only)

    @property
    def stuck(self) -> dict[str, list[str]]:
        """Why no approval lets it through → what waits, in words. Orphans wait for a word in git."""
        found: dict[str, list[str]] = {}
        for change in self.held:
            if change.hold is None:
                found.setdefault(str(change.blocked), []).append(f"{change.action} {change.kind} {change.name}")
        if self.orphaned:
            found[ORPHANED] = [f"{orphan.kind} {orphan.name}" for orphan in self.orphaned]
        return found

    @property
    def waiting(self) -> Mapping[str, int]:
        """Why what nothing holds is not written → how many changes."""
        return Counter(change.waits for change in self.changes if change.observe_only and not change.blocked)

    @property
    def aws_at_work(self) -> bool:
        """Whether AWS is still doing what it was told, so that more to change may show afterwards."""
        return any(note.passing for note in self.notes)

    def summary(self) -> dict[str, int]:
        """Counts by action, with `unchanged`, `unmanaged`, `orphaned` and `blocked`."""
        counts = {action.value: 0 for action in Action}
        for change in self.changes:
            if not change.blocked:
                counts[change.action.value] += 1
        return {
            **counts,
            "unchanged": sum(self.in_sync.values()),
            "unmanaged": len(self.unmanaged),
            "orphaned": len(self.orphaned),
            "blocked": len(self.held),
        }


def digest(value: Json) -> str:
    """12 hex digits of SHA-256 over canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
