"""Controls: what they are, whether they are on in each standard, turning them on and off."""

from __future__ import annotations

from typing import Any

from controller.catalogue.security_hub import CONTROLS, Control, is_service_managed, standard_arn, standard_of
from controller.sandbox.pages import page
from controller.sandbox.security_hub.standards import Standards
from controller.sandbox.security_hub.state import Disabled, Hub, Place, arn_of, control_ids_of, controls_of, hubs
from controller.sandbox.world import Caller, Refused

Json = dict[str, Any]


class Controls(Standards):
    """Operations on controls, of the older kind (per standard) and the newer (associations)."""

    # The catalogue

    def list_security_control_definitions(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        self._hub(place)
        found: list[Control] = list(CONTROLS.values())
        if arn := request.get("StandardsArn"):
            name = standard_of(arn)
            if name not in hubs(self.world).standards(place[1]):
                raise Refused("InvalidInputException", f"{arn} is not a standard of {place[1]}.")
            found = list(controls_of(name))
        chunk, token = page(self.world, found, request, size=100)
        return {"SecurityControlDefinitions": [self._define(place, one) for one in chunk], **token}

    def get_security_control_definition(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        self._hub(place)
        id = request["SecurityControlId"]
        if id not in CONTROLS:
            raise Refused("ResourceNotFoundException", f"There is no control {id}.")
        return {"SecurityControlDefinition": self._define(place, CONTROLS[id])}

    def batch_get_security_controls(self, caller: Caller, request: Json) -> Json:
        """A control is on where it is on in any standard that is."""
        place = self._place(caller)
        hub = self._hub(place)
        self._at_most(request["SecurityControlIds"])
        found, unknown = [], []
        for text in request["SecurityControlIds"]:
            id = text.rsplit("/", 1)[-1]
            if id in CONTROLS and id not in hubs(self.world).missing_controls.get(place[1], ()):
                found.append(self._control(place, hub, CONTROLS[id]))
            else:
                unknown.append({"SecurityControlId": text, "ErrorCode": "RESOURCE_NOT_FOUND"})
        return {"SecurityControls": found, "UnprocessedIds": unknown}

    # Associations

    def list_standards_control_associations(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        hub = self._hub(place)
        id = request["SecurityControlId"].rsplit("/", 1)[-1]
        if id not in CONTROLS:
            raise Refused("InvalidInputException", f"There is no control {id}.")
        chunk, token = page(
            self.world, [name for name in hub.subscriptions if self._on(place, hub, name, id)], request, size=100
        )
        return {
            "StandardsControlAssociationSummaries": [self._association(place, hub, name, id) for name in chunk],
            **token,
        }

    def batch_get_standards_control_associations(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        hub = self._hub(place)
        asked = request["StandardsControlAssociationIds"]
        self._at_most(asked)
        found, unknown, usual = [], [], self.world.rule("control-of-standard-off")
        for one in asked:
            name, id = standard_of(one["StandardsArn"]), one["SecurityControlId"].rsplit("/", 1)[-1]
            if self._on(place, hub, name, id):
                legacy = self._control_arn(place, name, id)
                found.append({**self._association(place, hub, name, id), "StandardsControlArns": [legacy]})
            else:
                unknown.append(
                    {
                        "StandardsControlAssociationId": one,
                        "ErrorCode": "RESOURCE_NOT_FOUND" if usual else "NOT_FOUND",
                        "ErrorReason": "The control is in no standard of that ARN that is enabled and ready.",
                    }
                )
        return {"StandardsControlAssociationDetails": found, "UnprocessedAssociations": unknown}

    def batch_update_standards_control_associations(self, caller: Caller, request: Json) -> Json:
        """What cannot be done is answered one by one; the rest is done."""
        place = self._place(caller)
        hub = self._hub(place)
        self._self_managed(place)
        updates = request["StandardsControlAssociationUpdates"]
        self._at_most(updates)
        refused = []
        for update in updates:
            if problem := self._problem(place, hub, update):
                code, reason = problem
                refused.append({"StandardsControlAssociationUpdate": update, "ErrorCode": code, "ErrorReason": reason})
                continue
            name, id = standard_of(update["StandardsArn"]), update["SecurityControlId"].rsplit("/", 1)[-1]
            self._switch(hub, name, id, update["AssociationStatus"], update.get("UpdatedReason"))
        return {"UnprocessedAssociationUpdates": refused}

    # The older kind

    def describe_standards_controls(self, caller: Caller, request: Json) -> Json:
        """None while the standard is not ready."""
        place = self._place(caller)
        hub = self._hub(place)
        name = self._subscribed(place, hub, request["StandardsSubscriptionArn"])
        ready = self._updatable(place, hub.subscriptions[name])
        found = list(hubs(self.world).controls(place[1], name)) if ready else []
        chunk, token = page(self.world, found, request, size=100)
        return {"Controls": [self._legacy(place, hub, name, one) for one in chunk], **token}

    def update_standards_control(self, caller: Caller, request: Json) -> Json:
        place = self._place(caller)
        hub = self._hub(place)
        self._self_managed(place)
        arn = request["StandardsControlArn"]
        name, _, id = arn.partition(":control/")[2].rpartition("/")
        if arn != self._control_arn(place, name, id):
            raise Refused("ResourceNotFoundException", f"{arn} was not found.")
        update = {
            "StandardsArn": standard_arn(self.world.partition, place[1], name),
            "SecurityControlId": id,
            "AssociationStatus": request.get("ControlStatus", "ENABLED"),
            "UpdatedReason": request.get("DisabledReason"),
        }
        if problem := self._problem(place, hub, update):
            code, reason = problem
            missing = code == "RESOURCE_NOT_FOUND"
            raise Refused(
                "ResourceNotFoundException" if missing else "InvalidInputException",
                reason,
            )
        self._switch(hub, name, id, update["AssociationStatus"], update["UpdatedReason"])
        return {}

    # What is so, and what can be done

    def _on(self, place: Place, hub: Hub, standard: str, control: str) -> bool:
        """Whether the standard is on and ready, and has the control in this Region."""
        subscription = hub.subscriptions.get(standard)
        if subscription is None or not self._updatable(place, subscription):
            return False
        return hubs(self.world).has(place[1], standard, control)

    def _problem(self, place: Place, hub: Hub, update: Json) -> tuple[str, str] | None:
        """(error code, why) for an update that cannot be made."""
        name, id = standard_of(update["StandardsArn"]), update["SecurityControlId"].rsplit("/", 1)[-1]
        subscription = hub.subscriptions.get(name)
        if update["StandardsArn"] != standard_arn(self.world.partition, place[1], name):
            return "INVALID_INPUT", f"{update['StandardsArn']} is not a standard of {place[1]}."
        if subscription is None:
            return "RESOURCE_NOT_FOUND", f"The standard {name} is not enabled."
        if is_service_managed(name):
            return "ACCESS_DENIED", f"{name} is managed by another AWS service."
        if not self._updatable(place, subscription):
            return "INVALID_INPUT", f"The controls of {name} are not ready for updates."
        if not self._on(place, hub, name, id):
            return "RESOURCE_NOT_FOUND", f"{name} has no control {id} in {place[1]}."
        if update["AssociationStatus"] == "DISABLED" and not update.get("UpdatedReason"):
            return "INVALID_INPUT", "A reason is required to disable a control."
        return None

    def _switch(self, hub: Hub, standard: str, control: str, status: str, reason: str | None) -> None:
        if status == "ENABLED":
            hub.disabled.pop((standard, control), None)
        else:
            hub.disabled[standard, control] = Disabled(reason or "", self.world.clock.now())

    def _at_most(self, items: list[Any]) -> None:
        most = self.world.rules.limit("controls-in-batch")
        if len(items) > most:
            raise Refused("InvalidInputException", f"At most {most:.0f} a call.")

    # What an answer shows

    def _control_arn(self, place: Place, standard: str, control: str) -> str:
        return arn_of(self.world, place, f"control/{standard}/{control}")

    def _define(self, place: Place, control: Control) -> Json:
        missing = hubs(self.world).missing_controls.get(place[1], ())
        return {
            "SecurityControlId": control.id,
            **_texts(control),
            "CurrentRegionAvailability": "UNAVAILABLE" if control.id in missing else "AVAILABLE",
            "CustomizableProperties": ["Parameters"] if control.parameters else [],
        }

    def _control(self, place: Place, hub: Hub, control: Control) -> Json:
        enabled = any(
            (name, control.id) not in hub.disabled for name in hub.subscriptions if control.id in control_ids_of(name)
        )
        return {
            "SecurityControlId": control.id,
            "SecurityControlArn": arn_of(self.world, place, f"security-control/{control.id}"),
            **_texts(control),
            "SecurityControlStatus": "ENABLED" if enabled else "DISABLED",
            "UpdateStatus": "READY",
        }

    def _association(self, place: Place, hub: Hub, standard: str, id: str) -> Json:
        off = hub.disabled.get((standard, id))
        shown = {
            "StandardsArn": standard_arn(self.world.partition, place[1], standard),
            "SecurityControlId": id,
            "SecurityControlArn": arn_of(self.world, place, f"security-control/{id}"),
            "AssociationStatus": "ENABLED" if off is None else "DISABLED",
            "UpdatedAt": hub.subscriptions[standard].since if off is None else off.at,
            "StandardsControlTitle": CONTROLS[id].title,
            "StandardsControlDescription": CONTROLS[id].title,
        }
        if off is not None:
            shown["UpdatedReason"] = off.reason
        return shown

    def _legacy(self, place: Place, hub: Hub, standard: str, control: Control) -> Json:
        off = hub.disabled.get((standard, control.id))
        shown = {
            "StandardsControlArn": self._control_arn(place, standard, control.id),
            "ControlStatus": "ENABLED" if off is None else "DISABLED",
            "ControlStatusUpdatedAt": hub.subscriptions[standard].since if off is None else off.at,
            "ControlId": control.id,
            **_texts(control),
        }
        if off is not None:
            shown["DisabledReason"] = off.reason
        return shown


def _texts(control: Control) -> Json:
    return {
        "Title": control.title,
        "Description": control.title,
        "RemediationUrl": f"https://docs.aws.amazon.com/console/securityhub/{control.id}/remediation",
        "SeverityRating": control.severity,
    }
