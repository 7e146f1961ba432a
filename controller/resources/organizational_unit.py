"""organizational_unit: an OU, by its path as git calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.aws.tags import (
    READ_ACTIONS,
    WRITE_ACTIONS,
    as_list,
    organization_tags,
    owner_now,
    retag,
    tags_basis,
    with_owner,
    without_owner,
)
from controller.desired import paths
from controller.desired.estate import Estate, UnitEntry
from controller.desired.paths import ROOT as ROOT  # its kinds name it from here
from controller.errors import AwsError
from controller.resources.base import (
    OWNER_TAG,
    Action,
    Change,
    Desired,
    Gone,
    Kind,
    Live,
    Observed,
    Ref,
    Resource,
)
from controller.resources.changes import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationalUnit(Resource):
    """An OU, or the root (key ``/``), which is live only and never managed.

    Attributes:
        title: Its own name in AWS: the last part of the key, but for a rename not yet done.
        aws_path: ``o-…/r-…/ou-…`` without a trailing slash, once it exists.
    """

    kind = "organizational_unit"

    title: str
    tags: Mapping[str, str] | None = None
    aws_path: str | None = field(default=None, compare=False)

    def needs(self) -> Iterable[Ref]:
        return () if self.key == ROOT else (Ref(self.kind, paths.parent(self.key)),)


def within(path: str | None, unit: str) -> bool:
    """Whether `path` is `unit` or below it."""
    return path is not None and paths.within(path, [unit])


_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")


def unit_key(name: str, live: Live) -> str:
    """The path of an OU that is given by its path or its id.

    Raises:
        KeyError: No OU has this id.
    """
    if not _ID.fullmatch(name):
        return name
    return {unit.id: unit.key for unit in live.of(OrganizationalUnit).values()}[name]


def root_of(aws: Reader) -> dict[str, Any]:
    """The organization's one root, as ListRoots gives it; asked once (one call a second is allowed)."""
    root: dict[str, Any] = aws.once("organization root", lambda: _asked_root(aws))
    return root


def _asked_root(aws: Reader) -> dict[str, Any]:
    roots = list(aws.items("organizations:ListRoots", "Roots"))
    if not roots:
        raise AwsError("organizations:ListRoots", "NoRoot", "AWS listed no root, and every organization has one")
    root: dict[str, Any] = roots[0]
    return root


class OrganizationalUnits(Kind[OrganizationalUnit]):
    """OUs."""

    name = "organizational_unit"
    resource = OrganizationalUnit
    reads = READ_ACTIONS | {"organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent"}
    writes = WRITE_ACTIONS | {
        "organizations:CreateOrganizationalUnit",
        "organizations:UpdateOrganizationalUnit",
        "organizations:DeleteOrganizationalUnit",
    }
    ownable = True
    outlives_its_line = True

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[OrganizationalUnit]:
        tree = _walk(aws, _renames(estate))
        expected = {
            id: with_owner(entry.tags, aws.here.instance)
            for id, unit in tree.items()
            if (entry := estate.units.get(unit.key)) is not None and not entry.external
        }
        tags = organization_tags(aws, "ou", [id for id, unit in tree.items() if unit.key != ROOT], expected)
        return Observed({unit.key: unit.made(tags.get(id, {})) for id, unit in tree.items()})

    def desire(self, estate: Estate, live: Live) -> Desired[OrganizationalUnit]:
        have = live.of(OrganizationalUnit)
        entries = [entry for entry in estate.units.values() if not entry.external]
        return Desired(
            resources={e.path: _wanted(e) for e in entries if not e.deleted and not e.released},
            gone={e.path: (_gone(e), str(e.mark)) for e in entries if e.deleted or e.released},
            blocked={e.path: why for e in entries if (why := _blocked(e, have)) is not None},
        )

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        for change in changes:
            yield from way_to(change.key, live)
            if change.before is not None and change.before.id is not None:
                yield tags_basis(change.before.id)
                if change.action is Action.DELETE:
                    yield (_children_call(change.before.id),)

    def create(self, aws: Writer, after: OrganizationalUnit) -> None:
        parent = aws.id_of(Ref(self.name, paths.parent(after.key)))
        try:
            answer = aws.send(
                "organizations:CreateOrganizationalUnit",
                ParentId=parent,
                Name=after.title,
                Tags=as_list(with_owner(after.tags, after.owner)),
            )
            id = answer["OrganizationalUnit"]["Id"]
        except AwsError as error:
            # One of ours whose answer got lost is there and carries our tag. Any other is somebody else's OU.
            if error.code != "DuplicateOrganizationalUnitException" or not (id := _ours(aws, parent, after)):
                raise
        aws.created(after.ref, id)

    def update(self, aws: Writer, before: OrganizationalUnit, after: OrganizationalUnit) -> None:
        id = aws.id_of(before.ref)
        if before.title != after.title:
            aws.send("organizations:UpdateOrganizationalUnit", OrganizationalUnitId=id, Name=after.title)
        # Tags last: until all else is as git says, an adoption is not one yet.
        retag(aws, id, with_owner(before.tags, before.owner), with_owner(after.tags, after.owner))

    def delete(self, aws: Writer, before: OrganizationalUnit) -> None:
        try:
            aws.send("organizations:DeleteOrganizationalUnit", OrganizationalUnitId=aws.id_of(before.ref))
        except AwsError as error:
            if error.code != "OrganizationalUnitNotFoundException":
                raise

    def owner(self, aws: Reader, live: OrganizationalUnit) -> str | None:
        assert live.id is not None
        return owner_now(aws, live.id)

    def forbids(self, change: Change, plan: Changes, live: Live) -> str | None:
        """AWS deletes empty OUs only; what is in it must leave by the same plan."""
        if change.action is not Action.DELETE:
            return None
        staying = sorted(_staying(change.key, plan, live))
        if not staying:
            return None
        more = f" and {len(staying) - 3} more" if len(staying) > 3 else ""
        return f"it is not empty: {', '.join(staying[:3])}{more} would have to leave it first, in the same commit"

    def names(self, resource: OrganizationalUnit, live: Live) -> Iterable[str]:
        """Also of what lies in it: a rename gives all of that another path."""
        units = {**live.of(OrganizationalUnit), resource.key: resource}
        for key in [key for key in units if paths.within(key, [resource.key])]:
            real = ROOT
            for above in reversed(paths.ancestors(key)[:-1]):
                real = paths.join(real, units[above].title if above in units else paths.names(above)[-1])
            for path in (key, real):
                yield from (f"{self.name}/{path}", f"{self.name}{path}")

    def unit(self, resource: OrganizationalUnit, live: Live) -> str | None:
        return resource.key

    def lane(self, change: Change) -> str | None:
        return LANE

    def ignored(self, resource: OrganizationalUnit) -> bool:
        return resource.key == ROOT


def way_to(path: str, live: Live) -> Iterator[Basis]:
    """What says which OU is meant by a path: each level's list of those in it."""
    units = live.of(OrganizationalUnit)
    for above in paths.ancestors(path)[1:]:
        if above in units and units[above].id:
            yield (_children_call(str(units[above].id)),)


def _children_call(parent_id: str) -> Call:
    return Call.of("organizations:ListOrganizationalUnitsForParent", ParentId=parent_id)


LANE = "organizations"
"""AWS Organizations answers overlapping writes with ConcurrentModificationException: one at a time."""


def _ours(aws: Writer, parent: str, after: OrganizationalUnit) -> str | None:
    """The id of an OU of this name in `parent` that carries our tag."""
    siblings = aws.reads.items("organizations:ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent)
    found: str | None = next((unit["Id"] for unit in siblings if unit["Name"] == after.title), None)
    return found if found and owner_now(aws.reads, found) == after.owner else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """One OU of the live tree, under git's path."""

    key: str
    id: str
    title: str
    aws_path: str

    def made(self, tags: Mapping[str, str]) -> OrganizationalUnit:
        return OrganizationalUnit(
            key=self.key,
            name=self.key,
            id=self.id,
            owner=tags.get(OWNER_TAG),
            title=self.title,
            tags=without_owner(tags),
            aws_path=self.aws_path,
        )


def _walk(aws: Reader, renames: Mapping[tuple[str, str], str]) -> dict[str, _Seen]:
    """id → OU, the root first, level by level: each level's parents are asked about side by side.

    Args:
        renames: (path of the parent, live name) → name that git gives it.
    """
    root = root_of(aws)
    # arn:aws:organizations::<account>:root/o-…/r-…
    top = _Seen(ROOT, root["Id"], root["Name"], root["Arn"].split("/", 1)[1])
    tree, level = {top.id: top}, [top]
    while level:
        below = aws.map(lambda parent: list(_children(aws, parent, renames)), level)
        level = [unit for units in below for unit in units]
        tree.update({unit.id: unit for unit in level})
    return tree


def _children(aws: Reader, parent: _Seen, renames: Mapping[tuple[str, str], str]) -> Iterator[_Seen]:
    listed = list(
        aws.items("organizations:ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent.id)
    )
    names = {unit["Name"] for unit in listed}
    for unit in listed:
        new = renames.get((parent.key, unit["Name"]))
        # Where both names are there, neither is the other: `desire` says so.
        name = unit["Name"] if new is None or new in names else new
        yield _Seen(paths.join(parent.key, name), unit["Id"], unit["Name"], f"{parent.aws_path}/{unit['Id']}")


def _renames(estate: Estate) -> dict[tuple[str, str], str]:
    return {
        (paths.parent(entry.path), paths.unescape(entry.formerly)): entry.name
        for entry in estate.units.values()
        if entry.formerly and not entry.formerly.startswith("/")
    }


def _wanted(entry: UnitEntry) -> OrganizationalUnit:
    return OrganizationalUnit(
        key=entry.path, name=entry.path, source=str(entry.mark), title=entry.name, tags=entry.tags
    )


def _gone(entry: UnitEntry) -> Gone:
    return Gone.DELETED if entry.deleted else Gone.RELEASED


def _blocked(entry: UnitEntry, live: Mapping[str, OrganizationalUnit]) -> str | None:
    if not entry.formerly:
        return None
    if entry.formerly.startswith("/"):
        if entry.path in live and entry.formerly not in live:
            return None  # done, by whoever
        return (
            f"moving an OU ({entry.formerly} → {entry.path}) is not enabled: AWS cannot move one, only make a new one, "
            "to which accounts, policies and tags go over and whose id is another. Move its accounts to a new OU"
        )
    if entry.path in live and paths.join(paths.parent(entry.path), paths.unescape(entry.formerly)) in live:
        return f"both '{entry.formerly}' and '{entry.name}' exist, so neither is the other renamed: remove `formerly`"
    return None


def _staying(path: str, plan: Changes, live: Live) -> Iterator[str]:
    """What lies directly in the OU and does not leave it by this plan."""
    for one in plan.table(_contents, live).get(path, ()):
        if one.kind == OrganizationalUnit.kind:
            if f"{one.ref}:{Action.DELETE}" not in plan:
                yield one.name
        elif (move := plan.get(f"{one.ref}:{Action.MOVE}")) is None or move.blocked:
            yield f"account {one.name}"
    for change in plan.where(_comes_to, path):
        yield change.name if change.kind == OrganizationalUnit.kind else f"account {change.name}"


def _contents(_: Changes, live: Live) -> dict[str | None, list[Resource]]:
    """OU → what lies directly in it."""
    found: dict[str | None, list[Resource]] = {}
    for key, unit in live.of(OrganizationalUnit).items():
        if key != ROOT:
            found.setdefault(paths.parent(key), []).append(unit)
    accounts = live.observed.get("account")
    for account in accounts.resources.values() if accounts else ():
        found.setdefault(getattr(account, "unit", None), []).append(account)
    return found


def _comes_to(change: Change) -> Iterator[str | None]:
    """The OU that an account or an OU comes to lie in."""
    if change.kind == "account" and change.action is Action.MOVE:
        yield getattr(change.after, "unit", None)
    elif change.kind == OrganizationalUnit.kind and change.action is Action.CREATE:
        yield paths.parent(change.key)
