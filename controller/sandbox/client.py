"""The sandbox's control surface, from Python: for the demo and for tests that run beside it."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class SandboxError(Exception):
    """What the sandbox answered instead of doing it."""


class SandboxClient:
    """A sandbox that serves at `url`. What each call takes and gives is in `control`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._send("GET", path, query)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = Request(  # noqa: S310 (the URL is a sandbox's)
            f"{self.url}/_sandbox/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310
                result: dict[str, Any] = json.load(answer)
                return result
        except HTTPError as error:
            with error:
                raise SandboxError(f"{method} {path}: {json.load(error)}") from None

    def calls(self, *, reset: bool = False) -> dict[str, int]:
        """Calls served, by ``service:Operation``."""
        found: dict[str, int] = self.post("calls", reset=reset)["calls"]
        return found

    def call(
        self,
        service: str,
        operation: str,
        parameters: dict[str, Any] | None = None,
        *,
        account: str | None = None,
        region: str = "us-east-1",
    ) -> dict[str, Any]:
        """Do by hand what any AWS operation does; ``call("organizations", "DetachPolicy", {…})`` makes drift."""
        where = {"account": account, "region": region}
        return self.post("call", service=service, operation=operation, parameters=parameters or {}, **where)

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        """From now on; see `faults.Fault`."""
        self.post("faults", operation=operation, kind=kind, **more)

    def clear_faults(self) -> None:
        self.post("faults", clear=True)
