"""Settings: what people write in orgctl.yaml and in the environment, and what they are told when it cannot be."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from controller.config import load_settings, parse_duration
from controller.errors import InvalidInput


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to start in, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ORGCTL_")]:
        monkeypatch.delenv(name)
    return tmp_path


def refusal() -> str:
    with pytest.raises(InvalidInput) as refused:
        load_settings()
    return str(refused.value)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "orgctl.yaml").write_text("interval: 2m\nresync: 2h\ninstance: file\n")
    monkeypatch.setenv("ORGCTL_INTERVAL", "3m")
    monkeypatch.setenv("ORGCTL_RESYNC", "3h")

    settings = load_settings(interval="4m", resync=None)

    assert (settings.instance, settings.interval, settings.resync) == (
        "file",
        timedelta(minutes=4),
        timedelta(hours=3),
    )


def test_by_default_nothing_is_written_and_no_organization_is_meant() -> None:
    settings = load_settings()

    assert (settings.mode, settings.organization) == ("observe", None)


@pytest.mark.parametrize(
    "text, told",
    [
        pytest.param("mode: enforced", "orgctl.yaml:1:7: mode: 'enforced' is not known here", id="neither of two"),
        pytest.param("mode: enforced", "Did you mean 'enforce'?", id="the nearest spelling"),
        pytest.param("isntance: blue", "orgctl.yaml:1:1: the document: unknown key 'isntance'", id="misspelt"),
        pytest.param("isntance: blue", "Did you mean 'instance'?", id="what was meant"),
        pytest.param("interval: 5", "30s, 15m, 2h or 1d", id="a duration without a unit"),
        pytest.param("interval: 0s", "1 second", id="no time between two looks at git"),
        pytest.param("limits:\n  removal: 3", "orgctl.yaml:2:3: limits: unknown key 'removal'", id="a misspelt limit"),
        pytest.param("limits: 5", "orgctl.yaml:1:9: limits: 5 is a number, not a mapping", id="no mapping of limits"),
        pytest.param("organization: '123'", "o-a1b2c3d4e5", id="no organization's id"),
        pytest.param("member_role: ''", "orgctl.yaml:1:14: member_role", id="no role"),
        pytest.param("identity_center_region: Ireland", "orgctl.yaml:1:25: identity_center_region", id="no Region"),
        pytest.param("rate_multiple: 1e999", "not a number that JSON can write", id="an endless rate"),
        pytest.param("mode: observe\nmode: enforce", "orgctl.yaml:2:1: the key 'mode' stands here twice", id="twice"),
        pytest.param("mode: observe\n---\nmode: enforce", "orgctl.yaml:3:1: a second document", id="two documents"),
        pytest.param("1: 2", "orgctl.yaml:1:1: this key is a number, not text", id="a number for a name"),
        pytest.param("mode: !!python/name:os.system", "is not allowed here", id="an object"),
        pytest.param("- mode", "it is no mapping of settings", id="a list"),
        pytest.param("mode", "it is no mapping of settings", id="a word"),
        pytest.param("mode: [", "orgctl.yaml:2:1: the file ends", id="broken YAML"),
        pytest.param("mode: " + "[" * 5000, "nested deeper than 64 levels", id="a pit"),
        pytest.param("mode: \udcff", "orgctl.yaml:1:7: the byte 0xff is not valid UTF-8", id="not UTF-8"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(place: Path, text: str, told: str) -> None:
    (place / "orgctl.yaml").write_bytes(text.encode(errors="surrogateescape"))

    assert told in refusal()


@pytest.mark.parametrize(
    "variable, value, told",
    [
        pytest.param("ORGCTL_MDOE", "enforce", "Did you mean ORGCTL_MODE?", id="a misspelt variable"),
        pytest.param("ORGCTL_LIMIT__REMOVALS", "0", "Did you mean ORGCTL_LIMITS?", id="a misspelt variable with parts"),
        pytest.param("ORGCTL_PROTECTED", "account/*", "written as JSON", id="a list that is not JSON"),
        pytest.param("ORGCTL_LIMITS__REMOVALS", "many", "ORGCTL_LIMITS__REMOVALS", id="not a number"),
        pytest.param("ORGCTL_RESYNC", "99999999999d", "30s, 15m, 2h or 1d", id="longer than a clock reaches"),
    ],
)
def test_what_is_wrong_in_the_environment_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)

    assert told in refusal()


def test_all_that_is_wrong_is_told_at_once_each_where_it_was_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "orgctl.yaml").write_text("workers: 0\nlimits: {share: 2, removals: 1}\n")
    monkeypatch.setenv("ORGCTL_LIMITS__REMOVALS", "-1")

    with pytest.raises(InvalidInput) as refused:
        load_settings(interval="soon")

    assert [str(problem).split(": ")[:2] for problem in refused.value.problems] == [
        ["--interval", "interval"],
        ["ORGCTL_LIMITS__REMOVALS", "limits.removals"],
        ["orgctl.yaml:1:10", "workers"],
        ["orgctl.yaml:2:17", "limits.share"],
    ]


def test_words_that_older_yaml_took_for_false_are_words(place: Path) -> None:
    (place / "orgctl.yaml").write_text("instance: no\n")

    assert load_settings().instance == "no"


def test_variables_that_kubernetes_sets_for_a_service_of_that_name_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ORGCTL_PORT", "ORGCTL_SERVICE_HOST", "ORGCTL_SERVICE_PORT_HTTP", "ORGCTL_PORT_9464_TCP_ADDR"):
        monkeypatch.setenv(name, "10.0.0.1")

    assert load_settings().mode == "observe"


def test_a_secret_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    (place / "orgctl.yaml").write_text("api_token: [hunter2]\n")

    assert "hunter2" not in refusal()


@pytest.mark.parametrize("text", ["", "5", "5 parsecs", "-5m", "1h30m", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="30s, 15m, 2h or 1d"):
        parse_duration(text)


@pytest.mark.parametrize("share", ["0", "-0.5", "1.01", "50%"])
def test_a_share_of_awss_rates_is_more_than_nothing_and_not_more_than_all(
    share: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGCTL_SHARE", share)
    assert "ORGCTL_SHARE" in refusal()


def test_half_of_awss_rates_are_left_to_others_unless_told_otherwise() -> None:
    assert load_settings().share == 0.5
    assert load_settings(share=1.0).share == 1.0
