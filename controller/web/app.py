"""What is served where. Whoever reaches the port may read; every POST needs the token, and is off without one."""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from controller.clock import Clock
from controller.config import Duration
from controller.errors import InvalidInput
from controller.metrics import Metrics
from controller.planning.guard import Pause
from controller.planning.render import to_json
from controller.revision import Facts, accept
from controller.status import Board
from controller.store import Hold
from controller.web.page import page, summary
from controller.web.shield import Shield

HISTORY_SHOWN = 20
HISTORY_LIMIT = 500


class Store(Facts, Protocol):
    """What is needed of the store; see `store.Store`."""

    def history(self, limit: int = ...) -> list[dict[str, Any]]: ...

    def holds(self) -> list[Hold]: ...

    def approve(self, id: str, author: str) -> Hold: ...

    def pauses(self) -> list[Pause]: ...

    def pause(self, pause: Pause) -> None: ...


@dataclass(frozen=True, slots=True)
class Site:
    """All that is behind the pages.

    Attributes:
        sync: Asks for a cycle that looks at everything, now.
        decided: Asks for a cycle now: somebody has let something through.
        token: What a POST must carry; None: POSTs are off.
        hosts: Names by which browsers may ask; None: any.
    """

    board: Board
    metrics: Metrics
    store: Store
    clock: Clock
    sync: Callable[[], None]
    decided: Callable[[], None]
    instance: str
    token: str | None = None
    hosts: frozenset[str] | None = None


class Approval(BaseModel):
    """POST /api/approvals"""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=6, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")
    author: str = Field(default="api", min_length=1, max_length=200)


class PauseRequest(BaseModel):
    """POST /api/pauses"""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(default="*", max_length=100)
    unit: str | None = Field(default=None, max_length=1000, pattern="^/")
    lasts: Duration = Field(alias="for", gt=timedelta(0), le=timedelta(days=30))
    reason: str = Field(min_length=1, max_length=1000)
    author: str = Field(default="api", min_length=1, max_length=200)


Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(site: Site) -> Shield:
    """The whole site as an ASGI application."""
    handlers = _Handlers(site)
    routes = [
        Route("/", handlers.page),
        Route("/style.css", handlers.style),
        Route("/healthz", handlers.healthz),
        Route("/readyz", handlers.readyz),
        Route("/metrics", handlers.metrics),
        Route("/api/status", handlers.status),
        Route("/api/plan", handlers.plan),
        Route("/api/history", handlers.history),
        Route("/sync", handlers.with_token(handlers.sync), methods=["POST"]),
        Route("/api/approvals", handlers.with_token(handlers.approve), methods=["POST"]),
        Route("/api/pauses", handlers.with_token(handlers.pause), methods=["POST"]),
    ]
    return Shield(
        Starlette(
            routes=routes,
            exception_handlers={InvalidInput: _on_invalid, HTTPException: _on_refusal, sqlite3.Error: _on_database},
        ),
        site.hosts,
    )


class _Handlers:
    """Those that ask the store are plain functions: Starlette runs them in a thread, and SQLite may wait."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._templates = Environment(
            loader=PackageLoader("controller.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._style = files("controller.web").joinpath("static/style.css").read_text(encoding="utf-8")

    # For people

    def page(self, _: Request) -> Response:
        site = self._site
        shown = page(site.board.status, site.store, site.instance, site.clock.now(), HISTORY_SHOWN)
        return HTMLResponse(self._templates.get_template("status.html").render(shown))

    async def style(self, _: Request) -> Response:
        return Response(self._style, media_type="text/css", headers={"cache-control": "max-age=3600"})

    # For machines

    async def healthz(self, _: Request) -> Response:
        """Only whether the loop turns: restarting helps against nothing else."""
        alive = self._site.board.alive
        return PlainTextResponse("ok\n" if alive else "the loop is stuck\n", 200 if alive else 503)

    async def readyz(self, _: Request) -> Response:
        ready = self._site.board.status.ready
        return PlainTextResponse("ready\n" if ready else "nothing observed yet\n", 200 if ready else 503)

    def metrics(self, _: Request) -> Response:
        return Response(self._site.metrics.render(), media_type=CONTENT_TYPE_LATEST)

    def status(self, _: Request) -> Response:
        return JSONResponse(summary(self._site.board.status, self._site.store, self._site.instance))

    def plan(self, _: Request) -> Response:
        report = self._site.board.status.report
        return _error(404, "no cycle has ended yet") if report is None else JSONResponse(to_json(report.plan))

    def history(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "50")
        if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit[:9]) <= HISTORY_LIMIT:
            return _error(400, f"limit is a number from 1 to {HISTORY_LIMIT}")
        return JSONResponse(self._site.store.history(int(limit)))

    # What needs the token

    def with_token(self, endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            if self._site.token is None:
                return _error(403, "POSTs are off: the settings have no api_token")
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self._site.token}".encode()):
                refusal = _error(401, "wrong or no token: send `Authorization: Bearer …`")
                refusal.headers["www-authenticate"] = "Bearer"
                return refusal
            return await endpoint(request)

        return checked

    async def sync(self, _: Request) -> Response:
        self._site.sync()
        return JSONResponse({"wanted": True}, 202)

    async def approve(self, request: Request) -> Response:
        asked = await _body(request, Approval)
        answer = await run_in_threadpool(self._approve, asked)
        self._site.decided()
        return JSONResponse(answer, 201)

    def _approve(self, asked: Approval) -> dict[str, Any]:
        commit = accept(self._site.store, self._site.clock, asked.id, asked.author)
        if commit is not None:
            return {"id": commit[:12], "commit": commit, "changes": []}
        hold = self._site.store.approve(asked.id, asked.author)
        return {"id": hold.id, "commit": None, "changes": list(hold.changes)}

    async def pause(self, request: Request) -> Response:
        asked = await _body(request, PauseRequest)
        until = self._site.clock.now() + asked.lasts
        pause = Pause(until, asked.reason, asked.author, asked.kind, asked.unit)
        await run_in_threadpool(self._site.store.pause, pause)
        return JSONResponse({"until": until.isoformat()}, 201)


async def _body(request: Request, model: type[Any]) -> Any:
    try:
        return model.model_validate(json.loads(await request.body()))
    except ValidationError as error:
        said = (f"{'.'.join(map(str, detail['loc'])) or 'body'}: {detail['msg']}" for detail in error.errors())
        raise HTTPException(400, "; ".join(said)) from None
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None


async def _on_invalid(_: Request, error: Exception) -> Response:
    return _error(400, str(error))


async def _on_database(_: Request, error: Exception) -> Response:
    return _error(503, f"the state database: {error}")


async def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = _error(error.status_code, error.detail)
    refusal.headers.update(error.headers or {})
    return refusal


def _error(code: int, why: str) -> Response:
    return JSONResponse({"error": why}, code)
