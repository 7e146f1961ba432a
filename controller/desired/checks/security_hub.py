"""SecurityHub: standards and controls against the catalogue, and documents against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.catalogue.security_hub import CONTROLS, STANDARDS, is_service_managed
from controller.desired import paths
from controller.desired.checks.assignments import check_targets
from controller.desired.checks.lines import check_repeats
from controller.desired.declared import Declared
from controller.desired.documents.base import Targets
from controller.desired.documents.security_hub import DisabledControl, SecurityHub
from controller.desired.estate import Document
from controller.desired.findings import Findings
from controller.desired.marks import Mark
from controller.desired.nearest import did_you_mean

WHO = "SecurityHub"


def check(
    documents: Sequence[Document[SecurityHub]], governed: Sequence[str] | None, declared: Declared, findings: Findings
) -> None:
    """
    Args:
        governed: The organization's Regions: what a document has that names none. None: they could not be read.
    """
    for document in documents:
        _check(document, governed, declared, findings)
    for index, document in enumerate(documents):
        for other in documents[:index]:
            shared = sorted(_regions(document, governed) & _regions(other, governed))
            if shared:
                _check_overlap(other, document, shared, declared, findings)


def _check(
    document: Document[SecurityHub], governed: Sequence[str] | None, declared: Declared, findings: Findings
) -> None:
    model, marks = document.model, document.marks
    if not _regions(document, governed) and (governed is not None or model.regions is not None):
        fix = "Add `regions` here or to the Organization document."
        findings.error(marks.key("regions") if model.regions == [] else marks.key("kind"), f"{WHO}: no Regions", fix)
    check_repeats(WHO, model.regions or (), marks, ("regions",), findings)
    check_targets(WHO, model.targets, marks, ("targets",), declared, findings)
    for index, standard in enumerate(model.standards):
        _check_standard(standard, marks.at("standards", index), findings)
    check_repeats(WHO, model.standards, marks, ("standards",), findings)
    seen: dict[tuple[str, str], str] = {}
    for index, disabled in enumerate(model.disabled_controls):
        _check_control(document, index, disabled, findings)
        for standard in disabled.standards or model.standards:
            if seen.setdefault((disabled.control, standard), disabled.reason) != disabled.reason:
                what = f"{WHO}: {disabled.control} is disabled twice, for two reasons"
                findings.error(marks.at("disabled_controls", index, "control"), what, "Keep one of the two.")
                break


def _check_standard(standard: str, mark: Mark, findings: Findings) -> None:
    if is_service_managed(standard):
        what = f"{WHO}: {standard!r} belongs to another AWS service and is never touched"
        findings.error(mark, what, "Remove it; it stays as it is.")
    elif standard not in STANDARDS:
        fix = did_you_mean(standard, STANDARDS, f"Known: {', '.join(sorted(STANDARDS))}.")
        findings.error(mark, f"{WHO}: there is no standard {standard!r}", fix)


def _check_control(document: Document[SecurityHub], index: int, disabled: DisabledControl, findings: Findings) -> None:
    model, marks, where = document.model, document.marks, ("disabled_controls", index)
    control = CONTROLS.get(disabled.control)
    for number, standard in enumerate(disabled.standards or ()):
        mark = marks.at(*where, "standards", number)
        if standard not in model.standards:
            what = f"{WHO}: {disabled.control}: {standard!r} is not a standard of this document"
            findings.error(mark, what, did_you_mean(standard, model.standards, "Remove it, or add the standard."))
        elif control is not None and standard in STANDARDS and standard not in control.standards:
            what = f"{WHO}: {standard!r} has no control {control.id}"
            fix = f"It belongs to {', '.join(sorted(control.standards))}." if control.standards else "Remove it."
            findings.error(mark, what, fix)
    if disabled.standards == []:
        what = f"{WHO}: {disabled.control}: disabled in no standard"
        findings.error(marks.key(*where, "standards"), what, "Leave `standards` out for all it belongs to.")
    mark = marks.at(*where, "control")
    if control is None:
        fix = did_you_mean(disabled.control, CONTROLS, "Check its spelling.")
        findings.warn(mark, f"{WHO}: the catalogue does not know the control {disabled.control!r}", fix)
    elif disabled.standards is None and control.standards.isdisjoint(model.standards):
        what = f"{WHO}: none of this document's standards has the control {control.id}"
        fix = f"It belongs to {', '.join(sorted(control.standards))}." if control.standards else "Remove it."
        findings.error(mark, what, fix)


def _regions(document: Document[SecurityHub], governed: Sequence[str] | None) -> set[str]:
    return set((governed or ()) if document.model.regions is None else document.model.regions)


def _check_overlap(
    first: Document[SecurityHub],
    second: Document[SecurityHub],
    regions: Sequence[str],
    declared: Declared,
    findings: Findings,
) -> None:
    """An account × Region may match one document only: said where git alone can see two."""
    place = f"{first.mark.file}:{first.mark.line}"
    one, two = first.model.targets, second.model.targets
    named = {declared.same_account(name) for name in one.accounts}
    for index, account in enumerate(two.accounts):
        same = declared.same_account(account)
        if same in named and not (_may_leave_out(same, one, declared) or _may_leave_out(same, two, declared)):
            what = f"{WHO}: {account!r} in {', '.join(regions)} is covered by another document as well ({place})"
            findings.error(second.marks.at("targets", "accounts", index), what, "Exclude it from one of the two.")
    if one.tags != two.tags or one.exclude.tags or two.exclude.tags:
        return
    for unit in _units(two):
        mark = second.marks.at("targets", "units", two.units.index(unit)) if two.units else second.marks.at("targets")
        for other in _units(one):
            if _left_out(unit, one, two) or _left_out(other, one, two):
                continue
            if unit == other:
                what = f"{WHO}: {unit!r} in {', '.join(regions)} is covered by another document as well ({place})"
                findings.error(mark, what, "Exclude it from one of the two, or split the Regions.")
            elif paths.within(unit, [other]) or paths.within(other, [unit]):
                what = f"{WHO}: {unit!r} and {other!r} of another document ({place}) overlap in {', '.join(regions)}"
                findings.warn(mark, what, "Accounts in both are left alone: exclude the smaller one from the other.")


def _may_leave_out(account: str, targets: Targets, declared: Declared) -> bool:
    """Whether the selection excludes the account, or might: its tags, and perhaps its unit, only live AWS knows."""
    exclude = targets.exclude
    if exclude.tags or account in map(declared.same_account, exclude.accounts):
        return True
    entry = declared.accounts.get(account)
    unit = None if entry is None else entry.unit
    return bool(exclude.units) and (unit is None or paths.within(unit, exclude.units))


def _units(targets: Targets) -> Iterable[str]:
    """Where it searches: `tags` alone searches everywhere."""
    return targets.units or ([paths.ROOT] if targets.tags else [])


def _left_out(unit: str, one: Targets, two: Targets) -> bool:
    return paths.within(unit, [*one.exclude.units, *two.exclude.units])
