"""Killed at any write, before its effect or before its answer, a new process ends where an undisturbed one would.

A killed process leaves the organization as it is at that moment, and orgctl's own state. So one undisturbed run is
frozen around each of its writes, and each frozen moment is what a new process finds.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property

import pytest

from controller.resources.base import Change
from controller.sandbox.wire import Call
from tests.hardening.estates import AFTER, BEFORE, LIVE
from tests.hardening.picture import Fact, Names, ids, lost_and_new, picture
from tests.hardening.yard import Frozen, Yard

THOROUGH = bool(os.environ.get("ORGCTL_THOROUGH"))
MINUTE = 60.0
REMOVALS = ("Delete", "Detach", "Disable", "Untag", "Deregister", "BatchDisable")
EVERY_CHANGE = {
    "account:move", "account:update", "account_assignment:create", "account_assignment:delete",
    "delegated_administrator:create", "delegated_administrator:delete", "organizational_unit:adopt",
    "organizational_unit:create", "organizational_unit:delete", "organizational_unit:update", "permission_set:adopt",
    "permission_set:create", "permission_set:delete", "permission_set:update", "policy_attachment:create",
    "policy_attachment:delete", "policy_type:create", "policy_type:delete", "security_hub:adopt",
    "security_hub:create", "security_hub:update", "service_control_policy:adopt", "service_control_policy:create",
    "service_control_policy:delete", "service_control_policy:update", "tag_policy:create", "trusted_service:create",
    "trusted_service:delete",
}  # fmt: skip


@dataclass
class Run:
    """The undisturbed run, and what it leaves behind if it is killed.

    Attributes:
        writes: In order, as ``service:Operation``.
        moments: (when, number of the write) → what a killed process leaves.
        approved: Ids of changes that the operator let through.
        removed: What was taken away, by names.
    """

    yard: Yard
    writes: list[str] = field(default_factory=list)
    moments: dict[tuple[str, int], Frozen] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    end: list[Fact] = field(default_factory=list)

    @classmethod
    def undisturbed(cls, workers: int) -> Run:
        run = cls(Yard(BEFORE + LIVE, AFTER, workers=workers))
        run.kinds = {f"{change.kind}:{change.action}" for change in run.yard.plan().changes}
        run.yard.approve(run.yard.plan(), run.approve)
        assert run.names and run.born
        with run.yard.watching(run.watch), run.yard.watching(run.watch_removals):
            run.yard.operate(approves=run.approve)
        run.end = picture(run.yard.sandbox.world, born=run.born)
        return run

    @cached_property
    def names(self) -> Names:
        return Names(self.yard.sandbox.world)

    @cached_property
    def born(self) -> frozenset[str]:
        return ids(self.yard.sandbox.world)

    def watch(self, when: str, call: Call) -> None:
        if when == "before":
            self.writes.append(f"{call.service}:{call.operation}")
        self.moments[when, len(self.writes)] = self.yard.freeze()

    def watch_removals(self, when: str, call: Call) -> None:
        if when == "before" and call.operation.startswith(REMOVALS):
            self.removed.add(self.names.text(f"{call.operation} {json.dumps(call.parameters, sort_keys=True)}"))

    def approve(self, change: Change) -> bool:
        self.approved.add(change.id)
        return True

    def recover(self, moment: tuple[str, int], *, store: bool) -> str:
        """What is wrong after a crash at this moment, or ""."""
        undisturbed, self.removed = self.removed, set()
        self.yard.thaw(self.moments[moment], store=store)
        try:
            with self.yard.watching(self.watch_removals):
                self.yard.operate(approves=lambda change: change.id in self.approved)
            beyond = self.removed - undisturbed
        except AssertionError as error:
            return str(error)
        finally:
            self.removed = undisturbed
        self.yard.clock.sleep(MINUTE)  # until AWS has done what it was last told
        different = lost_and_new(self.end, picture(self.yard.sandbox.world, born=self.born))
        return "\n".join([*(f"removed beyond the plan: {one}" for one in beyond), *filter(None, [different])])


# Every write is tried on both sides of its effect. Whether orgctl's own state is lost as well alternates; thoroughly,
# it is tried both ways, and with many changes under way at once.
ALTERNATELY = [("before", "kept", "lost", 1), ("after", "lost", "kept", 1)]
THOROUGHLY = [
    ("before", "lost", "kept", 1),
    ("after", "kept", "lost", 1),
    *((when, state, state, 8) for when in ("before", "after") for state in ("kept", "lost")),
]


@pytest.mark.parametrize(("when", "odd", "even", "workers"), [*ALTERNATELY, *(THOROUGHLY if THOROUGH else ())])
def test_killed_at_any_write_a_new_process_ends_where_an_undisturbed_one_would(
    when: str, odd: str, even: str, workers: int
) -> None:
    """`odd`, `even`: whether orgctl's own state is kept or lost, at writes of odd and of even number.

    Every write is tried in `make hardening`; `make test` tries every third.
    """
    run = Run.undisturbed(workers)
    wrong = {
        f"killed {when} the effect of write {number}, {write}": found
        for number, write in enumerate(run.writes, start=1)
        if (THOROUGH or number % 3 == 1)
        and (found := run.recover((when, number), store=(odd if number % 2 else even) == "kept"))
    }
    assert not wrong, "\n\n".join(f"{moment}:\n{found}" for moment, found in wrong.items())


def test_the_plan_holds_every_kind_of_change() -> None:
    run = Run.undisturbed(workers=1)
    assert run.kinds >= EVERY_CHANGE, EVERY_CHANGE - run.kinds
    assert len(run.moments) == 2 * len(run.writes)
