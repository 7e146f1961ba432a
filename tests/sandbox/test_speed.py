"""The bench of the sandbox's speed still runs. How fast it is, no test says: machines differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_bench_says_what_was_seeded_and_read(tmp_path: Path) -> None:
    place = tmp_path / "speed.json"
    sizes = ["--seeded", "210", "--accounts", "20", "--calls", "16", "--connections", "2"]

    subprocess.run(
        [sys.executable, "-m", "bench.sandbox_speed", *sizes, "--json", str(place)], check=True, capture_output=True
    )

    found = json.loads(place.read_text())
    assert (found["seed"]["accounts"], found["seed"]["hubs"]) == (211, 840)
    assert found["read"]["calls"] == 16
    assert len(found["read"]["cpu_ms_by_operation"]) == 8
