"""What holds for every import of any organization."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.importing.lives import Home, differences
from tests.importing.organizations import organizations


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(organizations())
def test_a_plan_on_an_import_adopts_what_is_there_and_nothing_else(seed: str) -> None:
    home = Home(seed)
    plain = home.imported()
    assert differences(home.plan()) == []
    folded = home.imported(folded=True)
    assert differences(home.plan()) == []
    assert {**plain.files, **folded.files}.keys() == plain.files.keys()
    assert home.imported().files == plain.files
