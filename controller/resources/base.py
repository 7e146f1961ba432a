"""What a kind of AWS resource is, and the values that pass between YAML, AWS and the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar, Union

if TYPE_CHECKING:
    from controller.aws.api import Reader, Writer
    from controller.aws.known import Basis
    from controller.desired.estate import Estate
    from controller.resources.changes import Changes

Json: TypeAlias = Union[bool, int, float, str, list["Json"], dict[str, "Json"], None]  # noqa: UP007  recursive

OWNER_TAG = "orgctl:managed-by"
"""The tag that marks what an instance of orgctl owns; its value is the instance's name."""


def private(**options: Any) -> Any:
    """A field whose value is compared and sent but never shown: other people's contact data."""
    return field(metadata={"private": True}, **options)


@dataclass(frozen=True, slots=True)
class Ref:
    """One resource, by kind and key."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource as it is or as it should be. ``==`` is the drift check, so it compares attributes only.

    A compared attribute that is None is not managed (desired) or not known (live).
    """

    kind: ClassVar[str]

    key: str
    """Identity within the kind: where desired and live meet. Stable, and free of AWS ids that do not exist yet."""
    name: str = field(compare=False)
    """What people read."""
    id: str | None = field(default=None, compare=False)
    """AWS's id or ARN, once there is one."""
    owner: str | None = field(default=None, compare=False)
    """The instance that owns it: its own tag's value, or its parent's owner where it has no tags."""
    source: str | None = field(default=None, compare=False)
    """file:line:column of the desired state it comes from."""

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.key)

    @property
    def parent(self) -> Ref | None:
        """For children that follow their list (attachments, assignments): whose list. None for all others."""
        return None

    def needs(self) -> Iterable[Ref]:
        """What has to exist before this can be created, and cannot go before this is gone."""
        parent = self.parent
        return () if parent is None else (parent,)

    def about(self) -> Iterable[Ref]:
        """What else it concerns, whatever it needs: the account that it lets somebody into, say."""
        return ()

    def over(self, live: Self, foreign: ForeignTags) -> Self:
        """This desired value laid over the live one: unmanaged attributes keep their live value, foreign tags stay."""
        changes: dict[str, Any] = {"id": live.id}
        for attribute in fields(self):
            if attribute.name in _IDENTITY:
                continue
            mine = getattr(self, attribute.name)
            if mine is None:
                changes[attribute.name] = getattr(live, attribute.name)
            elif attribute.name == "tags":
                theirs = getattr(live, "tags", None) or {}
                changes["tags"] = {**{k: v for k, v in theirs.items() if foreign.covers(k)}, **mine}
        return replace(self, **changes)

    def attributes(self) -> dict[str, Json]:
        """The compared attributes for people and machines, private ones masked, unmanaged ones left out."""
        shown: dict[str, Json] = {}
        for attribute in fields(self):
            value = getattr(self, attribute.name)
            if attribute.name in _IDENTITY or not attribute.compare or value is None:
                continue
            if not attribute.metadata.get("private"):
                shown[attribute.name] = plain(value)
            else:
                shown[attribute.name] = "(not shown)" if value else None
        return shown

    def fingerprint(self) -> Json:
        """Everything that decides what would be written, private values too: for digests, never for display."""
        return {
            "kind": self.kind,
            "key": self.key,
            "owner": self.owner,
            **{a.name: plain(getattr(self, a.name)) for a in fields(self) if a.compare and a.name not in _IDENTITY},
        }


_IDENTITY = frozenset({"key", "name", "id", "owner", "source"})


def plain(value: Any) -> Json:
    """A value as JSON: mappings sorted, sets as sorted lists, values that know better asked (`to_json`)."""
    if type(value) is str or value is None:  # most are
        return value
    if hasattr(value, "to_json"):
        return plain(value.to_json())
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, set | frozenset):
        return sorted((plain(v) for v in value), key=repr)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, bool | int | float | str):
        return value
    return str(value)


@dataclass(frozen=True, slots=True)
class ForeignTags:
    """Tag keys that are not ours to add or remove: AWS's, orgctl's own, and those the settings leave to other tools."""

    keys: frozenset[str] = frozenset()

    def covers(self, key: str) -> bool:
        return key.startswith(("aws:", "orgctl:")) or key in self.keys


class Action(StrEnum):
    """What a change does to its resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADOPT = "adopt"
    MOVE = "move"


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Something that could not be observed whole, and why. It is not planned in this cycle.

    `key` None stands for the whole kind; a key for one resource (one account × Region, say).
    """

    kind: str
    why: str
    key: str | None = None
    torn: bool = False
    """Two answers of AWS do not fit together, as where one is older than the other: worth asking again for all that
    it follows from."""

    @property
    def what(self) -> str:
        return self.kind if self.key is None else f"{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know about one resource, that stops nothing."""

    kind: str
    name: str
    text: str
    passing: bool = False
    """AWS is still at work, and what then is to be done shows only afterwards: worth another look soon."""


@dataclass(frozen=True, slots=True)
class Observed(Generic[R]):
    """Every live resource of a kind, by key; or what could not be seen of it."""

    resources: Mapping[str, R] = field(default_factory=dict)
    incomplete: tuple[Incomplete, ...] = ()
    notes: tuple[Note, ...] = ()


class Gone(StrEnum):
    """What git says of a resource it no longer wants."""

    DELETED = "deleted"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Desired(Generic[R]):
    """What git wants of one kind, after live AWS was looked up for names, targets and principals.

    Attributes:
        resources: key → what should be.
        gone: key → said in git to be deleted or released, with its file:line:column.
        lists: The parents whose list of children git states in full: only their children may be removed as unlisted.
        expired: Keys whose absence is the end of an `until`: their removal needs nobody's approval.
        ends: Key → `until`, of those that have one, past or to come.
        blocked: key → why it cannot be planned (an unknown principal, overlapping documents). The key may or
            may not also be in `resources`; nothing is done about it.
        doubts: key → why git may well mean another one: what is about it waits for a person.
        notes: Warnings about single resources.
    """

    resources: Mapping[str, R] = field(default_factory=dict)
    gone: Mapping[str, tuple[Gone, str]] = field(default_factory=dict)
    lists: frozenset[Ref] = frozenset()
    expired: frozenset[str] = frozenset()
    ends: Mapping[str, datetime] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


class Live:
    """All that was observed in this cycle, by kind."""

    def __init__(self, observed: Mapping[str, Observed[Any]] | None = None) -> None:
        self.observed: dict[str, Observed[Any]] = dict(observed or {})

    def of(self, resource: type[R]) -> Mapping[str, R]:
        """Every live resource of the kind that `resource` is a value of, by key; empty where none were seen."""
        found = self.observed.get(resource.kind)
        return {} if found is None else found.resources

    def get(self, ref: Ref) -> Resource | None:
        """One live resource, or None."""
        found = self.observed.get(ref.kind)
        return None if found is None else found.resources.get(ref.key)

    def whole(self, kind: str) -> bool:
        """Whether the kind was observed, and whole."""
        found = self.observed.get(kind)
        return found is not None and all(i.key is not None for i in found.incomplete)

    def incomplete(self) -> Iterator[Incomplete]:
        for observed in self.observed.values():
            yield from observed.incomplete


@dataclass(frozen=True, slots=True)
class Change:
    """One intended write to one resource.

    `before` None: nothing is there. `after` None: it is to go.
    `requires` and `held` are filled in by `planning` and empty when a kind is asked about a change.
    """

    kind: str
    key: str
    name: str
    action: Action
    before: Resource | None
    after: Resource | None
    source: str | None = None
    unit: str | None = None
    """The OU path it concerns, for grouping, modes and pauses; None: the organization as a whole."""
    rests_on: tuple[str, ...] = ()
    """What else an approval was given on the strength of: names of children that would be lost, say."""
    exempt: bool = False
    """The end of an `until` that was known before it came: not counted as a removal."""
    reason: str = ""
    """Said with the change where the two sides do not explain it: 'renamed from …', 'released'."""
    requires: frozenset[str] = frozenset()
    """Ids of the changes that must have succeeded first."""
    blocked: str | None = None
    """Why a guard rail holds it, with the command that lets it through where there is one."""
    hold: str | None = None
    """The id that `orgctl approve` takes; None where nothing can approve it."""
    observe_only: bool = False
    """The mode of its kind or subtree (or a pause) says: show, do not write."""
    waits: str = ""
    """Why it is only shown, with what ends that: the setting, or the command."""

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.key}:{self.action}"

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.key)

    def placed(
        self, requires: frozenset[str], blocked: str | None, unit: str | None, rests_on: tuple[str, ...]
    ) -> Change:
        """The same change with its place in the plan. (`replace` takes twice as long, and every change comes here.)"""
        return Change(
            self.kind, self.key, self.name, self.action, self.before, self.after, self.source, unit, rests_on,
            self.exempt, self.reason, requires, blocked, self.hold, self.observe_only, self.waits,
        )  # fmt: skip


class Kind(Generic[R]):
    """One kind of AWS resource: all that the controller knows of it.

    Instances hold no state. `observe` may raise `AwsError`: the caller turns that into an `Incomplete` for the kind.
    """

    name: ClassVar[str]
    """As in plans, metrics and logs."""
    resource: ClassVar[type[Resource]]
    requires: ClassVar[tuple[str, ...]] = ()
    """Kinds observed first, whose incompleteness makes this kind wait, and that exist before it."""
    looks_after: ClassVar[tuple[str, ...] | None] = None
    """Those of `requires` that `observe` makes use of; None: all. The less it waits for, the sooner all is seen."""
    reads: ClassVar[frozenset[str]] = frozenset()
    """IAM actions that `observe` and `owner` call. deploy/iam/ is made from these."""
    writes: ClassVar[frozenset[str]] = frozenset()
    """IAM actions that create, update and delete call, beyond `reads`."""
    member_actions: ClassVar[frozenset[str]] = frozenset()
    """Those of `reads` and `writes` that are called with the member account's role."""
    ownable: ClassVar[bool] = False
    """Whether it carries an owner tag of its own."""
    outlives_its_line: ClassVar[bool] = False
    """A parent that does not vanish with a line of YAML: owned and unnamed means orphaned, not deleted."""
    removal_needs_approval: ClassVar[bool] = False
    """Deleting it is always approved by a person, whatever the limits."""
    protective: ClassVar[bool] = False
    """Creating and updating it restores protection, so a fight over it never delays the repair."""
    deduplicated: ClassVar[bool] = True
    """Whether AWS refuses a second create of the same thing. If not, one whose answer was lost is looked for first."""
    width: ClassVar[int] = 8
    """How many changes of this kind may be under way at once."""

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[R]:
        """Read what is live, keyed as git calls it (`formerly` is looked up here).

        `live` holds the kinds in `requires`; `estate` narrows what need be read, never what is true.
        """
        raise NotImplementedError

    def desire(self, estate: Estate, live: Live) -> Desired[R]:
        """What git wants, with names, targets and principals resolved against `live`. Makes no calls."""
        raise NotImplementedError

    def create(self, aws: Writer, after: R) -> None:
        """Create it, with its owner tag in the create call where AWS takes tags there."""
        raise NotImplementedError

    def update(self, aws: Writer, before: R, after: R) -> None:
        """Bring `before` to `after`: UPDATE, MOVE and ADOPT alike (an adoption differs at least in `owner`)."""
        raise NotImplementedError

    def delete(self, aws: Writer, before: R) -> None:
        raise NotImplementedError

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis] | None:
        """What decides about these changes of this kind, and is out of date once they are written; None: everything.

        It is asked again before they are written, where what is known of it is older. What is declared here and never
        asked by `observe` does no harm.
        """
        return None

    def owner(self, aws: Reader, live: R) -> str | None:
        """Ownership, read again from AWS just before a delete. For children: their parent's."""
        return live.owner

    def changes(self, before: R | None, after: R | None) -> Iterator[tuple[Action, R | None, R | None]]:
        """The writes that lead from `before` to `after`; one, unless the kind has reason for more (a move)."""
        if before is None:
            yield Action.CREATE, None, after
        elif after is None:
            yield Action.DELETE, before, None
        elif before.owner is None and after.owner is not None and self.ownable:
            yield Action.ADOPT, before, after
        elif before != after or (self.ownable and before.owner != after.owner):
            yield Action.UPDATE, before, after

    def removes(self, change: Change) -> bool:
        """Whether the change takes something away: counted against the removal limits."""
        return change.action in (Action.DELETE, Action.MOVE)

    def names(self, resource: R, live: Live) -> Iterable[str]:
        """``kind/name`` of everything that removing the resource would take away, in AWS's names as well as in git's:
        what the settings protect stays protected while git calls it something else.
        """
        title = getattr(resource, "title", None) or resource.name
        return (f"{self.name}/{name}" for name in (resource.name, resource.key, title))

    def needs_approval(self, change: Change) -> str | None:
        """Why a person must approve this change whatever the limits, or None."""
        if change.action is Action.DELETE and self.removal_needs_approval:
            return f"removing a {self.name.replace('_', ' ')} is always approved by a person"
        return None

    def forbids(self, change: Change, plan: Changes, live: Live) -> str | None:
        """Why AWS or the safety rules never allow this change given the whole plan, or None.

        The last policy on a target, a delete of what is not empty: things nobody can approve.
        """
        return None

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """Ids of further changes in the plan that must come first, beyond `needs`: new protection before old goes.

        An id that is not in the plan means nothing. Asked of every change: look with `plan.where`, not at all of them.
        """
        return ()

    def rests_on(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """What else the change was reviewed and approved on the strength of, as it will be once the plan is done: if
        that is another, so are the plan's id and the approval's.
        """
        return ()

    def unit(self, resource: R, live: Live) -> str | None:
        """The OU path it lies in, for modes and pauses by subtree; None where it lies in none."""
        return None

    def lane(self, change: Change) -> str | None:
        """Changes with the same lane are applied one at a time, across kinds. None: no lane."""
        return None

    def is_void(self, resource: R) -> bool:
        """Of children: whether it means nothing any more, so that adopting its parent without it loses nothing."""
        return False

    def ignored(self, resource: R) -> bool:
        """Never reported as unmanaged: AWS's own and Control Tower's, children of the unmanaged."""
        return False
