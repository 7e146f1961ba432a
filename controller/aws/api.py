"""The two views of AWS that a kind of resource gets: a Reader, which has no way to send a write, and a Writer.

Actions are named as IAM names them (``organizations:ListAccounts``, ``sso:CreateAccountAssignment``,
``tag:GetResources``), so that what a kind declares to call is what the role needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from controller.aws.fan_out import FanOut, Threads, Work
from controller.aws.known import Call, Known
from controller.clock import Clock
from controller.errors import AwsError, InProgress
from controller.resources.base import Live, Ref

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Here:
    """Where the controller is: what the settings and one look at AWS say, fixed for a run.

    Attributes:
        organization_id: ``o-…``.
        management_account: 12 digits.
        partition: ``aws``, ``aws-cn``, ``aws-us-gov``.
        identity_center_region: The instance's home Region.
        instance: This controller's name, the value of its owner tag.
        member_role: Name of the role assumed in member accounts.
        caller: ARN of the controller's own credentials, as GetCallerIdentity gives it.
    """

    organization_id: str
    management_account: str
    partition: str
    identity_center_region: str
    instance: str
    member_role: str
    caller: str = ""


class Calls(Protocol):
    """One AWS call with credentials, rate limit, retries and counting: what Reader and Writer stand on."""

    clock: Clock

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
        """Call and return AWS's answer without ResponseMetadata.

        Args:
            account: Make the call with the member role in this account; None: with the controller's own credentials.
            region: None: the service's one Region (Organizations, Account, tags: global; Identity Center: its home).
            write: Whether it changes anything; a read-only run refuses it before anything is sent.
            repeatable: Whether sending it twice does no harm. If not, no answer means `UnknownOutcome`, at once.

        Raises:
            AwsError: See `errors`; retries are spent.
            WriteRefused: `write` in a read-only run.
            Stopped: The process was asked to stop.
        """

    def page_token(self, action: str) -> tuple[str, str]:
        """(request member that takes the token, response member that gives it), from botocore's paginators or model."""

    def page_limit(self, action: str) -> dict[str, int]:
        """{request member: the most it takes} of a listing whose model says so; or nothing."""

    def map(self, function: Callable[[T], S], items: Iterable[T]) -> list[S]:
        """`function` over `items` concurrently, results in order; the first error is raised when all have ended."""


class Reader:
    """What may be asked of AWS.

    Args:
        known: Answers of earlier cycles: what is known is not asked. None: everything is.
    """

    def __init__(self, calls: Calls, here: Here, fan_out: FanOut | None = None, known: Known | None = None) -> None:
        self._calls = calls
        self.here = here
        self._fan_out = fan_out or Threads(calls.clock)
        self.known = known
        self._memory: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    @property
    def clock(self) -> Clock:
        return self._calls.clock

    def get(
        self, action: str, /, *, account: str | None = None, region: str | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """One answer. Raises AwsError."""

        def ask() -> tuple[dict[str, Any], int]:
            return self._call(action, account, region, parameters), 1

        answer: dict[str, Any] = self._recalled(Call.of(action, account=account, region=region, **parameters), ask)
        return answer

    def find(
        self, action: str, /, *, absent: str, account: str | None = None, region: str | None = None, **parameters: Any
    ) -> dict[str, Any] | None:
        """One answer, or None where AWS answers with exactly the error code `absent`. Every other error is raised."""

        def ask() -> tuple[dict[str, Any] | None, int]:
            try:
                return self._call(action, account, region, parameters), 1
            except AwsError as error:
                if error.code == absent:
                    return None, 1
                raise

        answer: dict[str, Any] | None = self._recalled(
            Call.of(action, account=account, region=region, **parameters), ask
        )
        return answer

    def items(
        self,
        action: str,
        member: str,
        /,
        *,
        account: str | None = None,
        region: str | None = None,
        slow: bool = False,
        **parameters: Any,
    ) -> Iterator[Any]:
        """Every item of `member` over all pages.

        Goes on while there is a token, whatever the page holds: AWS returns empty pages with a NextToken
        (Organizations API reference, ListAccounts). A token that repeats is an error, not an endless loop.

        Args:
            slow: What is known may be `known.SLOWER` times as old as otherwise.
        """

        def ask() -> tuple[list[Any], int]:
            pages = list(self._pages(action, account, region, parameters))
            return [item for page in pages for item in page.get(member) or ()], len(pages)

        if self.known is not None:
            call = Call.of(action, account=account, region=region, **parameters)
            yield from self._recalled(call, ask, slow=slow)
            return
        for page in self._pages(action, account, region, parameters):
            yield from page.get(member) or ()

    def some(self, action: str, member: str, /, *, most: int, **parameters: Any) -> list[Any] | None:
        """Every item of a listing; None where there are more than `most`, which is found out early."""

        call = Call.of(action, **parameters)
        # That there are too many says nothing of any of them: it is no answer to the question who there is.
        too_many = Call.of(action, more_than=most, **parameters)
        if self.known is not None:
            if (answer := self.known.recall(call)) is not None:
                return answer.value if len(answer.value) <= most else None
            if self.known.recall(too_many) is not None:
                return None
        found: list[Any] = []
        at, pages = self.clock.now(), 0
        for page in self._pages(action, None, None, parameters):
            pages += 1
            found += page.get(member) or ()
            if len(found) > most:
                break
        items: list[Any] | None = found if len(found) <= most else None
        if self.known is not None:
            self.known.learn(too_many if items is None else call, items, at, pages)
        return items

    def _pages(
        self, action: str, account: str | None, region: str | None, parameters: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        asks, gives = self._calls.page_token(action)
        parameters = {**self._calls.page_limit(action), **parameters}
        token: Any = None
        seen: set[Any] = set()
        while True:
            page = self._call(action, account, region, parameters if token is None else {**parameters, asks: token})
            yield page
            token = page.get(gives)
            if not token:
                return
            if token in seen:
                raise AwsError(
                    action, "RepeatedToken", "AWS gave the same page token twice", account=account, region=region
                )
            seen.add(token)

    def chose(self, what: str, ways: Mapping[str, int]) -> None:
        """Note that something can be asked in several ways, and what each costs in calls; the cheapest was taken."""
        if self.known is not None:
            self.known.ways[what] = dict(ways)

    def is_better(self, single: Call, than: Call) -> bool:
        """See `Known.is_better`; without anything known, the question about many was asked just now."""
        return self.known is not None and self.known.is_better(single, than)

    def ask_anew(self, singles: Iterable[Call], than: Call) -> None:
        """A question about many shows something else than expected: what was said of one of them before decides
        nothing."""
        if self.known is not None:
            self.known.forget_older_singles(singles, than)

    def _call(self, action: str, account: str | None, region: str | None, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._calls.call(action, parameters, account=account, region=region, write=False, repeatable=True)

    def _recalled(self, call: Call, ask: Callable[[], tuple[Any, int]], *, slow: bool = False) -> Any:
        """What is known, or what `ask` brings: (answer, calls it took)."""
        if self.known is None:
            return ask()[0]
        if (answer := self.known.recall(call)) is not None:
            return answer.value
        at = self.clock.now()
        value, calls = ask()
        self.known.learn(call, value, at, calls, slow=slow)
        return value

    def map(self, function: Callable[[T], S], items: Iterable[T]) -> list[S]:
        """`function` over `items` concurrently, results in order; the first error is raised when all have ended."""
        return self._calls.map(function, items)

    def fan_out(self, work: Work[S, T], accounts: Mapping[str, Sequence[S]]) -> list[T]:
        """`work` over shards of whole accounts, where the settings' executor says: see `fan_out.FanOut`.

        It asks everything, wherever it runs: what is known of it is for the caller to keep.
        """
        return self._fan_out.run(self.anew(), work, accounts)

    def anew(self) -> Reader:
        """The same view, to which nothing is known."""
        return Reader(self._calls, self.here, self._fan_out)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, the first time it is asked for under `key`; its answer from then on. A Reader lives one cycle."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._memory:
                self._memory[key] = make()
            found: T = self._memory[key]
            return found


class Writer:
    """What may be done to AWS. `reads` is a Reader of its own, so nothing it remembers is older than the plan."""

    def __init__(self, calls: Calls, here: Here, live: Live) -> None:
        self._calls = calls
        self.here = here
        self.reads = Reader(calls, here)
        self._live = live
        self._created: dict[Ref, str] = {}

    @property
    def clock(self) -> Clock:
        return self._calls.clock

    def send(
        self,
        action: str,
        /,
        *,
        account: str | None = None,
        region: str | None = None,
        repeatable: bool = True,
        **parameters: Any,
    ) -> dict[str, Any]:
        """One write.

        Args:
            repeatable: False for creates that AWS cannot de-duplicate: no answer then raises UnknownOutcome at once.
        """
        return self._calls.call(action, parameters, account=account, region=region, write=True, repeatable=repeatable)

    def id_of(self, ref: Ref) -> str:
        """AWS's id of something live or created by this apply.

        Raises:
            KeyError: Neither; its change failed, so whoever asks should have been skipped.
        """
        if ref in self._created:
            return self._created[ref]
        live = self._live.get(ref)
        if live is None or live.id is None:
            raise KeyError(str(ref))
        return live.id

    def created(self, ref: Ref, id: str) -> None:
        """Make a new id known to the changes that come after."""
        self._created[ref] = id

    def wait(
        self,
        poll: Callable[[], T | None],
        *,
        action: str,
        every: float,
        timeout: float,
        slowest: float | None = None,
    ) -> T:
        """Poll until `poll` returns something.

        Args:
            every, timeout: Seconds.
            slowest: The pauses grow by half each time, from `every` to this; None: they stay the same.

        Raises:
            InProgress: Still not done after `timeout`; the next cycle looks again.
        """
        deadline = self.clock.monotonic() + timeout
        while (done := poll()) is None:
            if self.clock.monotonic() >= deadline:
                raise InProgress(action, "InProgress", f"not done after {timeout:.0f} s")
            self.clock.sleep(every)
            every = min(every * 1.5, slowest or every)
        return done
