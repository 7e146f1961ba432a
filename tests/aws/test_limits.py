"""AWS's rates kept on our side: who goes when."""

from __future__ import annotations

import threading

import pytest

from controller.aws.limits import RATES, UNKNOWN, Limits, Turn, rate_of
from controller.errors import Stopped
from tests.clocks import CommonTime
from tests.fakes import FakeClock

TOKYO = "ap-northeast-1"


class Callers:
    """Callers that wait for their turns side by side. `went`: (who, when), in order."""

    def __init__(self, share: float = 1.0, multiple: float = 1.0) -> None:
        self.clock = CommonTime()
        self.limits = Limits(self.clock, multiple, share, 100)
        self.went: list[tuple[str, float]] = []

    def rest(self, seconds: float = 1000.0) -> None:
        self.clock.run(lambda: self.clock.sleep(seconds))

    def go(self, *actions: str, account: str = "", region: str = "us-east-1", write: bool = False) -> list[float]:
        """Each of the actions at once; the seconds that each waited, in the order in which they went."""
        began, before = self.clock.monotonic(), len(self.went)
        self.clock.run(*(lambda a=a: self.call(a, a, account, region, write) for a in actions))
        return [round(when - began, 2) for _, when in self.went[before:]]

    def call(self, who: str, action: str, account: str = "", region: str = "us-east-1", write: bool = False) -> None:
        with self.limits.turn(action, account, region, write=write):
            self.went.append((who, self.clock.monotonic()))


def take(limits: Limits) -> Turn:
    with limits.turn("organizations:ListPolicies", "", "us-east-1", write=False) as turn:
        return turn


def test_after_a_rest_a_burst_goes_at_once_and_then_the_rate_holds() -> None:
    callers = Callers()
    callers.go("organizations:ListPolicies")
    callers.rest()

    assert callers.go(*["organizations:ListPolicies"] * 10) == [0] * 7 + [0.2, 0.4, 0.6]


def test_no_rest_fills_the_bucket_beyond_the_burst() -> None:
    callers = Callers()
    callers.go("organizations:ListPolicies")
    callers.rest(1_000_000)

    assert callers.go(*["organizations:ListPolicies"] * 8)[-1] == 0.2


def test_a_new_process_does_not_take_a_whole_burst_that_the_one_before_may_have_taken() -> None:
    assert Callers().go(*["organizations:ListPolicies"] * 4) == [0, 0, 0, 0.2]


def test_our_share_is_of_the_rate_and_of_the_burst() -> None:
    callers = Callers(share=0.5)
    callers.go("organizations:ListPolicies")
    callers.rest()

    assert callers.go(*["organizations:ListPolicies"] * 6) == [0, 0, 0, 0, 0.4, 0.8]


def test_the_settings_may_multiply_the_rates() -> None:
    assert Callers(multiple=10).go(*["organizations:DescribePolicy"] * 3) == [0, 0.05, 0.1]


def test_where_aws_allows_no_burst_calls_keep_a_little_more_apart() -> None:
    assert Callers().go(*["organizations:EnablePolicyType"] * 3) == [0, 1.25, 2.5]


def test_operations_of_one_published_row_share_a_bucket() -> None:
    callers = Callers()
    callers.go("organizations:AttachPolicy")

    assert callers.go("organizations:DetachPolicy") == [0.5]
    assert callers.go("organizations:UpdatePolicy") == [0]


def test_all_of_identity_center_shares_one_bucket_and_the_identity_store_has_one_for_each_operation() -> None:
    callers = Callers()
    callers.go(*["sso:ListInstances"] * 9, *["identitystore:GetUserId"] * 9)

    assert callers.go("sso:DescribePermissionSet") == [0.05]
    assert callers.go("identitystore:GetGroupId") == [0]


def test_accounts_and_regions_do_not_wait_for_each_other() -> None:
    callers = Callers()
    callers.go("securityhub:BatchEnableStandards", account="1" * 12)

    assert callers.go("securityhub:BatchEnableStandards", account="2" * 12) == [0]
    assert callers.go("securityhub:BatchEnableStandards", account="1" * 12, region=TOKYO) == [0]
    assert callers.go("securityhub:BatchEnableStandards", account="1" * 12) != [0]


def test_accounts_of_one_organization_share_what_aws_allows_the_organization() -> None:
    """DescribePolicy: 2 a second for each account, and 2 a second for all (Organizations User Guide, Quotas)."""
    callers = Callers()

    callers.clock.run(*(lambda a=a: callers.call(a, "organizations:DescribePolicy", a) for a in ["1", "2"] * 10))

    assert len(callers.went) == 20
    assert round(callers.went[-1][1], 1) == 9.5
    assert {who for who, _ in callers.went[:4]} == {"1", "2"}


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    callers = Callers()
    names = [f"caller {number}" for number in range(8)]

    callers.clock.run(*(lambda n=n: callers.call(n, "organizations:DescribePolicy") for n in names))

    assert [who for who, _ in callers.went] == names
    assert [round(when, 1) for _, when in callers.went] == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]


def test_a_write_goes_before_the_reads_that_wait_for_the_same_bucket() -> None:
    callers = Callers()

    def late_write() -> None:
        callers.clock.sleep(0.7)
        callers.call("write", "sso:CreateAccountAssignment", write=True)

    reads = [lambda: callers.call("read", "sso:ListAccountAssignments")] * 40
    callers.clock.run(*reads, late_write)

    later = [who for who, when in callers.went if when > 0.7]
    assert later[0] == "write"
    assert later[1:]
    assert set(later[1:]) == {"read"}


def test_whoever_waits_for_nothing_is_not_held_up_by_those_who_wait() -> None:
    callers = Callers()
    callers.go(*["organizations:DescribePolicy"] * 20, "organizations:ListAccounts")

    assert dict(callers.went[:3])["organizations:ListAccounts"] == 0


def test_being_throttled_halves_the_rate_of_that_bucket_alone() -> None:
    callers = Callers()
    limits = callers.limits
    limits.refused(take(limits))

    assert callers.go(*["organizations:ListPolicies"] * 3) == [0.4, 0.8, 1.2]
    assert callers.go("organizations:ListAccounts") == [0]


def test_calls_that_were_under_way_together_and_refused_together_are_one_lesson() -> None:
    limits = Limits(FakeClock(), 1, 1, 100)
    turns = [take(limits) for _ in range(3)]
    for turn in turns:
        limits.refused(turn)

    assert take(limits).learned == pytest.approx(0.5, abs=0.01)


def test_the_rate_never_falls_below_a_sixteenth() -> None:
    limits = Limits(FakeClock(), 1, 1, 100)
    for _ in range(40):
        turn = take(limits)
        limits.refused(turn)

    assert 1 / 16 <= turn.learned < 1 / 15


def test_answers_bring_the_rate_back_and_so_does_time() -> None:
    clock = FakeClock()
    limits = Limits(clock, 1, 1, 100)

    def learned() -> float:
        return take(limits).learned

    turn = take(limits)
    limits.refused(turn)
    before = learned()
    for _ in range(100):
        limits.answered(turn)
    assert before + 0.09 < learned() < 0.7

    clock.advance(3600)
    assert learned() == 1


def test_who_waits_for_a_place_among_the_calls_under_way_holds_no_token_meanwhile() -> None:
    clock = FakeClock()
    limits = Limits(clock, 1, 1, 1)
    earlier = take(limits)
    went: list[float] = []
    with limits.turn("sts:GetCallerIdentity", "", "us-east-1", write=False):
        waiting = threading.Thread(target=lambda: went.append(take(limits).at))
        waiting.start()
        limits.refused(earlier)
    waiting.join(timeout=5)

    assert went[0] >= 0.4


def test_what_aws_publishes_no_rate_of_is_called_carefully() -> None:
    assert rate_of("organizations:DescribeEffectivePolicy").per_second <= 1
    assert rate_of("newservice:ListThings") == UNKNOWN


def test_no_operation_stands_in_two_rows() -> None:
    named = [operation for row in RATES for operation in row.operations]
    assert len(named) == len(set(named))


def test_stopping_ends_the_wait_for_a_turn_and_gives_the_place_up() -> None:
    callers = Callers()
    callers.go("organizations:ListRoots")
    callers.clock.stop.set()
    with pytest.raises(Stopped):
        callers.go("organizations:ListRoots")
    callers.clock.stop.clear()

    assert callers.go("organizations:ListRoots") == [0]
