"""Things that go wrong on purpose: by operation, with a probability or for a number of calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from controller.sandbox.rates import throttled
from controller.sandbox.world import Caller, Refused, World

KINDS = {
    "throttle": "the service's throttling error",
    "error": "`code`, `message`, `status`, before anything happens",
    "internal": "HTTP 500, before anything happens",
    "reset": "the connection is closed before anything happens",
    "lost": "the connection is closed after the call took effect: its answer is lost",
    "slow": "`seconds` more",
    "fail": "the call is accepted; the asynchronous work it begins ends FAILED, with `code` as the reason",
}


class Dropped(Exception):
    """The connection is to be closed, with no answer."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        operation: ``service:Operation`` with ``*`` and ``?``.
        kind: A key of `KINDS`.
        probability: Of each call that matches.
        count: How many calls it hits; None: until it is taken away.
        account: Only calls made in this account; region: only those made there.
    """

    operation: str
    kind: str
    probability: float = 1.0
    count: int | None = None
    code: str = "InternalFailure"
    message: str = ""
    status: int | None = None
    seconds: float = 0.0
    account: str | None = None
    region: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of fault. There are: {', '.join(KINDS)}.")

    def matches(self, caller: Caller, name: str) -> bool:
        return (
            self.count != 0
            and fnmatchcase(name, self.operation)
            and self.account in (None, caller.account)
            and self.region in (None, caller.region)
        )


class Faults:
    """The faults in force, in the order they were given."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: list[Fault] = []
        self._met: Counter[tuple[str, ...]] = Counter()

    def add(self, **fault: Any) -> Fault:
        """See `Fault`. Raises TypeError or ValueError for what is no fault."""
        made = Fault(**fault)
        self.all.append(made)
        return made

    def clear(self) -> None:
        """None any more; and those that come meet calls as if they were the first."""
        self.all.clear()
        self._met.clear()

    def shapes(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.all if fault.count != 0]

    def hit(self, caller: Caller, service: str, operation: str, asked: object = None) -> list[Fault]:
        """The faults that this call meets, up to the first that ends it. Call it with the world's lock held.

        Args:
            asked: The call's parameters. The same call, asked for the nth time, meets the same faults for the same
                seed, whatever other threads ask for in between.
        """
        hits: list[Fault] = []
        for fault in self.all:
            if fault.matches(caller, f"{service}:{operation}") and self._by_chance(fault, caller, operation, asked):
                if fault.count is not None:
                    fault.count -= 1
                hits.append(fault)
                if fault.kind not in ("slow", "fail", "lost"):
                    break
        return hits

    def _by_chance(self, fault: Fault, caller: Caller, operation: str, asked: object) -> bool:
        if fault.probability >= 1:
            return True
        what = (fault.operation, fault.kind, fault.code, caller.account, caller.region, operation, repr(asked))
        self._met[what] += 1
        return self._world.chance("fault", what, self._met[what]) < fault.probability

    def before(self, hits: list[Fault], service: str, operation: str) -> None:
        """What happens before the call takes effect.

        Raises:
            Refused, Dropped
        """
        for fault in hits:
            if fault.kind == "throttle":
                raise throttled(service, self._world)
            if fault.kind == "error":
                raise Refused(fault.code, fault.message or "Injected.", status=fault.status)
            if fault.kind == "internal":
                raise Refused("InternalFailure", fault.message or "Injected.", status=fault.status or 500)
            if fault.kind == "reset":
                raise Dropped
            if fault.kind == "fail":
                self._world.failures.setdefault(operation, []).append(fault.code)
