"""Two controllers of one organization."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from controller.desired.load import load
from controller.metrics import Metrics
from controller.planning.guard import LONGEST_BACKOFF, REPAIRS_BEFORE_BACKOFF
from controller.reconcile import Controller
from controller.report import Report, Result
from controller.sandbox.wire import Call
from controller.store import Store
from tests.cycle.house import files
from tests.hardening.commits import SEED, Commit, commit, successor
from tests.hardening.laws import Laws, missing
from tests.hardening.picture import picture
from tests.hardening.yard import Yard

SEEDS = 30 if os.environ.get("ORGCTL_THOROUGH") else 2
MINUTE, HOUR = 60.0, 3600.0
HOURS = 2
WHILE_PAUSES_GROW = 5
"""10, 20, 40, 80 and 160 seconds."""


class Two:
    """One organization; two controllers, each with a state and a commit of its own."""

    def __init__(self, seed: str, ours: str, theirs: str, instance: str) -> None:
        self.yard = Yard(seed, ours)
        self.ours, self.our_store, self.our_git = self.yard.controller, self.yard.store, ours
        self.their_store, self.their_git = Store(":memory:", self.yard.clock), theirs
        self.yard.store = self.their_store
        self.theirs = self.yard.another(instance=instance)

    def we(self) -> Report:
        return self._turn(self.ours, self.our_store, self.our_git)

    def they(self) -> Report:
        return self._turn(self.theirs, self.their_store, self.their_git)

    def _turn(self, controller: Controller, store: Store, git: str) -> Report:
        self.yard.controller, self.yard.store, self.yard.git = controller, store, git
        return self.yard.attend()


ESTATE = """
kind: OrganizationalUnits
units:
  Prod:
---
kind: ServiceControlPolicy
name: deny-leave
targets: {units: [/Prod]}
content: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}]}
---
{kind: PermissionSet, name: Power, managed_policies: [PowerUserAccess]}
---
kind: Assignments
assignments: [{group: admins, permission_sets: [Power], targets: {accounts: [shop]}}]
---
kind: SecurityHub
regions: [us-east-1]
targets: {accounts: [shop]}
standards: [pci-dss/v/3.2.1]
---
kind: Accounts
accounts: {shop: {email: shop@example.com}}
---
kind: SandboxWorld
people: {groups: {admins: []}}
"""
OWNABLE = {"/Prod", "deny-leave", "Power", "shop/us-east-1"}


def test_a_second_instance_leaves_what_the_first_owns_alone_and_says_whose_it_is() -> None:
    git = ESTATE.split("---\nkind: SandboxWorld", maxsplit=1)[0]
    other = git.replace("LeaveOrganization", "CreateAccount").replace("PowerUserAccess", "ReadOnlyAccess")
    two = Two(ESTATE, git, other.replace("group: admins", "group: others").replace("3.2.1", "4.0.1"), "second")
    two.yard.by_hand("identitystore:CreateGroup", **others(two.yard))
    before = picture(two.yard.sandbox.world)
    held = {change.name: change.blocked or "" for change in two.they().plan.held}
    assert {name for name, why in held.items() if "belongs to instance 'main'" in why} >= OWNABLE
    for _ in range(3):
        assert not two.they().wrote
    assert not two.we().plan.changes
    assert picture(two.yard.sandbox.world) == before


def others(yard: Yard) -> dict[str, str]:
    store = yard.by_hand("sso-admin:ListInstances")["Instances"][0]["IdentityStoreId"]
    return {"IdentityStoreId": store, "DisplayName": "others"}


def test_two_instances_with_disjoint_estates_do_not_see_to_each_others() -> None:
    ours = "{kind: OrganizationalUnits, units: {Ours: }}"
    theirs = "{kind: OrganizationalUnits, units: {Theirs: }}"
    two = Two("{kind: SandboxWorld}", ours, theirs, "second")
    assert two.we().wrote == two.they().wrote == 1
    for report, others in ((two.we(), "/Theirs"), (two.they(), "/Ours")):
        assert not report.plan.changes
        assert others in {bystander.name for bystander in report.plan.unmanaged}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_two_of_one_name_with_different_commits_grant_no_more_than_these_and_make_nothing_twice(seed: int) -> None:
    random = Random(seed)
    first = commit(random)
    second = successor(random, first)
    two = Two(SEED, first.text, second.text, "main")
    laws, created = Laws(two.yard.sandbox.world, first, second), Created(two.yard)
    with two.yard.watching(laws.watch_access), two.yard.watching(created.watch):
        for _ in range(8):
            two.we()
            two.they()
            two.yard.clock.sleep(MINUTE)
    assert not laws.broken, laws.broken[0]
    assert not created.twice


def test_two_of_one_name_with_different_commits_back_off_and_show_that_they_fight() -> None:
    ours = ESTATE.split("---\nkind: SandboxWorld", maxsplit=1)[0]
    theirs = ours.replace("PowerUserAccess", "ReadOnlyAccess").replace("group: admins", "group: others")
    two = Two(ESTATE, ours, theirs.replace("[/Prod]", "[]").replace("Prod:", "Prod: {tags: {a: b}}"), "main")
    two.yard.by_hand("identitystore:CreateGroup", **others(two.yard))
    turns = {"ours": two.we, "theirs": two.they}
    repairs: dict[tuple[str, str], list[float]] = {}
    metrics = {whose: Metrics((), ()) for whose in turns}
    fought = 0
    for _ in range(HOURS * 60):
        for whose, turn in turns.items():
            report = turn()
            metrics[whose].on_cycle(report, 1.0, report.started)
            now = two.yard.clock.monotonic()
            again = [change.id for change in report.plan.changes if since(repairs.get((whose, change.id), ()), now)]
            if again:
                fought += 1
                assert metrics[whose].registry.get_sample_value("orgctl_fights"), f"{again} show in no metric"
            for outcome in report.outcomes:
                if outcome.result is Result.APPLIED:
                    repairs.setdefault((whose, outcome.change.id), []).append(now)
            two.yard.clock.sleep(MINUTE / 2)
    assert fought
    most = HOURS * (REPAIRS_BEFORE_BACKOFF + WHILE_PAUSES_GROW + timedelta(hours=1) / LONGEST_BACKOFF)
    protects = "policy_attachment/service_control_policy/deny-leave@/Prod:create"
    counts = {one: len(times) for one, times in repairs.items()}
    assert not {one: count for one, count in counts.items() if count > most and one[1] != protects}


def since(repaired: Sequence[float], now: float) -> bool:
    """Whether what was repaired so often within the hour is a fight. The first time it may have been a new commit."""
    return sum(now - when < HOUR for when in repaired) > REPAIRS_BEFORE_BACKOFF


@pytest.mark.parametrize("seed", range(SEEDS))
def test_two_of_one_name_at_the_very_same_time_grant_no_more_and_make_nothing_twice(seed: int) -> None:
    random = Random(seed)
    first = commit(random)
    second = successor(random, first)
    two = Two(SEED, first.text, second.text, "main")
    world = two.yard.sandbox.world
    sides = ((two.ours, two.our_store, first), (two.theirs, two.their_store, second))
    for controller, _, its in sides:
        controller.plan(load(files(its.text), now=two.yard.clock.now()))  # clients are made one after another
    laws, created = Laws(world, first, second), Created(two.yard)

    def go_on(side: tuple[Controller, Store, Commit]) -> None:
        controller, store, its = side
        for _ in range(6):
            controller.cycle(load(files(its.text), now=two.yard.clock.now()))
            for hold in store.holds():
                store.approve(hold.id, "operator")
            two.yard.clock.sleep(MINUTE)

    with two.yard.watching(laws.watch_access), two.yard.watching(created.watch), ThreadPoolExecutor(2) as threads:
        list(threads.map(go_on, sides))
    assert not laws.broken, laws.broken[0]
    assert not created.twice
    two.yard.controller, two.yard.store, two.yard.git = *sides[0][:2], first.text
    two.yard.clock.sleep(2 * HOUR)
    two.yard.operate(every=10 * MINUTE)
    assert not missing(world, replace(first, deleted=frozenset()))


class Created:
    """Watches that nothing is there twice."""

    def __init__(self, yard: Yard) -> None:
        self.world, self.twice = yard.sandbox.world, set[str]()

    def watch(self, when: str, call: Call) -> None:
        names = [(unit.parent, unit.name) for unit in self.world.units.values()]
        names += [(policy.type, policy.name) for policy in self.world.policies.values()]
        self.twice |= {str(name) for name in names if names.count(name) > 1}
