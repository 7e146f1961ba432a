from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from controller.desired import schema as made
from controller.desired.schema import INDEX, text
from controller.desired.yaml12 import parse
from controller.sandbox.document import SandboxWorld

HOME = Path(__file__).parents[2]


def schemas() -> dict[str, dict[str, Any]]:
    return dict(made.schemas(also=[SandboxWorld]))


def validator(name: str) -> jsonschema.Draft202012Validator:
    found = schemas()
    resources = [(file, Resource.from_contents(schema)) for file, schema in found.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    return jsonschema.Draft202012Validator(found[name], registry=registry)


def test_the_checked_in_schemas_are_those_of_the_models() -> None:
    checked_in = {path.name: path.read_text() for path in (HOME / "schemas").glob("*.json")}

    stale = "run: orgctl schema --out schemas/"
    assert checked_in == {name: text(schema) for name, schema in schemas().items()}, stale


def test_they_are_written_into_a_directory_that_need_not_be_there(tmp_path: Path) -> None:
    written = made.write(tmp_path / "new", also=[SandboxWorld])

    assert {path.name: path.read_text() for path in written} == {name: text(s) for name, s in schemas().items()}


@pytest.mark.parametrize("name", schemas())
def test_each_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


@pytest.mark.parametrize("name", sorted(set(schemas()) - {INDEX}))
def test_every_key_is_explained(name: str) -> None:
    schema = schemas()[name]
    models = [schema, *schema.get("$defs", {}).values()]
    dumb = [
        key
        for model in models
        for key, field in model["properties"].items()
        if not ({"description", "examples", "$ref"} & set(field)) and key not in ("description",)
    ]

    assert dumb == []


def test_the_worked_example_satisfies_them() -> None:
    valid = validator(INDEX)
    for path in sorted((HOME / "desired-state").rglob("*.y*ml")):
        for document in parse(path.read_text(), str(path))[0]:
            assert [error.message for error in valid.iter_errors(document.value)] == [], path


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"kind": "Acounts"}, id="unknown kind"),
        pytest.param({"kind": "Accounts", "acounts": {}}, id="unknown key"),
        pytest.param({"kind": "Accounts", "accounts": {"a": {"id": 111122223333}}}, id="an id that is a number"),
        pytest.param({"kind": "PermissionSet", "name": "P", "managed_policies": None}, id="null for a list"),
        pytest.param({"kind": "SecurityHub", "targets": {}}, id="no standards"),
    ],
)
def test_they_refuse_what_the_loader_refuses(document: Any) -> None:
    assert list(validator(INDEX).iter_errors(document))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"kind": "OrganizationalUnits", "units": {"A": None}}, id="an OU without attributes"),
        pytest.param({"kind": "Accounts", "accounts": {}, "version": 1}, id="the version"),
    ],
)
def test_they_take_what_the_loader_takes(document: Any) -> None:
    assert list(validator(INDEX).iter_errors(document)) == []


def test_the_demo_s_world_satisfies_its_own() -> None:
    world = HOME / "controller" / "sandbox" / "worlds" / "demo" / "world.yaml"
    (document,) = parse(world.read_text(), str(world))[0]

    assert [error.message for error in validator("sandbox_world.json").iter_errors(document.value)] == []
