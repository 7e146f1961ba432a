"""A policy's content: compared as JSON, sent minified."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controller.resources.base import Json

_SETS = frozenset({"Action", "NotAction", "Resource", "NotResource"})
"""Elements where one value may stand for a list of one, and order means nothing (IAM User Guide, policy grammar)."""

_PRINCIPALS = frozenset({"Principal", "NotPrincipal"})


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """The content of a policy. ``==`` is JSON equality; in IAM's grammar also blind to order and to lists of one.

    Attributes:
        text: What is sent: minified, keys in the order they were written. AWS stores and counts every character
            (Organizations User Guide, quotas).
        canonical: What is compared.
    """

    text: str = field(compare=False)
    canonical: str = field(repr=False)

    @classmethod
    def of(cls, content: Json, *, iam: bool) -> PolicyDocument:
        """Content as git or AWS gives it.

        Args:
            iam: Whether it is written in IAM's policy grammar (SCPs, RCPs, permission sets) or is other JSON.
        """
        canonical = _iam_document(content) if iam else _plain(content)
        return cls(text=_minified(content), canonical=json.dumps(canonical, sort_keys=True, separators=(",", ":")))

    @classmethod
    def parse(cls, text: str, *, iam: bool) -> PolicyDocument:
        """A text from AWS. One that is not JSON gives a value that equals no document, so it is replaced."""
        try:
            return cls.of(json.loads(text), iam=iam)
        except ValueError:
            # No JSON text begins like this.
            return cls(text=text, canonical="not JSON: " + text)

    def to_json(self) -> Json:
        """The content, or the text itself where that is not JSON."""
        try:
            content: Json = json.loads(self.text)
        except ValueError:
            return self.text
        return content

    def strings(self) -> Iterator[str]:
        """Every string value in it (not keys)."""
        yield from _strings(self.to_json())

    def filled(self, fill: Callable[[str], str], *, iam: bool) -> PolicyDocument:
        """The same document with `fill` applied to every string value."""
        return PolicyDocument.of(_mapped(self.to_json(), fill), iam=iam)


def loses_rules(before: Json, after: Json) -> bool:
    """Whether a new content has fewer statements, or fewer that deny; in other JSON, lacks what was named before."""
    if isinstance(before, dict) and "Statement" in before:
        had, has = _effects(before), _effects(after)
        return len(has) < len(had) or has.count("Deny") < had.count("Deny")
    return not _named(before) <= _named(after)


def _effects(content: Json) -> list[Json]:
    statements = content.get("Statement") if isinstance(content, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    return [statement.get("Effect") for statement in listed if isinstance(statement, dict)]


def _named(content: Json) -> set[tuple[str, str]]:
    """The tags, plans, services or attributes that a policy other than IAM's is about: two levels of names."""
    if not isinstance(content, dict):
        return set()
    return {(top, name) for top, below in content.items() if isinstance(below, dict) for name in below}


def _minified(content: Json) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Json) -> Json:
    """JSON has one kind of number: 1.0 is 1."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _as_set(value: Json) -> Json:
    """A value or a list of values as a sorted list without repetitions."""
    members = [_plain(item) for item in (value if isinstance(value, list) else [value])]
    unique = {json.dumps(item, sort_keys=True): item for item in members}
    return [unique[key] for key in sorted(unique)]


def _iam_document(content: Json) -> Json:
    if not isinstance(content, dict):
        return _plain(content)
    document = {key: _plain(value) for key, value in content.items() if key != "Statement"}
    if "Statement" in content:
        statements = content["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        document["Statement"] = _as_set([_iam_statement(statement) for statement in listed])
    return document


def _iam_statement(statement: Json) -> Json:
    if not isinstance(statement, dict):
        return _plain(statement)
    canonical: dict[str, Json] = {}
    for key, value in statement.items():
        if key in _SETS:
            canonical[key] = _as_set(value)
        elif key in _PRINCIPALS and isinstance(value, dict):
            canonical[key] = {kind: _as_set(who) for kind, who in value.items()}
        elif key == "Condition" and isinstance(value, dict):
            canonical[key] = {operator: _iam_operands(operands) for operator, operands in value.items()}
        else:
            canonical[key] = _plain(value)
    return canonical


def _iam_operands(operands: Json) -> Json:
    """``{"aws:RequestedRegion": [values]}`` of one condition operator."""
    if not isinstance(operands, dict):
        return _plain(operands)
    return {key: _as_set(values) for key, values in operands.items()}


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _mapped(value: Json, function: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return function(value)
    if isinstance(value, dict):
        return {key: _mapped(item, function) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, function) for item in value]
    return value
