"""What is shipped is what is meant to be shipped: the locks, the container, the dashboard, the alert rules."""

import base64
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from controller.metrics import Metrics

ROOT = Path(__file__).parents[2]
LOCKS = (ROOT / "requirements.lock", ROOT / "deploy" / "requirements.lock", ROOT / ".ci" / "requirements.lock")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_names_exact_versions_with_hashes_and_no_place(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE), "no index, no options: they belong to who installs"
    for entry in re.split(r"\n(?=\S)", text.strip()):
        if not entry.startswith("#"):
            assert re.match(r"[\w.\[\]-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry


def test_the_containers_lock_is_a_part_of_the_whole_one() -> None:
    whole, container = (dict(versions(lock)) for lock in LOCKS[:2])
    assert container.items() <= whole.items(), "run `make lock`"
    assert "moto" in whole
    assert container.keys().isdisjoint({"moto", "pytest", "awscli"})


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(r) for r in sum(project["optional-dependencies"].values(), project["dependencies"])]
    locked = dict(versions(LOCKS[0]))
    assert [str(r) for r in asked if locked.get(r.name.lower(), "0") not in r.specifier] == [], "run `make lock`"


def versions(lock: Path) -> Iterator[tuple[str, str]]:
    for name, version in re.findall(r"^([\w.-]+)(?:\[\S+\])?==(\S+)", lock.read_text(), re.MULTILINE):
        yield name.lower(), version


class TestContainer:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    final = text[text.rindex("FROM ") :]

    def test_it_runs_as_nobody_in_particular(self) -> None:
        user = re.findall(r"^USER (\S+)$", self.final, re.MULTILINE)
        assert user == ["65532:65532"], "by number, so that an orchestrator can check that it is not root"

    def test_the_final_stage_installs_three_packages(self) -> None:
        found = re.search(r"apt-get install --yes --no-install-recommends ([\w -]+?)\s+&&", self.final)
        assert found is not None
        assert found[1].split() == ["ca-certificates", "git", "openssh-client"]

    def test_the_final_stage_has_no_tools_to_build_with(self) -> None:
        assert "pip install" not in self.final
        assert "pip uninstall" in self.final

    def test_what_it_writes_lies_in_the_volume(self) -> None:
        assert "VOLUME /var/lib/orgctl" in self.final
        assert "ORGCTL_STATE_DIR=/var/lib/orgctl" in self.final

    def test_both_stages_use_one_python(self) -> None:
        assert len(set(re.findall(r"^FROM (\S+)", self.text, re.MULTILINE))) == 1

    def test_it_is_checked_for_health(self) -> None:
        assert "/healthz" in self.final
        assert self.final.index("ENTRYPOINT") > self.final.index("HEALTHCHECK")


def test_known_hosts_have_the_fingerprints_their_comment_claims() -> None:
    text = (ROOT / "deploy" / "known_hosts").read_text()
    claimed = re.findall(r"(SHA256:\S+)", text)
    assert sorted(claimed) == sorted(fingerprint(key) for key in re.findall(r"^[a-z.]+ \S+ (\S+)$", text, re.MULTILINE))


def fingerprint(key: str) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=")


RULES = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "orgctl.json").read_text())


def test_every_metric_of_the_dashboard_and_the_rules_exists() -> None:
    metrics = Metrics(["account"], ["organizations:ListAccounts"])
    there = set(re.findall(r"^(orgctl_\w+)", metrics.render().decode(), re.MULTILINE))
    used = set(re.findall(r"orgctl_\w+", " ".join([*queries(DASHBOARD), *(rule["expr"] for rule in RULES)])))
    assert used <= there


def test_every_metric_of_state_is_on_the_dashboard() -> None:
    metrics = Metrics(["account"], ["organizations:ListAccounts"])
    families = set(re.findall(r"^# HELP (orgctl_\w+)", metrics.render().decode(), re.MULTILINE))
    ours = {family for family in families if not family.startswith("orgctl_process_")}
    shown = " ".join(queries(DASHBOARD))
    assert [family for family in ours if family not in shown] == []


def test_every_alert_has_its_paragraph_in_the_operations_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for rule in RULES:
        assert f"\n### {rule['alert']}\n" in page
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_alert_has_a_test() -> None:
    text = (ROOT / "deploy" / "prometheus" / "rules_test.yaml").read_text()
    assert [rule["alert"] for rule in RULES if rule["alert"] not in text] == []


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    """Every PromQL expression of the dashboard's panels."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
