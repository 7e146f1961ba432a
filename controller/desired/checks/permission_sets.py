"""Permission sets of IAM Identity Center."""

from __future__ import annotations

import re
from collections.abc import Sequence

from controller.config import PolicyLimits
from controller.desired.checks.content import check_content
from controller.desired.checks.lines import check_ending, check_repeats, check_tags
from controller.desired.declared import Declared
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.estate import Document
from controller.desired.findings import Findings
from controller.desired.marks import Mark, Marks

MOST_POLICIES, USUAL_POLICIES = 25, 20
"""Managed and customer managed together: the most there can be, and IAM's quota until it is raised (IAM User Guide)."""
INLINE_BYTES = 10_240
"""Without white space (IAM Identity Center User Guide, quotas)."""
CONTROL_TOWER = frozenset(
    {
        *("AWSAdministratorAccess", "AWSOrganizationsFullAccess", "AWSPowerUserAccess", "AWSReadOnlyAccess"),
        *("AWSServiceCatalogAdminFullAccess", "AWSServiceCatalogEndUserAccess"),
    }
)
"""Control Tower User Guide, "IAM Identity Center groups for AWS Control Tower"."""

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?(?<!T)", re.ASCII)
_MANAGED_ARN = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/[\w+=,.@/-]+", re.ASCII)
_MANAGED_NAME = re.compile(r"[\w+=,.@/-]+", re.ASCII)
_PATH = re.compile(r"/(?:[\x21-\x7e]*/)?", re.ASCII)


def declare(documents: Sequence[Document[PermissionSet]], findings: Findings) -> dict[str, tuple[Mark, bool]]:
    """name → (where, whether it is being deleted)."""
    names: dict[str, tuple[Mark, bool]] = {}
    for document in documents:
        name, mark = document.model.name, document.marks.at("name")
        if name in names:
            first = names[name][0]
            what = f"a second permission set {name!r} (the first is in {first.file}:{first.line})"
            findings.error(mark, what, "Rename one, or remove it.")
        names.setdefault(name, (mark, document.model.deleted))
    return names


def check(
    documents: Sequence[Document[PermissionSet]], declared: Declared, limits: PolicyLimits, findings: Findings
) -> None:
    formers: dict[str, str] = {}
    for document in documents:
        _check_lines(document, declared, formers, findings)
        _check_duration(document, findings)
        _check_policies(document, findings)
        _check_inline(document, declared, limits, findings)


def _check_lines(
    document: Document[PermissionSet], declared: Declared, formers: dict[str, str], findings: Findings
) -> None:
    model, marks = document.model, document.marks
    who = _who(document)
    given = [key for key in PermissionSet.model_fields if key in model.model_fields_set - _NAMING]
    check_ending(who, model, given, marks, (), findings)
    check_tags(who, model.tags, marks, (), findings)
    if model.name in CONTROL_TOWER and not model.external:
        what = f"{who}: permission sets of this name are Control Tower's and are never touched"
        findings.error(marks.at("name"), what, "Say `external: true` to use it, or give another name.")
    if model.formerly is not None and model.formerly in declared.permission_sets:
        what = f"{who}: it was formerly {model.formerly!r}, but that is a permission set of its own here"
        fix = "Remove `formerly` once the rename is done, or the other permission set."
        findings.error(marks.at("formerly"), what, fix)
    elif model.formerly is not None and formers.setdefault(model.formerly, model.name) != model.name:
        what = f"{who}: {formers[model.formerly]!r} was formerly {model.formerly!r} as well"
        findings.error(marks.at("formerly"), what, "Only one can have been it.")


_NAMING = frozenset({"kind", "version", "name", "deleted", "released", "external"})


def _who(document: Document[PermissionSet]) -> str:
    return f"permission set {document.model.name!r}"


def seconds(duration: str) -> int | None:
    """``PT8H`` → 28800; None where it is not written as hours, minutes and seconds."""
    found = _DURATION.fullmatch(duration[:20])
    return None if found is None else sum(int(n or 0) * f for n, f in zip(found.groups(), (3600, 60, 1), strict=True))


def _check_duration(document: Document[PermissionSet], findings: Findings) -> None:
    duration = document.model.session_duration
    if duration is not None and not 3600 <= (seconds(duration) or 0) <= 12 * 3600:
        what = f"{_who(document)}: {duration[:40]!r} is not a duration of 1 to 12 hours"
        findings.error(document.marks.at("session_duration"), what, "Write it as in PT8H or PT1H30M.")


def _check_policies(document: Document[PermissionSet], findings: Findings) -> None:
    model, marks, who = document.model, document.marks, _who(document)
    managed, customers = model.managed_policies or [], model.customer_managed_policies or []
    for index, name in enumerate(managed):
        _check_managed(who, name, marks.at("managed_policies", index), findings)
    check_repeats(who, (name.rpartition("/")[2] for name in managed), marks, ("managed_policies",), findings)
    for index, policy in enumerate(customers):
        _check_path(who, policy.path, marks.at("customer_managed_policies", index, "path"), findings)
    names = [f"{policy.path}{policy.name}" for policy in customers]
    check_repeats(who, names, marks, ("customer_managed_policies",), findings)
    _check_number(who, len(managed) + len(customers), marks, bool(managed), findings)
    boundary = model.permissions_boundary
    if boundary is None:
        return
    if boundary.managed_policy is not None:
        _check_managed(who, boundary.managed_policy, marks.at("permissions_boundary", "managed_policy"), findings)
    if boundary.customer_managed_policy is not None:
        mark = marks.at("permissions_boundary", "customer_managed_policy", "path")
        _check_path(who, boundary.customer_managed_policy.path, mark, findings)
        if boundary.managed_policy is not None:
            what = f"{who}: a boundary is either a managed or a customer managed policy"
            findings.error(marks.key("permissions_boundary", "customer_managed_policy"), what, "Keep one of the two.")


def _check_managed(who: str, name: str, mark: Mark, findings: Findings) -> None:
    if name.startswith("arn:") and not _MANAGED_ARN.fullmatch(name):
        what = f"{who}: {name!r} is not the ARN of an AWS-managed policy"
        findings.error(mark, what, "Those of an account go into `customer_managed_policies`, by name.")
    elif not name.startswith("arn:") and not _MANAGED_NAME.fullmatch(name):
        findings.error(mark, f"{who}: {name!r} is not the name of a policy", "Write it as in PowerUserAccess.")


def _check_path(who: str, path: str, mark: Mark, findings: Findings) -> None:
    if not _PATH.fullmatch(path):
        findings.error(mark, f"{who}: the path {path!r} does not begin and end with '/'", "Write it as in /teams/.")


def _check_number(who: str, count: int, marks: Marks, managed: bool, findings: Findings) -> None:
    mark = marks.key("managed_policies" if managed else "customer_managed_policies")
    if count > MOST_POLICIES:
        what = f"{who}: {count} managed and customer managed policies; AWS allows {MOST_POLICIES}"
        findings.error(mark, what, "Join some of them.")
    elif count > USUAL_POLICIES:
        what = f"{who}: {count} managed and customer managed policies; IAM allows {USUAL_POLICIES} until raised"
        findings.warn(mark, what, "Have the quota raised in every account it reaches, or join some of them.")


def _check_inline(
    document: Document[PermissionSet], declared: Declared, limits: PolicyLimits, findings: Findings
) -> None:
    model = document.model
    if not model.inline_policy:
        return
    field = "inline_policy_file" if model.inline_policy_file is not None else "inline_policy"
    text = check_content(
        _who(document), "PermissionSet", model.inline_policy, document.marks, "inline_policy", declared, findings
    )
    size = 0 if text is None else len("".join(text.split()).encode())
    what = f"{_who(document)}: an inline policy of {size:,} bytes without white space"
    fix = "Use customer managed policies for parts of it."
    if size > INLINE_BYTES:
        findings.error(document.marks.key(field), f"{what}; AWS takes {INLINE_BYTES:,}", fix)
    elif limits.is_close(size, INLINE_BYTES):
        findings.warn(document.marks.key(field), f"{what}, {size / INLINE_BYTES:.0%} of {INLINE_BYTES:,}", fix)
