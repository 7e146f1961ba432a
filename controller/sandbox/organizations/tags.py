"""Tags of roots, OUs, accounts and policies."""

from __future__ import annotations

from typing import Any

from controller.sandbox.organizations.base import Base
from controller.sandbox.world import Caller, Refused, SimAccount, SimPolicy, SimUnit


class Tags(Base):
    def list_tags_for_resource(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        tags = self._taggable(request["ResourceId"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        resource = self._taggable(request["ResourceId"])
        resource.tags = self.check_tags(request["Tags"], resource.tags)
        return {}

    def untag_resource(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        tags = self._taggable(request["ResourceId"]).tags
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _taggable(self, id: str) -> SimAccount | SimUnit | SimPolicy:
        world = self.world
        found = world.accounts.get(id) or world.units.get(id) or world.policies.get(id)
        if found is None:
            message = "We can't find a root, OU, account, or policy with the TargetId that you specified."
            raise Refused("TargetNotFoundException", message)
        return found
