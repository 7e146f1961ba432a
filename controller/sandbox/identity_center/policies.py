"""The policies in a permission set: inline, AWS-managed, customer-managed, and its boundary."""

from __future__ import annotations

import json
from typing import Any

from controller.sandbox.identity_center.instance import Instance
from controller.sandbox.identity_center.state import PermissionSet
from controller.sandbox.identity_store import pages
from controller.sandbox.world import Caller, Refused

Json = dict[str, Any]


class Policies(Instance):
    """Every edit stays in the permission set until it is provisioned."""

    def put_inline_policy_to_permission_set(self, caller: Caller, request: Json) -> Json:
        text = request["InlinePolicy"]
        self._judge(text)
        self._to_edit(caller, request).inline = text
        return {}

    def get_inline_policy_for_permission_set(self, caller: Caller, request: Json) -> Json:
        """Nothing where there is none."""
        text = self._permission_set(self._open(caller, request), request).inline
        return {"InlinePolicy": text} if text or not self.world.rule("no-inline-policy") else {}

    def delete_inline_policy_from_permission_set(self, caller: Caller, request: Json) -> Json:
        self._to_edit(caller, request).inline = ""
        return {}

    def attach_managed_policy_to_permission_set(self, caller: Caller, request: Json) -> Json:
        arn = request["ManagedPolicyArn"]
        found = self._to_edit(caller, request)
        if arn in found.managed:
            raise Refused("ConflictException", f"{arn} is already attached to {found.name}.")
        self._room(found)
        found.managed[arn] = None
        return {}

    def detach_managed_policy_from_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._to_edit(caller, request)
        if request["ManagedPolicyArn"] not in found.managed:
            raise Refused("ResourceNotFoundException", f"{request['ManagedPolicyArn']} is not attached.")
        del found.managed[request["ManagedPolicyArn"]]
        return {}

    def list_managed_policies_in_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._permission_set(self._open(caller, request), request)
        chunk, token = pages(self.world, list(found.managed), request)
        return {"AttachedManagedPolicies": [{"Name": arn.rsplit("/", 1)[1], "Arn": arn} for arn in chunk], **token}

    def attach_customer_managed_policy_reference_to_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._to_edit(caller, request)
        reference = _reference(request["CustomerManagedPolicyReference"])
        if reference in found.customer:
            raise Refused("ConflictException", f"{reference[0]} is already attached to {found.name}.")
        self._room(found)
        found.customer[reference] = None
        return {}

    def detach_customer_managed_policy_reference_from_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._to_edit(caller, request)
        reference = _reference(request["CustomerManagedPolicyReference"])
        if reference not in found.customer:
            raise Refused("ResourceNotFoundException", f"{reference[0]} is not attached.")
        del found.customer[reference]
        return {}

    def list_customer_managed_policy_references_in_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._permission_set(self._open(caller, request), request)
        chunk, token = pages(self.world, list(found.customer), request)
        return {"CustomerManagedPolicyReferences": [{"Name": n, "Path": p} for n, p in chunk], **token}

    def put_permissions_boundary_to_permission_set(self, caller: Caller, request: Json) -> Json:
        boundary = request["PermissionsBoundary"]
        if len(boundary) != 1:
            raise Refused("ValidationException", "A boundary is one AWS-managed or one customer-managed policy.")
        if "CustomerManagedPolicyReference" in boundary:
            name, path = _reference(boundary["CustomerManagedPolicyReference"])
            boundary = {"CustomerManagedPolicyReference": {"Name": name, "Path": path}}
        self._to_edit(caller, request).boundary = dict(boundary)
        return {}

    def get_permissions_boundary_for_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._permission_set(self._open(caller, request), request)
        if found.boundary is None and self.world.rule("no-boundary"):
            raise Refused("ResourceNotFoundException", f"{found.name} has no permissions boundary.")
        return {"PermissionsBoundary": found.boundary} if found.boundary else {}

    def delete_permissions_boundary_from_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._to_edit(caller, request)
        if found.boundary is None:
            raise Refused("ResourceNotFoundException", f"{found.name} has no permissions boundary.")
        found.boundary = None
        return {}

    def _judge(self, text: str) -> None:
        """Refuse an inline policy that is too long or no policy at all."""
        most = self.world.rules.limit("inline-size")
        if len("".join(text.split()).encode()) > most:
            raise Refused("ServiceQuotaExceededException", f"The inline policy exceeds {most:.0f} bytes.")
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict) or "Statement" not in document:
            raise Refused("ValidationException", "The inline policy is not a policy document.")

    def _room(self, permission_set: PermissionSet) -> None:
        most = self.world.rules.limit("policies-in-set")
        if len(permission_set.managed) + len(permission_set.customer) >= most:
            raise Refused("ServiceQuotaExceededException", f"A permission set can have {most:.0f} policies.")


def _reference(reference: Json) -> tuple[str, str]:
    return reference["Name"], reference.get("Path") or "/"
