"""The organization, its root and its OUs, and who is in which."""

from __future__ import annotations

from typing import Any

from controller.sandbox.organizations.base import PAGE, Base, constraint
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Refused, SimUnit


class Tree(Base):
    def describe_organization(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        management = world.accounts[world.management_account]
        return {
            "Organization": {
                "Id": world.organization_id,
                "Arn": self.arn("organization", ""),
                "FeatureSet": "ALL",
                "MasterAccountArn": self.arn("account", management.id),
                "MasterAccountId": management.id,
                "MasterAccountEmail": management.email,
                "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
            }
        }

    def list_roots(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return {"Roots": [self.root_shape()]}

    def root_shape(self) -> dict[str, Any]:
        statuses = {type: self.world.policy_type_status(type) for type in self.world.policy_types}
        return {
            "Id": self.world.root_id,
            "Arn": self.arn("root", self.world.root_id),
            "Name": self.world.units[self.world.root_id].name,
            "PolicyTypes": [{"Type": type, "Status": status} for type, status in statuses.items() if status],
        }

    def unit_shape(self, unit: SimUnit) -> dict[str, Any]:
        return {"Id": unit.id, "Arn": self.arn("ou", unit.id), "Name": unit.name, "Path": self.world.path(unit.id)}

    def describe_organizational_unit(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        return {"OrganizationalUnit": self.unit_shape(self.unit(request["OrganizationalUnitId"]))}

    def list_organizational_units_for_parent(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        ids = self.children(self.container(request["ParentId"]).id, accounts=False)
        chunk, more = page(self.world, ids, request, size=PAGE)
        return {"OrganizationalUnits": [self.unit_shape(self.world.units[id]) for id in chunk], **more}

    def list_children(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["ChildType"]
        ids = self.children(self.container(request["ParentId"]).id, accounts=kind == "ACCOUNT")
        chunk, more = page(self.world, ids, request, size=PAGE)
        return {"Children": [{"Id": id, "Type": kind} for id in chunk], **more}

    def list_parents(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        id = request["ChildId"]
        child = self.world.accounts.get(id) or self.world.units.get(id)
        if child is None or child.parent is None:
            raise Refused("ChildNotFoundException", "You specified a child that doesn't exist.")
        kind = "ROOT" if child.parent == self.world.root_id else "ORGANIZATIONAL_UNIT"
        return {"Parents": [{"Id": child.parent, "Type": kind}]}

    def create_organizational_unit(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        parent = self.container(request["ParentId"])
        name = self.check_text(request["Name"])
        deepest, most = world.rules.limit("ou-depth"), world.rules.limit("ou-number")
        if world.path(parent.id).count("/") - 1 > deepest:
            raise constraint("OU_DEPTH_LIMIT_EXCEEDED", f"An OU can be at most {deepest:.0f} levels below the root.")
        if len(world.units) > most:
            raise constraint("OU_NUMBER_LIMIT_EXCEEDED", f"An organization can have {most:.0f} OUs.")
        self._check_unique(name, parent.id)
        return {
            "OrganizationalUnit": self.unit_shape(
                world.add_unit(name, parent.id, tags=self.check_tags(request.get("Tags")))
            )
        }

    def update_organizational_unit(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        unit = self.unit(request["OrganizationalUnitId"])
        name = request.get("Name")
        if name is not None and (name != unit.name or not self.world.rule("ou-own-name")):
            assert unit.parent is not None
            self._check_unique(self.check_text(name), unit.parent)
            unit.name = name
        return {"OrganizationalUnit": self.unit_shape(unit)}

    def delete_organizational_unit(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        unit = self.unit(request["OrganizationalUnitId"])
        if self.world.children[unit.id] and self.world.rule("ou-empty"):
            message = "The specified OU is not empty. Move its accounts and delete its OUs first."
            raise Refused("OrganizationalUnitNotEmptyException", message)
        for child in self.world.children[unit.id]:
            (self.world.accounts.get(child) or self.world.units[child]).parent = self.world.root_id
            self.world.children[self.world.root_id][child] = None
        self.world.remove(unit.id)
        return {}

    def move_account(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        account = self.account(request["AccountId"])
        destination = self.container(request["DestinationParentId"], "DestinationParentNotFoundException")
        if account.parent == destination.id:
            raise Refused("DuplicateAccountException", "That account is already present in the specified destination.")
        if account.parent != request["SourceParentId"] and self.world.rule("source-parent"):
            message = "We can't find a source root or OU with the ParentId that you specified."
            raise Refused("SourceParentNotFoundException", message)
        self.world.move(account.id, destination.id)
        return {}

    def _check_unique(self, name: str, parent: str) -> None:
        """Of OU names."""
        units, siblings = self.world.units, self.world.rule("ou-names-per-parent")
        others = self.children(parent, accounts=False) if siblings else list(units)
        if self.world.rule("ou-names") and any(units[id].name == name for id in others):
            raise Refused("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
