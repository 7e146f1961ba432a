"""What holds at every moment on the way from one commit to the next, and what is so in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.sandbox.identity_center.state import access
from controller.sandbox.security_hub.state import hubs
from controller.sandbox.wire import Call
from controller.sandbox.world import World
from tests.hardening.commits import Commit, Pair
from tests.hardening.picture import Fact, Names, picture, standards_of

THEIRS = {"theirs", "/Theirs", "Theirs"}
SCP = "SERVICE_CONTROL_POLICY"


@dataclass
class Laws:
    """Watches every write between two commits, and says what it breaks.

    Attributes:
        before, after: The commits; before the first one, nothing is managed.
        broken: What was broken, in order.
    """

    world: World
    before: Commit
    after: Commit
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.untouched = theirs(self.world)
        self.first = assigned(self.world)
        both = self.after.attachments() & {self._renamed(pair) for pair in self.before.attachments()}
        self.kept = both
        self.held = self.after.reach() & {(self._name(policy), account) for policy, account in self.before.reach()}
        self.seen_attached: set[Pair] = set()
        self.seen_held: set[Pair] = set()

    def watch(self, when: str, call: Call) -> None:
        if when == "after":
            self.broken += [f"{broken}, by {call.operation} {call.parameters}" for broken in self.check()]

    def watch_access(self, when: str, call: Call) -> None:
        """Where two fight, what both commits want on need not stay on."""
        if when == "after":
            self.broken += [f"{broken}, by {call.operation} {call.parameters}" for broken in self._access()]

    def check(self) -> Iterator[str]:
        """What is wrong right now."""
        for target, on in self.world.attached.items():
            if not any(self.world.policies[policy].type == SCP for policy in on):
                yield f"{Names(self.world).get(target)} has no service control policy"
        if theirs(self.world) != self.untouched:
            yield f"what is nobody's business was touched: {theirs(self.world)}"
        yield from self._access()
        yield from self._protection()

    def _access(self) -> Iterator[str]:
        if beyond := assigned(self.world) - self.before.access() - self.after.access() - self.first:
            yield f"access that no commit grants: {sorted(beyond)}"
        for name, managed in provisioned(self.world):
            granted = {policy for commit in (self.before, self.after) for policy in commit.sets.get(name, [()])[0]}
            if name not in THEIRS and not managed <= granted:
                yield f"{name} allows what no commit grants: {sorted(managed - granted)}"

    def _protection(self) -> Iterator[str]:
        """What both commits want on stays on, once it is on."""
        attached = {self._renamed(pair) for pair in attachments(self.world)}
        self.seen_attached |= attached & self.kept
        if lost := self.seen_attached - attached:
            yield f"taken off, though both commits want it on: {sorted(lost)}"
        held = {(self._name(policy), account) for policy, account in reach(self.world)}
        self.seen_held |= held & self.held
        if lost := self.seen_held - held:
            yield f"no longer held, though both commits want it to be: {sorted(lost)}"

    def _renamed(self, pair: Pair) -> Pair:
        """As the later commit calls it."""
        return self._name(pair[0]), self._path(pair[1])

    def _name(self, old: str) -> str:
        return next((new for new, was in self.after.formerly.items() if was == old and not new.startswith("/")), old)

    def _path(self, old: str) -> str:
        parent, _, name = old.rpartition("/")
        renames = ((new, was) for new, was in self.after.formerly.items() if new.startswith("/"))
        return next((new for new, was in renames if new.rpartition("/")[0] == parent and was == name), old)


def theirs(world: World) -> list[Fact]:
    """All that is nobody's business."""
    kinds = ("unit", "account", "policy", "attached", "permission set", "provisioned", "assigned")
    found = [fact for fact in picture(world) if fact[0] in kinds and THEIRS & {*map(str, fact[1:4])}]
    names = {"account": 1, "unit": 1, "policy": 1, "attached": 1, "permission set": 1, "provisioned": 1, "assigned": 2}
    return [fact for fact in found if fact[names[fact[0]]] in THEIRS]


def assigned(world: World) -> set[tuple[str, str, str]]:
    names = Names(world)
    return {
        (names.get(one.principal).partition(":")[2], names[one.permission_set], names[one.account])
        for one in access(world).assignments()
    }


def provisioned(world: World) -> Iterator[tuple[str, set[str]]]:
    for found in access(world).permission_sets.values():
        for rights in [*found.provisioned.values(), found.rights()]:
            yield found.name, {arn.removeprefix("arn:aws:iam::aws:policy/") for arn in rights.managed}


def attachments(world: World) -> Iterator[Pair]:
    names = Names(world)
    for policy in world.policies.values():
        for target in policy.targets:
            yield policy.name, names[target]


def reach(world: World) -> Iterator[Pair]:
    for account in world.accounts.values():
        at: str | None = account.id
        while at is not None:
            for policy in world.attached[at]:
                yield world.policies[policy].name, account.name
            at = world.accounts[at].parent if at in world.accounts else world.units[at].parent


def missing(world: World, commit: Commit) -> list[str]:
    """What is not as a commit says, of all that it names. For when nothing is under way any more."""
    names, state = Names(world), access(world)
    units = {names[unit.id]: unit.tags for unit in world.units.values()}
    accounts = {account.name: account for account in world.accounts.values()}
    sets = {found.name: found for found in state.permission_sets.values()}
    policies = {policy.name: policy for policy in world.policies.values()}
    wrong = [f"unit {path}" for path, tags in commit.units.items() if not same(units.get(path), tags)]
    for name, unit in commit.accounts.items():
        if names[accounts[name].parent] != unit:
            wrong.append(f"account {name} in {names[accounts[name].parent]}, not {unit}")
        if accounts[name].tags != ({"a": "1"} if name in commit.tagged else {}):
            wrong.append(f"tags of account {name}")
    for name, (action, targets) in commit.policies.items():
        if name not in policies or f'"{action}"' not in policies[name].content:
            wrong.append(f"policy {name}")
        elif (on := {names[target] for target in policies[name].targets}) != targets:
            wrong.append(f"policy {name} on {sorted(on)}, not {sorted(targets)}")
    for name, (managed, duration) in commit.sets.items():
        if name not in sets or sets[name].session_duration != duration:
            wrong.append(f"permission set {name}")
            continue
        every = [sets[name].rights(), *sets[name].provisioned.values()]
        if any({arn.removeprefix("arn:aws:iam::aws:policy/") for arn in one.managed} != managed for one in every):
            wrong.append(f"policies of permission set {name}")
    granted = {one for one in assigned(world) if one[1] in commit.sets}
    if granted != commit.access():
        wrong.append(f"access {sorted(granted ^ commit.access())}")
    wrong += [f"{name} is still there" for name in commit.deleted if name in {*units, *sets, *policies}]
    wrong += [f"{service} is not trusted" for service in commit.services if service not in world.trusted_services]
    return [*wrong, *_hubs(world, commit)]


def _hubs(world: World, commit: Commit) -> Iterator[str]:
    ids = {account.name: account.id for account in world.accounts.values()}
    for name in commit.hubs:
        hub = hubs(world).hubs.get((ids[name], "us-east-1"))
        on = set() if hub is None else standards_of(hub, world)
        off = set() if hub is None else {key for key in hub.disabled if key[0] in on}
        if hub is None or on != commit.standards or off != commit.disabled():
            yield f"hub of {name}"


def same(tags: Mapping[str, str] | None, wanted: Mapping[str, str]) -> bool:
    return tags is not None and {k: v for k, v in tags.items() if not k.startswith("orgctl:")} == wanted
