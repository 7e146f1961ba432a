"""AWS Account Management: contacts, names and Regions of accounts."""

from __future__ import annotations

from typing import Any

from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Job, Refused, Service, SimAccount

REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
)
"""On in every account, for ever."""
OPT_IN_REGIONS = (
    "af-south-1",
    "ap-east-1",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
)
"""Off in an account until it turns them on (`SimAccount.regions_off` names those that are off)."""
CONTACT = ("Name", "Title", "EmailAddress", "PhoneNumber")
"""An alternate contact's own fields."""


class Account(Service):
    """State in ``world.data["account"]``: ``regions``, Jobs by (account, Region); ``primary``, contacts by account."""

    name = "account"

    @property
    def _jobs(self) -> dict[tuple[str, str], Job]:
        found: dict[tuple[str, str], Job] = self._state.setdefault("regions", {})
        return found

    @property
    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.world.data.setdefault("account", {})
        return found

    def settle(self) -> None:
        for (account, region), job in list(self._jobs.items()):
            if job.due <= self.world.clock.now():
                del self._jobs[account, region]
                if account in self.world.accounts:  # it may have left meanwhile
                    off = self.world.accounts[account].regions_off
                    (off.discard if job.detail["to"] == "ENABLED" else off.add)(region)

    def _subject(self, caller: Caller, request: dict[str, Any]) -> SimAccount:
        """The account that is meant.

        AccountId is for the management account and delegated administrators of account.amazonaws.com, needs trusted
        access, and "the management account can't specify its own AccountId" (API reference, PutAlternateContact).
        """
        world = self.world
        given = request.get("AccountId")
        if given is None:
            if caller.account not in world.accounts:
                raise Refused("AccessDeniedException", "Accounts outside the organization are not simulated.")
            return world.accounts[caller.account]
        if given == world.management_account and caller.account == given:
            raise Refused("AccessDeniedException", "The management account must omit AccountId to act on itself.")
        delegated = world.delegated.get("account.amazonaws.com", {})
        if caller.account != world.management_account and caller.account not in delegated:
            raise Refused("AccessDeniedException", f"User is not authorized to act on account {given}.")
        if "account.amazonaws.com" not in world.trusted_services:
            message = "Trusted access for AWS Account Management (account.amazonaws.com) is not enabled."
            raise Refused("AccessDeniedException", message)
        if given not in world.accounts or given == world.management_account:
            raise Refused("AccessDeniedException", f"Account {given} is not a member of your organization.")
        return world.accounts[given]

    def get_alternate_contact(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["AlternateContactType"]
        found = self._subject(caller, request).contacts.get(kind)
        if found is None:
            raise Refused("ResourceNotFoundException", "No contact of the inputted alternate contact type found.")
        return {"AlternateContact": {"AlternateContactType": kind, **found}}

    def put_alternate_contact(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        kind, account = request["AlternateContactType"], self._subject(caller, request)
        account.contacts[kind] = {field: request[field] for field in CONTACT}
        return {}

    def delete_alternate_contact(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["AlternateContactType"]
        if self._subject(caller, request).contacts.pop(kind, None) is None:
            raise Refused("ResourceNotFoundException", "No contact of the inputted alternate contact type found.")
        return {}

    def get_contact_information(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self._subject(caller, request)
        made_up = {
            "FullName": account.name,
            "AddressLine1": "1 Example Street",
            "City": "Seattle",
            "PostalCode": "98101",
            "CountryCode": "US",
            "PhoneNumber": "+1 555 0100",
        }
        return {"ContactInformation": self._state.get("primary", {}).get(account.id, made_up)}

    def put_contact_information(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self._subject(caller, request)
        self._state.setdefault("primary", {})[account.id] = dict(request["ContactInformation"])
        return {}

    def get_account_information(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self._subject(caller, request)
        return {"AccountId": account.id, "AccountName": account.name, "AccountCreatedDate": account.joined}

    def put_account_name(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account, name = self._subject(caller, request), request["AccountName"]
        account.name = name
        return {}

    def list_regions(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self._subject(caller, request)
        wanted = request.get("RegionOptStatusContains")
        regions = [(name, self._status(account, name)) for name in (*REGIONS, *OPT_IN_REGIONS)]
        chosen = [each for each in regions if not wanted or each[1] in wanted]
        chunk, more = page(self.world, chosen, request, size=50)
        return {"Regions": [{"RegionName": name, "RegionOptStatus": status} for name, status in chunk], **more}

    def get_region_opt_status(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account, region = self._subject(caller, request), self._region(request)
        return {"RegionName": region, "RegionOptStatus": self._status(account, region)}

    def enable_region(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return self._opt(caller, request, "EnableRegion", "ENABLED")

    def disable_region(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return self._opt(caller, request, "DisableRegion", "DISABLED")

    def _opt(self, caller: Caller, request: dict[str, Any], operation: str, to: str) -> dict[str, Any]:
        account, region = self._subject(caller, request), self._region(request)
        if region in REGIONS:
            raise _invalid(f"{region} is enabled by default and cannot be changed.")
        if (account.id, region) in self._jobs:
            raise Refused("ConflictException", f"A change of {region} is in progress.")
        most = self.world.rules.limit("region-requests")
        if sum(id == account.id for id, _ in self._jobs) >= most:
            raise Refused("TooManyRequestsException", f"At most {most:.0f} Region requests can be open.")
        most = self.world.rules.limit("region-requests-in-all")
        if len(self._jobs) >= most:
            raise Refused("TooManyRequestsException", f"At most {most:.0f} can be open in an organization.")
        if self._status(account, region) != to:
            self._jobs[account.id, region] = Job(region, self.world.due(operation), {"to": to})
        return {}

    def _status(self, account: SimAccount, region: str) -> str:
        if region in REGIONS:
            return "ENABLED_BY_DEFAULT"
        if job := self._jobs.get((account.id, region)):
            return {"ENABLED": "ENABLING", "DISABLED": "DISABLING"}[job.detail["to"]]
        return "DISABLED" if region in account.regions_off else "ENABLED"

    def _region(self, request: dict[str, Any]) -> str:
        region: str = request["RegionName"]
        if region not in REGIONS and region not in OPT_IN_REGIONS:
            raise _invalid(f"{region} is no Region.")
        return region


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message, reason="fieldValidationFailed")
