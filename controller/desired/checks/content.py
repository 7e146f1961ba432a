"""Policy content: the names in it, its grammar, its size."""

from __future__ import annotations

import json
from typing import Any

from controller.desired import paths, templates
from controller.desired.checks.units import MAX_DEPTH
from controller.desired.declared import Declared
from controller.desired.findings import Findings
from controller.desired.marks import Marks, Path
from controller.desired.policy_lint import lint


class _Longest:
    """The longest ids that AWS gives out (Organizations API reference: OrganizationId, RootId, …)."""

    def organization_id(self) -> str:
        return "o-" + "x" * 32

    def root_id(self) -> str:
        return "r-" + "x" * 32

    def unit_id(self, path: str) -> str:
        return self.root_id() if path == paths.ROOT else f"ou-{'x' * 32}-{'x' * 32}"

    def unit_path(self, path: str) -> str:
        depth = len(paths.names(path)) if path.startswith("/") else MAX_DEPTH
        return "/".join([self.organization_id(), self.root_id(), *[self.unit_id(path)] * depth])

    def account_id(self, handle: str) -> str:
        return "1" * 12


def minified(content: Any) -> str:
    """The JSON text as it is sent, with the longest possible id wherever a name stands."""
    return json.dumps(templates.render(content, _Longest()), separators=(",", ":"), ensure_ascii=False)


def check_content(
    who: str, kind: str, content: Any, marks: Marks, field: str, declared: Declared, findings: Findings
) -> str | None:
    """Complain about what is wrong in the content.

    Returns:
        The minified text, None where it cannot be rendered.
    """
    broken = list(templates.problems(content))
    for error in broken:
        findings.error(marks.at(field, *error.where), f"{who}: {error.why}", "Correct the expression.")
    if broken:
        return None
    for where, (sort, name, _) in templates.located(content):
        if sort == "unit":
            declared.unit(name, marks.at(field, *where), who, findings)
        elif sort == "account":
            declared.account(name, marks.at(field, *where), who, findings)
    for finding in lint(kind, content):
        path: Path = (field, *finding.where)
        mark = marks.key(*path) if finding.of_key else marks.at(*path)
        (findings.warn if finding.warning else findings.error)(mark, f"{who}: {finding.what}", finding.fix)
    return minified(content)
