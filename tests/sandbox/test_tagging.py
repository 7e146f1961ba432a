"""Tags of the organization's resources in bulk."""

from __future__ import annotations

from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client


def test_only_tagged_resources_come_a_hundred_at_a_time_with_all_their_tags(client: Client, sandbox: Sandbox) -> None:
    world = sandbox.world
    world.add_unit("A", world.root_id, tags={"kind": "unit"})
    world.add_policy("p", "TAG_POLICY", "{}", tags={"kind": "policy"})
    for number in range(120):
        tags = {"env": "prod", "number": str(number)} if number % 2 else {}
        world.add_account(f"a{number}", f"{number}@example.com", world.root_id, tags=tags)
    for number in range(60):
        world.add_unit(f"u{number}", world.root_id, tags={"env": "dev"})

    pages = list(client("resourcegroupstaggingapi").get_paginator("get_resources").paginate())

    found = [each for page in pages for each in page["ResourceTagMappingList"]]
    assert [len(page["ResourceTagMappingList"]) for page in pages] == [100, 22]
    assert {each["ResourceARN"].split(":")[5].split("/")[0] for each in found} == {"ou", "account", "policy"}
    assert len({each["ResourceARN"] for each in found}) == 122


def test_resources_are_chosen_by_type_and_tag(client: Client, sandbox: Sandbox) -> None:
    world = sandbox.world
    world.add_unit("A", world.root_id, tags={"env": "prod"})
    account = world.add_account("a", "a@example.com", world.root_id, tags={"env": "prod", "owner": "x"})
    world.add_account("b", "b@example.com", world.root_id, tags={"env": "dev"})

    found = client("resourcegroupstaggingapi").get_resources(
        ResourceTypeFilters=["organizations:account"], TagFilters=[{"Key": "env", "Values": ["prod"]}]
    )["ResourceTagMappingList"]

    assert [each["ResourceARN"].rpartition("/")[2] for each in found] == [account.id]
    assert {tag["Key"]: tag["Value"] for tag in found[0]["Tags"]} == {"env": "prod", "owner": "x"}


def test_another_region_knows_nothing_of_organizations(client: Client, sandbox: Sandbox) -> None:
    sandbox.world.add_unit("A", sandbox.world.root_id, tags={"env": "prod"})

    elsewhere = client("resourcegroupstaggingapi", region="eu-west-1")

    assert elsewhere.get_resources(ResourceTypeFilters=["organizations"])["ResourceTagMappingList"] == []
