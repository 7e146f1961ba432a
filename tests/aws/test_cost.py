"""What calls cost at AWS's rates."""

from __future__ import annotations

import pytest

from controller.aws.cost import least, seconds
from controller.aws.limits import RATES, Limits, Rate, rate_of
from tests.clocks import StillClock


def test_calls_that_fit_into_their_bursts_cost_nothing() -> None:
    assert seconds({}) == (0, "")
    assert seconds({"organizations:DescribePolicy": 2, "organizations:ListRoots": 2}) == (0, "")


def test_the_slowest_bucket_decides_and_the_others_run_beside_it() -> None:
    calls = {"organizations:DescribePolicy": 60, "organizations:ListAccounts": 26, "sso:ListInstances": 1}

    assert seconds(calls) == (29, "organizations:DescribePolicy")  # 2 at once, then 2 a second


def test_operations_of_one_row_share_its_bucket() -> None:
    calls = {"sso:ListAccountAssignments": 100, "sso:DescribePermissionSet": 40}

    assert seconds(calls) == (6, "sso:ListAccountAssignments")  # 20 at once, then 20 a second for the two together


def test_operations_that_aws_limits_apart_do_not() -> None:
    assert seconds({"identitystore:ListUsers": 20, "identitystore:ListGroups": 20}) == (0, "")


def test_half_the_share_is_half_the_burst_at_half_the_rate() -> None:
    assert seconds({"sso:ListAccountAssignments": 30}, share=0.5) == (2, "sso:ListAccountAssignments")


def test_a_sandbox_may_be_faster_though_not_in_its_bursts() -> None:
    assert seconds({"organizations:DescribePolicy": 60}, multiple=10) == (2.9, "organizations:DescribePolicy")


@pytest.mark.parametrize("row", RATES, ids=lambda row: row.operations[0])
def test_the_organizations_bucket_is_never_smaller_than_an_accounts(row: Rate) -> None:
    per_second, burst = row.organization or (row.per_second, row.burst)

    assert per_second >= row.per_second
    assert burst >= row.burst


@pytest.mark.parametrize("action", ["organizations:DescribePolicy", "sso:ListInstances", "organizations:CloseAccount"])
def test_the_budget_is_never_faster(action: str) -> None:
    clock = StillClock()
    limits, began = Limits(clock, 1, 1, places=1), clock.monotonic()

    for _ in range(50):
        with limits.turn(action, "", "us-east-1", write=False):
            pass

    assert clock.monotonic() - began >= least(rate_of(action), 50)
