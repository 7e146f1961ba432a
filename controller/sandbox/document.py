"""kind: SandboxWorld: what git never says of an organization, and what is wrong with it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, StrictBool, field_validator

from controller.desired.documents.accounts import Contacts, Email
from controller.desired.documents.base import AccountId, Attachment, DocumentModel, Model, Name, RegionName, Tags
from controller.desired.documents.permission_set import Boundary, CustomerManagedPolicy
from controller.desired.documents.security_hub import DisabledControl
from controller.sandbox.rules import Rules, Switch

PolicyKind = Literal[
    "ServiceControlPolicy",
    "ResourceControlPolicy",
    "TagPolicy",
    "BackupPolicy",
    "AiServicesOptOutPolicy",
    "DeclarativePolicy",
]


class ManagementAccount(Model):
    """The account that the organization belongs to; it lies in the root and is the first to exist."""

    id: AccountId = Field(default="100000000000", description="12 digits.")
    name: Name = Field(default="management", description="Its name in AWS.")
    email: Email = Field(default="management@example.com", description="Its e-mail address.")


class MemberRole(Model):
    """The role that the controller assumes in member accounts."""

    name: str = Field(default="OrgctlMember", description="As in the settings' `member_role`.")
    external_id: str | None = Field(default=None, description="What AssumeRole must give; absent: nothing.")
    missing_in: list[str] = Field(default=[], description="Accounts (handle or id) that lack the role.")


class Person(Model):
    """A user of the Identity Store."""

    display_name: str | None = Field(default=None, description="Absent: the user name.")
    email: str | None = Field(default=None, description="Absent: none.", examples=["alice@example.com"])


class People(Model):
    """Everybody in the Identity Store. Absent: exactly the users and groups that the desired state names."""

    users: dict[str, Person] = Field(default={}, description="By user name.", examples=[{"alice": {}}])
    groups: dict[str, list[str]] = Field(
        default={}, description="Display name: user names of its members.", examples=[{"developers": ["alice"]}]
    )


class LiveAccount(Model):
    """What is so in AWS: of an account that git declares (absent: as git says), or of one that it does not."""

    id: AccountId | None = Field(default=None, description="Absent: git's, else made up.")
    name: Name | None = Field(default=None, description="Its own name; absent: git's, else its handle.")
    email: Email | None = Field(default=None, description="Absent: git's, else handle@example.com.")
    unit: str | None = Field(default=None, description="Where it really lies, as git calls the OU.")
    state: Literal["PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"] = Field(
        default="ACTIVE", description="As Organizations gives it."
    )
    tags: Tags | None = Field(default=None, description="All that it really has.")
    contacts: Contacts | None = Field(default=None, description="All that it really has.")
    disabled_regions: list[RegionName] = Field(default=[], description="Opt-in Regions that it has not turned on.")


class LiveUnit(Model):
    """What is so in AWS: of an OU that git declares, or of one that it does not."""

    name: Name | None = Field(default=None, description="What it is really called, where that is not git's name.")
    tags: Tags | None = Field(default=None, description="All that it really has, but for the owner's.")


class LivePolicy(Model):
    """What is so in AWS: of a policy that git declares (absent: as git says), or of one that it does not."""

    kind: PolicyKind = Field(default="ServiceControlPolicy", description="As in the desired state.")
    name: Name = Field(description="As git calls it.")
    called: Name | None = Field(default=None, description="What it is really called, where that is not `name`.")
    description: str | None = Field(default=None, description="What it really says; absent: as git says.")
    tags: Tags | None = Field(default=None, description="All that it really has, but for the owner's.")
    content: dict[str, Any] | None = Field(default=None, description="Names in it are replaced as in git's policies.")
    content_text: str | None = Field(default=None, description="The content to the letter: what JSON cannot say.")
    attached_to: Attachment = Field(default=Attachment(), description="Attached there as well.")
    detached_from: Attachment = Field(default=Attachment(), description="Not attached there, whatever git says.")


class LivePermissionSet(Model):
    """What is so in AWS: of a permission set that git declares (absent: as git says), or of one that it does not."""

    description: str | None = Field(default=None, description="What it really says; absent: as git says.")
    session_duration: str | None = Field(default=None, examples=["PT4H"])
    relay_state: str | None = Field(default=None, description="URL it opens; absent: as git says.")
    managed_policies: list[str] | None = Field(default=None, description="All that it has, by name or ARN.")
    customer_managed_policies: list[CustomerManagedPolicy] | None = Field(default=None, description="All that it has.")
    inline_policy: dict[str, Any] | None = Field(default=None, description="The one it has; {}: none.")
    permissions_boundary: Boundary | None = None
    tags: Tags | None = Field(default=None, description="All that it really has, but for the owner's.")
    provisioned: bool = Field(
        default=True, description="false: accounts still have what git says; this edit never reached them."
    )


class LiveAssignment(Model):
    """An assignment that is there beyond what git says, or that is not. Exactly one principal."""

    group: str | None = Field(default=None, description="Display name.", examples=["developers"])
    user: str | None = Field(default=None, description="User name.", examples=["alice"])
    deleted_group: str | None = Field(default=None, description="A group that no longer exists: an orphan. Any name.")
    deleted_user: str | None = Field(default=None, description="A person that no longer exists: an orphan. Any name.")
    permission_set: str = Field(description="Its name.", examples=["PowerUserAccess"])
    accounts: list[str] = Field(description="Handles or ids.")
    missing: bool = Field(default=False, description="true: not there, whatever git says.")


class LiveHub(Model):
    """What is so in Security Hub in some accounts and Regions. Later entries lie over earlier ones."""

    accounts: list[str] = Field(default=["*"], description="Globs over handles, and ids.")
    regions: list[RegionName] | None = Field(default=None, description="Absent: the governed Regions.")
    enabled: bool | None = Field(default=None, description="Whether the hub is on; absent: as git says.")
    standards: list[str] | None = Field(default=None, description="Exactly these are on.")
    also: list[str] = Field(default=[], description="These standards are on as well.")
    without: list[str] = Field(default=[], description="These standards are off, whatever git says.")
    disabled_controls: list[DisabledControl] = Field(default=[], description="Controls that are off as well.")
    enabled_controls: list[str] = Field(default=[], description="Controls that are on, whatever git says.")
    recorder: bool = Field(default=True, description="false: no AWS Config recorder, so standards end INCOMPLETE.")
    tags: dict[str, str] | None = Field(default=None, description="All that the hub really has, but for the owner's.")


class RegionLack(Model):
    """What Security Hub does not offer in a Region."""

    standards: list[str] = Field(default=[], description="Short forms.")
    controls: list[str] = Field(default=[], examples=[["ACM.1"]])


class CentralConfiguration(Model):
    """Security Hub's central configuration, in force."""

    regions: list[RegionName] = Field(description="The home Region first, then those linked to it.", min_length=1)
    policies: dict[str, str] = Field(
        default={"/": "central"},
        description="OU path or account: name of its configuration policy; SELF_MANAGED_SECURITY_HUB: none.",
    )
    organization_policy: bool = Field(
        default=False, description="true: an Organizations policy of type SECURITYHUB_CSPM governs instead."
    )


class SandboxFault(Model):
    """Something that goes wrong on purpose."""

    operation: str = Field(description="service:Operation, with * and ?.", examples=["sso-admin:CreateAccount*"])
    kind: Literal["throttle", "error", "internal", "reset", "lost", "slow", "fail"] = Field(
        description="reset: the connection ends before the effect; lost: after it. fail: what it begins ends FAILED."
    )
    probability: float = Field(default=1.0, ge=0, le=1, description="Of each call that it could hit.")
    count: int | None = Field(default=None, description="How many calls it hits; absent: all.")
    code: str = Field(default="InternalFailure", description="AWS's error code; for `fail`, the reason.")
    message: str = Field(default="", description="The error's message.")
    status: int | None = Field(default=None, description="HTTP status, for `error` and `internal`.")
    seconds: float = Field(default=0.0, description="For `slow`.")
    account: AccountId | None = Field(default=None, description="Only calls made in it.")
    region: RegionName | None = Field(default=None, description="Only calls made there.")


class SandboxWorld(DocumentModel):
    """The organization as AWS has it. What is not said here is as the desired state next to it says, applied.

    Where globs are over things, they are over ``kind/name`` as plans show them:
    ``service_control_policy/region-lock``, ``organizational_unit/Workloads/Prod``, ``permission_set/*``,
    ``account_assignment/developers/PowerUserAccess/payments-dev``, ``security_hub/audit/eu-west-1``,
    ``policy_type/tag``, ``trusted_service/…``, ``delegated_administrator/audit/…``.
    """

    kind: Literal["SandboxWorld"]
    estate: str | None = Field(
        default=None, description="Directory with more of the desired state, relative to this file."
    )
    organization: str | None = Field(default=None, description="The organization's id.", examples=["o-anycompany0"])
    root: str | None = Field(default=None, description="The root's id.", examples=["r-any1"])
    management: ManagementAccount = ManagementAccount()
    identity_center_region: RegionName = Field(default="us-east-1", description="Home Region of Identity Center.")
    member_role: MemberRole = MemberRole()

    owned_by: str = Field(
        default="main", description="The instance whose owner tag git's things carry; empty: they carry none."
    )
    not_owned: list[str] = Field(default=[], description="Globs: git's things that carry no owner tag.")
    owned_by_others: dict[str, str] = Field(default={}, description="Glob: the other instance that owns these.")
    missing: list[str] = Field(default=[], description="Globs: git's things that are not there.")

    people: People | None = None
    accounts: dict[str, LiveAccount] = Field(default={}, description="By handle.")
    units: dict[str, LiveUnit] = Field(default={}, description="By absolute path, parents before children.")
    policies: list[LivePolicy] = Field(default=[], description="A name that git has too lies over git's.")
    permission_sets: dict[str, LivePermissionSet] = Field(default={}, description="By name.")
    assignments: list[LiveAssignment] = Field(default=[], description="Beyond git's, or missing.")
    security_hub: list[LiveHub] = Field(default=[], description="Over what git says.")
    lacking: dict[RegionName, RegionLack] = Field(default={}, description="By Region.")
    central_configuration: CentralConfiguration | None = None
    trusted_services: list[str] = Field(default=[], description="Trusted as well.")
    delegated_administrators: dict[str, list[str]] = Field(
        default={}, description="Account: services; registered as well."
    )

    rules: dict[str, StrictBool | float] = Field(
        default={},
        description="Rules that are on, off, or on with this number (`GET /_sandbox/rules` lists them); `*`: all but "
        "the open questions.",
        examples=[{"*": True, "stale-reads": 5, "jobs-fail": False}],
    )
    delays: dict[str, float] = Field(
        default={},
        description="Seconds that asynchronous work takes, by operation; `*`: all others.",
        examples=[{"*": 1, "BatchEnableStandards": 5}],
    )
    latency: dict[str, float] = Field(
        default={}, description="Seconds added to calls, by pattern of service:Operation.", examples=[{"*": 0.04}]
    )
    rates: float | None = Field(default=None, gt=0, description="Multiple of AWS's call rates; absent: no limits.")
    faults: list[SandboxFault] = Field(default=[], description="From the start.")

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: dict[str, Switch]) -> dict[str, Switch]:
        Rules(rules)
        return rules
