"""account_assignment: one principal's permission set in one account. A child of the permission set."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from controller.aws.api import Reader, Writer
from controller.desired.documents.assignments import Assignment, Assignments
from controller.desired.documents.permission_set import PermissionSet as PermissionSetDocument
from controller.desired.estate import Estate
from controller.errors import AsyncFailed, AwsError
from controller.resources import principals
from controller.resources.account import Account
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
from controller.resources.identity_center import instance, owner_of, settle
from controller.resources.permission_set import PermissionSet
from controller.resources.principals import Principal, deleted, name_of, principal_of, resolve
from controller.resources.selection import Selector

_TIMEOUT = 300.0
"""Seconds for one assignment. Terraform's provider gives it as long."""


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
    """

    at: datetime | None = None
    principals: Mapping[Principal, tuple[str, str]] = field(default_factory=dict)


class AccountAssignments(Kind[AccountAssignment]):
    """Account assignments."""

    name = "account_assignment"
    resource = AccountAssignment
    requires = ("account", "permission_set")
    reads = principals.READS | {
        "sso:DescribeAccountAssignmentCreationStatus",
        "sso:DescribeAccountAssignmentDeletionStatus",
        "sso:ListAccountAssignments",
        "sso:ListAccountsForProvisionedPermissionSet",
        "sso:ListInstances",
        "sso:ListTagsForResource",
    }
    writes = frozenset({"sso:CreateAccountAssignment", "sso:DeleteAccountAssignment"})
    width = 15  # so many under way at once (IAM Identity Center User Guide, quotas)

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[AccountAssignment]:
        """Every assignment of the permission sets that git names or we own, whoever has it.

        Asked for by permission set and account: asking by principal is cheaper, but does not show those that git does
        not name, and these are to be found.
        """
        sets = _sets_to_ask(estate, live, aws.here.instance)
        rows = _rows(aws, sets, live)
        resolved = resolve(aws, estate)
        names = {(p.type, id): name for p, (id, name) in resolved.items()}
        unknown = {(row.type, row.principal_id) for row in rows} - names.keys()
        names |= dict(zip(sorted(unknown), aws.map(lambda who: name_of(aws, *who), sorted(unknown)), strict=True))
        found = [_live(row, names[row.type, row.principal_id], live) for row in rows]
        # Where an account lies is not known while it moves: whether git means it is not, either.
        lost = [a for a in found if (account := live.of(Account).get(a.account)) is not None and account.unit is None]
        return Seen(
            {assignment.key: assignment for assignment in found},
            tuple(Incomplete(self.name, "the OU of its account is not known", a.key) for a in lost),
            at=aws.clock.now(),
            principals=resolved,
        )

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
        where, action = instance(aws.reads).arn, "sso:CreateAccountAssignment"
        answer = aws.send(action, **_request(where, aws.id_of(after.parent), after))
        settle(
            aws,
            action,
            answer["AccountAssignmentCreationStatus"],
            lambda id: aws.reads.get(
                "sso:DescribeAccountAssignmentCreationStatus",
                InstanceArn=where,
                AccountAssignmentCreationRequestId=id,
            )["AccountAssignmentCreationStatus"],
            timeout=_TIMEOUT,
        )

    def delete(self, aws: Writer, before: AccountAssignment) -> None:
        where, action = instance(aws.reads).arn, "sso:DeleteAccountAssignment"
        arn = aws.id_of(before.parent)
        try:
            answer = aws.send(action, **_request(where, arn, before))
            settle(
                aws,
                action,
                answer["AccountAssignmentDeletionStatus"],
                lambda id: aws.reads.get(
                    "sso:DescribeAccountAssignmentDeletionStatus",
                    InstanceArn=where,
                    AccountAssignmentDeletionRequestId=id,
                )["AccountAssignmentDeletionStatus"],
                timeout=_TIMEOUT,
            )
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
        sets = [self._set(text) for text in line.permission_sets]
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

    def _set(self, text: str) -> str:
        """A permission set's name; git may give its ARN."""
        live = self.live.of(PermissionSet).values()
        return next((s.name for s in live if s.id == text), text) if text.startswith("arn:") else text

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


class _Row(NamedTuple):
    """One assignment as AWS lists it. `type`: ``group`` or ``user``."""

    permission_set: PermissionSet
    account: str
    type: str
    principal_id: str


def _rows(aws: Reader, sets: Iterable[PermissionSet], live: Live) -> list[_Row]:
    """Every assignment of these permission sets in accounts that are ACTIVE: in others nothing can be changed."""
    where = instance(aws).arn

    def places(one: PermissionSet) -> list[tuple[PermissionSet, str]]:
        found = aws.items(
            "sso:ListAccountsForProvisionedPermissionSet", "AccountIds", InstanceArn=where, PermissionSetArn=one.id
        )
        accounts = live.of(Account)
        return [(one, id) for id in found if id in accounts and accounts[id].active]

    def assigned(place: tuple[PermissionSet, str]) -> list[_Row]:
        one, account = place
        found = aws.items(
            "sso:ListAccountAssignments",
            "AccountAssignments",
            InstanceArn=where,
            AccountId=account,
            PermissionSetArn=one.id,
        )
        return [_Row(one, account, row["PrincipalType"].lower(), row["PrincipalId"]) for row in found]

    every = [place for found in aws.map(places, sets) for place in found]
    return [row for found in aws.map(assigned, every) for row in found]


def _live(row: _Row, name: str, live: Live) -> AccountAssignment:
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
