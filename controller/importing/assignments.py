"""access/assignments.yaml: who may sign in where, gathered: one principal, permission sets, accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from controller.importing.fold import Folded, fold
from controller.importing.notes import GAIN
from controller.importing.permission_sets import is_managed
from controller.importing.picture import Picture
from controller.resources.account_assignment import AccountAssignment
from controller.resources.permission_set import PermissionSet
from controller.resources.principals import Principal

FILE = "access/assignments.yaml"


def write(picture: Picture, *, folded: bool) -> None:
    """Groups first, then single people; of each, one line for all permission sets that go to the same accounts.

    Args:
        folded: Say OUs where an assignment reaches every account in them.
    """
    if not picture.scope.has(AccountAssignment.kind):
        return
    reach: dict[Principal, dict[str, set[str]]] = {}
    for one in _to_write(picture):
        reach.setdefault(_principal(one), {}).setdefault(one.permission_set, set()).add(one.account)
    lines = [
        _line(picture, principal, sets, accounts, folded)
        for principal in sorted(reach)
        for accounts, sets in _gathered(reach[principal])
    ]
    if lines or _sets_are_stated(picture):
        said = [{"kind": "Assignments", "assignments": lines}]
        picture.put(FILE, "assignments", said, above="Who may sign in where, and as what. They unite.")


def _to_write(picture: Picture) -> Iterator[AccountAssignment]:
    sets = picture.seen.live.of(PermissionSet)
    for one in picture.seen.live.of(AccountAssignment).values():
        if not picture.scope.covers(picture.accounts[one.account].unit):
            continue
        permission_set = sets[one.permission_set]
        if one.is_orphaned:
            where = f"{one.permission_set} in {picture.seen.handles[one.account]}"
            picture.notes.left_out(
                f"assignment of a deleted {one.principal.type}, {one.principal_id}", f"{where}: nobody has it any more"
            )
        elif not is_managed(picture, permission_set):
            picture.notes.left_out(
                f"assignments of permission set {one.permission_set}", "it is not orgctl's to manage"
            )
        else:
            if not _sets_are_stated(picture):
                picture.elsewhere.setdefault("permission_sets", set()).add(one.permission_set)
            yield one


def _sets_are_stated(picture: Picture) -> bool:
    return (
        picture.scope.has(PermissionSet.kind) and picture.scope.whole_tree and bool(picture.seen.live.of(PermissionSet))
    )


def _principal(one: AccountAssignment) -> Principal:
    """By name; by id where its name would be taken for one."""
    if one.principal.is_id:
        return Principal(one.principal.type, str(one.principal_id))
    return one.principal


def _gathered(sets: dict[str, set[str]]) -> Iterator[tuple[frozenset[str], list[str]]]:
    """(accounts, permission sets that go to exactly these), in the order of the sets' names."""
    found: dict[frozenset[str], list[str]] = {}
    for name in sorted(sets):
        found.setdefault(frozenset(sets[name]), []).append(name)
    yield from found.items()


def _line(
    picture: Picture, principal: Principal, sets: list[str], accounts: Iterable[str], folded: bool
) -> dict[str, Any]:
    where = fold(accounts, picture.accounts) if folded else Folded((), frozenset(accounts))
    for unit in where.units:
        what = f"{', '.join(sets)} in every account that comes to lie in or below {unit}"
        picture.notes.add(GAIN, f"{principal.type} {principal.name}: {what}")
    return {
        principal.type: principal.name,
        "permission_sets": sets,
        "targets": picture.places(where.units, where.accounts),
    }
