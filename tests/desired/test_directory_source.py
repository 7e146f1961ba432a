from __future__ import annotations

import os
from pathlib import Path

import pytest

from controller.desired import source
from controller.desired.load import load, read
from controller.desired.source import directory
from controller.errors import InvalidInput


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("state")
    path.mkdir()
    (path / "organization.yaml").write_text("kind: Organization\n")
    return path


def test_yaml_and_json_are_read_and_nothing_else(root: Path) -> None:
    (root / "sub").mkdir()
    (root / ".git").mkdir()
    for name in ("sub/a.yml", "sub/p.json", "notes.txt", ".hidden.yaml", ".git/config.yaml"):
        (root / name).write_text("")

    found = directory(root)

    assert list(found.files) == ["state/organization.yaml", "state/sub/a.yml", "state/sub/p.json"]
    assert found.problems == ()
    assert found.commit is None


@pytest.mark.parametrize("target", ["../outside.yaml", "organization.yaml", "../outside", "nowhere", "."])
def test_a_symlink_is_refused_at_its_own_place_and_never_followed(root: Path, target: str) -> None:
    Path("outside.yaml").write_text("kind: Accounts\n")
    Path("outside").mkdir()
    Path("outside/secret.yaml").write_text("kind: Accounts\n")
    (root / "link.yaml").symlink_to(target)

    estate, problems = read(directory(root))

    assert estate is None
    assert [str(problem).split("\n")[0] for problem in problems] == [
        "state/link.yaml: a symbolic link: links are not followed"
    ]


def test_content_cannot_come_from_outside_of_the_tree(root: Path) -> None:
    Path("secret.json").write_text("{}")
    for name in ("../secret.json", f"{Path.cwd()}/secret.json", "sub/../../secret.json"):
        (root / "p.yaml").write_text(f"kind: TagPolicy\nname: t\ncontent_file: {name}\n")

        (problem,) = read(directory(root))[1]

        assert f"state/p.yaml:3:15: there is no file '{name}'" in str(problem)


@pytest.mark.parametrize("name", [".", "./state", "state/../state", "{absolute}"])
def test_content_beside_its_document_is_found_however_the_directory_is_called(root: Path, name: str) -> None:
    (root / "p.yaml").write_text("kind: TagPolicy\nname: t\ncontent_file: ./json/../t.json\n")
    (root / "t.json").write_text('{"tags": {}}')
    if name == ".":
        os.chdir(root)

    (policy,) = [
        d for d in load(directory(name.format(absolute=root.absolute()))).documents if d.model.kind != "Organization"
    ]

    assert policy.model.content == {"tags": {}}  # type: ignore[attr-defined]


def test_a_pipe_is_refused_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.yaml")

    assert [problem.what for problem in directory(root).problems] == ["not a regular file"]


def test_a_file_too_large_is_refused_unread(root: Path) -> None:
    with (root / "big.yaml").open("wb") as file:
        file.truncate(50 * 2**20)

    found = directory(root)

    assert "state/big.yaml" not in found.files
    assert [problem.what for problem in found.problems] == ["50.0 MiB; the limit is 4 MiB"]


def test_a_name_that_is_no_utf_8_is_told_in_print(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9.yaml")).write_text("")

    (problem,) = directory(root).problems

    assert str(problem).encode().startswith(b"state/caf\\xe9.yaml: the file's name is not valid UTF-8")


def test_too_many_files_end_the_reading(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_FILES", 2)
    for number in range(5):
        (root / f"p{number}.yaml").write_text("")

    found = directory(root)

    assert len(found.files) == 2
    assert "nothing further was read" in found.problems[0].what


def test_a_directory_that_is_not_there_is_said() -> None:
    with pytest.raises(InvalidInput, match="there is no such directory"):
        directory("no/such/place")
