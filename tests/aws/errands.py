"""What tests let workers do: found by name, so by other processes, too."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from controller.aws.api import Reader
from controller.errors import AwsError
from controller.resources import security_hub_cell

MARK = "TESTS_DIED"
"""The environment's name for a file that is made by the first process to die."""


def callers(reader: Reader, accounts: list[str]) -> list[tuple[str, str]]:
    """(account, whose credentials a call there was signed with)."""
    return [(a, reader.get("sts:GetCallerIdentity", account=a)["Account"]) for a in accounts]


def refused(reader: Reader, accounts: list[str]) -> list[AwsError]:
    found: list[AwsError] = []
    for account in accounts:
        try:
            reader.get("securityhub:DescribeHub", account=account, region="us-east-1")
        except AwsError as error:
            found.append(error)
    return found


def look_and_die(aws: Reader, cells: list[Any], **known: Any) -> security_hub_cell.Look:
    """Look, and be killed before telling what was seen; but only once, whoever comes first."""
    seen = security_hub_cell._look_at(aws, cells, **known)
    try:
        Path(os.environ[MARK]).touch(exist_ok=False)
    except FileExistsError:
        return seen
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die(aws: Reader, cells: list[Any], **known: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
