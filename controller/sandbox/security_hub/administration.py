"""Security Hub for the organization: its administrator, its configuration, its members."""

from __future__ import annotations

from typing import Any

from controller.sandbox.pages import page
from controller.sandbox.security_hub.hub import Hubs
from controller.sandbox.security_hub.state import Configuration, ConfigurationPolicy, Place, arn_of, hubs
from controller.sandbox.world import Caller, Refused

Json = dict[str, Any]

SERVICE = "securityhub.amazonaws.com"


class Administration(Hubs):
    """Operations of the management account and of the delegated administrator."""

    # The management account's

    def enable_organization_admin_account(self, caller: Caller, request: Json) -> Json:
        """In this Region; the administrator's hub is turned on there, and Organizations shows it as delegated."""
        region = self._management(caller)
        state, id = hubs(self.world), request["AdminAccountId"]
        account = self.world.accounts.get(id)
        others = (set(state.administrators.values()) | set(self.world.delegated.get(SERVICE, ()))) - {id}
        if account is None or account.state != "ACTIVE" or id == self.world.management_account:
            raise Refused("InvalidInputException", f"{id} is not an active member account.")
        if others:
            raise Refused("InvalidInputException", f"{min(others)} is the administrator already.")
        now = self.world.clock.now()
        state.administrators[region] = id
        self.world.trusted_services.setdefault(SERVICE, now)
        self.world.delegated.setdefault(SERVICE, {}).setdefault(id, now)
        self._enable((id, region))
        return {"AdminAccountId": id, "Feature": "SecurityHub"}

    def disable_organization_admin_account(self, caller: Caller, request: Json) -> Json:
        region = self._management(caller)
        state, id = hubs(self.world), request["AdminAccountId"]
        if state.administrators.get(region) != id:
            raise Refused("InvalidInputException", f"{id} is not the administrator in {region}.")
        if any(one.type == "CENTRAL" for one in state.configurations.values()):
            raise Refused("InvalidInputException", "Central configuration has to be turned off first.")
        del state.administrators[region]
        if id not in state.administrators.values():
            self.world.delegated.get(SERVICE, {}).pop(id, None)
        return {}

    def list_organization_admin_accounts(self, caller: Caller, request: Json) -> Json:
        region = self._management(caller)
        admin = hubs(self.world).administrators.get(region)
        listed = [{"AccountId": admin, "Status": "ENABLED"}] if admin else []
        chunk, token = page(self.world, listed, request, size=10)
        return {"AdminAccounts": chunk, "Feature": "SecurityHub", **token}

    # The administrator's

    def describe_organization_configuration(self, caller: Caller, request: Json) -> Json:
        place = self._administrator(caller)
        state = hubs(self.world)
        found = state.configurations.get(place[1], Configuration())
        settled = "FAILED" if found.failed else "ENABLED"
        status = "PENDING" if self.world.clock.now() < found.settled else settled
        return {
            "AutoEnable": found.auto_enable,
            "MemberAccountLimitReached": False,
            "AutoEnableStandards": found.auto_enable_standards,
            "OrganizationConfiguration": {
                "ConfigurationType": found.type,
                "Status": "DISABLED" if state.by_organization_policy else status,
            },
        }

    def update_organization_configuration(self, caller: Caller, request: Json) -> Json:
        """Going CENTRAL needs the aggregator, and puts the whole organization under one policy, as the console does."""
        place = self._administrator(caller)
        state = hubs(self.world)
        found = state.configurations.setdefault(place[1], Configuration())
        type = request.get("OrganizationConfiguration", {}).get("ConfigurationType", found.type)
        if type == "CENTRAL" and (not state.linked or state.linked[0] != place[1]):
            raise Refused("InvalidInputException", "Central configuration needs a finding aggregator in this Region.")
        if type == "CENTRAL" and request["AutoEnable"]:
            raise Refused("InvalidInputException", "AutoEnable must be false with CENTRAL.")
        found.auto_enable = request["AutoEnable"]
        found.auto_enable_standards = request.get("AutoEnableStandards", found.auto_enable_standards)
        if type != found.type:
            found.type, found.settled = type, self.world.due("UpdateOrganizationConfiguration")
            found.failed = self.world.failure("UpdateOrganizationConfiguration") is not None
            state.policies, state.associations, state.configuration_policies = {}, {}, {}
            if type == "CENTRAL":
                recommended = {"SecurityHub": {"ServiceEnabled": True}}
                now, id = self.world.clock.now(), self.world.uuid()
                first = ConfigurationPolicy(id, "configuration-policy-01", "Recommended", recommended, now, now)
                state.configuration_policies[id] = first
                state.policies[self.world.root_id] = id
        return {}

    def create_finding_aggregator(self, caller: Caller, request: Json) -> Json:
        place = self._administrator(caller)
        state = hubs(self.world)
        if state.linked:
            raise Refused("InvalidInputException", "There is a finding aggregator already.")
        mode, regions = request["RegionLinkingMode"], request.get("Regions") or []
        governed = {region for _, region in state.hubs}
        linked = set(regions) if mode == "SPECIFIED_REGIONS" else governed
        if mode == "ALL_REGIONS_EXCEPT_SPECIFIED":
            linked -= set(regions)
        if mode == "NO_REGIONS":
            linked = set()
        state.linked = (place[1], *sorted(linked - {place[1]}))
        state.linking = (mode, tuple(regions))
        return self._describe_aggregator(place)

    def get_finding_aggregator(self, caller: Caller, request: Json) -> Json:
        place = self._administrator(caller)
        if not hubs(self.world).linked or request["FindingAggregatorArn"] != self._aggregator(place):
            raise Refused("ResourceNotFoundException", f"{request['FindingAggregatorArn']} was not found.")
        return self._describe_aggregator(place)

    def list_finding_aggregators(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        self._hub(place)
        state = hubs(self.world)
        home = state.linked[0] if state.linked else None
        admin = state.administrators.get(home or "")
        listed = [{"FindingAggregatorArn": self._aggregator((admin, home))}] if admin and home else []
        return {"FindingAggregators": listed}

    def list_members(self, caller: Caller, request: Json) -> Json:
        """The organization's other accounts that have a hub in this Region; none unless asked by the administrator."""
        account, region = place = self._place(caller)
        self._hub(place)
        state = hubs(self.world)
        mine = state.administrators.get(region) == account
        ids = [id for id, at in state.hubs if at == region and id != account and id in self.world.accounts]
        chunk, token = page(self.world, ids if mine else [], request, size=50)
        return {"Members": [self._member(id, account) for id in chunk], **token}

    def get_administrator_account(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        self._hub(place)
        admin = hubs(self.world).administrators.get(place[1])
        if admin is None or admin == place[0]:
            return {}
        return {"Administrator": {"AccountId": admin, "MemberStatus": "Enabled"}}

    # Who may, and what an answer shows

    def _management(self, caller: Caller) -> str:
        """The Region, for calls of the management account only."""
        if caller.account != self.world.management_account and self.world.rule("hub-callers"):
            raise Refused("AccessDeniedException", "Only the organization's management account may do this.")
        return caller.region

    def _administrator(self, caller: Caller) -> Place:
        place = self._place(caller)
        if hubs(self.world).administrators.get(place[1]) != place[0] and self.world.rule("hub-callers"):
            raise Refused(
                "AccessDeniedException",
                "Must be a Security Hub delegated administrator with Central Configuration enabled",
            )
        self._hub(place)
        return place

    def _member(self, id: str, administrator: str) -> Json:
        account = self.world.accounts[id]
        return {
            "AccountId": id,
            "Email": account.email,
            "MasterId": administrator,
            "AdministratorId": administrator,
            "MemberStatus": "Enabled" if account.state == "ACTIVE" else "AccountSuspended",
        }

    def _describe_aggregator(self, place: Place) -> Json:
        mode, regions = hubs(self.world).linking
        return {
            "FindingAggregatorArn": self._aggregator(place),
            "FindingAggregationRegion": place[1],
            "RegionLinkingMode": mode,
            "Regions": list(regions),
        }

    def _aggregator(self, place: Place) -> str:
        return arn_of(self.world, place, "finding-aggregator/orgctl-sandbox")
