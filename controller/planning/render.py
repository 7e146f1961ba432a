"""A plan for machines (JSON) and for pull requests (Markdown). `text` renders it for a terminal."""

from __future__ import annotations

import re
from collections import Counter
from itertools import accumulate
from typing import Any

from controller.planning.describe import describe, printable, readable
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
        for change in plan.held:
            lines += [*_markdown(change, f"`{change.kind}` "), f"  - held: {_escape(change.blocked or '')}"]
        lines.append("")
    if plan.incomplete:
        lines += ["**Could not be observed, so not planned**", ""]
        lines += [f"- {_code(i.what)}: {_escape(i.why)}" for i in plan.incomplete]
        lines.append("")
    free = [c for c in plan.changes if not c.blocked]
    for kind in sorted({c.kind for c in free}):
        group = [c for c in free if c.kind == kind]
        actions = ", ".join(f"{count} {action}" for action, count in sorted(Counter(c.action for c in group).items()))
        lines += [f"<details><summary><code>{kind}</code>: {actions}</summary>", ""]
        for change in group:
            lines += _markdown(change)
        lines += ["", "</details>", ""]
    return _fitted(lines)


def _markdown(change: Change, kind: str = "") -> list[str]:
    source = f" ({_code(change.source)})" if change.source else ""
    head = f"- {change.action} {kind}**{_code(change.name)}**{source}"
    return [head, *(f"  - {_code(line)}" for line in describe(change))]


def _fitted(lines: list[str]) -> str:
    """As many lines as there is room for; what is folded is closed again."""
    ending = ["", "</details>", "", "… cut here; `orgctl plan --format json` has all of it.", ""]
    room = MARKDOWN_LIMIT - len("\n".join(ending)) - 1
    sizes = accumulate(len(line) + 1 for line in lines)
    kept = [line for line, size in zip(lines, sizes, strict=True) if size <= room]
    if len(kept) == len(lines):
        return "\n".join(lines)
    is_open = sum(line.startswith("<details>") for line in kept) > kept.count("</details>")
    return "\n".join(kept + (ending if is_open else ending[2:]))


def _code(text: str) -> str:
    """Text from YAML and AWS as it is: within backticks nothing becomes markup, and nobody is mentioned."""
    text = printable(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _escape(text: str) -> str:
    """Sentences with names in them: no markup, and no mention (an @ that a word follows)."""
    text = re.sub(r"([\\`*_<>\[\]|~#])", r"\\\1", printable(text))
    return text.replace("@", "@\u200b")
