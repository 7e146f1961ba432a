"""What a cycle that asks little could get wrong: each case is an answer of an earlier cycle that is no longer true."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from controller.aws.known import Call, Known
from controller.aws.tags import tags_basis
from controller.reconcile import Look
from controller.report import Report, Result
from controller.resources import account_assignment
from controller.resources.base import Incomplete
from controller.sandbox.directory import Directory, directory
from controller.sandbox.identity_center.state import access
from controller.shelf import Shelf
from tests.cycle.house import House
from tests.cycle.test_looks import account, converged, estate, wait

ACCOUNTS = 4
LISTS = {
    "organizations:ListPolicies",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListAccounts",
    "sso:ListPermissionSets",
}
DENY = "{Version: '2012-10-17', Statement: [{Effect: Deny, Action: '%s', Resource: '*'}]}"
ALLOW = "{Version: '2012-10-17', Statement: [{Effect: Allow, Action: '%s', Resource: '*'}]}"


def git(more: str = "") -> str:
    return estate(ACCOUNTS, more=more)


def policy(name: str, content: str, targets: str) -> str:
    return f"---\nkind: ServiceControlPolicy\nname: {name}\ntargets: {targets}\ncontent: {content}\n"


def with_git(more: str) -> House:
    """Converged on this, seen so, and nothing since."""
    house = converged(ACCOUNTS)
    house.git = git(more)
    house.converge()
    house.cycle()
    return house


def people(house: House) -> Directory:
    return directory(house.sandbox.world)


def remove_group(house: House, name: str) -> None:
    store = people(house)
    store.remove_group(store.groups[store.group_ids[name]])


def written_as_seen_now(house: House, look: Look = Look.CHANGES) -> Report:
    """A cycle, which writes nothing but what one that looks at everything would write."""
    now = house.another().plan(house.desired()).plan
    report = house.cycle(look)
    sent = [o.change.id for o in report.outcomes if o.result not in (Result.HELD, Result.OBSERVED, Result.SKIPPED)]
    assert {*sent} <= {change.id for change in now.free}
    assert {id: report.plan.fingerprints[id] for id in sent} == {id: now.fingerprints[id] for id in sent}
    return report


class TestNothingOldIsWrittenOn:
    def test_access_whose_replacement_was_revoked_by_hand_leaves_after_it_is_back(self) -> None:
        both = (
            "---\nkind: PermissionSet\nname: Write\nmanaged_policies: [PowerUserAccess]\n"
            "---\nkind: Assignments\nassignments:\n"
            "  - {group: g0, permission_sets: [Write], targets: {accounts: [a1]}}\n"
        )
        more = "  - {group: g0, permission_sets: [Read], targets: {accounts: [a1]}}\n"
        house = with_git(both + more)
        state = access(house.sandbox.world)
        write = next(arn for arn, one in state.permission_sets.items() if one.name == "Write")
        state.revoke(next(one for one in state.assignments() if one.permission_set == write))
        house.git = git(both)
        report = written_as_seen_now(house)

        written = [(o.change.action.value, o.change.name) for o in report.outcomes if o.result is Result.APPLIED]
        assert written == [("create", "g0/Write/a1"), ("delete", "g0/Read/a1")]

    def test_not_where_the_clock_was_put_back(self) -> None:
        house = converged(ACCOUNTS)
        house.by_hand("organizations:DeletePolicy", PolicyId=detached(house, "p1"))
        # As if all of it had been asked before the clock was put back by a day.
        for answer in house.controller.known._answers.values():
            answer.at += timedelta(days=1)
        house.git = git().replace("ec2:Delete1*", "ec2:Create1*")

        written_as_seen_now(house)

    def test_not_on_tags_that_were_asked_for_one_by_one_before_all_were(self) -> None:
        house = converged(ACCOUNTS)
        house.git = git(policy("new", DENY % "s3:*", "{units: [/u1]}"))
        house.cycle(Look.CHANGES)
        wait(house, 0.01)
        house.cycle(Look.CHANGES)  # the new policy's tags, by themselves
        id = house.policy_id("new")
        house.by_hand("organizations:UntagResource", ResourceId=id, TagKeys=["orgctl:managed-by"])
        house.controller.known.doubt([tags_basis(id)[0]])  # everybody's turn has come
        house.git = git(policy("new", DENY % "s3:Put*", "{units: [/u1]}"))

        report = written_as_seen_now(house)
        assert [c.action.value for c in report.plan.held if c.name == "new"] == ["adopt"]

    @pytest.mark.parametrize("by_arn", [False, True])
    def test_not_on_who_is_still_there_to_be_given_access(self, by_arn: bool) -> None:
        """Of a set that git gives to somebody who cannot be found, nothing is revoked."""
        house = converged(ACCOUNTS)
        arn = house.permission_set("Read")["arn"]
        text = git().replace("permission_sets: [Read]", f"permission_sets: ['{arn}']") if by_arn else git()
        house.git = text
        house.cycle()
        remove_group(house, "g1")
        house.git = "".join(line for line in text.splitlines(keepends=True) if "{group: g0," not in line)

        assert written_as_seen_now(house).wrote == 0

    def test_not_on_the_policies_beside_one_whose_allows_are_edited(self) -> None:
        many = "".join(policy(f"many{n}", DENY % f"ec2:X{n}", "{units: []}") for n in range(ACCOUNTS + 8))
        house = with_git(many + policy("some", ALLOW % "*", "{units: [/u0]}"))
        house.by_hand("organizations:DetachPolicy", PolicyId="p-FullAWSAccess", TargetId=house.unit_id("u0"))
        house.git = git(many + policy("some", ALLOW % "ec2:*", "{units: [/u0]}"))

        report = written_as_seen_now(house)
        assert "some" in {c.name for c in report.plan.held}

    def test_not_on_what_the_policies_say_that_await_an_account(self) -> None:
        many = "".join(policy(f"many{n}", DENY % f"ec2:X{n}", "{units: []}") for n in range(ACCOUNTS + 8))
        house = with_git(many)
        content = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"%s","Resource":"*"}]}'
        made = house.by_hand(
            "organizations:CreatePolicy",
            Name="theirs",
            Type="SERVICE_CONTROL_POLICY",
            Description="",
            Content=content % "s3:*",
        )
        id = made["Policy"]["PolicySummary"]["Id"]
        house.by_hand("organizations:AttachPolicy", PolicyId=id, TargetId=house.unit_id("u1"))
        house.cycle()
        house.by_hand("organizations:UpdatePolicy", PolicyId=id, Content=content % "*")
        house.git = git(many).replace("a0@example.com, unit: /u0", "a0@example.com, unit: /u1")

        report = written_as_seen_now(house)
        assert "a0" in {c.name for c in report.plan.held}

    def test_not_on_new_protection_below_that_somebody_took_off(self) -> None:
        both = policy("old", DENY % "s3:*", "{units: [/]}") + policy("young", DENY % "s3:*", "{units: [/u0, /u1]}")
        house = with_git(both)
        house.by_hand("organizations:DetachPolicy", PolicyId=house.policy_id("young"), TargetId=house.unit_id("u1"))
        house.git = git(both.replace("{units: [/]}", "{units: []}"))
        order: list[str] = []
        house.controller.progress = lambda outcome: order.append(outcome.change.name)
        house.cycle(Look.CHANGES)

        assert order[-2:] == ["young → /u1", "old → /"]


class TestNobodyWritesTwice:
    def test_what_is_given_to_a_group_that_has_just_come(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(account_assignment, "FEW_PLACES", 2)
        house = converged(ACCOUNTS)
        people(house).add_group(house.sandbox.world, "fresh")
        line = "  - {group: fresh, permission_sets: [Read], targets: {accounts: [a3]}}\n"
        house.git = git(f"---\nkind: Assignments\nassignments:\n{line}")

        assert house.cycle(Look.CHANGES).wrote == 1
        wait(house, 0.01)
        assert house.cycle(Look.CHANGES).wrote == 0


class TestWhatHasGone:
    """A list still has it, so it is asked about; that must stop nothing for longer than a look."""

    MORE = f"""---
kind: ServiceControlPolicy
name: gone
content: {DENY % "ec2:X*"}
---
kind: OrganizationalUnits
units: {{empty: {{tags: {{a: b}}}}}}
---
kind: PermissionSet
name: Gone
managed_policies: [ReadOnlyAccess]
"""

    def test_stops_nothing(self) -> None:
        house = with_git(self.MORE)
        house.by_hand("organizations:DeletePolicy", PolicyId=house.policy_id("gone"))
        house.by_hand("organizations:DeleteOrganizationalUnit", OrganizationalUnitId=house.unit_id("empty"))
        gone = house.permission_set("Gone")
        house.by_hand("sso-admin:DeletePermissionSet", InstanceArn=gone["instance"], PermissionSetArn=gone["arn"])
        # The turn of all that is known of them has come, and not of the lists that they were in.
        known = house.controller.known
        known.forget_actions({call.action for call in known._answers} - LISTS)
        unseen: list[Incomplete] = []
        for _ in range(12):
            wait(house)
            unseen += house.cycle(Look.PART).plan.incomplete

        assert unseen == []
        assert "gone" in house.policies() and "empty" in house.units() and "Gone" in house.permission_sets()


class TestShelf:
    def test_what_was_in_doubt_still_is_after_a_restart(self, tmp_path: Path) -> None:
        """A tag was written, the process died before it looked, and the commit is taken back."""
        house = converged(ACCOUNTS)
        shelf = Shelf(tmp_path / "known.sqlite3", house.settings)
        house.controller = house.another(known=Known(shelf))
        house.cycle()
        before = house.git
        house.git = before.replace("tags: {n: '3'}", "tags: {n: 'x'}")
        house.cycle(Look.CHANGES)
        house.git = before
        house.controller = house.another(known=Known(shelf))
        house.cycle(Look.CHANGES)

        tags = house.by_hand("organizations:ListTagsForResource", ResourceId=account(house, "a3"))["Tags"]
        assert {"Key": "n", "Value": "3"} in tags

    def test_one_damaged_answer_costs_a_look_and_nothing_else(self, tmp_path: Path) -> None:
        house = converged(ACCOUNTS)
        shelf = Shelf(tmp_path / "known.sqlite3", house.settings)
        known = Known(shelf)
        known.learn(Call.of("x:Y"), [], house.clock.now())
        known.save()
        shelf._db.execute("update answers set value = '{'")
        shelf._db.commit()

        assert list(shelf.load()) == []
        assert list(Shelf(tmp_path / "known.sqlite3", house.settings).load()) == []


def detached(house: House, name: str) -> str:
    """A policy's id, once it is on nothing any more."""
    policy = next(p for p in house.sandbox.world.policies.values() if p.name == name)
    for target in list(policy.targets):
        house.by_hand("organizations:DetachPolicy", PolicyId=policy.id, TargetId=target)
    return policy.id
