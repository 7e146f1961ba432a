"""A contender: every read the plain way, one after the other, as a script does that nobody was in a hurry to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(retries={"mode": "standard", "max_attempts": 30})
"""Retried by the SDK until it succeeds."""
HOME = "us-east-1"


def pages(client: Any, operation: str, member: str, **parameters: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[member]


def organization(client: Any) -> None:
    client.describe_organization()
    root = client.list_roots()["Roots"][0]["Id"]
    targets, units = [root], [root]
    while units:
        found = pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=units.pop())
        below = [unit["Id"] for unit in found]
        units += below
        targets += below
    targets += [account["Id"] for account in pages(client, "list_accounts", "Accounts")]
    policies = list(pages(client, "list_policies", "Policies", Filter="SERVICE_CONTROL_POLICY"))
    for policy in policies:
        client.describe_policy(PolicyId=policy["Id"])
        list(pages(client, "list_targets_for_policy", "Targets", PolicyId=policy["Id"]))
    for id in [*targets[1:], *(policy["Id"] for policy in policies if not policy["AwsManaged"])]:
        list(pages(client, "list_tags_for_resource", "Tags", ResourceId=id))


def identity_center(client: Any, store: Any) -> None:
    instance = client.list_instances()["Instances"][0]
    where = {"InstanceArn": instance["InstanceArn"]}
    list(pages(store, "list_groups", "Groups", IdentityStoreId=instance["IdentityStoreId"]))
    for arn in pages(client, "list_permission_sets", "PermissionSets", **where):
        one = {**where, "PermissionSetArn": arn}
        client.describe_permission_set(**one)
        client.list_managed_policies_in_permission_set(**one)
        client.list_customer_managed_policy_references_in_permission_set(**one)
        client.get_inline_policy_for_permission_set(**one)
        client.list_tags_for_resource(InstanceArn=instance["InstanceArn"], ResourceArn=arn)
        for account in pages(client, "list_accounts_for_provisioned_permission_set", "AccountIds", **one):
            list(pages(client, "list_account_assignments", "AccountAssignments", AccountId=account, **one))


def main() -> None:
    session = boto3.Session(region_name=HOME)
    organization(session.client("organizations", config=CONFIG))
    identity_center(session.client("sso-admin", config=CONFIG), session.client("identitystore", config=CONFIG))


if __name__ == "__main__":
    main()
