"""What statements of SCPs and RCPs say, short enough for a pull request; and what differs between two contents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.planning.describe import readable
from controller.policy.evaluate import Statement
from controller.policy.match import matches

MOST_NAMED = 6
"""Actions, resources or values that are named; the rest is counted."""
LONGEST = 300
_WORDS = ("Action", "NotAction", "Resource", "NotResource")


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is denied or allowed, and was not, or the other way round.

    Attributes:
        effect: ``deny`` or ``allow``.
        more: Whether it comes, or goes.
        part: Whether it is about a part of a statement that stays.
    """

    effect: str
    more: bool
    text: str
    part: bool = False


def coming(statement: Statement) -> Rule:
    return Rule(statement.effect, True, summary(statement))


def going(statement: Statement) -> Rule:
    return Rule(statement.effect, False, summary(statement))


def summary(statement: Statement) -> str:
    """``ec2:*, but arn:… if StringNotEquals aws:RequestedRegion eu-west-1``."""
    body = statement.body
    what = _named(body["Action"]) if "Action" in body else f"everything but {_named(body.get('NotAction', ()))}"
    parts = ["everything" if what == "*" else what]
    if "NotResource" in body:
        parts.append(f"on everything but {_named(body['NotResource'])}")
    elif _listed(body.get("Resource", "*")) != ["*"]:
        parts.append(f"on {_named(body['Resource'])}")
    for element, word in (("Principal", "for"), ("NotPrincipal", "for everybody but")):
        who = body.get(element, "*")
        if isinstance(who, Mapping) and who != {"AWS": "*"}:
            parts.append(f"{word} {_named([one for kind in who.values() for one in _listed(kind)])}")
    conditions = [f"{operator} {key} {_named(values)}" for operator, key, values in _conditions(body)]
    if conditions:
        parts.append(f"if {' and '.join(conditions)}")
    return _cut(" ".join(parts))


def differences(old: Sequence[Statement], new: Sequence[Statement]) -> tuple[Rule, ...]:
    """What an edit makes of the rules: those of which only a part is another are told by that part."""
    gone = [one for one in old if one not in new]
    found: list[Rule] = []
    for statement in new:
        if statement in old:
            continue
        former = next((one for one in gone if _is_edited(one, statement)), None)
        if former is None:
            found.append(coming(statement))
        else:
            gone.remove(former)
            found += _parts(former, statement)
    return (*found, *map(going, gone))


def _is_edited(old: Statement, new: Statement) -> bool:
    """Whether the one may be the other after an edit of its lists or conditions."""
    if _shape(old) != _shape(new):
        return False
    others = [element for element in (*_WORDS, "Condition") if old.body.get(element) != new.body.get(element)]
    return len(others) == 1 or bool(old.sid and old.sid == new.sid)


def _shape(statement: Statement) -> dict[str, Any]:
    """All but what is told by its parts."""
    body = {key: value for key, value in statement.body.items() if key not in ("Sid", "Condition")}
    return {key: None if key in _WORDS else value for key, value in body.items()}


def _parts(old: Statement, new: Statement) -> Iterator[Rule]:
    for element in _WORDS:
        was, now = _listed(old.body.get(element, ())), _listed(new.body.get(element, ()))
        yield from _words(new, element, was, now, widens=not element.startswith("Not"))
    had = {(operator, key): values for operator, key, values in _conditions(old.body)}
    has = {(operator, key): values for operator, key, values in _conditions(new.body)}
    for place in sorted(had.keys() | has.keys()):
        label = " ".join(place)
        if place in had and place in has:
            yield from _words(new, label, had[place], has[place], widens="Not" not in place[0])
        else:  # one more condition: it is true less often
            sign, values = ("+", has[place]) if place in has else ("-", had[place])
            yield _part(new, place in had, f"{sign} {label} {_named(values)}")


def _words(statement: Statement, label: str, was: list[str], now: list[str], *, widens: bool) -> Iterator[Rule]:
    """Values that are new in a list, and those that are gone. What a wildcard covers was there, or still is."""
    for sign, some, others in (("+", now, was), ("-", was, now)):
        only = [one for one in some if not any(matches(pattern, one, fold=True) for pattern in others)]
        if only:
            yield _part(statement, (sign == "+") is widens, f"{label} {sign} {_named(only)}")


def _part(statement: Statement, more: bool, text: str) -> Rule:
    return Rule(statement.effect, more, _cut(f"{text} ({statement.label})"), part=True)


def _conditions(body: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    found = body.get("Condition")
    for operator, operands in sorted(found.items()) if isinstance(found, Mapping) else ():
        for key, values in sorted(operands.items()) if isinstance(operands, Mapping) else ():
            yield operator, key, _listed(values)


def _named(values: Any) -> str:
    listed = [readable(one) for one in _listed(values)]
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more


def _listed(value: Any) -> list[str]:
    listed = value if isinstance(value, list | tuple) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in listed]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
