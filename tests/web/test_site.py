"""The site over real HTTP: what it shows, to whom, and what it refuses."""

from __future__ import annotations

import html
import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from controller.errors import InvalidInput, Problem
from controller.git.mirror import Commit
from controller.metrics import Metrics
from controller.planning.guard import Pause
from controller.planning.plan import ORPHANED, Bystander
from controller.report import CycleResult, Outcome, Report, Result
from controller.resources.base import Action, Incomplete
from controller.revision import ACCEPTED, HELD, Standing
from controller.status import STUCK_AFTER, Board, LastCycle
from controller.store import Store
from controller.web.app import Site, make_app
from controller.web.page import ago
from controller.web.server import Server, allowed_hosts, parse_listen
from controller.web.shield import BODY_LIMIT
from tests.clocks import StillClock
from tests.reports import NOW, change, report

TOKEN = {"authorization": "Bearer correct horse"}
COMMIT = Commit("c" * 40, "Ada <b>Lovelace</b>", "ada@example.com", NOW, "Lock the Regions <script>alert(1)</script>")
HEAD = Commit("d" * 40, "Bob", "bob@example.com", NOW, "Just a small fix")


class Web:
    """A running site, and everything behind it."""

    def __init__(self, *, token: str | None = "correct horse") -> None:
        self.clock = StillClock(NOW)
        self.board = Board(self.clock)
        self.store = Store(":memory:", self.clock)
        self.syncs = 0
        site = Site(
            self.board, Metrics(["organizational_unit"], []), self.store, self.clock, self._sync, self._sync, "main",
            token, allowed_hosts("127.0.0.1:0"),
        )  # fmt: skip
        self.server = Server(make_app(site), "127.0.0.1:0")
        self.server.start()
        self.client = httpx.Client(base_url=self.server.url, timeout=30)

    def _sync(self) -> None:
        self.syncs += 1

    def stop(self) -> None:
        self.client.close()
        self.server.stop()
        self.store.close()

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def post(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.client.post(path, json=body, headers=TOKEN if headers is None else headers)

    def show(self, made: Report, **more: object) -> None:
        """As after a cycle."""
        self.store.remember_holds(made.plan)
        self.store.remember_cycle(made)
        cycle = LastCycle(NOW, 2.5, made.result)
        standing = Standing(COMMIT, COMMIT, fetched=NOW)
        self.board.show(
            **{"cycle": cycle, "report": made, "standing": standing, "ready": True, "last_good": NOW, **more}
        )


@pytest.fixture(scope="module")
def shared() -> Iterator[Web]:
    web = Web()
    yield web
    web.stop()


@pytest.fixture
def web(shared: Web) -> Web:
    """One server for all tests; each begins with an empty board and store."""
    shared.clock.at, shared.clock.seconds = NOW, 1000.0
    shared.board.status = Board(shared.clock).status
    shared.board.beat()
    for (table,) in shared.store._all("select name from sqlite_master where type = 'table'"):
        shared.store._run(f"delete from {table}")
    shared.syncs = 0
    return shared


HELD_CHANGE = change(
    "/Old", Action.DELETE, blocked="6 of 12 would go. orgctl approve abc123def456", hold="abc123def456"
)
FAILED = Outcome(change("/Workloads"), Result.FAILED, "AccessDeniedException from organizations:TagResource")


def busy() -> Report:
    """A cycle with something of everything."""
    made = report(
        Outcome(HELD_CHANGE, Result.HELD, "6 of 12 would go"),
        FAILED,
        commit=COMMIT.hash,
        in_sync=7,
        fingerprints={HELD_CHANGE.id: "f" * 12},
        bystanders=(Bystander("organizational_unit", "/Theirs"),),
        incomplete=(Incomplete("permission_set", "AccessDeniedException from sso:ListInstances"),),
    )
    return replace(made)


# Health


def test_it_is_alive_before_anything_was_observed_and_not_ready(web: Web) -> None:
    assert web.get("/healthz").status_code == 200
    assert web.get("/readyz").status_code == 503


def test_it_is_ready_once_everything_was_observed(web: Web) -> None:
    web.show(report())
    assert web.get("/readyz").status_code == 200


def test_only_a_stuck_loop_makes_it_unhealthy(web: Web) -> None:
    standing = Standing(COMMIT, HEAD, fetch_error="no route to host")
    web.show(report(), standing=standing, cycle=LastCycle(NOW, 1.0, CycleResult.ERROR, "AWS is away"))
    assert web.get("/healthz").status_code == 200

    web.clock.move(timedelta(seconds=STUCK_AFTER + 1))
    assert web.get("/healthz").status_code == 503


def test_metrics_are_served_as_prometheus_reads_them(web: Web) -> None:
    answer = web.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'orgctl_resources{kind="organizational_unit",state="in_sync"}' in answer.text


# The page


def test_the_page_is_there_before_the_first_cycle(web: Web) -> None:
    page = web.get("/")

    assert page.status_code == 200
    assert "No cycle has ended yet" in page.text


def test_the_page_shows_what_is_in_force_held_failed_and_not_seen(web: Web) -> None:
    web.store.pause(Pause(NOW + timedelta(hours=2), "Migration", "Ada", "permission_set"))
    web.show(busy())

    page = web.get("/").text

    for shown in (
        "cccccccccccc",
        "Lock the Regions",
        "orgctl approve abc123def456",
        "AccessDeniedException from organizations:TagResource",
        "AccessDeniedException from sso:ListInstances",
        "Migration",
        "incomplete",
        "/Theirs",
    ):
        assert shown in page, shown


def test_the_page_shows_a_bad_commit_with_its_problems(web: Web) -> None:
    problems = (Problem("state/a.yaml", 2, 1, "there is no field 'unitz'", "Did you mean 'units'?"),)
    web.show(report(), standing=Standing(COMMIT, HEAD, refused=problems))

    page = web.get("/").text

    assert "Bad commit dddddddddddd" in page
    assert "state/a.yaml:2:1: there is no field &#39;unitz&#39;" in page
    assert "A newer commit is not in force" in page
    assert '<header class="held">' in page  # converged, but not with what was pushed: not green


def test_before_any_good_commit_the_page_does_not_speak_of_a_last_one(web: Web) -> None:
    web.board.show(standing=Standing(None, HEAD, refused=(Problem("a.yaml", 1, 1, "it is empty"),)))

    assert "no commit is in force yet" in web.get("/").text


def test_the_page_shows_a_held_commit_with_the_command(web: Web) -> None:
    web.show(report(), standing=Standing(COMMIT, HEAD, held="it does not descend"))

    assert '<pre class="command">orgctl approve dddddddddddd</pre>' in web.get("/").text


def test_the_page_shows_an_error_and_a_silent_git(web: Web) -> None:
    failed = LastCycle(NOW, 1.0, CycleResult.ERROR, "Unreachable from organizations:ListRoots")
    web.show(report(), cycle=failed, standing=Standing(COMMIT, COMMIT, fetch_error="no route to host"))

    page = web.get("/").text
    assert "Unreachable from organizations:ListRoots" in page
    assert "no route to host" in page


def test_nothing_that_others_wrote_becomes_markup(web: Web) -> None:
    web.show(busy())

    page = web.get("/").text
    assert "<script" not in page
    assert "<b>Lovelace" not in page
    assert "&lt;script&gt;" in page


def test_the_page_loads_nothing_from_elsewhere(web: Web) -> None:
    page = web.get("/")

    assert re.findall(r'(?:src|href)="([^/"][^"]*|//[^"]*)"', page.text) == []
    assert "default-src 'none'" in page.headers["content-security-policy"]
    style = web.get("/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


def test_nobodys_contact_data_is_shown_anywhere(web: Web) -> None:
    web.show(busy())

    for path in ("/", "/api/status", "/api/plan", "/api/history", "/metrics"):
        text = web.get(path).text
        assert "555 0100" not in text, path
        assert "ada@example.com" not in text, path


@pytest.mark.parametrize(
    ("moment", "told"),
    [(0, "now"), (-59, "59 s ago"), (-60, "1 min ago"), (-7200, "2 h ago"), (-86400 * 3, "3 d ago"), (90, "in 1 min")],
)
def test_times_are_told_as_people_tell_them(moment: int, told: str) -> None:
    assert ago(NOW + timedelta(seconds=moment), NOW) == told


# The API


def test_the_status_says_everything_in_one_answer(web: Web) -> None:
    web.show(busy())

    status = web.get("/api/status").json()

    assert status["organization"] == "o-abcdefghij"
    assert (status["commit"]["hash"], status["commit"]["author"]) == (COMMIT.hash, COMMIT.author)
    assert status["cycle"] == {
        "started": "2026-01-02T03:04:05+00:00", "seconds": 2.5, "result": "incomplete", "error": None
    }  # fmt: skip
    assert status["holds"][0]["approve"] == "orgctl approve abc123def456"
    assert status["incomplete"] == [
        {"what": "permission_set", "why": "AccessDeniedException from sso:ListInstances"},
    ]
    assert status["resources"]["organizational_unit"] == {
        "in_sync": 7, "drifted": 0, "unmanaged": 1, "orphaned": 0, "failed": 1, "blocked": 1
    }  # fmt: skip


def test_the_status_of_a_daemon_that_just_started_says_so(web: Web) -> None:
    status = web.get("/api/status").json()

    assert (status["ready"], status["commit"], status["cycle"]) == (False, None, None)


def test_the_last_plan_is_given_as_the_command_line_gives_it(web: Web) -> None:
    assert web.get("/api/plan").status_code == 404
    web.show(busy())

    plan = web.get("/api/plan").json()
    assert plan["commit"] == COMMIT.hash
    assert [planned["action"] for planned in plan["changes"]] == ["delete", "update"]


def test_history_is_newest_first_and_limited(web: Web) -> None:
    for _ in range(3):
        web.show(report())

    assert len(web.get("/api/history").json()) == 3
    assert len(web.get("/api/history?limit=2").json()) == 2


@pytest.mark.parametrize("limit", ["0", "-1", "x", "501", "9" * 400, "1.5", "²"])
def test_a_nonsensical_limit_is_refused(web: Web, limit: str) -> None:
    assert web.client.get("/api/history", params={"limit": limit}).status_code == 400


# Who may write


@pytest.mark.parametrize("path", ["/sync", "/api/approvals", "/api/pauses"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "correct horse"},
        {"authorization": "Basic Y29ycmVjdA=="},
    ],
)
def test_a_post_without_the_right_token_does_nothing(web: Web, path: str, headers: dict[str, str]) -> None:
    answer = web.post(path, {"id": "abc123def456"}, headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert web.syncs == 0


def test_without_a_token_in_the_settings_every_post_is_off() -> None:
    web = Web(token=None)
    try:
        for headers in ({}, {"authorization": "Bearer"}, {"authorization": "Bearer None"}):
            assert web.post("/sync", headers=headers).status_code == 403
        assert web.syncs == 0
    finally:
        web.stop()


@pytest.mark.parametrize("path", ["/sync", "/api/approvals", "/api/pauses"])
def test_a_get_changes_nothing(web: Web, path: str) -> None:
    assert web.client.get(path, headers=TOKEN).status_code == 405
    assert web.syncs == 0


def test_a_sync_asks_for_a_cycle(web: Web) -> None:
    assert web.post("/sync").status_code == 202
    assert web.syncs == 1


def test_what_waits_says_what_ends_that_also_where_nothing_can_be_approved(web: Web) -> None:
    web.store.pause(Pause(NOW + timedelta(hours=1), "incident", "ada", kind="account"))
    stuck = Outcome(change("/Kept", Action.DELETE, blocked="'/Kept' is protected by the settings"), Result.HELD)
    web.show(report(stuck, bystanders=(Bystander("organizational_unit", "/Old", orphaned=True),)))

    status, page = web.get("/api/status").json(), html.unescape(web.get("/").text)

    assert status["pauses"][0]["resume"] == "orgctl resume --kind account"
    assert status["stuck"] == [
        {"why": "'/Kept' is protected by the settings", "names": ["delete organizational_unit /Kept"]},
        {"why": ORPHANED, "names": ["organizational_unit /Old"]},
    ]
    for told in ("orgctl resume --kind account", "'/Kept' is protected by the settings", ORPHANED):
        assert told in page


def test_an_approval_lets_exactly_the_held_changes_through(web: Web) -> None:
    web.show(busy())

    answer = web.post("/api/approvals", {"id": "abc123def456", "author": "Ada"})

    assert answer.status_code == 201
    assert answer.json()["changes"] == [HELD_CHANGE.id]
    assert web.store.memory().approved == {"f" * 12}
    assert web.syncs == 1


def test_an_approval_of_nothing_says_what_is_held(web: Web) -> None:
    web.show(busy())

    answer = web.post("/api/approvals", {"id": "000000000000"})

    assert answer.status_code == 400
    assert "abc123def456" in answer.json()["error"]
    assert web.store.memory().approved == frozenset()


def test_a_held_commit_is_accepted_by_its_id(web: Web) -> None:
    web.store.set(HELD, HEAD.hash)

    answer = web.post("/api/approvals", {"id": HEAD.short, "author": "Ada"})

    assert (answer.status_code, answer.json()["commit"]) == (201, HEAD.hash)
    assert json.loads(web.store.get(ACCEPTED) or "")["author"] == "Ada"


def test_a_pause_lasts_as_long_as_it_says(web: Web) -> None:
    answer = web.post("/api/pauses", {"kind": "permission_set", "for": "2h", "reason": "Migration", "author": "Ada"})

    assert answer.status_code == 201
    assert web.store.pauses() == [Pause(NOW + timedelta(hours=2), "Migration", "Ada", "permission_set")]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "2h",
        {},
        {"for": "2h"},
        {"for": "0s", "reason": "x"},
        {"for": "for ever", "reason": "x"},
        {"for": "365d", "reason": "x"},
        {"for": "2h", "reason": ""},
        {"for": "2h", "reason": "x", "kinds": "*"},
    ],
)
def test_a_pause_that_is_not_well_said_is_refused(web: Web, body: object) -> None:
    answer = web.post("/api/pauses", body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert web.store.pauses() == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 5000])
def test_what_is_not_json_is_refused(web: Web, content: bytes) -> None:
    assert web.client.post("/api/approvals", content=content, headers=TOKEN).status_code == 400


def test_a_large_body_is_refused_announced_or_not(web: Web) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_LIMIT // 1024 + 1):
            yield b" " * 1024

    for content in (b" " * (BODY_LIMIT + 1), pieces()):
        assert web.client.post("/api/pauses", content=content, headers=TOKEN).status_code == 413


# Who may ask


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9090", "127.0.0.1.evil.example", "", "a b", "localhost@x"]
)
def test_another_sites_name_for_this_port_is_refused(web: Web, host: str) -> None:
    assert web.client.get("/api/status", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:9090", "127.0.0.1", "[::1]:9090", "LOCALHOST"])
def test_its_own_names_are_good(web: Web, host: str) -> None:
    assert web.client.get("/healthz", headers={"host": host}).status_code == 200


def test_a_name_is_asked_for_on_loopback_only() -> None:
    assert allowed_hosts("0.0.0.0:9090") is None
    assert allowed_hosts("[::]:9090") is None
    assert allowed_hosts(":9090") is None
    assert "localhost" in (allowed_hosts("127.0.0.1:9090") or ())
    assert "localhost" in (allowed_hosts("localhost:9090") or ())


def test_every_answer_carries_the_protective_headers(web: Web) -> None:
    for path in ("/", "/api/status", "/nowhere", "/metrics"):
        answer = web.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_an_unknown_path_is_not_found(web: Web) -> None:
    assert web.get("/nowhere").json() == {"error": "Not Found"}
    assert web.get("/static/../app.py").status_code == 404


# The server


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that is never asked."""


def test_a_port_in_use_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"cannot serve on 127.0.0.1:{port}"):
            Server(nothing, f"127.0.0.1:{port}")


@pytest.mark.parametrize("listen", ["9090", "host", "127.0.0.1:x", "127.0.0.1:99999", "::1:9090", "a b:1", ""])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(InvalidInput, match="is not host:port"):
        parse_listen(listen)


def test_addresses_are_read_as_people_write_them() -> None:
    assert parse_listen("127.0.0.1:9090") == ("127.0.0.1", 9090)
    assert parse_listen("[::1]:0") == ("::1", 0)
    assert parse_listen(":9090") == ("", 9090)


def test_it_stops_with_a_client_still_connected() -> None:
    web = Web()
    web.get("/healthz")  # its connection is kept alive
    web.server.stop()

    with pytest.raises(httpx.TransportError):
        web.get("/healthz")
    web.client.close()
    web.store.close()


def test_a_busy_database_is_said_and_ends_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(limit: int = 0) -> list[dict[str, object]]:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(web.store, "history", locked)
    answer = web.get("/api/history")
    assert (answer.status_code, answer.json()) == (503, {"error": "the state database: database is locked"})
    assert web.get("/healthz").status_code == 200
