"""A budget of calls: AWS's published rates times the share that is ours, kept on our side.

One row of AWS's tables is one bucket for each account and Region; rows that AWS also limits for the organization as a
whole have a second bucket for that, and a call takes from both. Whether AWS counts the operations of one row together
or apart is not documented, so they are counted together.

Others call AWS, too: a person in the console, another tool. Where AWS refuses all the same, the bucket gives way: half
its rate at once, and back up slowly, as TCP does (RFC 5681, congestion avoidance).
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
    organization: tuple[float, int] | None = None
    """Calls a second and burst for the management account and all delegated administrators together."""


def _row(
    service: str, operations: str, per_second: float, burst: int, source: str, all: tuple[float, int] | None = None
) -> Rate:
    names = tuple(f"{service}:{name}" for name in operations.split())
    return Rate(names, per_second, burst, source, organization=all)


RATES: tuple[Rate, ...] = (
    _row("organizations", "CloseAccount", 0.05, 1, _ORGANIZATIONS),
    _row("organizations", "CreateAccount CreateGovCloudAccount", 0.1, 3, _ORGANIZATIONS),
    _row("organizations", "DescribeAccount", 20, 30, _ORGANIZATIONS, (24, 36)),
    _row("organizations", "DescribeCreateAccountStatus", 2, 2, _ORGANIZATIONS, (2, 3)),
    _row("organizations", "ListCreateAccountStatus", 5, 8, _ORGANIZATIONS, (6, 10)),
    _row("organizations", "CreateOrganizationalUnit DescribeOrganization", 1, 2, _ORGANIZATIONS),
    _row("organizations", "MoveAccount UpdateOrganizationalUnit DeleteOrganizationalUnit", 2, 3, _ORGANIZATIONS),
    _row("organizations", "DescribeOrganizationalUnit", 2, 2, _ORGANIZATIONS, (2, 3)),
    _row("organizations", "ListAccounts", 8, 12, _ORGANIZATIONS, (9, 15)),
    _row("organizations", "ListChildren", 6, 10, _ORGANIZATIONS, (7, 12)),
    _row(
        "organizations",
        "ListParents ListAccountsForParent ListOrganizationalUnitsForParent",
        5,
        8,
        _ORGANIZATIONS,
        (6, 10),
    ),
    _row("organizations", "ListRoots", 1, 2, _ORGANIZATIONS, (1, 3)),
    _row("organizations", "ListTagsForResource", 10, 15, _ORGANIZATIONS, (12, 18)),
    _row("organizations", "RemoveAccountFromOrganization", 2, 2, _ORGANIZATIONS),
    _row("organizations", "TagResource UntagResource", 4, 6, _ORGANIZATIONS),
    _row("organizations", "CreatePolicy DeletePolicy AttachPolicy DetachPolicy", 2, 3, _ORGANIZATIONS),
    _row("organizations", "UpdatePolicy", 2, 3, _ORGANIZATIONS),
    _row("organizations", "DescribePolicy", 2, 2, _ORGANIZATIONS, (2, 3)),
    _row("organizations", "EnablePolicyType DisablePolicyType", 1, 1, _ORGANIZATIONS),
    _row("organizations", "ListPolicies ListPoliciesForTarget ListTargetsForPolicy", 5, 8, _ORGANIZATIONS, (6, 10)),
    _row("organizations", "EnableAWSServiceAccess DisableAWSServiceAccess", 1, 2, _ORGANIZATIONS),
    _row(
        "organizations",
        "ListAWSServiceAccessForOrganization ListDelegatedServicesForAccount",
        1,
        3,
        _ORGANIZATIONS,
        (1, 4),
    ),
    _row("organizations", "ListDelegatedAdministrators", 5, 8, _ORGANIZATIONS, (6, 10)),
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


_FLOOR = 1 / 16
"""A bucket learns down to this of its ceiling: never so far that a cycle would stand still."""
_PER_ANSWER = 0.001
"""… and back up by this with every answer: from half to whole in 500 calls, so that being refused stays rare."""
_PER_SECOND = 1 / 1800
"""… and with time: whoever took the rest may have left long before we call again."""
_NAP = 1.0
"""Seconds. A turn may come sooner than was foreseen when the wait began (the rate climbs, somebody gives up)."""
_JITTER = 0.25
"""Seconds by which one call may take longer to reach AWS than the next."""
_GRAIN = 0.001
"""Seconds. Waking a moment late costs nothing; a moment early costs a refusal."""


class _Ticket:
    """A caller's place in its buckets' queues. `order`: writes 0, reads 1."""

    __slots__ = ("order",)

    def __init__(self, write: bool) -> None:
        self.order = 0 if write else 1


class Bucket:
    """A token bucket with a queue: writes first, then in the order in which they came. Not thread-safe by itself.

    Args:
        per_second: The ceiling.
        burst: AWS's, times our share.

    Attributes:
        learned: The share of the ceiling that AWS has let us have of late.
    """

    __slots__ = ("_at", "_burst", "_ceiling", "_cut", "_queue", "_tokens", "learned")

    def __init__(self, per_second: float, burst: int, now: float) -> None:
        self._ceiling = per_second
        self._burst = burst
        # Not full: the process before this one may have used AWS's bucket up a moment ago.
        self._tokens: float = max(1, burst // 2)
        self._at = now
        self._cut = float("-inf")
        self._queue: list[_Ticket] = []
        self.learned = 1.0

    def join(self, ticket: _Ticket) -> None:
        insort(self._queue, ticket, key=lambda other: other.order)

    def leave(self, ticket: _Ticket) -> None:
        self._queue.remove(ticket)

    def seconds_until(self, ticket: _Ticket, now: float) -> float:
        """Until there is a token for it and for each that is before it, if nothing changes; 0: there is now."""
        self._fill(now)
        return max(0.0, (self._queue.index(ticket) + 1 - self._tokens) / self._rate)

    def take(self) -> None:
        self._tokens -= 1

    def answered(self) -> None:
        self.learned = min(1.0, self.learned + _PER_ANSWER)

    def refused(self, sent: float, now: float) -> None:
        """AWS refused a call whose turn was at `sent`. Of several that were on their way together the first counts."""
        if sent <= self._cut:
            return
        self._fill(now)
        self._cut = now
        self.learned = max(_FLOOR, self.learned / 2)
        self._tokens = min(self._tokens, 0.0)  # somebody else drank from AWS's bucket: ours has no reserve left either

    @property
    def _rate(self) -> float:
        return self._ceiling * self.learned

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = max(self._at, now)
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self.learned = min(1.0, self.learned + passed * _PER_SECOND)


@dataclass(slots=True)
class Turn:
    """A call's turn, taken.

    Attributes:
        waited: Seconds.
        at: When it came, on the monotonic clock.
        learned: The least share of its ceiling that any of its buckets is at.
    """

    waited: float
    at: float
    learned: float
    buckets: tuple[Bucket, ...] = field(repr=False)


class Limits:
    """All buckets of a run, and how many calls may be under way at once.

    Args:
        multiple: Of AWS's published rates: a sandbox may be faster.
        share: Of that, and of AWS's bursts, what is ours.
        places: Calls under way at once.
    """

    def __init__(self, clock: Clock, multiple: float, share: float, places: int) -> None:
        self._clock = clock
        self._multiple = multiple
        self._share = share
        self._places = threading.BoundedSemaphore(places)
        self._buckets: dict[tuple[Rate, str, str], Bucket] = {}
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, action: str, account: str, region: str, *, write: bool) -> Iterator[Turn]:
        """Wait for this call's turn and make it within.

        Whoever waits holds no place. A token is taken when there is a place to use it: were it the other way round,
        calls that wait for a place with their tokens in hand would then go all at once.

        Raises:
            Stopped: The process was asked to stop.
        """
        buckets, ticket, waited = self._buckets_of(action, account, region), _Ticket(write), 0.0
        with self._lock:
            for bucket in buckets:
                bucket.join(ticket)
        try:
            while not (turn := self._take(buckets, ticket, waited)):
                waited += self._rest(buckets, ticket)
        finally:
            with self._lock:
                for bucket in buckets:
                    bucket.leave(ticket)
        try:
            yield turn
        finally:
            self._places.release()

    def answered(self, turn: Turn) -> None:
        """AWS did not throttle this call."""
        with self._lock:
            for bucket in turn.buckets:
                bucket.answered()

    def refused(self, turn: Turn) -> None:
        """AWS throttled this call; by which of its buckets it does not say."""
        with self._lock:
            for bucket in turn.buckets:
                bucket.refused(turn.at, self._clock.monotonic())

    def _take(self, buckets: tuple[Bucket, ...], ticket: _Ticket, waited: float) -> Turn | None:
        """A token of each bucket and a place, or None where the turn has not come."""
        if self._seconds_until(buckets, ticket):
            return None
        self._places.acquire()
        with self._lock:
            now = self._clock.monotonic()
            if any(bucket.seconds_until(ticket, now) for bucket in buckets):  # a write came, or AWS refused another
                self._places.release()
                return None
            for bucket in buckets:
                bucket.take()
            return Turn(waited, now, min(bucket.learned for bucket in buckets), buckets)

    def _rest(self, buckets: tuple[Bucket, ...], ticket: _Ticket) -> float:
        """Sleep until the turn may have come; the seconds it took."""
        began = self._clock.monotonic()
        self._clock.sleep(min(self._seconds_until(buckets, ticket), _NAP) + _GRAIN)
        return self._clock.monotonic() - began

    def _seconds_until(self, buckets: tuple[Bucket, ...], ticket: _Ticket) -> float:
        with self._lock:
            now = self._clock.monotonic()
            return max(bucket.seconds_until(ticket, now) for bucket in buckets)

    def _buckets_of(self, action: str, account: str, region: str) -> tuple[Bucket, ...]:
        rate = rate_of(action)
        with self._lock:
            own = self._bucket(rate, account, region, (rate.per_second, rate.burst))
            if rate.organization is None:
                return (own,)
            return own, self._bucket(rate, "organization", region, rate.organization)

    def _bucket(self, rate: Rate, whose: str, region: str, published: tuple[float, int]) -> Bucket:
        key = (rate, whose, region)
        if key not in self._buckets:
            per_second, burst = published
            # Two calls may arrive closer together than they were sent: of AWS's burst one call is left for that, and
            # where there is only one, a moment.
            ours = max(1, min(int(burst * self._share), burst - 1))
            most = 1 / (1 / per_second + _JITTER) if burst == 1 else per_second
            per_second = min(per_second * self._share, most) * self._multiple
            self._buckets[key] = Bucket(per_second, ours, self._clock.monotonic())
        return self._buckets[key]
