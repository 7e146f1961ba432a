"""The real command line against a simulated organization over HTTP: exit codes, what is written, what is told."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
import structlog

from controller.cli import cli, main
from controller.clock import Clock
from controller.revision import HELD, IN_FORCE, REFUSED
from controller.sandbox.sandbox import READS, Sandbox
from controller.sandbox.seed import seeded
from controller.store import Store
from tests.repository import Repository

ESTATE = """\
kind: OrganizationalUnits
units: {Security: , Workloads: }
---
kind: Organization
policy_types: [service_control]
---
kind: ServiceControlPolicy
name: deny-leave
targets: {units: [/Security, /Workloads]}
content:
  Version: "2012-10-17"
  Statement: [{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}]
"""
LESS = ESTATE.replace("[/Security, /Workloads]", "[/Security]")
MORE = ESTATE.replace("Workloads: }", "Workloads: , Sandbox: }")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A directory to work in, with `estate/`, and an organization that agrees with it until somebody changes one."""

    place: Path
    sandbox: Sandbox
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, answer: str = "", **environment: str) -> Ended:
        """`orgctl` with these arguments; whatever it raises but SystemExit fails the test."""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["orgctl", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(answer))
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                main()
                code = 0
            except SystemExit as exit:
                code = exit.code if isinstance(exit.code, int) else 0
        return Ended(code, *self.capsys.readouterr())

    def says(self, text: str) -> None:
        """What git says from now on."""
        (self.place / "estate" / "all.yaml").write_text(text)

    def wrote(self) -> set[str]:
        """The operations called that are no reads."""
        return {name for name in self.sandbox.world.calls if not name.split(":")[1].startswith(READS)}

    def targets(self) -> int:
        return len(next(p for p in self.sandbox.world.policies.values() if p.name == "deny-leave").targets)


@pytest.fixture
def empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> Shell:
    """No settings but which organization; mode enforce, so that a test says where it observes."""
    for name in [name for name in os.environ if name.startswith(("ORGCTL_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": sandbox.world.management_account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "ORGCTL_ORGANIZATION": sandbox.world.organization_id,
        "ORGCTL_MODE": "enforce",
        "ORGCTL_RATE_MULTIPLE": "1000",
        "COLUMNS": "100",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "estate").mkdir()
    return Shell(tmp_path, sandbox, monkeypatch, capsys)


@pytest.fixture
def orgctl(empty: Shell) -> Shell:
    empty.says(ESTATE)
    return empty


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    (tmp_path / "seed.yaml").write_text(ESTATE)
    with seeded(tmp_path / "seed.yaml") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


# validate


def test_validate_says_what_it_found(orgctl: Shell) -> None:
    ended = orgctl("validate", "estate", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert (ended.code, ended.out) == (0, "estate: 3 documents, 2 OUs, 0 accounts. Nothing wrong.\n")


def test_validate_tells_all_problems_with_their_places(orgctl: Shell) -> None:
    orgctl.says("kind: OrganizationalUnits\nunitz: {}\n---\nkind: Organisation\n")

    ended = orgctl("validate", "estate")

    assert ended.code == 1
    assert "estate/all.yaml:2:1" in ended.err and "Did you mean 'units'?" in ended.err
    assert "estate/all.yaml:4:7" in ended.err and "Did you mean 'Organization" in ended.err


def test_validate_does_not_call_a_directory_without_documents_fine(empty: Shell) -> None:
    ended = empty("validate", "estate")

    assert ended.code == 0
    assert "no document" in ended.out and "Nothing wrong" not in ended.out


# plan


def test_a_plan_with_nothing_to_do_ends_with_0(orgctl: Shell) -> None:
    ended = orgctl("plan", "estate")

    assert ended.code == 0
    assert "Nothing to do: " in ended.out


def test_a_plan_with_something_to_do_ends_with_2_and_writes_nothing(orgctl: Shell) -> None:
    orgctl.says(MORE)

    ended = orgctl("plan", "estate")

    assert ended.code == 2
    assert "+ organizational_unit /Sandbox  estate/all.yaml:2:34" in ended.out
    assert orgctl.wrote() == set()


def test_a_plan_that_a_guard_rail_holds_something_of_ends_with_3(orgctl: Shell) -> None:
    orgctl.says(LESS)

    ended = orgctl("plan", "estate", ORGCTL_LIMITS__REMOVALS="0")

    assert ended.code == 3
    assert "held: " in ended.out and "orgctl approve " in ended.out


def test_a_plan_of_what_could_not_be_seen_ends_with_1_and_names_the_permission(orgctl: Shell) -> None:
    orgctl.sandbox.faults.add(operation="organizations:ListPolicies", kind="error", code="AccessDeniedException")

    ended = orgctl("plan", "estate")

    assert ended.code == 1
    assert "Could not be observed" in ended.out
    assert "Grant organizations:ListPolicies to the controller's role" in ended.out


def test_a_plan_needs_no_pinned_organization(orgctl: Shell) -> None:
    orgctl.monkeypatch.delenv("ORGCTL_ORGANIZATION")

    assert orgctl("plan", "estate").code == 0


def test_what_looking_cost_is_told_beside_the_least_it_could_have(orgctl: Shell) -> None:
    ended = orgctl("plan", "estate", "--explain-calls", "--format", "json")

    json.loads(ended.out)
    rows = {row[-1]: row[:2] for line in ended.err.splitlines() if len(row := line.split()) == 3 and row[0].isdigit()}
    assert rows["organizations:DescribePolicy"] == ["1", "1"]
    assert all(made == least for made, least in rows.values())
    assert "organizations:ListRoots" in rows and "at AWS's rates and a share of 50% at least" in ended.err


def test_in_observe_mode_the_plan_says_so_once(orgctl: Shell) -> None:
    orgctl.says(MORE.replace("Sandbox: }", "Sandbox: , Media: }"))

    out = orgctl("plan", "estate", ORGCTL_MODE="observe").out

    assert out.count("bserve") == 1


def test_a_plan_as_json_is_as_documented(orgctl: Shell) -> None:
    orgctl.says(MORE)

    plan = json.loads(orgctl("plan", "estate", "--format", "json").out)

    assert plan["summary"]["create"] == 1
    (change,) = plan["changes"]
    assert (change["kind"], change["name"], change["action"]) == ("organizational_unit", "/Sandbox", "create")
    assert (change["before"], change["source"], change["blocked"]) == (None, "estate/all.yaml:2:34", None)


def test_a_plan_as_markdown_is_the_same_each_time(orgctl: Shell) -> None:
    orgctl.says(MORE)

    first, second = (orgctl("plan", "estate", "--format", "markdown").out for _ in range(2))

    assert first == second
    assert first.startswith("### orgctl plan `") and "- create **`/Sandbox`**" in first


# apply


def test_apply_asks_and_does_what_was_agreed_to(orgctl: Shell) -> None:
    orgctl.says(MORE)

    ended = orgctl("apply", "estate", answer="y\n")

    assert ended.code == 0
    assert f"Apply 1 change to {orgctl.sandbox.world.organization_id}?" in ended.out
    assert "Converged: 1 applied." in ended.out
    assert "Sandbox" in {unit.name for unit in orgctl.sandbox.world.units.values()}
    assert orgctl("plan", "estate").code == 0


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "just return", "nobody there"])
def test_apply_without_a_yes_writes_nothing(orgctl: Shell, answer: str) -> None:
    orgctl.says(MORE)

    ended = orgctl("apply", "estate", answer=answer)

    assert (ended.code, orgctl.wrote()) == (130, set())
    assert ended.err.endswith("Stopped.\n")


def test_apply_has_nothing_to_ask_where_nothing_is_to_do(orgctl: Shell) -> None:
    ended = orgctl("apply", "estate")

    assert ended.code == 0
    assert "Converged: nothing to do." in ended.out


def test_in_observe_mode_apply_writes_nothing_and_says_how_it_would(orgctl: Shell) -> None:
    orgctl.says(MORE)

    ended = orgctl("apply", "estate", "--yes", ORGCTL_MODE="observe")

    assert (ended.code, orgctl.wrote()) == (2, set())
    assert "ORGCTL_MODE=enforce" in ended.err


def test_without_a_pinned_organization_apply_writes_nothing_and_names_the_one_it_found(orgctl: Shell) -> None:
    orgctl.says(MORE)
    orgctl.monkeypatch.delenv("ORGCTL_ORGANIZATION")

    ended = orgctl("apply", "estate", "--yes")

    assert (ended.code, orgctl.wrote()) == (1, set())
    assert f"ORGCTL_ORGANIZATION={orgctl.sandbox.world.organization_id}" in ended.err


def test_another_organization_than_the_pinned_one_is_not_written_to(orgctl: Shell) -> None:
    orgctl.says(MORE)

    ended = orgctl("apply", "estate", "--yes", "--organization", "o-a1b2c3d4e5")

    assert (ended.code, orgctl.wrote()) == (1, set())
    assert "o-a1b2c3d4e5" in ended.err and orgctl.sandbox.world.organization_id in ended.err


def test_a_change_that_aws_refuses_ends_with_1_and_its_words(orgctl: Shell) -> None:
    orgctl.says(MORE)
    orgctl.sandbox.faults.add(
        operation="organizations:CreateOrganizationalUnit", kind="error", code="AccessDeniedException"
    )

    ended = orgctl("apply", "estate", "--yes")

    assert ended.code == 1
    assert "Incomplete: 1 failed." in ended.out
    assert "AccessDeniedException from organizations:CreateOrganizationalUnit" in ended.err


# apply --plan


def test_a_plan_that_was_reviewed_is_applied_while_it_is_true(orgctl: Shell) -> None:
    orgctl.says(MORE)
    assert orgctl("plan", "estate", "--out", "plan.json").code == 2

    assert orgctl("apply", "estate", "--plan", "plan.json", "--yes").code == 0
    again = orgctl("apply", "estate", "--plan", "plan.json", "--yes")

    assert again.code == 1
    assert "Plan and review again" in again.err


def test_a_plan_that_is_no_longer_true_is_not_applied(orgctl: Shell) -> None:
    orgctl.says(MORE)
    orgctl("plan", "estate", "--out", "plan.json")
    orgctl.says(MORE.replace("Sandbox: }", "Sandbox: , Media: }"))

    ended = orgctl("apply", "estate", "--plan", "plan.json", "--yes")

    assert (ended.code, orgctl.wrote()) == (1, set())


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"', "\xff"])
def test_what_is_no_plan_is_refused(orgctl: Shell, text: str) -> None:
    (orgctl.place / "plan.json").write_bytes(text.encode("latin-1"))

    ended = orgctl("apply", "estate", "--plan", "plan.json", "--yes")

    assert ended.code == 1
    assert "plan.json: not a plan that `orgctl plan --out` wrote" in ended.err


# approve


def test_what_is_held_waits_for_an_approval_and_goes_through_once(orgctl: Shell) -> None:
    orgctl.says(LESS)
    limits = {"ORGCTL_LIMITS__REMOVALS": "0"}

    refused = orgctl("apply", "estate", "--yes", **limits)
    assert (refused.code, orgctl.targets()) == (3, 2)
    assert "Held: 1 held." in refused.out

    (hold,) = json.loads(orgctl("status", "--json").out)["holds"]
    assert f"orgctl approve {hold['id']}" in orgctl("status").out
    approved = orgctl("approve", hold["id"], "--author", "carol")
    assert approved.code == 0
    assert approved.out.startswith(f"Approved {hold['id']}, for 24 hours and once:\n")
    assert approved.err == ""

    assert orgctl("apply", "estate", "--yes", **limits).code == 0
    assert orgctl.targets() == 1
    assert "delete  policy_attachment deny-leave → /Workloads" in orgctl("history", "--writes").out

    orgctl.says(ESTATE)
    assert orgctl("apply", "estate", "--yes", **limits).code == 0
    orgctl.says(LESS)
    assert orgctl("plan", "estate", **limits).code == 3


@pytest.mark.parametrize("id", ["", "zzz", "%", "000000000000"])
def test_an_approval_of_nothing_says_what_is_held(orgctl: Shell, id: str) -> None:
    ended = orgctl("approve", id)

    assert ended.code == 1
    assert "Held now: none" in ended.err


def test_a_held_commit_is_shown_and_approved(orgctl: Shell) -> None:
    remember(orgctl.place, {IN_FORCE: "a" * 40, HELD: "b" * 40})

    assert f"orgctl approve {'b' * 12}" in orgctl("status").out
    assert orgctl("approve", "b" * 12).out.startswith(f"Accepted commit {'b' * 40}")


# pause, resume, status, history


def test_a_pause_stops_writes_until_it_is_ended(orgctl: Shell) -> None:
    orgctl.says(MORE)

    assert orgctl("pause", "--for", "2h", "--reason", "incident 4711", "--author", "carol").code == 0
    assert orgctl("apply", "estate", "--yes").code == 2
    assert orgctl.wrote() == set()
    assert "incident 4711 (carol)" in orgctl("status").out

    assert orgctl("resume").out == "1 pause ended.\n"
    assert orgctl("apply", "estate", "--yes").code == 0


def test_the_status_says_what_is_held_and_nobody_can_approve_and_what_ends_a_pause(orgctl: Shell) -> None:
    orgctl.says(LESS.replace("Workloads: }", "}").replace(", /Workloads", ""))
    assert orgctl("plan", "estate", ORGCTL_PROTECTED='["service_control_policy/deny-leave"]').code == 3
    orgctl("pause", "--for", "2h", "--kind", "account", "--reason", "incident")

    told = orgctl("status").out

    assert "Held, and nothing to approve: 'service_control_policy/deny-leave' is protected by the settings" in told
    assert "  delete policy_attachment deny-leave → /Workloads\n" in told
    assert "say `deleted: true` or `released: true`" in told
    assert "  organizational_unit /Workloads\n" in told
    assert "  to end it: orgctl resume --kind account\n" in told
    assert [len(one["names"]) for one in json.loads(orgctl("status", "--json").out)["stuck"]] == [1, 1]


def test_a_pause_of_one_kind_leaves_the_others(orgctl: Shell) -> None:
    orgctl.says(MORE)

    orgctl("pause", "--for", "2h", "--reason", "x", "--kind", "policy_*")

    assert orgctl("apply", "estate", "--yes").code == 0


@pytest.mark.parametrize(
    "arguments, told",
    [
        pytest.param(["--for", "2 parsecs"], "30s, 15m, 2h or 1d", id="no duration"),
        pytest.param(["--for", "0s"], "up to 30 days", id="no time at all"),
        pytest.param(["--for", "31d"], "up to 30 days", id="for ever"),
        pytest.param(["--for", "2h", "--kind", "polcy_attachment"], "Did you mean 'policy_attachment'?", id="no kind"),
        pytest.param(["--for", "2h", "--unit", "Workloads"], "/Workloads/Prod", id="no path"),
        pytest.param(["--for", "2h", "--reason", " "], "a pause says why", id="no reason"),
    ],
)
def test_a_pause_that_would_stop_nothing_is_refused(orgctl: Shell, arguments: list[str], told: str) -> None:
    ended = orgctl("pause", "--reason", "x", *arguments)

    assert ended.code == 1
    assert told in ended.err
    assert orgctl("resume").out == "0 pauses ended.\n"


def test_the_status_tells_of_a_bad_commit_with_its_problems(orgctl: Shell) -> None:
    bad = {"commit": "b" * 40, "problems": ["units.yaml:2:1: unknown key 'unitz'\n    Did you mean 'units'?"]}
    remember(orgctl.place, {IN_FORCE: "a" * 40, REFUSED: json.dumps(bad)})

    out = orgctl("status").out

    assert f"In force: commit {'a' * 40}" in out
    assert f"Bad commit {'b' * 12}; what is in force stays:\n  units.yaml:2:1: unknown key 'unitz'\n" in out
    assert json.loads(orgctl("status", "--json").out)["bad_commit"] == bad


def test_before_the_first_cycle_status_and_history_say_so(orgctl: Shell) -> None:
    assert orgctl("status").out == "No cycle yet.\n"
    assert orgctl("history").out == "No cycle yet.\n"
    assert orgctl("history", "--writes").out == "Nothing was written yet.\n"
    assert json.loads(orgctl("history", "--json").out) == []


def test_history_has_a_line_for_each_cycle_and_each_write(orgctl: Shell) -> None:
    orgctl("apply", "estate", "--yes")
    orgctl.says(MORE)
    orgctl("apply", "estate", "--yes")

    newest, oldest = orgctl("history").out.splitlines()
    assert newest.endswith("1 applied") and oldest.endswith("nothing to do")
    (write,) = orgctl("history", "--writes").out.splitlines()
    assert write.endswith("applied  create  organizational_unit /Sandbox")
    (write,) = json.loads(orgctl("history", "--writes", "--json").out)
    assert (write["before"], write["outcome"]) == (None, "applied")


def remember(place: Path, facts: dict[str, str]) -> None:
    """As a daemon would have left them."""
    store = Store(place / ".orgctl" / "orgctl.sqlite3", Clock())
    for key, value in facts.items():
        store.set(key, value)
    store.close()


# explain, access


JOINED = ESTATE + "---\nkind: Accounts\naccounts: {shop: {email: shop@example.com, unit: /Workloads}}\n"


def test_explain_names_the_statement_and_the_line_that_decide(orgctl: Shell) -> None:
    orgctl.says(JOINED)
    asked = ("--account", "shop", "--principal", "role/App", "--action", "organizations:LeaveOrganization")
    with seeded(orgctl.place / "estate" / "all.yaml") as other:
        there = {"AWS_ENDPOINT_URL": other.url, "AWS_ACCESS_KEY_ID": other.world.management_account}
        told = orgctl("explain", "estate", *asked, **there)
        live = orgctl("explain", "--live", "nowhere", *asked[:-1], "s3:GetObject", "--format", "json", **there)
        wrong = orgctl("explain", "estate", *asked, "--context", "SourceIp=1", **there)

    assert told.code == 0 and "DENIED" in told.out
    assert "'deny-leave' on /Workloads, statement 1 (estate/all.yaml:12:" in told.out
    assert json.loads(live.out)["verdict"] == "allowed"
    assert wrong.code == 1 and "KEY=VALUE" in wrong.err


def test_access_answers_one_question_at_a_time(orgctl: Shell) -> None:
    management = orgctl.sandbox.world.management_account

    assert orgctl("access").code == 1
    assert orgctl("access", "--account", management, "--principal", "alice").code == 1
    ended = orgctl("access", "--account", management, "--format", "csv")
    assert (ended.code, ended.out.splitlines()[0][:16]) == (0, "principal,group,")
    ended = orgctl("access", "--principal", "carol")
    assert ended.code == 1 and "no user or group 'carol'" in ended.err


# Whatever is wrong is told in words


@pytest.mark.parametrize(
    "arguments, environment, told",
    [
        pytest.param("plan nowhere", {}, "nowhere: there is no such directory", id="no such directory"),
        pytest.param("plan estate", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL", id="nobody there"),
        pytest.param("plan estate", {"AWS_ENDPOINT_URL": "htp:/x"}, "Invalid endpoint: htp:/x", id="no endpoint"),
        pytest.param("plan estate", {"AWS_PROFILE": "nobodys"}, "profile (nobodys)", id="no such profile"),
        pytest.param("plan estate", {"AWS_ACCESS_KEY_ID": ""}, "no AWS credentials", id="no credentials"),
        pytest.param("plan estate", {"ORGCTL_STATE_DIR": "estate/all.yaml"}, "ORGCTL_STATE_DIR", id="state in a file"),
        pytest.param("status", {"ORGCTL_STATE_DIR": "/proc/none"}, "ORGCTL_STATE_DIR", id="state cannot be written"),
        pytest.param("plan estate", {"ORGCTL_MODE": "enforced"}, "Did you mean 'enforce'?", id="a setting"),
        pytest.param(
            "plan estate",
            {"ORGCTL_MODES": '[{"kind": "acount", "mode": "observe"}]'},
            "modes[0].kind: there is no kind 'acount'\n    Did you mean 'account'?",
            id="a mode for no kind",
        ),
        pytest.param(
            "plan estate",
            {"ORGCTL_PROTECTED": '["acount/audit"]'},
            "protected[0]: there is no kind",
            id="a guard for none",
        ),
        pytest.param(
            "plan estate --out no/plan.json", {}, "no/plan.json cannot be written", id="out cannot be written"
        ),
        pytest.param("apply estate --plan none.json", {}, "'none.json' does not exist", id="no saved plan"),
        pytest.param("apply estate --plan /dev/zero", {}, "not a plan that", id="a device for a plan"),
        pytest.param("plan estate --formt json", {}, "Did you mean one of: '--format'", id="no such option"),
        pytest.param("pln", {}, "No such command 'pln'", id="no such command"),
        pytest.param("history --limit 0", {}, "--limit", id="no limit"),
        pytest.param("history --limit 99999999999999999999", {}, "--limit", id="past any number of rows"),
        pytest.param("run", {}, "Missing option '--repo'", id="no repository"),
        pytest.param("run --repo estate", {}, "https://host/path", id="no url"),
        pytest.param("run --repo file:///x --interval 5", {}, "30s, 15m, 2h or 1d", id="no duration"),
        pytest.param("run --repo file:///x", {"ORGCTL_LISTEN": "x"}, "127.0.0.1:9464", id="no address"),
        pytest.param("sandbox --port 65536", {}, "0<=x<=65535", id="no port"),
        pytest.param("sandbox --seed none", {}, "'none' does not exist", id="no seed"),
        pytest.param("schema --out estate/all.yaml", {}, "is a file", id="schemas in a file"),
        pytest.param("schema --out /proc/none", {}, "/proc/none cannot be written", id="schemas nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_words(orgctl: Shell, arguments: str, environment: dict[str, str], told: str) -> None:
    ended = orgctl(*arguments.split(), **environment)

    assert ended.code == 1
    assert told in ended.err
    assert "Traceback" not in ended.err + ended.out


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"plan_id": null}', "[" * 100_000, "9" * 5000, "\x00"])
def test_what_is_no_plan_is_not_applied(orgctl: Shell, content: str) -> None:
    (orgctl.place / "plan.json").write_text(content)

    ended = orgctl("apply", "estate", "--plan", "plan.json", "--yes")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "plan.json: not a plan that `orgctl plan --out` wrote\n    Plan again with --out.\n"


def test_credentials_of_a_member_account_are_refused_with_the_account_that_is_needed(orgctl: Shell) -> None:
    world = orgctl.sandbox.world
    member = world.add_account("member", "member@example.com", world.root_id)

    ended = orgctl("plan", "estate", AWS_ACCESS_KEY_ID=member.id)

    assert ended.code == 1
    assert member.id in ended.err and world.management_account in ended.err


@pytest.mark.parametrize("command", ["sandbox --port {port}", "run --repo file:///x"])
def test_a_port_in_use_is_told(orgctl: Shell, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = orgctl(*command.format(port=port).split(), ORGCTL_LISTEN=f"127.0.0.1:{port}")

    assert ended.code == 1
    assert "Address already in use" in ended.err and str(port) in ended.err


# As a process of its own


def test_every_command_says_what_it_is_for(orgctl: Shell) -> None:
    for name in cli.commands:
        ended = orgctl(name, "--help")
        assert (ended.code, ended.out.count("Usage: orgctl")) == (0, 1), name


def test_the_schemas_it_writes_are_those_that_are_checked_in(orgctl: Shell) -> None:
    assert orgctl("schema").code == 0

    checked_in = Path(__file__).parents[1] / "schemas"
    for made in (orgctl.place / "schemas").iterdir():
        assert made.read_text() == (checked_in / made.name).read_text()


def test_a_reader_that_has_enough_is_no_error_with_a_traceback(orgctl: Shell) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "controller", "plan", "estate"], stdout=nobody, stderr=subprocess.PIPE, text=True
        )

    assert done.stderr == ""


def test_the_daemon_converges_keeps_a_bad_commit_out_and_ends_when_told_to(orgctl: Shell) -> None:
    repository = Repository.create(orgctl.place / "estate.git")
    commit = repository.commit({"desired-state/all.yaml": MORE})
    with subprocess.Popen(
        [sys.executable, "-m", "controller", "run", "--repo", repository.url, "--interval", "1s"],
        env={**os.environ, "ORGCTL_LISTEN": "127.0.0.1:0"}, stderr=subprocess.PIPE, text=True,
    ) as daemon:  # fmt: skip
        assert daemon.stderr is not None
        events = (json.loads(line) for line in daemon.stderr)
        ended = next(event for event in events if event["event"] == "cycle ended")
        bad = repository.commit({"desired-state/all.yaml": "kind: [\n"})
        refused = next(event for event in events if event["event"].startswith("bad commit"))
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=20) == 0

    assert (ended["result"], ended["commit"]) == ("converged", commit)
    assert refused["commit"] == bad
    assert "Sandbox" in {unit.name for unit in orgctl.sandbox.world.units.values()}
    out = orgctl("status").out
    assert f"In force: commit {commit}" in out and f"Bad commit {bad[:12]}" in out


def test_the_first_quarter_of_an_hour_goes_as_the_readme_says(empty: Shell) -> None:
    """Its YAML against an organization that knows nothing of orgctl."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    text = dedent(readme.split("<<'YAML'\n")[1].split("       YAML\n")[0])
    empty.says(text)
    empty.monkeypatch.delenv("ORGCTL_MODE")

    with Sandbox.create() as fresh:
        there = {"AWS_ENDPOINT_URL": fresh.url, "AWS_ACCESS_KEY_ID": fresh.world.management_account}
        assert empty("validate", "estate").code == 0
        assert empty("plan", "estate", **there).code == 2
        pinned = {**there, "ORGCTL_ORGANIZATION": fresh.world.organization_id, "ORGCTL_MODE": "enforce"}
        assert empty("apply", "estate", answer="y\n", **pinned).code == 0
        assert empty("plan", "estate", **pinned).code == 0
        assert {"Security", "Workloads", "Prod", "Dev"} <= {unit.name for unit in fresh.world.units.values()}
