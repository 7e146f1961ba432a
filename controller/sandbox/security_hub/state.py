"""What Security Hub knows: a hub holds only what differs from the catalogue, so that tens of thousands fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from controller.catalogue.security_hub import (
    CONTROLS,
    STANDARDS,
    Control,
    control_ids,
    controls,
    is_service_managed,
    standard_arn,
)
from controller.sandbox.world import World

CONTROL_TOWER = "service-managed-aws-control-tower/v/1.0.0"
"""Offered everywhere; only AWS Control Tower may turn it on (Security Hub User Guide, "Service-managed standard")."""
SELF_MANAGED = "SELF_MANAGED_SECURITY_HUB"

Place = tuple[str, str]
"""(account id, Region)."""


@dataclass(slots=True)
class Subscription:
    """One standard that is on.

    Attributes:
        ready: When it has its controls.
        incomplete: AWS's code for why it will never be READY, "" otherwise.
        gone: When it is off again, while it is going.
        stays: AWS will not manage to turn it off: then it is FAILED.
        failed: It is.
    """

    since: float
    ready: float
    incomplete: str = ""
    gone: float | None = None
    stays: bool = False
    failed: bool = False

    def is_on(self, now: float) -> bool:
        """Whether it is on, coming on, or not off yet."""
        return self.gone is None or self.gone > now or self.stays


class Disabled(NamedTuple):
    """Why a control is off in a standard, and since when."""

    reason: str
    at: float


@dataclass(slots=True)
class Hub:
    """Security Hub in one account and Region. A control with no entry in `disabled` is on wherever its standard is."""

    since: float
    tags: dict[str, str] = field(default_factory=dict)
    auto_enable_controls: bool = True
    generator: str = "SECURITY_CONTROL"
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    """standard in short form → subscription."""
    disabled: dict[tuple[str, str], Disabled] = field(default_factory=dict)
    """(standard in short form, control) → why."""

    def enable(
        self, standard: str, since: float, ready: float, *, controls: bool = True, incomplete: str = ""
    ) -> Subscription:
        """Turn a standard on. `controls`: with all of its controls: AWS does not remember which were off."""
        self.forget(standard, controls=controls)
        made = self.subscriptions[standard] = Subscription(since, ready, incomplete)
        return made

    def settle(self, now: float, *, controls: bool = True) -> None:
        """Drop the standards whose turning off is done; where that failed, they are on as they were."""
        for standard, one in list(self.subscriptions.items()):
            if one.gone is None or one.gone > now:
                continue
            if one.stays:
                one.gone, one.stays, one.failed = None, False, True
            else:
                self.forget(standard, controls=controls)

    def forget(self, standard: str, *, controls: bool = True) -> None:
        """A standard is off; `controls`: and nobody remembers which of its controls were."""
        self.subscriptions.pop(standard, None)
        for key in [key for key in self.disabled if controls and key[0] == standard]:
            del self.disabled[key]


@dataclass(slots=True)
class Configuration:
    """One Region's organization configuration; `settled`: when a change of type is through, or has `failed`."""

    auto_enable: bool = False
    auto_enable_standards: str = "NONE"
    type: str = "LOCAL"
    settled: float = 0.0
    failed: bool = False


@dataclass(slots=True)
class ConfigurationPolicy:
    """What central configuration makes of hubs: `document` is the API's ConfigurationPolicy."""

    id: str
    name: str
    description: str
    document: dict[str, Any]
    created: float
    updated: float


@dataclass(slots=True)
class Association:
    """Of a configuration policy with a target; `due`: when it is through, or has failed with `failure`."""

    since: float
    due: float
    failure: str | None = None


@dataclass(slots=True)
class Hubs:
    """Every hub, and what holds for the organization.

    Attributes:
        no_recorder: Places without an AWS Config recorder: their standards end INCOMPLETE.
        missing_standards, missing_controls: Region → what it lacks.
        administrators: Region → the delegated administrator.
        linked: Regions that the aggregator gathers from, its home first; empty: there is no aggregator.
        linking: How it was told so: its RegionLinkingMode and Regions.
        policies: Under central configuration: root, OU or account id → configuration policy (or SELF_MANAGED).
        associations: Target → how far its own association is; without one it is through.
        configuration_policies: By id.
        by_organization_policy: An Organizations policy of type SECURITYHUB_CSPM governs everything instead.
    """

    hubs: dict[Place, Hub] = field(default_factory=dict)
    no_recorder: set[Place] = field(default_factory=set)
    missing_standards: dict[str, set[str]] = field(default_factory=dict)
    missing_controls: dict[str, set[str]] = field(default_factory=dict)
    administrators: dict[str, str] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=dict)
    linked: tuple[str, ...] = ()
    linking: tuple[str, tuple[str, ...]] = ("NO_REGIONS", ())
    policies: dict[str, str] = field(default_factory=dict)
    associations: dict[str, Association] = field(default_factory=dict)
    configuration_policies: dict[str, ConfigurationPolicy] = field(default_factory=dict)
    by_organization_policy: bool = False

    def standards(self, region: str) -> Iterator[str]:
        """The standards a Region offers, in short form."""
        missing = self.missing_standards.get(region, ())
        yield from (name for name in (*STANDARDS, CONTROL_TOWER) if name not in missing)

    def controls(self, region: str, standard: str) -> Iterable[Control]:
        """The controls a standard has in a Region."""
        missing = self.missing_controls.get(region, ())
        return [control for control in controls_of(standard) if control.id not in missing]

    def has(self, region: str, standard: str, control: str) -> bool:
        """Whether a standard has a control in a Region."""
        return control in control_ids_of(standard) and control not in self.missing_controls.get(region, ())

    def policy_of(self, world: World, account: str, region: str) -> str | None:
        """The configuration policy that governs an account × Region: None where none does, or it governs itself."""
        if self.by_organization_policy:
            return None if account == world.management_account else "SECURITYHUB_CSPM"
        home = self.linked[0] if self.linked else None
        if home is None or region not in self.linked:
            return None
        configuration = self.configurations.get(home, _LOCAL)
        if configuration.type != "CENTRAL" or configuration.failed:
            return None
        for target in reversed(world.path(account).rstrip("/").split("/")[1:]):
            if target in self.policies:
                return self.policies[target] if self.policies[target] != SELF_MANAGED else None
        return None


_LOCAL = Configuration()


def controls_of(standard: str) -> tuple[Control, ...]:
    """A standard's controls; Control Tower's standard stands in with the one control that is in no other."""
    return (CONTROLS["EC2.22"],) if is_service_managed(standard) else controls(standard)


def control_ids_of(standard: str) -> frozenset[str]:
    return frozenset({"EC2.22"}) if is_service_managed(standard) else control_ids(standard)


def title_of(standard: str) -> str:
    return STANDARDS[standard].title if standard in STANDARDS else "Service-Managed Standard: AWS Control Tower"


def hubs(world: World) -> Hubs:
    """The world's hubs, made when they are first asked for."""
    found: Hubs | None = world.data.get("securityhub")
    if found is None:
        found = world.data["securityhub"] = Hubs()
    return found


def arn_of(world: World, place: Place, rest: str) -> str:
    """``arn:aws:securityhub:<region>:<account>:<rest>``."""
    account, region = place
    return f"arn:{world.partition}:securityhub:{region}:{account}:{rest}"


def standard_arns(world: World, state: Hubs, region: str) -> dict[str, str]:
    """ARN → short form of every standard that a Region offers."""
    return {standard_arn(world.partition, region, name): name for name in state.standards(region)}
