"""What git calls things: handles for accounts, paths or ids for OUs, names of files."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from controller.desired import paths
from controller.desired.checks.units import MAX_NAME
from controller.desired.declared import is_id
from controller.resources.account import Account

_NO_WORD = re.compile(r"[^\w.+@]+|_+", re.UNICODE)
_NO_FILE = re.compile(r"[^\w.-]+", re.UNICODE)
_LONGEST_FILE = 60
"""Characters: file systems take 255 bytes."""


def handles(accounts: Iterable[Account]) -> dict[str, str]:
    """account id → handle: its name as a word. Of equal ones each gets the end of its id, as long as is needed."""
    words = {account.key: _handle(account) for account in accounts}
    found: dict[str, str] = {}
    length = 0
    while words:
        named = {id: word if length == 0 else f"{word}-{id[-length:]}" for id, word in words.items()}
        counts = Counter([name.casefold() for name in named.values()] + [name.casefold() for name in found.values()])
        unique = {id: name for id, name in named.items() if counts[name.casefold()] == 1 and not is_id(name)}
        found |= unique
        words = {id: word for id, word in words.items() if id not in unique}
        length = 4 if length == 0 else length + 4
    return found


def _handle(account: Account) -> str:
    name = unicodedata.normalize("NFC", account.title or "")
    word = _NO_WORD.sub("-", name.casefold()).strip("-.") or "account"
    return f"account-{word}" if is_id(word) else word


def can_be_declared(path: str) -> bool:
    """Whether git can write the OU's path: a name that looks like an id, or ends in a backslash, has none."""
    names = paths.names(path)
    return paths.is_absolute(path) and all(map(_is_name, names)) and _path_of(names) == path


def _path_of(names: Iterable[str]) -> str:
    path = paths.ROOT
    for name in names:
        path = paths.join(path, name)
    return path


def _is_name(name: str) -> bool:
    return bool(name.strip()) and not name.endswith("\\") and len(name) <= MAX_NAME and not is_id(name)


class FileNames:
    """Names for files in one directory, each given once, whatever the case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str, *, without: str) -> str:
        """A file's name without its suffix, after `name`; `without`: where nothing of that can stand in one."""
        base = _NO_FILE.sub("-", unicodedata.normalize("NFC", name))[:_LONGEST_FILE].strip("-.") or without
        found, number = base, 1
        while found.casefold() in self._taken:
            number += 1
            found = f"{base}-{number}"
        self._taken.add(found.casefold())
        return found


def by_top_unit(accounts: Iterable[Account]) -> Mapping[str, list[Account]]:
    """Path of the top OU (``/`` for the root) → the accounts in or below it."""
    found: dict[str, list[Account]] = {}
    for account in accounts:
        above = paths.ancestors(account.unit or paths.ROOT)
        found.setdefault(above[-2] if len(above) > 1 else paths.ROOT, []).append(account)
    return found
