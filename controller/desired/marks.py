"""Where a value stands: file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, Union


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, lines and columns from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Path = tuple[str | int, ...]
Cuts: TypeAlias = dict[str | int, Union["Cuts", None]]
"""What to leave out of a value, by step: None is all of it there, a mapping what to leave out further down."""
KEPT: Cuts = {}


def cuts(paths: Iterable[Path]) -> Cuts:
    """All of these, none of them empty, as one: cutting one by one would copy a long list for each of its items."""
    root: Cuts = {}
    for path in paths:
        here: Cuts | None = root
        for step in path[:-1]:
            here = None if here is None else here.setdefault(step, {})
        if here is not None:
            here[path[-1]] = None
    return root


@dataclass(slots=True, eq=False)
class Node:
    """The place of one value and of all within it. An aliased value's node stands in several places of the tree.

    Attributes:
        fields: Of a mapping: key → (place of the key, the value's node).
        items: Of a list.
        size: Values in it, itself included, with every alias counted as what it stands for.
        height: Levels of nesting below it.
        plain: A scalar without quotes or tag.
    """

    file: str
    line: int
    column: int
    fields: dict[str, tuple[Node, Node]] | None = None
    items: list[Node] | None = None
    size: int = 1
    height: int = 0
    plain: bool = False

    @property
    def mark(self) -> Mark:
        return Mark(self.file, self.line, self.column)

    def child(self, step: str | int) -> tuple[Node, Node] | None:
        """(place of the key, or the item itself; the value) one step below."""
        if isinstance(step, str):
            return None if self.fields is None else self.fields.get(step)
        if self.items is None or not -len(self.items) <= step < len(self.items):
            return None
        return self.items[step], self.items[step]

    def without(self, cuts: Cuts) -> Node:
        """A copy that lacks what is cut; later items of a list move up, as they do in the value."""
        if self.fields is not None:
            kept = [(name, *child) for name, child in self.fields.items() if cuts.get(name, KEPT) is not None]
            return replace(self, fields={name: (key, _less(value, cuts.get(name))) for name, key, value in kept})
        if self.items is not None:
            left = [(index, item) for index, item in enumerate(self.items) if cuts.get(index, KEPT) is not None]
            return replace(self, items=[_less(item, cuts.get(index)) for index, item in left])
        return self


def _less(node: Node, cuts: Cuts | None) -> Node:
    return node.without(cuts) if cuts else node


@dataclass(frozen=True, slots=True)
class _Places(Mapping[Path, Mark]):
    """A tree of nodes as a mapping. Marks are made when asked for: most of a commit is right and nobody asks."""

    root: Node
    of_keys: bool = False

    def __getitem__(self, path: Path) -> Mark:
        key = value = self.root
        for step in path:
            child = value.child(step)
            if child is None:
                raise KeyError(path)
            key, value = child
        return (key if self.of_keys else value).mark

    def __iter__(self) -> Iterator[Path]:
        waiting: list[tuple[Path, Node]] = [((), self.root)]
        while waiting:
            path, node = waiting.pop()
            yield path
            waiting += [((*path, key), value) for key, (_, value) in reversed((node.fields or {}).items())]
            waiting += [((*path, index), item) for index, item in reversed(list(enumerate(node.items or ())))]

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Marks:
    """Every value's place in one document, by its path: ``("units", "Prod", "tags")``; ``()`` is the document.

    Attributes:
        places: path → where the value stands.
        keys: path → where the key stands that the value belongs to; of a list's item, the item itself.
    """

    places: Mapping[Path, Mark] = field(repr=False)
    keys: Mapping[Path, Mark] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, root: Node) -> Marks:
        """The places in a tree of nodes."""
        return cls(_Places(root), _Places(root, of_keys=True))

    def at(self, *path: str | int) -> Mark:
        """The place of the value at `path`, or of the nearest thing around it that has one."""
        return _nearest(self.places, path)

    def key(self, *path: str | int) -> Mark:
        """The place of the key at `path`, or of the nearest thing around it that has one."""
        return self.keys[path] if path in self.keys else self.at(*path)


def _nearest(places: Mapping[Path, Mark], path: Path) -> Mark:
    for length in range(len(path), -1, -1):
        if (mark := places.get(path[:length])) is not None:
            return mark
    return Mark("?", 0, 0)
