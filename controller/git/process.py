"""Running git: fixed arguments, an environment of our own, a time limit, and an end when the process is to stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from controller.clock import Clock
from controller.errors import GitError, Stopped

# What git and ssh need of our environment. GIT_DIR and its like would lead elsewhere than the mirror.
_PASSED_ON = (
    *("PATH", "HOME", "USER", "TMPDIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"),
    *("GIT_SSH_COMMAND", "GIT_SSH", "GIT_ASKPASS", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "GIT_CONFIG_GLOBAL"),
    *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"),
)
_CONFIG = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"),
    # In the foreground, so that nothing of ours outlives us.
    *("-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"),
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20"),
)
_LOOK_UP = 0.25
"""Seconds between two looks at whether the process was asked to stop, while git runs."""


class TookTooLong(GitError):
    """git was ended at its time limit: that says nothing of the mirror."""


@dataclass(frozen=True, slots=True)
class Run:
    """How git ended. `errors` are its last words, without credentials."""

    code: int
    output: bytes
    errors: str


def run_git(
    directory: Path,
    arguments: Sequence[str],
    clock: Clock,
    timeout: timedelta,
    *,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Run:
    """Run git on the bare repository `directory` to its end.

    Raises:
        TookTooLong: It was killed, with all that it started, at `timeout`.
        Stopped: It was killed because the process was asked to stop.
        GitError: There is no git to run.
    """
    command = ("git", *_CONFIG, f"--git-dir={directory}", "--literal-pathspecs", *arguments)
    process = _start(command, {**_environment(), **(environment or {})})
    deadline = clock.monotonic() + timeout.total_seconds()
    waited = 0.0
    while True:
        try:
            output, errors = process.communicate(stdin, timeout=_LOOK_UP)
            return Run(process.returncode, output, _last_words(errors))
        except subprocess.TimeoutExpired:
            waited += _LOOK_UP
        except BaseException:
            _kill(process)
            raise
        if clock.stop.is_set():
            _kill(process)
            raise Stopped
        # `waited` as well: a test's clock stands still, and git must end all the same.
        if clock.monotonic() > deadline or waited > timeout.total_seconds():
            _kill(process)
            raise TookTooLong(f"git was ended after {timeout.total_seconds():.0f} s: is the remote reachable?")


def redacted(text: str) -> str:
    """`text` with the credentials of every URL in it left out: all before the last `@`, whatever a password holds."""
    return re.sub(r"([a-z][a-z0-9+.-]*://)[^\s'\"]*@", r"\1…@", text, flags=re.IGNORECASE)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 fixed arguments, no shell
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
