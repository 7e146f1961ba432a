"""Contacts, names and Regions of accounts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.account import OPT_IN_REGIONS
from controller.sandbox.sandbox import Sandbox
from tests.contract.aws import refusal as answer
from tests.sandbox.conftest import Client, code

CONTACT = {
    "AlternateContactType": "SECURITY",
    "Name": "SOC",
    "Title": "On call",
    "EmailAddress": "soc@example.com",
    "PhoneNumber": "+1 555 0100",
}


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return code(error)


@pytest.fixture
def member(sandbox: Sandbox) -> str:
    return sandbox.world.add_account("audit", "audit@example.com", sandbox.world.root_id).id


@pytest.fixture
def account(client: Client, sandbox: Sandbox) -> Any:
    sandbox.world.trusted_services["account.amazonaws.com"] = 0.0
    return client("account")


def test_a_contact_is_each_accounts_own(account: Any, member: str) -> None:
    account.put_alternate_contact(**CONTACT, AccountId=member)

    assert (
        account.get_alternate_contact(AlternateContactType="SECURITY", AccountId=member)["AlternateContact"] == CONTACT
    )
    assert refusal(account.get_alternate_contact, AlternateContactType="SECURITY") == "ResourceNotFoundException"


def test_a_contact_is_replaced_and_deleted(account: Any) -> None:
    account.put_alternate_contact(**CONTACT)
    account.put_alternate_contact(**{**CONTACT, "Title": "Lead"})
    assert account.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]["Title"] == "Lead"

    account.delete_alternate_contact(AlternateContactType="SECURITY")

    assert refusal(account.delete_alternate_contact, AlternateContactType="SECURITY") == "ResourceNotFoundException"


@pytest.mark.parametrize("wrong", [{"PhoneNumber": "call me"}, {"Title": "x" * 51}, {"AlternateContactType": "LEGAL"}])
def test_a_contact_that_is_none_is_refused(account: Any, wrong: dict[str, str]) -> None:
    assert refusal(account.put_alternate_contact, **{**CONTACT, **wrong}) == "ValidationException"


def test_a_member_manages_itself_only(client: Client, account: Any, member: str, sandbox: Sandbox) -> None:
    other = sandbox.world.add_account("b", "b@example.com", sandbox.world.root_id).id
    own = client("account", account=member)

    own.put_alternate_contact(**CONTACT)
    assert refusal(own.put_alternate_contact, **CONTACT, AccountId=other) == "AccessDeniedException"
    assert sandbox.world.accounts[member].contacts["SECURITY"]["Name"] == "SOC"


def test_a_region_is_turned_on_in_a_while(account: Any, member: str, sandbox: Sandbox) -> None:
    sandbox.world.accounts[member].regions_off.add("af-south-1")
    sandbox.world.delays["EnableRegion"] = 600
    place = {"AccountId": member, "RegionName": "af-south-1"}

    def status() -> str:
        found: str = account.get_region_opt_status(**place)["RegionOptStatus"]
        return found

    assert status() == "DISABLED"
    account.enable_region(**place)
    assert status() == "ENABLING"
    assert refusal(account.disable_region, **place) == "ConflictException"
    sandbox.world.clock.advance(600)
    assert status() == "ENABLED"
    assert refusal(account.disable_region, AccountId=member, RegionName="us-east-1").startswith("ValidationException")


def test_so_many_region_requests_are_open_at_a_time(account: Any, member: str, sandbox: Sandbox) -> None:
    """Account Management Reference Guide, "Quotas": 6 in an account, 50 in an organization."""
    world = sandbox.world
    world.delays["*"] = 600
    ids = [member, *(world.add_account(f"a{n}", f"a{n}@example.com", world.root_id).id for n in range(8))]

    def disable(id: str, region: str) -> str:
        return answer(account.disable_region, AccountId=id, RegionName=region)

    begun = [disable(id, region) for id in ids for region in OPT_IN_REGIONS[:6]]
    assert begun == ["accepted"] * 50 + ["TooManyRequestsException"] * 4
    sandbox.rules.off("region-requests-in-all")
    assert disable(member, OPT_IN_REGIONS[6]) == "TooManyRequestsException"


def test_an_account_that_leaves_takes_what_it_had_begun_with_it(
    account: Any, member: str, organizations: Any, sandbox: Sandbox
) -> None:
    sandbox.world.delays["DisableRegion"] = 600
    account.disable_region(AccountId=member, RegionName="af-south-1")
    sandbox.rules.off("waiting-period")
    organizations.remove_account_from_organization(AccountId=member)
    sandbox.world.clock.advance(600)

    assert organizations.describe_organization()


def test_regions_are_listed_by_status(account: Any, member: str, sandbox: Sandbox) -> None:
    sandbox.world.accounts[member].regions_off.add("af-south-1")

    found = account.list_regions(AccountId=member, RegionOptStatusContains=["DISABLED"])["Regions"]

    assert found == [{"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"}]


def test_a_name_changes_for_organizations_too(account: Any, member: str, organizations: Any) -> None:
    account.put_account_name(AccountId=member, AccountName="security-audit")

    assert organizations.describe_account(AccountId=member)["Account"]["Name"] == "security-audit"


def test_contact_information_can_be_replaced(account: Any, member: str) -> None:
    given = {**account.get_contact_information(AccountId=member)["ContactInformation"], "City": "Turin"}

    account.put_contact_information(AccountId=member, ContactInformation=given)

    assert account.get_contact_information(AccountId=member)["ContactInformation"] == given
