"""`orgctl run`: everything the daemon is made of, put together."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from controller import __version__
from controller import log as logs
from controller.aws.connect import Aws, connect
from controller.aws.transport import CallRecord, Observer
from controller.clock import Clock
from controller.config import Settings
from controller.daemon import Daemon, tell_outcome
from controller.desired.load import load
from controller.errors import InvalidInput, Problem, WrongOrganization
from controller.git import Mirror, Remote
from controller.metrics import Metrics
from controller.reconcile import Controller
from controller.resources.registry import KINDS
from controller.revision import Revisions
from controller.schedule import Reason
from controller.status import Board
from controller.store import Store
from controller.web.app import Site, make_app
from controller.web.server import Server, allowed_hosts

log = structlog.get_logger(__name__)

OWN_CALLS = ("sts:GetCallerIdentity", "organizations:DescribeOrganization", "sts:AssumeRole")
"""What the connection itself calls, whatever kinds there are."""


def serve(settings: Settings, *, repo: str, branch: str, path: str) -> int:
    """Reconcile until asked to stop; the exit code.

    Raises:
        InvalidInput: The repository's URL, the branch or a setting cannot be.
        WrongOrganization: The settings name no organization.
    """
    if settings.organization is None:
        raise WrongOrganization(
            "The settings name no organization, and `run` may write. Set `organization: o-…` in orgctl.yaml, "
            "ORGCTL_ORGANIZATION=o-…, or pass --organization o-…. `orgctl plan` needs none."
        )
    logs.configure(settings.log_format)
    remote, clock = Remote(repo, branch), Clock()
    with _alone_in(settings.state_dir):
        store = Store(settings.state_dir / "orgctl.sqlite3", clock)
        board = Board(clock)
        metrics = Metrics((kind.name for kind in KINDS), declared_calls())

        def on_call(record: CallRecord) -> None:
            metrics.on_call(record)
            board.beat()

        def connected(observer: Observer) -> Aws:
            return connect(settings, clock, read_only=False, observer=observer)

        controller = Controller(settings, clock, store, connected, on_call=on_call, progress=tell_outcome)
        revisions = Revisions(
            Mirror(settings.state_dir / "repository.git", remote, clock),
            path,
            lambda files: load(files, now=clock.now()),
            store,
            clock,
            allowed_signers=settings.allowed_signers,
        )
        daemon = Daemon(settings, revisions, controller, store, board, metrics, clock)
        site = Site(
            board,
            metrics,
            store,
            clock,
            lambda: daemon.wanted.want(Reason.SYNC),
            settings.instance,
            settings.api_token.get_secret_value() if settings.api_token else None,
            allowed_hosts(settings.listen),
        )
        server = Server(make_app(site), settings.listen)
        server.start()
        log.info("orgctl runs", version=__version__, repo=remote.url, branch=branch, path=path, serves=server.url)
        try:
            return daemon.run()
        finally:
            server.stop()
            controller.close()
            store.close()


def declared_calls() -> frozenset[str]:
    """Every IAM action that may be called."""
    return frozenset(OWN_CALLS).union(*(kind.reads | kind.writes for kind in KINDS))


@contextmanager
def _alone_in(state_dir: Path) -> Iterator[None]:
    """Two daemons on one state directory would take each other's mirror and approvals away."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("a")
    except OSError as error:
        what = f"state_dir: {state_dir} cannot be written: {error.strerror}"
        raise InvalidInput([Problem("settings", 0, 0, what, "Correct its owner, or choose another.")]) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            what = f"state_dir: another orgctl run uses {state_dir}"
            raise InvalidInput([Problem("settings", 0, 0, what, "Stop it, or give each its own.")]) from error
        yield
