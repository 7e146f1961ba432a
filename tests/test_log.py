"""The logs: one pipe for everybody, machine-readable, and free of credentials."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from controller.log import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the process's: put it back as it was."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_a_json_object_with_a_constant_message_and_fields() -> None:
    stream = io.StringIO()
    configure("json", stream=stream)

    structlog.get_logger("orgctl").info("change applied", kind="account", name="ü/a")

    (line,) = lines(stream)
    assert (line["event"], line["kind"], line["name"], line["level"]) == ("change applied", "account", "ü/a", "info")
    assert line["timestamp"].endswith("Z")


def test_a_stream_that_is_no_terminal_gets_json_by_default() -> None:
    stream = io.StringIO()
    configure(stream=stream)
    structlog.get_logger("orgctl").info("started")

    assert lines(stream)[0]["event"] == "started"


def test_the_console_is_for_people() -> None:
    stream = io.StringIO()
    configure("console", stream=stream)
    structlog.get_logger("orgctl").info("started", instance="main")

    assert "started" in stream.getvalue()
    assert "instance=main" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_libraries_speak_through_the_same_pipe_and_only_when_something_is_wrong() -> None:
    stream = io.StringIO()
    configure("json", stream=stream)
    for name in ("apscheduler.scheduler", "uvicorn.access", "botocore.credentials", "urllib3.connectionpool"):
        logging.getLogger(name).info("all day long")
        logging.getLogger(name).warning("this is %s", "odd")

    assert [line["event"] for line in lines(stream)] == ["this is odd"] * 4


@pytest.mark.parametrize("format", ["json", "console"])
def test_no_credentials_reach_the_log_whoever_writes(format: Any) -> None:
    stream = io.StringIO()
    configure(format, stream=stream)
    structlog.get_logger("orgctl").warning(
        "git failed", url="https://bot:hunter2@git.example.com/e", api_token="hunter2"
    )
    logging.getLogger("library").warning("cannot get https://bot:hunter2@git.example.com/e")

    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("git.example.com") == 2


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_traceback_shows_no_variables(format: Any) -> None:
    stream = io.StringIO()
    configure(format, stream=stream)

    def fail(password: str) -> None:
        raise ValueError("no")

    secret = "hunter" + "2"
    try:
        fail(secret)
    except ValueError:
        structlog.get_logger("orgctl").exception("cycle failed")

    assert "ValueError: no" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_configuring_again_does_not_say_everything_twice() -> None:
    stream = io.StringIO()
    configure("json", stream=stream)
    configure("json", stream=stream)
    structlog.get_logger("orgctl").info("started")

    assert len(lines(stream)) == 1
