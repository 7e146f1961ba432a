"""How asynchronous work is reported."""

from __future__ import annotations

from typing import Any

from controller.sandbox.identity_center.state import Access
from controller.sandbox.identity_store import pages
from controller.sandbox.world import Job, World

Json = dict[str, Any]


def status(job: Job) -> Json:
    """Status, request id, when it began, and why it failed."""
    shown = {"Status": "IN_PROGRESS", "RequestId": job.id, "CreatedDate": job.detail["CreatedDate"]}
    if job.settled:
        shown["Status"] = "SUCCEEDED" if job.failure is None else "FAILED"
        if job.failure is not None:
            shown["FailureReason"] = job.failure
    return shown


def listed(world: World, state: Access, kind: str, request: Json) -> tuple[list[Json], dict[str, str]]:
    """A page of the requests of a kind, the newest first, narrowed to one status where the request says so."""
    only = request.get("Filter", {}).get("Status")
    rows = [status(job) for job in reversed(state.jobs[kind].values())]
    for row in rows:
        row.pop("FailureReason", None)
    return pages(world, [row for row in rows if only in (None, row["Status"])], request)
