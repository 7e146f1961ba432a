"""One call to AWS: what is tried again, what never is, and who signs it."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from controller.aws.api import Here, Reader
from controller.aws.transport import PATIENCE
from controller.errors import AwsError, Denied, Stopped, Throttled, UnknownOutcome, Unreachable, WriteRefused
from tests.aws.scripted import Line, Request, Script, call, ok, refusal
from tests.fakes import FakeClock

CLOSED = ConnectionClosedError(endpoint_url="https://aws.example")
TIMEOUT = ReadTimeoutError(endpoint_url="https://aws.example")
NOT_CONNECTED = EndpointConnectionError(endpoint_url="https://aws.example")
POLICY = {"Name": "n", "Content": "{}", "Description": "", "Type": "TAG_POLICY"}
PROVISION = {
    "InstanceArn": "arn:aws:sso:::instance/ssoins-1234567890123456",
    "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1234567890123456/ps-1234567890123456",
    "TargetType": "ALL_PROVISIONED_ACCOUNTS",
}


class TestRetries:
    @pytest.mark.parametrize(
        "action, first",
        [
            pytest.param("organizations:ListRoots", refusal("TooManyRequestsException"), id="Organizations throttles"),
            pytest.param("sso:ListInstances", refusal("ThrottlingException"), id="Identity Center throttles"),
            pytest.param("organizations:ListRoots", refusal("ServiceException", 500), id="a read meets an HTTP 500"),
            pytest.param("organizations:ListRoots", CLOSED, id="a read is cut off"),
            pytest.param("organizations:ListRoots", TIMEOUT, id="a read is not answered"),
            pytest.param("organizations:ListRoots", NOT_CONNECTED, id="a read does not get through"),
        ],
    )
    def test_what_may_pass_is_sent_again(self, action: str, first: Line) -> None:
        script = Script(first, ok(Roots=[], Instances=[]))

        call(script.transport(), action)

        assert len(script.sent) == 2

    @pytest.mark.parametrize(
        "action, first",
        [
            pytest.param("organizations:CreatePolicy", refusal("ConcurrentModificationException"), id="Organizations"),
            pytest.param("organizations:CreatePolicy", refusal("PolicyChangesInProgressException"), id="policies"),
            pytest.param("organizations:CreatePolicy", refusal("FinalizingOrganizationException"), id="a new one"),
            pytest.param("sso:ProvisionPermissionSet", refusal("ConflictException"), id="Identity Center"),
            pytest.param(
                "identitystore:CreateGroup",
                refusal("ConflictException", Reason="CONCURRENT_MODIFICATION"),
                id="Identity Store",
            ),
        ],
    )
    def test_a_write_that_another_change_is_in_the_way_of_is_sent_again(self, action: str, first: Line) -> None:
        parameters = {
            "organizations:CreatePolicy": POLICY,
            "sso:ProvisionPermissionSet": PROVISION,
            "identitystore:CreateGroup": {"IdentityStoreId": "d-1234567890"},
        }[action]
        script = Script(first, ok())

        call(script.transport(), action, parameters=parameters, write=True, repeatable=False)

        assert len(script.sent) == 2

    @pytest.mark.parametrize(
        "line, error",
        [
            pytest.param(refusal("AccessDeniedException"), Denied, id="not allowed"),
            pytest.param(refusal("PolicyNotFoundException"), AwsError, id="not there"),
            pytest.param(refusal("ConflictException"), AwsError, id="a conflict, of a service whose conflicts stay"),
        ],
    )
    def test_what_would_be_answered_alike_is_not_sent_again(self, line: Line, error: type[AwsError]) -> None:
        script = Script(line)

        with pytest.raises(AwsError) as caught:
            call(script.transport(), "organizations:CreatePolicy", parameters=POLICY, write=True)

        assert type(caught.value) is error
        assert len(script.sent) == 1

    def test_a_duplicate_in_the_identity_store_is_not_a_conflict_that_passes(self) -> None:
        script = Script(refusal("ConflictException", Reason="UNIQUENESS_CONSTRAINT_VIOLATION"))

        with pytest.raises(AwsError) as caught:
            call(
                script.transport(),
                "identitystore:CreateGroup",
                parameters={"IdentityStoreId": "d-1234567890"},
                write=True,
            )

        assert len(script.sent) == 1
        assert caught.value.reason == "UNIQUENESS_CONSTRAINT_VIOLATION"

    def test_patience_ends_after_so_many_attempts(self) -> None:
        script = Script(refusal("TooManyRequestsException"))

        with pytest.raises(Throttled) as caught:
            call(script.transport(), "organizations:ListRoots")

        assert 3 < len(script.sent) <= 10
        assert script.clock.monotonic() <= PATIENCE
        assert "TooManyRequestsException from organizations:ListRoots" in str(caught.value)

    def test_a_write_that_has_to_spread_first_is_waited_for_longer_than_aws_takes(self) -> None:
        """Identity Center API reference, ConflictException: retry with backoff; how long it takes is not said."""
        script = Script(*[refusal("ConflictException")] * 7, ok())

        call(script.transport(), "sso:ProvisionPermissionSet", parameters=PROVISION, write=True)

    def test_a_code_that_is_a_quota_as_well_as_a_throttle_is_tried_a_few_times_and_not_called_throttled(self) -> None:
        script = Script(refusal("LimitExceededException", 429))

        with pytest.raises(AwsError) as caught:
            call(script.transport(), "securityhub:DescribeHub", region="eu-west-1")

        assert type(caught.value) is AwsError
        assert 1 < len(script.sent) < 10

    def test_what_aws_asks_for_is_waited_for(self) -> None:
        script = Script(refusal("ThrottlingException", RetryAfterSeconds=17), ok(Groups=[]))

        call(script.transport(), "identitystore:ListGroups", parameters={"IdentityStoreId": "d-1234567890"})

        assert script.clock.monotonic() >= 17

    def test_the_sdk_retries_nothing_by_itself(self) -> None:
        script = Script(refusal("ServiceException", 500))

        with pytest.raises(UnknownOutcome):
            call(script.transport(), "organizations:CreatePolicy", parameters=POLICY, write=True, repeatable=False)

        assert len(script.sent) == 1

    def test_stopping_ends_a_wait_between_two_attempts(self) -> None:
        script = Script(refusal("TooManyRequestsException"))
        transport = script.transport()
        script.clock.stop.set()

        with pytest.raises(Stopped):
            call(transport, "organizations:ListRoots")

        assert script.sent == []


class TestUnknownOutcome:
    @pytest.mark.parametrize("line", [CLOSED, TIMEOUT, refusal("ServiceException", 500), refusal("Oops", 503)])
    def test_a_write_that_aws_cannot_deduplicate_is_never_sent_twice_without_an_answer(self, line: Line) -> None:
        script = Script(line, ok())

        with pytest.raises(UnknownOutcome):
            call(script.transport(), "organizations:CreatePolicy", parameters=POLICY, write=True, repeatable=False)

        assert len(script.sent) == 1

    def test_a_write_that_may_be_repeated_is_and_stays_unknown_when_nobody_ever_answers(self) -> None:
        script = Script(CLOSED)

        with pytest.raises(UnknownOutcome):
            call(script.transport(), "organizations:CreatePolicy", parameters=POLICY, write=True)

        assert len(script.sent) > 1

    def test_a_write_that_never_left_is_not_unknown_and_may_be_sent_again(self) -> None:
        script = Script(NOT_CONNECTED)

        with pytest.raises(Unreachable):
            call(script.transport(), "organizations:CreatePolicy", parameters=POLICY, write=True, repeatable=False)

        assert len(script.sent) > 1

    def test_a_read_without_an_answer_is_only_unreachable(self) -> None:
        with pytest.raises(Unreachable):
            call(Script(CLOSED).transport(), "organizations:ListRoots")


class TestReadOnly:
    def test_a_read_only_run_sends_no_write(self) -> None:
        script = Script(ok())

        with pytest.raises(WriteRefused):
            call(script.transport(read_only=True), "organizations:CreatePolicy", parameters=POLICY, write=True)

        assert script.sent == []

    @pytest.mark.parametrize("read_only", [True, False])
    def test_a_write_that_calls_itself_a_read_is_refused_below_the_sdk(self, read_only: bool) -> None:
        script = Script(ok())

        with pytest.raises(WriteRefused):
            call(script.transport(read_only=read_only), "organizations:CreatePolicy", parameters=POLICY)

        assert script.sent == []

    def test_a_client_taken_from_underneath_cannot_write_either(self) -> None:
        script = Script(ok())
        transport = script.transport(read_only=True)

        with pytest.raises(WriteRefused):
            transport._client("organizations", "us-east-1").create_policy(**POLICY)

        assert script.sent == []


class TestErrors:
    def test_an_error_says_what_was_called_where_and_which_request_it_was(self) -> None:
        script = Script(refusal("ConstraintViolationException", Reason="OU_DEPTH_LIMIT_EXCEEDED"))

        with pytest.raises(AwsError) as caught:
            call(script.transport(), "organizations:CreatePolicy", parameters=POLICY, write=True)

        error = caught.value
        assert (error.code, error.reason) == ("ConstraintViolationException", "OU_DEPTH_LIMIT_EXCEEDED")
        assert error.request_id == "request-1"
        assert "organizations:CreatePolicy" in str(error)

    def test_parameters_that_botocore_refuses_are_an_error_of_ours_and_not_sent(self) -> None:
        script = Script(ok())

        with pytest.raises(AwsError) as caught:
            call(script.transport(), "organizations:DescribePolicy", parameters={"PolicyId": 7})

        assert caught.value.code == "ParamValidationError"
        assert script.sent == []


class TestRecords:
    def test_every_attempt_is_recorded_with_its_code_and_what_was_waited_for_the_rate(self) -> None:
        script = Script(refusal("TooManyRequestsException"), ok(Roots=[]))

        call(script.transport(), "organizations:ListRoots")

        first, second = script.records
        assert (first.action, first.code, first.throttled) == (
            "organizations:ListRoots",
            "TooManyRequestsException",
            True,
        )
        assert (second.code, second.throttled) == ("", False)
        assert second.waited >= 0.5


class TestPages:
    def reader(self, script: Script) -> Reader:
        return Reader(script.transport(), Here("o-1234567890", "1" * 12, "aws", "us-east-1", "main", "OrgctlMember"))

    def test_an_empty_page_with_a_token_is_not_the_end(self) -> None:
        script = Script(ok(Accounts=[], NextToken="a"), ok(Accounts=[{"Id": "1"}], NextToken="b"), ok(Accounts=[]))

        found = list(self.reader(script).items("organizations:ListAccounts", "Accounts"))

        assert found == [{"Id": "1"}]
        assert [request.parameters.get("NextToken") for request in script.requests] == [None, "a", "b"]

    def test_a_token_that_comes_again_is_an_error_and_no_endless_loop(self) -> None:
        script = Script(ok(Accounts=[], NextToken="a"))

        with pytest.raises(AwsError, match="same page token twice"):
            list(self.reader(script).items("organizations:ListAccounts", "Accounts"))

    def test_each_service_is_asked_with_its_own_kind_of_token(self) -> None:
        transport = Script(ok()).transport()

        assert transport.page_token("tag:GetResources") == ("PaginationToken", "PaginationToken")
        assert transport.page_token("organizations:ListAccounts") == ("NextToken", "NextToken")
        assert transport.page_token("sts:GetCallerIdentity") == ("NextToken", "NextToken")


class TestWaiting:
    def test_callers_who_wait_for_their_turn_hold_up_nobody_who_has_it(self) -> None:
        """Two may be under way at once; more than that wait for DescribePolicy; ListAccounts still goes by twos."""
        together = threading.Barrier(2, timeout=5)

        def answer(request: Request) -> Line:
            if request.operation == "ListAccounts":
                together.wait()
            return ok()

        script = Script(by=answer)
        script.clock = clock = Night()
        transport = script.transport(workers=2, rate_multiple=1, share=1)
        stopped: list[Stopped] = []

        def describe_many() -> None:
            try:
                transport.map(
                    lambda _: call(transport, "organizations:DescribePolicy", parameters={"PolicyId": "p-12345678"}),
                    range(20),
                )
            except Stopped as error:
                stopped.append(error)

        waiting = threading.Thread(target=describe_many)
        waiting.start()
        for _ in range(3):
            assert clock.asleep.acquire(timeout=5)

        transport.map(lambda _: call(transport, "organizations:ListAccounts"), range(4))
        clock.stop.set()
        waiting.join(timeout=5)

        assert script.sent.count("ListAccounts") == 4
        assert script.sent.count("DescribePolicy") <= 1
        assert stopped
        assert not waiting.is_alive()


class Night(FakeClock):
    """Whoever sleeps sleeps until all is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = threading.Semaphore(0)

    def sleep(self, seconds: float) -> None:
        self.asleep.release()
        self.stop.wait()
        raise Stopped
