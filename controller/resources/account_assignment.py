"""account_assignment: one principal's permission set in one account. A child of the permission set."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis
from controller.desired.documents.assignments import Assignment, Assignments
from controller.desired.documents.permission_set import PermissionSet as PermissionSetDocument
from controller.desired.estate import Estate
from controller.errors import AsyncFailed, AwsError
from controller.resources import account_assignment_rows, principals
from controller.resources.account import Account, membership
from controller.resources.account_assignment_rows import (
    Row,
    at_place,
    by_place,
    by_principal,
    of_principal,
    provisioned,
    tags_of_set,
)
from controller.resources.base import (
    Action,
    Change,
    Desired,
    Incomplete,
    Kind,
    Live,
    Note,
    Observed,
    Ref,
    Resource,
)
from controller.resources.changes import Changes
from controller.resources.identity_center import Instance, instance, owner_of
from controller.resources.identity_center_status import Work, settle
from controller.resources.permission_set import PermissionSet
from controller.resources.principals import Principal, deleted, everyone, name_of, named, principal_of, resolve
from controller.resources.selection import Selector

FEW_PLACES = 100
"""Pairs of a permission set and an account that are asked about within five seconds (IAM Identity Center User Guide,
quotas): not worth leaving anything out."""
_CREATION = Work(
    "sso:CreateAccountAssignment",
    describe="sso:DescribeAccountAssignmentCreationStatus",
    id="AccountAssignmentCreationRequestId",
    status="AccountAssignmentCreationStatus",
    listing="sso:ListAccountAssignmentCreationStatus",
    statuses="AccountAssignmentsCreationStatus",
    timeout=300,  # as long as Terraform's provider gives it
)
_DELETION = Work(
    "sso:DeleteAccountAssignment",
    describe="sso:DescribeAccountAssignmentDeletionStatus",
    id="AccountAssignmentDeletionRequestId",
    status="AccountAssignmentDeletionStatus",
    listing="sso:ListAccountAssignmentDeletionStatus",
    statuses="AccountAssignmentsDeletionStatus",
    timeout=300,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAssignment(Resource):
    """Who may sign in where, and as what.

    Attributes:
        principal: Its name; ``(deleted <id>)`` for one that is gone and left its assignment behind.
        permission_set: Its name.
        principal_id: In the identity store; None where git names nobody who is there.
    """

    kind = "account_assignment"

    principal: Principal
    permission_set: str
    account: str
    principal_id: str | None = field(default=None, compare=False)

    @property
    def parent(self) -> Ref:
        return Ref(PermissionSet.kind, self.permission_set)

    def about(self) -> Iterable[Ref]:
        return (Ref(Account.kind, self.account),)

    @property
    def is_orphaned(self) -> bool:
        """Whether its principal is gone: nobody can use it."""
        return self.principal.name == deleted(self.principal_id)


@dataclass(frozen=True, slots=True)
class Seen(Observed[AccountAssignment]):
    """What was seen, and what git's names came to.

    Attributes:
        at: When: an `until` before that is over.
        principals: As git names them → (id, name); those that do not resolve are missing.
        instance: Where they were looked up; None: nowhere.
    """

    at: datetime | None = None
    principals: Mapping[Principal, tuple[str, str]] = field(default_factory=dict)
    instance: Instance | None = None


class AccountAssignments(Kind[AccountAssignment]):
    """Account assignments."""

    name = "account_assignment"
    resource = AccountAssignment
    requires = ("account", "permission_set")
    reads = principals.READS | {
        *_CREATION.reads,
        *_DELETION.reads,
        *account_assignment_rows.READS,
        "sso:ListTagsForResource",
    }
    writes = frozenset({_CREATION.action, _DELETION.action})
    width = 15
    """So many under way at once (IAM Identity Center User Guide, quotas). Whether deletions count among them it leaves
    open, so they do."""

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[AccountAssignment]:
        """Every assignment of the permission sets that git names or we own, whoever has it.

        There are two ways to ask. One call for each permission set and account shows all; one for each user and group
        of the identity store shows all that anybody can use, and leaves out what deleted users and groups left behind.
        Where the second takes far fewer calls the first goes on slowly beside it, for those leftovers.
        """
        sets = _sets_to_ask(estate, live, aws.here.instance)
        expected = _places_in_git(estate, live) if sets else 0
        people = everyone(aws, expected // 2) if expected > FEW_PLACES else None
        ways = {"by user and group": len(people)} if people is not None else {}
        aws.chose("who has which permission set where", {**ways, "by permission set and account": expected})
        resolved = resolve(aws, named(estate), people)
        if people is not None:  # somebody may have come since all were listed, or come back as another
            listed = {*people.values()}
            people |= {Principal(p.type, name): id for p, (id, name) in resolved.items() if id not in listed}
        rows = by_place(aws, sets, live) if people is None else by_principal(aws, people, sets, estate, live)
        names = {(p.type, id): p.name for p, id in (people or {}).items()}
        names |= {(p.type, id): name for p, (id, name) in resolved.items()}
        unknown = {(row.type, row.principal_id) for row in rows} - names.keys()
        names |= dict(zip(sorted(unknown), aws.map(lambda who: name_of(aws, *who), sorted(unknown)), strict=True))
        found = [_live(row, names[row.type, row.principal_id], live) for row in rows]
        # Where an account lies is not known while it moves: whether git means it is not, either.
        lost = [a for a in found if (account := live.of(Account).get(a.account)) is not None and account.unit is None]
        return Seen(
            {assignment.key: assignment for assignment in found},
            tuple(Incomplete(self.name, "the OU of its account is not known", a.key, torn=True) for a in lost),
            at=aws.clock.now(),
            principals=resolved,
            instance=instance(aws) if sets or resolved else None,
        )

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        """That it is there or not; who has it; where its account lies, on which targets depend; whose its set is."""
        seen = live.observed[self.name]
        assert isinstance(seen, Seen)
        if seen.instance is None:
            return
        entitled, in_git, theirs = _entitled(estate, live), set(named(estate)), _sets_of_each(live)
        accounts: set[str] = set()
        for change in changes:
            one = change.after or change.before
            assert isinstance(one, AccountAssignment)
            permission_set = live.get(one.parent)
            if one.principal_id is not None:
                yield (of_principal(seen.instance.arn, one.principal.type, one.principal_id),)
            if permission_set is not None and permission_set.id is not None:
                yield (at_place(seen.instance.arn, permission_set.id, one.account),)
                yield (provisioned(seen.instance.arn, permission_set.id),)
                yield (tags_of_set(seen.instance.arn, permission_set.id),)
            accounts.add(one.account)
            # What takes the place of access that goes may have gone itself.
            for arn in theirs.get((one.account, one.principal), ()) if change.action is Action.DELETE else ():
                yield (at_place(seen.instance.arn, arn, one.account),)
            # Somebody who can no longer be found keeps everybody's access (`_Wanted.unsure`).
            others = entitled.get(one.permission_set, set()) if change.action is Action.DELETE else set()
            for principal in {one.principal, *others} & in_git:
                yield principals.basis(principal, seen.instance.identity_store_id)
        yield from membership(accounts, live, estate)

    def desire(self, estate: Estate, live: Live) -> Desired[AccountAssignment]:
        seen = live.observed[self.name]
        assert isinstance(seen, Seen)
        wanted = _Wanted(estate, live, seen)
        for document in estate.of(Assignments):
            for number, line in enumerate(document.model.assignments):
                wanted.add(line, str(document.marks.at("assignments", number)))
        return wanted.finish()

    def create(self, aws: Writer, after: AccountAssignment) -> None:
        """Sent again it does no harm: AWS takes an assignment that is there for a new one, and leaves it as it is."""
        answer = aws.send(_CREATION.action, **_request(instance(aws.reads).arn, aws.id_of(after.parent), after))
        settle(aws, _CREATION, answer[_CREATION.status])

    def delete(self, aws: Writer, before: AccountAssignment) -> None:
        where, arn = instance(aws.reads).arn, aws.id_of(before.parent)
        try:
            answer = aws.send(_DELETION.action, **_request(where, arn, before))
            settle(aws, _DELETION, answer[_DELETION.status])
        except AwsError as error:
            gone = error.code == "ResourceNotFoundException" or isinstance(error, AsyncFailed)
            if not gone or _is_there(aws.reads, where, arn, before):
                raise

    def owner(self, aws: Reader, live: AccountAssignment) -> str | None:
        """Its permission set's: assignments have no tags."""
        assert live.id is not None
        return owner_of(aws, live.id)

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """Access is granted before its replacement leaves: another set for the same people, or others for the set.

        And an account that moves gets and loses access when it is there: git means it in its new place.
        """
        subject = change.after or change.before
        if isinstance(subject, AccountAssignment):
            yield f"{Ref(Account.kind, subject.account)}:{Action.MOVE}"
        old = change.before
        if change.action is not Action.DELETE or not isinstance(old, AccountAssignment):
            return
        for like in _likes(old):
            yield from (new.id for new in plan.where(_gives, like))

    def unit(self, resource: AccountAssignment, live: Live) -> str | None:
        account = live.of(Account).get(resource.account)
        return None if account is None else account.unit

    def lane(self, change: Change) -> str | None:
        """AWS updates the roles of one account one at a time (IAM Identity Center User Guide, quotas)."""
        one = change.after or change.before
        return f"iam:{one.account}" if isinstance(one, AccountAssignment) else None

    def is_void(self, resource: AccountAssignment) -> bool:
        return resource.is_orphaned

    def ignored(self, resource: AccountAssignment) -> bool:
        """Children of a permission set that is not ours go with it: that one is shown."""
        return resource.owner is None


def _likes(one: AccountAssignment) -> tuple[Hashable, Hashable]:
    """What may take its place has one of these in common with it."""
    return (one.account, one.principal), (one.account, one.permission_set)


def _gives(change: Change) -> Iterable[Hashable]:
    new = change.after
    return _likes(new) if change.action is Action.CREATE and isinstance(new, AccountAssignment) else ()


def key_of(principal: Principal, permission_set: str, account_id: str) -> str:
    return f"{principal}/{permission_set}/{account_id}"


def _sets_of_each(live: Live) -> dict[tuple[str, Principal], list[str]]:
    """(account, principal) → ARNs of the permission sets that they have there."""
    found: dict[tuple[str, Principal], list[str]] = {}
    for one in live.of(AccountAssignment).values():
        found.setdefault((one.account, one.principal), []).append(str(one.id))
    return found


# Desired


@dataclass(slots=True)
class _Wanted:
    """The union of all lines."""

    estate: Estate
    live: Live
    seen: Seen
    resources: dict[str, AccountAssignment] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    ends: dict[str, datetime] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    """Permission sets of which somebody that git names is not known: nothing of theirs is revoked."""
    notes: list[Note] = field(default_factory=list)
    selector: Selector = field(init=False)

    def __post_init__(self) -> None:
        self.selector = Selector(self.estate, self.live)

    def add(self, line: Assignment, source: str) -> None:
        given = principal_of(line)
        id, name = self.seen.principals.get(given, (None, given.name))
        principal = Principal(given.type, name)
        over = line.until is not None and self.seen.at is not None and line.until <= self.seen.at
        sets = [_name_of_set(text, self.live) for text in line.permission_sets]
        if id is None and not over:
            self.unsure.update(sets)
            self.notes.append(
                Note(AccountAssignment.kind, str(principal), "nobody of that name is in the identity store")
            )
        selection = self.selector.select(line.targets)
        self.notes += selection.notes(AccountAssignment.kind, source)
        for permission_set in sets:
            for account_id in selection.accounts:
                one = self._one(principal, id, permission_set, account_id, source)
                if line.until is not None:
                    self.ends[one.key] = max(line.until, self.ends.get(one.key, line.until))
                if over:
                    self.over.add(one.key)
                else:
                    self.resources.setdefault(one.key, one)

    def finish(self) -> Desired[AccountAssignment]:
        former = {d.model.formerly for d in self.estate.of(PermissionSetDocument) if d.model.name in self.unsure}
        lists = {name for name in _stated_in_full(self.estate) if name not in self.unsure | former}
        return Desired(
            self.resources,
            lists=frozenset(Ref(PermissionSet.kind, name) for name in lists),
            expired=frozenset(self.over - self.resources.keys()),
            ends=self.ends,
            blocked={
                key: f"{one.principal.type} '{one.principal.name}' is not in the identity store; until it is, nothing "
                f"of '{one.permission_set}' is revoked"
                for key, one in self.resources.items()
                if one.principal_id is None
            },
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _one(
        self, principal: Principal, id: str | None, permission_set: str, account_id: str, source: str
    ) -> AccountAssignment:
        account = self.live.of(Account)[account_id]
        return AccountAssignment(
            key=key_of(principal, permission_set, account_id),
            name=f"{principal.name}/{permission_set}/{account.name}",
            source=source,
            principal=principal,
            permission_set=permission_set,
            account=account_id,
            principal_id=id,
        )


def _name_of_set(text: str, live: Live) -> str:
    """A permission set's name; git may give its ARN."""
    sets = live.of(PermissionSet).values()
    return next((s.name for s in sets if s.id == text), text) if text.startswith("arn:") else text


def _stated_in_full(estate: Estate) -> Iterator[str]:
    """Permission sets whose assignments git states in full: nobody else is to have them."""
    has_lines = estate.has(Assignments)
    for document in estate.of(PermissionSetDocument):
        model = document.model
        if model.deleted or (has_lines and not model.external and not model.released):
            yield model.name
            if has_lines and model.formerly:
                yield model.formerly


# Live


def _sets_to_ask(estate: Estate, live: Live, instance_name: str) -> list[PermissionSet]:
    """Those that git names or we own; without a list of assignments, only those that are to go."""
    documents = [document.model for document in estate.of(PermissionSetDocument)]
    lines = [line for document in estate.of(Assignments) for line in document.model.assignments]
    named = {text for line in lines for text in line.permission_sets} | {m.formerly for m in documents if m.formerly}
    if not estate.has(Assignments):
        named |= {model.name for model in documents if model.deleted}
        return [one for one in live.of(PermissionSet).values() if one.name in named]
    named |= {model.name for model in documents}
    return [one for one in live.of(PermissionSet).values() if {one.name, one.id} & named or one.owner == instance_name]


def _places_in_git(estate: Estate, live: Live) -> int:
    """How many pairs of a permission set and an account git names: what there is to ask about where all is well."""
    selector = Selector(estate, live)
    lines = [line for document in estate.of(Assignments) for line in document.model.assignments]
    return len(
        {(text, id) for line in lines for id in selector.select(line.targets).accounts for text in line.permission_sets}
    )


def _entitled(estate: Estate, live: Live) -> dict[str, set[Principal]]:
    """Permission set → everybody that git names for it, or for the one that takes its place."""
    found: dict[str, set[Principal]] = {}
    for document in estate.of(Assignments):
        for line in document.model.assignments:
            for permission_set in line.permission_sets:
                found.setdefault(_name_of_set(permission_set, live), set()).add(principal_of(line))
    for one in estate.of(PermissionSetDocument):
        if one.model.formerly:
            found.setdefault(one.model.formerly, set()).update(found.get(one.model.name, ()))
    return found


def _live(row: Row, name: str, live: Live) -> AccountAssignment:
    principal, permission_set = Principal(row.type, name), row.permission_set
    return AccountAssignment(
        key=key_of(principal, permission_set.name, row.account),
        name=f"{name}/{permission_set.name}/{live.of(Account)[row.account].name}",
        id=permission_set.id,
        owner=permission_set.owner,
        principal=principal,
        permission_set=permission_set.name,
        account=row.account,
        principal_id=row.principal_id,
    )


# Writing


def _request(where: str, permission_set_arn: str, one: AccountAssignment) -> dict[str, Any]:
    assert one.principal_id is not None, "an assignment to nobody is blocked"
    return {
        "InstanceArn": where,
        "TargetId": one.account,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": permission_set_arn,
        "PrincipalType": one.principal.type.upper(),
        "PrincipalId": one.principal_id,
    }


def _is_there(aws: Reader, where: str, permission_set_arn: str, one: AccountAssignment) -> bool:
    """Whether AWS still lists it: FAILED is also what it says of one that was gone already."""
    found = aws.items(
        "sso:ListAccountAssignments",
        "AccountAssignments",
        InstanceArn=where,
        AccountId=one.account,
        PermissionSetArn=permission_set_arn,
    )
    return any(
        row["PrincipalId"] == one.principal_id and row["PrincipalType"] == one.principal.type.upper() for row in found
    )
