"""permission_set: a set of rights in IAM Identity Center, by its name, which never changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis, Call
from controller.aws.tags import as_list, with_owner, without_owner
from controller.desired.checks.permission_sets import CONTROL_TOWER
from controller.desired.documents.permission_set import Boundary, CustomerManagedPolicy
from controller.desired.documents.permission_set import PermissionSet as Document
from controller.desired.estate import Estate
from controller.desired.templates import TemplateError
from controller.errors import AwsError
from controller.resources.account import Account
from controller.resources.base import (
    OWNER_TAG,
    Action,
    Change,
    Desired,
    Gone,
    Kind,
    Live,
    Note,
    Observed,
    Ref,
    Resource,
)
from controller.resources.changes import Changes
from controller.resources.identity_center import instance, owner_of, tags_of
from controller.resources.names import accounts_in, refs_in, rendered
from controller.resources.permission_set_edit import PROVISIONING, WRITES, Edit, attributes, rights
from controller.resources.policy_document import PolicyDocument

NO_POLICY = PolicyDocument.of({}, iam=True)
"""Stands for the absence of an inline policy: managed and empty, as ``inline_policy: {}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSet(Resource):
    """A permission set.

    Attributes:
        session_duration: ISO 8601, in hours and minutes: ``PT1H30M``.
        managed_policies: AWS-managed ones, by what follows ``policy/`` in their ARN: ``job-function/Billing``.
        customer_managed_policies: Path and name: ``/team/boundary``.
        inline_policy: `NO_POLICY` where there is none.
        permissions_boundary: As in one of the two before; a path begins with ``/``. "" where there is none.
        provisioned: Whether every account that uses it has it as last edited. An edit changes nothing until it is
            provisioned (IAM Identity Center API reference, ProvisionPermissionSet).
        formerly: The set that it takes the place of.
        accounts: Keys of those whose ids git has in the inline policy.
    """

    kind = "permission_set"

    description: str | None = None
    session_duration: str | None = None
    relay_state: str | None = None
    managed_policies: frozenset[str] | None = None
    customer_managed_policies: frozenset[str] | None = None
    inline_policy: PolicyDocument | None = None
    permissions_boundary: str | None = None
    tags: Mapping[str, str] | None = None
    provisioned: bool | None = None
    formerly: str | None = field(default=None, compare=False)
    accounts: frozenset[str] = field(default=frozenset(), compare=False)

    def about(self) -> Iterable[Ref]:
        return (Ref(Account.kind, key) for key in self.accounts)

    def needs(self) -> Iterable[Ref]:
        return () if self.inline_policy is None else refs_in(self.inline_policy)


@dataclass(frozen=True, slots=True)
class Seen(Observed[PermissionSet]):
    """What was seen, and in which instance: its ARN."""

    instance: str = ""


class PermissionSets(Kind[PermissionSet]):
    """Permission sets. Accounts and OUs come first: inline policies may name them."""

    name = "permission_set"
    resource = PermissionSet
    requires = ("organizational_unit", "account")
    reads = frozenset(
        {
            "sso:DescribePermissionSet",
            *PROVISIONING.reads,
            "sso:GetInlinePolicyForPermissionSet",
            "sso:GetPermissionsBoundaryForPermissionSet",
            "sso:ListAccountsForProvisionedPermissionSet",
            "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
            "sso:ListInstances",
            "sso:ListManagedPoliciesInPermissionSet",
            "sso:ListPermissionSets",
            "sso:ListTagsForResource",
        }
    )
    writes = WRITES | {"sso:CreatePermissionSet", "sso:DeletePermissionSet"}
    ownable = True
    outlives_its_line = True
    width = 3  # so many ProvisionPermissionSet calls at once (IAM Identity Center User Guide, quotas)

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[PermissionSet]:
        """All of them with their tags, which say whose they are; the rest of those whose content git states."""
        where = instance(aws).arn
        arns = list(aws.items("sso:ListPermissionSets", "PermissionSets", InstanceArn=where))
        stated = {d.model.name for d in estate.of(Document) if _is_stated(d.model)}

        def look(arn: str) -> PermissionSet | None:
            found = _described(aws, arn)
            return _detailed(aws, found, live) if found and found.name in stated else found

        return Seen({found.key: found for found in aws.map(look, arns) if found is not None}, instance=where)

    def desire(self, estate: Estate, live: Live) -> Desired[PermissionSet]:
        have = live.of(PermissionSet)
        declared = {d.model.name for d in estate.of(Document)}
        resources: dict[str, PermissionSet] = {}
        gone: dict[str, tuple[Gone, str]] = {}
        blocked: dict[str, str] = {}
        notes: list[Note] = []
        for document in estate.of(Document):
            model, mark = document.model, str(document.mark)
            if model.external:
                continue
            if model.deleted or model.released:
                gone[model.name] = (Gone.DELETED if model.deleted else Gone.RELEASED, mark)
                continue
            try:
                found = _wanted(model, mark, _inline(model, estate, live))
                resources[model.name] = replace(found, accounts=accounts_in(model.inline_policy, estate, live))
            except TemplateError as error:
                resources[model.name] = _wanted(model, mark, None)
                blocked[model.name] = f"its inline policy: {error.why}"
            old = have.get(model.formerly or "")
            if old is None or old.name in declared:
                continue
            if old.owner is None:
                notes.append(Note(self.name, old.name, f"formerly of '{model.name}', but not ours: left alone"))
            else:
                gone[old.name] = (Gone.DELETED, mark)
        return Desired(resources, gone, blocked=blocked, notes=tuple(notes))

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        seen = live.observed[self.name]
        assert isinstance(seen, Seen)
        for change in changes:
            if change.before is None or change.action is Action.DELETE:
                yield (Call.of("sso:ListPermissionSets", InstanceArn=seen.instance),)
            if change.before is not None:
                yield from ((call,) for call in _calls(seen.instance, str(change.before.id)))

    def create(self, aws: Writer, after: PermissionSet) -> None:
        answer = aws.send(
            "sso:CreatePermissionSet",
            repeatable=False,  # a second one of the name is answered with a conflict, like much that passes
            InstanceArn=instance(aws.reads).arn,
            Name=after.key,
            Tags=as_list(with_owner(after.tags, after.owner)),
            **attributes(after),
        )
        arn = answer["PermissionSet"]["PermissionSetArn"]
        aws.created(after.ref, arn)
        Edit(aws, arn, PermissionSet(key=after.key, name=after.name), after).rights()

    def update(self, aws: Writer, before: PermissionSet, after: PermissionSet) -> None:
        edit = Edit(aws, aws.id_of(before.ref), before, after)
        edit.tags()
        edit.attributes()
        edit.rights()
        if rights(before) != rights(after) or (after.provisioned and not before.provisioned):
            edit.provision()

    def delete(self, aws: Writer, before: PermissionSet) -> None:
        try:
            aws.send(
                "sso:DeletePermissionSet", InstanceArn=instance(aws.reads).arn, PermissionSetArn=aws.id_of(before.ref)
            )
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise

    def owner(self, aws: Reader, live: PermissionSet) -> str | None:
        assert live.id is not None
        return owner_of(aws, live.id)

    def removes(self, change: Change) -> bool:
        """A delete, or policies or a boundary that go.

        An inline policy that is rewritten is no removal: nobody can count that.
        """
        before, after = change.before, change.after
        if not isinstance(before, PermissionSet) or not isinstance(after, PermissionSet):
            return change.action is Action.DELETE
        policies = (before.managed_policies or frozenset()) | (before.customer_managed_policies or frozenset())
        kept = (after.managed_policies or frozenset()) | (after.customer_managed_policies or frozenset())
        emptied = after.inline_policy == NO_POLICY and before.inline_policy not in (None, NO_POLICY)
        unbound = bool(before.permissions_boundary) and after.permissions_boundary == ""
        return emptied or unbound or not policies <= kept

    def forbids(self, change: Change, plan: Changes, live: Live) -> str | None:
        """AWS deletes a permission set only when nobody has it any more."""
        if change.action is not Action.DELETE or "account_assignment" not in live.observed:
            return None
        staying = sorted(
            assignment.name
            for assignment in plan.table(_assigned, live).get(change.ref, ())
            if f"{assignment.ref}:{Action.DELETE}" not in plan
        )
        return f"it is still assigned: {', '.join(staying[:3])}{' …' if staying[3:] else ''}" if staying else None

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """A set that another takes the place of goes when that one is there."""
        if change.action is Action.DELETE:
            yield from (other.id for other in plan.where(_takes_the_place_of, change.key))

    def ignored(self, resource: PermissionSet) -> bool:
        """Those that Control Tower makes and keeps; git cannot declare them."""
        return resource.name in CONTROL_TOWER


def _takes_the_place_of(change: Change) -> Iterator[str]:
    if isinstance(change.after, PermissionSet) and change.after.formerly:
        yield change.after.formerly


def _assigned(_: Changes, live: Live) -> dict[Ref | None, list[Resource]]:
    """Permission set → its live assignments."""
    found: dict[Ref | None, list[Resource]] = {}
    for assignment in live.observed["account_assignment"].resources.values():
        found.setdefault(assignment.parent, []).append(assignment)
    return found


# Desired


def _is_stated(model: Document) -> bool:
    return not (model.external or model.deleted or model.released)


def _inline(model: Document, estate: Estate, live: Live) -> PolicyDocument | None:
    """Its inline policy with every name replaced. Raises TemplateError."""
    if model.inline_policy is None:
        return None
    return PolicyDocument.of(rendered(model.inline_policy, estate, live), iam=True)


def _wanted(model: Document, source: str, inline_policy: PolicyDocument | None) -> PermissionSet:
    own = model.customer_managed_policies
    return PermissionSet(
        key=model.name,
        name=model.name,
        source=source,
        description=model.description,
        session_duration=None if model.session_duration is None else duration(model.session_duration),
        relay_state=model.relay_state,
        managed_policies=None if model.managed_policies is None else frozenset(map(short, model.managed_policies)),
        customer_managed_policies=None if own is None else frozenset(map(_customer, own)),
        inline_policy=inline_policy,
        permissions_boundary=None if model.permissions_boundary is None else _boundary(model.permissions_boundary),
        tags=model.tags,
        provisioned=True,
        formerly=model.formerly,
    )


def short(policy: str) -> str:
    """An AWS-managed policy by the end of its ARN: ``arn:aws:iam::aws:policy/job-function/Billing`` or that end."""
    return re.sub(r"^arn:[^:]*:iam::aws:policy/", "", policy)


def duration(text: str) -> str:
    """The one way to write it: ``PT90M`` and ``PT1H30M`` are the same. Text that is no such duration stays."""
    match = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", text)
    if match is None or not any(match.groups()):
        return text
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    minutes, seconds = minutes + seconds // 60, seconds % 60
    hours, minutes = hours + minutes // 60, minutes % 60
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + "".join(f"{number}{unit}" for number, unit in parts if number)


def _customer(policy: CustomerManagedPolicy) -> str:
    return f"/{policy.path.strip('/')}/{policy.name}".replace("//", "/")


def _boundary(boundary: Boundary) -> str:
    if boundary.managed_policy is not None:
        return short(boundary.managed_policy)
    return "" if boundary.customer_managed_policy is None else _customer(boundary.customer_managed_policy)


# Live


def _described(aws: Reader, arn: str) -> PermissionSet | None:
    """Name, attributes and owner; None where it went meanwhile."""
    answer = aws.find(
        "sso:DescribePermissionSet",
        absent="ResourceNotFoundException",
        InstanceArn=instance(aws).arn,
        PermissionSetArn=arn,
    )
    if answer is None:
        return None
    found, tags = answer["PermissionSet"], tags_of(aws, arn)
    return PermissionSet(
        key=found["Name"],
        name=found["Name"],
        id=arn,
        owner=tags.get(OWNER_TAG),
        description=found.get("Description"),
        session_duration=duration(found.get("SessionDuration", "PT1H")),
        relay_state=found.get("RelayState"),
        tags=without_owner(tags),
    )


_STALE = "LATEST_PERMISSION_SET_NOT_PROVISIONED"


def _calls(instance_arn: str, arn: str) -> Iterator[Call]:
    """All that is asked about one permission set."""
    yield Call.of("sso:ListTagsForResource", InstanceArn=instance_arn, ResourceArn=arn)
    for action in (
        "sso:DescribePermissionSet",
        "sso:ListManagedPoliciesInPermissionSet",
        "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
        "sso:GetInlinePolicyForPermissionSet",
        "sso:GetPermissionsBoundaryForPermissionSet",
    ):
        yield Call.of(action, InstanceArn=instance_arn, PermissionSetArn=arn)
    yield Call.of(
        "sso:ListAccountsForProvisionedPermissionSet",
        InstanceArn=instance_arn,
        PermissionSetArn=arn,
        ProvisioningStatus=_STALE,
    )


def _detailed(aws: Reader, found: PermissionSet, live: Live) -> PermissionSet:
    """With its policies, its boundary and whether it is provisioned."""
    where: dict[str, Any] = {"InstanceArn": instance(aws).arn, "PermissionSetArn": found.id}
    managed = aws.items("sso:ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies", **where)
    own = aws.items(
        "sso:ListCustomerManagedPolicyReferencesInPermissionSet", "CustomerManagedPolicyReferences", **where
    )
    inline = aws.get("sso:GetInlinePolicyForPermissionSet", **where).get("InlinePolicy")
    boundary = aws.find("sso:GetPermissionsBoundaryForPermissionSet", absent="ResourceNotFoundException", **where)
    stale = aws.items(
        "sso:ListAccountsForProvisionedPermissionSet",
        "AccountIds",
        ProvisioningStatus=_STALE,
        **where,
    )
    return replace(
        found,
        managed_policies=frozenset(short(policy["Arn"]) for policy in managed),
        customer_managed_policies=frozenset(map(_customer_of, own)),
        inline_policy=PolicyDocument.parse(inline, iam=True) if inline else NO_POLICY,
        permissions_boundary=_boundary_of((boundary or {}).get("PermissionsBoundary") or {}),
        provisioned=not any(_is_active(account, live) for account in stale),
    )


def _is_active(account_id: str, live: Live) -> bool:
    """Suspended and closed accounts take no roles: what is stale there is not drift."""
    account = live.of(Account).get(account_id)
    return account is not None and account.state == "ACTIVE"


def _customer_of(reference: Mapping[str, str]) -> str:
    return f"{reference.get('Path', '/')}{reference['Name']}"


def _boundary_of(boundary: Mapping[str, Any]) -> str:
    if arn := boundary.get("ManagedPolicyArn"):
        return short(arn)
    reference = boundary.get("CustomerManagedPolicyReference")
    return _customer_of(reference) if reference else ""
