"""The organization as it was a moment ago: what a read sees where the last write has not arrived yet.

A second world follows the first at a distance: it is copied once, and every write is carried out in it again when
the distance has passed, at the same time on its clock and with the same random numbers, so that ids are the same.
"""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import access
from controller.sandbox.wire import Call
from controller.sandbox.world import Caller, Refused, SandboxClock, Service, World

FOLLOWS = frozenset({"organizations", "resourcegroupstaggingapi", "sso-admin", "identitystore"})
"""Services whose reads may be stale."""
OWN = ("lock", "clock", "calls", "log", "rules", "by_hand")
"""What the second world does not take from the first."""

Perform = Callable[[Mapping[str, Service], Caller, Call], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Written:
    """A write, and all that its outcome rests on beside the state."""

    at: float
    random: Any
    failures: dict[str, list[str]]
    delays: dict[str, float]
    caller: Caller
    call: Call


class Past:
    """See the module. Everything is to be called with the world's lock held.

    Args:
        services: Makes the services of a world.
        perform: Carries out a call in them.
    """

    def __init__(self, world: World, services: Callable[[World], Mapping[str, Service]], perform: Perform) -> None:
        self._world, self._make, self._perform = world, services, perform
        self._then: World | None = None
        self._services: Mapping[str, Service] = {}
        self._queue: deque[_Written] = deque()
        self._asked: Counter[str] = Counter()

    def forget(self) -> None:
        """Begin anew with the next write: what has been done to the world by other ways than calls is not followed."""
        self._then = None
        self._queue.clear()

    def note(self, caller: Caller, call: Call) -> None:
        """A write is about to be carried out."""
        world = self._world
        if not world.rule("stale-reads"):
            self.forget()
            return
        if self._then is None:
            self._copy()
        self._queue.append(
            _Written(
                world.clock.now(),
                world.random.getstate(),
                {operation: list(reasons) for operation, reasons in world.failures.items()},
                dict(world.delays),
                caller,
                Call(call.service, call.operation, deepcopy(call.parameters)),
            )
        )

    def services(self, call: Call) -> Mapping[str, Service] | None:
        """What is to answer a read, where it is one that sees the past; None: the present.

        It is one in two, by chance: asked twice in a moment, AWS may answer from a fresher place first.
        """
        world = self._world
        if self._then is None or call.service not in FOLLOWS or not world.rule("stale-reads"):
            return None
        self._follow(world.clock.now() - world.rules.amount("stale-reads"))
        if not self._queue:
            self._asked.clear()
            return None
        question = f"{call.service}:{call.operation} {sorted(call.parameters.items())}"
        self._asked[question] += 1
        return self._services if world.chance("stale-reads", question, self._asked[question]) < 0.5 else None

    def _copy(self) -> None:
        world = self._world
        access(world), directory(world)  # made when first asked for: now, so that both worlds have the same
        state = {name: value for name, value in vars(world).items() if name not in OWN}
        clock = SandboxClock(virtual=True, start=world.clock.now())
        self._then = then = World(clock=clock)
        vars(then).update(pickle.loads(pickle.dumps(state)), rules=world.rules)  # noqa: S301 (our own bytes)
        self._services = self._make(then)

    def _follow(self, until: float) -> None:
        """Carry out again what was written up to a time."""
        then = self._then
        assert then is not None
        while self._queue and self._queue[0].at <= until:
            written = self._queue.popleft()
            then.clock.advance(written.at - then.clock.now())
            for service in self._services.values():
                service.settle()
            then.random.setstate(written.random)
            then.failures, then.delays = written.failures, written.delays
            with suppress(Refused):  # as it was the first time
                self._perform(self._services, written.caller, written.call)
        then.clock.advance(max(0.0, until - then.clock.now()))
