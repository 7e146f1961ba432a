"""Which change goes next: what may run side by side does, as far as widths and lanes allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from typing import Any

from controller.resources.base import Change, Kind


class Lanes:
    """Changes that are ready, queued by lane. Each look costs the logarithm of their number, however many wait.

    Of the lanes whose turn could be now the longest goes first: a lane's changes take their time one after another, so
    one that is begun late would end alone, with the rest of the width empty. Of equal ones, and within a lane, the
    plan's order holds.
    """

    def __init__(self, kinds: Mapping[str, Kind[Any]], place: Mapping[str, int]) -> None:
        """`place`: change id → its number in the plan."""
        self._kinds, self._place = kinds, place
        self._queues: dict[str, list[tuple[int, Change]]] = {}
        self._offers: dict[str, list[tuple[int, int, str]]] = {}
        """kind → its lanes: (minus how many wait there, the first one's place, lane), outdated ones among them."""
        self._offered: dict[str, tuple[int, int, str]] = {}
        self._taken: set[str] = set()
        self._under_way: Counter[str] = Counter()

    def add(self, change: Change) -> None:
        lane = self._lane(change)
        heappush(self._queues.setdefault(lane, []), (self._place[change.id], change))
        self._offer(lane)

    def next(self) -> Change | None:
        """A change to begin now, which takes its lane and its place in its kind's width; None: there is no room."""
        for kind, offers in self._offers.items():
            while offers and self._under_way[kind] < self._kinds[kind].width:
                offer = heappop(offers)
                lane = offer[2]
                if self._offered.get(lane) == offer:
                    return self._begin(lane)
        return None

    def ended(self, change: Change) -> None:
        """It gives its lane and its place back."""
        self._under_way[change.kind] -= 1
        self._taken.discard(self._lane(change))
        self._offer(self._lane(change))

    def drain(self) -> Iterator[Change]:
        """All that have not begun; they never will."""
        for queue in self._queues.values():
            yield from (change for _, change in queue)
        self._queues.clear()
        self._offers.clear()
        self._offered.clear()

    def _begin(self, lane: str) -> Change:
        _, change = heappop(self._queues[lane])
        del self._offered[lane]
        self._taken.add(lane)
        self._under_way[change.kind] += 1
        return change

    def _offer(self, lane: str) -> None:
        queue = self._queues.get(lane)
        if lane in self._taken or not queue:
            self._offered.pop(lane, None)
            return
        place, first = queue[0]
        offer = self._offered[lane] = (-len(queue), place, lane)
        heappush(self._offers.setdefault(first.kind, []), offer)

    def _lane(self, change: Change) -> str:
        """Where it has none, one of its own."""
        return self._kinds[change.kind].lane(change) or change.id
