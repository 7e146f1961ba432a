"""The state of a simulated organization, and the time it lives in."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any


class Refused(Exception):
    """AWS's answer to a call it does not accept: error code, message, HTTP status, and modelled fields (``Reason``)."""

    def __init__(self, code: str, message: str = "", *, status: int | None = None, **fields: Any) -> None:
        self.code, self.message, self.status, self.fields = code, message, status, fields
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: from the access key in the request's signature, or from the role session behind it.

    Attributes:
        account: 12 digits.
        region: From the signature's credential scope.
        role: Name of the assumed role; None for the management account's own user.
    """

    account: str
    region: str
    role: str | None = None


class SandboxClock:
    """Seconds since the epoch; real by default, or virtual and then moved by hand (`advance`)."""

    def __init__(self, virtual: bool = False, start: float | None = None) -> None:
        self.virtual = virtual
        self._now = time.time() if start is None else start

    def now(self) -> float:
        return self._now if self.virtual else time.time()

    def datetime(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        self._now += seconds


@dataclass(slots=True)
class Job:
    """Something AWS does later. Nobody runs it: whoever looks asks whether it is due.

    `failure` set: it ends FAILED with that reason.
    """

    id: str
    due: float
    detail: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None
    settled: bool = False
    """Its effect has been carried out (set by the service, once due)."""


@dataclass(slots=True)
class SimAccount:
    """An account; `regions_off` are the Regions it has disabled (opt-in Regions it never enabled)."""

    id: str
    name: str
    email: str
    parent: str
    state: str = "ACTIVE"
    tags: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    regions_off: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    joined: float = 0.0


@dataclass(slots=True)
class SimUnit:
    """An OU, or the root (`parent` None)."""

    id: str
    name: str
    parent: str | None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SimPolicy:
    """A policy; `targets` are the ids it is attached to. AWS's own have `aws_managed`."""

    id: str
    name: str
    type: str
    content: str
    description: str = ""
    aws_managed: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    targets: dict[str, None] = field(default_factory=dict)


class World:
    """One organization. Services read and change it under `lock`; every look-up is a dictionary's.

    Attributes:
        delays: Seconds that asynchronous work takes, by operation name (``CreateAccountAssignment``), with
            ``"*"`` for all others.
        data: Each service's own state, under its botocore name (``world.data["sso-admin"]``).
        calls: Calls served, by ``service:Operation``; `log` the last of them, newest last.
        random: Seeded, so that a run can be repeated.
    """

    def __init__(self, *, clock: SandboxClock | None = None, seed: int = 0) -> None:
        self.clock = clock or SandboxClock()
        self.lock = threading.RLock()
        self.random = Random(seed)
        self.partition = "aws"
        self.organization_id = "o-" + self.token(10)
        self.root_id = "r-" + self.token(4)
        self.management_account = "100000000000"
        self.accounts: dict[str, SimAccount] = {}
        self.units: dict[str, SimUnit] = {self.root_id: SimUnit(self.root_id, "Root", None)}
        self.children: dict[str, dict[str, None]] = {self.root_id: {}}
        """parent id → ids of the OUs and accounts directly in it, in order."""
        self.policies: dict[str, SimPolicy] = {}
        self.attached: dict[str, dict[str, None]] = {}
        """target id → policy ids."""
        self.policy_types: dict[str, tuple[str, float]] = {}
        """type → (what it is becoming: ENABLED or DISABLED, when)."""
        self.trusted_services: dict[str, float] = {}
        self.delegated: dict[str, dict[str, float]] = {}
        """service principal → account id → since."""
        self.delays: dict[str, float] = {"*": 0.0}
        self.data: dict[str, Any] = {}
        self.calls: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=100_000)
        self._sequence = 0

    def token(self, length: int, alphabet: str = "0123456789abcdefghijklmnopqrstuvwxyz") -> str:
        return "".join(self.random.choices(alphabet, k=length))

    def uuid(self) -> str:
        digits = self.token(32, "0123456789abcdef")
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def due(self, operation: str) -> float:
        """When work begun now by `operation` will be done."""
        return self.clock.now() + self.delays.get(operation, self.delays["*"])

    def path(self, id: str) -> str:
        """``o-…/r-…/ou-…/…/`` of a root, OU or account, with its trailing slash."""
        steps: list[str] = []
        at: str | None = id
        while at is not None:
            steps.append(at)
            at = self.accounts[at].parent if at in self.accounts else self.units[at].parent
        return "/".join([self.organization_id, *reversed(steps)]) + "/"


class Service:
    """One AWS service. An operation ``ListAccounts`` is a method ``list_accounts(caller, request) -> response``.

    Requests and responses are dicts with the members of the botocore shapes; datetimes are datetime objects or
    epoch seconds. Raise `Refused` for AWS's errors. Methods are called with `world.lock` held.
    """

    name: str
    """botocore's service name."""

    def __init__(self, world: World) -> None:
        self.world = world


def page(
    items: list[Any], request: dict[str, Any], *, size: int, limit: str = "MaxResults", token: str = "NextToken"
) -> tuple[list[Any], dict[str, str]]:
    """One page of `items`: (the slice, ``{token: …}`` where more is to come).

    Args:
        size: AWS's largest page; a smaller `limit` in the request is honoured.

    Raises:
        Refused: InvalidNextToken… an unknown token (InvalidInputException).
    """
    start_text = request.get(token)
    try:
        start = int(start_text) if start_text else 0
    except ValueError:
        raise Refused("InvalidInputException", "You provided an invalid token.", Reason="INVALID_NEXT_TOKEN") from None
    count = min(size, int(request.get(limit) or size))
    chunk = items[start : start + count]
    return chunk, ({token: str(start + count)} if start + count < len(items) else {})
