"""Standards: what is offered, what is on, turning them on and off."""

from __future__ import annotations

from typing import Any

from controller.catalogue.security_hub import STANDARDS, is_service_managed, standard_arn, standard_of
from controller.sandbox.pages import page
from controller.sandbox.security_hub.hub import Hubs
from controller.sandbox.security_hub.state import Hub, Place, Subscription, arn_of, hubs, standard_arns, title_of
from controller.sandbox.world import Caller, Refused

Json = dict[str, Any]


class Standards(Hubs):
    """Operations on standards. Turning one on or off takes AWS minutes."""

    def describe_standards(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        self._hub(place)
        offered = standard_arns(self.world, hubs(self.world), place[1])
        chunk, token = page(self.world, list(offered.items()), request, size=100)
        return {"Standards": [_describe(arn, name) for arn, name in chunk], **token}

    def batch_enable_standards(self, caller: Caller, request: Json) -> Json:
        """What is on already stays as it is and is answered with its status."""
        place = self._place(caller)
        hub = self._hub(place)
        self._self_managed(place)
        wanted = [self._offered(place, one["StandardsArn"]) for one in request["StandardsSubscriptionRequests"]]
        if not self.world.rule("standard-twice") and (twice := next((n for n in wanted if n in hub.subscriptions), "")):
            raise Refused("InvalidInputException", f"{twice} is enabled already.")
        now, ready = self.world.clock.now(), self.world.due("BatchEnableStandards")
        for name in wanted:
            if name not in hub.subscriptions:
                failure = self.world.failure("BatchEnableStandards", "INTERNAL_ERROR") or ""
                hub.enable(name, now, ready, controls=self.world.rule("controls-come-back"), incomplete=failure)
        return {"StandardsSubscriptions": [self._show(place, name, hub.subscriptions[name]) for name in wanted]}

    def batch_disable_standards(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        hub = self._hub(place)
        self._self_managed(place)
        names = [self._subscribed(place, hub, arn) for arn in request["StandardsSubscriptionArns"]]
        if managed := next(filter(is_service_managed, names), None):
            raise Refused("AccessDeniedException", f"{managed} is managed by another AWS service.")
        shown = []
        for name in names:
            going = hub.subscriptions[name]
            if going.gone is None:
                going.gone = self.world.due("BatchDisableStandards")
                going.stays = self.world.failure("BatchDisableStandards") is not None
            shown.append({**self._show(place, name, going), "StandardsStatus": "DELETING"})
        return {"StandardsSubscriptions": shown}

    def get_enabled_standards(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        hub = self._hub(place)
        names = list(hub.subscriptions)
        if only := request.get("StandardsSubscriptionArns"):
            names = [name for name in names if self._subscription_arn(place, name) in only]
        chunk, token = page(self.world, names, request, size=100)
        return {
            "StandardsSubscriptions": [self._show(place, name, hub.subscriptions[name]) for name in chunk],
            **token,
        }

    # Names and states

    def _subscription_arn(self, place: Place, standard: str) -> str:
        return arn_of(self.world, place, f"subscription/{standard}")

    def _status(self, place: Place, subscription: Subscription) -> str:
        if subscription.gone is not None:
            return "DELETING"
        if subscription.failed:
            return "FAILED"
        if self.world.clock.now() < subscription.ready:
            return "PENDING"
        return "INCOMPLETE" if self._lacks(place, subscription) else "READY"

    def _lacks(self, place: Place, subscription: Subscription) -> str:
        """StatusReasonCode of a standard that cannot check everything, or ""."""
        no_recorder = place in hubs(self.world).no_recorder
        return subscription.incomplete or ("NO_AVAILABLE_CONFIGURATION_RECORDER" if no_recorder else "")

    def _updatable(self, place: Place, subscription: Subscription) -> bool:
        """Whether its controls can be seen and turned on and off."""
        has_them = self._status(place, subscription) in ("READY", "INCOMPLETE", "FAILED")
        return has_them or not self.world.rule("standards-states")

    def _show(self, place: Place, standard: str, subscription: Subscription) -> Json:
        status = self._status(place, subscription)
        updatable = self._updatable(place, subscription)
        shown: Json = {
            "StandardsSubscriptionArn": self._subscription_arn(place, standard),
            "StandardsArn": standard_arn(self.world.partition, place[1], standard),
            "StandardsInput": {},
            "StandardsStatus": status,
            "StandardsControlsUpdatable": "READY_FOR_UPDATES" if updatable else "NOT_READY_FOR_UPDATES",
        }
        if status == "INCOMPLETE":
            shown["StandardsStatusReason"] = {"StatusReasonCode": self._lacks(place, subscription)}
        return shown

    def _offered(self, place: Place, arn: str) -> str:
        """The short form of a standard that this Region offers and a caller may turn on."""
        name = standard_arns(self.world, hubs(self.world), place[1]).get(arn)
        if name is None:
            raise Refused("InvalidInputException", f"{arn} is not a standard of {place[1]}.")
        if is_service_managed(name):
            raise Refused("AccessDeniedException", f"{name} is managed by another AWS service.")
        return name

    def _subscribed(self, place: Place, hub: Hub, arn: str) -> str:
        """The short form of a standard that is on, from its subscription's ARN."""
        name = standard_of(arn)
        if name not in hub.subscriptions or arn != self._subscription_arn(place, name):
            raise Refused("InvalidInputException", f"{arn} is not an enabled standard.")
        return name


def _describe(arn: str, name: str) -> Json:
    known = STANDARDS.get(name)
    return {
        "StandardsArn": arn,
        "Name": title_of(name),
        "Description": title_of(name),
        "EnabledByDefault": known.by_default if known else False,
        "StandardsManagedBy": {"Company": "AWS", "Product": "Security Hub" if known else "Control Tower"},
    }
