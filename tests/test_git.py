"""The mirror, against real git repositories."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.desired.source import MAX_FILE_BYTES
from controller.errors import GitError, InvalidInput, Stopped
from controller.git.mirror import Mirror
from controller.git.process import redacted
from controller.git.remote import Remote
from tests.clocks import StillClock
from tests.repository import Repository

YAML = "kind: Organization\nregions: [eu-west-1]\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path / "estate")


@pytest.fixture
def mirror(tmp_path: Path, repository: Repository) -> Mirror:
    return mirror_of(tmp_path, repository.url)


def mirror_of(tmp_path: Path, url: str, branch: str = "main") -> Mirror:
    return Mirror(tmp_path / "state" / "repository.git", Remote(url, branch), StillClock())


# Fetching


def test_a_fetch_gives_the_branchs_head(repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({"desired-state/org.yaml": YAML}, "Say which Regions we use")

    commit = mirror.fetch()

    assert commit.hash == head
    assert (commit.author, commit.subject) == ("Ada", "Say which Regions we use")
    assert commit.time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_later_fetch_sees_the_new_commit(repository: Repository, mirror: Mirror) -> None:
    repository.commit({"a.yaml": YAML})
    mirror.fetch()
    later = repository.commit({"a.yaml": YAML + "# more\n"})

    assert mirror.fetch().hash == later


def test_a_missing_branch_is_named_with_what_to_do(tmp_path: Path, repository: Repository) -> None:
    repository.commit({"a.yaml": YAML})

    with pytest.raises(GitError, match=r"has no branch 'release'.*correct --branch"):
        mirror_of(tmp_path, repository.url, "release").fetch()


def test_an_empty_repository_is_said_to_have_no_branch(mirror: Mirror) -> None:
    with pytest.raises(GitError, match=r"has no branch 'main' \(or is empty\)"):
        mirror.fetch()


def test_a_repository_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=f"cannot fetch 'main' from file://{tmp_path}/gone"):
        mirror_of(tmp_path, f"file://{tmp_path}/gone").fetch()


def test_what_was_fetched_stays_when_the_remote_is_gone(repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({"state/a.yaml": YAML})
    mirror.fetch()
    shutil.rmtree(repository.path)

    with pytest.raises(GitError):
        mirror.fetch()
    assert mirror.read(head, "state").files == {"state/a.yaml": YAML.encode()}


def test_git_under_way_ends_when_the_process_is_asked_to_stop(tmp_path: Path, repository: Repository) -> None:
    repository.commit({"a.yaml": YAML})
    mirror = mirror_of(tmp_path, f"ssh://nowhere.invalid{repository.path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_SSH_COMMAND", "sleep 60 #")
        mirror._clock.stop.set()
        with pytest.raises(Stopped):
            mirror.fetch()


def test_git_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", "sleep 60 #")
    mirror = Mirror(
        tmp_path / "m.git",
        Remote("ssh://git@nowhere.invalid/estate", "main"),
        StillClock(),
        fetch_timeout=timedelta(seconds=0.1),
    )
    with pytest.raises(GitError, match=r"ended after \d+ s: is the remote reachable"):
        mirror.fetch()


# History


def test_descent_is_told_from_a_rewritten_history(repository: Repository, mirror: Mirror) -> None:
    first = repository.commit({"a.yaml": "1"})
    second = repository.commit({"a.yaml": "2"})
    mirror.fetch()
    repository.rewind()
    other = repository.commit({"a.yaml": "3"})

    assert mirror.fetch().hash == other
    assert mirror.descends(second, first)
    assert mirror.descends(first, first)
    assert not mirror.descends(other, second)
    assert not mirror.descends(first, second)


def test_a_held_commit_outlives_a_force_push_and_garbage_collection(repository: Repository, mirror: Mirror) -> None:
    kept = repository.commit({"a.yaml": "2"})
    mirror.fetch()
    mirror.hold(kept)
    repository.git("commit", "--quiet", "--amend", "-m", "Rewritten")
    mirror.fetch()
    mirror._git("gc", "--quiet", "--prune=now")

    assert mirror.has(kept)
    assert mirror.read(kept, "").files == {"a.yaml": b"2"}


def test_a_commit_never_fetched_is_no_ancestor(repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({"a.yaml": "1"})
    mirror.fetch()

    assert not mirror.descends(head, "0" * 40)


def test_a_damaged_mirror_is_made_anew(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({"a.yaml": "1"})
    mirror.fetch()
    mirror.hold(head)
    for file in (tmp_path / "state" / "repository.git" / "objects").rglob("*"):
        if file.is_file():
            file.chmod(stat.S_IRUSR | stat.S_IWUSR)
            file.write_bytes(b"rubbish")

    assert mirror.fetch().hash == head
    assert mirror.read(head, ".").files == {"a.yaml": b"1"}
    assert mirror._git("rev-parse", "refs/orgctl/in-force").decode().strip() == head


def test_the_lock_of_a_git_that_was_killed_does_not_stop_us(
    tmp_path: Path, repository: Repository, mirror: Mirror
) -> None:
    kept = repository.commit({"a.yaml": "1"})
    mirror.fetch()
    mirror.hold(kept)
    repository.git("commit", "--quiet", "--amend", "-m", "Rewritten")
    (tmp_path / "state" / "repository.git" / "refs" / "orgctl" / "fetched.lock").touch()

    assert mirror.fetch().hash == repository.head
    assert mirror.read(kept, "").files == {"a.yaml": b"1"}


def test_an_outage_leaves_a_sound_mirror_as_it_is(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    repository.commit({"a.yaml": "1"})
    mirror.fetch()
    mark = tmp_path / "state" / "repository.git" / "mark"
    mark.touch()
    away = repository.path.rename(tmp_path / "away")
    with pytest.raises(GitError):
        mirror.fetch()
    away.rename(repository.path)
    mirror.fetch()

    assert mark.exists()


def test_a_mirror_damaged_while_the_remote_is_away_is_left_for_later(
    tmp_path: Path, repository: Repository, mirror: Mirror
) -> None:
    head = repository.commit({"a.yaml": "1"})
    mirror.fetch()
    (tmp_path / "state" / "repository.git" / "HEAD").write_text("rubbish")
    away = repository.path.rename(tmp_path / "away")

    with pytest.raises(GitError):
        mirror.read(head, ".")
    away.rename(repository.path)
    assert mirror.read(head, ".").files == {"a.yaml": b"1"}


# Reading a commit


def test_only_the_states_own_files_are_read(repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({
        "state/units/a.yaml": "a", "state/b.yml": "b", "state/c.json": "{}", "state/README.md": "#", "d.yaml": "d",
        "state/.ci/e.yaml": "e", "state/.f.yaml": "f",
    })  # fmt: skip
    mirror.fetch()

    tree = mirror.read(head, "state/")

    assert tree.files == {"state/units/a.yaml": b"a", "state/b.yml": b"b", "state/c.json": b"{}"}
    assert (tree.commit, tree.problems) == (head, ())


def test_an_old_commit_is_read_as_it_was(repository: Repository, mirror: Mirror) -> None:
    old = repository.commit({"a.yaml": "old"})
    repository.commit({"a.yaml": "new"})
    mirror.fetch()

    assert mirror.read(old, "").files == {"a.yaml": b"old"}


def test_a_symbolic_link_is_reported_and_never_followed(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    (tmp_path / "secret.yaml").write_text("secret")
    (repository.path / "state").mkdir()
    (repository.path / "state" / "out.yaml").symlink_to(tmp_path / "secret.yaml")
    (repository.path / "state" / "all").symlink_to(tmp_path)
    head = repository.commit({"state/a.yaml": "a"})
    mirror.fetch()

    tree = mirror.read(head, "state")

    assert tree.files == {"state/a.yaml": b"a"}
    assert [str(problem).splitlines()[0] for problem in tree.problems] == [
        "state/all: a symbolic link: links are not followed",
        "state/out.yaml: a symbolic link: links are not followed",
    ]


def test_a_state_path_that_is_a_symbolic_link_is_no_directory(
    tmp_path: Path, repository: Repository, mirror: Mirror
) -> None:
    (repository.path / "state").symlink_to(tmp_path)
    head = repository.commit()
    mirror.fetch()

    with pytest.raises(InvalidInput, match="has no directory 'state'"):
        mirror.read(head, "state")


def test_a_submodule_is_reported_and_not_read(repository: Repository, mirror: Mirror) -> None:
    first = repository.commit({"state/a.yaml": "a"})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{first},state/shared")
    head = repository.record("Share")
    mirror.fetch()

    tree = mirror.read(head, "state")

    assert tree.files == {"state/a.yaml": b"a"}
    assert [problem.file for problem in tree.problems] == ["state/shared"]
    assert "submodule" in tree.problems[0].what


def test_a_huge_file_is_refused_by_its_size(repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({"state/a.yaml": "a", "state/huge.yaml": b"#" * (MAX_FILE_BYTES + 1)})
    mirror.fetch()

    tree = mirror.read(head, "state")

    assert list(tree.files) == ["state/a.yaml"]
    assert "the limit is 4 MiB" in tree.problems[0].what


def test_odd_names_and_any_bytes_are_read_as_they_are(repository: Repository, mirror: Mirror) -> None:
    files = {"s/-n.yaml": b"\x00\xff", "s/a b\n.yaml": b"", "s/ü ' \".yaml": b"x\n", "s/:(glob)*.yaml": b"y"}
    head = repository.commit(files)
    mirror.fetch()

    assert mirror.read(head, "s").files == files


def test_a_commit_without_the_state_path_is_bad_input(repository: Repository, mirror: Mirror) -> None:
    head = repository.commit({"a.yaml": "a"})
    mirror.fetch()

    with pytest.raises(InvalidInput, match="has no directory 'desired-state'"):
        mirror.read(head, "desired-state")


@pytest.mark.parametrize("path", ["/etc", "../state", "a/../../b"])
def test_a_state_path_cannot_lead_out_of_the_repository(repository: Repository, mirror: Mirror, path: str) -> None:
    head = repository.commit({"a.yaml": "a"})
    mirror.fetch()

    with pytest.raises(InvalidInput, match="leads out of the repository"):
        mirror.read(head, path)


# Signatures


def test_a_commit_signed_by_an_allowed_signer_is_good(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    allowed = repository.make_key(tmp_path / "key")
    head = repository.commit({"a.yaml": "a"}, sign=True)
    mirror.fetch()

    assert mirror.verify(head, allowed) is None


def test_an_unsigned_commit_is_not(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    allowed = repository.make_key(tmp_path / "key")
    head = repository.commit({"a.yaml": "a"})
    mirror.fetch()

    assert mirror.verify(head, allowed) == "it is not signed"


def test_a_strangers_signature_is_not_enough(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    allowed = repository.make_key(tmp_path / "key")
    repository.make_key(tmp_path / "stranger")
    head = repository.commit({"a.yaml": "a"}, sign=True)
    mirror.fetch()

    assert mirror.verify(head, allowed) == "it is signed with a key that the allowed signers do not list"


def test_a_signature_over_other_content_is_not_good(tmp_path: Path, repository: Repository, mirror: Mirror) -> None:
    allowed = repository.make_key(tmp_path / "key")
    repository.commit({"a.yaml": "a"}, sign=True)
    signed = repository.git("cat-file", "commit", "HEAD")
    forged = tmp_path / "forged"
    forged.write_text(signed.replace("Change", "Forged") + "\n")
    head = repository.git("hash-object", "-t", "commit", "-w", str(forged))
    repository.git("update-ref", "refs/heads/main", head)
    mirror.fetch()

    why = mirror.verify(head, allowed)
    assert why is not None
    assert why.startswith("its signature does not match its content")


def test_without_the_allowed_signers_file_nothing_is_good(
    tmp_path: Path, repository: Repository, mirror: Mirror
) -> None:
    head = repository.commit({"a.yaml": "a"})
    mirror.fetch()

    assert "is not a file" in str(mirror.verify(head, tmp_path / "gone"))


# What may be asked for


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ext::sh -c x",
        "ext::sh",
        "http://git.example.com/estate",
        "git://git.example.com/estate",
        "ftp://git.example.com/estate",
        "ssh://-oProxyCommand=x/estate",
        "ssh://git@-oProxyCommand=x/estate",
        "git@-host:estate",
        "/srv/estate",
        "estate",
        "https://git.example.com/a b",
        "https://bot:pass/word@git.example.com/estate",
        "https://git.example.com:port/estate",
        "https:///estate",
        "",
    ],
)
def test_a_url_that_git_might_take_for_something_else_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="--repo"):
        Remote(url, "main")


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/team/estate.git",
        "ssh://git@git.example.com:2222/team/estate.git",
        "git@git.example.com:team/estate.git",
        "file:///srv/estate.git",
    ],
)
def test_https_ssh_and_file_urls_are_taken_as_they_are(url: str) -> None:
    assert Remote(url, "main").url == url


@pytest.mark.parametrize(
    "branch", ["-x", "", "a..b", "a b", "a:b", "a.lock", "a/", "refs/../x", "a@{1}", "+a", "a^", "*"]
)
def test_a_branch_that_git_might_take_for_something_else_is_refused(branch: str) -> None:
    with pytest.raises(InvalidInput, match="--branch"):
        Remote("file:///srv/estate", branch)


@pytest.mark.parametrize("branch", ["main", "release/2026-01", "team_a/v1.2", "123"])
def test_ordinary_branch_names_are_taken(branch: str) -> None:
    assert Remote("file:///srv/estate", branch).branch == branch


def test_something_else_than_a_hash_is_no_commit(repository: Repository, mirror: Mirror) -> None:
    repository.commit({"a.yaml": "a"})
    mirror.fetch()

    for ask in (mirror.commit, mirror.has, lambda h: mirror.read(h, ""), lambda h: mirror.descends(h, h)):
        with pytest.raises(GitError, match="not a commit's full hash"):
            ask("--output=/tmp/x")


# Credentials


def test_credentials_in_the_url_go_to_git_by_the_environment_alone() -> None:
    remote = Remote("https://bot:s3cr%40t@git.example.com/estate", "main")

    assert remote.url == "https://git.example.com/estate"
    environment = remote.environment()
    assert (environment["ORGCTL_GIT_USER"], environment["ORGCTL_GIT_PASSWORD"]) == ("bot", "s3cr@t")
    assert environment["GIT_CONFIG_KEY_1"] == "credential.https://git.example.com.helper"


def test_git_gives_those_credentials_to_that_host_only(tmp_path: Path) -> None:
    remote = Remote("https://bot:s3cr%40t@git.example.com/estate", "main")
    mirror = Mirror(tmp_path / "m.git", remote, StillClock())

    def ask(host: str) -> tuple[int, bytes]:
        run = mirror._run(
            tmp_path / "m.git",
            ("credential", "fill"),
            timedelta(seconds=10),
            stdin=f"protocol=https\nhost={host}\n\n".encode(),
            environment=remote.environment(),
        )
        return run.code, run.output

    assert ask("git.example.com") == (
        0, b"protocol=https\nhost=git.example.com\nusername=bot\npassword=s3cr@t\n"
    )  # fmt: skip
    assert ask("elsewhere.example.com")[0] != 0


def test_an_unreachable_remotes_error_shows_no_credentials(tmp_path: Path) -> None:
    mirror = mirror_of(tmp_path, "https://bot:hunter2@127.0.0.1:1/estate")

    with pytest.raises(GitError) as raised:
        mirror.fetch()
    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1:1/estate" in str(raised.value)


@pytest.mark.parametrize("url", ["ftp://bot:hunter2@git.example.com/e", "https://bot:hunter2/x@git.example.com/e"])
def test_a_refused_url_is_shown_without_its_credentials(url: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Remote(url, "main")
    assert "hunter2" not in str(raised.value)


def test_redaction_leaves_everything_else() -> None:
    text = "fatal: unable to access 'https://bot:x@h.example/e': see a@b.example, ssh://git@h/e"
    assert redacted(text) == "fatal: unable to access 'https://…@h.example/e': see a@b.example, ssh://…@h/e"


# Nothing of the surroundings gets in


def test_hooks_configuration_and_variables_around_us_have_no_effect(
    tmp_path: Path, repository: Repository, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.commit({"a.yaml": "a"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    mirror.fetch()
    hook = tmp_path / "state" / "repository.git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    repository.commit({"a.yaml": "b"})
    mirror.fetch()

    assert mirror.read(head, "").files == {"a.yaml": b"a"}
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "elsewhere").exists()
    assert os.environ["GIT_DIR"]


def test_git_missing_from_the_machine_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="Install git"):
        mirror_of(tmp_path, "file:///srv/estate").fetch()
