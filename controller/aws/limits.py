"""AWS's published call rates, kept on our side: waiting our turn is cheaper than being refused.

One row is one bucket: whether AWS counts the operations of a published row together or apart is not documented, so they
are counted together. Buckets are per row, account and Region; those that AWS keeps for the organization as a whole are
shared with other tools, so being refused still happens and is retried.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from controller.clock import Clock

_ORGANIZATIONS = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"
_ACCOUNT = "https://docs.aws.amazon.com/accounts/latest/reference/quotas.html"
_IDENTITY_CENTER = "https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html"
_SECURITY_HUB = "https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_NONE = "not published"


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second, how many at once after a rest, and the page that says so.

    `operations` are IAM actions; ``sso:*`` stands for all of the service that no other row names.
    """

    operations: tuple[str, ...]
    per_second: float
    burst: int
    source: str
    apart: bool = False
    """Whether AWS publishes it for each operation by itself."""


def _row(service: str, operations: str, per_second: float, burst: int, source: str) -> Rate:
    return Rate(tuple(f"{service}:{name}" for name in operations.split()), per_second, burst, source)


RATES: tuple[Rate, ...] = (
    _row("organizations", "CloseAccount", 0.05, 1, _ORGANIZATIONS),
    _row("organizations", "CreateAccount CreateGovCloudAccount", 0.1, 3, _ORGANIZATIONS),
    _row("organizations", "DescribeAccount", 20, 30, _ORGANIZATIONS),
    _row("organizations", "DescribeCreateAccountStatus", 2, 2, _ORGANIZATIONS),
    _row("organizations", "ListCreateAccountStatus", 5, 8, _ORGANIZATIONS),
    _row("organizations", "CreateOrganizationalUnit DescribeOrganization", 1, 2, _ORGANIZATIONS),
    _row("organizations", "MoveAccount UpdateOrganizationalUnit DeleteOrganizationalUnit", 2, 3, _ORGANIZATIONS),
    _row("organizations", "DescribeOrganizationalUnit", 2, 2, _ORGANIZATIONS),
    _row("organizations", "ListAccounts", 8, 12, _ORGANIZATIONS),
    _row("organizations", "ListChildren", 6, 10, _ORGANIZATIONS),
    _row("organizations", "ListParents ListAccountsForParent ListOrganizationalUnitsForParent", 5, 8, _ORGANIZATIONS),
    _row("organizations", "ListRoots", 1, 2, _ORGANIZATIONS),
    _row("organizations", "ListTagsForResource", 10, 15, _ORGANIZATIONS),
    _row("organizations", "RemoveAccountFromOrganization", 2, 2, _ORGANIZATIONS),
    _row("organizations", "TagResource UntagResource", 4, 6, _ORGANIZATIONS),
    _row("organizations", "CreatePolicy DeletePolicy AttachPolicy DetachPolicy", 2, 3, _ORGANIZATIONS),
    _row("organizations", "UpdatePolicy", 2, 3, _ORGANIZATIONS),
    _row("organizations", "DescribePolicy", 2, 2, _ORGANIZATIONS),
    _row("organizations", "EnablePolicyType DisablePolicyType", 1, 1, _ORGANIZATIONS),
    _row("organizations", "ListPolicies ListPoliciesForTarget ListTargetsForPolicy", 5, 8, _ORGANIZATIONS),
    _row("organizations", "EnableAWSServiceAccess DisableAWSServiceAccess", 1, 2, _ORGANIZATIONS),
    _row("organizations", "ListAWSServiceAccessForOrganization ListDelegatedServicesForAccount", 1, 3, _ORGANIZATIONS),
    _row("organizations", "ListDelegatedAdministrators", 5, 8, _ORGANIZATIONS),
    _row("organizations", "RegisterDelegatedAdministrator DeregisterDelegatedAdministrator", 1, 2, _ORGANIZATIONS),
    _row("organizations", "*", 1, 1, _NONE),
    _row("account", "PutAlternateContact", 5, 8, _ACCOUNT),
    _row("account", "GetAlternateContact", 10, 15, _ACCOUNT),
    _row("account", "DeleteAlternateContact", 1, 6, _ACCOUNT),
    _row("account", "ListRegions", 5, 5, _ACCOUNT),
    _row("account", "GetRegionOptStatus", 5, 5, _ACCOUNT),
    _row("account", "*", 1, 1, _ACCOUNT),
    _row("sso", "*", 20, 20, _IDENTITY_CENTER),  # all operations together
    _row("securityhub", "BatchEnableStandards", 1, 1, _SECURITY_HUB),
    _row("securityhub", "UpdateStandardsControl", 1, 5, _SECURITY_HUB),
    _row("securityhub", "GetFindings", 3, 6, _SECURITY_HUB),
    _row("securityhub", "*", 10, 30, _SECURITY_HUB),
    Rate(("identitystore:*",), 20, 20, _IDENTITY_CENTER, apart=True),
    _row("sts", "*", 600, 600, _IAM),
    _row("tag", "*", 5, 5, _NONE),
)

UNKNOWN = Rate(("*",), 1, 1, _NONE)
"""Whatever no row names: careful, because a refusal costs more than the wait."""


@cache
def rate_of(action: str) -> Rate:
    """The row that an action is counted in."""
    service = action.partition(":")[0]
    for row in RATES:
        if action in row.operations:
            return row
    row = next((row for row in RATES if f"{service}:*" in row.operations), UNKNOWN)
    return replace(row, operations=(action,)) if row.apart else row


class Bucket:
    """A token bucket that hands out turns in the order they are asked for.

    Kept as the one moment at which the next token is due if nobody had rested (the generic cell rate algorithm), so a
    turn is taken at once, under the lock, and waited for outside it.
    """

    def __init__(self, per_second: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._gap = 1 / per_second
        self._rest = (burst - 1) * self._gap
        self._due = monotonic()
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Take the next turn. Returns the seconds until it comes."""
        with self._lock:
            now = self._monotonic()
            wait = max(0.0, self._due - self._rest - now)
            self._due = max(self._due, now) + self._gap
            return wait

    def drain(self) -> None:
        """AWS refused: somebody else drank from its bucket, so ours has no reserve left either."""
        with self._lock:
            self._due = max(self._due, self._monotonic() + self._rest + self._gap)


class Limits:
    """All buckets of a run."""

    def __init__(self, clock: Clock, multiple: float) -> None:
        self._clock = clock
        self._multiple = multiple
        self._buckets: dict[tuple[Rate, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, action: str, account: str, region: str) -> float:
        """Wait for this call's turn. Returns the seconds waited.

        Raises:
            Stopped: The process was asked to stop.
        """
        seconds = self._bucket(action, account, region).turn()
        if seconds:
            self._clock.sleep(seconds)
        return seconds

    def refused(self, action: str, account: str, region: str) -> None:
        """AWS throttled this call."""
        self._bucket(action, account, region).drain()

    def _bucket(self, action: str, account: str, region: str) -> Bucket:
        rate = rate_of(action)
        key = (rate, account, region)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = Bucket(rate.per_second * self._multiple, rate.burst, self._clock.monotonic)
            return self._buckets[key]
