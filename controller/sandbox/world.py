"""The state of a simulated organization, and the time it lives in."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import Any

from controller.sandbox.rules import ALL, USUAL_DELAYS, Rules


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
        role: Name of the assumed role; None for an account's own credentials.
        session: The role session's name.
    """

    account: str
    region: str
    role: str | None = None
    session: str = ""


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

    def wait(self, seconds: float) -> None:
        """Let time pass: really, or by moving the hands."""
        if self.virtual:
            self.advance(seconds)
        else:
            time.sleep(seconds)


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
    invited: bool = False
    """It joined by a handshake, and was not created here; so did the management account."""


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


DEFAULT_POLICIES = {
    "p-FullAWSAccess": ("FullAWSAccess", "SERVICE_CONTROL_POLICY"),
    "p-RCPFullAWSAccess": ("RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY"),
}
"""AWS's own policies: on every root, OU and account from when their type is enabled."""

ALLOW_ALL = {
    "SERVICE_CONTROL_POLICY": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    "RESOURCE_CONTROL_POLICY": (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
    ),
}
ALLOW_ALL_MEANS = {
    "SERVICE_CONTROL_POLICY": "Allows access to every operation",
    "RESOURCE_CONTROL_POLICY": "Allows access to all resources",
}


class World:
    """One organization, new as CreateOrganization leaves it: a root, a management account, SCPs on.

    Services read and change it under `lock`; every look-up is a dictionary's.

    Attributes:
        rules: What holds, of all that AWS does (see `rules`); asked through `rule`.
        serving: The ``service:Operation`` that is being answered; `by_hand`: to somebody who wants it plain.
        delays: Seconds that asynchronous work takes, by operation name (``CreateAccountAssignment``), with
            ``"*"`` for all others.
        failures: Reasons with which the next asynchronous jobs will end FAILED, by operation name (see `failure`).
        data: Each service's own state, under its botocore name (``world.data["sso-admin"]``).
        calls: Calls served, by ``service:Operation``; `log` the last of them, newest last.
        random: Seeded, so that a run can be repeated.
    """

    def __init__(
        self, *, clock: SandboxClock | None = None, seed: int = 0, management_account: str = "100000000000"
    ) -> None:
        self.clock = clock or SandboxClock()
        self.lock = threading.RLock()
        self.seed = seed
        self.random = Random(seed)
        self.rules = Rules()
        self.serving = ""
        self.by_hand = False
        self.partition = "aws"
        self.organization_id = "o-" + self.token(10)
        self.root_id = "r-" + self.token(4)
        self.management_account = management_account
        self.accounts: dict[str, SimAccount] = {}
        self.strangers: set[str] = set()
        """Ids of accounts outside that can call: those invited, and those that have left."""
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
        self.delays: dict[str, float] = {}
        self.failures: dict[str, list[str]] = {}
        self.jobs = 0
        """Asynchronous jobs begun so far."""
        self.data: dict[str, Any] = {}
        self.calls: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=100_000)
        self.emails: dict[str, str] = {}
        """lower-case email → account id; closed accounts keep theirs."""
        self._found()

    def _found(self) -> None:
        for id, (name, type) in DEFAULT_POLICIES.items():
            self.policies[id] = SimPolicy(id, name, type, ALLOW_ALL[type], ALLOW_ALL_MEANS[type], aws_managed=True)
        self.attached[self.root_id] = {}
        self.add_account("management", "management@example.com", self.root_id, id=self.management_account, invited=True)
        self.policy_types["SERVICE_CONTROL_POLICY"] = ("ENABLED", self.clock.now())
        self.attach_default("SERVICE_CONTROL_POLICY")

    def add_unit(self, name: str, parent: str, *, id: str | None = None, tags: dict[str, str] | None = None) -> SimUnit:
        """A new OU with the attachments that AWS gives it; nothing is checked."""
        unit = SimUnit(id or f"ou-{self.root_id[2:]}-{self.token(8)}", name, parent, dict(tags or {}))
        self.units[unit.id] = unit
        self.children[unit.id] = {}
        self._add_child(unit.id, parent)
        return unit

    def add_account(
        self, name: str, email: str, parent: str, *, id: str | None = None, roles: set[str] | None = None, **more: Any
    ) -> SimAccount:
        """A new account with AWS's default attachments; nothing is checked. `more`: SimAccount's other fields."""
        more.setdefault("joined", self.clock.now())
        account = SimAccount(id or self.new_account_id(), name, email, parent, roles=set(roles or ()), **more)
        self.accounts[account.id] = account
        self.emails[email.lower()] = account.id
        self._add_child(account.id, parent)
        return account

    def new_account_id(self) -> str:
        while True:
            id = "1" + self.token(11, "0123456789")
            if id not in self.accounts:
                return id

    def _add_child(self, id: str, parent: str) -> None:
        self.children[parent][id] = None
        self.attached[id] = {}
        for policy in DEFAULT_POLICIES:
            if self.policy_type_status(self.policies[policy].type):
                self.attach(policy, id)

    def move(self, id: str, parent: str) -> None:
        """Put an account elsewhere in the tree."""
        account = self.accounts[id]
        del self.children[account.parent][id]
        self.children[parent][id] = None
        account.parent = parent

    def remove(self, id: str) -> None:
        """Take an OU or an account out of the organization, with its attachments."""
        gone = self.accounts.pop(id, None) or self.units.pop(id)
        self.children.pop(id, None)
        if gone.parent is not None:
            del self.children[gone.parent][id]
        for policy in self.attached.pop(id):
            del self.policies[policy].targets[id]
        if isinstance(gone, SimAccount):
            if self.emails.get(gone.email.lower()) == id:
                del self.emails[gone.email.lower()]
            for administrators in self.delegated.values():
                administrators.pop(id, None)

    def add_policy(self, name: str, type: str, content: str, description: str = "", **more: Any) -> SimPolicy:
        """A new policy, attached to nothing; nothing is checked. `more`: SimPolicy's other fields."""
        policy = SimPolicy(more.pop("id", None) or "p-" + self.token(10), name, type, content, description, **more)
        self.policies[policy.id] = policy
        return policy

    def attach(self, policy: str, target: str) -> None:
        self.attached[target][policy] = None
        self.policies[policy].targets[target] = None

    def detach(self, policy: str, target: str) -> None:
        del self.attached[target][policy]
        del self.policies[policy].targets[target]

    def attach_default(self, type: str) -> None:
        """What enabling a policy type does: AWS's own policy of that type, where it has one, goes on everything."""
        for policy, (_, its_type) in DEFAULT_POLICIES.items():
            if its_type == type:
                for target in [*self.units, *self.accounts]:
                    self.attach(policy, target)

    def policy_type_status(self, type: str) -> str | None:
        """ENABLED, PENDING_ENABLE, PENDING_DISABLE; None: not enabled."""
        becoming, when = self.policy_types.get(type, ("DISABLED", 0.0))
        settled = when <= self.clock.now()
        if becoming == "ENABLED":
            return "ENABLED" if settled else "PENDING_ENABLE"
        return None if settled else "PENDING_DISABLE"

    def token(self, length: int, alphabet: str = "0123456789abcdefghijklmnopqrstuvwxyz") -> str:
        return "".join(self.random.choices(alphabet, k=length))

    def uuid(self) -> str:
        digits = self.token(32, "0123456789abcdef")
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def rule(self, name: str) -> bool:
        """Whether a rule holds."""
        return self.rules.holds[name]

    def chance(self, *what: object) -> float:
        """From 0 up to 1: always the same for the same `what` and seed, whatever else happens, in whatever order."""
        digest = blake2b(repr((self.seed, *what)).encode(), digest_size=7).digest()
        return int.from_bytes(digest, "big") / 2**56

    def due(self, operation: str) -> float:
        """When work begun now by `operation` will be done."""
        usual = USUAL_DELAYS.get(operation, USUAL_DELAYS[ALL]) * self.rules.amount("delays")
        return self.clock.now() + self.delays.get(operation, self.delays.get(ALL, usual))

    def failure(self, operation: str, reason: str = "Internal failure. Try again.") -> str | None:
        """Why a job begun now by `operation` will end FAILED; None: it will succeed.

        Args:
            reason: What it is where nobody has asked for another.
        """
        if reasons := self.failures.get(operation):
            return reasons.pop(0)
        odds = self.rules.amount("jobs-fail")
        self.jobs += 1
        return reason if odds and self.chance("jobs-fail", operation, self.jobs) < odds else None

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

    def admit(self, caller: Caller, operation: str) -> None:
        """Raise `Refused` where `caller` may not call `operation`, whatever it asks. Called before the method."""

    def settle(self) -> None:
        """Carry out what has become due. Called before every call to any service: it must be cheap when nothing is."""
