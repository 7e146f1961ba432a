"""What the state database remembers, in lines for people: `orgctl status` and `orgctl history`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from controller.planning.describe import printable

MOST = 20
"""Names of one reason that are told."""


def status_lines(told: dict[str, Any]) -> Iterator[str]:
    """What `orgctl status --json` says, in words."""
    if told["commit"]:
        yield f"In force: commit {told['commit']}"
    if bad := told["bad_commit"]:
        yield f"Bad commit {bad['commit'][:12]}; what is in force stays:"
        yield from (f"  {printable(line)}" for problem in bad["problems"] for line in problem.splitlines())
    if held := told["held_commit"]:
        why = "it does not descend from the one in force"
        yield f"Held commit {held[:12]}: {why}. If meant: orgctl approve {held[:12]}"
    yield f"Last cycle {cycle_line(told['last_cycle'])}" if told["last_cycle"] else "No cycle yet."
    for hold in told["holds"]:
        yield f"Held: {printable(hold['why'])}"
        yield from (f"  {printable(name)}" for name in hold["names"])
    for stuck in told["stuck"]:
        yield f"Held, and nothing to approve: {printable(stuck['why'])}"
        yield from (f"  {printable(name)}" for name in stuck["names"][:MOST])
        if more := stuck["names"][MOST:]:
            yield f"  and {len(more)} more"
    for pause in told["pauses"]:
        scope = f"kind {pause['kind']}, unit {pause['unit'] or '/'}"
        yield printable(f"Paused until {second(pause['until'])}: {scope}: {pause['reason']} ({pause['author']})")
        yield f"  to end it: {printable(pause['resume'])}"


def cycle_line(cycle: dict[str, Any]) -> str:
    """One of `Store.history`."""
    results = ", ".join(f"{count} {result}" for result, count in sorted(cycle["results"].items()) if count)
    commit = (cycle["commit"] or "")[:12]
    return f"{second(cycle['at'])}  {cycle['result']:10}  {commit:12}  {results or 'nothing to do'}"


def write_line(write: dict[str, Any]) -> str:
    """One of `Store.writes`."""
    kind = write["change"].partition("/")[0]
    line = f"{second(write['at'])}  {write['outcome']:8} {write['action']:7} {kind} {write['name']}  {write['detail']}"
    return printable(line).rstrip()


def second(moment: str) -> str:
    """An ISO 8601 moment to the second, in UTC."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
