"""What a cycle over a converged organization costs: calls by operation, seconds, memory.

    .venv/bin/python -m bench.noop_cycle --size S --latency 0.04 --rates 1

The simulated AWS is a process of its own, so that neither its time nor its memory is counted as the controller's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
from pathlib import Path
from typing import Any

from bench.compare import sandbox
from bench.estates import SIZES, write
from controller.clock import Clock
from controller.config import Settings
from controller.sandbox.client import SandboxClient


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--latency", type=float, default=0.04, help="seconds added to each call")
    parser.add_argument("--rates", type=float, default=1.0, help="multiple of AWS's published call rates")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        seed = write(SIZES[chosen.size], Path(place) / "estate")
        figures: dict[str, Any] = {"size": chosen.size, "latency": chosen.latency, "rates": chosen.rates}
        figures.update(measure(seed, Path(place), chosen.latency, chosen.rates))
    for operation, count in figures["calls"].items():
        print(f"{count:7}  {operation}")
    print(f"{figures['total']:7}  calls, {figures['refused']} refused; {figures['result']}")
    print(f"observe {figures['observe']:.1f} s, plan {figures['plan']:.2f} s, apply {figures['apply']:.2f} s; "
          f"peak memory {figures['peak_mib']:.0f} MiB")  # fmt: skip
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


def measure(seed: Path, place: Path, latency: float, rates: float) -> dict[str, Any]:
    with sandbox(seed) as exports:
        os.environ.update(exports)
        control = SandboxClient(exports["AWS_ENDPOINT_URL"])
        control.post("latency", **{"*": latency})
        control.post("rates", multiple=rates)
        return _cycle(seed, place, exports["ORGCTL_ORGANIZATION"], rates, control)


def _cycle(seed: Path, place: Path, organization: str, rates: float, control: SandboxClient) -> dict[str, Any]:
    from controller.aws.connect import connect
    from controller.desired.load import load
    from controller.desired.source import directory
    from controller.reconcile import Controller
    from controller.store import Store

    clock = Clock()
    settings = Settings(
        organization=organization, mode="enforce", rate_multiple=rates, share=1.0, state_dir=place / "state"
    )
    store = Store(place / "state" / "orgctl.sqlite3", clock)
    controller = Controller(
        settings, clock, store, lambda observer: connect(settings, clock, read_only=False, observer=observer)
    )
    estate = load(directory(seed))
    report = controller.cycle(estate)
    controller.close()
    store.close()
    answered = control.post("calls")
    seen: dict[str, int] = answered["calls"]
    return {
        "calls": dict(sorted(seen.items(), key=lambda item: -item[1])),
        "total": sum(seen.values()),
        "refused": sum(answered["refused"].values()),
        "result": f"{report.result}, {report.wrote} written",
        **report.phases,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
