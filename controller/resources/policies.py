"""The six kinds of policies of AWS Organizations: one class, six names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

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
from controller.desired.documents.policies import Policy as Document
from controller.desired.estate import Document as Placed
from controller.desired.estate import Estate
from controller.desired.templates import TemplateError
from controller.errors import AwsError
from controller.resources.account import Account
from controller.resources.base import OWNER_TAG, Action, Change, Desired, Gone, Kind, Live, Observed, Ref, Resource
from controller.resources.changes import Changes
from controller.resources.names import accounts_in, filled, refs_in, rendered
from controller.resources.organizational_unit import LANE
from controller.resources.placement import description_call, policies_on, targets_call
from controller.resources.policy_document import PolicyDocument
from controller.resources.policy_type import AWS_TYPES, PolicyType
from controller.resources.protection import ATTACHMENT, Place, loosened_after, loosens, unseen

CONTROL_TOWER = "aws-guardrails-"
"""Control Tower's own policies; to change or detach one is drift to it (Control Tower User Guide, governance drift)."""


FEW = 20
"""Policies that are read in ten seconds: twice a second (Organizations User Guide, throttling limits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Resource):
    """A policy, by its name as git calls it.

    Attributes:
        title: Its name in AWS: the key, but for a rename not yet done.
        content: Live: known only of policies that git names. Desired: with symbols for ids that are not known yet.
        accounts: Keys of those whose ids git has in the content.
        aws_managed: AWS's own, such as FullAWSAccess: seen, never touched.
    """

    title: str
    description: str | None = None
    tags: Mapping[str, str] | None = None
    content: PolicyDocument | None = None
    accounts: frozenset[str] = field(default=frozenset(), compare=False)
    aws_managed: bool | None = field(default=None, compare=False)

    def needs(self) -> Iterable[Ref]:
        return () if self.content is None else refs_in(self.content)

    def about(self) -> Iterable[Ref]:
        return (Ref(Account.kind, key) for key in self.accounts)

    @property
    def others(self) -> bool:
        """Whether it is AWS's own or Control Tower's."""
        return bool(self.aws_managed) or self.title.startswith(CONTROL_TOWER)


class Policies(Kind[Policy]):
    """Policies of one type."""

    resource: ClassVar[type[Policy]]
    document: ClassVar[str]
    """`kind` in the YAML."""
    type_name: ClassVar[str]
    """The type's key among `policy_type`."""
    iam: ClassVar[bool] = False
    """Whether their content is in IAM's policy grammar."""

    requires = ("organizational_unit", "account", "policy_type")
    looks_after = ("policy_type",)
    reads = READ_ACTIONS | {
        "organizations:DescribePolicy",
        "organizations:ListPolicies",
        "organizations:ListTargetsForPolicy",
    }
    writes = WRITE_ACTIONS | {
        "organizations:CreatePolicy",
        "organizations:UpdatePolicy",
        "organizations:DeletePolicy",
    }
    ownable = True
    outlives_its_line = True
    protective = True

    @property
    def aws_type(self) -> str:
        return AWS_TYPES[self.type_name]

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[Policy]:
        """Content is read of policies that git names only: DescribePolicy is allowed twice a second."""
        documents = {document.model.name: document.model for document in self.documents(estate)}
        if not documents and self.type_name not in live.of(PolicyType):
            return Observed()
        listed = self._listed(aws)
        keys = _keys(listed, documents.values())
        own = [item for item in listed if not item.get("AwsManaged")]
        named = {item["Id"]: documents[keys[item["Id"]]] for item in own if keys[item["Id"]] in documents}
        expected = {id: with_owner(model.tags, aws.here.instance) for id, model in named.items() if not model.external}
        tags = organization_tags(aws, "policy", [item["Id"] for item in own], expected)
        # Also of what is to be deleted: an approval of that is given on the strength of what it says.
        read = [
            id for id, model in named.items() if (model.content is not None or model.deleted) and not model.external
        ]
        contents = self._contents(aws, read)
        made = (
            self._made(item, keys[item["Id"]], tags.get(item["Id"], {}), contents.get(item["Id"])) for item in listed
        )
        return Observed({policy.key: policy for policy in made})

    def desire(self, estate: Estate, live: Live) -> Desired[Policy]:
        have = live.of(self.resource)
        resources: dict[str, Policy] = {}
        gone: dict[str, tuple[Gone, str]] = {}
        blocked: dict[str, str] = {}
        for document in self.documents(estate):
            model, key = document.model, document.model.name
            if model.external or model.detached_from is not None:
                continue
            if model.deleted or model.released:
                gone[key] = (Gone.DELETED if model.deleted else Gone.RELEASED, str(document.mark))
            else:
                resources[key], why = self._wanted(document, estate, live)
                if why is not None:
                    blocked[key] = why
            if (why := _untouchable(model, have)) is not None:
                blocked[key] = why
        return Desired(resources=resources, gone=gone, blocked=blocked)

    def documents(self, estate: Estate) -> Iterator[Placed[Document]]:
        """This type's documents."""
        return (document for document in estate.of(Document) if document.model.kind == self.document)

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        """What it is and where; of an edit also what else is there, which may allow what the edit no longer does."""
        edited: set[Ref] = set()
        for change in changes:
            if change.before is None or change.action is Action.DELETE:
                yield (Call.of("organizations:ListPolicies", Filter=self.aws_type),)
            if change.before is not None and change.before.id is not None:
                yield (description_call(change.before.id),)
                yield tags_basis(change.before.id)
                yield (targets_call(change.before.id),)
            if self.iam and getattr(change.before, "content", None) != getattr(change.after, "content", None):
                edited.add(change.ref)
        yield from policies_on(self._places(edited, live), live)

    def create(self, aws: Writer, after: Policy) -> None:
        assert after.content is not None
        try:
            answer = aws.send(
                "organizations:CreatePolicy",
                Name=after.title,
                Description=after.description or "",
                Type=self.aws_type,
                Content=filled(after.content, aws, iam=self.iam).text,
                Tags=as_list(with_owner(after.tags, after.owner)),
            )
            id = answer["Policy"]["PolicySummary"]["Id"]
        except AwsError as error:
            # One of ours whose answer got lost is there and carries our tag. Any other is somebody else's policy.
            if error.code != "DuplicatePolicyException" or not (id := self._ours(aws, after)):
                raise
        aws.created(after.ref, id)

    def update(self, aws: Writer, before: Policy, after: Policy) -> None:
        id = aws.id_of(before.ref)
        changes: dict[str, Any] = {}
        if before.title != after.title:
            changes["Name"] = after.title
        if before.description != after.description:
            changes["Description"] = after.description or ""
        if after.content is not None and before.content != after.content:
            changes["Content"] = filled(after.content, aws, iam=self.iam).text
        if changes:
            aws.send("organizations:UpdatePolicy", PolicyId=id, **changes)
        # Tags last: until all else is as git says, an adoption is not one yet.
        retag(aws, id, with_owner(before.tags, before.owner), with_owner(after.tags, after.owner))

    def delete(self, aws: Writer, before: Policy) -> None:
        try:
            aws.send("organizations:DeletePolicy", PolicyId=aws.id_of(before.ref))
        except AwsError as error:
            if error.code != "PolicyNotFoundException":
                raise

    def owner(self, aws: Reader, live: Policy) -> str | None:
        assert live.id is not None
        return owner_now(aws, live.id)

    def removes(self, change: Change) -> bool:
        """A delete, or content that loses rules. One that is rewritten is no removal: nobody can count that."""
        return loosens(change) or super().removes(change)

    def forbids(self, change: Change, plan: Changes, live: Live) -> str | None:
        """Rules that leave a policy may be on their way into another: no order is safe without the attachments."""
        if loosens(change) and unseen(live):
            return "its content loses rules, and where policies are attached could not be observed"
        return None

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        if loosens(change):
            yield from loosened_after(change, plan, live)

    def lane(self, change: Change) -> str | None:
        return LANE

    def ignored(self, resource: Policy) -> bool:
        return resource.others

    def _places(self, policies: set[Ref], live: Live) -> Iterator[Place]:
        """Where these policies are."""
        seen = live.observed.get(ATTACHMENT)
        for one in seen.resources.values() if seen else ():
            if one.parent in policies:
                yield self.name, getattr(one, "target", "")

    def _made(
        self, item: Mapping[str, Any], key: str, tags: Mapping[str, str], content: PolicyDocument | None
    ) -> Policy:
        return self.resource(
            key=key,
            name=key,
            id=item["Id"],
            owner=tags.get(OWNER_TAG),
            title=item["Name"],
            description=item.get("Description", ""),
            tags=without_owner(tags),
            content=content,
            aws_managed=bool(item.get("AwsManaged")),
        )

    def _wanted(self, document: Placed[Document], estate: Estate, live: Live) -> tuple[Policy, str | None]:
        """The policy, and why it is blocked, if it is."""
        model = document.model
        content, why = None, None
        try:
            if model.content is not None:
                content = PolicyDocument.of(rendered(model.content, estate, live), iam=self.iam)
            elif model.name not in live.of(self.resource):
                why = "it does not exist, and git gives no content to create it with"
        except TemplateError as error:
            place = ".".join(map(str, error.where))
            why = f"its content cannot be rendered: {place}: {error.why}"
        wanted = self.resource(
            key=model.name,
            name=model.name,
            source=str(document.mark),
            title=model.name,
            description=model.description,
            tags=model.tags,
            content=content,
            accounts=accounts_in(model.content, estate, live) if content is not None else frozenset(),
        )
        return wanted, why

    def _listed(self, aws: Reader) -> list[Mapping[str, Any]]:
        """Every policy of the type, those that were asked about by themselves since as they are now."""
        call = Call.of("organizations:ListPolicies", Filter=self.aws_type)
        listed = list(aws.items("organizations:ListPolicies", "Policies", Filter=self.aws_type))
        asked = [one["Id"] for one in listed if aws.is_better(description_call(one["Id"]), than=call)]
        found = dict(zip(asked, aws.map(lambda id: _described(aws, id), asked), strict=True))
        return [policy for one in listed if (policy := found.get(one["Id"], one)) is not None]

    def _contents(self, aws: Reader, read: list[str]) -> dict[str, PolicyDocument]:
        """Contents by id. Of all that is read they take longest; so where there are many, it is asked meanwhile where
        these policies are attached, and the attachments, which are looked at afterwards, find it known."""
        ahead = aws.known is not None and len(read) > FEW

        def ask(id: str) -> PolicyDocument:
            content = self._content(aws, id)
            if ahead:
                with suppress(AwsError):  # what is wrong with it is told when somebody needs it
                    targets_of(aws, id)
            return content

        return dict(zip(read, aws.map(ask, read), strict=True))

    def _content(self, aws: Reader, id: str) -> PolicyDocument:
        return PolicyDocument.parse(
            aws.get("organizations:DescribePolicy", PolicyId=id)["Policy"]["Content"], iam=self.iam
        )

    def _ours(self, aws: Writer, after: Policy) -> str | None:
        """The id of a policy of this name that carries our tag."""
        listed = aws.reads.items("organizations:ListPolicies", "Policies", Filter=self.aws_type)
        found: str | None = next((item["Id"] for item in listed if item["Name"] == after.title), None)
        return found if found and owner_now(aws.reads, found) == after.owner else None


def targets_of(aws: Reader, id: str) -> list[str]:
    """The ids of what a policy is attached to."""
    listed = aws.items("organizations:ListTargetsForPolicy", "Targets", PolicyId=id)
    return [target["TargetId"] for target in listed]


def _described(aws: Reader, id: str) -> Mapping[str, Any] | None:
    """As ListPolicies gives it; None where it has gone."""
    answer = aws.find("organizations:DescribePolicy", absent="PolicyNotFoundException", PolicyId=id)
    summary: Mapping[str, Any] | None = None if answer is None else answer["Policy"]["PolicySummary"]
    return summary


def _keys(listed: Iterable[Mapping[str, Any]], documents: Iterable[Document]) -> dict[str, str]:
    """policy id → its name as git calls it. Where both names of a rename are live, neither is the other."""
    names = {item["Name"] for item in listed}
    new = {model.formerly: model.name for model in documents if model.formerly and model.name not in names}
    return {item["Id"]: new.get(item["Name"], item["Name"]) for item in listed}


def _untouchable(model: Document, live: Mapping[str, Policy]) -> str | None:
    have = live.get(model.name)
    if have is not None and have.aws_managed:
        return "it is AWS's own and cannot be changed; where it comes off is said with `detached_from`"
    if model.name.startswith(CONTROL_TOWER) or (have is not None and have.others):
        return "it is Control Tower's: changing it here would be drift there. Say `external: true` to use its name"
    if model.formerly and have is not None and model.formerly in live:
        return f"both '{model.formerly}' and '{model.name}' exist, so neither is the other renamed: remove `formerly`"
    return None


class ServiceControlPolicy(Policy):
    kind = "service_control_policy"


class ResourceControlPolicy(Policy):
    kind = "resource_control_policy"


class TagPolicy(Policy):
    kind = "tag_policy"


class BackupPolicy(Policy):
    kind = "backup_policy"


class AiServicesOptOutPolicy(Policy):
    kind = "ai_services_opt_out_policy"


class DeclarativePolicy(Policy):
    kind = "declarative_policy"


class ServiceControlPolicies(Policies):
    """SCPs: the most that principals of an account may do."""

    name, resource = "service_control_policy", ServiceControlPolicy
    document, type_name, iam = "ServiceControlPolicy", "service_control", True


class ResourceControlPolicies(Policies):
    """RCPs: the most that may be done to resources of an account."""

    name, resource = "resource_control_policy", ResourceControlPolicy
    document, type_name, iam = "ResourceControlPolicy", "resource_control", True


class TagPolicies(Policies):
    """How tags are spelt."""

    name, resource = "tag_policy", TagPolicy
    document, type_name = "TagPolicy", "tag"


class BackupPolicies(Policies):
    """Which backups are taken."""

    name, resource = "backup_policy", BackupPolicy
    document, type_name = "BackupPolicy", "backup"


class AiServicesOptOutPolicies(Policies):
    """Whether AWS's AI services may keep content."""

    name, resource = "ai_services_opt_out_policy", AiServicesOptOutPolicy
    document, type_name = "AiServicesOptOutPolicy", "ai_services_opt_out"


class DeclarativePolicies(Policies):
    """Settings of EC2 that hold in every account."""

    name, resource = "declarative_policy", DeclarativePolicy
    document, type_name = "DeclarativePolicy", "declarative"


POLICY_KINDS: tuple[Policies, ...] = (
    ServiceControlPolicies(),
    ResourceControlPolicies(),
    TagPolicies(),
    BackupPolicies(),
    AiServicesOptOutPolicies(),
    DeclarativePolicies(),
)
