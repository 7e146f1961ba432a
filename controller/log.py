"""Logs: constant messages with fields, as JSON lines or for a terminal. Everybody's logs go through the one pipe."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from controller.git.process import redacted

# Theirs are of interest when something goes wrong; what they do all day is not.
_QUIET = ("apscheduler", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "boto3", "botocore", "urllib3")
_SECRET_FIELDS = ("token", "password", "secret", "authorization", "external_id", "credential")


def configure(
    format: Literal["auto", "json", "console"] = "auto", *, stream: TextIO | None = None, level: str = "INFO"
) -> None:
    """Send every log record of the process to `stream` (standard error). Calling it again starts over.

    Args:
        format: auto is console on a terminal, JSON elsewhere.
    """
    stream = stream or sys.stderr
    console = format == "console" or (format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(console, colors=console and stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _formatter(console: bool, *, colors: bool) -> logging.Formatter:
    ending: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        # The default shows every frame's local variables, and with them whatever secrets those hold.
        plain = structlog.dev.plain_traceback
        ending.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain))
    else:
        ending += [structlog.processors.format_exc_info, _redact, structlog.processors.JSONRenderer(default=str)]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(), processors=ending)


def _shared() -> list[Any]:
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No credentials, whoever logs: neither in URLs nor in fields whose name says what they are."""
    for key, value in event.items():
        if any(word in key.lower() for word in _SECRET_FIELDS):
            event[key] = "…"
        elif isinstance(value, str):
            event[key] = redacted(value)
    return event
