"""Throttling, faults, latency and permissions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from controller.sandbox.permissions import MANAGEMENT_USER
from controller.sandbox.rates import OTHERS, RATES
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.wire import model
from tests.sandbox.conftest import Client


def answers(call: Any, times: int, **parameters: Any) -> list[str]:
    """ "ok", or ``Code status``, of each call."""
    found = []
    for _ in range(times):
        try:
            call(**parameters)
            found.append("ok")
        except ClientError as error:
            found.append(f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}")
    return found


class TestRates:
    def test_there_are_none_until_they_are_set(self, organizations: Any) -> None:
        assert set(answers(organizations.list_roots, 20)) == {"ok"}

    def test_a_bucket_empties_and_fills(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.rates.set(1)
        throttled = "TooManyRequestsException 400"

        assert answers(organizations.list_roots, 4) == ["ok", "ok", throttled, throttled]
        sandbox.world.clock.advance(1)
        assert answers(organizations.list_roots, 2) == ["ok", throttled]

    def test_the_multiple_is_of_rate_and_burst(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.rates.set(10)

        assert answers(organizations.list_roots, 21).count("ok") == 20
        sandbox.world.clock.advance(0.5)
        assert answers(organizations.list_roots, 6).count("ok") == 5

    def test_throttles_have_each_services_own_code_and_status(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.rates.set(1)
        account = client("account")

        assert answers(account.put_account_name, 2, AccountName="a") == ["ok", "TooManyRequestsException 429"]

    def test_a_delegated_administrator_has_its_own_bucket_but_shares_the_organizations(
        self, client: Client, organizations: Any, sandbox: Sandbox
    ) -> None:
        world = sandbox.world
        id = world.add_account("a", "a@example.com", world.root_id).id
        world.delegated["config.amazonaws.com"] = {id: 0.0}
        sandbox.rates.set(1)

        assert answers(organizations.list_roots, 3).count("ok") == 2
        assert answers(client("organizations", account=id).list_roots, 3).count("ok") == 1

    @pytest.mark.parametrize(("shared", "more"), [(True, 0), (False, 30)])
    def test_operations_of_one_row_have_one_bucket_or_one_each(
        self, client: Client, sandbox: Sandbox, shared: bool, more: int
    ) -> None:
        hub = client("securityhub")
        hub.enable_security_hub(EnableDefaultStandards=False)
        sandbox.rules.set({"rates": True, "rates-shared": shared})

        assert answers(hub.describe_hub, 40).count("ok") == 30
        assert answers(hub.describe_standards, 40).count("ok") == more

    def test_rates_that_aws_does_not_publish_can_be_there(self, client: Client, sandbox: Sandbox) -> None:
        tags, calls = client("resourcegroupstaggingapi"), client("organizations")
        sandbox.rules.set({"rates": True})
        assert answers(tags.get_resources, 9).count("ok") == 9
        sandbox.rules.off("rates-unpublished")

        assert answers(tags.get_resources, 9)[4:6] == ["ok", "ThrottledException 400"]
        found = answers(calls.describe_resource_policy, 3)
        assert found == ["ResourcePolicyNotFoundException 400"] * 2 + ["TooManyRequestsException 400"]

    def test_every_operation_in_the_table_exists(self) -> None:
        for service, rows in RATES.items():
            named = {operation for row in rows for operation in row.operations.split()} - {"each", "*", OTHERS}
            assert named <= set(model(service).operation_names)


class TestFaults:
    def test_an_error_strikes_as_often_as_it_is_told_to(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.faults.add(
            operation="organizations:List*", kind="error", code="ConcurrentModificationException", count=2
        )

        assert answers(organizations.list_roots, 3) == ["ConcurrentModificationException 400"] * 2 + ["ok"]
        assert answers(organizations.describe_organization, 1) == ["ok"]

    def test_the_other_kinds_of_error(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.faults.add(operation="*:ListRoots", kind="throttle", count=1)
        sandbox.faults.add(operation="*:ListRoots", kind="internal", count=1)

        assert answers(organizations.list_roots, 3) == ["TooManyRequestsException 400", "InternalFailure 500", "ok"]

    def test_a_fault_can_be_of_one_account_only(self, client: Client, sandbox: Sandbox) -> None:
        id = sandbox.world.add_account("a", "a@example.com", sandbox.world.root_id).id
        sandbox.faults.add(operation="*", kind="internal", account=id)

        assert answers(client("account").list_regions, 1) == ["ok"]
        assert answers(client("account", account=id).list_regions, 1) == ["InternalFailure 500"]

    def test_chance_is_repeatable(self) -> None:
        def run() -> list[bool]:
            sandbox = Sandbox.create(virtual=True, seed=7)
            sandbox.faults.add(operation="*", kind="internal", probability=0.3)
            return [bool(sandbox.faults.hit(_caller(sandbox), "sts", "GetCallerIdentity")) for _ in range(100)]

        assert run() == run()
        assert 15 < sum(run()) < 45

    def test_a_call_meets_the_same_faults_in_whatever_order_calls_come(self) -> None:
        def run(order: list[int]) -> dict[int, bool]:
            sandbox = Sandbox.create(virtual=True, seed=7)
            sandbox.faults.add(operation="*", kind="internal", probability=0.3)
            caller = _caller(sandbox)
            return {n: bool(sandbox.faults.hit(caller, "account", "GetRegionOptStatus", {"n": n})) for n in order}

        there, back = list(range(100)), list(range(99, -1, -1))
        assert run(there) == run(back)
        assert 15 < sum(run(there).values()) < 45

    def test_an_unknown_kind_says_which_there_are(self, sandbox: Sandbox) -> None:
        with pytest.raises(ValueError, match="throttle, error, internal, reset, lost, slow, fail"):
            sandbox.faults.add(operation="*", kind="explode")

    @pytest.mark.parametrize("adapter", ["client", "http"])
    @pytest.mark.parametrize(("kind", "units"), [("reset", 0), ("lost", 1)])
    def test_a_dropped_connection_leaves_what_was_done_before_it(
        self, request: pytest.FixtureRequest, sandbox: Sandbox, adapter: str, kind: str, units: int
    ) -> None:
        organizations = request.getfixturevalue(adapter)("organizations")
        root = sandbox.world.root_id
        sandbox.faults.add(operation="organizations:CreateOrganizationalUnit", kind=kind, count=1)

        with pytest.raises(ConnectionClosedError):
            organizations.create_organizational_unit(ParentId=root, Name="A")

        assert len(organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]) == units

    def test_asynchronous_work_can_be_made_to_fail(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.faults.add(operation="*:CreateAccount", kind="fail", code="INTERNAL_FAILURE", count=1)
        for number in range(2):
            organizations.create_account(AccountName="a", Email=f"{number}@example.com")

        found = organizations.list_create_account_status()["CreateAccountStatuses"]
        assert [each.get("FailureReason") for each in found] == ["INTERNAL_FAILURE", None]

    def test_latency_and_slow_calls_take_time(self, organizations: Any, sandbox: Sandbox) -> None:
        before = sandbox.world.clock.now()
        sandbox.latency = {"organizations:ListRoots": 0.04, "*": 1.0}
        sandbox.faults.add(operation="*:ListRoots", kind="slow", seconds=10, count=1)

        organizations.list_roots()
        organizations.list_roots()
        organizations.describe_organization()

        assert sandbox.world.clock.now() - before == pytest.approx(11.08)


class TestPermissions:
    def enforce(self, sandbox: Sandbox, *statements: dict[str, Any]) -> None:
        sandbox.world.data["iam"] = {MANAGEMENT_USER: [{"Statement": list(statements)}]}

    def test_nothing_is_enforced_by_default(self, organizations: Any) -> None:
        organizations.list_roots()

    def test_what_no_policy_allows_is_denied(self, organizations: Any, sandbox: Sandbox) -> None:
        allowed = ["organizations:Describe*", "organizations:listroots"]
        self.enforce(sandbox, {"Effect": "Allow", "Action": allowed, "Resource": "*"})

        organizations.describe_organization()
        organizations.list_roots()
        with pytest.raises(organizations.exceptions.AccessDeniedException, match="organizations:ListAccounts"):
            organizations.list_accounts()

    def test_a_deny_wins(self, organizations: Any, sandbox: Sandbox) -> None:
        self.enforce(
            sandbox,
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "organizations:ListRoots", "Resource": "*"},
        )

        organizations.list_accounts()
        with pytest.raises(organizations.exceptions.AccessDeniedException, match="explicit deny"):
            organizations.list_roots()

    def test_actions_are_as_iam_names_them(self, client: Client, sandbox: Sandbox) -> None:
        self.enforce(sandbox, {"Effect": "Allow", "Action": "tag:GetResources", "Resource": "*"})

        client("resourcegroupstaggingapi").get_resources()

    def test_a_role_may_be_assumed_where_its_arn_matches(self, client: Client, sandbox: Sandbox) -> None:
        world = sandbox.world
        id = world.add_account("a", "a@example.com", world.root_id, roles={"orgctl-member", "admin"}).id
        role = "arn:aws:iam::*:role/orgctl-member"
        self.enforce(sandbox, {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
        sts = client("sts")

        sts.assume_role(RoleArn=f"arn:aws:iam::{id}:role/orgctl-member", RoleSessionName="orgctl")
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=f"arn:aws:iam::{id}:role/admin", RoleSessionName="orgctl")
        assert sts.get_caller_identity()

    def test_organizations_resources_are_meant_by_their_ids(self, organizations: Any, sandbox: Sandbox) -> None:
        own = "arn:aws:organizations::aws:policy/*"
        self.enforce(
            sandbox,
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "organizations:DescribePolicy", "Resource": own},
        )
        id = sandbox.world.add_policy("p", "TAG_POLICY", "{}").id

        organizations.describe_policy(PolicyId=id)
        with pytest.raises(organizations.exceptions.AccessDeniedException):
            organizations.describe_policy(PolicyId="p-FullAWSAccess")

    def test_whoever_has_no_policies_here_may_do_everything(self, client: Client, sandbox: Sandbox) -> None:
        self.enforce(sandbox, {"Effect": "Deny", "Action": "*", "Resource": "*"})
        id = sandbox.world.add_account("a", "a@example.com", sandbox.world.root_id, roles={"other"}).id
        sandbox.world.data["iam"] = {"other": []}

        client("organizations", account=id).describe_organization()


def test_calls_are_counted_by_operation_with_their_errors(organizations: Any, sandbox: Sandbox) -> None:
    sandbox.faults.add(operation="*:ListRoots", kind="throttle", count=1)
    answers(organizations.list_roots, 3)
    organizations.describe_organization()

    assert sandbox.world.calls == Counter({"organizations:ListRoots": 3, "organizations:DescribeOrganization": 1})
    assert sandbox.refused == {"organizations:ListRoots TooManyRequestsException": 1}
    assert [entry["error"] for entry in sandbox.world.log] == ["TooManyRequestsException", "", "", ""]


def _caller(sandbox: Sandbox) -> Any:
    return sandbox.sts.identify("test", "us-east-1")
