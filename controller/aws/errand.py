"""One shard on its way to a worker and back, and what the worker does with it.

No credentials travel. The worker has its own, as AWS's configuration gives them there, and assumes the member role in
each account by itself.
"""

from __future__ import annotations

import json
import pickle
import platform
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from controller import __version__
from controller.clock import Clock
from controller.config import Settings, load_settings
from controller.errors import CannotConnect, OrgctlError

if TYPE_CHECKING:
    from controller.aws.api import Here, Reader
    from controller.aws.transport import CallRecord, Transport

TRAVELLING = frozenset({"identity_center_region", "instance", "member_role", "rate_multiple", "share", "workers"})
"""The settings that decide what is read and how. Secrets are not among them: a worker takes `member_external_id` from
its own environment or orgctl.yaml."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What to read.

    Attributes:
        run: The fan-out it belongs to: what the Reader of one remembers is not for the next.
        settings: As JSON.
        external_id: Whether the member role demands one.
    """

    run: str
    settings: str
    external_id: bool
    here: Here
    work: Callable[[Reader, list[Any]], Any]
    items: list[Any]


@dataclass(frozen=True, slots=True)
class Brought:
    """What was read, and each call that it took."""

    result: Any
    records: list[CallRecord]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says. It is understood whatever the versions, as the errand itself may not be.

    Attributes:
        worker: Its host's name.
        brought: A pickled `Brought`; None where there is none.
        trouble: Why not.
    """

    worker: str
    brought: bytes | None
    trouble: str = ""


def versions() -> dict[str, str]:
    """What has to be the same on both sides, or what is pickled here cannot be trusted to mean the same there."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"orgctl": __version__, "python": python, "distributed": version("distributed")}


def travelling(settings: Settings) -> str:
    return settings.model_dump_json(include=set(TRAVELLING))


def perform(theirs: Mapping[str, str], errand: bytes) -> Answer:
    """In the worker: read one shard.

    Args:
        theirs: The controller's `versions`.
        errand: A pickled `Errand`.
    """
    mine = versions()
    if mine != theirs:
        differing = (f"{name} {mine.get(name)}, not {theirs.get(name)}" for name in mine if mine[name] != theirs[name])
        return Answer(platform.node(), None, f"it has {', '.join(differing)}: install the controller's versions there")
    wanted: Errand = pickle.loads(errand)  # noqa: S301  the scheduler hands out code in any case: docs/security.md
    records: list[CallRecord] = []
    _records.set(records)
    try:
        brought = Brought(wanted.work(_reader_for(wanted), wanted.items), records)
    except OrgctlError as error:
        return Answer(platform.node(), None, str(error))
    return Answer(platform.node(), pickle.dumps(brought))


_records: ContextVar[list[CallRecord]] = ContextVar("orgctl_records")
_connecting = threading.Lock()


def _reader_for(errand: Errand) -> Reader:
    """The same one for all of a run's shards in this process, and one connection from run to run.

    So accounts' credentials, budgets and what a Region offers are kept.
    """
    with _connecting:
        return _reader(errand.run, _connection(errand.settings, errand.external_id, errand.here), errand.here)


@lru_cache(maxsize=2)
def _reader(run: str, transport: Transport, here: Here) -> Reader:
    from controller.aws.api import Reader

    return Reader(transport, here)


@lru_cache(maxsize=2)
def _connection(settings: str, external_id: bool, here: Here) -> Transport:
    from controller.aws.connect import caller
    from controller.aws.transport import Transport

    mine = load_settings(**json.loads(settings))
    if external_id and mine.member_external_id is None:
        raise CannotConnect(
            "the member role demands an external id, which does not travel: set ORGCTL_MEMBER_EXTERNAL_ID there"
        )
    transport = Transport(mine, Clock(), read_only=True, observer=lambda record: _records.get().append(record))
    # Only in the management account itself are the worker's own credentials as good as the controller's.
    if caller(transport)["Account"] == here.management_account:
        transport.management_account = here.management_account
    return transport
