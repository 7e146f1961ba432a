"""Two made-up kinds, a parent with a list of children, for tests of what holds for all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from controller.config import Limits
from controller.planning.diff import Difference, diff
from controller.planning.guard import Guarded, Memory, Rules, guard
from controller.planning.order import order
from controller.resources.base import Change, Desired, ForeignTags, Kind, Live, Observed, Ref, Resource

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Resource):
    kind: ClassVar[str] = "box"
    colour: str | None = None
    marks: frozenset[str] | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball(Resource):
    kind: ClassVar[str] = "ball"
    box: str
    size: int | None = None

    @property
    def parent(self) -> Ref:
        return Ref("box", self.box)


class BoxKind(Kind[Box]):
    name = "box"
    resource = Box
    ownable = True
    outlives_its_line = True


class BallKind(Kind[Ball]):
    name = "ball"
    resource = Ball
    requires = ("box",)


KINDS: dict[str, Kind[Any]] = {"box": BoxKind(), "ball": BallKind()}


def box(key: str, owner: str | None = None, **attributes: Any) -> Box:
    return Box(key=key, name=key, owner=owner, id=f"id-{key}", **attributes)


def ball(key: str, in_box: str, owner: str | None = None, size: int | None = None) -> Ball:
    return Ball(key=key, name=key, owner=owner, box=in_box, size=size)


@dataclass
class Case:
    """Desired and live of both kinds, planned with `plan`."""

    boxes: Iterable[Box] = ()
    balls: Iterable[Ball] = ()
    live_boxes: Iterable[Box] = ()
    live_balls: Iterable[Ball] = ()
    desired: dict[str, Any] = field(default_factory=dict)
    """Further arguments of Desired for "box" and "ball"."""
    observed: dict[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Kind[Any]] = field(default_factory=lambda: KINDS)

    @property
    def live(self) -> Live:
        return Live(
            {
                "box": Observed({b.key: b for b in self.live_boxes}, **self.observed.get("box", {})),
                "ball": Observed({b.key: b for b in self.live_balls}, **self.observed.get("ball", {})),
            }
        )

    @property
    def wanted(self) -> dict[str, Desired[Any]]:
        return {
            "box": Desired({b.key: b for b in self.boxes}, **self.desired.get("box", {})),
            "ball": Desired({b.key: b for b in self.balls}, **self.desired.get("ball", {})),
        }

    def diff(self) -> Difference:
        return diff(self.kinds, self.wanted, self.live, OURS, ForeignTags())

    def guarded(self, memory: Memory | None = None, **rules: Any) -> Guarded:
        difference = self.diff()
        ordered = order(self.kinds, difference.changes, self.live)
        how = Rules(**{"organization_id": "o-test", "limits": Limits(), "mode": "enforce", **rules})
        return guard(self.kinds, ordered, self.wanted, self.live, difference.losses, how, memory or Memory(now=NOW))


def ids(changes: Iterable[Change]) -> list[str]:
    return [change.id for change in changes]
