"""What the sandbox is strict about, by name: each rule says what AWS does, where that is written, and can be off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

ALL = "*"
"""Stands for every rule that is no open question."""
STRICT: Mapping[str, bool] = {ALL: True}
"""Everything that AWS is known to do, the inconvenient with it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that AWS does.

    Attributes:
        text: What it does.
        source: Where AWS, or who knows, says so. Of an open question: where it is left open.
        amount: Its number, in the unit that `text` says; None: it has none.
        everyday: Whether it holds unless asked for; what makes a rehearsal slow or surprising does not.
        otherwise: Of an open question, what holds while the rule is off; both have to be lived with.
    """

    text: str
    source: str
    amount: float | None = None
    everyday: bool = True
    otherwise: str = ""


_LIMITS = "Organizations User Guide, Quotas"
_API = "Organizations API reference, "
_ACCESS = "Identity Center User Guide, Quotas"
_ACCESS_API = "Identity Center API reference, "
_HUB = "Security Hub User Guide, "
_HUB_API = "Security Hub API reference, "

RULES: dict[str, Rule] = {
    # Time
    "rates": Rule("Calls come at AWS's published rates, times the amount.", f"{_LIMITS}, and alike", 1.0, False),
    "delays": Rule(
        "Asynchronous work takes a usual while, times the amount, where no delay is given for it.",
        "Organizations API reference, CreateAccount; Security Hub User Guide, Enabling a standard",
        1.0,
        False,
    ),
    "jobs-fail": Rule(
        "This share of asynchronous work ends FAILED.", f"{_API}CreateAccountStatus; {_ACCESS_API}*Status", 0.05, False
    ),
    "stale-reads": Rule(
        "Some reads of Organizations and Identity Center answer as of so many seconds ago.",
        "Organizations User Guide, Troubleshooting: changes are not always immediately visible",
        2.0,
        False,
    ),
    "overlapping-writes": Rule(
        "A write to Organizations while another is under way, or within so many seconds of its beginning, is "
        "refused with ConcurrentModificationException.",
        f"{_API}ConcurrentModificationException",
        0.1,
        False,
    ),
    "settling": Rule(
        "A write to a permission set within so many seconds of the last one is refused with ConflictException.",
        f"{_ACCESS_API}ConflictException",
        1.0,
        False,
    ),
    # Pages
    "short-pages": Rule(
        "This share of pages holds less than was asked for.", f"{_ACCESS_API}ListPermissionSets, MaxResults", 0.3, False
    ),
    "empty-pages": Rule(
        "This share of pages is empty and has a token.",
        f"{_API}ListAccounts: check NextToken, not the page",
        0.2,
        False,
    ),
    "page-tokens": Rule(
        "Tokens are opaque, and good for the operation and arguments that they came from alone.",
        f"{_API}InvalidInputException, INVALID_NEXT_TOKEN",
    ),
    "page-tokens-expire": Rule(
        "Tokens are good for so many seconds.", "Resource Groups Tagging API reference, PaginationTokenExpired", 900.0
    ),
    # Who calls, and from where
    "callers": Rule(
        "Organizations answers its management account; delegated administrators may read and write policies; a member "
        "may do what the resource policy says, and DescribeOrganization.",
        f"{_API}each operation",
    ),
    "access-callers": Rule(
        "Identity Center answers the management account and its delegated administrator, who may not touch what the "
        "management account has.",
        "Identity Center User Guide, Delegated administration",
    ),
    "home-region": Rule(
        "Identity Center and its store are in their home Region alone.", "Identity Center User Guide, Regions"
    ),
    "hub-callers": Rule(
        "Security Hub's organization is governed by its delegated administrator, who is named by the management "
        "account.",
        f"{_HUB}Designating a delegated administrator",
    ),
    "central-lock-out": Rule(
        "A centrally managed account cannot change its hub, standards and controls.", f"{_HUB}Central configuration"
    ),
    "session-length": Rule(
        "A role's sessions last so many seconds at most: its MaxSessionDuration.", "STS API reference, AssumeRole", 3600
    ),
    # Accounts
    "creations-at-once": Rule("Accounts being created at a time.", _LIMITS, 5),
    "closures-at-once": Rule("Accounts being closed at a time.", _LIMITS, 3),
    "closures-in-30-days": Rule("250 closures in 30 days, or a fifth of the accounts, never above 1,000.", _LIMITS),
    "accounts": Rule("Accounts in an organization.", _LIMITS, 50_000),
    "emails-unique": Rule("No two accounts have one e-mail address.", f"{_API}CreateAccountFailureReason"),
    "waiting-period": Rule("Days before a created account can leave.", f"{_LIMITS}; WAIT_PERIOD_ACTIVE", 4),
    "source-parent": Rule("MoveAccount needs the right source.", f"{_API}MoveAccount"),
    "invitations": Rule("Invitations in 24 hours.", _LIMITS, 20),
    # The tree
    "ou-depth": Rule("Levels of OUs under the root.", _LIMITS, 5),
    "ou-number": Rule("OUs in an organization.", _LIMITS, 2000),
    "ou-empty": Rule("An OU that holds anything is not deleted.", f"{_API}DeleteOrganizationalUnit"),
    "ou-names": Rule("Names of OUs are unique.", f"{_API}DuplicateOrganizationalUnitException"),
    "tags": Rule("Tags on a resource.", _LIMITS, 50),
    # Policies
    "policy-number": Rule("Policies of a type: 10,000 SCPs, 2,000 RCPs, 1,000 of others.", _LIMITS),
    "policy-names": Rule("Names of policies are unique.", f"{_API}DuplicatePolicyException"),
    "policy-size": Rule("Documents: 10,240 characters in SCPs, 5,120 in RCPs, less in others.", _LIMITS),
    "policy-grammar": Rule("A document is JSON of its type.", f"{_API}MalformedPolicyDocumentException"),
    "policy-in-use": Rule("An attached policy is not deleted.", f"{_API}DeletePolicy"),
    "aws-managed-policies": Rule(
        "AWS's own policies are not edited.", f"{_API}InvalidInputException, IMMUTABLE_POLICY"
    ),
    "type-enabled": Rule("A policy is attached while its type is enabled.", f"{_API}AttachPolicy"),
    "attachments-min": Rule("Everything keeps an SCP, and RCPFullAWSAccess.", f"{_API}DetachPolicy"),
    "attachments-max": Rule("Direct attachments: 10 of a type, 5 of some.", _LIMITS),
    # Trust
    "service-access-first": Rule(
        "A service has access before an account administers it.", f"{_API}RegisterDelegatedAdministrator"
    ),
    "service-access-and-types": Rule(
        "A policy type that belongs to a service is on only while that has access.",
        f"{_API}ConstraintViolationException, SERVICE_ACCESS_NOT_ENABLED, POLICY_TYPE_ENABLED_FOR_THIS_SERVICE",
    ),
    "one-administrator": Rule(
        "Identity Center, Security Hub, GuardDuty and Detective have one administrator each.", "their user guides"
    ),
    # Identity Center
    "assignments-at-once": Rule("Assignment operations under way at a time.", _ACCESS, 15),
    "provisions-at-once": Rule("ProvisionPermissionSet requests under way at a time.", _ACCESS, 3),
    "role-updates-in-turn": Rule("In an account one role is written at a time.", _ACCESS),
    "same-assignment": Rule(
        "An assignment is not touched while work on it is under way.", f"{_ACCESS_API}ConflictException"
    ),
    "permission-sets": Rule("Permission sets in an instance.", _ACCESS, 3500),
    "permission-set-names": Rule("Names of permission sets are unique.", f"{_ACCESS_API}CreatePermissionSet"),
    "permission-set-in-use": Rule("An assigned permission set is not deleted.", f"{_ACCESS_API}DeletePermissionSet"),
    "permission-sets-in-account": Rule("Permission sets provisioned in an account.", _ACCESS, 500),
    "groups-in-place": Rule("Groups with a permission set in an account.", _ACCESS, 100),
    "inline-size": Rule("Bytes of an inline policy that are not white space.", _ACCESS, 10_240),
    "policies-in-set": Rule("Managed policies of both kinds in a permission set.", _ACCESS, 25),
    "names-in-store": Rule("User names, e-mail addresses and group names are unique.", "Identity Store API reference"),
    # Security Hub
    "standards-states": Rule(
        "Controls are seen and changed once their standard is ready.", f"{_HUB_API}StandardsControlsUpdatable"
    ),
    "controls-come-back": Rule(
        "Turning a standard on again turns all of its controls on.", f"{_HUB}Disabling a control"
    ),
    "hub-administrator": Rule("The administrator's hub is not turned off.", f"{_HUB_API}DisableSecurityHub"),
    "configuration-policies": Rule("Configuration policies of Security Hub.", f"{_HUB}Central configuration", 20),
    "region-requests": Rule("Region requests open in an account.", "Account Management, Quotas", 6),
    "region-requests-in-all": Rule("Region requests open in the organization.", "Account Management, Quotas", 50),
    # What AWS leaves open
    "empty-members": Rule(
        "Members of answers that AWS's models do not require are there also where they are empty.",
        "The API references do not say",
        otherwise="they are left out",
    ),
    "policy-names-per-type": Rule(
        "Policy names are unique within their type.",
        f"{_API}DuplicatePolicyException does not say",
        otherwise="across all types",
    ),
    "ou-names-per-parent": Rule(
        "OU names are unique among siblings.",
        f"{_API}DuplicateOrganizationalUnitException does not say",
        otherwise="in the whole organization",
    ),
    "ou-own-name": Rule(
        "An OU can be renamed to the name it has.",
        f"{_API}UpdateOrganizationalUnit does not say",
        otherwise="DuplicateOrganizationalUnitException",
    ),
    "status-of-accounts": Rule(
        "Accounts still have the older Status beside State.",
        f"{_API}Account announces its end for 2026-09-09",
        otherwise="they have no Status",
    ),
    "tags-in-bulk": Rule(
        "tag:GetResources gives OUs and policies as well as accounts.",
        "Resource Groups Tagging API reference, supported resources, does not say",
        otherwise="accounts alone",
    ),
    "rates-shared": Rule(
        "Operations that share a row of the rates share a bucket.",
        f"{_LIMITS} does not say",
        otherwise="each has its own",
    ),
    "rates-unpublished": Rule(
        "Operations with no published rate, of Organizations and the tags in bulk, are not limited.",
        f"{_LIMITS} does not list them; nor does the Resource Groups Tagging API reference",
        otherwise="Organizations: 1 a second, 2 at once, each; tags: 5 a second, 5 at once",
    ),
    "hub-rates-by-region": Rule(
        "Security Hub's rates are each account's and Region's.",
        f"{_HUB_API}introduction, does not say",
        otherwise="an account's in all Regions together",
    ),
    "sts-throttle": Rule(
        "STS throttles with Throttling.", "STS API reference does not say", otherwise="with ThrottlingException"
    ),
    "listing-is-direct": Rule(
        "ListAccountAssignmentsForPrincipal gives a user's own rows.",
        f"{_ACCESS_API}ListAccountAssignmentsForPrincipal does not say",
        otherwise="and those that its groups bring",
    ),
    "deletions-count": Rule(
        "Deletions of assignments count among those under way.",
        f"{_ACCESS} speaks of creations",
        otherwise="creations count alone",
    ),
    "newest-first": Rule(
        "Listings of requests to Identity Center begin with the newest.",
        f"{_ACCESS_API}ListAccountAssignmentCreationStatus does not say",
        otherwise="with the oldest",
    ),
    "assigned-later": Rule(
        "CreateAccountAssignment for an unknown account or principal is accepted, and FAILED later.",
        f"{_ACCESS_API}CreateAccountAssignment does not say",
        otherwise="ResourceNotFoundException at once",
    ),
    "no-inline-policy": Rule(
        "GetInlinePolicyForPermissionSet without a policy has no InlinePolicy.",
        f"{_ACCESS_API}GetInlinePolicyForPermissionSet does not say",
        otherwise="an empty one",
    ),
    "no-boundary": Rule(
        "GetPermissionsBoundaryForPermissionSet without a boundary is ResourceNotFoundException.",
        f"{_ACCESS_API}GetPermissionsBoundaryForPermissionSet does not say",
        otherwise="an answer without a boundary",
    ),
    "no-instance": Rule(
        "ListInstances gives strangers an empty list.",
        f"{_ACCESS_API}ListInstances does not say",
        otherwise="AccessDeniedException",
    ),
    "hub-twice": Rule(
        "EnableSecurityHub where it is on is ResourceConflictException.",
        f"{_HUB_API}EnableSecurityHub does not say when",
        otherwise="accepted, changing nothing",
    ),
    "standard-twice": Rule(
        "BatchEnableStandards of a standard that is on answers its subscription.",
        f"{_HUB_API}BatchEnableStandards does not say",
        otherwise="InvalidInputException",
    ),
    "controls-in-batch": Rule(
        "Control associations in a call, at most.",
        f"{_HUB_API}BatchUpdateStandardsControlAssociations does not say",
        100,
        otherwise="any number",
    ),
    "control-of-standard-off": Rule(
        "A control of a standard that is off, asked for in a batch, is unprocessed: RESOURCE_NOT_FOUND.",
        f"{_HUB_API}UnprocessedStandardsControlAssociation does not say",
        otherwise="NOT_FOUND",
    ),
}
FACTS = tuple(name for name, rule in RULES.items() if rule.otherwise)
"""The open questions: nothing may rest on either answer."""
USUAL_DELAYS = {
    "CreateAccount": 40.0,
    "CloseAccount": 20.0,
    "EnablePolicyType": 8.0,
    "DisablePolicyType": 8.0,
    "EnableRegion": 600.0,
    "DisableRegion": 600.0,
    "BatchEnableStandards": 90.0,
    "BatchDisableStandards": 60.0,
    "UpdateOrganizationConfiguration": 30.0,
    "StartConfigurationPolicyAssociation": 90.0,
    "ProvisionPermissionSet": 8.0,
    ALL: 4.0,
}
"""Seconds, by operation: what people who automate it see; AWS promises none."""

Switch = bool | float
"""On, off, or on with this amount."""


class Rules:
    """Which rules hold, and their amounts. New: everything that is `Rule.everyday`."""

    def __init__(self, switches: Mapping[str, Switch] | None = None) -> None:
        self.holds: dict[str, bool] = {name: rule.everyday for name, rule in RULES.items()}
        self.amounts: dict[str, float] = {name: rule.amount for name, rule in RULES.items() if rule.amount is not None}
        self.set(switches or {})

    def set(self, switches: Mapping[str, Switch]) -> None:
        """Turn rules on, off, or on with an amount. `ALL` comes before the others and leaves open questions alone.

        Raises:
            ValueError: There is no such rule, or it has no amount.
        """
        for name, switch in switches.items():
            if name not in RULES and name != ALL:
                raise ValueError(f"{name!r} is no rule. There are: {', '.join(RULES)}.")
            if not isinstance(switch, bool) and name not in self.amounts:
                raise ValueError(f"The rule {name} is on or off: it has no amount.")
        if ALL in switches:
            self.holds.update({name: bool(switches[ALL]) for name in RULES if name not in FACTS})
        for name, switch in switches.items():
            if name != ALL:
                self.holds[name] = switch is not False
                if not isinstance(switch, bool):
                    self.amounts[name] = float(switch)

    def on(self, *names: str) -> None:
        self.set(dict.fromkeys(names, True))

    def off(self, *names: str) -> None:
        self.set(dict.fromkeys(names, False))

    def amount(self, name: str) -> float:
        """A rule's number; 0 while it is off."""
        return self.amounts[name] if self.holds[name] else 0.0

    def limit(self, name: str) -> float:
        """A rule's number, where it is the most that there can be; infinite while it is off."""
        return self.amounts[name] if self.holds[name] else inf

    def shapes(self) -> list[dict[str, Any]]:
        """All of them, as a person reads them."""
        return [
            {
                "rule": name,
                "on": self.holds[name],
                **({"amount": self.amounts[name]} if name in self.amounts else {}),
                "text": rule.text,
                **({"unconfirmed": True, "otherwise": rule.otherwise} if rule.otherwise else {}),
                "source": rule.source,
            }
            for name, rule in RULES.items()
        ]
