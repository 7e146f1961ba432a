"""The Resource Groups Tagging API, for the organization's own resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controller.sandbox.organizations import Organizations
from controller.sandbox.pages import page
from controller.sandbox.world import Caller, Refused, Service, SimAccount, SimPolicy, SimUnit, World

REGION = "us-east-1"
"""Where Organizations' resources are; from another Region the answer is empty."""

Tagged = SimUnit | SimAccount | SimPolicy


class Tagging(Service):
    name = "resourcegroupstaggingapi"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._organizations = Organizations(world)

    def get_resources(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Tagged resources with all their tags, 100 a page."""
        if any(not each.get("Key") for each in request.get("TagFilters") or []):
            raise Refused("InvalidParameterException", "A tag filter needs a key.")
        found: list[Tagged] = []
        if caller.region == REGION and caller.account == self.world.management_account:
            found = list(self._chosen(request.get("ResourceTypeFilters") or [], request.get("TagFilters") or []))
        try:
            chunk, more = page(self.world, found, request, size=100, limit="ResourcesPerPage", token="PaginationToken")
        except Refused:
            raise Refused("PaginationTokenExpiredException", "The PaginationToken is not valid.") from None
        shapes = [
            {
                "ResourceARN": self._organizations.resource_arn(resource.id),
                "Tags": [{"Key": key, "Value": value} for key, value in resource.tags.items()],
            }
            for resource in chunk
        ]
        return {"ResourceTagMappingList": shapes, "PaginationToken": "", **more}

    def _chosen(self, types: list[str], filters: list[dict[str, Any]]) -> Iterator[Tagged]:
        """What has tags, is of these types, and has all of these tags."""
        world = self.world
        everything = not types or "organizations" in types
        for kind, resources in (("ou", world.units), ("account", world.accounts), ("policy", world.policies)):
            if kind != "account" and not world.rule("tags-in-bulk"):
                continue
            if everything or f"organizations:{kind}" in types:
                for resource in resources.values():
                    if resource.tags and (not filters or _has(resource.tags, filters)):
                        yield resource


def _has(tags: dict[str, str], filters: list[dict[str, Any]]) -> bool:
    """Whether every filter's key is there, with one of its values where it gives some."""
    return all(
        each["Key"] in tags and (not each.get("Values") or tags[each["Key"]] in each["Values"]) for each in filters
    )
