"""A real git repository to push to, for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# A fixed identity and date, and nothing of whoever runs the tests: no global config, no hooks' GIT_DIR.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


@dataclass
class Repository:
    """A repository with a work tree; what the tests commit here is what a mirror fetches."""

    path: Path
    signing_key: Path | None = field(default=None)

    @classmethod
    def create(cls, path: Path) -> Repository:
        path.mkdir()
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main")
        return repository

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["git", "-C", str(self.path), *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    def commit(
        self, files: Mapping[str, str | bytes | None] | None = None, subject: str = "Change", sign: bool = False
    ) -> str:
        """Commit these files (None: removed) beside what is there; the new commit's hash."""
        for name, content in (files or {}).items():
            file = self.path / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        return self.record(subject, sign=sign)

    def record(self, subject: str, sign: bool = False) -> str:
        """Commit what is in the index."""
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.signing_key}") if sign else ()
        self.git(*signing, "commit", "--quiet", "--allow-empty", *(["-S"] if sign else []), "-m", subject)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def rewind(self, commits: int = 1) -> None:
        """Drop the newest commits, as before a force-push."""
        self.git("reset", "--quiet", "--hard", f"HEAD~{commits}")

    def make_key(self, path: Path, signer: str = "ada@example.com") -> Path:
        """A new signing key, used from now on; the allowed-signers file that lists it."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        self.signing_key = path
        kind, key, *_ = path.with_suffix(".pub").read_text().split()
        allowed = path.with_suffix(".allowed")
        allowed.write_text(f"{signer} {kind} {key}\n")
        return allowed
