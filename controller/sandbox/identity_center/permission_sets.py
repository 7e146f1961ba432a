"""Permission sets and their tags."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from controller.sandbox.identity_center.instance import Instance
from controller.sandbox.identity_center.state import Access, PermissionSet
from controller.sandbox.identity_store import pages
from controller.sandbox.world import Caller, Refused

Json = dict[str, Any]

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


class PermissionSets(Instance):
    """Create, describe, update, delete, list, tag."""

    def create_permission_set(self, caller: Caller, request: Json) -> Json:
        state = self._open(caller, request)
        name = request["Name"]
        if name in state.arns and self.world.rule("permission-set-names"):
            raise Refused("ConflictException", f"PermissionSet with name {name} already exists.")
        most = self.world.rules.limit("permission-sets")
        if len(state.permission_sets) >= most:
            raise Refused("ServiceQuotaExceededException", f"There are {most:.0f} permission sets already.")
        tags = _tags(request)
        made = state.add(self.world, name, **_attributes(request))
        self._tag(made, tags)
        return {"PermissionSet": _show(made)}

    def describe_permission_set(self, caller: Caller, request: Json) -> Json:
        return {"PermissionSet": _show(self._permission_set(self._open(caller, request), request))}

    def list_permission_sets(self, caller: Caller, request: Json) -> Json:
        chunk, token = pages(self.world, list(self._open(caller, request).permission_sets), request)
        return {"PermissionSets": chunk, **token}

    def update_permission_set(self, caller: Caller, request: Json) -> Json:
        """What the request leaves out is cleared, as AWS does; the name cannot be changed."""
        attributes = _attributes(request)
        found = self._to_edit(caller, request)
        found.description = attributes["description"]
        found.session_duration = attributes["session_duration"]
        found.relay_state = attributes["relay_state"]
        return {}

    def delete_permission_set(self, caller: Caller, request: Json) -> Json:
        found = self._to_edit(caller, request)
        state = self._open(caller, request)
        pending = any(assignment.permission_set == found.arn for assignment in state.touched)
        if (found.provisioned or pending) and self.world.rule("permission-set-in-use"):
            raise Refused(
                "ConflictException",
                "Could not delete because PermissionSet has ApplicationProfile associated with it",
            )
        for assignment in [row for row in state.assignments() if row.permission_set == found.arn]:
            state.revoke(assignment)
        del state.permission_sets[found.arn], state.arns[found.name]
        return {}

    def tag_resource(self, caller: Caller, request: Json) -> Json:
        self._tag(self._tagged(self._open(caller, request), request), _tags(request))
        return {}

    def untag_resource(self, caller: Caller, request: Json) -> Json:
        found = self._tagged(self._open(caller, request), request)
        for key in request["TagKeys"]:
            found.tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, caller: Caller, request: Json) -> Json:
        found = self._tagged(self._open(caller, request), request)
        chunk, token = pages(self.world, [{"Key": key, "Value": value} for key, value in found.tags.items()], request)
        return {"Tags": chunk, **token}

    def _tag(self, permission_set: PermissionSet, tags: dict[str, str]) -> None:
        most = self.world.rules.limit("tags")
        if len(permission_set.tags | tags) > most:
            raise Refused("ServiceQuotaExceededException", f"A permission set can have {most:.0f} tags.")
        permission_set.tags.update(tags)

    def _tagged(self, state: Access, request: Json) -> PermissionSet:
        return self._permission_set(state, {"PermissionSetArn": request["ResourceArn"]})


def _attributes(request: Json) -> Json:
    duration = request.get("SessionDuration") or "PT1H"
    parsed = _DURATION.fullmatch(duration)
    hours, minutes, seconds = (int(part or 0) for part in parsed.groups()) if parsed else (0, 0, 0)
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(hours=1) <= length <= timedelta(hours=12):
        raise Refused("ValidationException", "SessionDuration must lie between one hour and twelve.")
    return {
        "description": request.get("Description"),
        "session_duration": duration,
        "relay_state": request.get("RelayState"),
    }


def _tags(request: Json) -> dict[str, str]:
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
    if reserved := [key for key in tags if key.lower().startswith("aws:")]:
        raise Refused("ValidationException", f"{reserved[0]!r}: keys that begin with aws: are AWS's own.")
    return tags


def _show(permission_set: PermissionSet) -> Json:
    shown: Json = {
        "Name": permission_set.name,
        "PermissionSetArn": permission_set.arn,
        "CreatedDate": permission_set.created,
        "SessionDuration": permission_set.session_duration,
    }
    if permission_set.description is not None:
        shown["Description"] = permission_set.description
    if permission_set.relay_state is not None:
        shown["RelayState"] = permission_set.relay_state
    return shown
