"""What must outlive a restart, in one SQLite file. Losing it never changes what AWS looks like.

Approvals, pauses, removals of the last hour, repairs, writes without an answer, the audit trail, the history of cycles,
and small facts by key (the commit in force).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controller.clock import Clock
from controller.errors import InvalidInput, Problem
from controller.planning.guard import Memory, Pause, repair_key
from controller.planning.plan import Plan
from controller.report import Outcome, Report, Result
from controller.resources.base import Change, Desired

APPROVAL_LASTS = timedelta(hours=24)
HOUR = timedelta(hours=1)
HISTORY_KEPT = 10_000
"""Cycles; those that changed nothing count too, so this is some ten days at ten in a quarter of an hour."""

_MAY_HAVE_TAKEN_EFFECT = frozenset({Result.APPLIED, Result.UNKNOWN, Result.PENDING})

_SCHEMA = """
create table if not exists facts (key text primary key, value text not null);
create table if not exists holds (id text primary key, why text not null, changes text not null, seen text not null);
create table if not exists approvals (
    fingerprint text not null, hold text not null, author text not null, until text not null, used text);
create table if not exists pauses (
    id integer primary key, kind text not null, unit text, until text not null,
    reason text not null, author text not null);
create table if not exists removed (
    change text not null, kind text not null, at text not null, under_way integer not null);
create table if not exists repairs (key text not null, at text not null);
create table if not exists intents (change text primary key, at text not null, answered integer not null default 0);
create table if not exists baselines (kind text primary key, count integer not null);
create table if not exists ends (kind text not null, key text not null, until text not null, primary key (kind, key));
create table if not exists writes (
    at text not null, commit_hash text, change text not null, name text not null, action text not null,
    before text, after text, outcome text not null, detail text not null);
create table if not exists cycles (
    at text not null, commit_hash text, result text not null, summary text not null, results text not null,
    seconds real not null);
"""


@dataclass(frozen=True, slots=True)
class Hold:
    """Changes that wait for a person, as last planned; `names` says each of them in words."""

    id: str
    why: str
    changes: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, id: str, why: str, content: str) -> Hold:
        """From the database's row."""
        changes = json.loads(content)
        return cls(id, why, tuple(change for change, _, _ in changes), tuple(name for _, _, name in changes))


class Store:
    """One SQLite file under the state directory; safe to use from several threads and several processes."""

    def __init__(self, path: Path | str, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        try:
            if path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=10, isolation_level=None)
            self._db.execute("pragma journal_mode=wal")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.OperationalError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            what = f"the state database cannot be opened or written: {why}"
            fix = "Correct the owner of its directory, or choose another: state_dir in orgctl.yaml, ORGCTL_STATE_DIR."
            raise InvalidInput([Problem(str(path), 0, 0, what, fix)]) from error
        except sqlite3.DatabaseError as error:
            what = f"the state database cannot be opened: {error}"
            fix = "Move the file away: a fresh one is made, and AWS is unaffected (approvals and pauses are lost)."
            raise InvalidInput([Problem(str(path), 0, 0, what, fix)]) from error

    def close(self) -> None:
        self._db.close()

    # Facts

    def get(self, key: str) -> str | None:
        row = self._one("select value from facts where key = ?", key)
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        self._run("insert into facts values (?, ?) on conflict (key) do update set value = excluded.value", key, value)

    # Holds and approvals

    def remember_holds(self, plan: Plan) -> None:
        """Replace the holds with this plan's, so that `approve` knows what an id stands for."""
        groups: dict[str, list[Change]] = {}
        for change in plan.held:
            if change.hold:
                groups.setdefault(change.hold, []).append(change)
        now = self._now()
        with self._transaction():
            self._run("delete from holds where seen < ?", _text(self._clock.now() - APPROVAL_LASTS))
            for id, group in groups.items():
                content = [[c.id, plan.fingerprints[c.id], f"{c.action} {c.kind} {c.name}"] for c in group]
                self._run(
                    "insert into holds values (?, ?, ?, ?) on conflict (id) do update set seen = excluded.seen",
                    id, group[0].blocked or "", json.dumps(content), now,
                )  # fmt: skip
            self.set("holds", json.dumps(sorted(groups)))
            self.set("stuck", json.dumps(plan.stuck))

    def holds(self) -> list[Hold]:
        """What the newest plan holds and a person may approve."""
        current = set(json.loads(self.get("holds") or "[]"))
        rows = self._all("select id, why, changes from holds order by id")
        return [Hold.of(*row) for row in rows if row[0] in current]

    def stuck(self) -> dict[str, list[str]]:
        """`Plan.stuck` of the newest plan."""
        found: dict[str, list[str]] = json.loads(self.get("stuck") or "{}")
        return found

    def approve(self, id: str, author: str) -> Hold:
        """Let exactly the changes of a hold through, once, within 24 hours.

        Raises:
            InvalidInput: No plan held anything under this id; lists the ids there are.
        """
        every = self._all("select id, why, changes from holds") if len(id) >= 6 else []
        rows = [row for row in every if row[0].startswith(id)]
        if len(rows) != 1:
            known = ", ".join(h.id for h in self.holds()) or "none"
            what = f"no plan holds anything under '{id}'"
            raise InvalidInput(
                [Problem("approve", 0, 0, what, f"Held now: {known}. Plan again: ids follow the changes.")]
            )
        hold, why, changes = rows[0]
        until = _text(self._clock.now() + APPROVAL_LASTS)
        content = json.loads(changes)
        with self._transaction():
            for _, fingerprint, _ in content:
                self._run("insert into approvals values (?, ?, ?, ?, null)", fingerprint, hold, author, until)
        return Hold.of(hold, why, changes)

    # Pauses

    def pause(self, pause: Pause) -> None:
        self._run(
            "insert into pauses (kind, unit, until, reason, author) values (?, ?, ?, ?, ?)",
            pause.kind, pause.unit, _text(pause.until), pause.reason, pause.author,
        )  # fmt: skip

    def resume(self, kind: str = "*", unit: str | None = None) -> int:
        """End the pauses of exactly this scope, `*` without a unit ending all; how many ended."""
        if kind == "*" and unit is None:
            return self._run("delete from pauses where until > ?", self._now())
        return self._run("delete from pauses where kind = ? and unit is ? and until > ?", kind, unit, self._now())

    def pauses(self) -> list[Pause]:
        """Those that have not expired."""
        rows = self._all("select until, reason, author, kind, unit from pauses where until > ?", self._now())
        return [Pause(datetime.fromisoformat(u), r, a, k, unit) for u, r, a, k, unit in rows]

    # What guards ask

    def memory(self) -> Memory:
        """A snapshot for one plan."""
        now = self._clock.now()
        since = _text(now - HOUR)
        repairs: dict[str, tuple[datetime, ...]] = {}
        for key, at in self._all("select key, at from repairs where at > ? order by at", since):
            repairs[key] = (*repairs.get(key, ()), datetime.fromisoformat(at))
        ends: dict[str, dict[str, datetime]] = {}
        for kind, key, until in self._all("select kind, key, until from ends"):
            ends.setdefault(kind, {})[key] = datetime.fromisoformat(until)
        approved = self._all("select fingerprint from approvals where used is null and until > ?", _text(now))
        return Memory(
            now=now,
            approved=frozenset(row[0] for row in approved),
            removed=dict(self._all("select kind, count(*) from removed where at > ? group by kind", since)),
            removing=frozenset(
                row[0] for row in self._all("select change from removed where under_way and at > ?", since)
            ),
            baseline=dict(self._all("select kind, count from baselines")),
            ends=ends,
            repairs=repairs,
            unknown={c: datetime.fromisoformat(at) for c, at in self._all("select change, at from intents")},
            pauses=tuple(self.pauses()),
        )

    def remember_wanted(self, wanted: Mapping[str, Desired[Any]], held: Collection[str]) -> None:
        """How much git wants of each kind, now that this is in force, and until when.

        Args:
            held: Kinds of which something is held: they may have shrunk without anybody's consent, so they only grow.
        """
        now = _text(self._clock.now())
        with self._transaction():
            for kind, want in wanted.items():
                number = "max(count, excluded.count)" if kind in held else "excluded.count"
                self._run(
                    f"insert into baselines values (?, ?) on conflict (kind) do update set count = {number}",  # noqa: S608 two constants
                    kind, len(want.resources),
                )  # fmt: skip
                known = dict(self._all("select key, until from ends where kind = ?", kind))
                ends = {key: _text(until.astimezone(UTC)) for key, until in want.ends.items()}
                for key in known.keys() - ends.keys():
                    self._run("delete from ends where kind = ? and key = ?", kind, key)
                for key, until in ends.items():
                    # One that is past already is not news of an end to come: what was known of it stays.
                    if until > now and known.get(key) != until:
                        self._run("insert or replace into ends values (?, ?, ?)", kind, key, until)

    # Writes

    def intend(self, change: Change, fingerprint: str | None = None, *, counted_removal: bool = False) -> None:
        """Before anything is sent: so that a crash or a lost answer is known of afterwards.

        Args:
            fingerprint: What an approval of the change would bear.
            counted_removal: Whether it counts against the limits, from now on, unless a person approved it.
        """
        now = self._now()
        with self._transaction():
            self._run(
                "insert into intents (change, at) values (?, ?) on conflict (change) do update set at = excluded.at",
                change.id, now,
            )  # fmt: skip
            if counted_removal and self._approver(fingerprint) is None:
                # Tried again, it is one removal still.
                self._run("delete from removed where change = ? and under_way", change.id)
                self._run("insert into removed values (?, ?, ?, 1)", change.id, change.kind, now)

    def record(self, outcome: Outcome, plan: Plan) -> None:
        """After the answer: the audit trail, and what the guards need. An unknown outcome keeps its intent."""
        change, now = outcome.change, self._now()
        fingerprint = plan.fingerprints.get(change.id)
        with self._transaction():
            if outcome.result is not Result.UNKNOWN:
                self._run("delete from intents where change = ?", change.id)
            if outcome.result is Result.APPLIED:
                self._run("update removed set under_way = 0 where change = ?", change.id)
                self._run("insert into repairs values (?, ?)", repair_key(change), now)
            elif outcome.result not in _MAY_HAVE_TAKEN_EFFECT:
                self._run("delete from removed where change = ? and under_way", change.id)
            author = self._approver(fingerprint)
            detail = "; ".join(filter(None, [outcome.detail, f"approved by {author}" if author else ""]))
            if outcome.result in (Result.APPLIED, Result.UNKNOWN):
                self._run("update approvals set used = ? where fingerprint = ? and used is null", now, fingerprint)
            self._run(
                "insert into writes values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                now, plan.commit, change.id, change.name, change.action.value, _side(change.before),
                _side(change.after), outcome.result.value, detail,
            )  # fmt: skip

    def _approver(self, fingerprint: str | None) -> str | None:
        """Who let it through: once, and not for ever."""
        sql = "select author from approvals where fingerprint = ? and used is null and until > ?"
        row = self._one(sql, fingerprint, self._now())
        return None if row is None else str(row[0])

    def settle(self, seen: Iterable[str]) -> None:
        """What no plan needs any more has shown up: its intent is forgotten, and a removal stays counted as one."""
        needed = set(seen)
        pending = {row[0] for row in self._all("select change from intents")} - needed
        removing = {row[0] for row in self._all("select change from removed where under_way")} - needed
        with self._transaction():
            for change in pending:
                self._run("delete from intents where change = ?", change)
            for change in removing:
                self._run("update removed set under_way = 0 where change = ?", change)

    def writes(self, limit: int = 100) -> list[dict[str, Any]]:
        """The audit trail, newest first."""
        names = ("at", "commit", "change", "name", "action", "before", "after", "outcome", "detail")
        rows = self._all("select * from writes order by rowid desc limit ?", limit)
        return [dict(zip(names, row, strict=True)) for row in rows]

    # History

    def remember_cycle(self, report: Report) -> None:
        with self._transaction():
            self._run(
                "insert into cycles values (?, ?, ?, ?, ?, ?)",
                _text(report.started), report.plan.commit, report.result.value, json.dumps(report.plan.summary()),
                json.dumps({k.value: v for k, v in report.results.items()}), sum(report.phases.values()),
            )  # fmt: skip
            self._run("delete from cycles where rowid <= (select max(rowid) from cycles) - ?", HISTORY_KEPT)
            for table in ("removed", "repairs"):
                self._run(f"delete from {table} where at < ?", _text(self._clock.now() - HOUR))  # noqa: S608 two constants

    def history(self, limit: int = 50) -> list[dict[str, Any]]:
        """Cycles, newest first: at, commit, result, summary, results, seconds."""
        rows = self._all("select * from cycles order by rowid desc limit ?", limit)
        return [
            {
                "at": at,
                "commit": commit,
                "result": result,
                "summary": json.loads(summary),
                "results": json.loads(results),
                "seconds": seconds,
            }
            for at, commit, result, summary, results, seconds in rows
        ]

    # SQLite

    def _now(self) -> str:
        return _text(self._clock.now())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def _run(self, sql: str, *values: Any) -> int:
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def _one(self, sql: str, *values: Any) -> Any:
        with self._lock:
            return self._db.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _side(resource: Any) -> str | None:
    return None if resource is None else json.dumps({"owner": resource.owner, **resource.attributes()}, sort_keys=True)
