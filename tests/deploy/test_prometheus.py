"""The dashboard's queries and the alert rules, evaluated by a real Prometheus that scrapes a real daemon.

Runs with `make monitoring`, and in CI; skipped where there is no `prometheus` program.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.sandbox.sandbox import Sandbox
from tests.deploy.test_packaging import DASHBOARD, ROOT, RULES, queries

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.skipif(
        shutil.which("prometheus") is None and not os.environ.get("CI"),
        reason="no prometheus program here; on Debian: apt-get install prometheus",
    ),
]
PATIENCE = 60
"""Seconds until whatever should have come up is given up."""
DESIRED = """\
kind: OrganizationalUnits
units:
  Workloads:
    units: {Prod: , Dev: }
---
kind: ServiceControlPolicy
name: deny-leave-organization
targets: {units: [/Workloads]}
content:
  Version: "2012-10-17"
  Statement: [{Effect: Deny, Action: organizations:LeaveOrganization, Resource: "*"}]
"""
# A range over these shows something as soon as the daemon has converged; alerts and failures rightly show nothing.
ALWAYS_THERE = (
    "orgctl_ready",
    "orgctl_last_good_cycle_timestamp_seconds",
    "orgctl_commit_info",
    "orgctl_resources",
    "orgctl_cycles_total",
    "orgctl_cycle_seconds_bucket",
    "orgctl_phase_seconds_sum",
    "orgctl_aws_calls_total",
    "orgctl_build_info",
    "orgctl_process_resident_memory_bytes",
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """A function from an API path to Prometheus' answer, once it has scraped a daemon that converged."""
    place = tmp_path_factory.mktemp("monitoring")
    with Sandbox() as sandbox, running_daemon(sandbox, place) as daemon, running_prometheus(daemon, place) as url:

        def ask(path: str) -> Any:
            return json.loads(get(url + path))["data"]

        def scraped_twice() -> bool:
            answer = ask(query(f"min(count_over_time(orgctl_cycles_total[{WINDOW}])) >= 3"))
            return bool(answer["result"])

        wait_for(scraped_twice, "Prometheus has scraped the daemon")
        yield ask


@pytest.mark.parametrize("expression", sorted(set(queries(DASHBOARD))))
def test_a_query_of_the_dashboard_evaluates(prometheus: Callable[[str], Any], expression: str) -> None:
    result = prometheus(query(filled_in(expression)))["result"]
    if expression_is_always_there(expression):
        assert result, "the daemon is up and has converged, so there is something to show"


def test_the_daemons_state_is_what_the_dashboard_shows(prometheus: Callable[[str], Any]) -> None:
    def value(expression: str) -> float:
        return float(prometheus(query(expression))["result"][0]["value"][1])

    assert value("orgctl_ready") == 1
    assert value('orgctl_resources{kind="organizational_unit", state="in_sync"}') >= 3
    assert value('sum(orgctl_resources{state=~"drifted|failed|blocked"})') == 0
    assert value('sum(orgctl_changes_total{result="applied"})') >= 5
    assert value("sum(orgctl_aws_calls_total)") > 10
    assert value('orgctl_aws_calls_total{service="other"}') == 0, "a kind calls what it does not declare"


def test_every_alert_rule_is_evaluated_without_an_error(prometheus: Callable[[str], Any]) -> None:
    def evaluated() -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = prometheus("/api/v1/rules")["groups"][0]["rules"]
        return rules

    wait_for(lambda: all(rule["health"] != "unknown" for rule in evaluated()), "the rules are evaluated")
    assert {rule["name"] for rule in evaluated()} == {rule["alert"] for rule in RULES}
    assert [(rule["name"], rule.get("lastError")) for rule in evaluated() if rule["health"] != "ok"] == []


def test_a_daemon_that_converged_fires_no_alert(prometheus: Callable[[str], Any]) -> None:
    assert prometheus("/api/v1/alerts")["alerts"] == []


WINDOW = "20s"


def filled_in(expression: str) -> str:
    """As Grafana sends it."""
    return expression.replace("$instance", ".*").replace("$__rate_interval", WINDOW)


def expression_is_always_there(expression: str) -> bool:
    return expression.count("> 0") == 0 and any(name in expression for name in ALWAYS_THERE)


def query(expression: str) -> str:
    return "/api/v1/query?" + urllib.parse.urlencode({"query": expression})


@contextmanager
def running_daemon(sandbox: Sandbox, place: Path) -> Iterator[str]:
    """`orgctl run` on the sandbox, converged and ready; its host:port."""
    clone, listen = place / "clone", f"127.0.0.1:{free_port()}"
    (clone / "desired-state").mkdir(parents=True)
    (clone / "desired-state" / "all.yaml").write_text(DESIRED)
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-q", "-m", "First")):
        subprocess.run(["git", "-C", str(clone), *arguments], check=True)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ORGCTL_", "COV_CORE_"))},
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": sandbox.world.management_account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ORGCTL_ORGANIZATION": sandbox.world.organization_id,
        "ORGCTL_MODE": "enforce",
        "ORGCTL_RATE_MULTIPLE": "100",
        "ORGCTL_STATE_DIR": str(place / "state"),
        "ORGCTL_LISTEN": listen,
        "ORGCTL_RESYNC": "2s",
        "ORGCTL_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "controller", "run", "--repo", clone.as_uri(), "--interval", "1s"]
    with process(command, place / "daemon.log", env=environment, cwd=place):

        def converged() -> bool:
            text = get(f"http://{listen}/metrics").decode()
            return any(
                line.startswith('orgctl_cycles_total{result="converged"}') and not line.endswith(" 0.0")
                for line in text.splitlines()
            )

        wait_for(converged, "the daemon has converged", place / "daemon.log")
        yield listen


@contextmanager
def running_prometheus(target: str, place: Path) -> Iterator[str]:
    """A Prometheus that scrapes `target` and evaluates the rules; its URL."""
    listen = f"127.0.0.1:{free_port()}"
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ROOT / "deploy" / "prometheus" / "rules.yaml")],
        "scrape_configs": [{"job_name": "orgctl", "static_configs": [{"targets": [target]}]}],
    }
    (place / "prometheus.yaml").write_text(yaml.safe_dump(config))
    command = [
        "prometheus",
        f"--config.file={place / 'prometheus.yaml'}",
        f"--storage.tsdb.path={place / 'tsdb'}",
        f"--web.listen-address={listen}",
    ]
    with process(command, place / "prometheus.log"):
        yield f"http://{listen}"


@contextmanager
def process(command: list[str], log: Path, **options: Any) -> Iterator[None]:
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options
        ) as running,
    ):
        try:
            yield
        finally:
            running.terminate()


def wait_for(condition: Callable[[], bool], what: str, log: Path | None = None) -> None:
    """Other processes' progress: nothing but the real clock can tell."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (urllib.error.URLError, ConnectionError, KeyError):
            pass
        time.sleep(0.1)
    said = log.read_text()[-3000:] if log else ""
    pytest.fail(f"not within {PATIENCE} s: {what}\n{said}")


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
