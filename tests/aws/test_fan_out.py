"""Reading many accounts in shards, here and elsewhere."""

from __future__ import annotations

import os
import pickle
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from controller.aws import cluster, errand
from controller.aws.api import Here
from controller.aws.errand import Errand, perform, travelling, versions
from controller.aws.fan_out import MOST_ACCOUNTS, as_they_end, cut
from controller.config import Settings
from controller.errors import AwsError, Denied, InProgress, Stopped, Throttled
from controller.sandbox.sandbox import Sandbox
from tests.aws import errands
from tests.fakes import FakeClock
from tests.resources.access import Town
from tests.resources.organization import Organization

HUB = "{kind: SecurityHub, targets: {units: [/]}, standards: []}"


class TestCutting:
    def test_accounts_stay_whole_and_in_order(self) -> None:
        accounts = {f"{n:012}": [f"{n}/a", f"{n}/b"] for n in range(500)}

        shards = list(cut(accounts, 2))

        assert [item for shard in shards for item in shard] == [item for items in accounts.values() for item in items]
        assert all(len({item.split("/")[0] for item in shard}) * 2 == len(shard) for shard in shards)
        assert max(map(len, shards)) == MOST_ACCOUNTS * 2

    @pytest.mark.parametrize("accounts, shards", [(0, 0), (1, 1), (3, 3), (8, 8), (80, 8)])
    def test_each_worker_gets_several_of_few_accounts(self, accounts: int, shards: int) -> None:
        assert len(list(cut({str(n): [n] for n in range(accounts)}, 2))) == shards


class TestInThreads:
    @pytest.fixture
    def organization(self) -> Organization:
        made = Organization()
        for number in range(40):
            made.world.add_account(f"a{number}", f"a{number}@example.com", made.world.root_id, roles={"OrgctlMember"})
        return made

    def test_each_account_is_read_once_with_its_own_credentials(self, organization: Organization) -> None:
        accounts = {account: [account] for account in organization.world.accounts}

        found = organization.aws.reader().fan_out(errands.callers, accounts)

        assert [pair for shard in found for pair in shard] == [(account, account) for account in accounts]
        assert len(found) > 1

    def test_a_bug_is_raised_and_ends_the_rest(self, organization: Organization) -> None:
        began: list[str] = []

        def work(_: object, items: list[str]) -> None:
            began.extend(items)
            raise KeyError(items[0])

        with pytest.raises(KeyError):
            organization.aws.reader().fan_out(work, {str(n): [str(n)] for n in range(4000)})
        assert len(began) < 4000

    def test_the_wish_to_stop_is_heard_while_shards_are_waited_for(self) -> None:
        clock, never = FakeClock(), Future[None]()
        clock.stop.set()

        with pytest.raises(Stopped):
            dict(as_they_end([never], clock))
        assert never.cancelled()


class TestErrands:
    """What a worker does, in this process."""

    @pytest.fixture
    def sandbox(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
        made = Sandbox.create()
        for name in ("a", "b"):
            made.world.add_account(name, f"{name}@example.com", made.world.root_id, roles={"OrgctlMember"})
        with made:
            monkeypatch.chdir(tmp_path)
            for name in [name for name in os.environ if name.startswith(("ORGCTL_", "AWS_"))]:
                monkeypatch.delenv(name)
            monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", made.world.management_account)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
            yield made
            errand._reader.cache_clear()
            errand._connection.cache_clear()

    def sent(self, sandbox: Sandbox, work: Any = errands.callers, run: str = "1", **settings: Any) -> bytes:
        world, given = sandbox.world, Settings(rate_multiple=1000, **settings)
        here = Here(world.organization_id, world.management_account, "aws", "us-east-1", "main", "OrgctlMember")
        external_id = given.member_external_id is not None
        return pickle.dumps(Errand(run, travelling(given), external_id, here, work, list(world.accounts)))

    def test_a_worker_signs_for_each_account_and_tells_of_every_call(self, sandbox: Sandbox) -> None:
        answer = perform(versions(), self.sent(sandbox))

        assert answer.brought is not None
        brought = pickle.loads(answer.brought)
        assert brought.result == [(account, account) for account in sandbox.world.accounts]
        told = Counter(record.action for record in brought.records)
        assert told == Counter(entry["operation"] for entry in sandbox.world.log)
        assert told == {"sts:AssumeRole": 2, "sts:GetCallerIdentity": 4}

    def test_it_keeps_its_connection_and_credentials_from_one_run_to_the_next(self, sandbox: Sandbox) -> None:
        perform(versions(), self.sent(sandbox, run="1"))
        answer = perform(versions(), self.sent(sandbox, run="2"))

        assert answer.brought is not None
        assert [record.action for record in pickle.loads(answer.brought).records] == ["sts:GetCallerIdentity"] * 3

    def test_outside_of_the_management_account_its_own_credentials_are_not_the_controllers(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would read its own account and call it the management account."""
        member = next(a.id for a in sandbox.world.accounts.values() if a.name == "a")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", member)

        answer = perform(versions(), self.sent(sandbox))

        assert answer.brought is None
        assert "sts:AssumeRole" in answer.trouble and sandbox.world.management_account in answer.trouble

    def test_no_secret_travels(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")

        sent = self.sent(sandbox, member_external_id="xyzzy", api_token="t0ken")

        assert not [secret for secret in (b"s3cret", b"xyzzy", b"t0ken") if secret in sent]

    def test_a_worker_takes_the_external_id_from_its_own_environment(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sandbox.world.data["sts"]["external_ids"]["OrgctlMember"] = "xyzzy"
        sent = self.sent(sandbox, member_external_id="xyzzy")

        assert "ORGCTL_MEMBER_EXTERNAL_ID" in perform(versions(), sent).trouble
        monkeypatch.setenv("ORGCTL_MEMBER_EXTERNAL_ID", "xyzzy")
        assert perform(versions(), sent).trouble == ""

    def test_a_worker_without_credentials_says_so(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

        assert "no AWS credentials" in perform(versions(), self.sent(sandbox)).trouble

    def test_a_worker_of_another_version_does_not_even_open_it(self) -> None:
        answer = perform({**versions(), "orgctl": "0.0.1"}, b"whatever that version means")

        assert answer.brought is None
        assert "not 0.0.1" in answer.trouble and "python" not in answer.trouble

    def test_errors_of_single_accounts_come_back_as_they_were(self, sandbox: Sandbox) -> None:
        sandbox.faults.add(operation="securityhub:DescribeHub", kind="error", code="AccessDeniedException")

        answer = perform(versions(), self.sent(sandbox, errands.refused))

        assert answer.brought is not None
        found = pickle.loads(answer.brought).result
        assert [type(error) for error in found] == [Denied] * 3
        assert {error.account for error in found} == {None, *sandbox.world.accounts} - {
            sandbox.world.management_account
        }


@pytest.mark.parametrize("type_", [AwsError, Throttled, InProgress])
def test_an_error_is_the_same_after_a_journey(type_: type[AwsError]) -> None:
    error = type_("sso:Do", "Code", "why", reason="R", request_id="r-1", account="1" * 12, region="eu-west-1")

    arrived = pickle.loads(pickle.dumps(error))

    assert type(arrived) is type_ and str(arrived) == str(error) and vars(arrived) == vars(error)


class TestWithoutACluster:
    """The kind is incomplete, and says what to do. It is not read here instead: that might take hours."""

    @pytest.fixture
    def town(self) -> Iterator[Town]:
        made = Town(executor="dask://127.0.0.1:9")
        yield made
        made.close()

    def test_a_scheduler_that_cannot_be_reached(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
        assert_nothing_planned(town, r"scheduler at tcp://127.0.0.1:9 cannot be reached.*`executor`")

    def test_an_installation_without_the_extra(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "distributed", None)
        assert_nothing_planned(town, r"pip install 'orgctl\[cluster\]'")


def assert_nothing_planned(town: Town, why: str) -> None:
    plan = town.plan(HUB)

    assert [(one.kind, one.key) for one in plan.incomplete] == [("security_hub", None)]
    assert re.search(why, plan.incomplete[0].why)
    assert plan.changes == ()
