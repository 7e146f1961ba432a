"""deploy/orgctl.example.yaml shows every setting, and its defaults are the real ones."""

import os
from pathlib import Path

import pytest
import yaml

from controller.config import Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / "deploy" / "orgctl.example.yaml"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("ORGCTL_")]:
        monkeypatch.delenv(name)
    (tmp_path / "orgctl.yaml").write_bytes(EXAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    return load_settings()


def test_the_example_loads(example: Settings) -> None:
    assert example.organization == "o-a1b2c3d4e5"
    assert example.limits.removals == 5


def test_the_example_shows_every_setting() -> None:
    assert set(yaml.safe_load(EXAMPLE.read_text())) == set(Settings.model_fields)


def test_what_the_example_does_not_mark_is_the_default(example: Settings) -> None:
    marked = {line.split(":")[0] for line in EXAMPLE.read_text().splitlines() if "default: none" in line}
    marked |= {line.split(":")[0] for line in EXAMPLE.read_text().splitlines() if "no default" in line}
    differing = {
        name
        for name, field in Settings.model_fields.items()
        if getattr(example, name) != field.get_default(call_default_factory=True)
    }
    assert differing == marked
