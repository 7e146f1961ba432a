from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.resources.organization import Organization


@pytest.fixture
def organization() -> Iterator[Organization]:
    made = Organization()
    yield made
    made.close()
