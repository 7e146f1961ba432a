"""The organization's IAM Identity Center instance: what permission sets and assignments have in common."""

from __future__ import annotations

from dataclasses import dataclass

from controller.aws.api import Reader
from controller.errors import AwsError
from controller.resources.base import OWNER_TAG


@dataclass(frozen=True, slots=True)
class Instance:
    """The instance and the identity store behind it."""

    arn: str
    identity_store_id: str


def instance(aws: Reader) -> Instance:
    """The organization's instance, looked up once.

    Raises:
        AwsError: There is none in the Region that the settings name.
    """
    return aws.once("identity center instance", lambda: _instance(aws))


def _instance(aws: Reader) -> Instance:
    region = aws.here.identity_center_region
    found = list(aws.items("sso:ListInstances", "Instances"))
    # Accounts may have instances of their own; permission sets live in the management account's alone.
    mine = [i for i in found if i.get("OwnerAccountId", aws.here.management_account) == aws.here.management_account]
    if not mine:
        raise AwsError(
            "sso:ListInstances",
            "NoInstance",
            f"IAM Identity Center is not enabled in {region}. Enable it there for the organization, or name its home "
            "Region in the settings (identity_center_region).",
            region=region,
        )
    return Instance(mine[0]["InstanceArn"], mine[0]["IdentityStoreId"])


def tags_of(aws: Reader, permission_set_arn: str) -> dict[str, str]:
    """A permission set's tags, orgctl's own among them; none where it is gone."""
    try:
        found = aws.items(
            "sso:ListTagsForResource", "Tags", InstanceArn=instance(aws).arn, ResourceArn=permission_set_arn
        )
        return {tag["Key"]: tag["Value"] for tag in found}
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return {}
        raise


def owner_of(aws: Reader, permission_set_arn: str) -> str | None:
    """The instance of orgctl that owns a permission set."""
    return tags_of(aws, permission_set_arn).get(OWNER_TAG)
