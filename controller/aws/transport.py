"""One AWS call: whose credentials, when it is its turn, what its failure means, whether it is tried again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore import xform_name
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from controller import __version__
from controller.aws.actions import only_reads, service_of
from controller.aws.answers import FEW_TRIES, Failure, Verdict, judge
from controller.aws.credentials import MemberCredentials, route, signing_with
from controller.aws.limits import Limits, Turn
from controller.aws.timestamps import quicken
from controller.aws.workers import Workers
from controller.clock import Clock
from controller.config import Settings
from controller.errors import CannotConnect, Stopped, WriteRefused

T = TypeVar("T")
S = TypeVar("S")

_may_write: ContextVar[bool] = ContextVar("orgctl_may_write", default=False)

CONNECT_TIMEOUT = 5.0
"""Seconds. An endpoint that cannot be reached shows within a second or two."""
READ_TIMEOUT = 30.0
"""Seconds. AWS answers within a few; the rest is for a network that has gone quiet."""
PATIENCE = 120.0
"""Seconds that one call may spend on waiting between its attempts; the next cycle is soon enough for more."""
ONE_REGION = {
    "aws": "us-east-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-northwest-1",
}
"""Where Organizations, Account and their tags live, by partition (AWS General Reference, endpoints)."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One attempt at one call.

    Attributes:
        code: AWS's error code (or orgctl's word where there was no answer), "" for success.
        seconds: From sending to the answer.
        waited: Seconds spent before sending: for our turn at AWS's rate, and after AWS refused for its rate.
        throttled: AWS refused it for its rate.
        learned: The share of our ceiling that its bucket was at: below 1 after AWS refused calls for their rate.
    """

    action: str
    account: str | None
    region: str
    code: str
    seconds: float
    waited: float
    throttled: bool
    learned: float = 1.0


Observer = Callable[[CallRecord], None]


@dataclass(frozen=True, slots=True)
class _Backoff:
    """Full jitter: before attempt n+1 a random share of ``min(longest, first · 2ⁿ)`` seconds."""

    attempts: int
    first: float
    longest: float

    def seconds(self, attempt: int, share: float) -> float:
        longest: float = min(self.longest, self.first * 2**attempt)
        return share * longest


_BACKOFFS = {
    Verdict.THROTTLED: _Backoff(attempts=10, first=0.5, longest=20),
    Verdict.BUSY: _Backoff(attempts=10, first=0.5, longest=10),
    Verdict.NO_ANSWER: _Backoff(attempts=4, first=0.25, longest=5),
    Verdict.NOT_SENT: _Backoff(attempts=4, first=0.25, longest=5),
    Verdict.STALE_CREDENTIALS: _Backoff(attempts=2, first=0.25, longest=1),
}
_FEW = 5
"""Attempts for codes that mean 'later' as well as 'never'."""


class Transport:
    """`aws.api.Calls` over botocore: one client per service and Region for all accounts and threads.

    Args:
        read_only: Refuse every write, before anything is sent.
        session: For tests: one that answers from the simulated organization.
        jitter: Gives shares from 0 to 1.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        read_only: bool,
        observer: Observer | None = None,
        session: Session | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock
        self.read_only = read_only
        self.management_account: str | None = None
        """Set once known: its own cell is reached with the controller's own credentials."""
        self._settings = settings
        self._observe = observer or (lambda record: None)
        self._jitter = jitter
        self._session = session or Session()
        self._own = route(self._session)
        quicken(self._session)
        self._session.register("before-call", _refuse_unannounced_writes, unique_id="orgctl-read-only")
        self._partition: str = self._session.get_partition_for_region(settings.identity_center_region)
        self._members = MemberCredentials(self._assume_role, clock)
        self._limits = Limits(clock, settings.rate_multiple, settings.share, settings.workers)
        self._workers = Workers(settings.workers, clock)
        self._clients: dict[tuple[str, str], Any] = {}
        self._page_tokens: dict[str, dict[str, tuple[str, str]]] = {}
        self._page_limits: dict[str, dict[str, int]] = {}
        self._creating = threading.Lock()
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},  # `_retry` decides; the SDK's own would count twice
            max_pool_connections=settings.workers,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            user_agent_extra=f"orgctl/{__version__}",
        )

    def call(
        self,
        action: str,
        parameters: dict[str, Any],
        *,
        account: str | None,
        region: str | None,
        write: bool,
        repeatable: bool,
    ) -> dict[str, Any]:
        """See `aws.api.Calls`."""
        if write and self.read_only:
            raise WriteRefused(f"{action}: this run only reads. Nothing was sent.")
        account = None if account == self.management_account else account
        region = region or self._home(action)
        attempt, patience, backoff = 0, PATIENCE, 0.0
        while True:
            # Made ready first: what holds calls up after their turns sends them all at once.
            client = self._client(service_of(action)[0], region)
            credentials = self._credentials(account)
            with self._limits.turn(action, account or "", region, write=write) as turn:
                found, seconds = self._attempt(client, credentials, action, parameters, write)
            self._observe(_record(found, action, account, region, seconds, backoff + turn.waited, turn.learned))
            self._learn(found, turn, account)
            if not isinstance(found, Failure):
                found.pop("ResponseMetadata", None)
                return found
            attempt += 1
            pause = self._pause(found, attempt, write=write, repeatable=repeatable)
            if pause is None or pause > patience:
                raise found.error(action, account=account, region=region, write=write)
            self.clock.sleep(pause)
            patience -= pause
            backoff = pause if found.verdict is Verdict.THROTTLED else 0.0

    def page_token(self, action: str) -> tuple[str, str]:
        """See `aws.api.Calls`."""
        service, operation = service_of(action)
        with self._creating:
            if service not in self._page_tokens:
                self._page_tokens[service] = _page_tokens(self._session, service)
            return self._page_tokens[service].get(operation, ("NextToken", "NextToken"))

    def page_limit(self, action: str) -> dict[str, int]:
        """See `aws.api.Calls`."""
        with self._creating:
            if action not in self._page_limits:
                self._page_limits[action] = _page_limit(self._session, *service_of(action))
            return self._page_limits[action]

    def map(self, function: Callable[[T], S], items: Iterable[T]) -> list[S]:
        """See `aws.api.Calls`."""
        return self._workers.map(function, items)

    def close(self) -> None:
        """Let go of threads and connections. Calls under way end by themselves."""
        self._workers.close()
        with self._creating:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _attempt(
        self, client: Any, credentials: ReadOnlyCredentials, action: str, parameters: dict[str, Any], write: bool
    ) -> tuple[dict[str, Any] | Failure, float]:
        """Send once: the answer, and the seconds it took."""
        if self.clock.stop.is_set():
            raise Stopped
        with signing_with(credentials):
            allowed = _may_write.set(write)
            began = self.clock.monotonic()
            try:
                found: dict[str, Any] | Failure = getattr(client, xform_name(service_of(action)[1]))(**parameters)
            except (ClientError, BotoCoreError, ResponseParserError) as error:
                found = judge(action, error, write=write)
            finally:
                _may_write.reset(allowed)
        return found, self.clock.monotonic() - began

    def _learn(self, found: dict[str, Any] | Failure, turn: Turn, account: str | None) -> None:
        """What one answer says about the calls to come."""
        verdict = found.verdict if isinstance(found, Failure) else None
        if verdict is Verdict.THROTTLED:
            self._limits.refused(turn)
        elif verdict is None or verdict is Verdict.REFUSED:
            self._limits.answered(turn)
        elif verdict is Verdict.STALE_CREDENTIALS and account is not None:
            self._members.forget(account)

    def _pause(self, failure: Failure, attempt: int, *, write: bool, repeatable: bool) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        backoff = _BACKOFFS.get(failure.verdict)
        if backoff is None:
            return None
        if failure.verdict is Verdict.NO_ANSWER and write and not repeatable:
            return None  # it may have happened: sent again, it might happen twice
        if attempt >= (_FEW if failure.code in FEW_TRIES else backoff.attempts):
            return None
        return max(failure.retry_after, backoff.seconds(attempt - 1, self._jitter()))

    def _credentials(self, account: str | None) -> ReadOnlyCredentials:
        if account is not None:
            return self._members.of(account)
        if self._own is None:
            raise CannotConnect(
                "There are no AWS credentials. Give the management account's in one of AWS's ways: a role of the "
                "task or pod, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        try:
            return self._own.get_frozen_credentials()
        except BotoCoreError as error:
            raise CannotConnect(f"The AWS credentials cannot be used: {error}") from error

    def _assume_role(self, account: str) -> dict[str, Any]:
        secret = self._settings.member_external_id
        answer = self.call(
            "sts:AssumeRole",
            {
                "RoleArn": f"arn:{self._partition}:iam::{account}:role/{self._settings.member_role}",
                "RoleSessionName": f"orgctl-{self._settings.instance}"[:64],
                **({"ExternalId": secret.get_secret_value()} if secret else {}),
            },
            account=None,
            region=None,
            write=False,
            repeatable=True,
        )
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def _home(self, action: str) -> str:
        """The one Region of a service that has but one; the Identity Center's for its own and for STS."""
        service = service_of(action)[0]
        if service in ("sso-admin", "identitystore", "sts"):
            return self._settings.identity_center_region
        return ONE_REGION.get(self._partition, self._settings.identity_center_region)

    def _client(self, service: str, region: str) -> Any:
        # Sessions are not thread-safe (boto3 guide, session); clients are.
        with self._creating:
            if (service, region) not in self._clients:
                try:
                    self._clients[service, region] = self._session.create_client(
                        service, region_name=region, config=self._config
                    )
                except (BotoCoreError, ValueError) as error:  # ValueError: AWS_ENDPOINT_URL is no URL
                    raise CannotConnect(f"The AWS configuration cannot be used: {error}") from error
            return self._clients[service, region]


def _record(
    found: dict[str, Any] | Failure,
    action: str,
    account: str | None,
    region: str,
    seconds: float,
    waited: float,
    learned: float,
) -> CallRecord:
    if not isinstance(found, Failure):
        return CallRecord(action, account, region, "", seconds, waited, False, learned)
    throttled = found.verdict is Verdict.THROTTLED
    return CallRecord(action, account, region, found.code, seconds, waited, throttled, learned)


def _refuse_unannounced_writes(model: Any, **_: Any) -> None:
    """A hook under every client: only `call(write=True)` of a transport that may write gets a write past it.

    So a Reader cannot send a write even by mistake, whatever is built above it.
    """
    if not _may_write.get() and not only_reads(model.name):
        raise WriteRefused(f"{model.name} is not among the operations that only read. Nothing was sent.")


def _page_tokens(session: Session, service: str) -> dict[str, tuple[str, str]]:
    """operation → (request member that takes the token, response member that gives it), from botocore's paginators."""
    try:
        paginators = session.get_component("data_loader").load_service_model(service, "paginators-1")["pagination"]
    except BotoCoreError:  # a service without paginators
        return {}
    return {
        operation: (config["input_token"], config["output_token"])
        for operation, config in paginators.items()
        if isinstance(config["input_token"], str) and isinstance(config["output_token"], str)
    }


def _page_limit(session: Session, service: str, operation: str) -> dict[str, int]:
    """AWS's default is often less than its most, and not always documented."""
    shape = session.get_service_model(service).operation_model(operation).input_shape
    limits = shape.members.get("MaxResults") if shape is not None else None
    most = limits.metadata.get("max") if limits is not None else None
    return {} if most is None else {"MaxResults": most}
