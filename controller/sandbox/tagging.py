"""The Resource Groups Tagging API, for the organization's own resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controller.sandbox.organizations import Organizations
from controller.sandbox.world import Caller, Refused, Service, World, page

REGION = "us-east-1"
"""Where Organizations' resources are; from another Region the answer is empty."""


class Tagging(Service):
    name = "resourcegroupstaggingapi"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._organizations = Organizations(world)

    def get_resources(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        """Tagged resources with all their tags, 100 a page."""
        found: list[tuple[str, dict[str, str]]] = []
        if caller.region == REGION and caller.account == self.world.management_account:
            types = request.get("ResourceTypeFilters") or ["organizations"]
            filters = request.get("TagFilters") or []
            found = [(arn, tags) for type, arn, tags in self._tagged() if _is(type, types) and _has(tags, filters)]
        try:
            chunk, more = page(found, request, size=100, limit="ResourcesPerPage", token="PaginationToken")
        except Refused:
            raise Refused("PaginationTokenExpiredException", "The PaginationToken is not valid.") from None
        shapes = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in chunk
        ]
        return {"ResourceTagMappingList": shapes, "PaginationToken": "", **more}

    def _tagged(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """(resource type, ARN, tags) of all that has tags."""
        world, organizations = self.world, self._organizations
        for unit in world.units.values():
            if unit.tags:
                kind = "ou" if unit.parent else "root"
                yield kind, organizations.arn(kind, unit.id), unit.tags
        for account in world.accounts.values():
            if account.tags:
                yield "account", organizations.arn("account", account.id), account.tags
        for policy in world.policies.values():
            if policy.tags:
                yield "policy", organizations.summary(policy)["Arn"], policy.tags


def _is(type: str, filters: list[str]) -> bool:
    return "organizations" in filters or f"organizations:{type}" in filters


def _has(tags: dict[str, str], filters: list[dict[str, Any]]) -> bool:
    """Whether every filter's key is there, with one of its values where it gives some."""
    return all(
        each["Key"] in tags and tags[each["Key"]] in (each.get("Values") or [tags[each["Key"]]]) for each in filters
    )
