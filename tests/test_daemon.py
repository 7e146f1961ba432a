"""The daemon: which commit is in force, when a cycle runs, and that nothing but a signal ends it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from controller.clock import Clock
from controller.config import Settings
from controller.daemon import WOKEN, Daemon, tell_outcome
from controller.desired.estate import Estate
from controller.desired.load import load
from controller.errors import AwsError, OrgctlError, Stopped
from controller.events import Events
from controller.git.mirror import Mirror
from controller.git.remote import Remote
from controller.metrics import Metrics
from controller.planning.guard import Pause
from controller.reconcile import Look
from controller.report import CycleResult, Outcome, Report, Result
from controller.resources.base import Incomplete
from controller.revision import Revisions, accept
from controller.schedule import Reason, untils
from controller.status import STUCK_AFTER, Board
from controller.store import Store
from tests.clocks import StillClock
from tests.reports import change, report
from tests.repository import Repository

GOOD = "kind: OrganizationalUnits\nunits:\n  Workloads:\n"
MORE = "kind: OrganizationalUnits\nunits:\n  Workloads:\n  Security:\n"
BAD = "kind: OrganizationalUnits\nunitz: {}\n"


class Controller:
    """Stands in for the real one: notes what it is asked to bring about, and answers as the test says."""

    def __init__(self) -> None:
        self.estates: list[Estate] = []
        self.looks: list[Look] = []
        self.answer: Callable[[Estate], Report] = lambda estate: report(commit=estate.commit)

    def cycle(self, estate: Estate, look: Look) -> Report:
        self.estates.append(estate)
        self.looks.append(look)
        return self.answer(estate)

    @property
    def commits(self) -> list[str | None]:
        return [estate.commit for estate in self.estates]


class House:
    """A daemon with everything around it but AWS. `restart` keeps the state directory, and nothing else."""

    def __init__(self, tmp_path: Path, repository: Repository, *, allowed_signers: Path | None = None) -> None:
        self.state, self.repository, self.allowed_signers = tmp_path / "state", repository, allowed_signers
        self.clock = StillClock()
        self.settings = Settings(organization="o-abcdefghij", state_dir=self.state)
        self.controller = Controller()
        self.restart()

    def restart(self) -> None:
        self.store = Store(self.state / "orgctl.sqlite3", self.clock)
        self.board = Board(self.clock)
        self.metrics = Metrics(["organizational_unit"], [])
        self.revisions = Revisions(
            Mirror(self.state / "repository.git", Remote(self.repository.url, "main"), self.clock),
            "state",
            lambda files: load(files, now=self.clock.now()),
            self.store,
            self.clock,
            allowed_signers=self.allowed_signers,
        )
        self.revisions.recall()
        self.exits: list[int] = []
        self.daemon = Daemon(
            self.settings, self.revisions, self.controller, self.store, self.board, self.metrics, self.clock,
            exit=self.exits.append,
        )  # fmt: skip

    def push(self, text: str, subject: str = "Change", sign: bool = False) -> str:
        return self.repository.commit({"state/a.yaml": text}, subject, sign=sign)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    @property
    def in_force(self) -> str | None:
        commit = self.board.status.standing.in_force
        return commit.hash if commit else None


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path / "estate")


@pytest.fixture
def house(tmp_path: Path, repository: Repository) -> House:
    return House(tmp_path, repository)


# Commits


def test_a_push_is_brought_about(house: House) -> None:
    head = house.push(GOOD, "Found the organization")

    result = house.daemon.once(Reason.START)

    assert result is not None
    assert house.controller.commits == [head]
    assert house.in_force == head
    assert house.value("orgctl_commit_info", commit=head) == 1
    assert house.value("orgctl_cycles_total", result="converged") == 1
    assert house.board.status.ready


def test_a_poll_without_news_runs_no_cycle(house: House) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)

    assert house.daemon.once(Reason.POLL) is None
    assert len(house.controller.estates) == 1


def test_a_poll_with_a_new_commit_does(house: House) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)
    later = house.push(MORE)
    house.daemon.once(Reason.POLL)

    assert house.controller.commits[-1] == later


@pytest.mark.parametrize("reason", [Reason.RESYNC, Reason.UNTIL, Reason.RETRY, Reason.SYNC, Reason.HANGUP])
def test_every_other_reason_runs_a_cycle_without_news(house: House, reason: Reason) -> None:
    head = house.push(GOOD)
    house.daemon.once(Reason.START)
    house.daemon.once(reason)

    assert house.controller.commits == [head, head]


@pytest.mark.parametrize(
    "reasons, look",
    [
        pytest.param({Reason.RESYNC}, Look.PART, id="the clock: what is oldest"),
        pytest.param({Reason.RESYNC, Reason.UNTIL}, Look.PART, id="the clock, and an until"),
        pytest.param({Reason.UNTIL}, Look.CHANGES, id="an until: what it changes"),
        pytest.param({Reason.RETRY}, Look.CHANGES, id="something undone: that"),
        pytest.param({Reason.DECIDED}, Look.CHANGES, id="an approval: what it lets through"),
        pytest.param({Reason.SYNC, Reason.RESYNC}, Look.ALL, id="a person asks: everything"),
        pytest.param({Reason.HANGUP}, Look.ALL, id="SIGHUP: everything"),
    ],
)
def test_how_much_of_aws_is_looked_at_follows_from_why(house: House, reasons: set[Reason], look: Look) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)
    house.daemon.once(*reasons)

    assert house.controller.looks == [Look.CHANGES, look]


def test_a_commit_is_no_reason_to_look_at_everything(house: House) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)
    house.push(MORE)
    house.daemon.once(Reason.POLL)

    assert house.controller.looks[-1] is Look.CHANGES


def test_an_approval_given_elsewhere_is_acted_on_at_the_next_poll(house: House) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)
    house.store.set(WOKEN, "2026-01-02T03:04:05Z")

    assert house.daemon.once(Reason.POLL) is not None
    assert house.daemon.once(Reason.POLL) is None


def test_a_bad_commit_at_three_in_the_morning_changes_nothing_and_is_told_everywhere(house: House) -> None:
    good = house.push(GOOD)
    house.daemon.once(Reason.START)
    bad = house.push(BAD, "Just a small fix")
    with capture_logs() as logs:
        house.daemon.once(Reason.POLL)
        house.daemon.once(Reason.RESYNC)

    assert house.controller.commits == [good, good]
    standing = house.board.status.standing
    assert (house.in_force, standing.head and standing.head.hash) == (good, bad)
    assert "state/a.yaml:2:1" in str(standing.refused[0])
    assert house.value("orgctl_bad_commit") == 1
    told = [entry for entry in logs if entry["event"].startswith("bad commit")]
    assert [(entry["commit"], entry["log_level"]) for entry in told] == [(bad, "error")]


def test_what_is_held_is_logged_once_with_the_command_that_lets_it_through(house: House) -> None:
    why = "too many. If meant: orgctl approve abc123abc123"
    held = [Outcome(change(f"/{name}", blocked=why, hold="abc123abc123"), Result.HELD) for name in "AB"]
    house.controller.answer = lambda _: report(*held, Outcome(change("/C", blocked="it is protected"), Result.HELD))
    house.push(GOOD)
    with capture_logs() as logs:
        house.daemon.once(Reason.START)
        house.daemon.once(Reason.RESYNC)
    told = [(entry["why"], entry["count"], entry["log_level"]) for entry in logs if entry["event"] == "held"]
    assert told == [("it is protected", 1, "warning"), (why, 2, "warning")]

    house.controller.answer = lambda _: report()
    house.daemon.once(Reason.RESYNC)
    house.controller.answer = lambda _: report(*held)
    with capture_logs() as logs:
        house.daemon.once(Reason.RESYNC)
    assert [entry["why"] for entry in logs if entry["event"] == "held"] == [why], "it is held anew"


def test_a_bad_commit_is_logged_once_and_not_at_every_poll(house: House) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)
    house.push(BAD)
    house.daemon.once(Reason.POLL)
    with capture_logs() as logs:
        house.daemon.once(Reason.POLL)
    assert logs == []


def test_the_fix_of_a_bad_commit_comes_into_force(house: House) -> None:
    house.push(GOOD)
    house.daemon.once(Reason.START)
    house.push(BAD)
    house.daemon.once(Reason.POLL)
    fixed = house.push(MORE)
    house.daemon.once(Reason.POLL)

    assert house.controller.commits[-1] == fixed
    assert house.value("orgctl_bad_commit") == 0


def test_a_bad_commit_from_the_start_leaves_nothing_to_bring_about(house: House) -> None:
    house.push(BAD)

    assert house.daemon.once(Reason.START) is None
    assert house.controller.estates == []
    assert not house.board.status.ready
    assert house.board.status.standing.refused


def test_git_down_and_the_last_good_commit_is_still_enforced(house: House) -> None:
    good = house.push(GOOD)
    house.daemon.once(Reason.START)
    house.repository.path.rename(house.repository.path.with_name("away"))
    house.daemon.once(Reason.POLL)
    house.daemon.once(Reason.SYNC)

    assert house.controller.commits == [good, good]
    assert house.board.status.standing.fetch_error
    assert house.value("orgctl_git_fetch_failures_total") == 2


def test_a_restart_with_git_down_and_a_bad_head_goes_on_with_the_last_good_commit(house: House) -> None:
    good = house.push(GOOD, "The good one")
    house.daemon.once(Reason.START)
    house.push(BAD)
    house.daemon.once(Reason.POLL)
    house.repository.path.rename(house.repository.path.with_name("away"))
    house.restart()
    house.daemon.once(Reason.START)

    assert house.controller.commits == [good, good]
    assert house.in_force == good
    assert house.value("orgctl_commit_info", commit=good) == 1
    assert house.board.status.standing.fetch_error


def test_a_lost_mirror_and_a_bad_head_and_the_last_good_commit_is_found_again(house: House) -> None:
    good = house.push(GOOD)
    house.daemon.once(Reason.START)
    house.push(BAD)
    shutil.rmtree(house.state / "repository.git")
    house.restart()
    house.daemon.once(Reason.START)

    assert house.controller.commits == [good, good]
    assert house.board.status.standing.refused


def test_a_force_push_is_held_until_a_person_accepts_it(house: House) -> None:
    house.push(GOOD)
    before = house.push(MORE)
    house.daemon.once(Reason.START)
    house.repository.rewind()
    rewritten = house.push(GOOD + "  Sandbox:\n")
    house.daemon.once(Reason.POLL)
    house.daemon.once(Reason.RESYNC)

    assert house.controller.commits == [before, before]
    assert f"orgctl approve {rewritten[:12]}" in house.board.status.standing.held
    assert house.value("orgctl_held_commit") == 1

    assert accept(house.store, house.clock, rewritten[:12], "ada") == rewritten
    house.daemon.once(Reason.SYNC)
    assert house.controller.commits[-1] == rewritten
    assert house.value("orgctl_held_commit") == 0


def test_a_branch_set_back_is_held_as_well(house: House) -> None:
    house.push(GOOD)
    newer = house.push(MORE)
    house.daemon.once(Reason.START)
    house.repository.rewind()
    house.daemon.once(Reason.POLL)

    assert house.in_force == newer
    assert house.board.status.standing.held


def test_a_restart_does_not_let_a_held_commit_through(house: House) -> None:
    house.push(GOOD)
    newer = house.push(MORE)
    house.daemon.once(Reason.START)
    house.repository.rewind()
    house.restart()
    house.daemon.once(Reason.START)

    assert house.controller.commits == [newer, newer]
    assert house.board.status.standing.held


def test_an_acceptance_lasts_a_day_and_is_for_one_commit(house: House) -> None:
    house.push(GOOD)
    before = house.push(MORE)
    house.daemon.once(Reason.START)
    house.repository.rewind()
    one = house.push(GOOD + "  A:\n")
    house.daemon.once(Reason.POLL)
    accept(house.store, house.clock, one, "ada")

    house.repository.rewind()
    house.push(GOOD + "  B:\n")
    house.daemon.once(Reason.POLL)
    assert house.in_force == before

    house.repository.git("reset", "--quiet", "--hard", one)
    house.clock.move(timedelta(hours=25))
    house.daemon.once(Reason.POLL)
    assert house.in_force == before


def test_only_a_held_commit_can_be_accepted(house: House) -> None:
    head = house.push(GOOD)
    house.daemon.once(Reason.START)

    assert accept(house.store, house.clock, head, "ada") is None
    assert accept(house.store, house.clock, "", "ada") is None


def test_an_unsigned_commit_is_bad_where_signers_are_named(tmp_path: Path, repository: Repository) -> None:
    allowed = repository.make_key(tmp_path / "key")
    house = House(tmp_path, repository, allowed_signers=allowed)
    signed = house.push(GOOD, sign=True)
    house.daemon.once(Reason.START)
    house.push(MORE)
    house.daemon.once(Reason.POLL)

    assert house.in_force == signed
    assert "it is not signed" in str(house.board.status.standing.refused[0])
    assert house.value("orgctl_bad_commit") == 1


@pytest.mark.parametrize("what", ["symbolic link", "submodule"])
def test_a_commit_that_leads_out_of_the_repository_is_bad(house: House, what: str) -> None:
    good = house.push(GOOD)
    house.daemon.once(Reason.START)
    if what == "submodule":
        house.repository.git("update-index", "--add", "--cacheinfo", f"160000,{good},state/shared")
        house.repository.record("Share")
    else:
        (house.repository.path / "state" / "more.yaml").symlink_to("/etc/passwd")
        house.repository.commit()
    house.daemon.once(Reason.POLL)

    assert house.in_force == good
    assert what in str(house.board.status.standing.refused[0])


def test_a_full_disk_under_the_mirror_does_not_stop_enforcement(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    good = house.push(GOOD)
    house.daemon.once(Reason.START)

    def full(_: Mirror) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Mirror, "fetch", full)
    house.daemon.once(Reason.SYNC)

    assert house.controller.commits == [good, good]
    assert "No space left" in house.board.status.standing.fetch_error


# Cycles that go wrong


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(AwsError("organizations:ListRoots", "AccessDeniedException"), id="AWS refuses"),
        pytest.param(KeyError("ou-1"), id="a bug"),
        pytest.param(RecursionError(), id="a deep bug"),
    ],
)
def test_a_cycle_that_raises_is_counted_told_and_tried_again(house: House, error: Exception) -> None:
    house.push(GOOD)

    def fail(_: Estate) -> Report:
        raise error

    house.controller.answer = fail
    with capture_logs() as logs:
        assert house.daemon.once(Reason.START) is None

    assert house.value("orgctl_cycles_total", result="error") == 1
    assert [entry["exc_info"] for entry in logs if entry["event"].startswith("cycle failed")] == [
        not isinstance(error, OrgctlError)
    ]
    cycle = house.board.status.cycle
    assert cycle is not None
    assert cycle.result is CycleResult.ERROR
    assert str(error) in cycle.error
    assert house.daemon.schedule.dates()[Reason.RETRY] == house.clock.now() + house.settings.interval
    assert not house.board.status.ready

    house.controller.answer = lambda estate: report(commit=estate.commit)
    assert house.daemon.once(Reason.RETRY) is not None
    assert Reason.RETRY not in house.daemon.schedule.dates()


def test_what_keeps_failing_is_tried_ever_less_often_up_to_the_resync(house: House) -> None:
    house.push(GOOD)
    house.controller.answer = lambda _: report(Outcome(change("/A"), Result.FAILED, "no"))
    pauses: list[timedelta] = []
    for _ in range(6):
        house.daemon.once(Reason.RETRY if pauses else Reason.START)
        pauses.append(house.daemon.schedule.dates()[Reason.RETRY] - house.clock.now())

    assert [pause / timedelta(minutes=1) for pause in pauses] == [1, 2, 4, 8, 15, 15]


def test_what_aws_still_works_on_is_looked_at_again_soon(house: House) -> None:
    house.push(GOOD)
    house.controller.answer = lambda _: report(Outcome(change("/A"), Result.PENDING))
    house.daemon.once(Reason.START)

    assert Reason.RETRY in house.daemon.schedule.dates()


def test_what_a_person_must_decide_waits_for_the_resync(house: House) -> None:
    house.push(GOOD)
    house.controller.answer = lambda _: report(Outcome(change("/A", blocked="too many"), Result.HELD))
    house.daemon.once(Reason.START)

    assert Reason.RETRY not in house.daemon.schedule.dates()


def test_it_is_ready_only_after_everything_was_observed(house: House) -> None:
    house.push(GOOD)
    missing = (Incomplete("organizational_unit", "AccessDenied"),)
    house.controller.answer = lambda _: report(incomplete=missing)
    house.daemon.once(Reason.START)
    assert not house.board.status.ready
    assert house.value("orgctl_ready") == 0
    assert house.board.status.last_good is None

    house.controller.answer = lambda _: report()
    house.daemon.once(Reason.RETRY)
    assert house.board.status.ready
    assert house.value("orgctl_ready") == 1

    house.controller.answer = lambda _: report(incomplete=missing)
    house.daemon.once(Reason.RETRY)
    assert house.board.status.ready
    assert house.board.status.last_good is not None


def test_asking_it_to_stop_ends_a_cycle_between_two_calls(house: House) -> None:
    house.push(GOOD)

    def stopped(_: Estate) -> Report:
        raise Stopped

    house.controller.answer = stopped
    with pytest.raises(Stopped):
        house.daemon.once(Reason.START)
    assert house.value("orgctl_cycles_total", result="error") == 0


def test_outcomes_are_logged_without_their_documents() -> None:
    with capture_logs() as logs:
        tell_outcome(Outcome(change("/A"), Result.APPLIED, seconds=0.25))
        tell_outcome(Outcome(change("/B"), Result.FAILED, "AccessDeniedException"))
        tell_outcome(Outcome(change("/C"), Result.HELD, "too many"))

    assert [(entry["event"], entry["name"]) for entry in logs] == [("change applied", "/A"), ("change failed", "/B")]
    assert "555 0100" not in json.dumps(logs)


# When


def until(moment: str) -> str:
    return (
        "kind: ServiceControlPolicy\nname: game-day\ntargets: {units: [/Workloads]}\n"
        f"until: {moment}\n"
        'content: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "*", Resource: "*"}]}\n'
        "---\n" + GOOD
    )


def test_a_cycle_is_set_right_after_every_until_also_after_a_restart(house: House) -> None:
    moment = house.clock.now() + timedelta(hours=2)
    house.push(until(moment.isoformat()))
    for _ in range(2):
        house.daemon.once(Reason.START)
        assert list(house.daemon.schedule.dates().values()) == [moment + timedelta(seconds=1)]
        house.restart()


def test_an_until_that_is_past_or_gone_sets_no_cycle(house: House) -> None:
    house.push(until((house.clock.now() + timedelta(hours=2)).isoformat()))
    house.daemon.once(Reason.START)
    house.push(until((house.clock.now() - timedelta(hours=2)).isoformat()))
    house.daemon.once(Reason.POLL)

    assert house.daemon.schedule.dates() == {}


def test_the_end_of_a_pause_brings_a_cycle(house: House) -> None:
    house.push(GOOD)
    over = house.clock.now() + timedelta(hours=1)
    house.store.pause(Pause(over, "Migration", "Ada"))
    house.daemon.once(Reason.START)

    assert list(house.daemon.schedule.dates().values()) == [over + timedelta(seconds=1)]
    assert house.value("orgctl_paused") == 1


def test_a_git_that_does_not_answer_delays_no_cycle_that_is_due(house: House) -> None:
    good = house.push(GOOD)
    house.daemon.once(Reason.START)
    house.repository.path.rename(house.repository.path.with_name("away"))
    house.daemon.once(Reason.POLL)
    house.daemon.once(Reason.POLL, Reason.UNTIL)

    assert house.controller.commits == [good, good]
    assert house.value("orgctl_git_fetch_failures_total") == 1


def test_doubts_about_the_commit_in_force_are_shown(house: House) -> None:
    house.push(until((house.clock.now() - timedelta(hours=2)).isoformat()))
    house.daemon.once(Reason.START)

    assert ["`until` is past" in str(warning) for warning in house.board.status.standing.warnings] == [True]


def test_untils_are_found_wherever_they_stand(house: House) -> None:
    house.push(
        until("2026-12-01T18:00:00Z")
        + "---\nkind: PermissionSet\nname: Audit\n"
        + "---\nkind: Assignments\nassignments:\n"
        + "  - {group: a, permission_sets: [Audit], targets: {units: [/Workloads]}, until: 2026-11-01T00:00:00+01:00}\n"
    )
    house.daemon.once(Reason.START)

    assert untils(house.controller.estates[-1]) == {
        datetime(2026, 12, 1, 18, tzinfo=UTC),
        datetime(2026, 10, 31, 23, tzinfo=UTC),
    }


def test_wishes_made_during_a_cycle_become_one_more_cycle(house: House) -> None:
    house.push(GOOD)
    daemon = house.daemon

    def wished(estate: Estate) -> Report:
        threads = [threading.Thread(target=daemon.wanted.want, args=[Reason.SYNC]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        daemon.wanted.want(Reason.RESYNC)
        return report(commit=estate.commit)

    house.controller.answer = wished
    daemon.once(Reason.START)

    assert daemon.wanted.take(0) == {Reason.SYNC, Reason.RESYNC}
    assert daemon.wanted.take(0) == frozenset()


def test_the_loop_counts_as_stuck_only_after_a_long_silence(house: House) -> None:
    house.clock.move(timedelta(seconds=STUCK_AFTER - 1))
    assert house.board.alive
    house.clock.move(timedelta(seconds=2))
    assert not house.board.alive
    house.board.beat()
    assert house.board.alive


def test_a_cycle_runs_by_itself_once_an_until_is_over(tmp_path: Path, repository: Repository) -> None:
    house = House(tmp_path, repository)
    house.clock = RealClock()  # type: ignore[assignment]  # time must really pass here
    house.restart()
    house.push(until((house.clock.now() + timedelta(seconds=0.2)).isoformat()))
    house.daemon.once(Reason.START)
    house.daemon.schedule.start()
    try:
        assert house.daemon.wanted.take(timeout=30) == {Reason.UNTIL}
    finally:
        house.daemon.schedule.stop()


class RealClock(Clock):
    """By its own name, to be told from the still one."""


# The process


def test_it_runs_until_it_is_told_to_stop_and_a_hangup_is_only_a_wish(house: House) -> None:
    head = house.push(GOOD)
    numbers = iter((signal.SIGHUP, signal.SIGHUP, signal.SIGTERM))

    def told(estate: Estate) -> Report:
        os.kill(os.getpid(), next(numbers))
        return report(commit=estate.commit)

    house.controller.answer = told

    assert house.daemon.run() == 0
    assert house.controller.commits == [head] * 3


def test_a_signal_that_the_kernel_gives_to_another_thread_is_heard(house: House) -> None:
    house.push(GOOD)
    before = signal.getsignal(signal.SIGTERM)

    def told(estate: Estate) -> Report:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        return report(commit=estate.commit)

    house.controller.answer = told

    assert house.daemon.run() == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_loop_that_ends_by_itself_is_an_error(house: House) -> None:
    house.push(GOOD)

    def ends(_: Estate) -> Report:
        raise Stopped

    house.controller.answer = ends
    assert house.daemon.run() == 1


PROGRAM = """
import sys
from pathlib import Path
from controller import log
from controller.clock import Clock
from controller.config import Settings
from controller.daemon import Daemon
from controller.desired.load import load
from controller.git.mirror import Mirror
from controller.git.remote import Remote
from controller.metrics import Metrics
from controller.planning.guard import Pause
from controller.revision import Revisions
from controller.status import Board
from controller.store import Store
from tests.reports import report

url, state, kind = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
log.configure("json")
clock = Clock()
store = Store(state / "orgctl.sqlite3", clock)
settings = Settings(organization="o-abcdefghij", state_dir=state)

class Controller:
    def cycle(self, estate, look):
        print("cycle", flush=True)
        if kind == "waits":
            clock.sleep(3600)
        if kind == "hangs":
            import threading
            threading.Event().wait()
        return report(commit=estate.commit)

revisions = Revisions(Mirror(state / "m.git", Remote(url, "main"), clock), "state", load, store, clock)
daemon = Daemon(settings, revisions, Controller(), store, Board(clock), Metrics([], []), clock)
sys.exit(daemon.run())
"""


@pytest.fixture
def start(tmp_path: Path, repository: Repository):  # type: ignore[no-untyped-def]  # a generator of a starter
    """Starts a real daemon process and waits for its first cycle."""
    repository.commit({"state/a.yaml": GOOD})
    running: list[subprocess.Popen[str]] = []

    def begin(kind: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, repository.url, str(tmp_path / "state"), kind],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "cycle\n"
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def test_a_signal_ends_an_idle_daemon_cleanly(start: Callable[[str], subprocess.Popen[str]]) -> None:
    process = start("idles")
    process.send_signal(signal.SIGINT)

    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(errors.splitlines()[-1])["event"] == "stopped"


def test_a_signal_ends_a_cycle_that_waits(start: Callable[[str], subprocess.Popen[str]]) -> None:
    process = start("waits")
    process.send_signal(signal.SIGTERM)

    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_second_signal_ends_a_cycle_that_hangs_at_once(start: Callable[[str], subprocess.Popen[str]]) -> None:
    process = start("hangs")
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)

    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_cycle_that_hangs_is_abandoned(house: House) -> None:
    house.push(GOOD)
    house.clock.seconds = 0.0
    moving = house.clock

    class Hurrying(StillClock):
        """Every look at it takes ten seconds."""

        def monotonic(self) -> float:
            moving.seconds += 10
            return moving.seconds

    house.daemon._clock = Hurrying()
    with Events() as events:
        events.put(signal.SIGTERM)
        assert house.daemon._attend(events) == 1
    assert house.exits == [1]
