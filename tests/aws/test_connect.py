"""Who and where we are, and whose credentials sign which call."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from controller.aws.connect import Aws, connect
from controller.aws.credentials import RENEW_BEFORE
from controller.config import Settings
from controller.errors import AwsError, CannotConnect, Denied, Unreachable
from controller.resources.base import Live
from controller.sandbox.sandbox import Sandbox
from tests.fakes import FakeClock
from tests.resources.organization import Organization, SandboxTime, session_of


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox.create(virtual=True)


def connected(sandbox: Sandbox, access_key: str | None = "test", **settings: object) -> Aws:
    given = Settings(**{"workers": 8, "rate_multiple": 1000, **settings})  # type: ignore[arg-type]  # any setting
    return connect(given, SandboxTime(sandbox), read_only=False, session=session_of(sandbox, access_key))


def test_a_connection_knows_its_organization(sandbox: Sandbox) -> None:
    here = connected(sandbox, instance="blue", member_role="Role").here

    assert here.organization_id == sandbox.world.organization_id
    assert here.management_account == sandbox.world.management_account
    assert (here.partition, here.instance, here.member_role) == ("aws", "blue", "Role")


def test_without_credentials_it_says_where_they_may_come_from(sandbox: Sandbox) -> None:
    with pytest.raises(CannotConnect, match="AWS_PROFILE"):
        connected(sandbox, None)


@pytest.mark.parametrize(
    "variable, value", [("AWS_PROFILE", "nobodys"), ("AWS_ACCESS_KEY_ID", "half"), ("AWS_ENDPOINT_URL", "htp:/here")]
)
def test_an_aws_configuration_that_cannot_be_used_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    if variable == "AWS_ENDPOINT_URL":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv(variable, value)

    with pytest.raises(CannotConnect, match=rf"cannot be used.*({value}|[Pp]artial)"):
        connect(Settings(), FakeClock(), read_only=True)


def test_an_endpoint_where_nobody_listens_is_told_with_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(Unreachable, match=r"127.0.0.1:9.*AWS_ENDPOINT_URL"):
        connect(Settings(), FakeClock(), read_only=True)


def test_with_a_members_credentials_it_names_the_account_whose_it_needs(sandbox: Sandbox) -> None:
    member = sandbox.world.add_account("a", "a@example.com", sandbox.world.root_id)

    with pytest.raises(CannotConnect, match=sandbox.world.management_account):
        connected(sandbox, member.id)


def test_without_an_organization_it_says_so(sandbox: Sandbox) -> None:
    sandbox.faults.add(
        operation="organizations:DescribeOrganization", kind="error", code="AWSOrganizationsNotInUseException"
    )

    with pytest.raises(CannotConnect, match="in no organization"):
        connected(sandbox)


class TestMembers:
    @pytest.fixture
    def organization(self) -> Organization:
        made = Organization()
        for number in range(12):
            made.world.add_account(f"a{number}", f"a{number}@example.com", made.world.root_id, roles={"OrgctlMember"})
        return made

    def test_each_call_is_signed_for_its_own_account_whatever_the_thread(self, organization: Organization) -> None:
        reader = organization.aws.reader()
        accounts = [*organization.world.accounts, *organization.world.accounts] * 3

        def who(account: str) -> bool:
            return bool(reader.get("sts:GetCallerIdentity", account=account)["Account"] == account)

        with ThreadPoolExecutor(4) as threads:
            nested = list(threads.map(lambda _: all(reader.map(who, accounts)), range(4)))

        assert nested == [True] * 4

    def test_a_role_is_assumed_once_for_each_account_and_never_for_our_own(self, organization: Organization) -> None:
        reader = organization.aws.reader()
        accounts = list(organization.world.accounts)

        reader.map(lambda account: reader.get("sts:GetCallerIdentity", account=account), accounts * 5)

        assert organization.calls("sts:AssumeRole") == len(accounts) - 1

    def test_members_credentials_are_renewed_before_they_expire(self, organization: Organization) -> None:
        reader = organization.aws.reader()
        account = list(organization.world.accounts)[-1]
        reader.get("sts:GetCallerIdentity", account=account)
        organization.world.clock.advance((timedelta(hours=1) - RENEW_BEFORE).total_seconds() - 1)
        reader.get("sts:GetCallerIdentity", account=account)
        assert organization.calls("sts:AssumeRole") == 1
        organization.world.clock.advance(2)

        reader.get("sts:GetCallerIdentity", account=account)

        assert organization.calls("sts:AssumeRole") == 2

    def test_credentials_that_aws_calls_expired_are_fetched_again(self, organization: Organization) -> None:
        reader = organization.aws.reader()
        account = list(organization.world.accounts)[-1]
        reader.get("sts:GetCallerIdentity", account=account)
        organization.sandbox.faults.add(
            operation="sts:GetCallerIdentity", kind="error", code="ExpiredTokenException", count=1
        )

        assert reader.get("sts:GetCallerIdentity", account=account)["Account"] == account

    def test_a_role_that_is_not_there_is_denied_for_that_account_alone(self, organization: Organization) -> None:
        reader = organization.aws.reader()
        one, other, *_ = [a for a in organization.world.accounts.values() if a.roles]
        one.roles.clear()

        with pytest.raises(Denied, match=f"arn:aws:iam::{one.id}:role/OrgctlMember"):
            reader.get("sts:GetCallerIdentity", account=one.id)
        assert reader.get("sts:GetCallerIdentity", account=other.id)["Account"] == other.id

    def test_the_external_id_is_given_where_the_settings_have_one(self, organization: Organization) -> None:
        organization.world.data["sts"]["external_ids"]["OrgctlMember"] = "xyzzy"
        account = list(organization.world.accounts)[-1]
        with pytest.raises(AwsError):
            organization.aws.reader().get("sts:GetCallerIdentity", account=account)

        aws = organization.connected(Settings(member_external_id="xyzzy"))

        assert aws.reader().get("sts:GetCallerIdentity", account=account)["Account"] == account


def test_one_region_services_are_called_where_they_live_and_identity_center_at_its_home(sandbox: Sandbox) -> None:
    aws = connected(sandbox, identity_center_region="eu-west-1")
    reader = aws.reader()

    list(reader.items("organizations:ListRoots", "Roots"))
    list(reader.items("sso:ListInstances", "Instances"))
    list(reader.items("tag:GetResources", "ResourceTagMappingList"))

    regions = Counter((entry["operation"].split(":")[0], entry["region"]) for entry in sandbox.world.log)
    assert regions.keys() == {
        ("sts", "eu-west-1"),
        ("organizations", "us-east-1"),
        ("sso-admin", "eu-west-1"),
        ("resourcegroupstaggingapi", "us-east-1"),
    }


def test_a_writer_knows_the_ids_of_what_it_created(sandbox: Sandbox) -> None:
    writer = connected(sandbox).writer(Live())

    made = writer.send("organizations:CreateOrganizationalUnit", ParentId=sandbox.world.root_id, Name="A")

    assert made["OrganizationalUnit"]["Id"] in sandbox.world.units
