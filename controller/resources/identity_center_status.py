"""Waiting for what Identity Center does later: one listing for all who wait, not a question from each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from controller.aws.api import Reader, Writer
from controller.errors import AsyncFailed, AwsError, InProgress
from controller.resources.identity_center import instance

IN_PROGRESS, SUCCEEDED, FAILED = "IN_PROGRESS", "SUCCEEDED", "FAILED"
PAGE = 100
"""Requests on a page, at most (IAM Identity Center API reference, ListAccountAssignmentCreationStatus, MaxResults)."""
BRIEFEST, LONGEST = 0.1, 5.0
"""Seconds between two looks. All calls to Identity Center share 20 a second, these included (IAM Identity Center User
Guide, quotas), and for as long as nobody looks, a place among the few requests under way may be empty."""
PART = 1 / 10
"""A look as often as this part of the time that the work takes: half of it is what a place is empty on average."""
EARLIEST = 9 / 10
"""No look before the oldest request is this part of the usual time old."""
UNLISTED = 1.0
"""Seconds after which a request should be listed. One that is not is asked after by its id."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something asked for now and done later.

    Attributes:
        action: What asks for it.
        describe: Asks after one request: `id` takes its id, `status` has the answer.
        listing: Gives the newest requests as `statuses`.
        timeout: Seconds.
    """

    action: str
    describe: str
    id: str
    status: str
    listing: str
    statuses: str
    timeout: float

    @property
    def reads(self) -> frozenset[str]:
        """What waiting for it calls."""
        return frozenset({self.describe, self.listing})


def settle(writer: Writer, work: Work, status: dict[str, Any]) -> None:
    """Wait until it has ended, and believe only SUCCEEDED.

    Args:
        status: AWS's answer to the request: ``{"RequestId", "Status", "FailureReason"}``.

    Raises:
        AsyncFailed: AWS says FAILED, with its reason.
        InProgress: Neither, after `Work.timeout`.
        Stopped: The process was asked to stop.
    """
    watch = writer.reads.once(("status", work), lambda: Watch(writer.reads, work))
    last = watch.wait(status)
    if last["Status"] != SUCCEEDED:
        raise AsyncFailed(work.action, last["Status"], last.get("FailureReason", ""))


class Watch:
    """All requests of one kind of work that somebody waits for.

    It has no thread of its own: one of those who wait looks for all of them, and when its own has ended, another.
    """

    def __init__(self, aws: Reader, work: Work) -> None:
        self._aws, self._work = aws, work
        self._changed = threading.Condition()
        self._awaited: dict[str, float] = {}
        """request id → when the wait for it began."""
        self._shown: dict[str, str | None] = {}
        """What the last look was for: request id → status; None: not listed."""
        self._looks = 0
        self._looking = False
        self._looked_at = float("-inf")
        self._usual = 0.0
        """Seconds that requests took of late."""
        self._only_under_way = False
        """Whether to list only what is IN_PROGRESS: the newest do not come first, so the first page says little."""

    def wait(self, status: dict[str, Any]) -> dict[str, Any]:
        """The status with which the request has ended. Raises InProgress."""
        if status["Status"] != IN_PROGRESS:
            return status
        id, began = status["RequestId"], self._aws.clock.monotonic()
        pause, ask_at = BRIEFEST, began + (0 if self._only_under_way else UNLISTED)
        with self._waiting_for(id, began):
            while True:
                shown = self._next_look(id)
                now = self._aws.clock.monotonic()
                if shown == SUCCEEDED:
                    self._learn(now - began)
                    return {"Status": SUCCEEDED}
                # FAILED is listed without its reason, and what is not listed may be too new, too old, or have ended.
                if shown == FAILED or (shown is None and now >= ask_at):
                    found = self._ask(id)
                    if found["Status"] != IN_PROGRESS:
                        self._learn(now - began)
                        return found
                    pause = min(pause * 2, LONGEST)
                    ask_at = now + pause
                if now >= began + self._work.timeout:
                    why = f"not done after {self._work.timeout:.0f} s"
                    raise InProgress(self._work.action, "InProgress", why)

    @contextmanager
    def _waiting_for(self, id: str, began: float) -> Iterator[None]:
        with self._changed:
            self._awaited[id] = began
        try:
            yield
        finally:
            with self._changed:
                del self._awaited[id]

    def _learn(self, took: float) -> None:
        """A straggler says little of the others."""
        with self._changed:
            self._usual += (min(took, 2 * self._usual + 1) - self._usual) * PART

    def _next_look(self, id: str) -> str | None:
        """What the next look shows of it, whoever takes it."""
        with self._changed:
            seen = self._looks
            while self._looking and self._looks == seen:
                self._changed.wait()
            if self._looks != seen:
                return self._shown.get(id, IN_PROGRESS)
            self._looking = True
        shown: dict[str, str | None] | None = None
        try:
            self._aws.clock.sleep(self._pause())
            shown = self._look()
        finally:
            with self._changed:
                self._looking = False
                if shown is not None:
                    self._shown, self._looks = shown, self._looks + 1
                    self._looked_at = self._aws.clock.monotonic()
                self._changed.notify_all()
        return shown[id]

    def _pause(self) -> float:
        """Seconds until a look is worth a call."""
        with self._changed:
            now = self._aws.clock.monotonic()
            oldest, youngest = min(self._awaited.values()), max(self._awaited.values())
            since = max(self._looked_at, oldest)
            pause = max(BRIEFEST, self._usual * PART, (now - youngest) * PART * 2)
            return max(0.0, min(since + LONGEST, max(since + pause, oldest + self._usual * EARLIEST)) - now)

    def _look(self) -> dict[str, str | None]:
        """What the listing says of those awaited; where AWS does not answer it, each is asked after by itself."""
        with self._changed:
            awaited = set(self._awaited)
        found: dict[str, str] = {}
        rows: list[dict[str, Any]] = []
        asked: dict[str, Any] = {"MaxResults": PAGE}
        if self._only_under_way:
            asked["Filter"] = {"Status": IN_PROGRESS}
        try:
            asked["InstanceArn"] = instance(self._aws).arn
            for row in self._aws.items(self._work.listing, self._work.statuses, **asked):
                rows.append(row)
                found[row["RequestId"]] = row["Status"]
                if len(rows) == PAGE or awaited <= found.keys():
                    break
        except AwsError:
            return dict.fromkeys(awaited)
        # In which order they come AWS does not say (API reference, ListAccountAssignmentCreationStatus).
        began = [row["CreatedDate"] for row in rows if "CreatedDate" in row]
        if len(rows) == PAGE and not awaited <= found.keys() and began != sorted(began, reverse=True):
            self._only_under_way = True
        return {id: found.get(id) for id in awaited}

    def _ask(self, id: str) -> dict[str, Any]:
        where = instance(self._aws).arn
        try:
            answer = self._aws.get(self._work.describe, InstanceArn=where, **{self._work.id: id})
        except AwsError as error:
            # Asked within moments of the request, AWS may not know of it yet.
            if error.code != "ResourceNotFoundException":
                raise
            return {"Status": IN_PROGRESS}
        status: dict[str, Any] = answer[self._work.status]
        return status
