"""Tags of the organization's resources: read in bulk where AWS gives them so, written as differences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.errors import AwsError
from controller.resources.base import OWNER_TAG

Tags = Mapping[str, str]

READ_ACTIONS = frozenset({"tag:GetResources", "organizations:ListTagsForResource"})
WRITE_ACTIONS = frozenset({"organizations:TagResource", "organizations:UntagResource"})

_BULK_PARAMETERS: Mapping[str, Any] = {"ResourceTypeFilters": ["organizations"], "ResourcesPerPage": 100}
_BULK = Call.of("tag:GetResources", **_BULK_PARAMETERS)

NO_TAGS: Tags = {}
NO_KEYS: Mapping[str, Collection[str]] = {}


def organization_tags(
    aws: Reader,
    resource_type: str,
    ids: Iterable[str],
    expected: Mapping[str, Tags],
    decisive: Mapping[str, Collection[str]] = NO_KEYS,
) -> Mapping[str, Tags]:
    """All tags of resources of one type, by id; a resource that has none may be missing.

    The Tagging API returns a hundred resources a call where ListTagsForResource returns one, but leaves out those that
    never had tags, may lag behind a change, and whether it returns every type is not documented. So where it shows less
    than expected, that resource is asked about by itself; where it shows nothing of a type of which something is
    expected, every resource is; and where it fails, it says nothing at all.

    Args:
        resource_type: ``account``, ``ou``, ``policy``, as in their ARNs.
        ids: Every resource of the type.
        expected: id → tags that it has if all is well: for what git names.
        decisive: id → keys of tags whose absence would decide something: it is believed of the resource alone.

    Raises:
        AwsError: ListTagsForResource failed.
    """
    ids = list(ids)
    bulk = aws.once("organization tags", lambda: _in_bulk(aws))
    known = None if bulk is None else bulk.get(resource_type, {})
    wanted = {id: tags for id, tags in expected.items() if tags}
    if known is None or (not known and wanted):
        doubtful = ids
    else:
        doubtful = [id for id, tags in wanted.items() if not tags.items() <= known.get(id, NO_TAGS).items()]
        doubtful += [id for id, keys in decisive.items() if id not in wanted and not set(keys) <= {*known.get(id, ())}]
        asked_since = (id for id in ids if aws.is_better(_one_call(id), than=_BULK))
        aws.ask_anew(map(_one_call, doubtful), than=_BULK)
        doubtful = list(dict.fromkeys((*doubtful, *asked_since)))
    asked = aws.map(lambda id: tags_of(aws, id), doubtful)
    return {**(known or {}), **dict(zip(doubtful, asked, strict=True))}


def tags_of(aws: Reader, id: str) -> Tags:
    """One resource's tags, as they are now."""
    return _pairs(aws.items("organizations:ListTagsForResource", "Tags", ResourceId=id))


def tags_basis(id: str) -> Basis:
    """What says which tags one resource has."""
    return _BULK, _one_call(id)


def owner_now(aws: Reader, id: str) -> str | None:
    """Who owns a resource, read again."""
    return tags_of(aws, id).get(OWNER_TAG)


def without_owner(tags: Tags) -> Tags:
    """A resource's tags without the one that says whose it is: that is `Resource.owner`."""
    return {key: value for key, value in tags.items() if key != OWNER_TAG}


def with_owner(tags: Tags | None, owner: str | None) -> dict[str, str]:
    """All the tags a resource is to have."""
    return {**(tags or {}), **({OWNER_TAG: owner} if owner is not None else {})}


def as_list(tags: Tags) -> list[dict[str, str]]:
    """As create calls take them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def retag(aws: Writer, id: str, before: Tags, after: Tags) -> None:
    """Bring one resource's tags from `before` to `after`; both with the owner tag. AWS's own are left alone."""
    put = {key: value for key, value in after.items() if before.get(key) != value and not key.startswith("aws:")}
    drop = sorted(key for key in before.keys() - after.keys() if not key.startswith("aws:"))
    if put:
        aws.send("organizations:TagResource", ResourceId=id, Tags=as_list(put))
    if drop:
        aws.send("organizations:UntagResource", ResourceId=id, TagKeys=drop)


def _in_bulk(aws: Reader) -> dict[str, dict[str, Tags]] | None:
    """resource type → id → tags; None where the Tagging API does not answer.

    ``arn:aws:organizations::<account>:policy/o-…/service_control_policy/p-…``: the type comes first, the id last.
    """
    found: dict[str, dict[str, Tags]] = {}
    try:
        for item in aws.items("tag:GetResources", "ResourceTagMappingList", **_BULK_PARAMETERS):
            place = item["ResourceARN"].split(":", 5)[5].split("/")
            found.setdefault(place[0], {})[place[-1]] = _pairs(item.get("Tags", ()))
    except AwsError:
        return None
    return found


def _pairs(tags: Iterable[Mapping[str, Any]]) -> Tags:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _one_call(id: str) -> Call:
    return Call.of("organizations:ListTagsForResource", ResourceId=id)
