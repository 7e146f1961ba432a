"""An organization as far as SCPs and RCPs go: which accounts lie where, and what is attached on the way to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from controller.policy.evaluate import statements
from controller.policy.organization import ALLOW_ALL, Attached, Level

Place: TypeAlias = tuple[str, str]
"""Policy kind, and the target: an OU's path or an account's key."""

NOT_LISTED = "orgctl lists what is on a target only where something changes"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is, or what a plan would make of it.

    Attributes:
        ways: Account → the targets on the way to it, from the root to the account itself. Only accounts that these
            policies bind: ACTIVE ones, without the management account.
        names: Account → what people call it.
        attached: Place → the policies there, as far as they are known.
        policies: (kind, key) → the policy. One that is not here was not looked at.
        listed: Places where all that is attached is known.
        off: Kinds whose policy type is off. When it goes on, everything has FullAWSAccess, and nothing else.
        paths: OU's path → aws:PrincipalOrgPaths of the accounts in it; a new OU's is not known yet.
    """

    ways: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    attached: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    policies: Mapping[tuple[str, str], Attached] = field(default_factory=dict)
    listed: frozenset[Place] = frozenset()
    off: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)

    def level(self, kind: str, target: str) -> Level:
        keys = sorted(self.attached.get((kind, target), ()))
        policies = tuple(self.policies.get((kind, key)) or Attached(kind, key, None, why=NOT_READ) for key in keys)
        if kind in self.off:
            return Level(target, (*policies, Attached(kind, "FullAWSAccess", _ALLOW_ALL)))
        return Level(target, policies, "" if (kind, target) in self.listed else NOT_LISTED)

    def way(self, kind: str, account: str) -> list[Level]:
        """The levels that decide for an account, from the root down."""
        return [self.level(kind, target) for target in self.ways[account]]

    def org_path(self, account: str) -> tuple[str, ...] | None:
        """aws:PrincipalOrgPaths of an account's principals."""
        path = self.paths.get(self.ways[account][-2])
        return None if path is None else (path,)


_ALLOW_ALL = statements(ALLOW_ALL)
NOT_READ = "orgctl reads only what git names, and what an account comes under or loses"
