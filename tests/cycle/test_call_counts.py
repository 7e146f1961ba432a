"""The calls of a first look at everything, exactly: they depend on no machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.bounds import reads
from bench.estates import SIZES, write
from controller.desired.load import load
from controller.desired.source import directory
from tests.cycle.house import House


@pytest.mark.parametrize("size, calls", [("S", 159), ("M", 464)])
def test_a_first_look_takes_the_least_calls_that_can_bring_all_of_it(size: str, calls: int, tmp_path: Path) -> None:
    seed = write(replace(SIZES[size], hub=False), tmp_path)
    house = House((seed / "estate.yaml").read_text(), rules={"short-pages": False, "empty-pages": False})
    report = house.controller.plan(house.desired())

    assert report.plan.changes == () and not report.plan.incomplete
    assert Counter(report.calls) == Counter(reads(load(directory(seed))))
    assert sum(report.calls.values()) == calls
