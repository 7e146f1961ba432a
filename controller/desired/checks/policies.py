"""The policies of AWS Organizations: each by itself, and how many on a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from controller.config import PolicyLimits
from controller.desired.checks.content import check_content
from controller.desired.checks.lines import check_ending, check_repeats, check_tags, check_until, is_over
from controller.desired.declared import Declared, is_id
from controller.desired.documents.base import Attachment
from controller.desired.documents.policies import Policy
from controller.desired.estate import Document
from controller.desired.findings import Findings
from controller.desired.marks import Mark

FULL_ACCESS = "FullAWSAccess"
AWS_MANAGED = (FULL_ACCESS, "RCPFullAWSAccess")
CONTROL_TOWER = "aws-guardrails-"


BY_DEFAULT: Mapping[str, str] = {"ServiceControlPolicy": FULL_ACCESS, "ResourceControlPolicy": "RCPFullAWSAccess"}
"""What AWS attaches everywhere itself; it counts as well (Organizations User Guide, "Quotas for AWS Organizations")."""


def check(
    documents: Sequence[Document[Policy]],
    declared: Declared,
    now: datetime | None,
    limits: PolicyLimits,
    findings: Findings,
) -> None:
    names: dict[tuple[str, str], Document[Policy]] = {}
    for document in documents:
        first = names.setdefault((document.model.kind, document.model.name), document)
        if first is not document:
            place = f"{first.mark.file}:{first.mark.line}"
            what = f"a second {document.model.kind} {document.model.name!r} (the first is in {place})"
            findings.error(document.marks.at("name"), what, "Rename one, or remove it.")
    _check_formers(documents, findings)
    for document in documents:
        _check_name(document, findings)
        _check_targets(document, declared, now, findings)
        if document.model.name != FULL_ACCESS:
            _check_lines(document, findings)
            _check_content(document, declared, limits, findings)
    _check_attached(documents, declared, now, limits, findings)


def _who(policy: Policy) -> str:
    return f"policy {policy.name!r}"


def _ends(policy: Policy) -> bool:
    return policy.deleted or policy.released or policy.external


def _check_formers(documents: Iterable[Document[Policy]], findings: Findings) -> None:
    names = {(d.model.kind, d.model.name) for d in documents}
    formers: dict[tuple[str, str | None], str] = {}
    for document in documents:
        policy, mark = document.model, document.marks.at("formerly")
        former = (policy.kind, policy.formerly)
        if policy.formerly is not None and former in names:
            what = f"{_who(policy)}: it was formerly {policy.formerly!r}, but that is a policy of its own here"
            findings.error(mark, what, "Remove `formerly` once the rename is done, or the other policy.")
        elif policy.formerly is not None and formers.setdefault(former, policy.name) != policy.name:
            what = f"{_who(policy)}: {formers[former]!r} was formerly {policy.formerly!r} as well"
            findings.error(mark, what, "Only one policy can have been it.")


def _check_name(document: Document[Policy], findings: Findings) -> None:
    policy, mark = document.model, document.marks.at("name")
    if policy.name == FULL_ACCESS and policy.kind == "ServiceControlPolicy":
        given = policy.model_fields_set - {"kind", "version", "name", "detached_from"}
        for key in sorted(given):
            what = f"{FULL_ACCESS} is AWS's own: {key!r} cannot be said of it"
            findings.error(document.marks.key(key), what, "Say only `detached_from`: where it is taken off.")
        if policy.detached_from is None:
            findings.error(mark, f"{FULL_ACCESS} is AWS's own", "Say `detached_from`, or give another name.")
    elif policy.name in AWS_MANAGED:
        findings.error(mark, f"{policy.name} is AWS's own and is never touched", "Give the policy another name.")
    elif policy.name.startswith(CONTROL_TOWER):
        what = f"{policy.name!r}: policies named {CONTROL_TOWER}* are Control Tower's and are never touched"
        findings.error(mark, what, "Give the policy another name, or leave it to Control Tower.")
    elif is_id(policy.name) or not policy.name.strip():
        findings.error(mark, f"the policy name {policy.name!r} looks like an id", "Use the policy's name.")


def _check_lines(document: Document[Policy], findings: Findings) -> None:
    policy, marks = document.model, document.marks
    managing = ("description", "tags", "targets", "until", "content", "content_file", "formerly")
    given = [key for key in managing if key in policy.model_fields_set]
    check_ending(_who(policy), policy, given, marks, (), findings)
    check_tags(_who(policy), policy.tags, marks, (), findings)
    if policy.detached_from is not None:
        what = f"{_who(policy)}: detached_from is for {FULL_ACCESS} alone"
        findings.error(marks.key("detached_from"), what, "Leave the target out of `targets`.")
    if policy.until is not None and policy.targets is None:
        what = f"{_who(policy)}: `until` says nothing without `targets`"
        findings.warn(marks.key("until"), what, "Add `targets`, or remove `until`.")


def _check_targets(document: Document[Policy], declared: Declared, now: datetime | None, findings: Findings) -> None:
    policy, marks, who = document.model, document.marks, _who(document.model)
    for field in ("targets", "detached_from"):
        attachment: Attachment = getattr(policy, field) or Attachment()
        for index, unit in enumerate(attachment.units if not policy.deleted else ()):
            declared.unit(unit, marks.at(field, "units", index), who, findings)
        for index, account in enumerate(attachment.accounts if not policy.deleted else ()):
            declared.account(account, marks.at(field, "accounts", index), who, findings)
        check_repeats(who, attachment.units, marks, (field, "units"), findings)
        check_repeats(who, map(declared.same_account, attachment.accounts), marks, (field, "accounts"), findings)
    check_until(who, policy.until, now, marks, (), findings)


def _check_content(document: Document[Policy], declared: Declared, limits: PolicyLimits, findings: Findings) -> None:
    policy, marks, who = document.model, document.marks, _who(document.model)
    if policy.content is None:
        if not _ends(policy) and policy.content_file is None:
            findings.error(marks.key("kind"), f"{who}: it has no content", "Add `content:` or `content_file:`.")
        return
    field = "content_file" if policy.content_file is not None else "content"
    text = check_content(who, policy.kind, policy.content, marks, "content", declared, findings)
    size, limit = len(text or ""), limits.of(policy.kind).characters
    what = f"{who}: {size:,} characters without white space, with the longest ids"
    if size > limit:
        findings.error(
            marks.key(field), f"{what}; the limit is {limit:,}", "Split it, or shorten names, Sids and lists."
        )
    elif limits.is_close(size, limit):
        findings.warn(marks.key(field), f"{what}, {size / limit:.0%} of {limit:,}", "Split it before it has to grow.")


def _check_attached(
    documents: Iterable[Document[Policy]],
    declared: Declared,
    now: datetime | None,
    limits: PolicyLimits,
    findings: Findings,
) -> None:
    """At most so many on a target, as far as git decides: what it does not name may be attached there as well."""
    without = {
        target
        for document in documents
        if document.model.name == FULL_ACCESS
        for target, _ in _targets(document, "detached_from", declared)
    }
    attached: dict[tuple[str, str], list[tuple[Policy, Mark]]] = {}
    for document in documents:
        policy = document.model
        if not (policy.deleted or policy.released or policy.external or is_over(policy.until, now)):
            for target, mark in _targets(document, "targets", declared):
                attached.setdefault((policy.kind, target), []).append((policy, mark))
    for (kind, target), there in attached.items():
        taken_off = kind == "ServiceControlPolicy" and target in without
        _check_number(there, target, None if taken_off else BY_DEFAULT.get(kind), limits, findings)
    for document in documents:
        if document.model.name == FULL_ACCESS:
            for target, mark in _targets(document, "detached_from", declared):
                if ("ServiceControlPolicy", target) not in attached:
                    what = f"{FULL_ACCESS}: git attaches no other policy to {target!r}, and AWS keeps the last one"
                    findings.warn(mark, what, "Attach what is to be allowed there.")


def _check_number(
    there: Sequence[tuple[Policy, Mark]], target: str, own: str | None, limits: PolicyLimits, findings: Findings
) -> None:
    """Policies of one kind on one target. `own`: AWS's, which is there as well."""
    limit, number = limits.of(there[0][0].kind).attached, 1 if own else 0
    counted = f", {own} counted" if own else ""
    for policy, mark in there:
        number += 1
        if number > limit:
            what = f"{_who(policy)}: the {_ordinal(number)} on {target!r}{counted}; the limit is {limit}"
            findings.error(mark, what, "Join policies, or attach some further up.")
    if number <= limit and limits.is_close(number, limit):
        what = f"{_who(policy)}: the {_ordinal(number)} on {target!r}{counted}, of {limit} there can be"
        findings.warn(mark, what, "Join policies, or attach some further up, before one more is needed.")


def _targets(document: Document[Policy], field: str, declared: Declared) -> list[tuple[str, Mark]]:
    """Each target once, by one name for one account."""
    attachment: Attachment = getattr(document.model, field) or Attachment()
    found: dict[str, Mark] = {}
    for index, unit in enumerate(attachment.units):
        found.setdefault(unit, document.marks.at(field, "units", index))
    for index, account in enumerate(attachment.accounts):
        found.setdefault(declared.same_account(account), document.marks.at(field, "accounts", index))
    return list(found.items())


def _ordinal(number: int) -> str:
    return f"{number}th" if number > 3 else ("1st", "2nd", "3rd")[number - 1]
