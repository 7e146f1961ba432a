"""The contract: a test that takes `aws` states one fact about AWS in which moto differs.

    .venv/bin/pytest tests/contract                   # on the sandbox: every one passes
    .venv/bin/pytest --plain-moto tests/contract      # on moto: every one fails, or it is no difference any more

Each says in its docstring where AWS states the fact; those marked `agreed` moto has right as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from moto import mock_aws

from controller.sandbox.sandbox import Sandbox
from tests.contract.aws import Aws, Center

SOURCE = re.compile(r"API reference, \w+|User Guide, \"|Reference Guide, \"|botocore's \w+")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plain-moto", action="store_true", help="run the contract on moto, where it has to fail")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "agreed: a fact of the contract that moto has right as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    rows = [item for item in items if isinstance(item, pytest.Function) and "aws" in item.fixturenames]
    for row in rows:
        if not SOURCE.search(row.function.__doc__ or ""):
            raise pytest.UsageError(f"{row.nodeid} does not say where AWS states this.")
    if not config.getoption("--plain-moto", default=False):
        return
    for row in rows:
        if not row.get_closest_marker("agreed"):
            row.add_marker(pytest.mark.xfail(strict=True, reason="moto differs"))
    config.hook.pytest_deselected(items=[item for item in items if item not in rows])
    items[:] = rows


@pytest.fixture
def aws(request: pytest.FixtureRequest) -> Iterator[Aws]:
    if request.config.getoption("--plain-moto", default=False):
        with mock_aws():
            yield Aws(None)
        return
    sandbox = Sandbox.create(virtual=True)
    sandbox.strict = True
    yield Aws(sandbox)


@pytest.fixture
def center(aws: Aws) -> Center:
    return Center(aws)
