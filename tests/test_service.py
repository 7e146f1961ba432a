"""`orgctl run` before it runs: what it refuses."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from controller.config import Settings
from controller.errors import InvalidInput, WrongOrganization
from controller.service import serve

URL = "file:///srv/estate.git"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def settings(state_dir: Path, **more: str) -> Settings:
    return Settings(organization="o-abcdefghij", state_dir=state_dir, **more)  # type: ignore[arg-type]  # strings


def test_without_an_organization_in_the_settings_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(WrongOrganization, match="name no organization"):
        serve(Settings(organization=None, state_dir=tmp_path), repo=URL, branch="main", path="state")


def test_a_url_it_would_not_fetch_from_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--repo"):
        serve(settings(tmp_path), repo="http://git.example.com/estate", branch="main", path="state")


def test_two_daemons_do_not_share_a_state_directory(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InvalidInput, match="another orgctl run uses"):
            serve(settings(tmp_path), repo=URL, branch="main", path="state")


def test_a_state_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written"):
        serve(settings(tmp_path / "file" / "state"), repo=URL, branch="main", path="state")


def test_an_address_that_is_none_is_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not host:port"):
        serve(settings(tmp_path, listen="nowhere"), repo=URL, branch="main", path="state")
