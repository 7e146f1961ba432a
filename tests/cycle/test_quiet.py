"""At AWS's published rates, with nobody else about."""

from __future__ import annotations

import pytest

from controller.sandbox.rules import Switch
from tests.cycle.house import House
from tests.cycle.test_strict import ESTATE, NOTHING

HARD: dict[str, Switch] = {"rates": 1.0, "rates-shared": True, "rates-unpublished": False}


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_building_an_organization_and_looking_at_it_from_a_new_process_throttles_nothing(share: float) -> None:
    house = House(NOTHING, ESTATE, rules=HARD, rate_multiple=1.0, share=share)

    house.converge()
    house.controller.close()
    house.clock.sleep(1)  # a process takes as long to start
    house.controller = house.another()
    house.cycle()

    assert sum(house.sandbox.world.calls.values()) > 200
    throttled = {name: n for name, n in house.sandbox.refused.items() if "TooMany" in name or "Throttl" in name}
    # This time jumps, also while a thread is between its turn and its call: then one comes late, close to the next.
    assert sum(throttled.values()) <= 1, throttled
