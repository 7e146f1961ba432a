"""Statements judged for a request (IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements reference")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from controller.policy.answer import NO, YES, Answer, answer, every, some, unknown
from controller.policy.conditions import filled_in, holds
from controller.policy.match import matches
from controller.policy.request import Request


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy. Two with the same text are the same rule, wherever they stand.

    Attributes:
        text: Canonical JSON.
        sid: Its own name, or "".
        number: Its place in its policy, from 0.
        source: file:line:column, where it comes from git.
    """

    text: str
    body: Mapping[str, Any] = field(compare=False, repr=False)
    sid: str = field(compare=False, default="")
    number: int = field(compare=False, default=0)
    source: str | None = field(compare=False, default=None)

    @property
    def effect(self) -> str:
        return str(self.body.get("Effect", "")).casefold()

    @property
    def label(self) -> str:
        return f"statement {self.sid!r}" if self.sid else f"statement {self.number + 1}"

    def mentions(self, word: str) -> bool:
        """Whether the word (in lower case) stands anywhere in it: cheap, and never wrongly no."""
        return word in self.text.casefold()


def statements(content: Any, place: Callable[[int], str | None] = lambda _: None) -> tuple[Statement, ...]:
    """The statements of a document.

    Args:
        place: Number of a statement → file:line:column.

    Raises:
        ValueError: It is no policy document.
    """
    listed = content.get("Statement") if isinstance(content, Mapping) else None
    listed = [listed] if isinstance(listed, Mapping) else listed
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise ValueError("it is not written in IAM's policy grammar")
    return tuple(
        Statement(_canonical(one), one, str(one.get("Sid", "")), number, place(number))
        for number, one in enumerate(listed)
    )


def applies(statement: Statement, request: Request) -> Answer:
    """Whether a statement is about a request: its action, principal, resource and conditions all match."""
    body = statement.body
    if not {"Action", "NotAction"} & body.keys() or statement.effect not in ("allow", "deny"):
        return unknown(f"what {statement.label} means: it is not written in IAM's policy grammar")
    return every(_elements(body, request))


def _elements(body: Mapping[str, Any], request: Request) -> Iterator[Answer]:
    """Cheapest first: the first no ends it."""
    yield _action(body, request.action)
    if "Principal" in body or "NotPrincipal" in body:
        found = _principal(body.get("Principal", body.get("NotPrincipal")), request)
        yield found if "Principal" in body else ~found
    if "Resource" in body or "NotResource" in body:
        found = _resource(_listed(body.get("Resource", body.get("NotResource"))), request)
        yield found if "Resource" in body else ~found
    if "Condition" in body:
        yield holds(body["Condition"], request)


def _action(body: Mapping[str, Any], action: str) -> Answer:
    """Actions are compared without regard to capitals."""
    patterns = tuple(_listed(body.get("Action", body.get("NotAction"))))
    return YES if _named(patterns, action) is ("Action" in body) else NO


@lru_cache(maxsize=65536)
def _named(patterns: tuple[str, ...], action: str) -> bool:
    return any(matches(pattern, action, fold=True) for pattern in patterns)


def _resource(patterns: Iterable[str], request: Request) -> Answer:
    """Of what the request may be about, all must match to be sure, and none to be sure of the opposite."""
    tests = [filled_in(pattern, request) for pattern in patterns]

    def matched(resource: str) -> Answer:
        return some(answer(matches(p, resource), *(missing or ("the resource",))) for p, missing in tests)

    found = [matched(resource) for resource in request.resources]
    if len({one.truth for one in found}) == 1:
        return found[0]
    return unknown("the resource", *(m for one in found for m in one.missing))


def _principal(element: Any, request: Request) -> Answer:
    """Whether the caller is among the principals (IAM User Guide, "AWS JSON policy elements: Principal")."""
    if element == "*":
        return YES
    if not isinstance(element, Mapping):
        return unknown("what Principal means")
    of_aws = some(_is_caller(one, request) for one in _listed(element.get("AWS", [])))
    others = [kind for kind in element if kind != "AWS"]
    return some([of_aws, *(unknown(f"whether the caller is a {kind} principal") for kind in others)])


def _is_caller(given: str, request: Request) -> Answer:
    if given == "*":
        return YES
    account = given if given.isdigit() else given.split(":")[4] if given.endswith(":root") else None
    key, wanted = ("aws:PrincipalArn", given) if account is None else ("aws:PrincipalAccount", account)
    values = request.values(key)
    if values is None:
        return unknown(key)
    return some(answer(matches(wanted, value), key) for value in values)


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _canonical(statement: Mapping[str, Any]) -> str:
    """Blind to the Sid and to the order of what is a set."""
    return json.dumps(_sorted({k: v for k, v in statement.items() if k != "Sid"}), sort_keys=True)


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(one) for key, one in value.items()}
    if isinstance(value, list):
        members = sorted({json.dumps(_sorted(one), sort_keys=True) for one in value})
        found = [json.loads(one) for one in members]
        return found[0] if len(found) == 1 else found
    return value
