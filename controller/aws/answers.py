"""What an error from botocore means: was the call carried out, is it sent again, which of our errors is it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from controller.aws.actions import service_of
from controller.errors import AwsError, Denied, Throttled, UnknownOutcome, Unreachable


class Verdict(Enum):
    """What became of a call that did not succeed."""

    THROTTLED = "refused for its rate; not carried out"
    BUSY = "refused because another change is under way; not carried out"
    NOT_SENT = "never reached AWS"
    NO_ANSWER = "sent, and nobody knows"
    STALE_CREDENTIALS = "refused for credentials that have expired; not carried out"
    REFUSED = "refused; asking again would be answered alike"


_THROTTLES = frozenset(
    {
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",  # Security Hub's throttle, and its quotas: `FEW_TRIES`
        "SlowDown",
        "PriorRequestNotComplete",
    }
)
_BUSY = frozenset(
    {"ConcurrentModificationException", "PolicyChangesInProgressException", "FinalizingOrganizationException"}
)
_CONFLICTS = frozenset({"ConflictException", "ResourceConflictException"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "NotAuthorized",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "AuthFailure",
        "OptInRequired",
        "AccessDeniedForDependencyException",
        *_EXPIRED,
    }
)
FEW_TRIES = frozenset({"LimitExceededException"})
"""Codes that mean 'later' as well as 'never': tried a few times only. So does Identity Center's ConflictException, but
how much later AWS does not say, and an edit that is given up half-way is worse than one that fails late."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that did not succeed.

    Attributes:
        retry_after: Seconds AWS asks us to wait, or 0.
    """

    verdict: Verdict
    code: str
    message: str = ""
    reason: str = ""
    request_id: str = ""
    retry_after: float = 0.0

    def error(self, action: str, *, account: str | None, region: str | None, write: bool) -> AwsError:
        """The error to raise once nothing more is tried."""
        return self._type(write)(
            action,
            self.code,
            self.message,
            reason=self.reason,
            request_id=self.request_id,
            account=account,
            region=region,
        )

    def _type(self, write: bool) -> type[AwsError]:
        if self.verdict is Verdict.NO_ANSWER:
            return UnknownOutcome if write else Unreachable
        if self.verdict is Verdict.NOT_SENT:
            return Unreachable
        if self.verdict is Verdict.THROTTLED and self.code not in FEW_TRIES:
            return Throttled
        return Denied if self.code in _DENIED else AwsError


def judge(action: str, error: BotoCoreError | ClientError | ResponseParserError, *, write: bool) -> Failure:
    """What one failed attempt means."""
    if isinstance(error, ClientError):
        return _answered(action, error, write=write)
    code = type(error).__name__
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError):
        return Failure(Verdict.NOT_SENT, code, str(error))
    if isinstance(error, HTTPClientError | SSLError | ResponseParserError):
        return Failure(Verdict.NO_ANSWER, code, str(error))
    return Failure(Verdict.REFUSED, code, str(error))


def _answered(action: str, error: ClientError, *, write: bool) -> Failure:
    answer = error.response
    details, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, status = str(details.get("Code", "Unknown")), int(metadata.get("HTTPStatusCode", 0))
    reason = str(answer.get("Reason") or details.get("Reason") or "")
    return Failure(
        _verdict(action, code, status, reason, write=write),
        code,
        str(details.get("Message") or answer.get("Message") or ""),
        reason,
        str(metadata.get("RequestId", "")),
        _retry_after(answer.get("RetryAfterSeconds"), metadata.get("HTTPHeaders", {})),
    )


def _verdict(action: str, code: str, status: int, reason: str, *, write: bool) -> Verdict:
    if code in _THROTTLES or status == 429:
        return Verdict.THROTTLED
    if code in _BUSY or (write and _may_pass(action, code, reason)):
        return Verdict.BUSY
    if code in _EXPIRED:
        return Verdict.STALE_CREDENTIALS
    return Verdict.NO_ANSWER if status >= 500 else Verdict.REFUSED


def _may_pass(action: str, code: str, reason: str) -> bool:
    """Whether a conflict is one with an earlier write that has not settled yet.

    Identity Center answers so while a write has not propagated and asks for a retry with backoff (sso-admin API
    reference, ConflictException); the Identity Store says which conflict it is.
    """
    service = service_of(action)[0]
    if service == "identitystore":
        return code == "ConflictException" and reason == "CONCURRENT_MODIFICATION"
    return service == "sso-admin" and code in _CONFLICTS


def _retry_after(seconds: object, headers: dict[str, str]) -> float:
    """Seconds, from the Identity Store's RetryAfterSeconds or the header ``x-amz-retry-after`` (milliseconds)."""
    try:
        if seconds is not None:
            return float(str(seconds))
        return float(headers.get("x-amz-retry-after", 0)) / 1000
    except ValueError:
        return 0.0
