"""Policies: their text, where they are attached, and which types of them are on."""

from __future__ import annotations

import json
from typing import Any

from controller.sandbox.organizations.base import PAGE, constraint, invalid
from controller.sandbox.organizations.tree import Tree
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Refused, SimPolicy

LONGEST = {"SERVICE_CONTROL_POLICY": 10_240, "RESOURCE_CONTROL_POLICY": 5_120, "AISERVICES_OPT_OUT_POLICY": 2_500}
"""Characters of a document; 10,000 for the other types."""
FEWEST = {"SERVICE_CONTROL_POLICY": 1, "RESOURCE_CONTROL_POLICY": 1}
"""Direct attachments of a type that every root, OU and account keeps; 0 for the other types."""
MOST = {"RESOURCE_CONTROL_POLICY": 5, "CHATBOT_POLICY": 5, "AISERVICES_OPT_OUT_POLICY": 5}
"""Direct attachments of a type on one root, OU or account; 10 for the other types."""
SERVICE_OF = {"SECURITYHUB_POLICY": "securityhub.amazonaws.com"}
"""Type → the service that has to have access; the one that the API reference gives as its example."""
MOST_OF_TYPE = {"SERVICE_CONTROL_POLICY": 10_000, "RESOURCE_CONTROL_POLICY": 2_000}
"""Policies of a type in an organization; 1,000 for the other types."""


class Policies(Tree):
    def policy(self, id: str) -> SimPolicy:
        found = self.world.policies.get(id)
        if found is None:
            raise Refused("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
        return found

    def resource_arn(self, id: str) -> str | None:
        """The ARN of the root, OU, account or policy that has this id."""
        if policy := self.world.policies.get(id):
            arn: str = self.summary(policy)["Arn"]
            return arn
        return self.target(id)["Arn"] if id in self.world.attached else None

    def target(self, id: str) -> dict[str, str]:
        """PolicyTargetSummary of a root, OU or account."""
        if account := self.world.accounts.get(id):
            return {"TargetId": id, "Arn": self.arn("account", id), "Name": account.name, "Type": "ACCOUNT"}
        unit = self.world.units.get(id)
        if unit is None:
            message = "We can't find a root, OU, or account with the TargetId that you specified."
            raise Refused("TargetNotFoundException", message)
        if unit.parent is None:
            return {"TargetId": id, "Arn": self.arn("root", id), "Name": unit.name, "Type": "ROOT"}
        return {"TargetId": id, "Arn": self.arn("ou", id), "Name": unit.name, "Type": "ORGANIZATIONAL_UNIT"}

    def summary(self, policy: SimPolicy) -> dict[str, Any]:
        place = f"{policy.type.lower()}/{policy.id}"
        own = f"arn:{self.world.partition}:organizations::aws:policy/{place}"
        return {
            "Id": policy.id,
            "Arn": own if policy.aws_managed else self.arn("policy", place),
            "Name": policy.name,
            "Description": policy.description,
            "Type": policy.type,
            "AwsManaged": policy.aws_managed,
        }

    def describe_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        policy = self.policy(request["PolicyId"])
        return {"Policy": {"PolicySummary": self.summary(policy), "Content": policy.content}}

    def list_policies(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        type = request["Filter"]
        chunk, more = page(
            self.world, [each for each in self.world.policies.values() if each.type == type], request, size=PAGE
        )
        return {"Policies": [self.summary(each) for each in chunk], **more}

    def list_policies_for_target(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        type = request["Filter"]
        self.target(request["TargetId"])
        attached = [self.world.policies[id] for id in self.world.attached[request["TargetId"]]]
        chunk, more = page(self.world, [each for each in attached if each.type == type], request, size=PAGE)
        return {"Policies": [self.summary(each) for each in chunk], **more}

    def list_targets_for_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        chunk, more = page(self.world, list(self.policy(request["PolicyId"]).targets), request, size=PAGE)
        return {"Targets": [self.target(id) for id in chunk], **more}

    def create_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        type, name = request["Type"], self.check_text(request["Name"])
        content, description = request["Content"], self.check_text(request["Description"])
        self._check_content(type, content)
        self._check_unique_policy(type, name)
        number = sum(each.type == type for each in self.world.policies.values())
        if number >= MOST_OF_TYPE.get(type, 1_000) and self.world.rule("policy-number"):
            raise constraint("POLICY_NUMBER_LIMIT_EXCEEDED", f"You have exceeded the number of {type} documents.")
        tags = self.check_tags(request.get("Tags"))
        policy = self.world.add_policy(name, type, content, description, tags=tags)
        return {"Policy": {"PolicySummary": self.summary(policy), "Content": content}}

    def update_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        policy = self.policy(request["PolicyId"])
        self._check_mutable(policy)
        name = self.check_text(request.get("Name", policy.name))
        content = request.get("Content", policy.content)
        description = self.check_text(request.get("Description", policy.description))
        self._check_content(policy.type, content)
        if name != policy.name:
            self._check_unique_policy(policy.type, name)
        policy.name, policy.content, policy.description = name, content, description
        return {"Policy": {"PolicySummary": self.summary(policy), "Content": content}}

    def delete_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        policy = self.policy(request["PolicyId"])
        self._check_mutable(policy)
        if policy.targets and self.world.rule("policy-in-use"):
            message = "The policy is attached to one or more entities. You must detach it from all of them first."
            raise Refused("PolicyInUseException", message)
        for target in list(policy.targets):
            self.world.detach(policy.id, target)
        del self.world.policies[policy.id]
        return {}

    def attach_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        policy, target = self.policy(request["PolicyId"]), request["TargetId"]
        self.target(target)
        if self.world.policy_type_status(policy.type) != "ENABLED" and self.world.rule("type-enabled"):
            message = "The specified policy type isn't currently enabled in this root."
            raise Refused("PolicyTypeNotEnabledException", message)
        if target in policy.targets:
            message = "The selected policy is already attached to the specified target."
            raise Refused("DuplicatePolicyAttachmentException", message)
        most = MOST.get(policy.type, 10)
        if self._count(policy.type, target) >= most and self.world.rule("attachments-max"):
            message = f"You attempted to exceed the {most} policies of that type that can be attached to an entity."
            raise constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message)
        self.world.attach(policy.id, target)
        return {}

    def detach_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        policy, target = self.policy(request["PolicyId"]), request["TargetId"]
        self.target(target)
        if target not in policy.targets:
            message = "The policy isn't attached to the specified target in the specified root."
            raise Refused("PolicyNotAttachedException", message)
        keeps = self.world.rule("attachments-min")
        if policy.id == "p-RCPFullAWSAccess" and keeps:
            raise invalid("NON_DETACHABLE_POLICY", "You can't detach RCPFullAWSAccess.")
        if self._count(policy.type, target) <= FEWEST.get(policy.type, 0) and keeps:
            message = "You attempted to remove the last policy of that type from an entity that must keep one."
            raise constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", message)
        self.world.detach(policy.id, target)
        return {}

    def enable_policy_type(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """AWS's own policies of the type go on everything at once; the type is usable when the delay is over."""
        type = self._root_and_type(request)
        status = self.world.policy_type_status(type)
        if status == "PENDING_DISABLE":
            raise _in_progress()
        if status:
            raise Refused("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")
        lacks_access = type in SERVICE_OF and SERVICE_OF[type] not in self.world.trusted_services
        if lacks_access and self.world.rule("service-access-and-types"):
            message = "You attempted to enable a policy type before you enabled service access."
            raise constraint("SERVICE_ACCESS_NOT_ENABLED", message)
        self.world.policy_types[type] = ("ENABLED", self.world.due("EnablePolicyType"))
        self.world.attach_default(type)
        return {"Root": self.root_shape()}

    def disable_policy_type(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Every policy of the type is detached from everything."""
        type = self._root_and_type(request)
        status = self.world.policy_type_status(type)
        if status == "PENDING_ENABLE":
            raise _in_progress()
        if status != "ENABLED":
            message = "The specified policy type isn't currently enabled in this root."
            raise Refused("PolicyTypeNotEnabledException", message)
        self.world.policy_types[type] = ("DISABLED", self.world.due("DisablePolicyType"))
        for policy in self.world.policies.values():
            if policy.type == type:
                for target in list(policy.targets):
                    self.world.detach(policy.id, target)
        return {"Root": self.root_shape()}

    def _count(self, type: str, target: str) -> int:
        return sum(self.world.policies[id].type == type for id in self.world.attached[target])

    def _root_and_type(self, request: dict[str, Any]) -> str:
        if request["RootId"] != self.world.root_id:
            raise Refused("RootNotFoundException", "We can't find a root with the RootId that you specified.")
        type: str = request["PolicyType"]
        return type

    def _check_mutable(self, policy: SimPolicy) -> None:
        if policy.aws_managed and self.world.rule("aws-managed-policies"):
            raise invalid("IMMUTABLE_POLICY", "You specified a policy that is managed by AWS and can't be modified.")

    def _check_unique_policy(self, type: str, name: str) -> None:
        of_type, policies = self.world.rule("policy-names-per-type"), self.world.policies.values()
        taken = any(each.name == name and (each.type == type or not of_type) for each in policies)
        if taken and self.world.rule("policy-names"):
            raise Refused("DuplicatePolicyException", "A policy with the same name already exists.")

    def _check_content(self, type: str, content: str) -> None:
        """Refuse a document that is too long, is no JSON object, or has what its type of policy cannot have."""
        longest = LONGEST.get(type, 10_000)
        if len(content) > longest and self.world.rule("policy-size"):
            message = f"You attempted to create a policy that is larger than the maximum size of {longest} characters."
            raise constraint("POLICY_CONTENT_LIMIT_EXCEEDED", message)
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        well_formed = isinstance(document, dict) and document and _grammatical(type, document)
        if not well_formed and self.world.rule("policy-grammar"):
            raise Refused(
                "MalformedPolicyDocumentException",
                "The provided policy document does not meet the requirements of the specified policy type.",
            )


def _grammatical(type: str, document: dict[str, Any]) -> bool:
    """What the user guide's syntax pages of SCPs and RCPs demand of each statement; other types are not looked into."""
    if type not in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        return True
    given = document.get("Statement")
    statements: list[Any] = given if isinstance(given, list) else [given]
    if not statements or not all(isinstance(each, dict) for each in statements):
        return False
    if type == "SERVICE_CONTROL_POLICY":
        return all(
            each.get("Effect") in ("Allow", "Deny")
            and not {"Principal", "NotPrincipal"} & each.keys()
            and ("Action" in each) != ("NotAction" in each)
            for each in statements
        )
    return all(
        each.get("Effect") == "Deny" and each.get("Principal") == "*" and "Action" in each for each in statements
    )


def _in_progress() -> Refused:
    message = "Changes to the effective policy are in progress, and its contents can't be returned. Try again later."
    return Refused("PolicyChangesInProgressException", message)
