"""Everything one commit says: its documents, and the names they declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from controller.desired.documents.accounts import AccountEntry
from controller.desired.documents.base import DocumentModel, Tags
from controller.desired.marks import Mark, Marks
from controller.errors import Problem

M = TypeVar("M", bound=DocumentModel)


@dataclass(frozen=True, slots=True)
class Document(Generic[M]):
    """One document and the place of everything in it, also of content that stands in a file of its own."""

    model: M
    marks: Marks

    @property
    def mark(self) -> Mark:
        return self.marks.at()


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """One OU after all documents are merged."""

    path: str
    name: str
    mark: Mark
    tags: Tags | None = None
    formerly: str | None = None
    deleted: bool = False
    released: bool = False
    external: bool = False


@dataclass(frozen=True, slots=True)
class Estate:
    """A validated commit. Whatever is in here is right as far as git alone decides.

    Attributes:
        commit: The commit's hash, None for a plain directory.
        units: path → OU, parents before children; the root is not in it. `/` in a name is written `\\/`.
        accounts: handle → entry.
        account_marks: handle → where.
        warnings: Doubts that make no commit bad.
    """

    documents: tuple[Document[DocumentModel], ...] = ()
    units: Mapping[str, UnitEntry] = field(default_factory=dict)
    accounts: Mapping[str, AccountEntry] = field(default_factory=dict)
    account_marks: Mapping[str, Mark] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    commit: str | None = None

    def of(self, model: type[M]) -> Iterator[Document[M]]:
        """The documents of one model, in file order."""
        for document in self.documents:
            if isinstance(document.model, model):
                yield document  # type: ignore[misc]  # isinstance narrows the attribute, not the generic

    def has(self, model: type[DocumentModel]) -> bool:
        """Whether any document of the model is there: a kind without documents is not managed."""
        return next(self.of(model), None) is not None
