"""All that is measured, in one run: as counts, ratios and CPU seconds, which say the same on a machine with other work.

    .venv/bin/python -m bench --size S                             # minutes
    .venv/bin/python -m bench --size XL --part plan --part fan-out --json figures.json

Each part is a program of its own as well, with more to choose: bench.start, bench.running, bench.plan_speed,
bench.fan_out, bench.compare (whose contenders are in bench/contenders.py); and bench.bounds, bench.noop_cycle,
bench.sandbox_speed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import compare, fan_out, plan_speed, running, start


def _start(size: str) -> dict[str, Any]:
    figures = start.measure(start.SIZES[size])
    start.tell(figures)
    return figures


def _fan_out(size: str) -> dict[str, Any]:
    figures = fan_out.measure(fan_out.SIZES[size], with_cluster=True)
    fan_out.tell(figures)
    return figures


def _running(size: str) -> dict[str, Any]:
    figures = running.measure(size)
    running.tell(figures)
    return figures


PARTS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "start": ("What it costs to start", _start),
    "running": ("What a running daemon asks AWS", _running),
    "plan": ("What planning costs, without AWS", plan_speed.every_case),
    "fan-out": ("Security Hub in many accounts × Regions", _fan_out),
    "compare": ("One organization, several readers, 40 ms a call, AWS's rates", lambda size: compare.compare(size)),
}
"""Name → its title, and what measures a size, prints it and returns it."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=("S", "M", "L", "XL"), default="S")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this; repeat")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"size": chosen.size}
    for name in chosen.part or PARTS:
        title, measure = PARTS[name]
        print(f"\n{title} ({chosen.size})\n", flush=True)
        figures[name] = measure(chosen.size)
        if chosen.json:
            chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
