"""Random commits of one made-up organization, and what each of them means, told without the controller's help."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from controller.catalogue.security_hub import CONTROLS

T = TypeVar("T")

ACCOUNTS = ("audit", "shop", "data", "play")
GROUPS = ("admins", "readers")
ADOPTED = "/Found"
"""Named by every commit."""
UNITS = (ADOPTED, "/A", "/A/X", "/A/X/P", "/A/Y", "/B", "/B/X", "/C")
POLICIES = ("one", "two", "three", "four")
SETS = ("Red", "Green", "Blue")
MANAGED = ("ReadOnlyAccess", "SecurityAudit", "PowerUserAccess", "job-function/Billing")
ACTIONS = ("s3:*", "ec2:*", "iam:*", "kms:*")
STANDARDS = ("cis-aws-foundations-benchmark/v/3.0.0", "nist-800-53/v/5.0.0", "pci-dss/v/4.0.1")
DISABLED = ("IAM.6", "S3.1", "KMS.4")
SERVICES = ("account.amazonaws.com", "config.amazonaws.com", "ram.amazonaws.com")

LIVE = {
    "kind": "SandboxWorld",
    "accounts": {
        **{name: {"email": f"{name}@example.com"} for name in ACCOUNTS},
        "theirs": {"email": "theirs@example.com", "unit": "/Theirs", "tags": {"a": "theirs"}},
    },
    "people": {"users": {"alice": {}}, "groups": {name: ["alice"] for name in GROUPS}},
    "units": {"/Theirs": {"tags": {"a": "theirs"}}, ADOPTED: {"tags": {"a": "0"}}},
    "policies": [
        {
            "name": "theirs",
            "content": {"Version": "2012-10-17", "Statement": []},
            "attached_to": {"units": ["/Theirs"], "accounts": ["shop"]},
        }
    ],
    "permission_sets": {"Theirs": {"managed_policies": ["AdministratorAccess"]}},
    "assignments": [{"group": "admins", "permission_set": "Theirs", "accounts": ["shop", "theirs"]}],
    "delays": {"*": 2},
}
"""The organization before any commit: accounts in the root, an OU to adopt, and things that are nobody's business."""
SEED = json.dumps(LIVE)

Pair = tuple[str, str]


@dataclass(frozen=True)
class Commit:
    """What one commit says.

    Attributes:
        units: Path → tags.
        accounts: Handle → its OU.
        policies: Name → (action it denies, where it is attached).
        sets: Permission set → (its managed policies, its session duration).
        lines: (group, permission set, target).
        hubs: Account → standards; `controls` are off in them.
        formerly: What was called otherwise before: new name or path → old name.
        deleted: Names and paths that git says are gone.
    """

    units: Mapping[str, Mapping[str, str]]
    accounts: Mapping[str, str]
    policies: Mapping[str, tuple[str, frozenset[str]]]
    sets: Mapping[str, tuple[frozenset[str], str]]
    lines: frozenset[tuple[str, str, str]]
    hubs: frozenset[str]
    standards: frozenset[str]
    controls: frozenset[str]
    services: frozenset[str]
    tagged: frozenset[str] = frozenset()
    formerly: Mapping[str, str] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    # As YAML

    @property
    def text(self) -> str:
        return "\n---\n".join(json.dumps(document) for document in self._documents())

    def _documents(self) -> Iterator[dict[str, Any]]:
        yield {
            "kind": "Organization",
            "regions": ["us-east-1"],
            "policy_types": ["service_control"],
            "trusted_services": sorted(self.services),
        }
        yield {"kind": "OrganizationalUnits", "units": self._units("")}
        yield {"kind": "Accounts", "accounts": {name: self._account(name) for name in ACCOUNTS}}
        for name in POLICIES:
            if name in self.policies:
                yield self._policy(name)
            elif name in self.deleted:
                yield {"kind": "ServiceControlPolicy", "name": name, "deleted": True}
        for name in SETS:
            if name in self.sets:
                managed, duration = self.sets[name]
                content = {"managed_policies": sorted(managed), "session_duration": duration, **self._formerly(name)}
                yield {"kind": "PermissionSet", "name": name, **content}
            elif name in self.deleted:
                yield {"kind": "PermissionSet", "name": name, "deleted": True}
        lines = [
            {"group": group, "permission_sets": [name], "targets": _targets([target])}
            for group, name, target in sorted(self.lines)
        ]
        yield {"kind": "Assignments", "assignments": lines}
        if self.hubs:
            yield {
                "kind": "SecurityHub",
                "targets": {"accounts": sorted(self.hubs)},
                "standards": sorted(self.standards),
                "disabled_controls": [{"control": one, "reason": "Ours"} for one in sorted(self.controls)],
            }

    def _units(self, parent: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in UNITS:
            above, _, name = path.rpartition("/")
            if above == parent and (path in self.units or path in self.deleted):
                says = {"deleted": True} if path in self.deleted else {"tags": self.units[path]}
                found[name] = {**says, **self._formerly(path), "units": self._units(path)}
        return found

    def _account(self, name: str) -> dict[str, Any]:
        tags = {"a": "1"} if name in self.tagged else {}
        return {"email": f"{name}@example.com", "unit": self.accounts[name], "tags": tags}

    def _policy(self, name: str) -> dict[str, Any]:
        action, targets = self.policies[name]
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        return {
            "kind": "ServiceControlPolicy",
            "name": name,
            "targets": _targets(targets),
            "content": {"Version": "2012-10-17", "Statement": [statement]},
            **self._formerly(name),
        }

    def _formerly(self, name: str) -> dict[str, str]:
        return {"formerly": self.formerly[name]} if name in self.formerly else {}

    # As what it means

    def below(self, target: str) -> Iterator[str]:
        """The accounts that an OU or an account stands for, but for those that git does not name."""
        for name, unit in self.accounts.items():
            if target == name or (target.startswith("/") and f"{unit}/".startswith(f"{target.rstrip('/')}/")):
                yield name

    def access(self) -> set[tuple[str, str, str]]:
        """(group, permission set, account)."""
        named = {(group, name, account) for group, name, target in self.lines for account in self.below(target)}
        everywhere = {(group, name) for group, name, target in self.lines if target == "/"}
        return named | {(group, name, "theirs") for group, name in everywhere}

    def attachments(self) -> set[Pair]:
        """(policy, target)."""
        return {(name, target) for name, (_, targets) in self.policies.items() for target in targets}

    def reach(self) -> set[Pair]:
        """(policy, account that it holds for)."""
        return {(name, account) for name, target in self.attachments() for account in self.below(target)}

    def disabled(self) -> set[Pair]:
        """(standard, control)."""
        return {(s, c) for s in self.standards for c in self.controls if s in CONTROLS[c].standards}


def _targets(targets: Iterable[str]) -> dict[str, list[str]]:
    every = sorted(targets)
    return {
        "units": [target for target in every if target.startswith("/")],
        "accounts": [target for target in every if not target.startswith("/")],
    }


def commit(random: Random) -> Commit:
    """Any commit at all, with no regard to another."""
    units: list[str] = []
    for path in UNITS:
        parent = path.rpartition("/")[0]
        if path == ADOPTED or ((not parent or parent in units) and random.random() < 0.7):
            units.append(path)
    places = ["/", *units]
    targets = [*places, *ACCOUNTS]
    policies = some(random, POLICIES)
    sets = some(random, SETS)
    lines = {
        (random.choice(GROUPS), name, random.choice(targets)) for name in sets for _ in range(random.randint(0, 3))
    }
    standards = some(random, STANDARDS)
    possible = [one for one in DISABLED if CONTROLS[one].standards & {*standards}]
    return Commit(
        units={path: {key: random.choice("12") for key in some(random, "ab")} for path in units},
        accounts={name: random.choice(places) for name in ACCOUNTS},
        policies={name: (random.choice(ACTIONS), frozenset(some(random, targets, 3))) for name in policies},
        sets={name: (frozenset(some(random, MANAGED)), random.choice(("PT1H", "PT4H"))) for name in sets},
        lines=frozenset(lines),
        hubs=frozenset(some(random, ACCOUNTS)),
        standards=frozenset(standards),
        controls=frozenset(some(random, possible)),
        services=frozenset(["sso.amazonaws.com", *some(random, SERVICES)]),
        tagged=frozenset(some(random, ACCOUNTS)),
    )


def successor(random: Random, before: Commit) -> Commit:
    """Any commit that may come after: some of what is no longer named was renamed, some deleted, some just left out."""
    made = commit(random)
    formerly: dict[str, str] = {}
    deleted: set[str] = set()
    for old, new in ((before.policies, made.policies), (before.sets, made.sets)):
        left = _rename(random, [name for name in old if name not in new], [*new.keys() - old.keys()], formerly)
        deleted |= {name for name in left if random.random() < 0.5}
    empty = [path for path in before.units if not any(other.startswith(f"{path}/") for other in before.units)]
    for parent in ("", *made.units):
        left = [path for path in empty if path not in made.units and path.rpartition("/")[0] == parent]
        came = [path for path in made.units if path not in before.units and path.rpartition("/")[0] == parent]
        _rename(random, left, came, formerly)
    for path in before.units:
        parent = path.rpartition("/")[0]
        gone = path not in made.units and path.rpartition("/")[2] not in _renamed_in(parent, formerly)
        if gone and (parent in deleted or ((not parent or parent in made.units) and random.random() < 0.5)):
            deleted.add(path)
    return Commit(**{**vars(made), "formerly": formerly, "deleted": frozenset(deleted)})


def _rename(random: Random, left: list[str], came: list[str], formerly: dict[str, str]) -> list[str]:
    """Make some of what came renamings of what left. Returns what else left."""
    came = sorted(came)
    while left and came and random.random() < 0.5:
        formerly[came.pop()] = left.pop().rpartition("/")[2]
    return left


def _renamed_in(parent: str, formerly: Mapping[str, str]) -> set[str]:
    return {old for new, old in formerly.items() if new.startswith("/") and new.rpartition("/")[0] == parent}


def some(random: Random, of: Iterable[T], most: int | None = None) -> list[T]:
    """Any of them, in their order."""
    every = list(of)
    chosen = random.sample(range(len(every)), random.randint(0, min(len(every), most or len(every))))
    return [every[index] for index in sorted(chosen)]
