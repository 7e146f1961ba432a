"""What is known of AWS, kept across restarts in one SQLite file. Losing it costs one look at everything."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import structlog

from controller import __version__
from controller.aws.known import Answer, Call
from controller.config import Settings

log = structlog.get_logger(__name__)

_SCHEMA = """
create table if not exists about (what text primary key);
create table if not exists answers (
    action text not null, account text not null, region text not null, parameters text not null,
    value text not null, at text not null, calls integer not null, slow integer not null,
    primary key (action, account, region, parameters)) without rowid;
create table if not exists doubts (
    action text not null, account text not null, region text not null, parameters text not null);
"""


class Shelf:
    """See `aws.known.Shelf`. Answers hold people's contact data: the file is its owner's alone.

    What another version of orgctl kept, or what is about another organization, is forgotten; so is a file that cannot
    be read.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path = path
        self._about = json.dumps(
            [__version__, settings.organization, settings.identity_center_region, settings.member_role]
        )
        try:
            self._db = self._opened()
        except sqlite3.DatabaseError as error:
            self._db = self._emptied(error)

    def load(self) -> Iterator[tuple[Call, Answer]]:
        try:
            # All of it before any is used: it may be damaged anywhere.
            return iter([_answer(*row) for row in self._db.execute("select * from answers")])
        except (sqlite3.DatabaseError, ValueError) as error:
            self._db.close()
            self._db = self._emptied(error)
            return iter(())

    def doubts(self) -> list[Call]:
        return [Call(*row) for row in self._db.execute("select * from doubts")]

    def save(self, learned: Iterable[tuple[Call, Answer]], forgotten: Iterable[Call], doubted: Iterable[Call]) -> None:
        rows = [
            (*call, json.dumps(answer.value, default=str), answer.at.isoformat(), answer.calls, answer.slow)
            for call, answer in learned
        ]
        try:
            with self._db:
                self._db.executemany(
                    "delete from answers where action = ? and account = ? and region = ? and parameters = ?", forgotten
                )
                self._db.executemany("insert or replace into answers values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                self._db.execute("delete from doubts")
                self._db.executemany("insert into doubts values (?, ?, ?, ?)", doubted)
        except sqlite3.Error as error:  # a full disk, say: no reason to stop
            log.warning("what is known of AWS cannot be kept; after a restart it is looked at anew", why=str(error))
            self._db.close()
            self._remove()
            self._db = sqlite3.connect(":memory:", check_same_thread=False)
            self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def _emptied(self, why: Exception) -> sqlite3.Connection:
        log.warning("what was known of AWS cannot be read; everything is looked at anew", why=str(why))
        self._remove()
        return self._opened()

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)
        self._path.chmod(0o600)  # also one that was copied here
        db = sqlite3.connect(self._path, check_same_thread=False)
        db.execute("pragma journal_mode=wal")
        db.executescript(_SCHEMA)
        if db.execute("select what from about").fetchall() != [(self._about,)]:
            with db:
                db.execute("delete from about")
                db.execute("delete from answers")
                db.execute("delete from doubts")
                db.execute("insert into about values (?)", (self._about,))
        return db


def _answer(
    action: str, account: str, region: str, parameters: str, value: str, at: str, calls: int, slow: int
) -> tuple[Call, Answer]:
    kept = Answer(json.loads(value), datetime.fromisoformat(at), calls, slow=bool(slow))
    return Call(action, account, region, parameters), kept
