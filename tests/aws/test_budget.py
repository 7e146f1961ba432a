"""AWS's call rates are shared: what a quiet organization, a busy one, and one that falls quiet again make of orgctl."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.aws.crowd import Crowd

FULL_ACCESS = {"PolicyId": "p-FullAWSAccess"}
RATE_OF = {"ListAccounts": 8.0, "DescribePolicy": 2.0}
"""A second: Organizations User Guide, Quotas."""
MEMBER = "222222222222"


def everything(crowd: Crowd) -> list[Callable[[], None]]:
    """Reads and writes of several rows, from 8 callers each."""
    root = crowd.world.root_id
    return [
        *crowd.calls("organizations:ListAccounts", 80),
        *crowd.calls("organizations:DescribePolicy", 40, **FULL_ACCESS),
        *crowd.calls("organizations:ListPolicies", 40, Filter="SERVICE_CONTROL_POLICY"),
        *crowd.calls("organizations:ListTargetsForPolicy", 40, **FULL_ACCESS),
        *crowd.calls("organizations:ListRoots", 24),
        *crowd.calls("organizations:EnablePolicyType", 16, RootId=root, PolicyType="TAG_POLICY"),
        *crowd.calls("organizations:TagResource", 40, ResourceId=root, Tags=[{"Key": "a", "Value": "b"}]),
        *crowd.calls("sso:ListInstances", 160),
        *crowd.calls("account:ListRegions", 40),
    ]


def reads(crowd: Crowd, operation: str, times: int) -> list[Callable[[], None]]:
    parameters = FULL_ACCESS if operation == "DescribePolicy" else {}
    return crowd.calls(f"organizations:{operation}", times, **parameters)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_quiet_organization_throttles_nothing(share: float) -> None:
    crowd = Crowd(share=share)

    crowd.run(*everything(crowd))

    assert crowd.throttled == 0
    assert len(crowd.records) >= 480


def test_whoever_keeps_to_no_rate_is_throttled_there() -> None:
    crowd = Crowd(share=1.0, rate_multiple=1000)

    crowd.run(*everything(crowd))

    assert crowd.throttled > 100


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_process_started_right_after_another_is_not_throttled_for_what_that_one_used(share: float) -> None:
    crowd = Crowd(share=share)
    crowd.run(*reads(crowd, "ListAccounts", 80))
    crowd.transport = crowd.another(share)
    crowd.time.run(lambda: crowd.time.sleep(0.5))

    crowd.run(*reads(crowd, "ListAccounts", 80))

    assert crowd.throttled == 0


@pytest.mark.parametrize("account", ["", MEMBER], ids=["of this account", "a delegated administrator"])
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("operation", RATE_OF)
def test_while_somebody_eats_half_the_rate_one_call_in_a_hundred_is_throttled_at_most(
    operation: str, share: float, account: str
) -> None:
    crowd = Crowd(share=share)
    somebody = crowd.other(operation, RATE_OF[operation] / 2, account=account)

    crowd.run(*reads(crowd, operation, 400), others=(somebody,))

    assert crowd.throttled <= len(crowd.records) / 100
    if share == 0.5:  # together no more than AWS allows
        assert crowd.throttled == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_somebody_who_eats_half_the_rate_in_fits_and_starts_changes_little(seed: int) -> None:
    crowd = Crowd(share=0.5, seed=seed)

    crowd.run(*reads(crowd, "ListAccounts", 800), others=(crowd.other("ListAccounts", 4.0, evenly=False),))

    assert crowd.throttled <= len(crowd.records) / 100


def test_the_rate_falls_while_somebody_eats_all_of_it_and_climbs_back_when_they_have_left() -> None:
    crowd = Crowd(share=0.5)
    crowd.run(*reads(crowd, "ListAccounts", 80), others=(crowd.other("ListAccounts", 20.0, evenly=False),))
    busy, crowd.records = crowd.records[-1].learned, []

    crowd.run(*reads(crowd, "ListAccounts", 800))

    assert busy < 0.5
    assert crowd.records[-1].learned > 0.9
    assert crowd.throttled == 0


def test_a_write_goes_before_the_reads_that_wait() -> None:
    crowd = Crowd(share=1.0)

    def write() -> None:
        crowd.time.sleep(2.5)
        crowd.call("organizations:CreateOrganizationalUnit", ParentId=crowd.world.root_id, Name="New")

    crowd.run(*crowd.calls("organizations:DescribeOrganization", 40), write)

    order = [record.action.split(":")[1] for record in crowd.records]
    assert order.index("CreateOrganizationalUnit") <= 5
    assert len(order) == 41
