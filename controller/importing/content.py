"""Policy content as git writes it: names for the ids in it, or why git cannot write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from controller.desired import templates
from controller.desired.checks.content import minified
from controller.desired.policy_lint import lint
from controller.importing.picture import Picture
from controller.importing.write import Block, survives
from controller.resources.names import Names
from controller.resources.policy_document import PolicyDocument

_ALONE = r"(?<![0-9A-Za-z])(?:{})(?![0-9A-Za-z])"
_UNIT = r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"


class CannotWrite(Exception):
    """Content that git has no way to write; the text says why, for people."""


class Contents:
    """Turns live content into git's."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._names = Names(picture.seen.estate, picture.seen.live)
        self._org, self._root = self._names.organization_id(), self._names.root_id()
        self._by_path = {str(unit.aws_path): key for key, unit in picture.units.items()}
        self._by_id = {str(unit.id): key for key, unit in picture.units.items()}
        whole = rf"{self._org}/{self._root}(?:/{_UNIT})*"
        self._ids = re.compile(_ALONE.format(rf"{whole}|{self._org}|{self._root}|{_UNIT}|[0-9]{{12}}"))

    def write(self, found: PolicyDocument, kind: str, limit: int) -> dict[str, Any]:
        """The content with names where they say the same.

        Args:
            kind: The document's, as the checks of content know it.
            limit: Characters that AWS takes.

        Raises:
            CannotWrite: Why not.
        """
        content = found.to_json()
        if not isinstance(content, dict):
            raise CannotWrite("its content is not a JSON object")
        if (problem := next(templates.problems(content), None)) or any(map(_is_template, found.strings())):
            raise CannotWrite(f"its content holds what git would take for a name: {problem or '{{ … }}'}")
        if wrong := next((finding for finding in lint(kind, content) if not finding.warning), None):
            raise CannotWrite(f"its content would not pass `orgctl validate`: {wrong.what}")
        named = self._named(content)
        if len(minified(named)) > limit:  # the longest ids there may be are counted
            named = content
        if len(minified(named)) > limit:
            raise CannotWrite(f"its content is longer than the {limit:,} characters that orgctl takes")
        made: dict[str, Any] = _blocks(named)
        if not survives(made):
            raise CannotWrite("its content holds something that YAML cannot say")
        return made

    def _named(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {key: self._named(item) for key, item in value.items()}
        return [self._named(item) for item in value] if isinstance(value, list) else value

    def _text(self, text: str) -> str:
        """The text with every id that means something here as a name, if that renders to the same."""
        used: list[Callable[[], object]] = []
        named = self._ids.sub(lambda match: self._expression(match[0], used), text)
        try:
            if templates.render(named, self._names) != text:
                return text
        except templates.TemplateError:  # a name with quotes and braces in it
            return text
        for refer in used:
            refer()
        return named

    def _expression(self, id: str, used: list[Callable[[], object]]) -> str:
        if "/" in id:
            return self._path(id, used)
        if id in (self._org, self._root):
            return "{{ org.id }}" if id == self._org else "{{ org.root_id }}"
        if id in self._by_id:
            return self._unit(self._by_id[id], "id", id, used)
        if id in self._picture.accounts:
            used.append(lambda: self._picture.account(id))
            return f"{{{{ account({_quoted(self._picture.seen.handles[id])}).id }}}}"
        return id

    def _path(self, path: str, used: list[Callable[[], object]]) -> str:
        """Of a path whose last OUs are gone, the part that is there."""
        known, rest = path, ""
        while known not in self._by_path:
            known, _, last = known.rpartition("/")
            rest = f"/{last}{rest}"
        return self._unit(self._by_path[known], "path", known, used) + rest

    def _unit(self, key: str, attribute: str, literal: str, used: list[Callable[[], object]]) -> str:
        if self._picture.can_name(key):
            used.append(lambda: self._picture.unit(key))
            return f"{{{{ unit({_quoted(key)}).{attribute} }}}}"
        return literal


def _is_template(text: str) -> bool:
    return any(mark in text for mark in ("{{", "{%", "{#"))


def _quoted(name: str) -> str:
    """A string in an expression. A slash within a name is written ``\\/`` there as in any path."""
    escaped = re.sub(r"\\(?!/)", r"\\\\", name).replace("'", "\\'")
    return f"'{escaped}'"


def _blocks(value: Any) -> Any:
    """Statements, and whatever holds more than a few short things, on lines of their own."""
    if isinstance(value, dict):
        inner = {key: _blocks(item) for key, item in value.items()}
        small = len(inner) <= 2 and not any(isinstance(item, dict) for item in inner.values())
        return inner if small else Block(inner)
    return [_blocks(item) for item in value] if isinstance(value, list) else value
