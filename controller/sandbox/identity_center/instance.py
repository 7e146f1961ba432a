"""The instance: who may speak to it, and from where."""

from __future__ import annotations

from typing import Any

from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import Access, PermissionSet, access, home_region
from controller.sandbox.identity_store import administrates, pages
from controller.sandbox.world import Caller, Refused, Service

Json = dict[str, Any]


class Instance(Service):
    """Operations on the instance, and what every other operation begins with."""

    name = "sso-admin"

    def settle(self) -> None:
        access(self.world)

    def list_instances(self, caller: Caller, request: Json) -> Json:
        """One, in its home Region, for the management account and its delegated administrator."""
        everywhere = request.get("RegionScope") == "ALL_REGIONS"
        here = caller.region == home_region(self.world) or everywhere or not self.world.rule("home-region")
        if not (administrates(self.world, caller) or self.world.rule("no-instance")):
            raise Refused("AccessDeniedException", "You do not have sufficient access to perform this action.")
        listed = [self._show(access(self.world))] if here and administrates(self.world, caller) else []
        chunk, token = pages(self.world, listed, request)
        return {"Instances": chunk, **token}

    def describe_instance(self, caller: Caller, request: Json) -> Json:
        return self._show(self._open(caller, request))

    def _show(self, state: Access) -> Json:
        store, owner = directory(self.world), state.owner
        return {
            "InstanceArn": state.instance_arn(self.world.partition),
            "IdentityStoreId": store.id,
            "IdentityStoreArn": f"arn:{self.world.partition}:identitystore::{owner}:identitystore/{store.id}",
            "OwnerAccountId": owner,
            "CreatedDate": state.created,
            "Status": "ACTIVE",
            "PrimaryRegion": store.region,
        }

    # What other operations begin with

    def _open(self, caller: Caller, request: Json) -> Access:
        """The instance a request names, everything due settled."""
        if not administrates(self.world, caller):
            raise Refused("AccessDeniedException", "You do not have sufficient access to perform this action.")
        state = access(self.world)
        named = request.get("InstanceArn", state.instance_arn(self.world.partition))
        away = caller.region != home_region(self.world) and self.world.rule("home-region")
        if named != state.instance_arn(self.world.partition) or away:
            raise Refused("ResourceNotFoundException", f"Instance {named} was not found in {caller.region}.")
        return state

    def _permission_set(self, state: Access, request: Json) -> PermissionSet:
        found = state.permission_sets.get(request.get("PermissionSetArn", ""))
        if found is None:
            raise Refused("ResourceNotFoundException", f"Could not find {request.get('PermissionSetArn')}.")
        return found

    def _to_edit(self, caller: Caller, request: Json) -> PermissionSet:
        """The permission set a request is about to write.

        Raises:
            Refused: AccessDeniedException for the delegated administrator where the management account has it
                (Identity Center User Guide, "Delegated administration"); ConflictException too soon after a write.
        """
        state = self._open(caller, request)
        found = self._permission_set(state, request)
        management = self.world.management_account
        theirs = caller.account != management and management in found.provisioned
        if theirs and self.world.rule("access-callers"):
            raise Refused(
                "AccessDeniedException",
                "A permission set that is provisioned in the management account can be changed from there only.",
            )
        now = self.world.clock.now()
        if now < found.written + self.world.rules.amount("settling"):
            raise Refused("ConflictException", "There is a conflicting operation in process.")
        found.written = now
        return found
