"""From a commit's bytes to a validated `Estate`: everything that git alone decides, and nothing that AWS does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.config import PolicyLimits
from controller.desired import text, yaml12
from controller.desired.checks import (
    accounts,
    assignments,
    organization,
    permission_sets,
    policies,
    security_hub,
    units,
)
from controller.desired.contents import fill
from controller.desired.declared import Declared
from controller.desired.documents import MODELS, by_kind
from controller.desired.documents.accounts import Accounts
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.base import DocumentModel
from controller.desired.documents.organization import Organization
from controller.desired.documents.organizational_units import OrganizationalUnits
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.documents.policies import Policy
from controller.desired.documents.security_hub import SecurityHub
from controller.desired.estate import Document, Estate
from controller.desired.findings import Findings
from controller.desired.marks import Marks
from controller.desired.nearest import did_you_mean
from controller.desired.shape import shape
from controller.desired.source import YAML, Source
from controller.desired.yaml12 import RawDocument
from controller.errors import InvalidInput, Problem


def load(
    source: Source,
    *,
    now: datetime | None = None,
    limits: PolicyLimits | None = None,
    extra: tuple[type[DocumentModel], ...] = (),
) -> Estate:
    """What the commit says; doubts are in its `warnings`.

    Args:
        now: For saying which `until` is past; None says it of none.
        limits: The settings' budget of policies; None is AWS's.
        extra: Models of further kinds that may stand there: the sandbox's own.

    Raises:
        InvalidInput: With all problems of the commit, in file order.
    """
    estate, problems = read(source, now=now, limits=limits, extra=extra)
    if estate is None:
        raise InvalidInput([problem for problem in problems if not problem.warning])
    return estate


def read(
    source: Source,
    *,
    now: datetime | None = None,
    limits: PolicyLimits | None = None,
    extra: tuple[type[DocumentModel], ...] = (),
) -> tuple[Estate | None, tuple[Problem, ...]]:
    """As `load`, but never raising: (None where anything is wrong, all problems and warnings in file order)."""
    findings = Findings()
    findings.add(source.problems)
    commit = _Commit(source, findings, by_kind((*MODELS, *extra)))
    commit.read()
    estate = _judge(commit, now, limits or PolicyLimits(), findings)
    everything = tuple(sorted([*findings.errors, *findings.warnings]))
    return (None if findings.errors else estate), everything


@dataclass(slots=True)
class _Commit:
    """The documents of a commit, as far as each can be read."""

    source: Source
    findings: Findings
    models: Mapping[str, type[DocumentModel]]
    documents: list[Document[DocumentModel]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    """Kinds of which a document did not fit."""
    unsure: bool = False

    def read(self) -> None:
        self.unsure = bool(self.source.problems)
        for path in sorted(self.source.files):
            if path.endswith(YAML):
                self._read_file(path)

    def _read_file(self, path: str) -> None:
        decoded = text.decode(self.source.files[path], path)
        if isinstance(decoded, Problem):
            self.findings.add([decoded])
            self.unsure = True
            return
        raws, problems = yaml12.parse(decoded, path)
        self.findings.tell_once(problems)
        self.unsure |= bool(problems)
        for raw in raws:
            if raw.value is not None:
                self._read_document(raw, decoded)

    def _read_document(self, raw: RawDocument, decoded: str) -> None:
        model = self._model(raw)
        if model is None:
            self.unsure = True
            return
        shaped = shape(raw, model, decoded)
        self.findings.tell_once(shaped.problems)
        self.findings.cut |= shaped.cut
        if shaped.problems:
            self.hidden |= set(_names(raw.value))
            self.broken.add(model.__name__)
        if shaped.model is not None:
            filled = fill(shaped.model, shaped.node, self.source.files, self.findings)
            self.documents.append(Document(filled, Marks.of(shaped.node)))

    def _model(self, raw: RawDocument) -> type[DocumentModel] | None:
        if not isinstance(raw.value, dict):
            self.findings.error(raw.marks.at(), "a document is a mapping that begins with `kind:`", "Add its kind.")
            return None
        kind, marks = raw.value.get("kind"), raw.marks
        if isinstance(kind, str) and kind in self.models:
            return self.models[kind]
        if kind is None:
            self.findings.error(marks.at("kind"), "the document has no kind", f"One of: {', '.join(self.models)}.")
        else:
            advice = did_you_mean(str(kind), self.models, f"One of: {', '.join(self.models)}.")
            self.findings.error(marks.at("kind"), f"there is no kind {str(kind)[:60]!r}", advice)
        return None

    def of(self, model: type[Any]) -> list[Document[Any]]:
        return [document for document in self.documents if isinstance(document.model, model)]


def _judge(commit: _Commit, now: datetime | None, limits: PolicyLimits, findings: Findings) -> Estate:
    merged_units = units.merge(commit.of(OrganizationalUnits), findings)
    merged_accounts, places = accounts.merge(commit.of(Accounts), findings)
    declared = Declared(
        units=merged_units,
        accounts=merged_accounts,
        account_marks=places,
        permission_sets=permission_sets.declare(commit.of(PermissionSet), findings),
        hidden=commit.hidden,
        unsure=commit.unsure,
    )
    organizations = commit.of(Organization)
    regions = [region for document in organizations for region in document.model.regions]
    governed = None if commit.unsure or Organization.__name__ in commit.broken else regions
    organization.check(organizations, declared, findings)
    accounts.check(commit.of(Accounts), declared, findings)
    policies.check(commit.of(Policy), declared, now, limits, findings)
    permission_sets.check(commit.of(PermissionSet), declared, limits, findings)
    assignments.check(commit.of(Assignments), declared, now, findings)
    security_hub.check(commit.of(SecurityHub), governed, declared, findings)
    return Estate(
        documents=tuple(commit.documents),
        units=merged_units,
        accounts=merged_accounts,
        account_marks=places,
        warnings=tuple(findings.warnings),
        commit=commit.source.commit,
    )


def _names(value: Any) -> Iterator[str]:
    """The names that a document which does not fit seems to declare."""
    if isinstance(value, dict):
        if isinstance(value.get("name"), str):
            yield value["name"]
        if isinstance(value.get("accounts"), dict):
            yield from value["accounts"]
        yield from _paths(value.get("units"), "")


def _paths(units: Any, parent: str) -> Iterator[str]:
    for name, unit in units.items() if isinstance(units, dict) else ():
        yield f"{parent}/{name}"
        if isinstance(unit, dict):
            yield from _paths(unit.get("units"), f"{parent}/{name}")
