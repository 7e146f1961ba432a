"""What is known of AWS, and since when: answers kept from cycle to cycle, so that none asks what it has no reason to.

Every question is known by itself. Forgotten, and so asked again, are: what our own writes touch, what a change rests on
just before it is written, and the oldest, by and by, so that nothing is older than the operator allows. A question that
failed has no answer and is not known.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple, Protocol, TypeAlias


class Call(NamedTuple):
    """One question to AWS; of a listing all pages together.

    Attributes:
        account, region: "" for the controller's own credentials, and for a service's one Region.
        parameters: As JSON, sorted by name.
    """

    action: str
    account: str = ""
    region: str = ""
    parameters: str = "{}"

    @classmethod
    def of(cls, action: str, *, account: str | None = None, region: str | None = None, **parameters: Any) -> Call:
        """The question that `Reader.get` and its like ask with the same arguments."""
        return cls(action, account or "", region or "", json.dumps(parameters, sort_keys=True) if parameters else "{}")


SLOWER = 24
"""How many times as old as others an answer may grow that shows nothing anybody can use."""

Basis: TypeAlias = tuple[Call, ...]
"""Questions of which any answers something; the last is the cheapest, and the one to ask again."""


@dataclass(slots=True)
class Answer:
    """What AWS said.

    Attributes:
        value: JSON.
        at: When it was asked, so that it is at least as new.
        calls: How many calls it took.
        learned: In which look.
        used: The look that used it last.
        slow: Whether it may grow `SLOWER` times as old as others.
    """

    value: Any
    at: datetime
    calls: int = 1
    learned: int = 0
    used: int = 0
    slow: bool = False

    @property
    def age(self) -> tuple[int, datetime]:
        """Compares as older and younger. Looks are in order whatever becomes of the clock."""
        return self.learned, self.at


class Shelf(Protocol):
    """Where answers outlive the process."""

    def load(self) -> Iterator[tuple[Call, Answer]]: ...

    def doubts(self) -> Iterable[Call]: ...

    def save(
        self, learned: Iterable[tuple[Call, Answer]], forgotten: Iterable[Call], doubted: Iterable[Call]
    ) -> None: ...


class Known:
    """All answers there are. Safe to use from several threads.

    Args:
        shelf: None: nothing outlives the process.

    Attributes:
        part: Of the time in which everything is asked again, what has passed since the last look: 0 to 1.
        ways: What can be asked in several ways → way → calls; the cheapest was taken.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._answers: dict[Call, Answer] = dict(shelf.load()) if shelf else {}
        self._doubted: set[Call] = set(shelf.doubts()) if shelf else set()
        self._doubts_saved = frozenset(self._doubted)
        self._unsaved: set[Call] = set()
        self._look = 0
        self._lock = threading.Lock()
        self.part = 0.0
        self.ways: dict[str, dict[str, int]] = {}

    # While looking

    @property
    def look(self) -> int:
        """The number of the look under way, or of the last one. What outlived another process was learned in look 0."""
        return self._look

    def begin(self) -> None:
        """A look at everything begins."""
        with self._lock:
            self._look += 1

    def has(self, action: str) -> bool:
        """Whether any question of this kind is known."""
        with self._lock:
            return any(call.action == action for call in self._answers)

    def recall(self, call: Call) -> Answer | None:
        with self._lock:
            answer = self._answers.get(call)
            if answer is not None:
                answer.used = self._look
            return answer

    def learn(self, call: Call, value: Any, at: datetime, calls: int = 1, *, slow: bool = False) -> None:
        with self._lock:
            self._answers[call] = Answer(value, at, calls, self._look, self._look, slow)
            self._doubted.discard(call)
            self._unsaved.add(call)

    def is_better(self, single: Call, than: Call) -> bool:
        """Whether a question about one thing is to decide, rather than what a question about many said of it.

        It is where it was asked later, or is to be asked because the other's answer is in doubt for this one thing.
        """
        with self._lock:
            if single in self._doubted:
                return True
            one, many = self._answers.get(single), self._answers.get(than)
            return one is not None and many is not None and one.age > many.age

    def forget_older_singles(self, singles: Iterable[Call], than: Call) -> None:
        """Forget of these what was asked before the question about many, which shows something else."""
        with self._lock:
            many = self._answers.get(than)
            if many is not None:
                self._drop([c for c in singles if c in self._answers and self._answers[c].age < many.age])

    def is_doubted(self, call: Call) -> bool:
        with self._lock:
            return call in self._doubted

    def doubted(self, action: str) -> set[Call]:
        """The questions of this kind that are to be asked again."""
        with self._lock:
            return {call for call in self._doubted if call.action == action}

    def cost(self, call: Call) -> int:
        """Calls that a question took; 0 where it is not known."""
        with self._lock:
            return self._answers[call].calls if call in self._answers else 0

    def tidy(self) -> None:
        """After a look that saw everything: nobody needs what it did not use."""
        with self._lock:
            self._drop([call for call, answer in self._answers.items() if answer.used != self._look])
            self._doubted.clear()

    # What is to be asked again

    def doubt(self, calls: Iterable[Call], *, instead_of: Iterable[Call] = ()) -> None:
        """Forget these, and ask them even where another answer covers them.

        Args:
            instead_of: Doubts that these answer as well.
        """
        with self._lock:
            calls = list(calls)
            self._drop(calls)
            self._doubted.difference_update(instead_of)
            self._doubted.update(calls)

    def forget(self, *, slow: bool = False) -> None:
        """Everything; slow answers too, if so said."""
        with self._lock:
            self._drop([call for call, answer in self._answers.items() if slow or not answer.slow])
            self._doubted.clear()

    def forget_older(self, than: timedelta, now: datetime) -> None:
        """Also what is of the future: the clock was put back, and nobody knows how old it is."""
        with self._lock:
            old = {c: a for c, a in self._answers.items() if now - a.at > (than * SLOWER if a.slow else than)}
            self._drop([*old, *(c for c, a in self._answers.items() if a.at > now)])

    def forget_actions(self, actions: Collection[str]) -> None:
        """Every question of these kinds."""
        with self._lock:
            self._drop([call for call in self._answers if call.action in actions])

    def forget_oldest(self, share: float) -> None:
        """The oldest answers that together took this share of all calls, 0 to 1."""
        with self._lock:
            quick = {call: answer for call, answer in self._answers.items() if not answer.slow}
            left = share * sum(answer.calls for answer in quick.values())
            for call in sorted(quick, key=lambda call: quick[call].at):
                if left <= 0:
                    return
                left -= quick[call].calls
                self._drop([call])

    def is_stale(self, basis: Basis, since: int) -> bool:
        """Whether all that is known of it was asked before look `since`. Of what is not known nobody made use."""
        with self._lock:
            answers = [self._answers[call] for call in basis if call in self._answers]
            return bool(answers) and all(answer.learned < since for answer in answers)

    def is_new(self, since: int, actions: Collection[str] | None = None) -> bool:
        """Whether nothing was asked before look `since`; of these kinds of questions, or at all."""
        with self._lock:
            some = (a for c, a in self._answers.items() if actions is None or c.action in actions)
            return all(answer.learned >= since for answer in some)

    # What is told and kept

    def least(self, page_limit: Callable[[str], int]) -> dict[str, int]:
        """Action → the fewest calls that could have brought the same answers: every page full, nothing asked twice.

        Args:
            page_limit: Action → the most items of a page.
        """
        found: dict[str, int] = {}
        with self._lock:
            for call, answer in self._answers.items():
                pages = ceil(len(answer.value) / page_limit(call.action)) if isinstance(answer.value, list) else 1
                # Of one cell of Security Hub the answers are kept as one, and its calls are of several kinds.
                calls = max(1, pages) if not isinstance(answer.value, str) else answer.calls
                found[call.action] = found.get(call.action, 0) + calls
        return found

    def ages(self) -> dict[str, datetime]:
        """Action → when the oldest of its answers was asked for, slow ones aside."""
        oldest: dict[str, datetime] = {}
        with self._lock:
            for call, answer in self._answers.items():
                if answer.slow:
                    continue
                oldest[call.action] = min(answer.at, oldest.get(call.action, answer.at))
        return oldest

    def save(self) -> None:
        """Bring the shelf up to date."""
        with self._lock:
            if self._shelf is None or (not self._unsaved and self._doubted == self._doubts_saved):
                return
            learned = [(call, self._answers[call]) for call in self._unsaved if call in self._answers]
            forgotten = [call for call in self._unsaved if call not in self._answers]
            self._shelf.save(learned, forgotten, self._doubted)
            self._unsaved.clear()
            self._doubts_saved = frozenset(self._doubted)

    def _drop(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if self._answers.pop(call, None) is not None:
                self._unsaved.add(call)
