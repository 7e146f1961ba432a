"""Shards on the workers of a Dask cluster: for organizations that one machine is not enough for."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from controller.aws.errand import Answer, Brought, Errand, perform, travelling, versions
from controller.aws.fan_out import Work, as_they_end, cut
from controller.clock import Clock
from controller.config import Settings
from controller.errors import NoWorkers

if TYPE_CHECKING:
    from distributed import Client

    from controller.aws.api import Here, Reader
    from controller.aws.transport import Observer

S = TypeVar("S")
T = TypeVar("T")

CONNECT_SECONDS = 10
WITHOUT_WORKERS = 60.0
"""Seconds for which a cluster may be without any worker, as it is while its machines are replaced."""


class Cluster:
    """The workers of one scheduler. Connected at first use, and again after a connection was lost.

    Args:
        address: ``tcp://host:port`` or ``tls://host:port``.
        observe: Told of every attempt at every call, once its shard has come back.
    """

    def __init__(self, address: str, settings: Settings, here: Here, clock: Clock, observe: Observer) -> None:
        self._address = address
        self._settings = settings
        self._here = here
        self._clock = clock
        self._observe = observe
        self._client: Client | None = None
        self._connecting = threading.Lock()

    def run(self, reader: Reader, work: Work[S, T], accounts: Mapping[str, Sequence[S]]) -> list[T]:
        """See `FanOut`. A shard whose worker is lost is read by another: reading twice does no harm."""
        client = self._connected()
        try:
            return self._gather(client, work, accounts)
        except NoWorkers:
            raise
        except Exception as error:
            trouble = self._trouble(error)
            if trouble is None:
                raise
            self.close()
            raise trouble from error

    def close(self) -> None:
        with self._connecting:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _gather(self, client: Client, work: Work[S, T], accounts: Mapping[str, Sequence[S]]) -> list[T]:
        run, settings = uuid4().hex, travelling(self._settings)
        external_id = self._settings.member_external_id is not None
        results: dict[int, T] = {}
        with client.get_executor(pure=False) as executor:
            futures = []
            for items in cut(accounts, max(1, sum(client.nthreads().values()))):
                errand = Errand(run, settings, external_id, self._here, work, items)
                futures.append(executor.submit(perform, versions(), pickle.dumps(errand)))
            shards = len(futures)
            for index, answer in as_they_end(futures, self._clock, _Watch(client, self._clock, self._address)):
                results[index] = self._unpacked(answer)
        return [results[index] for index in range(shards)]

    def _unpacked(self, answer: Answer) -> Any:
        if answer.brought is None:
            raise NoWorkers(f"The worker on {answer.worker} of {self._address} cannot be used: {answer.trouble}")
        brought: Brought = pickle.loads(answer.brought)  # noqa: S301  from a worker: docs/security.md
        for record in brought.records:
            self._observe(record)
        return brought.result

    def _connected(self) -> Client:
        try:
            from distributed import Client
        except ImportError as error:
            raise NoWorkers(
                "The settings name a Dask cluster (executor), and what speaks to it is not installed: "
                "pip install 'orgctl[cluster]', or set `executor: threads`."
            ) from error
        with self._connecting:
            if self._client is None or self._client.status != "running":
                try:
                    self._client = Client(
                        self._address, timeout=CONNECT_SECONDS, set_as_default=False, direct_to_workers=False
                    )
                except (OSError, ValueError) as error:  # TimeoutError is an OSError
                    raise NoWorkers(
                        f"The Dask scheduler at {self._address} cannot be reached ({error}). Start it, or correct "
                        "`executor` in the settings."
                    ) from error
            return self._client

    def _trouble(self, error: Exception) -> NoWorkers | None:
        """What an error of the cluster itself means; None for any other."""
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        if isinstance(error, KilledWorker):
            return NoWorkers(f"The Dask cluster at {self._address} lost one worker after another: {error}")
        if isinstance(error, ModuleNotFoundError):
            return NoWorkers(f"The Dask cluster at {self._address} lacks what orgctl needs: {error}. Install it there.")
        if isinstance(error, OSError | CancelledError | CommClosedError):
            return NoWorkers(f"The Dask scheduler at {self._address} was lost: {error or type(error).__name__}")
        return None


class _Watch:
    """Told whether a shard has come back; raises where there has been no worker to bring any for too long."""

    def __init__(self, client: Client, clock: Clock, address: str) -> None:
        self._client, self._clock, self._address = client, clock, address
        self._seen = clock.monotonic()

    def __call__(self, moved: bool) -> None:
        now = self._clock.monotonic()
        if moved or self._client.nthreads():
            self._seen = now
        elif now - self._seen > WITHOUT_WORKERS:
            raise NoWorkers(
                f"The Dask cluster at {self._address} has had no worker for {WITHOUT_WORKERS:.0f} s. Start some, or "
                "set `executor: threads`."
            )
