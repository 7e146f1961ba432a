"""Variables that IAM does not have, and blanks that nobody filled in: published policies are full of both.

AWS takes them, and then they match nothing: a statement that should spare one role spares nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from controller.desired.condition_lint import known_everywhere
from controller.desired.marks import Path
from controller.desired.policy_finding import Finding

_VARIABLE = re.compile(r"\$\{\s*([^},]*?)\s*(?:,[^}]*)?\}")
_CHARACTERS = ("*", "?", "$")
"""``${*}`` is an asterisk (IAM User Guide, "IAM policy elements: Variables and tags")."""
_BLANK = re.compile(r"\[[A-Z][A-Z0-9_ /*-]+\]|<[A-Za-z][A-Za-z0-9_ -]*>|(?<![${])\{[a-z][a-z0-9_-]+\}(?!\})")
"""``[BUCKET_NAME]``, ``<bucket-name>``, ``{bucket-name}``."""
_MEANT = "Write the value; ids of the organization by name, as in {{ account('audit').id }}."


def check_placeholders(statement: dict[str, Any], where: Path, told: set[str]) -> Iterator[Finding]:
    """In a statement's resources and the values of its conditions.

    Args:
        told: What was said of this document already; each is said once.
    """
    for element in ("Resource", "NotResource", "Condition"):
        for place, text in _strings(statement.get(element), (*where, element)):
            for name in _VARIABLE.findall(text):
                if name not in _CHARACTERS and not known_everywhere(name) and name not in told:
                    told.add(name)
                    what = (
                        f"IAM has no variable ${{{name}}}: it is never given a value, so this matches nothing it names"
                    )
                    yield Finding(place, what, _MEANT, warning=True)
            for blank in _BLANK.findall(text):
                if blank not in told:
                    told.add(blank)
                    yield Finding(place, f"{blank!r} looks like a blank to be filled in", "Fill it in.", warning=True)


def _strings(value: Any, where: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list | dict):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _strings(item, (*where, step))
