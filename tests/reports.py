"""Small reports and plans, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from controller.planning.plan import Plan
from controller.report import Outcome, Report
from controller.resources.base import Action, Change, Resource, private

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit(Resource):
    kind: ClassVar[str] = "organizational_unit"
    tags: Mapping[str, str] = field(default_factory=dict)
    contact: str | None = private(default=None)


def change(key: str, action: Action = Action.UPDATE, **more: Any) -> Change:
    """A change of one OU."""
    before, after = Unit(key=key, name=key), Unit(key=key, name=key, tags={"env": "prod"}, contact="+1 555 0100")
    return Change(
        "organizational_unit",
        key,
        key,
        action,
        before=None if action is Action.CREATE else before,
        after=None if action is Action.DELETE else after,
        **more,
    )


def report(*outcomes: Outcome, commit: str | None = None, in_sync: int = 1, **plan: Any) -> Report:
    """A cycle with these outcomes; its plan has exactly their changes."""
    changes = tuple(outcome.change for outcome in outcomes)
    made = Plan("o-abcdefghij", commit, changes, {"organizational_unit": in_sync}, **plan)
    return Report(NOW, made, outcomes, {"observe": 1.0, "plan": 0.1, "apply": 0.2})
