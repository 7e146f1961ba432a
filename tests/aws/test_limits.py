"""AWS's rates kept on our side."""

from __future__ import annotations

import threading

import pytest

from controller.aws.limits import RATES, UNKNOWN, Limits, rate_of
from controller.errors import Stopped
from tests.fakes import FakeClock


class Queue(FakeClock):
    """Time stands still; remembers what was to be waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        if self.stop.is_set():
            raise Stopped
        self.waits.append(seconds)


def waits(limits: Limits, action: str, times: int, account: str = "", region: str = "us-east-1") -> list[float]:
    return [round(limits.wait(action, account, region), 6) for _ in range(times)]


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    assert waits(Limits(Queue(), 1), "organizations:ListRoots", 5) == [0, 0, 1, 2, 3]


def test_a_rest_fills_the_bucket_again_but_never_beyond_the_burst() -> None:
    clock = Queue()
    limits = Limits(clock, 1)
    waits(limits, "organizations:ListRoots", 2)
    clock.advance(100)

    assert waits(limits, "organizations:ListRoots", 3) == [0, 0, 1]


def test_operations_of_one_published_row_share_a_bucket() -> None:
    limits = Limits(Queue(), 1)
    waits(limits, "organizations:AttachPolicy", 3)

    assert waits(limits, "organizations:DetachPolicy", 1) == [0.5]
    assert waits(limits, "organizations:UpdatePolicy", 1) == [0]


def test_all_of_identity_center_shares_one_bucket_and_the_identity_store_has_one_for_each_operation() -> None:
    limits = Limits(Queue(), 1)
    waits(limits, "sso:ListInstances", 20)
    waits(limits, "identitystore:GetUserId", 20)

    assert waits(limits, "sso:DescribePermissionSet", 1) == [0.05]
    assert waits(limits, "identitystore:GetGroupId", 1) == [0]


def test_accounts_and_regions_do_not_wait_for_each_other() -> None:
    limits = Limits(Queue(), 1)
    waits(limits, "securityhub:BatchEnableStandards", 1, "1" * 12)

    assert waits(limits, "securityhub:BatchEnableStandards", 1, "2" * 12) == [0]
    assert waits(limits, "securityhub:BatchEnableStandards", 1, "1" * 12, "eu-west-1") == [0]
    assert waits(limits, "securityhub:BatchEnableStandards", 1, "1" * 12) == [1]


def test_the_settings_may_multiply_the_rates() -> None:
    assert waits(Limits(Queue(), 10), "organizations:ListRoots", 4) == [0, 0, 0.1, 0.2]


def test_being_throttled_empties_our_bucket_as_well() -> None:
    limits = Limits(Queue(), 1)
    limits.refused("organizations:ListPolicies", "", "us-east-1")

    assert waits(limits, "organizations:ListPolicies", 1) == [0.2]


def test_what_aws_publishes_no_rate_of_is_called_carefully() -> None:
    assert rate_of("organizations:DescribeEffectivePolicy").per_second <= 1
    assert rate_of("newservice:ListThings") == UNKNOWN


def test_no_operation_stands_in_two_rows() -> None:
    named = [operation for row in RATES for operation in row.operations]
    assert len(named) == len(set(named))


def test_many_threads_together_keep_the_rate() -> None:
    clock = Queue()
    limits = Limits(clock, 1)
    threads = [threading.Thread(target=waits, args=(limits, "organizations:ListRoots", 10)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(round(wait, 6) for wait in clock.waits) == [float(n) for n in range(1, 49)]


def test_stopping_ends_the_wait_for_a_turn() -> None:
    clock = Queue()
    limits = Limits(clock, 1)
    waits(limits, "organizations:ListRoots", 2)
    clock.stop.set()

    with pytest.raises(Stopped):
        limits.wait("organizations:ListRoots", "", "us-east-1")
