"""Every error orgctl raises on purpose. Each knows its exit code; its type says whether trying again can help.

OrgctlError
├── InvalidInput          bad YAML, settings or arguments: all problems at once; trying again is pointless
├── GitError              the repository cannot be fetched or read: tried again
├── WrongOrganization     the credentials answer from an organization the settings do not name
├── CannotConnect         no credentials, no organization, or not its management account's
├── NoWorkers             where the settings say that accounts are read, nobody reads them: tried again next cycle
├── StalePlan             what a saved plan rests on has changed
├── Stopped               the process was asked to stop
├── WriteRefused          a read-only run was about to write: a bug in orgctl, and nothing was sent
└── AwsError              AWS answered with an error
    ├── Throttled         rate limited, and patience ran out: tried again next cycle
    ├── Denied            the role lacks a permission, or a policy denies it
    ├── Unreachable       no answer to a read, or a 5xx: tried again next cycle
    ├── UnknownOutcome    no answer to a write: it may have happened; looked up, never repeated blindly
    ├── AsyncFailed       AWS accepted a write and later reported FAILED
    └── InProgress        AWS is still working; the next cycle looks again. Not a failure
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong (or doubtful) in the input, as a person is told of it."""

    file: str
    line: int
    column: int
    what: str
    fix: str = ""
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        head = f"{place}: {'warning: ' if self.warning else ''}{self.what}"
        return f"{head}\n    {self.fix}" if self.fix else head


class OrgctlError(Exception):
    """The root of all errors that orgctl raises on purpose."""

    exit_code = 1


class InvalidInput(OrgctlError):
    """All problems of the input, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class GitError(OrgctlError):
    """git could not fetch or read; carries git's own words, without credentials."""


class WrongOrganization(OrgctlError):
    """Nothing is written: these credentials belong to another organization than the settings name, or none is named."""


class CannotConnect(OrgctlError):
    """AWS cannot be used as it is configured; says what to change."""


class NoWorkers(OrgctlError):
    """The executor of the settings cannot be used; says why. Nothing it was to read counts as absent."""


class StalePlan(OrgctlError):
    """What the saved plan rests on is no longer so."""


class Stopped(OrgctlError):
    """The process was asked to stop; what was under way is abandoned between two calls."""


class WriteRefused(OrgctlError):
    """A read-only run was about to send a write. Nothing was sent."""


class AwsError(OrgctlError):
    """AWS refused a call.

    Attributes:
        action: As IAM spells it: ``organizations:AttachPolicy``.
        code: AWS's error code, or orgctl's word where AWS gave none.
        reason: The modelled ``Reason`` of a ConstraintViolationException and the like, else "".
        request_id: AWS's request id, else "".
        account: The account the call was made in, where it was not the controller's own.
    """

    def __init__(
        self,
        action: str,
        code: str,
        message: str = "",
        *,
        reason: str = "",
        request_id: str = "",
        account: str | None = None,
        region: str | None = None,
    ) -> None:
        self.action, self.code, self.message = action, code, message
        self.reason, self.request_id, self.account, self.region = reason, request_id, account, region
        super().__init__(str(self))

    def __reduce__(self) -> tuple[Callable[..., BaseException], tuple[object, ...]]:
        """To travel from another process, which an exception with named arguments cannot by itself."""
        named = {name: getattr(self, name) for name in ("reason", "request_id", "account", "region")}
        return partial(type(self), **named), (self.action, self.code, self.message)

    def __str__(self) -> str:
        place = " ".join(filter(None, (f"in {self.account}" if self.account else "", self.region or "")))
        request = f" (request {self.request_id})" if self.request_id else ""
        detail = f": {self.message}" if self.message else ""
        told = f"{self.code} from {self.action}{f' {place}' if place else ''}{request}{detail}"
        return f"{told.rstrip('.')}. {self.advice}" if self.advice else told

    @property
    def advice(self) -> str:
        """What a person can do about it, or ""."""
        return ""


class Throttled(AwsError):
    """AWS's rate limit, after every retry we allow ourselves."""

    @property
    def advice(self) -> str:
        return "Something else uses this rate as well; tried again next cycle."


class Denied(AwsError):
    """The call is not allowed to this role."""

    @property
    def advice(self) -> str:
        who = f"the member role in {self.account}" if self.account else "the controller's role"
        return f"Grant {self.action} to {who}, or find the policy that denies it; tried again next cycle."


class Unreachable(AwsError):
    """No usable answer to a read."""

    @property
    def advice(self) -> str:
        if self.code in ("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"):
            return "Look at the network, the proxy and AWS_ENDPOINT_URL."
        return ""


class UnknownOutcome(AwsError):
    """No answer to a write. It may have taken effect."""

    @property
    def advice(self) -> str:
        return "It may have happened: the next cycle looks before it sends anything again."


class AsyncFailed(AwsError):
    """An asynchronous operation that AWS accepted and then reported as FAILED; `message` is AWS's reason."""


class InProgress(AwsError):
    """AWS is still working on it."""

    @property
    def advice(self) -> str:
        return "The next cycle looks again."
