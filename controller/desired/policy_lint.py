"""The grammar of policy documents, checked without AWS: what it would refuse, and what is doubtful.

Covers the documents in IAM's grammar: service control and resource control policies (Organizations User Guide, "SCP
syntax", "RCP syntax") and the inline policies of permission sets (IAM User Guide, "IAM JSON policy elements
reference"). Those of the other kinds are in management_policy_lint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.desired import management_policy_lint
from controller.desired.action_lint import check_action
from controller.desired.condition_lint import check_condition
from controller.desired.marks import Path
from controller.desired.nearest import did_you_mean
from controller.desired.placeholder_lint import check_placeholders
from controller.desired.policy_finding import Finding
from controller.desired.templates import TEMPLATED


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one kind of document allows."""

    elements: frozenset[str]
    effects: frozenset[str]
    principal: bool
    version_required: bool


_COMMON = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
_BOTH = frozenset({"Allow", "Deny"})
SCP = Grammar(_COMMON, _BOTH, principal=False, version_required=True)
RCP = Grammar(_COMMON - {"NotAction"} | {"Principal"}, frozenset({"Deny"}), principal=True, version_required=True)
IAM = Grammar(_COMMON, _BOTH, principal=False, version_required=False)
GRAMMARS: Mapping[str, Grammar] = {
    "ServiceControlPolicy": SCP,
    "ResourceControlPolicy": RCP,
    "PermissionSet": IAM,
}

VERSION = "2012-10-17"


def lint(kind: str, content: Any) -> Iterator[Finding]:
    """What is wrong or doubtful in a document of this kind."""
    if kind in management_policy_lint.GRAMMARS:
        yield from management_policy_lint.lint(kind, content)
    else:
        yield from _document(content, GRAMMARS[kind])


def _document(content: Mapping[str, Any], grammar: Grammar) -> Iterator[Finding]:
    for key in content:
        if key not in ("Version", "Id", "Statement"):
            fix = did_you_mean(key, ("Version", "Statement"), "A policy has Version and Statement.")
            yield Finding((key,), f"unknown element {key!r}", fix, of_key=True)
    yield from _version(content, grammar)
    if "Statement" not in content:
        yield Finding((), "the policy has no Statement", "Add one.")
        return
    statements, single = content["Statement"], isinstance(content["Statement"], dict)
    if single:
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        yield Finding(("Statement",), "Statement is not a list of statements", "Write at least one.")
        return
    sids: set[str] = set()
    told: set[str] = set()
    for index, statement in enumerate(statements):
        where: Path = ("Statement",) if single else ("Statement", index)
        if isinstance(statement, dict):
            yield from _statement(statement, where, grammar)
            yield from _sid(statement, where, sids)
            yield from check_placeholders(statement, where, told)
        else:
            yield Finding(where, "a statement is a mapping of Effect, Action and Resource", "Write it as one.")


def _version(content: Mapping[str, Any], grammar: Grammar) -> Iterator[Finding]:
    version = content.get("Version")
    fix = f'Write Version: "{VERSION}".'
    if version is None:
        what = "the policy has no Version" if grammar.version_required else "without Version, IAM reads it as of 2008"
        yield Finding((), what, fix, warning=not grammar.version_required)
    elif version != VERSION:
        old = version == "2008-10-17" and not grammar.version_required
        yield Finding(("Version",), f"Version is {version!r}, not '{VERSION}'", fix, warning=old)


def _sid(statement: Mapping[str, Any], where: Path, seen: set[str]) -> Iterator[Finding]:
    sid = statement.get("Sid", "")
    if not isinstance(sid, str):
        yield Finding((*where, "Sid"), "Sid is not text", "Put it in quotes.")
        return
    if sid and sid in seen:
        yield Finding((*where, "Sid"), f"the Sid {sid!r} stands here twice", "Give every statement its own.")
    if not re.fullmatch(r"[A-Za-z0-9]*", sid) and not TEMPLATED.search(sid):
        yield Finding((*where, "Sid"), f"the Sid {sid!r} is not letters and digits alone", "Shorten it.", warning=True)
    seen.add(sid)


def _statement(statement: Mapping[str, Any], where: Path, grammar: Grammar) -> Iterator[Finding]:
    for key in statement:
        if key not in grammar.elements:
            yield _unknown_element(key, (*where, key), grammar)
    effect = statement.get("Effect")
    allowed = " or ".join(sorted(grammar.effects))
    if effect is None:
        yield Finding(where, "the statement has no Effect", f"Add Effect: {allowed}.")
    elif effect not in grammar.effects:
        yield Finding((*where, "Effect"), f"Effect is {effect!r}, not {allowed}", f"Write {allowed}.")
    yield from _one_of(statement, "Action", "NotAction", where, grammar)
    yield from _one_of(statement, "Resource", "NotResource", where, grammar)
    yield from _actions(statement, where, grammar)
    yield from _resources(statement, where)
    if grammar.principal:
        yield from _principal(statement, where)
    if "Condition" in statement:
        yield from check_condition(statement["Condition"], (*where, "Condition"))


def _unknown_element(key: str, where: Path, grammar: Grammar) -> Finding:
    if key in ("Principal", "NotPrincipal", "NotAction"):
        return Finding(where, f"{key} is not allowed in a policy of this kind", f"Remove {key}.", of_key=True)
    fix = did_you_mean(key, sorted(grammar.elements), f"Known here: {', '.join(sorted(grammar.elements))}.")
    return Finding(where, f"unknown element {key!r}", fix, of_key=True)


def _one_of(statement: Mapping[str, Any], one: str, other: str, where: Path, grammar: Grammar) -> Iterator[Finding]:
    names = f"{one} or {other}" if other in grammar.elements else one
    if one in statement and other in statement:
        yield Finding((*where, other), f"both {one} and {other}", "Keep one of the two.", of_key=True)
    elif one not in statement and other not in statement:
        yield Finding(where, f"the statement has no {names}", f"Add {one}.")
    for key in (one, other):
        values = statement.get(key, ["*"])
        if not _texts(values):
            yield Finding((*where, key), f"{key} is not text or a list of texts", "Write at least one.")


def _texts(values: Any) -> bool:
    return isinstance(values, str) or (
        isinstance(values, list) and bool(values) and all(isinstance(value, str) for value in values)
    )


def _each(statement: Mapping[str, Any], keys: Sequence[str], where: Path) -> Iterator[tuple[Path, str]]:
    for key in keys:
        values = statement.get(key)
        if isinstance(values, str):
            yield (*where, key), values
        elif isinstance(values, list):
            for index, value in enumerate(values):
                if isinstance(value, str):
                    yield (*where, key, index), value


def _actions(statement: Mapping[str, Any], where: Path, grammar: Grammar) -> Iterator[Finding]:
    for place, action in _each(statement, ("Action", "NotAction"), where):
        if not TEMPLATED.search(action):
            yield from check_action(action, place, rcp=grammar is RCP)


def _resources(statement: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    for place, resource in _each(statement, ("Resource", "NotResource"), where):
        plain = resource.replace("*", "").replace("?", "")
        if plain and not resource.startswith("arn:") and not TEMPLATED.search(resource):
            fix = 'Write an ARN, or "*" for all.'
            yield Finding(place, f"{resource!r} is not an ARN", fix, warning=len(plain) < len(resource))


def _principal(statement: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    if "Principal" not in statement:
        yield Finding(where, "the statement has no Principal", 'Add Principal: "*"; narrow it with conditions.')
    elif statement["Principal"] != "*":
        yield Finding((*where, "Principal"), 'Principal is not "*"', 'Write "*" and narrow it with conditions.')
