"""What a plan does to people: who gains and loses access where, which policies come and go, and what those deny.

Held changes count as if they went through, and say that they are held: a reviewer judges what a commit means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.desired import paths
from controller.planning.describe import describe
from controller.planning.plan import Plan
from controller.planning.rules import Rule, coming, differences, going
from controller.planning.scene import Scene, Spot
from controller.policy.evaluate import Statement, statements
from controller.policy.organization import RCP, SCP
from controller.resources.base import Action, Change, Json, Ref, Resource, plain

ASSIGNMENT, SET, ATTACHMENT, TYPE = "account_assignment", "permission_set", "policy_attachment", "policy_type"
RIGHTS = ("managed_policies", "customer_managed_policies", "inline_policy", "permissions_boundary", "session_duration")
"""Attributes of a permission set that decide what one can do with it."""
EVERYWHERE = ("FullAWSAccess", "RCPFullAWSAccess")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A permission set gained or lost, by a change that is held or not."""

    permission_set: str
    held: bool
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """What one principal gains and loses in one account."""

    account: str
    principal: str
    gains: tuple[Grant, ...]
    loses: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit of a permission set, and how many have it where once the plan is carried out."""

    permission_set: str
    held: bool
    lines: tuple[str, ...]
    principals: int
    accounts: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A policy that comes to a place or leaves it.

    Attributes:
        rules: What that denies or allows which it did not, or no longer.
        why: Said where the rules do not say it all.
    """

    policy: Ref
    gained: bool
    held: bool
    rules: tuple[Rule, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class AtPlace:
    """What comes and goes on one OU or account itself."""

    target: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class EditedPolicy:
    """A policy whose content changes where it stays."""

    policy: Ref
    held: bool
    places: tuple[str, ...]
    rules: tuple[Rule, ...]
    lines: tuple[str, ...]
    """Of policies that are not in IAM's grammar."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Accounts that move the same way, and the policies that they come under or leave by it."""

    before: str | None
    after: str | None
    held: bool
    accounts: tuple[str, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """All of it, in an order that rests on names alone."""

    access: tuple[Access, ...]
    edited: tuple[Edited, ...]
    places: tuple[AtPlace, ...]
    policies: tuple[EditedPolicy, ...]
    moved: tuple[Moved, ...]


def effects(plan: Plan) -> Effects:
    before = _Picture(plan.scene.accounts, plan.scene.attached, plan.scene.contents)
    after = _after(before, plan.changes)
    return Effects(
        tuple(_access(plan)),
        tuple(_edited(plan)),
        tuple(_places(plan, before, after)),
        tuple(_edited_policies(plan, before, after)),
        tuple(_moved(plan, before, after)),
    )


def spot(scene: Scene, account: str) -> Spot:
    return scene.accounts.get(account) or Spot(account, None)


# Access


def _access(plan: Plan) -> Iterator[Access]:
    found: dict[tuple[str, str], tuple[list[Grant], list[Grant]]] = {}
    for change, one in _changes(plan.changes, ASSIGNMENT):
        gains, loses = found.setdefault((_text(one, "account"), _text(one, "principal")), ([], []))
        until = plan.scene.ends.get(change.key) if change.action is Action.CREATE else None
        (gains if change.action is Action.CREATE else loses).append(
            Grant(_text(one, "permission_set"), bool(change.blocked), until)
        )
    for (account, principal), (gains, loses) in sorted(found.items(), key=lambda item: _by_name(plan.scene, *item[0])):
        yield Access(account, principal, tuple(sorted(gains, key=_set)), tuple(sorted(loses, key=_set)))


def _set(grant: Grant) -> str:
    return grant.permission_set


def _by_name(scene: Scene, account: str, principal: str) -> tuple[str, str, str]:
    return spot(scene, account).name, account, principal


def _edited(plan: Plan) -> Iterator[Edited]:
    come: dict[str, set[tuple[str, str]]] = {}
    go: dict[str, set[tuple[str, str]]] = {}
    for change, one in _changes(plan.changes, ASSIGNMENT):
        where = come if change.action is Action.CREATE else go
        where.setdefault(_text(one, "permission_set"), set()).add((_text(one, "principal"), _text(one, "account")))
    for change in plan.changes:
        if change.kind != SET or change.before is None or change.after is None:
            continue
        lines = [line for line in describe(change) if line.startswith(RIGHTS)]
        if lines:
            holders = plan.scene.holders.get(change.key, frozenset()) | come.get(change.key, set())
            holders -= go.get(change.key, set())
            counts = (len({one[number] for one in holders}) for number in (0, 1))
            yield Edited(change.name, bool(change.blocked), tuple(lines), *counts)


# Policies


@dataclass(frozen=True, slots=True)
class _Picture:
    """Policies on places at one time."""

    accounts: Mapping[str, Spot]
    attached: Mapping[str, frozenset[Ref]]
    contents: Mapping[Ref, Json]
    _read: dict[Ref, tuple[Statement, ...] | None] = field(default_factory=dict)

    def on_way(self, target: str) -> set[Ref]:
        """What binds an OU or an account: all that is on it and above."""
        unit = target if target.startswith("/") else (self.accounts[target].unit if target in self.accounts else None)
        return {ref for place in {*paths.ancestors(unit or paths.ROOT), target} for ref in self.attached.get(place, ())}

    def rules(self, refs: Iterable[Ref]) -> list[Statement]:
        return [statement for ref in refs for statement in self.of(ref) or ()]

    def of(self, ref: Ref) -> tuple[Statement, ...] | None:
        """The policy's statements; None where they are not known."""
        if ref not in self._read:
            self._read[ref] = _statements(self.contents[ref]) if ref in self.contents else None
        return self._read[ref]


def _statements(content: Json) -> tuple[Statement, ...] | None:
    try:
        return statements(content)
    except ValueError:
        return None


def _after(before: _Picture, changes: Iterable[Change]) -> _Picture:
    accounts, attached, contents = dict(before.accounts), dict(before.attached), dict(before.contents)
    for change, one in _changes(changes, ATTACHMENT):
        target, policy = _text(one, "target"), {_policy(one)}
        had = attached.get(target, frozenset())
        attached[target] = had | policy if change.action is Action.CREATE else had - policy
    for change in changes:
        content = getattr(change.after, "content", None)
        if content is not None:
            contents[change.ref] = plain(content)
        if change.kind == TYPE and change.action is Action.DELETE:
            off = f"{change.key}_policy"
            attached = {place: frozenset(r for r in on if r.kind != off) for place, on in attached.items()}
        if change.kind == "account" and change.action is Action.MOVE and change.key in accounts:
            accounts[change.key] = Spot(accounts[change.key].name, _text(change.after, "unit"))
    return _Picture(accounts, attached, contents)


def _places(plan: Plan, before: _Picture, after: _Picture) -> Iterator[AtPlace]:
    held = {
        (_text(one, "target"), _policy(one)): bool(change.blocked) for change, one in _changes(plan.changes, ATTACHMENT)
    }
    everywhere = sorted(
        (t for t in before.attached.keys() | after.attached.keys() if before.attached.get(t) != after.attached.get(t)),
        key=lambda target: (not target.startswith("/"), spot(plan.scene, target).name, target),
    )
    for target in everywhere:
        had, has = before.attached.get(target, frozenset()), after.attached.get(target, frozenset())
        was, now = before.on_way(target), after.on_way(target)
        turns = _turns(has - had, had - has, before, was, after, now)
        yield AtPlace(target, tuple(replace(turn, held=held.get((target, turn.policy), False)) for turn in turns))


def _turns(
    gained: Iterable[Ref], lost: Iterable[Ref], before: _Picture, was: set[Ref], after: _Picture, now: set[Ref]
) -> Iterator[Turn]:
    """Each policy with those of its rules that nothing else on the way has, then or now."""
    had, has = set(before.rules(was)), set(after.rules(now))
    for ref in sorted(gained, key=str):
        yield _turn(ref, after, True, had)
    for ref in sorted(lost, key=str):
        yield _turn(ref, before, False, has)


def _turn(ref: Ref, picture: _Picture, gained: bool, others: set[Statement]) -> Turn:
    if ref.kind not in (SCP, RCP):
        return Turn(ref, gained, False)
    known = picture.of(ref)
    if known is None:
        return Turn(ref, gained, False, why="what it says was not read")
    # An Allow counts level by level: the same one further up does not stand in for it.
    rules = [one for one in known if one.effect == "allow" or one not in others]
    why = "" if rules else "the same is denied there without it" if known else ""
    return Turn(ref, gained, False, tuple(map(coming if gained else going, rules)), why)


def _edited_policies(plan: Plan, before: _Picture, after: _Picture) -> Iterator[EditedPolicy]:
    for change in sorted(plan.changes, key=lambda c: c.id):
        old, new = getattr(change.before, "content", None), getattr(change.after, "content", None)
        if old is None or new is None or old == new:
            continue
        places = [
            place for place, on in after.attached.items() if change.ref in on & before.attached.get(place, frozenset())
        ]
        if change.kind in (SCP, RCP):
            rules, lines = differences(before.of(change.ref) or (), after.of(change.ref) or ()), []
        else:
            rules, lines = (), [line for line in describe(change) if line.startswith("content")]
        yield EditedPolicy(change.ref, bool(change.blocked), tuple(sorted(places)), rules, tuple(lines))


def _moved(plan: Plan, before: _Picture, after: _Picture) -> Iterator[Moved]:
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for change, one in _changes(plan.changes, "account"):
        if change.action is Action.MOVE:
            way = (_text(change.before, "unit"), _text(one, "unit"), bool(change.blocked))
            groups.setdefault(way, []).append(change.key)
    for (source, target, held), accounts in sorted(groups.items()):
        was, now = before.on_way(source), after.on_way(target)
        gained, lost = ({ref for ref in some if ref.key not in EVERYWHERE} for some in (now - was, was - now))
        turns = _turns(gained, lost, before, was, after, now)
        names = sorted(accounts, key=lambda id: _by_name(plan.scene, id, ""))
        yield Moved(source, target, held, tuple(names), tuple(turns))


# Helpers. Planning sees no kind of resource but by its attributes.


def _changes(changes: Iterable[Change], kind: str) -> Iterator[tuple[Change, Resource]]:
    for change in changes:
        one = change.after or change.before
        if change.kind == kind and one is not None:
            yield change, one


def _policy(attachment: Resource) -> Ref:
    assert attachment.parent is not None
    return attachment.parent


def _text(resource: Resource | None, attribute: str) -> str:
    return str(getattr(resource, attribute))
