"""Which commit is in force: the newest one that is good, and until then the last that was (safety rule 3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog

from controller.clock import Clock
from controller.desired.estate import Estate
from controller.desired.source import Files
from controller.errors import GitError, InvalidInput, Problem
from controller.git.mirror import Commit

log = structlog.get_logger(__name__)

IN_FORCE = "commit in force"
HELD = "commit held"
REFUSED = "commit refused"
ACCEPTED = "commit accepted"
"""Keys of the store's facts."""
ACCEPTANCE_LASTS = timedelta(hours=24)
SHORTEST_ID = 7
"""Digits of a commit's hash that a person must give: git's own abbreviation."""
_SHOWN = 20
"""Problems of one commit that go into the log; the status page shows them all."""


class Facts(Protocol):
    """The part of the store that is needed here."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str) -> None: ...


class History(Protocol):
    """The part of the mirror that is needed here; see `git.mirror.Mirror`."""

    def fetch(self) -> Commit: ...

    def commit(self, revision: str) -> Commit: ...

    def has(self, commit: str) -> bool: ...

    def descends(self, new: str, old: str) -> bool: ...

    def hold(self, commit: str) -> None: ...

    def verify(self, commit: str, allowed_signers: Path) -> str | None: ...

    def read(self, commit: str, path: str) -> Files: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How git and what is in force stand to each other.

    Attributes:
        head: The branch's head as last fetched.
        warnings: Doubts about the commit in force.
        refused: Why the head is not in force: it is bad, and these are its problems.
        held: Why the head is not in force though it may be good: a person decides.
        fetch_error: Why git could not be asked the last time; "" when it could.
        fetched: When git last answered.
    """

    in_force: Commit | None = None
    head: Commit | None = None
    warnings: tuple[Problem, ...] = ()
    refused: tuple[Problem, ...] = ()
    held: str = ""
    fetch_error: str = ""
    fetched: datetime | None = None


class Revisions:
    """Follows one branch and says what is in force."""

    def __init__(
        self,
        mirror: History,
        path: str,
        load: Callable[[Files], Estate],
        facts: Facts,
        clock: Clock,
        *,
        allowed_signers: Path | None = None,
    ) -> None:
        self._mirror, self._path, self._load = mirror, path, load
        self._facts, self._clock = facts, clock
        self._allowed_signers = allowed_signers
        self._files: Files | None = None
        self.standing = Standing()

    def recall(self) -> None:
        """After a restart: what was in force still is, whether or not git answers."""
        known = self._facts.get(IN_FORCE)
        if not known:
            return
        try:
            in_force = self._mirror.commit(known)
        except GitError as error:
            # The mirror was lost. A person must accept the next head: whether it descends from this one is unknown.
            log.warning("the commit in force is not in the mirror", commit=known, error=str(error))
            return
        self.standing = replace(self.standing, in_force=in_force)
        log.info("commit still in force", commit=known, subject=in_force.subject)

    def poll(self) -> Standing:
        """Ask git, judge the branch's head, and put it in force where it is good."""
        before = self.standing
        try:
            head = self._mirror.fetch()
            self.standing = replace(before, head=head, fetch_error="", fetched=self._clock.now())
            # Nothing new: the head is in force, and was judged by this process already.
            if not before.head == before.in_force == head:
                self.standing = replace(self.standing, refused=(), held="")
                if self.standing.in_force is None:
                    self.recall()  # the mirror was made anew, and may have it again
                self._judge(head)
        except (GitError, OSError) as error:  # OSError: the state directory is full, or cannot be written
            self.standing = replace(before, fetch_error=str(error))
        self._tell(before)
        return self.standing

    def estate(self) -> Estate | None:
        """What the commit in force says, read afresh: the end of an `until` needs no new commit. None: none in force.

        Raises:
            InvalidInput: It was good once, but this version of orgctl (or another --path) reads it otherwise.
            GitError: The mirror has lost it.
        """
        in_force = self.standing.in_force
        if in_force is None:
            return None
        if self._files is None or self._files.commit != in_force.hash:
            self._files = self._mirror.read(in_force.hash, self._path)
        estate = self._load(self._files)
        self.standing = replace(self.standing, warnings=estate.warnings)
        return estate

    def _judge(self, head: Commit) -> None:
        known = self._facts.get(IN_FORCE)
        # A head that is in force is judged as well: after a restart the settings may ask for signatures.
        problems = self._problems(head)
        if problems:
            told = [str(problem) for problem in problems[:_SHOWN]]
            self._facts.set(REFUSED, json.dumps({"commit": head.hash, "problems": told}))
            self._facts.set(HELD, "")  # if another was held, it is no longer the head
            self.standing = replace(self.standing, refused=problems)
            return
        self._facts.set(REFUSED, "")
        if known and not self._mirror.descends(head.hash, known) and not self._is_accepted(head):
            self._facts.set(HELD, head.hash)
            self.standing = replace(self.standing, held=_why_held(head, known))
        else:
            self._put_in_force(head)

    def _problems(self, head: Commit) -> tuple[Problem, ...]:
        if self._allowed_signers is not None and (why := self._mirror.verify(head.hash, self._allowed_signers)):
            fix = "Sign it with a key that allowed_signers lists (git commit --amend -S), and push."
            return (Problem(f"commit {head.short}", 0, 0, why, fix),)
        try:
            files = self._mirror.read(head.hash, self._path)
            self._load(files)
        except InvalidInput as error:
            return error.problems
        self._files = files
        return ()

    def _put_in_force(self, head: Commit) -> None:
        # The ref before the fact: the hash that is remembered never lacks its objects.
        self._mirror.hold(head.hash)
        self._facts.set(IN_FORCE, head.hash)
        self._facts.set(HELD, "")
        self._facts.set(ACCEPTED, "")
        self.standing = replace(self.standing, in_force=head)

    def _is_accepted(self, head: Commit) -> bool:
        accepted = json.loads(self._facts.get(ACCEPTED) or "{}")
        if accepted.get("commit") != head.hash:
            return False
        given = datetime.fromisoformat(accepted["at"])
        return given <= self._clock.now() < given + ACCEPTANCE_LASTS

    def _tell(self, before: Standing) -> None:
        """Log what is new, once."""
        now = self.standing
        if now.fetch_error and now.fetch_error != before.fetch_error:
            log.error("git cannot be asked; what is in force stays", error=now.fetch_error)
        if before.fetch_error and not now.fetch_error:
            log.info("git answers again")
        if now.head is None:
            return
        facts = {"commit": now.head.hash, "author": now.head.author, "subject": now.head.subject}
        if now.in_force != before.in_force:
            log.info("commit in force", **facts)
        elif before.head == now.head and (before.refused, before.held) == (now.refused, now.held):
            return
        elif now.refused:
            problems = [str(problem) for problem in now.refused[:_SHOWN]]
            log.error(
                "bad commit; the last good one stays in force", **facts, problems=problems, count=len(now.refused)
            )
        elif now.held:
            log.error("commit held; the last good one stays in force", **facts, why=now.held)


def remembered(facts: Facts) -> dict[str, Any]:
    """The commit in force, and the newer one that is not: what `orgctl status` tells, also while no daemon runs."""
    return {
        "commit": facts.get(IN_FORCE) or None,
        "bad_commit": json.loads(facts.get(REFUSED) or "null"),
        "held_commit": facts.get(HELD) or None,
    }


def accept(facts: Facts, clock: Clock, commit_id: str, author: str) -> str | None:
    """Let the held commit come into force, within 24 hours.

    Args:
        commit_id: Its hash, or how it begins.

    Returns:
        The commit's hash; None where no commit is held that `commit_id` means.
    """
    held = facts.get(HELD)
    if not held or len(commit_id) < SHORTEST_ID or not held.startswith(commit_id.lower()):
        return None
    facts.set(ACCEPTED, json.dumps({"commit": held, "author": author, "at": clock.now().isoformat()}))
    log.info("commit accepted", commit=held, author=author)
    return held


def _why_held(head: Commit, known: str) -> str:
    return (
        f"commit {head.short} does not descend from {known[:12]}, the commit in force: the branch was rewritten, or is "
        f"another one. If meant: orgctl approve {head.short}"
    )
