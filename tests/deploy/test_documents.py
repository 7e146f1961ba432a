"""The documents: what they link to is there, what they show is accepted, what they tell people to type exists."""

import json
import re
from pathlib import Path

import click
import jsonschema
import pytest

from controller.cli import cli
from controller.desired import yaml12

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
SCHEMAS = {
    schema["properties"]["kind"]["const"]: schema
    for schema in (json.loads(file.read_text()) for file in sorted((ROOT / "schemas").glob("*.json")))
    if "const" in schema.get("properties", {}).get("kind", {})
}


def ids(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "format.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split()[1])
def test_yaml_that_the_format_page_shows_is_accepted(block: str) -> None:
    documents, problems = yaml12.parse(block, "format.md")
    assert problems == []
    for document in documents:
        assert isinstance(document.value, dict)
        jsonschema.validate(document.value, SCHEMAS[str(document.value["kind"])])


def test_the_format_page_shows_every_kind_of_document() -> None:
    text = (ROOT / "docs" / "format.md").read_text()
    assert {kind for kind in SCHEMAS if kind not in text} == {"SandboxWorld"}  # a seed's, not the desired state's


def test_the_sandbox_page_shows_its_own_kind_of_document() -> None:
    assert "kind: SandboxWorld" in (ROOT / "docs" / "sandbox.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    for line in re.findall(r"orgctl ((?:[a-z]+\b)[^`\n]*)", code(page.read_text())):
        name, *words = line.split()
        if name not in cli.commands:
            continue  # `docker run orgctl orgctl …`, a volume, a container's name
        options = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert {word for word in words if re.fullmatch(r"--[a-z-]+", word)} <= options | {"--help"}, line


def test_the_readme_lists_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name, command in cli.commands.items() if shown(command) and f"orgctl {name}" not in readme] == []


def test_make_targets_that_the_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:^|[`=1] ?)make ([a-z]+)\b", code(page.read_text()), re.MULTILINE)
        assert set(named) <= targets, page.name


def shown(command: click.Command) -> bool:
    return not command.hidden


def code(text: str) -> str:
    """What a page sets as code: indented lines and `…`."""
    return "\n".join(
        [
            *(line.strip() for line in text.splitlines() if line.startswith("    ")),
            *(f"`{span}`" for span in re.findall(r"`([^`\n]+)`", text)),
        ]
    )
