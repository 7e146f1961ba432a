"""Two controllers of one organization."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from controller.metrics import Metrics
from controller.planning.guard import LONGEST_BACKOFF, REPAIRS_BEFORE_BACKOFF
from controller.reconcile import Controller
from controller.report import Report, Result
from controller.sandbox.wire import Call
from controller.store import Store
from tests.hardening.commits import SEED, commit, successor
from tests.hardening.laws import Laws
from tests.hardening.picture import picture
from tests.hardening.yard import Yard

MINUTE = 60.0
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


@pytest.mark.parametrize("seed", range(3))
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
    repairs: Counter[tuple[str, str]] = Counter()
    metrics = Metrics((), ())
    shown = 0.0
    for _ in range(HOURS * 60):
        for whose, turn in turns.items():
            report = turn()
            repairs.update((whose, o.change.id) for o in report.outcomes if o.result is Result.APPLIED)
            two.yard.clock.sleep(MINUTE / 2)
            if any(count > REPAIRS_BEFORE_BACKOFF for count in repairs.values()):
                metrics.on_cycle(report, 1.0, report.started)
                shown = max(shown, metrics.registry.get_sample_value("orgctl_fights") or 0)
    assert shown
    most = HOURS * (REPAIRS_BEFORE_BACKOFF + WHILE_PAUSES_GROW + timedelta(hours=1) / LONGEST_BACKOFF)
    protects = "policy_attachment/service_control_policy/deny-leave@/Prod:create"
    assert not {one: count for one, count in repairs.items() if count > most and one[1] != protects}


class Created:
    """Watches that nothing is there twice."""

    def __init__(self, yard: Yard) -> None:
        self.world, self.twice = yard.sandbox.world, set[str]()

    def watch(self, when: str, call: Call) -> None:
        names = [(unit.parent, unit.name) for unit in self.world.units.values()]
        names += [(policy.type, policy.name) for policy in self.world.policies.values()]
        self.twice |= {str(name) for name in names if names.count(name) > 1}
