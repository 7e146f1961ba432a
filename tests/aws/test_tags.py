"""Tags in bulk, and what is asked about one by one."""

from __future__ import annotations

import pytest

from controller.aws.tags import organization_tags, retag
from controller.errors import AwsError
from controller.resources.base import Live
from tests.resources.organization import Organization


@pytest.fixture
def organization() -> Organization:
    made = Organization()
    for name in ("A", "B", "C"):
        made.world.add_unit(name, made.world.root_id, tags={"name": name} if name != "C" else {})
    return made


def units(organization: Organization) -> list[str]:
    return [id for id, unit in organization.world.units.items() if unit.parent]


def singly(organization: Organization) -> int:
    return organization.calls("organizations:ListTagsForResource")


def test_one_bulk_call_serves_a_whole_cycle(organization: Organization) -> None:
    reader = organization.aws.reader()
    a, b, _ = units(organization)

    tags = organization_tags(reader, "ou", units(organization), {a: {"name": "A"}})
    organization_tags(reader, "account", [], {})

    assert (tags[a], tags[b]) == ({"name": "A"}, {"name": "B"})
    assert organization.calls("tag:GetResources") == 1
    assert singly(organization) == 0


def test_what_git_names_and_the_bulk_leaves_out_is_asked_about(organization: Organization) -> None:
    *_, c = units(organization)

    tags = organization_tags(organization.aws.reader(), "ou", units(organization), {c: {"owner": "x"}})

    assert tags[c] == {}
    assert singly(organization) == 1


def test_what_the_bulk_tells_otherwise_than_expected_is_asked_about(organization: Organization) -> None:
    """It may lag behind our own write; that is no drift."""
    a, *_ = units(organization)

    organization_tags(organization.aws.reader(), "ou", units(organization), {a: {"name": "new"}})

    assert singly(organization) == 1


def test_a_type_of_which_the_bulk_shows_nothing_is_asked_about_one_by_one(organization: Organization) -> None:
    for unit in organization.world.units.values():
        unit.tags.clear()

    organization_tags(organization.aws.reader(), "ou", units(organization), {units(organization)[0]: {"a": "b"}})

    assert singly(organization) == 3


def test_a_type_of_which_nothing_is_expected_costs_nothing(organization: Organization) -> None:
    organization_tags(organization.aws.reader(), "policy", ["p-12345678"], {})

    assert singly(organization) == 0


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServiceException"])
def test_a_bulk_that_fails_does_not_look_like_no_tags(organization: Organization, code: str) -> None:
    organization.sandbox.faults.add(operation="resourcegroupstaggingapi:*", kind="error", code=code)

    tags = organization_tags(organization.aws.reader(), "ou", units(organization), {})

    assert [tags[id] for id in units(organization)] == [{"name": "A"}, {"name": "B"}, {}]
    assert singly(organization) == 3


def test_when_nobody_tells_the_tags_it_is_an_error(organization: Organization) -> None:
    organization.sandbox.faults.add(operation="resourcegroupstaggingapi:*", kind="error", code="AccessDeniedException")
    organization.sandbox.faults.add(
        operation="organizations:ListTagsForResource", kind="error", code="AccessDeniedException"
    )

    with pytest.raises(AwsError):
        organization_tags(organization.aws.reader(), "ou", units(organization), {})


def test_only_the_difference_of_tags_is_written_and_never_awss_own(organization: Organization) -> None:
    a, *_ = units(organization)
    organization.world.units[a].tags = {"keep": "1", "change": "1", "drop": "1", "aws:x": "1"}
    writer = organization.aws.writer(Live())

    retag(writer, a, organization.world.units[a].tags, {"keep": "1", "change": "2", "add": "1"})

    assert organization.world.units[a].tags == {"keep": "1", "change": "2", "add": "1", "aws:x": "1"}
    written = [e["parameters"] for e in organization.world.log if e["operation"].lower().endswith("tagresource")]
    assert [w.get("TagKeys") or [tag["Key"] for tag in w["Tags"]] for w in written] == [["add", "change"], ["drop"]]
