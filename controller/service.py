"""`orgctl run`: everything the daemon is made of, put together."""

from __future__ import annotations

import structlog

from controller.aws.actions import CONNECT
from controller.aws.connect import connect
from controller.clock import Clock
from controller.config import Settings
from controller.daemon import Daemon, tell_outcome
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.desired.source import Files
from controller.errors import WrongOrganization
from controller.git import Mirror, Remote
from controller.log import configure
from controller.metrics import Metrics
from controller.planning.plan import Plan
from controller.reconcile import Controller
from controller.resources.registry import KINDS
from controller.revision import Revisions
from controller.schedule import Reason
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
    clock = Clock()
    remote = Remote(repo, branch)
    store = Store(settings.state_dir / "orgctl.sqlite3", clock)
    metrics = Metrics([kind.name for kind in KINDS], _actions())
    board = Board(clock)
    controller = Controller(
        settings,
        clock,
        store,
        lambda observer: connect(settings, clock, read_only=False, observer=observer),
        on_call=metrics.on_call,
        planned=_tell_plan,
        progress=tell_outcome,
    )
    revisions = Revisions(
        Mirror(settings.state_dir / "mirror.git", remote, clock),
        path,
        lambda files: _load(files, clock),
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
        store.close()


def _actions() -> list[str]:
    return sorted({action for kind in KINDS for action in (*kind.reads, *kind.writes)} | CONNECT)


def _load(files: Files, clock: Clock) -> Estate:
    return load(files, now=clock.now())


def _tell_plan(plan: Plan) -> None:
    counts = {word: count for word, count in plan.summary().items() if count}
    log.info("cycle planned", plan=plan.plan_id, free=len(plan.free), **counts)
