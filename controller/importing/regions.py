"""In which Regions an organization is governed: AWS does not say, so it is where Security Hub is found."""

from __future__ import annotations

from controller.aws.api import Reader
from controller.errors import AwsError
from controller.resources.base import Live
from controller.resources.security_hub_cell import NOT_ON
from controller.resources.security_hub_central import SERVICE

_DEFAULT_REGIONS = {
    "aws": (
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
        *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1"),
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    ),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}
"""On in every account (Account Management Reference, "Enable or disable AWS Regions")."""


def governed(aws: Reader, live: Live) -> tuple[str, ...]:
    """The Regions that are on everywhere and in which Security Hub's administrator, or the management account, has its
    hub on; without any, Identity Center's home Region.
    """
    administrators = live.observed["delegated_administrator"].resources
    asked = [key.split("/")[0] for key in sorted(administrators) if key.endswith(f"/{SERVICE}")]
    accounts = asked or [aws.here.management_account]
    places = [(account, region) for account in accounts for region in _DEFAULT_REGIONS.get(aws.here.partition, ())]
    on = aws.map(lambda place: _is_on(aws, *place), places)
    found = {region for (_, region), is_on in zip(places, on, strict=True) if is_on}
    return tuple(sorted(found)) or (aws.here.identity_center_region,)


def _is_on(aws: Reader, account: str, region: str) -> bool:
    """Where nobody may look, nothing is found: this only chooses where to look thoroughly."""
    try:
        return aws.find("securityhub:DescribeHub", absent=NOT_ON, account=account, region=region) is not None
    except AwsError:
        return False
