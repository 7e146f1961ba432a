"""Central configuration: policies for hubs, and which root, OU or account each is associated with."""

from __future__ import annotations

import re
from typing import Any

from controller.catalogue.security_hub import is_service_managed, standard_of
from controller.sandbox.pages import page
from controller.sandbox.security_hub.administration import Administration
from controller.sandbox.security_hub.state import (
    SELF_MANAGED,
    Association,
    Configuration,
    ConfigurationPolicy,
    Disabled,
    Place,
    arn_of,
    controls_of,
    hubs,
)
from controller.sandbox.world import Caller, Refused

Json = dict[str, Any]

NAME = re.compile(r"[A-Za-z0-9\-.!*/]+")
"""botocore's securityhub, CreateConfigurationPolicy, Name."""
WHY = "Central configuration"


class Central(Administration):
    """The delegated administrator's operations in the home Region, while configuration is CENTRAL.

    A policy reaches the hubs below its target at once, its standards' controls when the association is through.
    """

    def create_configuration_policy(self, caller: Caller, request: Json) -> Json:
        place = self._home(caller)
        state, now = hubs(self.world), self.world.clock.now()
        most = self.world.rules.limit("configuration-policies")
        if len(state.configuration_policies) >= most:
            raise Refused("LimitExceededException", f"There are {most:.0f} configuration policies already.")
        made = ConfigurationPolicy(
            self.world.uuid(),
            self._named(request["Name"]),
            request.get("Description", ""),
            self._judged(request["ConfigurationPolicy"]),
            now,
            now,
        )
        state.configuration_policies[made.id] = made
        return self._policy_shape(place, made)

    def get_configuration_policy(self, caller: Caller, request: Json) -> Json:
        place = self._home(caller)
        return self._policy_shape(place, self._policy(place, request["Identifier"]))

    def list_configuration_policies(self, caller: Caller, request: Json) -> Json:
        place = self._home(caller)
        state = hubs(self.world)
        chunk, token = page(self.world, list(state.configuration_policies.values()), request, size=100)
        shown = [self._policy_shape(place, one) for one in chunk]
        for one in shown:
            one["ServiceEnabled"] = one.pop("ConfigurationPolicy")["SecurityHub"].get("ServiceEnabled", False)
            del one["CreatedAt"]
        return {"ConfigurationPolicySummaries": shown, **token}

    def update_configuration_policy(self, caller: Caller, request: Json) -> Json:
        place = self._home(caller)
        found = self._policy(place, request["Identifier"])
        found.name = self._named(request.get("Name") or found.name)
        found.description = request.get("Description", found.description)
        found.updated = self.world.clock.now()
        if "ConfigurationPolicy" in request:
            found.document = self._judged(request["ConfigurationPolicy"])
            for target, id in list(hubs(self.world).policies.items()):
                if id == found.id:
                    self._begin(target)
        return self._policy_shape(place, found)

    def delete_configuration_policy(self, caller: Caller, request: Json) -> Json:
        """Only when nothing is associated with it any more (API reference, DeleteConfigurationPolicy)."""
        place = self._home(caller)
        state, found = hubs(self.world), self._policy(place, request["Identifier"])
        if found.id in state.policies.values():
            raise Refused("ResourceConflictException", "The policy is associated with a target.")
        del state.configuration_policies[found.id]
        return {}

    # Associations

    def start_configuration_policy_association(self, caller: Caller, request: Json) -> Json:
        """It is PENDING first; what it replaces at the target is gone."""
        place = self._home(caller)
        state, target = hubs(self.world), self._target(request)
        identifier = request["ConfigurationPolicyIdentifier"]
        own = identifier == SELF_MANAGED
        state.policies[target] = SELF_MANAGED if own else self._policy(place, identifier).id
        self._begin(target)
        return self._association_of(target)

    def start_configuration_policy_disassociation(self, caller: Caller, request: Json) -> Json:
        """The target inherits again, from the nearest above."""
        place = self._home(caller)
        state, target = hubs(self.world), self._target(request)
        identifier = request["ConfigurationPolicyIdentifier"]
        meant = SELF_MANAGED if identifier == SELF_MANAGED else self._policy(place, identifier).id
        if state.policies.get(target) != meant:
            raise Refused("ResourceNotFoundException", f"{identifier} is not associated with {target}.")
        del state.policies[target]
        state.associations.pop(target, None)
        self._reach(target, self.world.due("StartConfigurationPolicyAssociation"))
        return {}

    def get_configuration_policy_association(self, caller: Caller, request: Json) -> Json:
        self._home(caller)
        return self._association_of(self._target(request))

    def batch_get_configuration_policy_associations(self, caller: Caller, request: Json) -> Json:
        self._home(caller)
        found, unknown = [], []
        for one in request["ConfigurationPolicyAssociationIdentifiers"]:
            try:
                found.append(self._association_of(self._target(one)))
            except Refused as refused:
                why = {"ErrorCode": refused.code, "ErrorReason": refused.message}
                unknown.append({"ConfigurationPolicyAssociationIdentifiers": one, **why})
        return {"ConfigurationPolicyAssociations": found, "UnprocessedConfigurationPolicyAssociations": unknown}

    def list_configuration_policy_associations(self, caller: Caller, request: Json) -> Json:
        self._home(caller)
        listed = [self._association_of(target) for target in hubs(self.world).policies]
        for member, value in request.get("Filters", {}).items():
            listed = [one for one in listed if one[member] == value]
        chunk, token = page(self.world, listed, request, size=100)
        return {"ConfigurationPolicyAssociationSummaries": chunk, **token}

    # What requests refer to

    def _home(self, caller: Caller) -> Place:
        place = self._administrator(caller)
        if hubs(self.world).configurations.get(place[1], Configuration()).type != "CENTRAL":
            raise Refused(
                "AccessDeniedException",
                "Must be a Security Hub delegated administrator with Central Configuration enabled",
            )
        return place

    def _policy(self, place: Place, identifier: str) -> ConfigurationPolicy:
        """By its id or ARN."""
        found = hubs(self.world).configuration_policies.get(identifier.rpartition("/")[2])
        if found is None or identifier not in (found.id, self._arn(place, found)):
            raise Refused("ResourceNotFoundException", f"{identifier} was not found.")
        return found

    def _target(self, request: Json) -> str:
        target: str = next(iter(request.get("Target", {}).values()), "")
        if target not in self.world.accounts and target not in self.world.units:
            raise Refused("ResourceNotFoundException", f"Target {target} was not found.")
        return target

    def _named(self, name: str) -> str:
        if not NAME.fullmatch(name):
            raise Refused("InvalidInputException", "A policy's name has letters, digits and - . ! * / only.")
        return name

    def _judged(self, document: Json) -> Json:
        """API reference, SecurityHubPolicy and SecurityControlsConfiguration."""
        given = document.get("SecurityHub", {})
        controls = given.get("SecurityControlsConfiguration", {})
        names = [standard_of(arn) for arn in given.get("EnabledStandardIdentifiers", ())]
        unknown = set(names) - {*hubs(self.world).standards("")}
        if unknown or any(map(is_service_managed, names)):
            raise Refused("InvalidInputException", f"These standards cannot be configured: {', '.join(sorted(names))}.")
        if len({"EnabledSecurityControlIdentifiers", "DisabledSecurityControlIdentifiers"} & controls.keys()) > 1:
            raise Refused("InvalidInputException", "Controls are listed as enabled or as disabled, not both.")
        return document

    # What comes of it

    def _begin(self, target: str) -> None:
        operation = "StartConfigurationPolicyAssociation"
        now, due = self.world.clock.now(), self.world.due(operation)
        failure = self.world.failure(operation)
        hubs(self.world).associations[target] = Association(now, due, failure)
        if failure is None:
            self._reach(target, due)

    def _reach(self, target: str, due: float) -> None:
        """Bring every hub at or below a target to what its policy says; the self-managed stay as they are."""
        state = hubs(self.world)
        for account in self.world.accounts.values():
            if account.state != "ACTIVE" or target not in self.world.path(account.id).split("/"):
                continue
            for region in state.linked:
                policy = state.configuration_policies.get(state.policy_of(self.world, account.id, region) or "")
                if policy is not None and region not in account.regions_off:
                    self._configure((account.id, region), policy.document.get("SecurityHub", {}), due)

    def _configure(self, place: Place, says: Json, due: float) -> None:
        state, now = hubs(self.world), self.world.clock.now()
        if place[0] == self.world.management_account and place not in state.hubs:
            return  # User Guide, "View configuration policies": its hub is never turned on for it
        if not says.get("ServiceEnabled"):
            if state.administrators.get(place[1]) != place[0]:
                state.hubs.pop(place, None)
            return
        hub, wanted = self._enable(place), {standard_of(arn) for arn in says.get("EnabledStandardIdentifiers", ())}
        for name, one in hub.subscriptions.items():
            if name not in wanted and not is_service_managed(name):
                one.gone = one.gone or due
        for name in sorted(wanted & {*state.standards(place[1])} - hub.subscriptions.keys()):
            hub.enable(name, now, due)
        controls = says.get("SecurityControlsConfiguration", {})
        on, off = (controls.get(f"{word}SecurityControlIdentifiers") for word in ("Enabled", "Disabled"))
        for name in wanted:
            for control in controls_of(name):
                hub.disabled.pop((name, control.id), None)
                if control.id in (off or ()) or (on is not None and control.id not in on):
                    hub.disabled[name, control.id] = Disabled(WHY, now)

    # What an answer shows

    def _arn(self, place: Place, policy: ConfigurationPolicy) -> str:
        return arn_of(self.world, place, f"configuration-policy/{policy.id}")

    def _policy_shape(self, place: Place, policy: ConfigurationPolicy) -> Json:
        return {
            "Arn": self._arn(place, policy),
            "Id": policy.id,
            "Name": policy.name,
            **({"Description": policy.description} if policy.description else {}),
            "UpdatedAt": policy.updated,
            "CreatedAt": policy.created,
            "ConfigurationPolicy": policy.document,
        }

    def _association_of(self, target: str) -> Json:
        """The nearest policy: the target's own is APPLIED, one from above INHERITED."""
        state = hubs(self.world)
        above = [
            step for step in reversed(self.world.path(target).rstrip("/").split("/")[1:]) if step in state.policies
        ]
        if not above:
            raise Refused("ResourceNotFoundException", f"Nothing is associated with {target}.")
        association = state.associations.get(above[0], Association(0.0, 0.0))
        settled = "FAILED" if association.failure else "SUCCESS"
        kind = "ACCOUNT" if target in self.world.accounts else "ORGANIZATIONAL_UNIT"
        shown: Json = {
            "ConfigurationPolicyId": state.policies[above[0]],
            "TargetId": target,
            "TargetType": "ROOT" if target == self.world.root_id else kind,
            "AssociationType": "APPLIED" if above[0] == target else "INHERITED",
            "AssociationStatus": "PENDING" if self.world.clock.now() < association.due else settled,
            "UpdatedAt": association.since,
        }
        if shown["AssociationStatus"] == "FAILED":
            shown["AssociationStatusMessage"] = association.failure
        return shown
