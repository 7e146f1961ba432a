"""Several readers of one organization, each from the beginning: calls, refusals, seconds, memory; and the bound.

    .venv/bin/python -m bench.compare --size M                     # all that are installed, 40 ms a call, AWS's rates
    .venv/bin/python -m bench.compare --size S --only orgctl --rates 1000 --latency 0

`contenders.py` says who they are and how one is added. The simulated AWS is a process of its own for each of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import bounds
from bench.contenders import CONTENDERS, Contender, Yard
from bench.estates import SIZES, write
from controller.sandbox.client import SandboxClient

HERE = Path(__file__).parents[1]
FULL_PAGES = {"short-pages": False, "empty-pages": False}
"""AWS may give less than a page; how often is not known, so here it never does, and calls can be counted beforehand."""

THROTTLED = ("TooManyRequestsException", "ThrottlingException", "Throttling")


@contextmanager
def sandbox(seed: Path) -> Iterator[dict[str, str]]:
    """One that is in sync with the seed; its environment variables."""
    command = [sys.executable, "-m", "controller", "sandbox", "--port", "0", "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            exports: dict[str, str] = {}
            while "ORGCTL_ORGANIZATION" not in exports:
                line = process.stdout.readline()
                words = line.removeprefix("export ").split() if line.startswith("export ") else []
                exports.update(dict(word.split("=", 1) for word in words))
            yield exports
        finally:
            process.terminate()


def measure(contender: Contender, seed: Path, place: Path, latency: float, rates: float) -> dict[str, Any]:
    place.mkdir()
    with sandbox(seed) as exports:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORGCTL_"))}
        yard = Yard(seed, place, {**clean, **exports, "PYTHONPATH": str(HERE)}, rates)
        control = SandboxClient(exports["AWS_ENDPOINT_URL"])
        control.post("rules", **FULL_PAGES)
        contender.prepare(yard)
        control.calls(reset=True)
        control.post("latency", **{"*": latency})
        control.post("rates", multiple=rates)
        began = time.perf_counter()
        with (place / "told").open("w") as told:
            process = subprocess.Popen(
                contender.command(yard), cwd=place, env=yard.environment, stdout=told, stderr=subprocess.STDOUT
            )
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        answered = control.post("calls")
    if process.returncode:
        raise SystemExit(f"{contender.name} ended with {process.returncode}:\n{(place / 'told').read_text()[-2000:]}")
    return {
        "calls": dict(sorted(answered["calls"].items(), key=lambda item: -item[1])),
        "total": answered["total"],
        "throttled": sum(count for what, count in answered["refused"].items() if what.endswith(THROTTLED)),
        "seconds": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "mib": used.ru_maxrss / 1024,
    }


def compare(size: str, latency: float = 0.04, rates: float = 1.0, only: list[str] | None = None) -> dict[str, Any]:
    """Each contender's figures by its name, and the bound's."""
    with tempfile.TemporaryDirectory() as given:
        place = Path(given)
        seed = write(replace(SIZES[size], hub=False), place / "estate")
        figures: dict[str, Any] = {"bound": bounds.of(seed, 1.0, rates)}
        for contender in (CONTENDERS[name] for name in only or CONTENDERS):
            why = contender.missing()
            directory = place / contender.name.replace(" ", "-")
            figures[contender.name] = {"skipped": why} if why else measure(contender, seed, directory, latency, rates)
            _tell(contender.name, figures[contender.name], figures["bound"])
    _tell_bound(figures["bound"])
    return {"size": size, "latency": latency, "rates": rates, **figures}


def _tell_bound(bound: dict[str, Any]) -> None:
    print(
        f"{'bound':12} {bound['total']:7,} calls{' ' * 23}{bound['seconds']:7.1f} s, because of {bound['bottleneck']}"
    )


def _tell(name: str, one: dict[str, Any], bound: dict[str, Any]) -> None:
    if "skipped" in one:
        print(f"{name:12} skipped: {one['skipped']}", flush=True)
        return
    slower = f"({one['seconds'] / bound['seconds']:.2f} ×)" if bound["seconds"] > 1 else ""
    print(f"{name:12} {one['total']:7,} calls ({one['total'] / bound['total']:.2f} ×), {one['throttled']:,} throttled  "
          f"{one['seconds']:7.1f} s {slower}  {one['cpu']:6.1f} s CPU  {one['mib']:5.0f} MiB", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--latency", type=float, default=0.04, help="seconds added to each call")
    parser.add_argument("--rates", type=float, default=1.0, help="multiple of AWS's published call rates")
    parser.add_argument("--only", choices=CONTENDERS, action="append", help="these contenders; repeat")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    figures = compare(chosen.size, chosen.latency, chosen.rates, chosen.only)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
