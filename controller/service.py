"""`orgctl run`: everything the daemon is made of, put together."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from controller.aws.actions import CONNECT
from controller.aws.connect import connect
from controller.aws.known import Known
from controller.aws.transport import CallRecord
from controller.clock import Clock
from controller.config import Settings
from controller.daemon import Daemon, tell_outcome
from controller.desired.load import load
from controller.errors import InvalidInput, Problem, WrongOrganization
from controller.git.mirror import Mirror
from controller.git.remote import Remote
from controller.log import configure
from controller.metrics import Metrics
from controller.planning.plan import Plan
from controller.reconcile import Controller
from controller.resources.registry import KINDS
from controller.revision import Revisions
from controller.schedule import Reason
from controller.shelf import Shelf
from controller.status import Board
from controller.store import Store
from controller.web.app import Site, make_app
from controller.web.server import Server, allowed_hosts

log = structlog.get_logger(__name__)


def serve(settings: Settings, *, repo: str, branch: str, path: str) -> int:
    """Reconcile until asked to stop; the exit code.

    Raises:
        InvalidInput: The repository's URL, the branch or a setting cannot be.
        WrongOrganization: The settings name no organization.
    """
    configure(settings.log_format)
    if settings.organization is None:
        raise WrongOrganization(
            "The settings name no organization, so the daemon would never write. "
            "Set `organization: o-…` in orgctl.yaml, ORGCTL_ORGANIZATION, or pass --organization."
        )
    remote = Remote(repo, branch)
    with _alone_in(settings.state_dir):
        return _serve(settings, remote, path)


def _serve(settings: Settings, remote: Remote, path: str) -> int:
    clock = Clock()
    store = Store(settings.state_dir / "orgctl.sqlite3", clock)
    shelf = Shelf(settings.state_dir / "known.sqlite3", settings)
    metrics = Metrics([kind.name for kind in KINDS], _actions())
    board = Board(clock)

    def on_call(record: CallRecord) -> None:
        metrics.on_call(record)
        # An apply may take hours (accounts are created one at a time): as long as AWS is called, the loop is not stuck.
        board.beat()

    controller = Controller(
        settings,
        clock,
        store,
        lambda observer: connect(settings, clock, read_only=False, observer=observer),
        known=Known(shelf),
        on_call=on_call,
        planned=_tell_plan,
        progress=tell_outcome,
    )
    revisions = Revisions(
        Mirror(settings.state_dir / "mirror.git", remote, clock),
        path,
        lambda files: load(files, now=clock.now(), limits=settings.policy_limits),
        store,
        clock,
        allowed_signers=settings.allowed_signers,
    )
    daemon = Daemon(settings, revisions, controller, store, board, metrics, clock)
    token = settings.api_token.get_secret_value() if settings.api_token else None
    site = Site(
        board=board,
        metrics=metrics,
        store=store,
        clock=clock,
        sync=lambda: daemon.wanted.want(Reason.SYNC),
        decided=lambda: daemon.wanted.want(Reason.DECIDED),
        instance=settings.instance,
        token=token,
        hosts=allowed_hosts(settings.listen),
    )
    server = Server(make_app(site), settings.listen)
    server.start()
    log.info(
        "started", instance=settings.instance, organization=settings.organization, mode=settings.mode, web=server.url
    )
    try:
        return daemon.run()
    finally:
        server.stop()
        controller.close()
        shelf.close()
        store.close()


@contextmanager
def _alone_in(state_dir: Path) -> Iterator[None]:
    """Two daemons on one state directory would take each other's mirror away. The lock ends with the process."""
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


def _actions() -> list[str]:
    return sorted({action for kind in KINDS for action in (*kind.reads, *kind.writes)} | CONNECT)


def _tell_plan(plan: Plan) -> None:
    counts = {word: count for word, count in plan.summary().items() if count}
    log.info("cycle planned", plan=plan.plan_id, free=len(plan.free), **counts)
