"""A plan's changes as kinds look at them: by id, and by whatever else they ask for, each way sorted out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, TypeAlias, TypeVar

from controller.resources.base import Action, Change, Live

T = TypeVar("T")

By: TypeAlias = Callable[[Change], Iterable[Hashable]]
"""What a change is looked for by: nothing, one thing, several. It rests on the change itself, not on what holds it."""


class Changes(Mapping[str, Change]):
    """The changes by id.

    A kind that looks at all changes for each of its own makes a plan cost the square of its size. So it says what it
    looks for, as a function that is defined once, and gets only that.
    """

    def __init__(self, changes: Iterable[Change]) -> None:
        self._changes = {change.id: change for change in changes}
        self._found: dict[By, dict[Hashable, list[str]]] = {}
        self._tables: dict[tuple[Any, int], tuple[Live, Any]] = {}

    def __getitem__(self, id: str) -> Change:
        return self._changes[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __contains__(self, id: object) -> bool:
        return id in self._changes

    def values(self) -> ValuesView[Change]:
        return self._changes.values()

    def items(self) -> ItemsView[str, Change]:
        return self._changes.items()

    def put(self, change: Change) -> None:
        """Say something else of a change: what holds it, say."""
        assert change.id in self._changes
        self._changes[change.id] = change

    def where(self, by: By, what: Hashable) -> Iterator[Change]:
        """Those for which `by` gives `what`, as they are now."""
        if by not in self._found:
            found: dict[Hashable, list[str]] = {}
            for id, change in self._changes.items():
                for one in by(change):
                    found.setdefault(one, []).append(id)
            self._found[by] = found
        return (self._changes[id] for id in self._found[by].get(what, ()))

    def of(self, kind: str, action: Action) -> Iterator[Change]:
        return self.where(_kind_and_action, (kind, action))

    def table(self, make: Callable[[Changes, Live], T], live: Live) -> T:
        """What `make` makes of the plan and `live`, made once. Like `By`, it rests on what changes are."""
        key = (make, id(live))
        if key not in self._tables:
            self._tables[key] = (live, make(self, live))
        made: T = self._tables[key][1]
        return made


def _kind_and_action(change: Change) -> Iterator[Hashable]:
    yield change.kind, change.action
