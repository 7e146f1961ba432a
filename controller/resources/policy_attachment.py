"""policy_attachment: one policy on one root, OU or account. It belongs to its policy and follows its targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.aws.tags import owner_now, tags_basis
from controller.desired import paths
from controller.desired.documents.base import Attachment
from controller.desired.documents.organization import Organization
from controller.desired.documents.policies import Policy as Document
from controller.desired.estate import Document as Placed
from controller.desired.estate import Estate
from controller.errors import AwsError
from controller.resources.account import Account, place_basis
from controller.resources.base import Action, Change, Desired, Gone, Incomplete, Kind, Live, Observed, Ref, Resource
from controller.resources.changes import Changes
from controller.resources.names import Names
from controller.resources.organizational_unit import LANE, OrganizationalUnit, way_to, within
from controller.resources.placement import description_call, policies_call, policies_on, targets_call
from controller.resources.policies import POLICY_KINDS, Policies, Policy, targets_of
from controller.resources.policy_document import PolicyDocument
from controller.resources.policy_type import PolicyType
from controller.resources.protection import Place, balance, beside, comes_first
from controller.resources.reach import contents, decisive

_KINDS: Mapping[str, Policies] = {kind.name: kind for kind in POLICY_KINDS}
_KIND_OF_DOCUMENT: Mapping[str, Policies] = {kind.document: kind for kind in POLICY_KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAttachment(Resource):
    """Where a policy is attached.

    Attributes:
        policy_kind: ``service_control_policy`` and the like.
        policy: Its name as git calls it.
        target: An OU's path, ``/`` for the root, or an account's key.
        policy_id: Whose tag says who owns it; None for AWS's own policies, which take no tags.
    """

    kind = "policy_attachment"

    policy_kind: str = field(compare=False)
    policy: str
    target: str
    policy_id: str | None = field(default=None, compare=False)

    @property
    def parent(self) -> Ref:
        return Ref(self.policy_kind, self.policy)

    @property
    def place(self) -> Ref:
        """What it is attached to."""
        return Ref(OrganizationalUnit.kind if self.target.startswith("/") else Account.kind, self.target)

    def about(self) -> Iterable[Ref]:
        return (self.place,)

    def needs(self) -> Iterable[Ref]:
        # An account is there or the attachment is blocked; it need not wait for the account's own move or new tags.
        return (self.parent, self.place) if self.place.kind == OrganizationalUnit.kind else (self.parent,)


@dataclass(frozen=True, slots=True)
class Seen(Observed[PolicyAttachment]):
    """What was seen, and what it means for what may change.

    Attributes:
        at: When: an `until` before that is over.
        counts: (policy kind, target) → how many policies are on it, whoever's; right where something is to change.
        listed: Where all that is attached was asked for, whoever's it is.
        contents: Of SCPs and RCPs there that git does not name.
    """

    at: datetime | None = None
    counts: Mapping[Place, int] = field(default_factory=dict)
    listed: frozenset[Place] = frozenset()
    contents: Mapping[Ref, PolicyDocument] = field(default_factory=dict)


class PolicyAttachments(Kind[PolicyAttachment]):
    """Attachments of policies."""

    name = "policy_attachment"
    resource = PolicyAttachment
    requires = (*_KINDS, "policy_type", "organizational_unit", "account")
    reads = frozenset(
        {
            "organizations:ListTargetsForPolicy",
            "organizations:ListPoliciesForTarget",
            "organizations:ListTagsForResource",
            "organizations:DescribePolicy",
        }
    )
    writes = frozenset({"organizations:AttachPolicy", "organizations:DetachPolicy"})
    protective = True

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[PolicyAttachment]:
        """The targets of policies that git names or we own; and all that is on a target where something is to change.

        Asking by target alone would be a call per account (20 policies are asked about in 4 seconds, 5,000 accounts
        in a quarter of an hour: Organizations User Guide, throttling limits), and is done only where there are fewer of
        them than policies. But before something goes on or comes off, the number of policies there matters, whoever's.
        """
        look = _Look(aws, live, estate)
        asked, every = look.policies_to_ask(), look.places_to_ask()
        asked = [policy for policy in asked if policy.kind not in {kind for kind, _ in every}]
        found: dict[str, PolicyAttachment] = {}
        lost: list[Incomplete] = []
        for policy, ids in zip(asked, aws.map(look.targets, asked), strict=True):
            for id in ids:
                key = look.target_key(id)
                if key is None:
                    why = f"'{policy.name}' is attached to {id}, which was not there a moment ago"
                    lost.append(Incomplete(self.name, why, torn=True))
                else:
                    one = look.attachment(policy, key)
                    found[one.key] = one
        at = aws.clock.now()
        wants = _wants(estate, live, at)
        look.correct(found, every)
        changing = look.places({*look.changing(wants, found), *decisive(estate, live, found.values())})
        look.correct(found, [place for place in changing if place not in {*every}])
        listed = sorted({*every, *changing})
        counts = Counter((one.policy_kind, one.target) for one in found.values())
        matter = [*found.values(), *wants.resources.values()]
        read = contents(aws, live, matter, set(listed))
        return Seen(found, tuple(lost), at=at, counts=counts, listed=frozenset(listed), contents=read)

    def desire(self, estate: Estate, live: Live) -> Desired[PolicyAttachment]:
        seen = live.observed.get(self.name)
        return _wants(estate, live, seen.at if isinstance(seen, Seen) else None).finish()

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        """Where the policy is, and what it says; what else is on the target and above it, and what that says; and
        before it comes off, whether what git wants below is there.
        """
        wanted, places = self.desire(estate, live).resources.values(), set[Place]()
        for change in changes:
            one = change.after or change.before
            assert isinstance(one, PolicyAttachment)
            if (policy := live.get(one.parent)) is not None and policy.id is not None:
                yield (targets_call(policy.id),)
                if not getattr(policy, "aws_managed", False):
                    yield tags_basis(policy.id)
                yield (description_call(policy.id),)
            if change.action is Action.DELETE:
                yield from self._below(one, wanted, live)
            account = live.of(Account).get(one.target)
            unit = one.target if account is None else account.unit
            if account is not None:
                yield place_basis(account.key)
            yield from way_to(unit or "/", live) if unit else ()
            places |= {(one.policy_kind, level) for level in (one.target, *(paths.ancestors(unit) if unit else ()))}
        yield from policies_on(places, live)

    def _below(self, gone: PolicyAttachment, wanted: Iterable[PolicyAttachment], live: Live) -> Iterator[Basis]:
        for other in wanted:
            unit = self.unit(other, live)
            if other.policy_kind != gone.policy_kind or unit is None or not within(unit, gone.target):
                continue
            policy, place = live.get(other.parent), live.get(other.place)
            if policy is not None and policy.id is not None:
                yield (targets_call(policy.id),)
            if place is not None and place.id is not None:
                yield (policies_call(place.id, other.policy_kind),)

    def create(self, aws: Writer, after: PolicyAttachment) -> None:
        self._send(aws, "organizations:AttachPolicy", after, already="DuplicatePolicyAttachmentException")

    def delete(self, aws: Writer, before: PolicyAttachment) -> None:
        self._send(aws, "organizations:DetachPolicy", before, already="PolicyNotAttachedException")

    def owner(self, aws: Reader, live: PolicyAttachment) -> str | None:
        """Its policy's owner. AWS's own policies have none, and cannot get one."""
        return None if live.policy_id is None else owner_now(aws, live.policy_id)

    def forbids(self, change: Change, plan: Changes, live: Live) -> str | None:
        """AWS keeps at least one SCP on everything (Organizations API reference, DetachPolicy)."""
        gone = change.before
        if change.action is not Action.DELETE or not isinstance(gone, PolicyAttachment):
            return None
        if gone.policy == "RCPFullAWSAccess":
            return "AWS does not let RCPFullAWSAccess be detached"
        place = (gone.policy_kind, gone.target)
        if gone.policy_kind == "service_control_policy" and _counts(live).get(place, 0) + balance(plan, place) < 1:
            return f"it is the last service control policy on {gone.target}; AWS keeps at least one on everything"
        return None

    def names(self, resource: PolicyAttachment, live: Live) -> Iterable[str]:
        """A policy that is protected is not detached either."""
        yield from (f"{self.name}/{resource.name}", f"{self.name}/{resource.key}")
        policy = live.get(resource.parent)
        if isinstance(policy, Policy):
            yield from _KINDS[policy.kind].names(policy, live)
            yield f"{self.name}/{policy.title}{resource.name.removeprefix(policy.key)}"

    def needs_approval(self, change: Change) -> str | None:
        gone = change.before
        if change.action is Action.DELETE and isinstance(gone, PolicyAttachment) and gone.policy == "FullAWSAccess":
            return f"taking FullAWSAccess off {gone.target} denies all that no other policy allows there"
        return None

    def rests_on(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """Taking FullAWSAccess off: what else is there, and may allow something."""
        return beside(change, plan, live) if self.needs_approval(change) else ()

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """See `protection`; and its type must be on before a policy goes on."""
        subject = change.after or change.before
        if not isinstance(subject, PolicyAttachment):
            return
        if change.action is Action.CREATE:
            type_ref = Ref(PolicyType.kind, _KINDS[subject.policy_kind].type_name)
            yield from (f"{type_ref}:{action}" for action in (Action.CREATE, Action.UPDATE))
        yield from comes_first(change, plan, live)

    def unit(self, resource: PolicyAttachment, live: Live) -> str | None:
        if resource.place.kind == OrganizationalUnit.kind:
            return resource.target
        account = live.of(Account).get(resource.target)
        return None if account is None else account.unit

    def lane(self, change: Change) -> str | None:
        return LANE

    def ignored(self, resource: PolicyAttachment) -> bool:
        """Attachments are never unmanaged by themselves: their policy is."""
        return True

    def _send(self, aws: Writer, action: str, subject: PolicyAttachment, *, already: str) -> None:
        try:
            aws.send(action, PolicyId=aws.id_of(subject.parent), TargetId=aws.id_of(subject.place))
        except AwsError as error:
            if error.code != already:
                raise


def listed_on(aws: Reader, live: Live, estate: Estate, places: Iterable[Place]) -> Seen:
    """What was seen, and besides all that is on these places, with its content."""
    look, seen = _Look(aws, live, estate), live.observed[PolicyAttachment.kind]
    assert isinstance(seen, Seen)
    listed = look.places(places)
    found = {one.key: one for on_target in aws.map(look.on_target, listed) for one in on_target}
    read = contents(aws, live, found.values(), set(listed))
    return replace(
        seen,
        resources={**seen.resources, **found},
        listed=seen.listed | set(listed),
        contents={**seen.contents, **read},
    )


class _Look:
    """One observation."""

    def __init__(self, aws: Reader, live: Live, estate: Estate) -> None:
        self.aws, self.live, self.estate = aws, live, estate
        self.names = Names(estate, live)
        self.policies = {
            kind.name: {str(policy.id): policy for policy in live.of(kind.resource).values()} for kind in POLICY_KINDS
        }
        units, accounts = live.of(OrganizationalUnit).values(), live.of(Account).values()
        self.targets_by_id = {str(one.id): one.key for one in (*units, *accounts)}
        self.ids = {key: id for id, key in self.targets_by_id.items()}

    def policies_to_ask(self) -> list[Policy]:
        """Those that git names or we own, of types that are on. AWS's own are on everything: nobody asks for that."""
        named = {
            (_KIND_OF_DOCUMENT[d.model.kind].name, d.model.name)
            for d in self.estate.of(Document)
            if not d.model.external
        }
        return [
            policy
            for kind, policies in self.policies.items()
            if _KINDS[kind].type_name in self.live.of(PolicyType)
            for policy in policies.values()
            if not policy.others and ((kind, policy.key) in named or policy.owner == self.aws.here.instance)
        ]

    def places_to_ask(self) -> list[Place]:
        """Every target, for the types of which fewer targets than policies would have to be asked about."""
        policies = Counter(policy.kind for policy in self.policies_to_ask())
        cheaper = [kind for kind, number in policies.items() if len(self.ids) < number]
        for kind, number in policies.items():
            ways = {"by target": len(self.ids), "by policy": number}
            self.aws.chose(f"where each {kind.replace('_', ' ')} is attached", ways)
        return self.places((kind, target) for kind in cheaper for target in self.ids)

    def targets(self, policy: Policy) -> list[str]:
        return targets_of(self.aws, str(policy.id))

    def changing(self, wants: _Wants, found: Mapping[str, PolicyAttachment]) -> set[Place]:
        """Where something goes on or comes off."""
        on = [one for key, one in wants.resources.items() if key not in found]
        off = [one for key, one in found.items() if key not in wants.resources and one.parent in wants.lists]
        return {(one.policy_kind, one.target) for one in (*on, *off, *wants.detached.values())}

    def places(self, places: Iterable[Place]) -> list[Place]:
        """Those of the places that AWS has."""
        types = self.live.of(PolicyType)
        return sorted((k, t) for k, t in places if t in self.ids and _KINDS[k].type_name in types)

    def on_target(self, place: Place) -> list[PolicyAttachment]:
        """Every policy of the kind that is on the target."""
        kind, target = place
        listed = self.aws.items(
            "organizations:ListPoliciesForTarget",
            "Policies",
            TargetId=self.ids[target],
            Filter=_KINDS[kind].aws_type,
        )
        policies = self.policies[kind]
        return [self.attachment(policies[item["Id"]], target) for item in listed if item["Id"] in policies]

    def correct(self, found: dict[str, PolicyAttachment], places: Sequence[Place]) -> None:
        """By all that is on these places. Where a policy's targets say otherwise, the younger answer counts."""
        there: dict[Place, list[PolicyAttachment]] = {}
        for one in found.values():
            there.setdefault((one.policy_kind, one.target), []).append(one)
        for place, on_target in zip(places, self.aws.map(self.on_target, places), strict=True):
            call, seen = policies_call(self.ids[place[1]], place[0]), {one.key for one in on_target}
            for one in there.get(place, ()):
                if one.key not in seen and not self._is_younger(one, call):
                    del found[one.key]
            for one in on_target:
                if one.key in found or not self._is_younger(one, call):
                    found[one.key] = one

    def _is_younger(self, one: PolicyAttachment, on_target: Call) -> bool:
        """Whether the policy was asked for its targets after the target was asked for its policies."""
        return one.policy_id is not None and self.aws.is_better(targets_call(one.policy_id), than=on_target)

    def target_key(self, id: str) -> str | None:
        return self.targets_by_id.get(id)

    def attachment(self, policy: Policy, target: str) -> PolicyAttachment:
        made = _attachment(policy.kind, policy.key, target, self.names)
        return replace(made, owner=policy.owner, policy_id=None if policy.aws_managed else policy.id)


def _wants(estate: Estate, live: Live, at: datetime | None) -> _Wants:
    """What git wants at a time."""
    wants = _Wants(Names(estate, live), live, _types(estate, live), at)
    for document in estate.of(Document):
        if not document.model.external and not document.model.released:
            wants.add(document)
    return wants


@dataclass(slots=True)
class _Wants:
    """All documents' targets together."""

    names: Names
    live: Live
    types: frozenset[str]
    at: datetime | None
    resources: dict[str, PolicyAttachment] = field(default_factory=dict)
    detached: dict[str, PolicyAttachment] = field(default_factory=dict)
    lists: set[Ref] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)
    ends: dict[str, datetime] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)

    def add(self, document: Placed[Document]) -> None:
        model, kind = document.model, _KIND_OF_DOCUMENT[document.model.kind]
        source = str(document.mark)
        if model.detached_from is not None:
            self.detached |= {one.key: one for one in self._at(kind, model.name, model.detached_from, source)}
        elif model.deleted:
            self.lists.add(Ref(kind.name, model.name))
        elif model.targets is not None:
            self.lists.add(Ref(kind.name, model.name))
            over = self.at is not None and model.until is not None and model.until <= self.at
            for one in self._at(kind, model.name, model.targets, source):
                if model.until is not None:
                    self.ends[one.key] = model.until
                if over:
                    self.expired.add(one.key)
                else:
                    self._want(one, kind)

    def finish(self) -> Desired[PolicyAttachment]:
        return Desired(
            resources=self.resources,
            gone={key: (Gone.DELETED, str(one.source)) for key, one in self.detached.items()},
            lists=frozenset(self.lists),
            expired=frozenset(self.expired),
            ends=self.ends,
            blocked=self.blocked,
        )

    def _want(self, one: PolicyAttachment, kind: Policies) -> None:
        self.resources[one.key] = one
        if kind.type_name not in self.types:
            self.blocked[one.key] = (
                f"the policy type {kind.type_name} is not enabled: add it to policy_types of the Organization document"
            )
        if one.place.kind == Account.kind and one.target not in self.live.of(Account):
            self.blocked[one.key] = f"account {self.names.account_name(one.target)} is not in this organization"
        policy = self.live.of(kind.resource).get(one.policy)
        if policy is not None and policy.others:
            self.blocked[one.key] = "it is AWS's or Control Tower's own policy: orgctl does not attach it"

    def _at(self, kind: Policies, policy: str, targets: Attachment, source: str) -> Iterator[PolicyAttachment]:
        """One attachment for each target; those that name nothing are blocked."""
        for name, find in [(n, self.names.unit_key) for n in targets.units] + [
            (n, self.names.account_key) for n in targets.accounts
        ]:
            try:
                yield replace(_attachment(kind.name, policy, find(name), self.names), source=source)
            except KeyError:
                self.blocked[_key(kind.name, policy, name)] = f"there is no {name} in this organization"


def _attachment(policy_kind: str, policy: str, target: str, names: Names) -> PolicyAttachment:
    shown = target if target.startswith("/") else names.account_name(target)
    return PolicyAttachment(
        key=_key(policy_kind, policy, target),
        name=f"{policy} → {shown}",
        policy_kind=policy_kind,
        policy=policy,
        target=target,
    )


def _key(policy_kind: str, policy: str, target: str) -> str:
    return f"{policy_kind}/{policy}@{target}"


def _types(estate: Estate, live: Live) -> frozenset[str]:
    """The policy types that are on, or that this commit turns on."""
    wanted = [name for document in estate.of(Organization) for name in document.model.policy_types]
    return frozenset({*wanted, *live.of(PolicyType)})


def _counts(live: Live) -> Mapping[Place, int]:
    seen = live.observed.get(PolicyAttachment.kind)
    return seen.counts if isinstance(seen, Seen) else {}
