"""A plan for machines (JSON). `markdown` renders it for pull requests, `text` for a terminal."""

from __future__ import annotations

from typing import Any

from controller.planning.describe import readable
from controller.planning.plan import Bystander, Plan
from controller.resources.base import Change, Json, Resource


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as the command line's documentation promises it; no private data."""
    return {
        "plan_id": plan.plan_id,
        "commit": plan.commit,
        "organization": plan.organization_id,
        "summary": plan.summary(),
        "changes": [_change(c) for c in plan.changes],
        "unmanaged": [_bystander(b) for b in plan.unmanaged],
        "orphaned": [_bystander(b) for b in plan.orphaned],
        "incomplete": [{"what": i.what, "why": i.why} for i in plan.incomplete],
        "notes": [{"kind": n.kind, "name": n.name, "text": n.text} for n in plan.notes],
    }


def _bystander(bystander: Bystander) -> dict[str, str]:
    return {"kind": bystander.kind, "name": bystander.name}


def _change(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "kind": change.kind,
        "name": change.name,
        "action": change.action.value,
        "unit": change.unit,
        "before": _side(change.before),
        "after": _side(change.after),
        "source": change.source,
        "requires": sorted(change.requires),
        "blocked": change.blocked,
        "approve": change.hold,
        "observe_only": change.observe_only,
        "waits": change.waits or None,
    }


def _side(resource: Resource | None) -> Json:
    if resource is None:
        return None
    return _readable({"owner": resource.owner, **resource.attributes()})


def _readable(value: Json) -> Json:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, list):
        return [_readable(v) for v in value]
    if isinstance(value, dict):
        return {k: _readable(v) for k, v in value.items()}
    return value


def sentence(plan: Plan) -> str:
    """The counts in one line."""
    counts = plan.summary()
    verbs = {
        "create": "to create",
        "update": "to update",
        "move": "to move",
        "adopt": "to adopt",
        "delete": "to delete",
    }
    parts = [f"{counts[action]} {words}" for action, words in verbs.items() if counts[action]]
    if counts["blocked"]:
        parts.append(f"{counts['blocked']} held")
    parts.append(f"{counts['unchanged']} as git says")
    if counts["unmanaged"]:
        parts.append(f"{counts['unmanaged']} unmanaged, left alone")
    if counts["orphaned"]:
        parts.append(f"{counts['orphaned']} orphaned, left alone")
    return ", ".join(parts) + "."
