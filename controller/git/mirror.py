"""A bare mirror of one branch."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from controller.clock import Clock
from controller.desired.source import Files
from controller.errors import GitError, InvalidInput, Problem
from controller.git.process import Run, TookTooLong, run_git
from controller.git.remote import Remote
from controller.git.tree import directory_in_repository, entries, judge

T = TypeVar("T")

_FETCHED = "refs/orgctl/fetched"
_IN_FORCE = "refs/orgctl/in-force"
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_VERDICTS = {
    "N": "it is not signed",
    "U": "it is signed with a key that the allowed signers do not list",
    "B": "its signature does not match its content",
    "X": "its signature has expired",
    "Y": "it is signed with an expired key",
    "R": "it is signed with a revoked key",
    "E": "its signature cannot be checked",
}
"""By git's %G? (git-log, "PRETTY FORMATS")."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the desired state's repository."""

    hash: str
    author: str
    email: str
    time: datetime
    subject: str

    @property
    def short(self) -> str:
        return self.hash[:12]


class Mirror:
    """A bare mirror of one branch. One thread uses it at a time."""

    def __init__(
        self,
        directory: Path,
        remote: Remote,
        clock: Clock,
        *,
        fetch_timeout: timedelta = timedelta(seconds=60),
        read_timeout: timedelta = timedelta(seconds=30),
    ) -> None:
        self.remote = remote
        self._directory = directory.absolute()
        self._clock = clock
        self._fetch_timeout, self._read_timeout = fetch_timeout, read_timeout

    def fetch(self) -> Commit:
        """Fetch the branch and return its head.

        Raises:
            GitError: The remote cannot be reached, has no such branch, or is empty. What was fetched before stays.
        """
        try:
            self._fetch_into(self._directory)
            return self.commit(_FETCHED)
        except TookTooLong:
            raise
        except GitError:
            # If the remote has the branch, the fault is the mirror's: damage, or the lock of a git that was killed.
            if not (self._exists and self._remote_has_it()):
                raise
            self._renew()
            return self.commit(_FETCHED)

    def commit(self, revision: str) -> Commit:
        """One commit by its hash. Raises GitError where the mirror lacks it."""
        if revision != _FETCHED:
            _check_hash(revision)
        shown = self._git("log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%ae%x00%ct%x00%s", revision, "--")
        commit_hash, author, email, seconds, subject = shown.decode("utf-8", "replace").rstrip("\n").split("\0", 4)
        return Commit(commit_hash, author, email, datetime.fromtimestamp(int(seconds), UTC), subject)

    def has(self, commit: str) -> bool:
        """Whether the mirror holds this commit."""
        _check_hash(commit)
        return self._exists and self._code("cat-file", "-e", f"{commit}^{{commit}}") == 0

    def descends(self, new: str, old: str) -> bool:
        """Whether `old` is `new` or one of its ancestors. False where the mirror holds `old` no more."""
        _check_hash(new)
        return self.has(old) and self._code("merge-base", "--is-ancestor", old, new) == 0

    def hold(self, commit: str) -> None:
        """Keep this commit whatever the remote does: neither a force-push nor garbage collection takes it away."""
        _check_hash(commit)
        self._healed(lambda: self._git("update-ref", "--no-deref", _IN_FORCE, commit))

    def verify(self, commit: str, allowed_signers: Path) -> str | None:
        """Why the commit carries no good SSH signature of an allowed signer, or None where it does."""
        _check_hash(commit)
        if not allowed_signers.is_file():
            return f"the settings' allowed_signers, {allowed_signers}, is not a file"
        trust = (
            *("-c", f"gpg.ssh.allowedSignersFile={allowed_signers.absolute()}", "-c", "gpg.ssh.program=ssh-keygen"),
            # Only that file says who may sign: whom a GnuPG keyring trusts is another question.
            *("-c", "gpg.program=false", "-c", "gpg.openpgp.program=false", "-c", "gpg.x509.program=false"),
        )
        code = self._code(*trust, "verify-commit", commit)
        shown = self._git(*trust, "log", "-1", "--no-show-signature", "--format=%G?%x00%GS", commit, "--").decode()
        verdict, _, signer = shown.strip("\n").partition("\0")
        if code == 0 and verdict == "G":
            return None
        return _VERDICTS.get(verdict, "its signature is not good") + (f" (signed by {signer})" if signer else "")

    def read(self, commit: str, path: str) -> Files:
        """The desired state below `path`.

        Raises:
            InvalidInput: The commit has no such directory, or more than can be read.
            GitError: The mirror is damaged and could not be made anew.
        """
        _check_hash(commit)
        directory = directory_in_repository(path)
        return self._healed(lambda: self._read(commit, directory))

    def _read(self, commit: str, directory: str) -> Files:
        # The commit's own tree object first: what then fails is the path, not the mirror.
        self._git("ls-tree", "--name-only", commit)
        if directory and not self._is_directory(commit, directory):
            what = f"commit {commit[:12]} has no directory '{directory}'"
            raise InvalidInput([Problem(directory, 0, 0, what, "Correct --path, or add the directory.")])
        listing = self._git("ls-tree", "-r", "-z", "--long", f"{commit}:{directory}")
        kept, problems = judge(entries(listing, directory))
        contents = self._contents([entry.oid for entry in kept])
        files = {entry.path: content for entry, content in zip(kept, contents, strict=True)}
        return Files(files, tuple(problems), commit)

    def _is_directory(self, commit: str, directory: str) -> bool:
        return self._code("rev-parse", "--quiet", "--verify", f"{commit}:{directory}/") == 0

    def _contents(self, oids: Sequence[str]) -> Iterator[bytes]:
        answer = self._git("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode())
        at = 0
        for oid in oids:
            end = answer.index(b"\n", at)
            header = answer[at:end].decode("ascii", "replace").split(" ")
            if len(header) != 3 or header[1] != "blob":
                raise GitError(f"the mirror lacks object {oid[:12]}")
            start, size = end + 1, int(header[2])
            yield answer[start : start + size]
            at = start + size + 1

    def _fetch_into(self, directory: Path) -> None:
        if not (directory / "HEAD").exists():
            directory.mkdir(parents=True, exist_ok=True)
            self._run(directory, ("init", "--bare", "--quiet", str(directory)), self._read_timeout)
        refspec = f"+refs/heads/{self.remote.branch}:{_FETCHED}"
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        run = self._run(
            directory,
            ("fetch", *options, "--", self.remote.url, refspec),
            self._fetch_timeout,
            environment=self.remote.environment(),
        )
        if run.code:
            raise GitError(self._why_fetch_failed(run.errors))

    def _why_fetch_failed(self, errors: str) -> str:
        if "couldn't find remote ref" in errors:
            return (
                f"{self.remote.url} has no branch '{self.remote.branch}' (or is empty). Push it, or correct --branch."
            )
        return f"cannot fetch '{self.remote.branch}' from {self.remote.url}: {errors or 'git gave no reason'}"

    def _healed(self, operation: Callable[[], T]) -> T:
        """`operation`; where it fails, once more on a new mirror, if the remote lets us make one."""
        try:
            return operation()
        except TookTooLong:
            raise
        except GitError as error:
            try:
                self._renew()
            except GitError:
                raise error from None
            return operation()

    @property
    def _exists(self) -> bool:
        return (self._directory / "HEAD").exists()

    def _remote_has_it(self) -> bool:
        ask = ("ls-remote", "--exit-code", "--quiet", "--", self.remote.url, f"refs/heads/{self.remote.branch}")
        try:
            run = self._run(self._directory, ask, self._read_timeout, environment=self.remote.environment())
        except GitError:
            return False
        return run.code == 0

    def _renew(self) -> None:
        """Clone beside the damaged mirror and take its place: what is there stays until the new one is whole."""
        fresh = self._directory.with_name(self._directory.name + ".new")
        old = self._directory.with_name(self._directory.name + ".old")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        try:
            self._fetch_into(fresh)
            self._carry_over(fresh)
            if self._directory.exists():
                self._directory.rename(old)
            fresh.rename(self._directory)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)

    def _carry_over(self, fresh: Path) -> None:
        """The commit in force: after a force-push this mirror has the only copy, and it may well be undamaged."""
        into = f"+{_IN_FORCE}:{_IN_FORCE}"
        here = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", f"file://{self._directory}", into)
        if self._run(fresh, here, self._read_timeout).code == 0:
            return
        known = (self._directory / _IN_FORCE).read_text().strip() if (self._directory / _IN_FORCE).is_file() else ""
        if _HASH.fullmatch(known):
            # Fails where the branch does not have it either: then it is lost, and the next head must be accepted.
            self._run(fresh, ("update-ref", "--no-deref", _IN_FORCE, known), self._read_timeout)

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        run = self._run(self._directory, arguments, self._read_timeout, stdin=stdin)
        if run.code:
            command = next(argument for argument in arguments if not argument.startswith("-") and "=" not in argument)
            raise GitError(f"git {command} failed: {run.errors or f'exit code {run.code}'}")
        return run.output

    def _code(self, *arguments: str) -> int:
        return self._run(self._directory, arguments, self._read_timeout).code

    def _run(
        self,
        directory: Path,
        arguments: Sequence[str],
        timeout: timedelta,
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        return run_git(directory, arguments, self._clock, timeout, stdin=stdin, environment=environment)


def _check_hash(commit: str) -> None:
    if not _HASH.fullmatch(commit):
        raise GitError(f"'{commit}' is not a commit's full hash")
