"""The Condition element (IAM User Guide, "IAM JSON policy elements: Condition operators", and "Set operators for
multivalued context keys")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

from controller.policy.answer import NO, YES, Answer, answer, every, some, unknown
from controller.policy.match import ANY, arn_matches, literal, matches
from controller.policy.request import Request

Compare: TypeAlias = Callable[[str, str], bool | None]
"""(what the policy says, what the request has) → whether it fits."""


def holds(condition: Any, request: Request) -> Answer:
    """Whether all of a statement's conditions are met; a key that is not known leaves that open."""
    if not isinstance(condition, Mapping):
        return unknown("a condition that is written as IAM's grammar says")
    return every(_tests(condition, request))


def _tests(condition: Mapping[str, Any], request: Request) -> Iterator[Answer]:
    for operator, keys in condition.items():
        if not isinstance(keys, Mapping):
            yield unknown(f"what {operator} compares")
            continue
        for key, wanted in keys.items():
            listed = wanted if isinstance(wanted, list) else [wanted]
            yield _test(operator, key, [_text(one) for one in listed], request)


def _test(written: str, key: str, wanted: list[str], request: Request) -> Answer:
    quantity, name, if_exists = _taken_apart(written)
    values = request.values(key)
    if name == "null":
        here = None if values is None else not values
        return some(answer(None if here is None else (want.casefold() == "true") == here, key) for want in wanted)
    negated, compare = _operator(name)
    if compare is None:
        return unknown(f"what the operator {written} means")
    if values is None:
        return unknown(key)
    if not values:
        return _of_nothing(quantity, negated, if_exists)
    if quantity == "" and len(values) > 1:
        return unknown(f"what {written} makes of the several values of {key}")

    def met(value: str) -> Answer:
        found = some(_compared(compare, want, value, key, request, wild=_wild(name)) for want in wanted)
        return ~found if negated else found

    return some(map(met, values)) if quantity == "foranyvalue" else every(map(met, values))


def _taken_apart(written: str) -> tuple[str, str, bool]:
    """``ForAnyValue:StringLikeIfExists`` is ``("foranyvalue", "stringlike", True)``."""
    quantity, colon, name = written.casefold().rpartition(":")
    return (quantity if colon else ""), name.removesuffix("ifexists"), name.endswith("ifexists")


def _of_nothing(quantity: str, negated: bool, if_exists: bool) -> Answer:
    """What a test says of a key that is not in the request: IfExists, ForAllValues and what is negated are met."""
    if quantity == "foranyvalue":
        return unknown("what ForAnyValue with IfExists means where the key is absent") if if_exists else NO
    return YES if if_exists or quantity == "forallvalues" or negated else NO


def _compared(compare: Compare, wanted: str, value: str, key: str, request: Request, *, wild: bool) -> Answer:
    pattern, missing = filled_in(wanted, request, wild=wild)
    return answer(compare(pattern, value), *(missing or (key,)))


_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def filled_in(text: str, request: Request, *, wild: bool = True) -> tuple[str, tuple[str, ...]]:
    """A pattern with its policy variables replaced, and which of them are not known (IAM User Guide, "IAM policy
    elements: Variables and tags").

    Args:
        wild: Whether ``*`` and ``?`` are wildcards here.
    """
    made, missing, last = "", [], 0
    plain = (lambda part: part) if wild else literal
    for found in _VARIABLE.finditer(text):
        made += plain(text[last : found.start()])
        last = found.end()
        name, comma, default = (part.strip() for part in found[1].partition(","))
        if name in ("*", "?", "$"):
            made += literal(name)
            continue
        values = request.values(name)
        if values is not None and len(values) == 1:
            made += literal(values[0])
        elif values == () and comma:
            made += literal(default.strip("'"))
        else:
            made += ANY
            missing.append(name)
    return made + plain(text[last:]), tuple(missing)


# Operators


def _operator(name: str) -> tuple[bool, Compare | None]:
    """Whether it is a negation, and what it compares with; None for one that IAM does not have."""
    positive = name.replace("not", "", 1) if name in _NEGATIONS else name
    return name in _NEGATIONS, _OPERATORS.get(positive)


def _wild(name: str) -> bool:
    return "like" in name or name.startswith("arn")


def _string(wanted: str, value: str) -> bool | None:
    return matches(wanted, value)


def _string_ignoring_case(wanted: str, value: str) -> bool | None:
    return matches(wanted, value, fold=True)


def _ip(wanted: str, value: str) -> bool | None:
    with suppress(ValueError):
        return ip_address(value) in ip_network(wanted, strict=False)
    return None


def _ordered(parse: Callable[[str], float | None], fits: Callable[[float, float], bool]) -> Compare:
    def compare(wanted: str, value: str) -> bool | None:
        limit, has = parse(wanted), parse(value)
        return None if limit is None or has is None else fits(has, limit)

    return compare


def _number(text: str) -> float | None:
    with suppress(ValueError):
        return float(text)
    return None


def _moment(text: str) -> float | None:
    """Seconds since 1970, of a date (ISO 8601) or of such a number."""
    if (seconds := _number(text)) is not None:
        return seconds
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "equals": lambda has, limit: has == limit,
    "lessthan": lambda has, limit: has < limit,
    "lessthanequals": lambda has, limit: has <= limit,
    "greaterthan": lambda has, limit: has > limit,
    "greaterthanequals": lambda has, limit: has >= limit,
}
_OPERATORS: Mapping[str, Compare] = {
    "stringequals": _string,
    "stringlike": _string,
    "stringequalsignorecase": _string_ignoring_case,
    "bool": _string_ignoring_case,
    "binaryequals": _string,
    "arnequals": arn_matches,  # "ArnEquals and ArnLike behave identically"
    "arnlike": arn_matches,
    "ipaddress": _ip,
    **{f"numeric{name}": _ordered(_number, fits) for name, fits in _ORDERS.items()},
    **{f"date{name}": _ordered(_moment, fits) for name, fits in _ORDERS.items()},
}
_NEGATIONS = frozenset(
    {
        *("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"),
        *("notipaddress", "numericnotequals", "datenotequals"),
    }
)


def _text(value: Any) -> str:
    """A value as JSON's text of it: ``true``, not ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)
