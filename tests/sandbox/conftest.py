"""A sandbox whose time stands still, and boto3 clients of it through both adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import Sandbox

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})

# Reading the service models is most of what a session costs; they are the same for all.
MODELS = botocore.session.get_session().get_component("data_loader")

Client = Callable[..., Any]


@pytest.fixture
def sandbox() -> Sandbox:
    made = Sandbox.create(virtual=True)
    made.strict = True
    return made


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    """``client("organizations", account=…, region=…)``, in-process; `account`: with that account's own credentials."""

    def make(service: str, *, account: str = "test", region: str = "us-east-1") -> Any:
        core = botocore.session.get_session()
        core.register_component("data_loader", MODELS)
        session = boto3.Session(
            aws_access_key_id=account, aws_secret_access_key="x", region_name=region, botocore_session=core
        )
        attach(session, sandbox)
        return session.client(service, config=ONCE)

    return make


@pytest.fixture
def organizations(client: Client) -> Any:
    return client("organizations")


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[Client]:
    """As `client`, over HTTP."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="x", region_name="us-east-1")
    made: list[Any] = []

    def make(service: str) -> Any:
        made.append(session.client(service, endpoint_url=sandbox.url, config=ONCE))
        return made[-1]

    with sandbox:
        yield make
        for each in made:
            each.close()


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    """``Code``, or ``Code Reason``."""
    reason = error.value.response.get("Reason")
    return " ".join(filter(None, (error.value.response["Error"]["Code"], reason)))
