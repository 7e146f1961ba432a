"""A plan for machines (JSON) and for pull requests (Markdown). `text` renders it for a terminal."""

from __future__ import annotations

from typing import Any

from controller.planning.describe import describe, readable
from controller.planning.plan import Bystander, Plan
from controller.resources.base import Change, Json, Resource

MARKDOWN_LIMIT = 60_000
"""Characters; a comment on GitHub takes 65,536."""


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


def to_markdown(plan: Plan) -> str:
    """For a pull request: counts first, details folded, cut at `MARKDOWN_LIMIT`; equal plans give equal text."""
    lines = [f"### orgctl plan `{plan.plan_id}`", "", sentence(plan), ""]
    if plan.held:
        lines += ["**Held by a guard rail**", ""]
        lines += [f"- `{c.kind}` **{_escape(c.name)}** ({c.action}): {_escape(c.blocked or '')}" for c in plan.held]
        lines.append("")
    if plan.incomplete:
        lines += ["**Could not be observed, so not planned**", ""]
        lines += [f"- `{i.what}`: {_escape(i.why)}" for i in plan.incomplete]
        lines.append("")
    kinds = sorted({c.kind for c in plan.changes if not c.blocked})
    for kind in kinds:
        group = [c for c in plan.changes if c.kind == kind and not c.blocked]
        lines += [f"<details><summary><code>{kind}</code>: {len(group)}</summary>", ""]
        for change in group:
            lines.append(
                f"- {change.action} **{_escape(change.name)}**" + (f" ({change.source})" if change.source else "")
            )
            lines += [f"  - {_escape(line)}" for line in describe(change)]
        lines += ["", "</details>", ""]
    text = "\n".join(lines)
    if len(text) > MARKDOWN_LIMIT:
        text = text[:MARKDOWN_LIMIT].rsplit("\n", 1)[0] + "\n\n… cut here; `orgctl plan --format json` has all of it.\n"
    return text


def _escape(text: str) -> str:
    """Text from YAML and AWS must not become markup."""
    for character in "\\`*_<>[]|":
        text = text.replace(character, "\\" + character)
    return text
