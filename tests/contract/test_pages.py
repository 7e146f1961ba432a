"""Organizations: every list comes in pages of twenty."""

from __future__ import annotations

from typing import Any

from tests.contract.aws import Aws


def sizes(aws: Aws, operation: str, member: str, **parameters: Any) -> list[int]:
    return [len(page[member]) for page in aws.organizations.get_paginator(operation).paginate(**parameters)]


def test_children(aws: Aws) -> None:
    """Organizations API reference, ListChildren; botocore's organizations shape MaxResults: 20 at most."""
    for number in range(28):
        aws.unit(f"u{number}")

    units = sizes(aws, "list_children", "Children", ParentId=aws.root, ChildType="ORGANIZATIONAL_UNIT")
    assert units == [20, 8]


def test_targets_of_a_policy(aws: Aws) -> None:
    """Organizations API reference, ListTargetsForPolicy; botocore's organizations shape MaxResults: 20 at most."""
    id = aws.policy()
    for number in range(21):
        aws.organizations.attach_policy(PolicyId=id, TargetId=aws.unit(f"u{number}"))

    assert sizes(aws, "list_targets_for_policy", "Targets", PolicyId=id) == [20, 1]


def test_delegated_administrators(aws: Aws) -> None:
    """Organizations API reference, ListDelegatedAdministrators; botocore's organizations shape MaxResults."""
    aws.organizations.enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com")
    for _ in range(21):
        aws.organizations.register_delegated_administrator(AccountId=aws.member(), ServicePrincipal="ssm.amazonaws.com")

    assert sizes(aws, "list_delegated_administrators", "DelegatedAdministrators") == [20, 1]


def test_the_list_of_creations_ends(aws: Aws) -> None:
    """Organizations API reference, ListCreateAccountStatus: NextToken is null in the last page."""
    for _ in range(45):
        aws.member()

    assert sizes(aws, "list_create_account_status", "CreateAccountStatuses") == [20, 20, 5]


def test_accounts_and_ous(aws: Aws) -> None:
    """Organizations API reference, ListAccounts and ListOrganizationalUnitsForParent; botocore's MaxResults."""
    for number in range(21):
        aws.member()
        aws.unit(f"u{number}")

    assert sizes(aws, "list_accounts", "Accounts") == [20, 2]
    units = sizes(aws, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=aws.root)
    assert units == [20, 1]
