"""The grammar of policy documents, checked without AWS: what it would refuse, and what is doubtful.

Covers the documents in IAM's grammar: service control and resource control policies (Organizations User Guide, "SCP
syntax", "RCP syntax") and the inline policies of permission sets (IAM User Guide, "IAM JSON policy elements
reference"). The other kinds have grammars of their own and are not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.desired.marks import Path
from controller.desired.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong or doubtful, at a path in the content. `of_key`: the key there is meant, not its value."""

    where: Path
    what: str
    fix: str = ""
    warning: bool = False
    of_key: bool = False


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
_TEMPLATED = re.compile(r"\{\{|\$\{")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = frozenset(
    {
        *(f"String{name}" for name in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase")),
        *("StringLike", "StringNotLike", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
        *(f"{kind}{name}" for kind in ("Numeric", "Date") for name in _COMPARISONS),
        *("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
    }
)
"""IAM User Guide, "IAM JSON policy elements: Condition operators"."""
_FOLDED = {name.casefold(): name for name in OPERATORS}
SETS = ("ForAllValues:", "ForAnyValue:")
# IAM User Guide, "AWS global condition context keys": the value type each key is documented with.
MULTIVALUED = frozenset({"aws:ResourceOrgPaths", "aws:PrincipalOrgPaths"})
SINGLE_VALUED = frozenset({"aws:ResourceOrgID", "aws:ResourceAccount"})
_MORE_MULTIVALUED = frozenset({"aws:TagKeys", "aws:CalledVia", "aws:PrincipalServiceNamesList", "aws:SourceOrgPaths"})
_MORE_SINGLE_VALUED = frozenset({"aws:PrincipalOrgID", "aws:PrincipalAccount", "aws:SourceOrgID", "aws:SourceAccount"})


def lint(kind: str, content: Any) -> Iterator[Finding]:
    """What is wrong or doubtful in a document of this kind; nothing for kinds whose grammar is not known here."""
    grammar = GRAMMARS.get(kind)
    if grammar is not None:
        yield from _document(content, grammar)


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
    for index, statement in enumerate(statements):
        where: Path = ("Statement",) if single else ("Statement", index)
        if isinstance(statement, dict):
            yield from _statement(statement, where, grammar)
            yield from _sid(statement, where, sids)
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
    if not re.fullmatch(r"[A-Za-z0-9]*", sid) and not _TEMPLATED.search(sid):
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
    yield from _actions(statement, where)
    yield from _resources(statement, where)
    if grammar.principal:
        yield from _principal(statement, where)
    if "Condition" in statement:
        yield from _condition(statement["Condition"], (*where, "Condition"))


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


def _actions(statement: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    for place, action in _each(statement, ("Action", "NotAction"), where):
        if action != "*" and not _ACTION.fullmatch(action) and not _TEMPLATED.search(action):
            warning = bool(re.fullmatch(r"[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+", action))
            yield Finding(place, f"{action!r} is not an action", "Write service:Action, as in s3:GetObject.", warning)


def _resources(statement: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    for place, resource in _each(statement, ("Resource", "NotResource"), where):
        plain = resource.replace("*", "").replace("?", "")
        if plain and not resource.startswith("arn:") and not _TEMPLATED.search(resource):
            fix = 'Write an ARN, or "*" for all.'
            yield Finding(place, f"{resource!r} is not an ARN", fix, warning=len(plain) < len(resource))


def _principal(statement: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    if "Principal" not in statement:
        yield Finding(where, "the statement has no Principal", 'Add Principal: "*"; narrow it with conditions.')
    elif statement["Principal"] != "*":
        yield Finding((*where, "Principal"), 'Principal is not "*"', 'Write "*" and narrow it with conditions.')


def _condition(condition: Any, where: Path) -> Iterator[Finding]:
    if not isinstance(condition, dict):
        yield Finding(where, "Condition is not a mapping of operators", "Write operator: {key: value}.")
        return
    for written, tests in condition.items():
        here = (*where, written)
        operator, found = _operator(written)
        if not found:
            fix = did_you_mean(operator, sorted(OPERATORS), "Operators are those of IAM, such as StringEquals.")
            yield Finding(here, f"unknown condition operator {written!r}", fix, of_key=True)
        elif operator == "Null" and written.endswith("IfExists"):
            yield Finding(here, "Null cannot have IfExists", "Write Null.", of_key=True)
        if not isinstance(tests, dict) or not tests:
            yield Finding(here, f"{written} is not a mapping of condition keys", "Write key: value.")
            continue
        for key, values in tests.items():
            yield from _test(written, operator, key, values, (*here, key))


def _operator(written: str) -> tuple[str, bool]:
    """The operator without what stands before and behind, and whether IAM knows it."""
    name = written
    for prefix in SETS:
        name = name.removeprefix(prefix)
    name = name.removesuffix("IfExists")
    return _FOLDED.get(name.casefold(), name), name.casefold() in _FOLDED


def _test(written: str, operator: str, key: str, values: Any, where: Path) -> Iterator[Finding]:
    if ":" not in key and not _TEMPLATED.search(key):
        yield Finding(where, f"{key!r} is not a condition key", "Write prefix:Name, as in aws:SourceIp.", of_key=True)
    items = values if isinstance(values, list) else [values]
    if any(not isinstance(item, str | bool | int | float) for item in items):
        yield Finding(where, f"{key}: a value is text, a number or a boolean", "Write one, or a list of them.")
    of_set = written.startswith(SETS)
    if _among(key, MULTIVALUED | _MORE_MULTIVALUED) and not of_set and operator != "Null":
        what = f"{key} has several values: {written} compares none of them as meant"
        fix = f"Write ForAnyValue:{written} or ForAllValues:{written}."
        yield Finding(where, what, fix, warning=not _among(key, MULTIVALUED), of_key=True)
    if _among(key, SINGLE_VALUED | _MORE_SINGLE_VALUED) and of_set:
        what = f"{key} has a single value: {written.split(':')[0]} is for keys with several"
        fix = f"Write {written.split(':', 1)[1]}."
        yield Finding(where, what, fix, warning=not _among(key, SINGLE_VALUED), of_key=True)


def _among(key: str, keys: frozenset[str]) -> bool:
    """Condition keys are compared without regard to capitals."""
    return key.casefold() in {known.casefold() for known in keys}
