"""Bytes to text, with the place of the first byte that is none."""

from __future__ import annotations

import re

from controller.desired.source import MAX_FILE_BYTES, too_large
from controller.errors import Problem

# YAML 1.2.2, chapter 5.1: the characters a text may hold. JSON allows some more inside strings; policies need none.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decode(content: bytes, file: str) -> str | Problem:
    """The text of a file, without a byte order mark."""
    if len(content) > MAX_FILE_BYTES:
        return Problem(file, 1, 1, *too_large(len(content)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # utf-8-sig counts from behind the mark it removed.
        bad = error.object[error.start]
        line, column = position(error.object[: error.start].decode("utf-8", "replace"))
        return Problem(file, line, column, f"the byte 0x{bad:02x} is not valid UTF-8", "Save the file as UTF-8.")
    found = _UNPRINTABLE.search(text)
    if found is not None:
        line, column = position(text[: found.start()])
        what = f"the character U+{ord(found[0]):04X} cannot be printed"
        return Problem(file, line, column, what, "Remove it, or write it as an escape in double quotes.")
    return text


def position(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows `before`."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")
