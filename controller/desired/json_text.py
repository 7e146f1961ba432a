"""JSON text to plain values, each with its place. Strict: no duplicate keys, no NaN, nothing after the document."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from controller.desired.marks import Node
from controller.desired.yaml12 import MAX_DEPTH
from controller.errors import Problem

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)


def parse(text: str, file: str) -> tuple[Any, Node, list[Problem]]:
    """The value, the places in it, and what is wrong; with problems the value is None. Never raises."""
    root = Node(file, 1, 1)
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        what = f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return None, root, [Problem(file, error.lineno, error.colno, what, _advice(text[error.pos :]))]
    except RecursionError:
        return None, root, [Problem(file, 1, 1, f"nested deeper than {MAX_DEPTH} levels", "Flatten it.")]
    except UnicodeEncodeError:
        return None, root, [Problem(file, 1, 1, "a \\u escape for half a character", "Write the character itself.")]
    except ValueError as error:
        return None, root, [Problem(file, 1, 1, f"this is not JSON: {error}", "Correct the JSON.")]
    root, problems = _places(text, file)
    return (None if problems else value), root, problems


def _advice(rest: str) -> str:
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments: take it out."
    if rest.startswith(("$", "{{")):
        return "JSON has no variables: write the value itself, or text in quotes."
    return "Correct the JSON."


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(number: str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError(f"{number} is too large a number")
    return float(number)


def _places(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The nodes of text that is known to be JSON: only strings, brackets, colons and commas tell anything here."""
    problems: list[Problem] = []
    root = top = Node(file, 1, 1)
    stack: list[Node] = []
    key: tuple[str, Node] | None = None
    line, start, seen = 1, 0, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        start = text.rfind("\n", seen, token.start()) + 1 or start
        seen = token.start()
        first = token[0][0]
        if first in ",:":
            continue
        if first in "}]":
            stack.pop()
            continue
        node = Node(file, line, seen - start + 1)
        if first == '"' and stack and stack[-1].fields is not None and key is None:
            name = json.loads(token[0])
            if name in stack[-1].fields:
                what = f"the key {name[:60]!r} stands here twice (first in line {stack[-1].fields[name][0].line})"
                problems.append(Problem(file, node.line, node.column, what, "Keep one of the two."))
            key = name, node
            continue
        if not stack:
            root = node
        else:
            top = stack[-1]
            if top.items is not None:
                top.items.append(node)
            elif top.fields is not None and key is not None:
                top.fields[key[0]] = key[1], node
                key = None
        if first in "{[":
            node.fields, node.items = ({}, None) if first == "{" else (None, [])
            stack.append(node)
            if len(stack) > MAX_DEPTH:
                what = f"nested deeper than {MAX_DEPTH} levels"
                return root, [*problems, Problem(file, node.line, node.column, what, "Flatten it.")]
    return root, problems
