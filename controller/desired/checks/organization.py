"""Organization: at most one, and nothing both on and off."""

from __future__ import annotations

from collections.abc import Sequence

from controller.desired.checks.lines import check_repeats
from controller.desired.declared import Declared
from controller.desired.documents.organization import Organization
from controller.desired.estate import Document
from controller.desired.findings import Findings


def check(documents: Sequence[Document[Organization]], declared: Declared, findings: Findings) -> None:
    for document in documents[1:]:
        first = documents[0].mark
        what = f"a second Organization document (the first is in {first.file}:{first.line})"
        findings.error(document.marks.key("kind"), what, "Put everything into one of them.")
    for document in documents:
        _check(document, declared, findings)


def _check(document: Document[Organization], declared: Declared, findings: Findings) -> None:
    model, marks = document.model, document.marks
    for field in ("regions", "policy_types", "trusted_services"):
        check_repeats(field, getattr(model, field), marks, (field,), findings)
    for field in ("policy_types", "trusted_services"):
        for index, name in enumerate(getattr(model.disable, field)):
            if name in getattr(model, field):
                what = f"{field}: {name!r} is both turned on and turned off"
                findings.error(marks.at("disable", field, index), what, "Remove it from one of the two.")
    for account, services in model.disable.delegated_administrators.items():
        declared.account(account, marks.key("disable", "delegated_administrators", account), "disable", findings)
        for index, service in enumerate(services):
            if service in _administered(model, account, declared):
                what = f"{account!r} both administers {service} and no longer does"
                mark = marks.at("disable", "delegated_administrators", account, index)
                findings.error(mark, what, "Remove it from one of the two.")
    for account, services in model.delegated_administrators.items():
        where = ("delegated_administrators", account)
        declared.account(account, marks.key(*where), "delegated_administrators", findings)
        check_repeats(f"delegated_administrators.{account}", services, marks, where, findings)


def _administered(model: Organization, account: str, declared: Declared) -> set[str]:
    same = declared.same_account
    return {
        service
        for name, services in model.delegated_administrators.items()
        if same(name) == same(account)
        for service in services
    }
