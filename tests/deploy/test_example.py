"""desired-state/: the worked example that people copy."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from controller.desired import yaml12
from controller.desired.load import load
from controller.desired.source import directory

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "desired-state").rglob("*.yaml"))


def test_it_is_valid_and_nothing_in_it_is_doubtful() -> None:
    estate = load(directory(ROOT / "desired-state"))
    assert estate.warnings == ()
    assert {"/Sports/Baseball", "/Media", "/Governance", "/Workloads/Prod"} <= set(estate.units)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_editor_finds_the_schema_of_a_file_and_the_file_fits_it(file: Path) -> None:
    line = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
    assert line is not None
    schema = json.loads((file.parent / line[1]).read_text())
    for document in documents(file):
        jsonschema.validate(document, schema)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_says_why_before_it_says_what(file: Path) -> None:
    assert file.read_text().splitlines()[1].startswith("# ")


def test_every_policy_and_permission_set_says_what_it_is_for() -> None:
    for file in FILES:
        for document in documents(file):
            if document["kind"].endswith(("Policy", "Set")):
                assert document["description"], document["name"]


def documents(file: Path) -> list[dict[str, Any]]:
    found, problems = yaml12.parse(file.read_text(), file.name)
    assert problems == []
    return [dict(document.value) for document in found]  # type: ignore[arg-type]  # loaded: mappings
