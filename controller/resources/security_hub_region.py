"""What Security Hub has to offer in a Region: which standards, and which controls in each. Asked once per Region."""

from __future__ import annotations

from collections.abc import Mapping

from controller.aws.api import Reader
from controller.catalogue.security_hub import is_service_managed, standard_arn, standard_of

READS = frozenset({"securityhub:DescribeStandards", "securityhub:ListSecurityControlDefinitions"})


class Regions:
    """Regions' standards and controls, through whichever account is asked first: its hub must be on.

    Args:
        standards, controls: What is known already.

    Attributes:
        standards: Region → standards, in short form; only Regions that were asked about.
        controls: (Region, standard) → ids of the controls that the standard has there.
    """

    def __init__(
        self,
        aws: Reader,
        standards: Mapping[str, frozenset[str]] | None = None,
        controls: Mapping[tuple[str, str], frozenset[str]] | None = None,
    ) -> None:
        self._aws = aws
        self.standards: dict[str, frozenset[str]] = dict(standards or {})
        self.controls: dict[tuple[str, str], frozenset[str]] = dict(controls or {})

    def standards_of(self, account: str, region: str) -> frozenset[str]:
        """Raises AwsError."""

        def ask() -> frozenset[str]:
            found = self._aws.items("securityhub:DescribeStandards", "Standards", account=account, region=region)
            names = (standard_of(standard["StandardsArn"]) for standard in found)
            return frozenset(name for name in names if not is_service_managed(name))

        if region not in self.standards:
            self.standards[region] = self._aws.once(("security hub standards", region), ask)
        return self.standards[region]

    def controls_of(self, account: str, region: str, standard: str) -> frozenset[str]:
        """Raises AwsError."""

        def ask() -> frozenset[str]:
            found = self._aws.items(
                "securityhub:ListSecurityControlDefinitions",
                "SecurityControlDefinitions",
                account=account,
                region=region,
                StandardsArn=standard_arn(self._aws.here.partition, region, standard),
            )
            return frozenset(
                control["SecurityControlId"]
                for control in found
                if control.get("CurrentRegionAvailability", "AVAILABLE") == "AVAILABLE"
            )

        if (region, standard) not in self.controls:
            self.controls[region, standard] = self._aws.once(("security hub controls", region, standard), ask)
        return self.controls[region, standard]
