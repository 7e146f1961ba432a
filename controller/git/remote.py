"""Where commits come from: the URL, the branch, and credentials that are shown to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from controller.errors import InvalidInput, Problem
from controller.git.process import redacted

# What `git check-ref-format --branch` allows, and less: nothing that begins with "-" or means a revision expression.
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[A-Za-z0-9_][A-Za-z0-9_./+@=#-]*(?<![./])")
_HTTPS = re.compile(r"https://(?:[^\s/@]*@)?(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?/\S*")
_SCP = re.compile(r"(?:[A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!/)[^\s-]\S*")
# Fixed text: the secret travels in the environment, so neither `ps` nor the mirror's config ever shows it.
_CREDENTIALS = (
    '!f() { test "$1" = get && echo "username=$ORGCTL_GIT_USER" && echo "password=$ORGCTL_GIT_PASSWORD"; }; f'
)


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


def _judge_url(url: str) -> Iterator[Problem]:
    shown = redacted(url)
    if url.startswith("-") or any(ord(character) < 33 for character in url):
        yield Problem("--repo", 0, 0, f"'{shown}' is not a URL")
        return
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme not in ("https", "ssh", "file") and not (not scheme and "::" not in url and _SCP.fullmatch(url)):
        fix = "Give https://host/path, ssh://git@host/path, git@host:path or file:///path."
        yield Problem("--repo", 0, 0, f"'{shown}' is not an https, ssh or file URL", fix)
    elif scheme == "https" and not _HTTPS.fullmatch(url):
        fix = "Give https://host/path; in a user or password, write / as %2F and @ as %40."
        yield Problem("--repo", 0, 0, f"'{shown}' names no proper host", fix)
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


def _config_by_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment
