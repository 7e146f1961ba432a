"""The status as values to show: for /api/status, and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from controller import __version__
from controller.git.mirror import Commit
from controller.metrics import STATES, count_states
from controller.report import CycleResult, Report
from controller.revision import Standing
from controller.status import Status

if TYPE_CHECKING:
    from controller.web.app import Store

CHANGES_SHOWN = 200
BYSTANDERS_SHOWN = 500
_WORDS = {
    CycleResult.CONVERGED: "The organization is as the commit in force says.",
    CycleResult.PENDING: "Changes remain: observe mode, a pause, or AWS is still at work.",
    CycleResult.HELD: "A guard rail holds changes: somebody has to decide.",
    CycleResult.INCOMPLETE: "Something failed or could not be observed.",
    CycleResult.ERROR: "The last cycle failed: nothing can be said of the organization.",
}


def summary(status: Status, store: Store, instance: str) -> dict[str, Any]:
    """What /api/status answers: the state of everything, without anybody's contact data."""
    standing, report = status.standing, status.report
    return {
        "version": __version__,
        "instance": instance,
        "organization": report.plan.organization_id if report else None,
        "started": _moment(status.started),
        "ready": status.ready,
        "running_since": _moment(status.running),
        "last_good": _moment(status.last_good),
        "commit": _commit(standing.in_force),
        "warnings": [str(warning) for warning in standing.warnings],
        "bad_commit": _bad(standing),
        "held_commit": _held(standing),
        "git": {"fetched": _moment(standing.fetched), "error": standing.fetch_error or None},
        "cycle": status.cycle
        and {
            "started": _moment(status.cycle.started),
            "seconds": round(status.cycle.seconds, 3),
            "result": status.cycle.result.value,
            "error": status.cycle.error or None,
        },
        "plan_id": report.plan.plan_id if report else None,
        "summary": report.plan.summary() if report else None,
        "outcomes": {result.value: count for result, count in report.results.items()} if report else None,
        "resources": _resources(report),
        "incomplete": [{"what": i.what, "why": i.why} for i in report.plan.incomplete] if report else [],
        "notes": [{"kind": n.kind, "name": n.name, "text": n.text} for n in report.plan.notes] if report else [],
        "fights": sorted(report.plan.fights) if report else [],
        "holds": [
            {"id": hold.id, "why": hold.why, "changes": list(hold.changes), "approve": f"orgctl approve {hold.id}"}
            for hold in store.holds()
        ],
        "stuck": [{"why": why, "names": names} for why, names in report.plan.stuck.items()] if report else [],
        "pauses": [
            {
                "kind": p.kind,
                "unit": p.unit,
                "until": _moment(p.until),
                "reason": p.reason,
                "author": p.author,
                "resume": p.command,
            }
            for p in store.pauses()
        ],
    }


def page(status: Status, store: Store, instance: str, now: datetime, history: int) -> dict[str, Any]:
    """What templates/status.html shows."""
    shown = summary(status, store, instance)
    result = status.cycle.result if status.cycle else None
    return {
        **shown,
        "states": STATES,
        "result": result.value if result else "starting",
        "words": _WORDS[result] if result else "No cycle has ended yet.",
        "behind": bool(shown["bad_commit"] or shown["held_commit"]),
        "bystanders": _bystanders(status.report),
        "changes": _changes(status.report),
        "history": [_past(cycle, now) for cycle in store.history(history)],
        "ago": lambda moment: ago(datetime.fromisoformat(moment), now) if moment else "never",
        "now": _moment(now),
    }


def ago(moment: datetime, now: datetime) -> str:
    """How long ago (or in how long) in one unit: ``5 min ago``, ``in 2 h``."""
    seconds = (now - moment) / timedelta(seconds=1)
    size, unit = next((s, u) for s, u in ((86400, "d"), (3600, "h"), (60, "min"), (0, "s")) if abs(seconds) >= s)
    number = int(abs(seconds) // size) if size else int(abs(seconds))
    if number == 0:
        return "now"
    return f"{number} {unit} ago" if seconds > 0 else f"in {number} {unit}"


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _commit(commit: Commit | None) -> dict[str, str | None] | None:
    if commit is None:
        return None
    # The author's name is public in the history of the repository; the e-mail address is nobody's business here.
    time = _moment(commit.time)
    return {
        "hash": commit.hash,
        "short": commit.short,
        "author": commit.author,
        "subject": commit.subject,
        "time": time,
    }


def _bad(standing: Standing) -> dict[str, Any] | None:
    if not standing.refused:
        return None
    return {"commit": _commit(standing.head), "problems": [str(problem) for problem in standing.refused]}


def _held(standing: Standing) -> dict[str, Any] | None:
    if not standing.held or standing.head is None:
        return None
    approve = f"orgctl approve {standing.head.short}"
    return {"commit": _commit(standing.head), "why": standing.held, "approve": approve}


def _resources(report: Report | None) -> dict[str, dict[str, int]]:
    """kind → state → how many; only kinds of which there are any."""
    if report is None:
        return {}
    counts = count_states(report.plan, report.outcomes)
    kinds = sorted({kind for (kind, _), number in counts.items() if number})
    return {kind: {state: counts.get((kind, state), 0) for state in STATES} for kind in kinds}


def _changes(report: Report | None) -> list[dict[str, str]]:
    if report is None:
        return []
    told = [
        {
            "kind": outcome.change.kind,
            "name": outcome.change.name,
            "action": outcome.change.action.value,
            "result": outcome.result.value,
            "detail": outcome.detail,
            "source": outcome.change.source or "",
        }
        for outcome in report.outcomes
    ]
    return told[:CHANGES_SHOWN]


def _bystanders(report: Report | None) -> list[dict[str, Any]]:
    """What is left alone, by why; the count is of all."""
    if report is None:
        return []
    groups = {"Orphaned: ours, and no longer in git": report.plan.orphaned, "Unmanaged": report.plan.unmanaged}
    return [
        {"title": title, "count": len(group), "shown": group[:BYSTANDERS_SHOWN]}
        for title, group in groups.items()
        if group
    ]


def _past(cycle: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    results = ", ".join(f"{count} {result}" for result, count in sorted(cycle["results"].items()) if count)
    return {
        "at": cycle["at"],
        "ago": ago(datetime.fromisoformat(cycle["at"]), now),
        "commit": (cycle["commit"] or "")[:12],
        "result": cycle["result"],
        "seconds": round(cycle["seconds"], 1),
        "results": results or "nothing to do",
    }
