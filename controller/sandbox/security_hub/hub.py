"""The hub itself: on, off, described, tagged. And what every other operation begins with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from controller.catalogue.security_hub import STANDARDS
from controller.sandbox.security_hub.state import Hub, Place, arn_of, hubs
from controller.sandbox.world import Caller, Refused, Service

Json = dict[str, Any]

TAGS = 50


class Hubs(Service):
    """Operations on the hub of the caller's account, in the Region it calls."""

    name = "securityhub"

    def enable_security_hub(self, caller: Caller, request: Json) -> Json:
        """Turns the default standards on as well, unless told not to."""
        place = self._place(caller)
        self._self_managed(place)
        if place in hubs(self.world).hubs:
            if not self.world.rule("hub-twice"):
                return {}
            raise Refused("ResourceConflictException", "Account is already subscribed to Security Hub.")
        hub = self._enable(place)
        hub.tags = dict(request.get("Tags") or {})
        hub.generator = request.get("ControlFindingGenerator") or hub.generator
        if request.get("EnableDefaultStandards", True):
            now, ready = self.world.clock.now(), self.world.due("BatchEnableStandards")
            offered = set(hubs(self.world).standards(place[1]))
            for name, standard in STANDARDS.items():
                if standard.by_default and name in offered:
                    hub.enable(name, now, ready)
        return {}

    def disable_security_hub(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        self._hub(place)
        self._self_managed(place)
        state = hubs(self.world)
        if state.administrators.get(place[1]) == place[0] and self.world.rule("hub-administrator"):
            raise Refused("InvalidInputException", "Cannot disable Security Hub on the Security Hub administrator")
        del state.hubs[place]
        return {}

    def describe_hub(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        hub = self._hub(place)
        arn = arn_of(self.world, place, "hub/default")
        if request.get("HubArn", arn) != arn:
            raise Refused("ResourceNotFoundException", f"{request['HubArn']} was not found.")
        return {
            "HubArn": arn,
            "SubscribedAt": datetime.fromtimestamp(hub.since, UTC).isoformat(timespec="milliseconds"),
            "AutoEnableControls": hub.auto_enable_controls,
            "ControlFindingGenerator": hub.generator,
        }

    def update_security_hub_configuration(self, caller: Caller, request: Json) -> Json:
        hub = self._hub(self._place(caller))
        hub.auto_enable_controls = request.get("AutoEnableControls", hub.auto_enable_controls)
        hub.generator = request.get("ControlFindingGenerator") or hub.generator
        return {}

    def tag_resource(self, caller: Caller, request: Json) -> Json:
        hub = self._tagged(caller, request)
        if len(hub.tags | request["Tags"]) > TAGS:
            raise Refused("InvalidInputException", f"A hub can have {TAGS} tags.")
        hub.tags.update(request["Tags"])
        return {}

    def untag_resource(self, caller: Caller, request: Json) -> Json:
        hub = self._tagged(caller, request)
        for key in request["TagKeys"]:
            hub.tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, caller: Caller, request: Json) -> Json:
        """A TagMap has one entry at least (botocore's securityhub shape TagMap): without tags there is none."""
        tags = self._tagged(caller, request).tags
        return {"Tags": dict(tags)} if tags else {}

    # What other operations begin with

    def _place(self, caller: Caller) -> Place:
        """Whose hub is meant.

        Raises:
            Refused: The account is not active, or has the Region turned off: its credentials are not valid there.
        """
        account = self.world.accounts.get(caller.account)
        if account is None or account.state != "ACTIVE" or caller.region in account.regions_off:
            raise Refused(
                "UnrecognizedClientException", "The security token included in the request is invalid.", status=403
            )
        return caller.account, caller.region

    def _hub(self, place: Place) -> Hub:
        found = hubs(self.world).hubs.get(place)
        if found is None:
            raise Refused("InvalidAccessException", f"Account {place[0]} is not subscribed to AWS Security Hub")
        found.settle(self.world.clock.now(), controls=self.world.rule("controls-come-back"))
        return found

    def _enable(self, place: Place) -> Hub:
        return hubs(self.world).hubs.setdefault(place, Hub(self.world.clock.now()))

    def _self_managed(self, place: Place) -> None:
        """Refuse what a centrally managed account may not do for itself (User Guide, "Central configuration")."""
        policy = hubs(self.world).policy_of(self.world, *place)
        if policy is not None and self.world.rule("central-lock-out"):
            raise Refused(
                "AccessDeniedException", f"Account {place[0]} is centrally managed by configuration policy {policy}."
            )

    def _tagged(self, caller: Caller, request: Json) -> Hub:
        place = self._place(caller)
        if request["ResourceArn"] != arn_of(self.world, place, "hub/default"):
            raise Refused("ResourceNotFoundException", f"{request['ResourceArn']} was not found.")
        found = hubs(self.world).hubs.get(place)
        if found is None:
            raise Refused("ResourceNotFoundException", f"{request['ResourceArn']} was not found.")
        return found
