"""Conditions in policy documents: operators, and the keys that are known in all of AWS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from controller.catalogue.iam import has_several_values
from controller.desired.marks import Path
from controller.desired.nearest import did_you_mean
from controller.desired.policy_finding import Finding
from controller.desired.templates import TEMPLATED

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
SETS = ("ForAllValues:", "ForAnyValue:")

# IAM User Guide, "AWS global condition context keys", September 2026: the keys, and the value type of each. AWS adds
# some every year, and no package that is kept lists them: what does not stand here is doubtful, not wrong.
TAGGED = ("aws:PrincipalTag", "aws:RequestTag", "aws:ResourceTag")
"""Followed by a slash and the tag's key."""
MULTIVALUED = (
    *("aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths"),
    *("aws:SourceOrgPaths", "aws:TagKeys", "aws:VpceOrgPaths"),
)
SINGLE_VALUED = (
    *("aws:AssumedRoot", "aws:CalledViaAWSMCP", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ChatbotSourceArn"),
    *("aws:CurrentTime", "aws:Ec2InstanceSourcePrivateIPv4", "aws:Ec2InstanceSourceVpc", "aws:EpochTime"),
    *("aws:FederatedProvider", "aws:IsMcpServiceAction", "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent"),
    *("aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService", "aws:PrincipalOrgID"),
    *("aws:PrincipalServiceName", "aws:PrincipalType", "aws:referer", "aws:RequestedRegion", "aws:ResourceAccount"),
    *("aws:ResourceOrgID", "aws:SecureTransport", "aws:SignInSessionArn", "aws:SourceAccount", "aws:SourceArn"),
    *("aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce"),
    *("aws:TokenIssueTime", "aws:UserAgent", "aws:userid", "aws:username", "aws:ViaAWSMCPService"),
    *("aws:ViaAWSService", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpcSourceIp"),
)
CERTAIN = ("aws:PrincipalOrgPaths", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths")
"""Those that a wrong operator turns into a hole in a boundary: an error, where others are a warning."""


def _folded(names: Iterable[str]) -> Mapping[str, str]:
    """Operators and keys are compared without regard to capitals."""
    return {name.casefold(): name for name in names}


_OPERATORS, _CERTAIN = _folded(OPERATORS), _folded(CERTAIN)
_TAGGED, _MULTIVALUED, _SINGLE_VALUED = _folded(TAGGED), _folded(MULTIVALUED), _folded(SINGLE_VALUED)
_GLOBAL = (*TAGGED, *MULTIVALUED, *SINGLE_VALUED)


def check_condition(condition: Any, where: Path) -> Iterator[Finding]:
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
            yield from _key(key, (*here, key))
            yield from _values(key, values, (*here, key))
            yield from _set(written, operator, key, (*here, key))


def _operator(written: str) -> tuple[str, bool]:
    """The operator without what stands before and behind, and whether IAM knows it."""
    name = written
    for prefix in SETS:
        name = name.removeprefix(prefix)
    name = name.removesuffix("IfExists")
    return _OPERATORS.get(name.casefold(), name), name.casefold() in _OPERATORS


def _key(key: str, where: Path) -> Iterator[Finding]:
    if TEMPLATED.search(key):
        return
    if ":" not in key:
        yield Finding(where, f"{key!r} is not a condition key", "Write prefix:Name, as in aws:SourceIp.", of_key=True)
        return
    name, _, tag = key.partition("/")
    if name.casefold() in _TAGGED:
        if not tag:
            what = f"{key!r} names no tag: it is never there"
            yield Finding(where, what, f"Write {name}/ and the tag's key.", warning=True, of_key=True)
    elif not known_everywhere(key):
        fix = did_you_mean(key, _GLOBAL, "A key that is never there makes a condition true always, or never.")
        yield Finding(where, f"there seems to be no condition key {key!r} in AWS", fix, warning=True, of_key=True)


def known_everywhere(key: str) -> bool:
    """Whether a key is one that AWS documents for all services, or a service's own: those are not looked up."""
    name, slash, _ = key.partition("/")
    prefix, colon, _ = key.partition(":")
    if prefix.casefold() != "aws":
        return bool(colon)
    return name.casefold() in _TAGGED if slash else name.casefold() in {*_MULTIVALUED, *_SINGLE_VALUED}


def _values(key: str, values: Any, where: Path) -> Iterator[Finding]:
    items = values if isinstance(values, list) else [values]
    if any(not isinstance(item, str | bool | int | float) for item in items):
        yield Finding(where, f"{key}: a value is text, a number or a boolean", "Write one, or a list of them.")


def _set(written: str, operator: str, key: str, where: Path) -> Iterator[Finding]:
    """Keys with several values need ForAnyValue or ForAllValues; keys with one cannot have them (IAM User Guide,
    "Set operators for multivalued context keys")."""
    of_set, several, doubtful = written.startswith(SETS), _several(key), key.casefold() not in _CERTAIN
    if several is True and not of_set and operator != "Null":
        what = f"{key} has several values: {written} compares none of them as meant"
        fix = f"Write ForAnyValue:{written} or ForAllValues:{written}."
        yield Finding(where, what, fix, warning=doubtful, of_key=True)
    if several is False and of_set:
        what = f"{key} has a single value: {written.split(':')[0]} is for keys with several"
        yield Finding(where, what, f"Write {written.split(':', 1)[1]}.", warning=doubtful, of_key=True)


def _several(key: str) -> bool | None:
    """Whether a key has several values; None where that is not known."""
    name = key.casefold()
    if name in _MULTIVALUED:
        return True
    if name in _SINGLE_VALUED or name.partition("/")[0] in _TAGGED:
        return False
    return has_several_values(key)
