"""One JSON Schema for every document kind, made from the models, for editors and other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from controller.desired.documents import MODELS, by_kind
from controller.desired.documents.base import DocumentModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
INDEX = "orgctl.json"


def schemas(also: Iterable[type[DocumentModel]] = ()) -> Mapping[str, dict[str, Any]]:
    """File name → schema: one for each kind, and one for files that hold documents of several kinds.

    Args:
        also: Models of documents that are no desired state.
    """
    kinds = by_kind(MODELS)
    made = {f"{_snake(kind)}.json": _schema(kind, model) for kind, model in kinds.items()}
    index: dict[str, Any] = {
        "$schema": DIALECT,
        "title": "orgctl desired state",
        "description": "A document of any kind; its `kind` says which.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(kinds)}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"{_snake(kind)}.json"},
            }
            for kind in kinds
        ],
    }
    others = {f"{_snake(kind)}.json": _schema(kind, model) for kind, model in by_kind(also).items()}
    return {INDEX: index, **made, **others}


def text(schema: Mapping[str, Any]) -> str:
    """As it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(directory: Path | str, also: Iterable[type[DocumentModel]] = ()) -> list[Path]:
    """Write every schema; the files written."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas(also).items():
        path = directory / name
        path.write_text(text(schema), encoding="utf-8")
        written.append(path)
    return written


def _schema(kind: str, model: type[DocumentModel]) -> dict[str, Any]:
    made = _plain(model.model_json_schema(mode="validation"))
    made["properties"]["kind"] = {"const": kind, "description": "What the document is."}
    return {"$schema": DIALECT, **made, "title": kind}


def _plain(schema: Any) -> Any:
    """Without what says nothing: titles made from names, and the null that a key may never be given."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: {name: _plain(value) for name, value in item.items()} if key in ("properties", "$defs") else _plain(item)
        for key, item in schema.items()
        if not (key == "title" and isinstance(item, str)) and not (key == "default" and item is None)
    }
    if isinstance(kept.get("examples"), list) or "default" in kept:
        kept |= {key: schema[key] for key in ("examples", "default") if key in kept}
    options = kept.get("anyOf")
    if isinstance(options, list) and "default" in schema and {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        del kept["anyOf"]
        return {**rest[0], **kept} if len(rest) == 1 else {**kept, "anyOf": rest}
    return kept


def _snake(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
