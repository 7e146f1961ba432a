"""An organization that several clients call at once, at AWS's published rates, in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from types import SimpleNamespace
from typing import Any

from botocore.session import Session

from controller.aws.transport import CallRecord, Transport
from controller.config import Settings
from controller.errors import AwsError
from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.world import Caller, Refused, SandboxClock, World
from tests.clocks import CommonTime

CALLERS = 8


class CommonSandboxTime(SandboxClock):
    def __init__(self, time: CommonTime) -> None:
        super().__init__(virtual=True)
        self._time = time

    def now(self) -> float:
        return self._time.monotonic()

    def wait(self, seconds: float) -> None:
        self._time.sleep(seconds)


class Crowd:
    """orgctl's transport, and others who use the same budget at AWS. AWS's answers take a few moments, unevenly.

    Attributes:
        records: Of every attempt of orgctl's.
        others: Calls of the others, by what became of them: ``answered``, ``refused``.
    """

    def __init__(self, *, share: float, seed: int = 1, rate_multiple: float = 1.0) -> None:
        self.time = CommonTime()
        self.random = Random(seed)
        self.sandbox = Sandbox(World(clock=CommonSandboxTime(self.time), seed=seed))
        self.world = self.sandbox.world
        self.sandbox.rates.set(1)
        self.sandbox.rules.set({"rates-shared": True, "rates-unpublished": False})
        self.sandbox.latency["*"] = 0.04
        self.sandbox.faults.add(operation="*", kind="slow", probability=0.3, seconds=0.15)
        self.records: list[CallRecord] = []
        self.others: Counter[str] = Counter()
        self.transport = self.another(share, rate_multiple)
        self._here = True

    def another(self, share: float, rate_multiple: float = 1.0) -> Transport:
        """One more process of orgctl."""
        session = Session()
        session.set_credentials(self.world.management_account, "sandbox")
        attach(SimpleNamespace(events=session.get_component("event_emitter")), self.sandbox)
        settings = Settings(workers=100, share=share, rate_multiple=rate_multiple)
        jitter = self.random.random
        return Transport(
            settings,
            self.time,
            read_only=False,
            observer=lambda record: self.records.append(record),
            session=session,
            jitter=jitter,
        )

    def call(self, action: str, **parameters: Any) -> None:
        with suppress(AwsError):
            self.transport.call(
                action,
                parameters,
                account=None,
                region=None,
                write=not action.split(":")[1].startswith(("List", "Describe")),
                repeatable=True,
            )

    def calls(self, action: str, times: int, **parameters: Any) -> list[Callable[[], None]]:
        """So many calls, by several callers."""

        def caller() -> None:
            for _ in range(times // CALLERS):
                self.call(action, **parameters)

        return [caller] * CALLERS

    def run(self, *works: Callable[[], None], others: tuple[Callable[[], None], ...] = ()) -> None:
        """Until the works are done; then the others leave."""
        left = len(works)

        def counted(work: Callable[[], None]) -> Callable[[], None]:
            def done() -> None:
                nonlocal left
                work()
                left -= 1
                self._here = left > 0

            return done

        self._here = True
        self.time.run(*map(counted, works), *others)

    def other(self, operation: str, per_second: float, *, account: str = "", evenly: bool = True) -> Callable[[], None]:
        """Somebody who calls an operation of Organizations at a rate: evenly, or at random."""
        caller = Caller(account or self.world.management_account, "us-east-1")

        def work() -> None:
            while self._here:
                self.time.sleep(1 / per_second if evenly else self.random.expovariate(per_second))
                with self.world.lock:
                    try:
                        self.sandbox.rates.take(caller, "organizations", operation)
                        self.others["answered"] += 1
                    except Refused:
                        self.others["refused"] += 1

        return work

    @property
    def throttled(self) -> int:
        return sum(record.throttled for record in self.records)
