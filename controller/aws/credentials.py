"""Whose credentials sign a call: the controller's own, or the member role's in one account.

One client per service and Region serves every account: its credentials are looked up for each call in a context
variable. Outside of a call there are none, so nothing is ever signed for the wrong account by accident.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from controller.clock import Clock
from controller.errors import CannotConnect

_signing: ContextVar[ReadOnlyCredentials] = ContextVar("orgctl_signing_credentials")

RENEW_BEFORE = timedelta(minutes=10)
"""How long before they expire member credentials are renewed: longer than any one call takes with its retries."""


class _Routed(Credentials):  # type: ignore[misc]  # botocore ships no types
    """Credentials that are whatever the current call signs with. `own` are those that the AWS configuration gives."""

    def __init__(self, own: Credentials | None) -> None:
        super().__init__("per-call", "per-call", method="orgctl")
        self.own = own

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _signing.get()


def route(session: Session) -> Credentials | None:
    """Make every client that is made from the session from now on sign with the current call's credentials.

    Returns:
        The session's own credentials as the AWS configuration gives them, refreshing; None where it has none.

    Raises:
        CannotConnect: The AWS configuration is wrong.
    """
    try:
        found = session.get_credentials()
    except BotoCoreError as error:  # no such profile, a file that cannot be parsed, half of a key
        raise CannotConnect(f"The AWS configuration cannot be used: {error}") from error
    if isinstance(found, _Routed):
        return found.own
    # The one place where a session keeps what it found. To register a provider instead would miss credentials that
    # were given to the session itself, and a member's call would be signed for the management account.
    session._credentials = _Routed(found)
    return found


@contextmanager
def signing_with(credentials: ReadOnlyCredentials) -> Iterator[None]:
    """Calls made within sign with these."""
    token = _signing.set(credentials)
    try:
        yield
    finally:
        _signing.reset(token)


@dataclass(slots=True)
class _Cell:
    """One account's credentials, and the lock under which they are fetched: one AssumeRole at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    credentials: ReadOnlyCredentials | None = None
    expires: datetime | None = None


class MemberCredentials:
    """The member role's credentials by account, kept until shortly before they expire.

    Args:
        assume: account → the ``Credentials`` of AssumeRole's answer. Its errors pass through.
    """

    def __init__(self, assume: Callable[[str], dict[str, Any]], clock: Clock) -> None:
        self._assume = assume
        self._clock = clock
        self._cells: dict[str, _Cell] = {}
        self._guard = threading.Lock()

    def of(self, account: str) -> ReadOnlyCredentials:
        cell = self._cell(account)
        with cell.lock:
            if cell.credentials is None or cell.expires is None or self._clock.now() >= cell.expires - RENEW_BEFORE:
                answer = self._assume(account)
                cell.expires = answer["Expiration"]
                cell.credentials = ReadOnlyCredentials(
                    answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], account
                )
            return cell.credentials

    def forget(self, account: str) -> None:
        """AWS called them expired: fetch new ones next time."""
        cell = self._cell(account)
        with cell.lock:
            cell.credentials = None

    def _cell(self, account: str) -> _Cell:
        with self._guard:
            return self._cells.setdefault(account, _Cell())
