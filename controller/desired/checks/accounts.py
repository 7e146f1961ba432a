"""Accounts: the documents merged, every account once."""

from __future__ import annotations

from collections.abc import Iterable

from controller.desired.checks.lines import check_tags
from controller.desired.declared import Declared, is_id
from controller.desired.documents.accounts import AccountEntry, Accounts
from controller.desired.estate import Document
from controller.desired.findings import Findings
from controller.desired.marks import Mark


def merge(
    documents: Iterable[Document[Accounts]], findings: Findings
) -> tuple[dict[str, AccountEntry], dict[str, Mark]]:
    """handle → account, and where each stands."""
    accounts: dict[str, AccountEntry] = {}
    places: dict[str, Mark] = {}
    identities: dict[str, str] = {}
    for document in documents:
        for handle, entry in document.model.accounts.items():
            mark = document.marks.key("accounts", handle)
            if handle in accounts:
                what = (
                    f"the account {handle!r} stands here twice (first in {places[handle].file}:{places[handle].line})"
                )
                findings.error(mark, what, "Keep one of the two, or give it another handle.")
                continue
            if is_id(handle) or not handle.strip():
                findings.error(mark, f"the handle {handle!r} looks like an id", "Choose a name; the id goes into `id`.")
                continue
            accounts[handle], places[handle] = entry, mark
            if entry.id is None and entry.email is None:
                what = f"account {handle!r}: it has neither id nor email"
                findings.error(mark, what, 'Add `id: "…"` for an account that exists, or its `email`.')
            for field in ("id", "email"):
                _check_identity(handle, field, entry, document, identities, places, findings)
    return accounts, places


def _check_identity(
    handle: str,
    field: str,
    entry: AccountEntry,
    document: Document[Accounts],
    identities: dict[str, str],
    places: dict[str, Mark],
    findings: Findings,
) -> None:
    value = getattr(entry, field)
    if value is None:
        return
    first = identities.setdefault(f"{field} {value.casefold()}", handle)
    if first != handle:
        what = f"account {handle!r}: {field} {value!r} is that of {first!r} ({places[first].file}:{places[first].line})"
        findings.error(document.marks.at("accounts", handle, field), what, "One account has one entry: correct one.")


def check(documents: Iterable[Document[Accounts]], declared: Declared, findings: Findings) -> None:
    """What needs all names to be known."""
    for document in documents:
        for handle, entry in document.model.accounts.items():
            who, where, marks = f"account {handle!r}", ("accounts", handle), document.marks
            if entry.unit is not None:
                declared.unit(entry.unit, marks.at(*where, "unit"), who, findings)
            check_tags(who, entry.tags, marks, where, findings, owned=False)
            if entry.external and entry.released:
                findings.error(marks.key(*where, "released"), f"{who}: both external and released", "Keep one.")
            for key in ("unit", "tags", "contacts"):
                if entry.external and getattr(entry, key) is not None:
                    what = f"{who}: it is external, so {key!r} would have no effect"
                    findings.error(marks.key(*where, key), what, f"Remove {key!r}, or `external` to manage it here.")
