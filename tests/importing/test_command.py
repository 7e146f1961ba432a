"""The command: where it writes, what it refuses, what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller import cli
from controller.errors import InvalidInput, OrgctlError
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed.reading import parse
from controller.sandbox.seed.sowing import sow
from tests.cycle.house import files
from tests.importing.test_fold import SEED


@pytest.fixture(scope="module")
def organization() -> Iterator[Sandbox]:
    seed = parse(files(SEED))
    sandbox = Sandbox.create(management_account=seed.document.management.id)
    sow(sandbox.world, seed.estate, seed.document)
    with sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def place(organization: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {
        "AWS_ENDPOINT_URL": organization.url,
        "AWS_ACCESS_KEY_ID": organization.world.management_account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": "us-east-1",
        "ORGCTL_RATE_MULTIPLE": "1000",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["import", *arguments])


def test_files_are_written_and_validate(place: Path) -> None:
    result = run("--out", "estate")
    assert result.exit_code == cli.DONE, (result.output, result.exception)
    assert "Next: orgctl plan estate" in result.output
    assert (place / "estate" / "units.yaml").is_file()
    assert CliRunner().invoke(cli.cli, ["validate", "estate"]).exit_code == 0
    notes = (place / "estate" / "import-notes.yaml").read_text()
    assert re.match(r"# Organization o-\w+ as orgctl [\d.]+ found it on \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\.\n", notes)
    assert all(line.startswith("#") for line in notes.splitlines())


def test_a_directory_that_is_not_empty_is_refused(place: Path) -> None:
    (place / "estate").mkdir()
    (place / "estate" / "mine.yaml").write_text("")
    result = run("--out", "estate")
    assert isinstance(result.exception, InvalidInput)
    assert "is not an empty directory" in str(result.exception)
    assert [file.name for file in (place / "estate").iterdir()] == ["mine.yaml"]


def test_a_seed_lies_beside_the_directory(place: Path) -> None:
    assert run("--out", "estate", "--seed").exit_code == cli.DONE
    seed = (place / "estate-sandbox.yaml").read_text()
    assert "estate: estate" in seed
    assert "kind: SandboxWorld" not in "".join(f.read_text() for f in (place / "estate").rglob("*.yaml"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "permission_sets"], "Did you mean 'permission_set'?"),
        (["--unit", "Workloads"], "'Workloads' is not an OU's path"),
        (["--unit", "/Workload"], "there is no OU '/Workload'"),
        (["--region", "Ireland"], "'Ireland' is not a Region"),
        (["--organization", "o-0000000000"], "the settings name o-0000000000"),
        (["--seed", "--unit", "/Workloads"], "a part of an organization is none to rehearse on"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_written(place: Path, arguments: list[str], words: str) -> None:
    result = run("--out", "estate", *arguments)
    assert isinstance(result.exception, OrgctlError)
    assert words in str(result.exception)
    assert not list(place.iterdir())


def test_what_cannot_be_read_is_said_and_the_rest_is_written(organization: Sandbox, place: Path) -> None:
    organization.faults.add(operation="sso-admin:ListPermissionSets", kind="error", code="AccessDeniedException")
    try:
        result = run("--out", "estate")
    finally:
        organization.faults.all.clear()
    assert result.exit_code == cli.ERROR
    assert "Could not be read" in result.output and "permission_set" in result.output
    assert (place / "estate" / "units.yaml").is_file()
    assert not (place / "estate" / "access").exists()
