"""Security Hub's central configuration: where it governs, accounts may not configure themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.aws.api import Reader
from controller.desired.paths import ancestors
from controller.errors import AwsError
from controller.resources.account import Account
from controller.resources.base import Live
from controller.resources.organizational_unit import ROOT, OrganizationalUnit

SERVICE = "securityhub.amazonaws.com"
READS = frozenset(
    {
        "securityhub:DescribeOrganizationConfiguration",
        "securityhub:GetFindingAggregator",
        "securityhub:ListConfigurationPolicyAssociations",
        "securityhub:ListFindingAggregators",
    }
)
_SELF_MANAGED = "SELF_MANAGED_SECURITY_HUB"


@dataclass(frozen=True, slots=True)
class Central:
    """How far central configuration reaches.

    Attributes:
        by_policy: An Organizations policy of type SECURITYHUB_CSPM governs instead; the organization's configuration
            then reads DISABLED (Security Hub API reference, OrganizationConfiguration).
        regions: The home Region and those linked to it; None: all but `unlinked`.
        policies: Root, OU or account id → id of the configuration policy it is associated with.
        unknown: Why nobody can tell, or "".
    """

    by_policy: bool = False
    regions: frozenset[str] | None = frozenset()
    unlinked: frozenset[str] = frozenset()
    policies: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""

    def governs(self, account: Account, region: str, live: Live) -> str | None:
        """Why an account × Region cannot be configured by itself, or None."""
        if self.by_policy:
            return (
                "Security Hub is configured here by an Organizations policy (SECURITYHUB_CSPM); leave it out of the "
                "targets, or detach that policy"
            )
        if region in self.unlinked or (self.regions is not None and region not in self.regions):
            return None
        policy = next((self.policies[id] for id in _upwards(account, live) if id in self.policies), _SELF_MANAGED)
        if policy == _SELF_MANAGED:
            return None
        return (
            f"Security Hub's central configuration governs it (policy {policy}); leave it out of the targets, or make "
            "the account self-managed there"
        )


def central_configuration(aws: Reader, live: Live, regions: Iterable[str]) -> Central:
    """Asked of Security Hub's delegated administrator, in the first of `regions` where its hub is on.

    Where it cannot be asked, nothing is lost: AWS refuses to let a governed account configure itself.
    """
    administrators = live.observed.get("delegated_administrator")
    keys = administrators.resources if administrators else ()
    admin = next((key.split("/")[0] for key in sorted(keys) if key.endswith(f"/{SERVICE}")), None)
    if admin is None:
        return Central()
    try:
        return _asked(aws, admin, regions)
    except AwsError as error:
        return Central(unknown=f"whether Security Hub is centrally configured cannot be told: {error}")


def _asked(aws: Reader, admin: str, regions: Iterable[str]) -> Central:
    for region in regions:
        found = aws.find(
            "securityhub:ListFindingAggregators", absent="InvalidAccessException", account=admin, region=region
        )
        if found is None:
            continue
        aggregators = [one["FindingAggregatorArn"] for one in found.get("FindingAggregators", ())]
        # arn:aws:securityhub:<home Region>:…: the administrator configures from there alone.
        home = aggregators[0].split(":")[3] if aggregators else region
        answer = aws.get("securityhub:DescribeOrganizationConfiguration", account=admin, region=home)
        configuration = answer.get("OrganizationConfiguration", {})
        if configuration.get("Status") == "DISABLED":
            return Central(by_policy=True)
        if configuration.get("ConfigurationType") != "CENTRAL":
            return Central()
        associations = aws.items(
            "securityhub:ListConfigurationPolicyAssociations",
            "ConfigurationPolicyAssociationSummaries",
            account=admin,
            region=home,
        )
        policies = {one["TargetId"]: one["ConfigurationPolicyId"] for one in associations}
        linking = _linking(aws, admin, home, aggregators)
        named = frozenset(linking.get("Regions", ()))
        if linking["RegionLinkingMode"] == "ALL_REGIONS":
            return Central(regions=None, policies=policies)
        if linking["RegionLinkingMode"] == "ALL_REGIONS_EXCEPT_SPECIFIED":
            return Central(regions=None, unlinked=named, policies=policies)
        return Central(regions=named | {home}, policies=policies)
    return Central()


def _linking(aws: Reader, admin: str, home: str, aggregators: list[str]) -> dict[str, Any]:
    if not aggregators:
        return {"RegionLinkingMode": "NO_REGIONS"}
    return aws.get("securityhub:GetFindingAggregator", account=admin, region=home, FindingAggregatorArn=aggregators[0])


def _upwards(account: Account, live: Live) -> Iterable[str]:
    """Ids from the account up to the root: the nearest association counts."""
    units = live.of(OrganizationalUnit)
    yield account.key
    for path in ancestors(account.unit or ROOT):
        if path in units and units[path].id:
            yield str(units[path].id)
