"""How asynchronous work is reported."""

from __future__ import annotations

from typing import Any

from controller.sandbox.identity_center.state import Access
from controller.sandbox.identity_store import pages
from controller.sandbox.world import Job, World

Json = dict[str, Any]


def status(job: Job) -> Json:
    """Status, request id, when it began, and why it failed."""
    shown = {"Status": _status(job), "RequestId": job.id, "CreatedDate": job.detail["CreatedDate"]}
    if shown["Status"] == "FAILED":
        shown["FailureReason"] = job.failure
    return shown


def _status(job: Job) -> str:
    if not job.settled:
        return "IN_PROGRESS"
    return "SUCCEEDED" if job.failure is None else "FAILED"


def listed(world: World, state: Access, kind: str, request: Json) -> tuple[list[Json], dict[str, str]]:
    """A page of the requests of a kind, narrowed to one status where the request says so."""
    only = request.get("Filter", {}).get("Status")
    jobs = list(state.jobs[kind].values())
    if world.rule("newest-first"):
        jobs.reverse()
    chunk, token = pages(world, [job for job in jobs if only in (None, _status(job))], request)
    rows = [status(job) for job in chunk]
    for row in rows:
        row.pop("FailureReason", None)
    return rows, token
