"""What Identity Center knows: permission sets, assignments, what is provisioned, and what is under way."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from controller.sandbox.directory import directory
from controller.sandbox.world import Job, World

CREATION, DELETION, PROVISIONING = "creation", "deletion", "provisioning"
OPERATIONS = {
    CREATION: "CreateAccountAssignment",
    DELETION: "DeleteAccountAssignment",
    PROVISIONING: "ProvisionPermissionSet",
}


@dataclass(frozen=True, slots=True)
class Rights:
    """All of a permission set that reaches an account: what its role there is made from."""

    description: str | None
    session_duration: str
    relay_state: str | None
    inline: str
    managed: tuple[str, ...]
    customer: tuple[tuple[str, str], ...]
    boundary: str


@dataclass(slots=True)
class PermissionSet:
    """A permission set as last edited; `provisioned`: account id → what it was when it last reached that account."""

    arn: str
    name: str
    created: float
    description: str | None = None
    session_duration: str = "PT1H"
    relay_state: str | None = None
    inline: str = ""
    managed: dict[str, None] = field(default_factory=dict)
    """ARNs of AWS-managed policies."""
    customer: dict[tuple[str, str], None] = field(default_factory=dict)
    """(name, path) of customer-managed policies."""
    boundary: dict[str, Any] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    provisioned: dict[str, Rights] = field(default_factory=dict)
    written: float = 0.0
    """When it was last written: AWS needs a moment to spread that."""

    def rights(self) -> Rights:
        return Rights(
            self.description,
            self.session_duration,
            self.relay_state,
            self.inline,
            tuple(sorted(self.managed)),
            tuple(sorted(self.customer)),
            repr(self.boundary),
        )


class Assignment(NamedTuple):
    """One principal's permission set in one account. `principal_type`: USER or GROUP."""

    account: str
    permission_set: str
    principal_type: str
    principal: str


@dataclass(slots=True)
class Access:
    """The organization's one instance."""

    id: str
    owner: str
    created: float
    permission_sets: dict[str, PermissionSet] = field(default_factory=dict)
    arns: dict[str, str] = field(default_factory=dict)
    """permission set name → ARN."""
    by_place: dict[tuple[str, str], dict[Assignment, None]] = field(default_factory=dict)
    """(account, permission set) → assignments."""
    by_principal: dict[tuple[str, str], dict[Assignment, None]] = field(default_factory=dict)
    """(principal type, principal) → assignments."""
    jobs: dict[str, dict[str, Job]] = field(default_factory=lambda: {kind: {} for kind in OPERATIONS})
    """kind of work → request id → what became of it."""
    queue: list[tuple[float, int, str, str]] = field(default_factory=list)
    """What is under way, as a heap: (due, order, kind of work, request id)."""
    outstanding: Counter[str] = field(default_factory=Counter)
    """kind of work → how much is under way."""
    touched: dict[Assignment, str] = field(default_factory=dict)
    """assignments with work under way → the kind of work."""
    busy: dict[str, float] = field(default_factory=dict)
    """account → until when a role in it is being written: AWS writes one at a time per account."""

    def instance_arn(self, partition: str) -> str:
        return f"arn:{partition}:sso:::instance/{self.id}"

    def add(self, world: World, name: str, **attributes: Any) -> PermissionSet:
        """A new permission set."""
        arn = f"arn:{world.partition}:sso:::permissionSet/{self.id}/ps-{world.token(16, '0123456789abcdef')}"
        made = PermissionSet(arn, name, world.clock.now(), **attributes)
        self.permission_sets[arn] = made
        self.arns[name] = arn
        return made

    def assign(self, assignment: Assignment) -> None:
        """Give access; the first assignment of a permission set in an account provisions it there."""
        self.by_place.setdefault(assignment[:2], {})[assignment] = None
        self.by_principal.setdefault(assignment[2:], {})[assignment] = None
        permission_set = self.permission_sets[assignment.permission_set]
        if assignment.account not in permission_set.provisioned:
            permission_set.provisioned[assignment.account] = permission_set.rights()

    def revoke(self, assignment: Assignment) -> None:
        """Take access away; with the last assignment the permission set leaves the account."""
        place = self.by_place.get(assignment[:2], {})
        if assignment not in place:
            return
        del place[assignment], self.by_principal[assignment[2:]][assignment]
        if not place:
            del self.by_place[assignment[:2]]
            self.permission_sets[assignment.permission_set].provisioned.pop(assignment.account, None)

    def assignments(self) -> Iterator[Assignment]:
        for place in self.by_place.values():
            yield from place

    def begin(
        self, world: World, kind: str, detail: dict[str, Any], *, accounts: tuple[str, ...], failure: str | None
    ) -> Job:
        """Begin work that ends later; one account's role is written by one piece of work at a time."""
        now = world.clock.now()
        delay = world.due(OPERATIONS[kind]) - now
        in_turn = accounts if world.rule("role-updates-in-turn") else ()
        due = max([now, *(self.busy.get(account, now) for account in in_turn)]) + delay
        self.busy.update(dict.fromkeys(accounts, due))
        job = Job(world.uuid(), due, {**detail, "CreatedDate": now}, failure or world.failure(OPERATIONS[kind]))
        self.jobs[kind][job.id] = job
        heapq.heappush(self.queue, (due, len(self.jobs[kind]), kind, job.id))
        self.outstanding[kind] += 1
        return job

    def settle(self, now: float) -> None:
        """Carry out the effects of all work that is due."""
        while self.queue and self.queue[0][0] <= now:
            _, _, kind, id = heapq.heappop(self.queue)
            self.outstanding[kind] -= 1
            job = self.jobs[kind][id]
            job.settled = True
            assignment: Assignment | None = job.detail.get("assignment")
            if assignment is not None:
                self.touched.pop(assignment, None)
            if job.failure is not None:
                continue
            if kind == CREATION and assignment is not None:
                self.assign(assignment)
            elif kind == DELETION and assignment is not None:
                self.revoke(assignment)
            else:
                provisioned = job.detail["permission_set"].provisioned
                provisioned.update({id: rights for id, rights in job.detail["rights"].items() if id in provisioned})


def access(world: World) -> Access:
    """The world's Identity Center, settled up to now; made when it is first asked for."""
    found: Access | None = world.data.get("sso-admin")
    if found is None:
        id = "ssoins-" + world.token(16, "0123456789abcdef")
        found = world.data["sso-admin"] = Access(id, world.management_account, world.clock.now())
    found.settle(world.clock.now())
    return found


def home_region(world: World) -> str:
    """The Region of the instance and its identity store."""
    return directory(world).region
