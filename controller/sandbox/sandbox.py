"""The simulated AWS: one world, the services that live in it, and every call's way through them."""

from __future__ import annotations

import itertools
import pickle
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any

from botocore import xform_name

from controller.sandbox import control, moto_fallback, permissions
from controller.sandbox.faults import Dropped, Faults
from controller.sandbox.organizations import Organizations
from controller.sandbox.past import Past
from controller.sandbox.rates import Rates
from controller.sandbox.rules import Rules, Switch
from controller.sandbox.server import Server
from controller.sandbox.services import SERVICES
from controller.sandbox.shapes import check_request, flaws, without_what_is_empty
from controller.sandbox.sts import Sts
from controller.sandbox.wire import (
    SIGNING_NAMES,
    Answer,
    Call,
    Request,
    Signature,
    operation_model,
    read,
    refuse,
    signature,
    unknown_operation,
    write,
)
from controller.sandbox.world import Caller, Refused, SandboxClock, Service, World

READS = ("Describe", "List", "Get", "BatchGet", "Is", "AssumeRole")


class Sandbox:
    """A simulated organization for any AWS client: by HTTP (`with sandbox:`, then `url`), or in-process (`inprocess`).

    Attributes:
        faults: What goes wrong on purpose.
        rates: Call rates; off until `rates.set(1)`.
        past: What stale reads see.
        latency: Seconds added to each call, by pattern of ``service:Operation``; the first that matches counts.
        refused: Answers that were errors, by ``service:Operation Code``.
        strict: Hold every answer of the sandbox's own to botocore's model (for tests; it costs time).
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.faults = Faults(self.world)
        self.rates = Rates(self.world)
        self.latency: dict[str, float] = {}
        self.refused: Counter[str] = Counter()
        self.strict = False
        self._requests = itertools.count(1)
        self._writing = 0.0
        """Until when a write to Organizations is under way."""
        self._memory = b""
        self._server: Server | None = None
        self._settle_in()

    @classmethod
    def create(
        cls,
        *,
        virtual: bool = False,
        seed: int = 0,
        management_account: str = "100000000000",
        rules: Mapping[str, Switch] | None = None,
    ) -> Sandbox:
        """A new organization.

        Args:
            virtual: Its time stands still but for `world.clock.advance` and added latency.
            rules: On, off, or on with an amount, by name (`rules.STRICT`: all); those not named, as in everyday use.

        Raises:
            ValueError: There is no such rule.
        """
        clock = SandboxClock(virtual=virtual)
        sandbox = cls(World(clock=clock, seed=seed, management_account=management_account))
        sandbox.rules.set(rules or {})
        return sandbox

    @property
    def rules(self) -> Rules:
        """What this AWS is strict about."""
        return self.world.rules

    def _settle_in(self) -> None:
        self.services = _services(self.world)
        self.past = Past(self.world, _services, self._answer)
        self._writing = 0.0
        sts, organizations = self.services["sts"], self.services["organizations"]
        assert isinstance(sts, Sts)
        assert isinstance(organizations, Organizations)
        self.sts, self.organizations = sts, organizations
        self._settlers = [each for each in self.services.values() if type(each).settle is not Service.settle]

    def start(self, port: int = 0) -> None:
        """Serve on a loopback port (0: any that is free); what the world is now is what `reset` goes back to."""
        self.remember()
        self._server = Server(self.handle, port)
        self._server.start()

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    @property
    def url(self) -> str:
        assert self._server, "The sandbox has not been started."
        return self._server.url

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def remember(self) -> None:
        """Make what the world is now what `reset` goes back to."""
        with self.world.lock:
            state = {name: value for name, value in vars(self.world).items() if name not in ("lock", "clock")}
            self._memory = pickle.dumps(state)

    def reset(self) -> None:
        """Go back to what was remembered, without faults and latency. Time does not go back."""
        assert self._memory, "Nothing has been remembered: start the sandbox, or call remember, first."
        with self.world.lock:
            vars(self.world).update(pickle.loads(self._memory))  # noqa: S301 (our own bytes)
            self.faults.clear()
            self.latency.clear()
            self.refused.clear()
            self._settle_in()

    def handle(self, request: Request) -> Answer:
        """The answer to an HTTP request.

        Raises:
            Dropped: There is none: the connection is to be closed.
        """
        if request.path.startswith("/_sandbox/"):
            return control.handle(self, request)
        request_id = f"00000000-0000-4000-8000-{next(self._requests):012x}"
        signed = signature(request)
        if signed is None:
            message = "Request is missing Authentication Token"
            return refuse(
                "organizations", Refused("MissingAuthenticationTokenException", message, status=403), request_id
            )
        service = SIGNING_NAMES.get(signed.signing_name, "")
        if service not in self.services:
            return self._pass_on(request, signed, request_id)
        try:
            return self._serve(read(service, request), signed, request_id)
        except Refused as refused:
            return refuse(service, refused, request_id)

    def _pass_on(self, request: Request, signed: Signature, request_id: str) -> Answer:
        try:
            with self.world.lock:
                account = self.sts.identify(signed.access_key, signed.region).account
        except Refused as refused:
            return refuse("organizations", refused, request_id)
        return moto_fallback.answer(request, account, signed.signing_name, request_id)

    def _serve(self, call: Call, signed: Signature, request_id: str) -> Answer:
        caller = Caller(self.world.management_account, signed.region)
        try:
            with self.world.lock:
                self.world.calls[f"{call.service}:{call.operation}"] += 1
                caller = self.sts.identify(signed.access_key, signed.region)
                self._take_turn(call)
                hits = self.faults.hit(caller, call.service, call.operation, call.parameters)
            seconds = self._latency(call) + sum(fault.seconds for fault in hits if fault.kind == "slow")
            if seconds:
                self.world.clock.wait(seconds)
            with self.world.lock:
                self.faults.before(hits, call.service, call.operation)
                self.rates.take(caller, call.service, call.operation)
                self._permit(caller, call)
                answer = write(call, self._perform(caller, call, stale=True), request_id)
            self._record(call, caller, "")
        except Refused as refused:
            self._record(call, caller, refused.code)
            raise
        if any(fault.kind == "lost" for fault in hits):
            raise Dropped
        return answer

    def _permit(self, caller: Caller, call: Call) -> None:
        if not self.world.data.get("iam"):
            return
        named = [value for value in call.parameters.values() if isinstance(value, str)]
        resources = [value for value in named if value.startswith("arn:")]
        if call.service == "organizations":
            resources += filter(None, map(self.organizations.resource_arn, named))
        permissions.check(self.world, caller, self.sts.arn(caller), call.service, call.operation, resources)

    def _latency(self, call: Call) -> float:
        name = f"{call.service}:{call.operation}"
        return next((seconds for pattern, seconds in self.latency.items() if fnmatchcase(name, pattern)), 0.0)

    def _take_turn(self, call: Call) -> None:
        """Organizations has one write under way at a time, in flight or by the rule's seconds."""
        if call.service != "organizations" or call.operation.startswith(READS):
            return
        if not self.world.rule("overlapping-writes"):
            return
        now = self.world.clock.now()
        if now < self._writing:
            message = "The target of the operation is currently being modified by a different request. Try again later."
            raise Refused("ConcurrentModificationException", message)
        self._writing = now + max(self._latency(call), self.world.rules.amount("overlapping-writes"))

    def _perform(self, caller: Caller, call: Call, *, stale: bool = False) -> dict[str, Any]:
        """Carry a call out now; `stale`: a read may see what was a moment ago."""
        for settler in self._settlers:
            settler.settle()
        if not call.operation.startswith(READS):
            self.past.note(caller, call)
        elif stale and (past := self.past.services(call)):
            return self._answer(past, caller, call)
        return self._answer(self.services, caller, call)

    def _answer(self, services: Mapping[str, Service], caller: Caller, call: Call) -> dict[str, Any]:
        service = services[call.service]
        method = getattr(service, xform_name(call.operation), None)
        if method is None:
            raise unknown_operation(call.service, f"{call.operation}: the sandbox does not simulate it")
        described = operation_model(call.service, call.operation)
        service.admit(caller, call.operation)
        check_request(call.service, described.input_shape, call.parameters)
        service.world.serving = f"{call.service}:{call.operation}"
        result: dict[str, Any] = method(caller, call.parameters)
        if described.output_shape and not (self.world.rule("empty-members") or self.world.by_hand):
            result = without_what_is_empty(described.output_shape, result)
        if self.strict and described.output_shape:
            wrong = next(flaws(described.output_shape, result), None)
            assert not wrong, f"The sandbox's {call.service}:{call.operation} answers what AWS never would: {wrong}"
        return result

    def _record(self, call: Call, caller: Caller, error: str) -> None:
        name = f"{call.service}:{call.operation}"
        if error:
            self.refused[f"{name} {error}"] += 1
        entry = {
            "at": self.world.clock.now(),
            "operation": name,
            "account": caller.account,
            "region": caller.region,
            "role": caller.role,
            "error": error,
        }
        if not call.operation.startswith(READS):
            entry["parameters"] = call.parameters
        self.world.log.append(entry)

    def call(
        self,
        service: str,
        operation: str,
        parameters: dict[str, Any] | None = None,
        *,
        account: str | None = None,
        region: str = "us-east-1",
    ) -> dict[str, Any]:
        """Do by hand what any AWS operation does: not counted, without rates, faults and latency, up to date, all pages
        full.

        Raises:
            Refused: As AWS would.
        """
        caller = Caller(account or self.world.management_account, region)
        with self.world.lock:
            self.world.by_hand = True
            try:
                return self._perform(caller, Call(service, operation, dict(parameters or {})))
            finally:
                self.world.by_hand = False


def _services(world: World) -> dict[str, Service]:
    return {service.name: service(world) for service in SERVICES}
