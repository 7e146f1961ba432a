"""The repository: a bare mirror fetched with the git CLI, commits read from the object store.

There never is a work tree, so no symlink, submodule, hook or filter of the repository can lead anywhere. git runs
with fixed arguments, no shell, an environment of our own, and is killed when the process is asked to stop.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from controller.clock import Clock
from controller.desired.source import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_TREE_BYTES,
    SUFFIXES,
    Files,
    too_large,
)
from controller.errors import GitError, InvalidInput, Problem, Stopped

T = TypeVar("T")

_FETCHED = "refs/orgctl/fetched"
_IN_FORCE = "refs/orgctl/in-force"
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# What `git check-ref-format --branch` allows, and less: nothing that begins with "-" or means a revision expression.
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[A-Za-z0-9_][A-Za-z0-9_./+@=#-]*(?<![./])")
_SCP = re.compile(r"(?:[A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!/)[^\s-]\S*")
# What git and ssh need of our environment. GIT_DIR and its like would lead elsewhere than the mirror.
_PASSED_ON = (
    *("PATH", "HOME", "USER", "TMPDIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"),
    *("GIT_SSH_COMMAND", "GIT_SSH", "GIT_ASKPASS", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "GIT_CONFIG_GLOBAL"),
    *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"),
)
# Fixed text: the secret travels in the environment, so neither `ps` nor the mirror's config ever shows it.
_CREDENTIALS = (
    '!f() { test "$1" = get && echo "username=$ORGCTL_GIT_USER" && echo "password=$ORGCTL_GIT_PASSWORD"; }; f'
)
_CONFIG = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"),
    # In the foreground, so that nothing of ours outlives us.
    *("-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20"),
)


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


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    oid: str
    size: int
    path: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.path).suffix


class Remote:
    """Where commits come from: a URL without credentials, and the credentials apart."""

    def __init__(self, url: str, branch: str) -> None:
        """
        Raises:
            InvalidInput: Not an https, ssh or file URL, or not a branch's name.
        """
        problems = [*_judge_url(url), *_judge_branch(branch)]
        if problems:
            raise InvalidInput(problems)
        self.branch = branch
        self.url, self.user, self.password = _without_credentials(url)

    def environment(self) -> dict[str, str]:
        """Credentials for git, for this remote's host alone: a redirect to another host gets none."""
        if self.password is None:
            return {}
        parts = urlsplit(self.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return {
            "ORGCTL_GIT_USER": self.user or "",
            "ORGCTL_GIT_PASSWORD": self.password,
            # An empty helper first forgets those of the global config: none may store what is given here.
            **_config_by_environment([("credential.helper", ""), (f"credential.{origin}.helper", _CREDENTIALS)]),
        }


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
        except _TookTooLong:
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
        directory = _directory_in_repository(path)
        return self._healed(lambda: self._read(commit, directory))

    def _read(self, commit: str, directory: str) -> Files:
        # The commit's own tree object first: what then fails is the path, not the mirror.
        self._git("ls-tree", "--name-only", commit)
        if directory and not self._is_directory(commit, directory):
            what = f"commit {commit[:12]} has no directory '{directory}'"
            raise InvalidInput([Problem(directory, 0, 0, what, "Correct --path, or add the directory.")])
        listing = self._git("ls-tree", "-r", "-z", "--long", f"{commit}:{directory}")
        entries, problems = _judge_entries(_entries(listing, directory))
        contents = self._contents([entry.oid for entry in entries])
        files = {entry.path: content for entry, content in zip(entries, contents, strict=True)}
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
        except _TookTooLong:
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
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            self._fetch_into(fresh)
            self._carry_over(fresh)
            shutil.rmtree(self._directory, ignore_errors=True)
            fresh.rename(self._directory)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

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
        arguments: Iterable[str],
        timeout: timedelta,
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> _Run:
        command = ("git", *_CONFIG, f"--git-dir={directory}", "--literal-pathspecs", *arguments)
        return _run(command, {**_environment(), **(environment or {})}, timeout, self._clock, stdin)


class _TookTooLong(GitError):
    """git was ended at its time limit: that says nothing of the mirror."""


@dataclass(frozen=True, slots=True)
class _Run:
    code: int
    output: bytes
    errors: str


def redacted(text: str) -> str:
    """`text` with the credentials of every URL in it left out."""
    return re.sub(r"([a-z][a-z0-9+.-]*://)[^\s/@'\"]*@", r"\1…@", text, flags=re.IGNORECASE)


def _run(
    command: Sequence[str], environment: Mapping[str, str], timeout: timedelta, clock: Clock, stdin: bytes
) -> _Run:
    """Run git to its end, or kill it and all that it started: at `timeout`, or when the clock says stop."""
    try:
        process = subprocess.Popen(  # noqa: S603 fixed arguments, no shell
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A session of its own: no terminal for a password prompt, and one group to kill.
            start_new_session=True,
        )
    except OSError as error:
        raise GitError(f"git cannot be started: {error}. Install git, and see that it is on PATH.") from error
    deadline = clock.monotonic() + timeout.total_seconds()
    waited = 0.0
    while True:
        try:
            output, errors = process.communicate(stdin, timeout=_LOOK_UP)
            return _Run(process.returncode, output, _last_words(errors))
        except subprocess.TimeoutExpired:
            waited += _LOOK_UP
        except BaseException:
            _kill(process)
            raise
        # `waited` as well: a test's clock stands still, and git must end all the same.
        if clock.stop.is_set():
            _kill(process)
            raise Stopped
        if clock.monotonic() > deadline or waited > timeout.total_seconds():
            _kill(process)
            raise _TookTooLong(f"git was ended after {timeout.total_seconds():.0f} s: is the remote reachable?")


_LOOK_UP = 0.25
"""Seconds between two looks at whether the process was asked to stop, while git runs."""


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _last_words(errors: bytes) -> str:
    lines = [line.strip() for line in redacted(errors.decode("utf-8", "replace")).splitlines() if line.strip()]
    return "; ".join(lines[-4:])[:600]


def _environment() -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _config_by_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def _judge_url(url: str) -> Iterator[Problem]:
    shown = redacted(url)
    if url.startswith("-") or any(ord(character) < 33 for character in url):
        yield Problem("--repo", 0, 0, f"'{shown}' is not a URL")
        return
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in ("https", "ssh", "file") and not (not scheme and "::" not in url and _SCP.fullmatch(url)):
        fix = "Give https://host/path, ssh://git@host/path, git@host:path or file:///path."
        yield Problem("--repo", 0, 0, f"'{shown}' is not an https, ssh or file URL", fix)
    elif scheme and re.match(r"[^/]*(?:^|@)-", url.partition("://")[2]):
        yield Problem("--repo", 0, 0, f"the host of '{shown}' begins with '-'")


def _judge_branch(branch: str) -> Iterator[Problem]:
    if not _BRANCH.fullmatch(branch):
        yield Problem("--branch", 0, 0, f"'{branch}' is not a branch's name")


def _without_credentials(url: str) -> tuple[str, str | None, str | None]:
    """(URL, user, password): of https alone, where the user part may itself be a token. An ssh user is no secret."""
    parts = urlsplit(url) if url.startswith("https://") else None
    if parts is None or "@" not in parts.netloc:
        return url, None, None
    userinfo, _, host = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    return parts._replace(netloc=host).geturl(), unquote(user), unquote(password)


def _check_hash(commit: str) -> None:
    if not _HASH.fullmatch(commit):
        raise GitError(f"'{commit}' is not a commit's full hash")


def _directory_in_repository(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path:
        fix = "Give a path from the repository's root, such as desired-state."
        raise InvalidInput([Problem("--path", 0, 0, f"'{path}' leads out of the repository", fix)])
    return "/".join(parts)


def _entries(listing: bytes, directory: str) -> Iterator[_Entry]:
    """``<mode> <type> <oid> <size>\\t<path>``, NUL-terminated (git-ls-tree, OUTPUT FORMAT). Submodules lack a size."""
    for line in listing.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, oid, size = facts.decode("ascii").split()
        name = path.decode("utf-8", "backslashreplace")
        if any(part.startswith(".") for part in name.split("/")):
            continue
        yield _Entry(mode, oid, int(size) if size.isdigit() else 0, f"{directory}/{name}" if directory else name)


def _judge_entries(entries: Iterable[_Entry]) -> tuple[list[_Entry], list[Problem]]:
    """What is to be read, and what is wrong with the rest. Sizes are judged before anything is read."""
    kept: list[_Entry] = []
    problems: list[Problem] = []
    for entry in entries:
        if entry.mode == "160000":
            what, fix = "a submodule: its files would not be read", "Copy them in, or move the submodule away."
        elif entry.mode == "120000" and entry.suffix in ("", *SUFFIXES):  # without a suffix, perhaps to a directory
            what, fix = "a symbolic link: links are not followed", "Put the file itself there."
        elif entry.mode == "120000" or entry.suffix not in SUFFIXES:
            continue
        elif entry.size > MAX_FILE_BYTES:
            what, fix = too_large(entry.size)
        else:
            kept.append(entry)
            continue
        problems.append(Problem(entry.path, 0, 0, what, fix))
    total = sum(entry.size for entry in kept)
    if len(kept) > MAX_FILES or total > MAX_TREE_BYTES:
        what = (
            f"{len(kept):,} files with {total / 2**20:.0f} MiB are more than the {MAX_FILES:,} files and "
            f"{MAX_TREE_BYTES // 2**20} MiB that a desired state may have"
        )
        raise InvalidInput([Problem(kept[0].path, 0, 0, what, "Is this the right directory?")])
    return kept, problems


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
