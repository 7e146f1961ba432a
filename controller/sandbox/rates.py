"""AWS's published call rates, as token buckets.

Sources: Organizations User Guide, "Quotas for AWS Organizations" (throttling); Account Management Reference Guide,
"Quotas"; IAM Identity Center User Guide, "Quotas"; Security Hub API reference, introduction; IAM User Guide, "IAM and
AWS STS quotas". Where AWS lists several operations in one row, they share a bucket here.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.sandbox.world import Caller, Refused, World

OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second, and how many at once. `per`: what has a bucket of its own."""

    rate: float
    burst: float
    operations: str = "*"
    """Separated by spaces; ``*``: all that have no row of their own, together; ``each``: those, a bucket for each;
    `OTHERS`: those, as one row, whose operations share a bucket where AWS lets them."""
    per: str = "account"
    """``account``, ``account and region``, or ``organization``."""


def _organizations(operations: str, each: tuple[float, float], all: tuple[float, float] | None = None) -> list[Rate]:
    rows = [Rate(*each, operations)]
    return [*rows, Rate(*all, operations, "organization")] if all else rows


RATES: dict[str, tuple[Rate, ...]] = {
    "organizations": (
        *_organizations("CloseAccount", (0.05, 1)),
        *_organizations("CreateAccount CreateGovCloudAccount", (0.1, 3)),
        *_organizations("DescribeAccount", (20, 30), (24, 36)),
        *_organizations("DescribeCreateAccountStatus", (2, 2), (2, 3)),
        *_organizations("ListCreateAccountStatus", (5, 8), (6, 10)),
        *_organizations("AcceptHandshake", (1, 2), (5, 5)),
        *_organizations("DescribeHandshake", (1, 2), (6, 10)),
        *_organizations("CancelHandshake", (2, 3)),
        *_organizations("DeclineHandshake", (1, 1), (5, 5)),
        *_organizations("InviteAccountToOrganization", (3, 5)),
        *_organizations("ListHandshakesForAccount ListHandshakesForOrganization", (5, 8), (6, 10)),
        *_organizations("LeaveOrganization", (1, 1)),
        *_organizations("CreateOrganizationalUnit DescribeOrganization", (1, 2)),
        *_organizations("MoveAccount UpdateOrganizationalUnit DeleteOrganizationalUnit", (2, 3)),
        *_organizations("DescribeOrganizationalUnit", (2, 2), (2, 3)),
        *_organizations("ListAccounts", (8, 12), (9, 15)),
        *_organizations("ListChildren", (6, 10), (7, 12)),
        *_organizations("ListParents ListAccountsForParent ListOrganizationalUnitsForParent", (5, 8), (6, 10)),
        *_organizations("ListRoots", (1, 2), (1, 3)),
        *_organizations("ListTagsForResource", (10, 15), (12, 18)),
        *_organizations("RemoveAccountFromOrganization", (2, 2)),
        *_organizations("TagResource UntagResource", (4, 6)),
        *_organizations("CreatePolicy DeletePolicy AttachPolicy DetachPolicy", (2, 3)),
        *_organizations("UpdatePolicy", (2, 3)),
        *_organizations("DescribePolicy", (2, 2), (2, 3)),
        *_organizations("DisablePolicyType EnablePolicyType", (1, 1)),
        *_organizations("ListPolicies ListPoliciesForTarget ListTargetsForPolicy", (5, 8), (6, 10)),
        *_organizations("EnableAWSServiceAccess DisableAWSServiceAccess", (1, 2)),
        *_organizations("ListAWSServiceAccessForOrganization ListDelegatedServicesForAccount", (1, 3), (1, 4)),
        *_organizations("ListDelegatedAdministrators", (5, 8), (6, 10)),
        *_organizations("RegisterDelegatedAdministrator DeregisterDelegatedAdministrator", (1, 2)),
    ),
    "account": (
        Rate(5, 8, "PutAlternateContact"),
        Rate(10, 15, "GetAlternateContact"),
        Rate(1, 6, "DeleteAlternateContact"),
        Rate(5, 8, "PutContactInformation"),
        Rate(10, 15, "GetContactInformation"),
        Rate(5, 5, "ListRegions"),
        Rate(5, 5, "GetRegionOptStatus"),
        Rate(1, 1, "EnableRegion"),
        Rate(1, 1, "DisableRegion"),
        Rate(1, 1, "PutAccountName"),
        Rate(3, 3, "GetAccountInformation"),
    ),
    "sso-admin": (Rate(20, 20),),
    "identitystore": (Rate(20, 20, "each"),),
    "securityhub": (
        Rate(1, 1, "BatchEnableStandards", "account and region"),
        Rate(1, 5, "UpdateStandardsControl", "account and region"),
        Rate(3, 6, "GetFindings", "account and region"),
        Rate(10, 30, "BatchImportFindings", "account and region"),
        Rate(10, 30, "BatchUpdateFindings", "account and region"),
        Rate(10, 30, OTHERS, "account and region"),
    ),
    "sts": (Rate(600, 600, "*", "account and region"),),
}

UNPUBLISHED = {"organizations": (Rate(1, 2, "each"),), "resourcegroupstaggingapi": (Rate(5, 5, "each"),)}
"""What operations may be limited to whose rates AWS does not publish."""

THROTTLED = {
    "organizations": ("TooManyRequestsException", 400),
    "account": ("TooManyRequestsException", 429),
    "sso-admin": ("ThrottlingException", 400),
    "identitystore": ("ThrottlingException", 400),
    "securityhub": ("LimitExceededException", 429),
    "resourcegroupstaggingapi": ("ThrottledException", 400),
    "sts": ("Throttling", 400),
}
"""Service → (error code, HTTP status) of a call that came too soon."""


def throttled(service: str, world: World) -> Refused:
    code, status = THROTTLED.get(service, ("ThrottlingException", 400))
    if service == "sts" and not world.rule("sts-throttle"):
        code = "ThrottlingException"
    message = "You have sent too many requests in too short a period of time. Wait and try again."
    return Refused(code, message, status=status)


@dataclass(slots=True)
class Bucket:
    tokens: float
    at: float


class Rates:
    """The buckets. `multiple`, the amount of the rule ``rates``, is of AWS's rates and bursts; None: no limits."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._rows = {service: _by_operation(rows) for service, rows in RATES.items()}

    @property
    def multiple(self) -> float | None:
        return self._world.rules.amount("rates") or None

    def set(self, multiple: float | None) -> None:
        """A new multiple, with full buckets; 0 is None."""
        self._world.rules.set({"rates": float(multiple) if multiple else False})
        self._buckets.clear()

    def take(self, caller: Caller, service: str, operation: str) -> None:
        """Count one call. Call it with the world's lock held.

        Raises:
            Refused: It came too soon.
        """
        multiple = self.multiple
        if not multiple:
            return
        rows = self._rows.get(service, {})
        for rate in (
            rows.get(operation) or rows.get("each") or rows.get(OTHERS) or rows.get("*") or self._unpublished(service)
        ):
            if not self._bucket(rate, multiple, caller, service, operation):
                raise throttled(service, self._world)

    def _unpublished(self, service: str) -> tuple[Rate, ...]:
        return () if self._world.rule("rates-unpublished") else UNPUBLISHED.get(service, ())

    def _bucket(self, rate: Rate, multiple: float, caller: Caller, service: str, operation: str) -> bool:
        together = rate.operations == "*" or (rate.operations != "each" and self._world.rule("rates-shared"))
        name = rate.operations if together else operation
        whose = {"account": caller.account, "organization": ""}.get(rate.per, f"{caller.account} {caller.region}")
        if service == "securityhub" and not self._world.rule("hub-rates-by-region"):
            whose = caller.account
        now, burst = self._world.clock.now(), max(1.0, rate.burst * multiple)
        bucket = self._buckets.setdefault((service, name, rate.per, whose), Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate.rate * multiple)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _by_operation(rows: tuple[Rate, ...]) -> dict[str, list[Rate]]:
    found: dict[str, list[Rate]] = {}
    for row in rows:
        for operation in row.operations.split():
            found.setdefault(operation, []).append(row)
    return found
