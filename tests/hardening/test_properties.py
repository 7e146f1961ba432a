"""What holds for any organization and any commit."""

from __future__ import annotations

import os
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.planning.plan import Plan
from controller.reconcile import Kinds, Look
from controller.report import Result
from controller.resources.base import Action
from controller.sandbox.sandbox import READS
from tests.hardening.commits import SEED, Commit, commit, successor
from tests.hardening.drift import drift
from tests.hardening.laws import THEIRS, Laws, missing, theirs
from tests.hardening.yard import Yard

EXAMPLES = int(os.environ.get("ORGCTL_EXAMPLES", "5"))
some_examples = settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES == 5,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
histories = st.integers(0, 2**32).map(lambda seed: history(Random(seed)))


def history(random: Random) -> tuple[Commit, Commit, Random]:
    """A commit that is in force, the next one, and chance for what else happens."""
    first = commit(random)
    return first, successor(random, first), random


def in_force(first: Commit, **settings: int) -> Yard:
    """An organization that is as a commit says."""
    yard = Yard(SEED, first.text, **settings)
    yard.operate()
    return yard


def approved_plan(yard: Yard) -> Plan:
    yard.approve(yard.plan(), lambda _: True)
    return yard.plan()


@some_examples
@given(histories)
def test_after_one_apply_of_a_plan_that_nothing_holds_nothing_is_left_to_do(
    history: tuple[Commit, Commit, Random],
) -> None:
    first, second, random = history
    yard = in_force(first)
    if random.random() < 0.5:
        drift(yard.sandbox, random)
    yard.git = second.text
    while (plan := approved_plan(yard)).held:
        assert any(change.hold for change in plan.held), [f"{c.id}: {c.blocked}" for c in plan.held]
    yard.cycle()
    yard.clock.sleep(60)
    assert [change.id for change in yard.plan().changes] == []


@some_examples
@given(histories)
def test_from_any_state_a_commit_ends_in_the_same_and_touches_nothing_of_nobodys(
    history: tuple[Commit, Commit, Random],
) -> None:
    first, second, random = history
    yard = in_force(first)
    drift(yard.sandbox, random)
    untouched = theirs(yard.sandbox.world)
    yard.git = second.text
    planned = {change.name for change in yard.plan().changes}
    assert not {name for name in planned if THEIRS & {*name.replace(" → ", "/").split("/"), name}} - allowed(
        first, second
    )
    yard.operate()
    assert not missing(yard.sandbox.world, second)
    assert theirs(yard.sandbox.world) == untouched


def allowed(*commits: Commit) -> set[str]:
    """Access to the account that nobody manages, where git grants it to all."""
    return {f"{group}/{name}/{account}" for one in commits for group, name, account in one.access()}


@some_examples
@given(histories)
def test_whatever_read_fails_nothing_is_removed_that_a_whole_look_would_not_remove(
    history: tuple[Commit, Commit, Random],
) -> None:
    first, second, random = history
    yard = in_force(first)
    for git in (first, second):
        yard.git = git.text
        yard.sandbox.world.calls.clear()
        whole = removals(yard.controller.kinds, yard.plan())
        reads = [name for name in yard.sandbox.world.calls if name.partition(":")[2].startswith(READS)]
        for read in reads:
            count = random.choice((1, None))
            fault = yard.sandbox.faults.add(operation=read, kind="error", code="ServiceException", count=count)
            plan = yard.plan()
            yard.sandbox.faults.all.remove(fault)
            assert removals(yard.controller.kinds, plan) <= whole, f"{read} failed {count or 'always'}"
            assert git is second or not plan.changes, f"{read} failed {count or 'always'}"


@some_examples
@given(histories)
def test_what_was_seen_in_earlier_cycles_decides_no_write_and_in_time_everything_is_seen(
    history: tuple[Commit, Commit, Random],
) -> None:
    first, second, random = history
    yard = in_force(first)
    yard.cycle()
    drift(yard.sandbox, random)
    yard.git = second.text

    seen_now = yard.another().plan(yard.desired()).plan
    report = yard.cycle(Look.CHANGES)

    written = [o.change.id for o in report.outcomes if o.result is Result.APPLIED]
    assert {id: report.plan.fingerprints[id] for id in written} == {id: seen_now.fingerprints.get(id) for id in written}
    for _ in range(20):
        yard.clock.sleep(300)
        report = yard.cycle(Look.PART)
        yard.approve(report.plan, lambda _: True)
    assert yard.at_rest(report.plan)
    assert not missing(yard.sandbox.world, second)


def removals(kinds: Kinds, plan: Plan) -> set[str]:
    return {c.id for c in plan.changes if c.action is Action.DELETE or kinds[c.kind].removes(c)}


@some_examples
@given(histories)
def test_on_the_way_from_any_commit_to_the_next_no_law_is_broken_and_aws_refuses_no_write(
    history: tuple[Commit, Commit, Random],
) -> None:
    first, second, _ = history
    yard = in_force(first, workers=8)
    laws = Laws(yard.sandbox.world, first, second)
    yard.git = second.text
    yard.sandbox.refused.clear()
    with yard.watching(laws.watch):
        yard.operate()
    assert not laws.broken, "\n".join(laws.broken[:3])
    assert not {name for name in yard.sandbox.refused if not name.partition(":")[2].startswith(READS)}, "a wrong order"
