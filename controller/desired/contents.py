"""Policy content that stands in a JSON file of its own, read into its document."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from controller.desired import json_text, text
from controller.desired.documents.base import DocumentModel
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.documents.policies import Policy
from controller.desired.findings import Findings
from controller.desired.marks import Mark, Marks, Node
from controller.desired.nearest import did_you_mean
from controller.errors import Problem

FIELDS: Mapping[type[DocumentModel], tuple[str, str]] = {
    Policy: ("content", "content_file"),
    PermissionSet: ("inline_policy", "inline_policy_file"),
}
"""model → (the content's field, the file's)."""


def fill(model: DocumentModel, node: Node, files: Mapping[str, bytes], findings: Findings) -> DocumentModel:
    """The document with the content of the file it names, and with the places in that file put into `node`."""
    field, file_field = FIELDS.get(type(model), ("", ""))
    name = getattr(model, file_field, None) if file_field else None
    if name is None or node.fields is None:
        return model
    mark = Marks.of(node).at(file_field)
    if getattr(model, field) is not None:
        what = f"both {field} and {file_field} are given"
        findings.error(Marks.of(node).key(file_field), what, "Keep one of the two.")
        return model
    content = _read(name, mark, files, findings)
    if content is None:
        # Nothing is known of the content: to say besides that it is missing would be wrong.
        findings.cut |= {Marks.of(node).at(), Marks.of(node).key(file_field)}
        return model
    value, places = content
    node.fields[field] = (node.fields[file_field][0], places)
    return model.model_copy(update={field: value})


def _read(
    name: str, mark: Mark, files: Mapping[str, bytes], findings: Findings
) -> tuple[dict[str, object], Node] | None:
    path = _beside(mark.file, name)
    if path not in files:
        near = [
            posixpath.relpath(file, posixpath.dirname(mark.file) or ".") for file in files if file.endswith(".json")
        ]
        advice = did_you_mean(
            name, near, "Files end in .json and are given relative to this file, inside the same tree."
        )
        findings.error(mark, f"there is no file {name!r}", advice)
        return None
    decoded = text.decode(files[path], path)
    if isinstance(decoded, Problem):
        findings.add([decoded])
        return None
    value, places, problems = json_text.parse(decoded, path)
    findings.add(problems)
    if not problems and not isinstance(value, dict):
        findings.error(places.mark, "a policy is a JSON object", "Begin it with '{'.")
    return (value, places) if isinstance(value, dict) else None


def _beside(file: str, name: str) -> str:
    """The path of `name` as seen from `file`, spelt as the source spells its paths."""
    steps = file.split("/")[:-1]
    for step in name.split("/"):
        if step == "..":
            del steps[-1:]
        elif step != ".":
            steps.append(step)
    return "/".join(steps)
