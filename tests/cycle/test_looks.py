"""How much of AWS a cycle asks about: everything, the oldest part, or what it has reason to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.aws import known
from controller.aws.known import Known
from controller.config import Settings
from controller.desired.estate import Estate
from controller.reconcile import Look
from controller.report import CycleResult
from controller.resources import account_assignment, account_assignment_rows
from controller.resources.base import Live
from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import Assignment, access
from controller.shelf import Shelf
from tests.cycle.house import House

ANY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def estate(accounts: int, *, more: str = "") -> str:
    """Units, accounts, policies, access and hubs; everything in proportion to the number of accounts."""
    units = [f"u{n}" for n in range(max(2, accounts // 10))]
    placed = "".join(
        f"  a{n}: {{email: a{n}@example.com, unit: /{units[n % len(units)]}, tags: {{n: '{n}'}}}}\n"
        for n in range(accounts)
    )
    policies = "".join(
        f"---\nkind: ServiceControlPolicy\nname: p{n}\ntargets: {{units: [/{unit}]}}\n"
        f"content: {{Version: '2012-10-17', Statement: [{{Effect: Deny, Action: 'ec2:Delete{n}*', Resource: '*'}}]}}\n"
        for n, unit in enumerate(units)
    )
    lines = "".join(
        f"  - {{group: g{n}, permission_sets: [Read], targets: {{units: [/{unit}]}}}}\n" for n, unit in enumerate(units)
    )
    return f"""
kind: Organization
regions: [us-east-1]
policy_types: [service_control]
trusted_services: [sso.amazonaws.com, securityhub.amazonaws.com]
---
kind: OrganizationalUnits
units: {{{", ".join(f"{unit}: {{tags: {{n: '{unit}'}}}}" for unit in units)}}}
---
kind: Accounts
accounts:
{placed}---
kind: PermissionSet
name: Read
managed_policies: [ReadOnlyAccess]
---
kind: Assignments
assignments:
{lines}---
kind: SecurityHub
targets: {{units: [/u0]}}
standards: [aws-foundational-security-best-practices/v/1.0.0]
{policies}{more}"""


def converged(accounts: int = 8, **settings: object) -> House:
    """An organization that is as git says and was seen so, and an hour in which nothing happened."""
    house = House(estate(accounts), **settings)  # type: ignore[arg-type]
    house.converge()
    house.cycle()
    return house


def calls(house: House, look: Look) -> int:
    """Made by one cycle."""
    house.sandbox.world.calls.clear()
    house.cycle(look)
    return sum(house.sandbox.world.calls.values())


def wait(house: House, share: float = 0.1) -> None:
    house.clock.sleep(house.settings.resync.total_seconds() * share)


class TestIdle:
    def test_where_nothing_happens_nothing_is_asked(self) -> None:
        assert calls(converged(), Look.CHANGES) == 0

    def test_a_part_takes_its_part_of_the_calls(self) -> None:
        house = converged()
        everything = calls(house, Look.ALL)
        counts = []
        for _ in range(10):
            wait(house)
            counts.append(calls(house, Look.PART))

        assert everything <= sum(counts) <= everything * 1.1 + 10
        assert max(counts) <= everything * 0.25

    def test_nothing_grows_older_than_the_settings_allow(self) -> None:
        house = converged()
        for _ in range(30):
            wait(house)
            report = house.cycle(Look.PART)
            assert report.started - min(report.oldest.values()) <= house.settings.resync

    def test_what_nobody_looked_at_for_too_long_is_asked_whatever_the_reason(self) -> None:
        house = converged()
        everything = calls(house, Look.ALL)
        wait(house, 1.01)

        assert calls(house, Look.CHANGES) == everything


class TestDrift:
    @pytest.mark.parametrize(
        "by_hand",
        [
            lambda h: h.by_hand("organizations:DetachPolicy", PolicyId=h.policy_id("p1"), TargetId=h.unit_id("u1")),
            lambda h: h.by_hand("organizations:UpdatePolicy", PolicyId=h.policy_id("p1"), Description="Changed"),
            lambda h: h.by_hand("organizations:UntagResource", ResourceId=h.unit_id("u1"), TagKeys=["n"]),
            lambda h: h.by_hand(
                "organizations:MoveAccount", AccountId=account(h, "a1"), SourceParentId=h.unit_id("u1"),
                DestinationParentId=h.sandbox.world.root_id,
            ),
            lambda h: access(h.sandbox.world).revoke(some_assignment(h)),
            lambda h: next(iter(access(h.sandbox.world).permission_sets.values())).managed.clear(),
            lambda h: h.turn_standard_off_and_on(
                account(h, "a0"), "us-east-1", "aws-foundational-security-best-practices/v/1.0.0"
            ),
        ],
        ids=["a detached policy", "an edited policy", "a lost tag", "a moved account", "revoked access",
             "an emptied permission set", "a standard"],
    )  # fmt: skip
    def test_is_found_and_repaired_within_a_resync(self, by_hand: Callable[[House], object]) -> None:
        house = converged()
        by_hand(house)
        for _ in range(13):
            wait(house)
            report = house.cycle(Look.PART)

        assert report.result is CycleResult.CONVERGED
        assert house.another().plan(house.desired()).plan.changes == ()

    def test_is_found_at_once_where_a_person_asks(self) -> None:
        house = converged()
        house.by_hand("organizations:DetachPolicy", PolicyId=house.policy_id("p1"), TargetId=house.unit_id("u1"))

        assert house.cycle(Look.CHANGES).wrote == 0
        assert house.cycle(Look.ALL).wrote == 1


class TestCommits:
    MORE = """---
kind: ServiceControlPolicy
name: new
targets: {units: [/u1], accounts: [a3]}
content: {Version: '2012-10-17', Statement: [{Effect: Deny, Action: 'organizations:LeaveOrganization', Resource: '*'}]}
---
kind: Assignments
assignments:
  - {group: g0, permission_sets: [Read], targets: {accounts: [a3]}}
"""

    def test_a_commit_costs_what_it_changes_whatever_the_size_of_the_organization(self) -> None:
        counts = {}
        for accounts in (20, 60):
            house = converged(accounts)
            house.git = estate(accounts, more=self.MORE)
            counts[accounts] = calls(house, Look.CHANGES)
            assert house.attached("new") == {"u1", "a3"}
            assert "g0/Read/a3" in house.access()

        assert counts[60] <= counts[20] + 2

    def test_an_account_that_came_about_since_is_found_by_the_commit_that_names_it(self) -> None:
        house = converged()
        world = house.sandbox.world
        world.add_account("new", "new@example.com", world.root_id)
        house.git = estate(8, more="---\nkind: Accounts\naccounts: {new: {email: new@example.com, unit: /u1}}\n")
        house.cycle(Look.CHANGES)

        assert house.place("new") == "u1"

    def test_what_was_changed_by_hand_since_is_not_overwritten_unseen(self) -> None:
        """A policy of the same name has come about: it is adopted, or held, and never taken for a new one."""
        house = converged()
        content = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}'
        house.by_hand(
            "organizations:CreatePolicy", Name="new", Type="SERVICE_CONTROL_POLICY", Content=content, Description="Mine"
        )
        house.git = estate(8, more=self.MORE)
        report = house.cycle(Look.CHANGES)

        held = [change for change in report.plan.held if change.name == "new"]
        assert [change.action.value for change in held] == ["adopt"]

    def test_access_given_and_taken_by_hand_is_as_it_is_and_not_as_it_was(self) -> None:
        house = converged()
        theirs = some_assignment(house)
        access(house.sandbox.world).revoke(theirs)
        house.git = estate(8).replace("- {group: g1,", "- {group: g0,")
        report = house.cycle(Look.CHANGES)

        gone = [change for change in report.plan.changes if change.action.value == "delete"]
        assert len(gone) == len(house.sandbox.world.accounts) // 2 - (theirs.principal == group(house, "g1"))


class TestByTarget:
    """Where there are fewer places than policies, places are asked about."""

    def test_it_comes_to_the_same(self) -> None:
        many = "".join(
            f"---\nkind: TagPolicy\nname: t{n}\ntargets: {{units: [/u{n % 2}]}}\n"
            f"content: {{tags: {{t{n}: {{tag_key: {{'@@assign': t{n}}}}}}}}}\n"
            for n in range(9)
        )
        house = House(estate(2, more=many).replace("[service_control]", "[service_control, tag]"), rules={})
        house.sandbox.world.calls.clear()
        plan = house.plan()

        assert plan.changes == ()
        assert plan.in_sync["policy_attachment"] == 2 + 9
        places = len(house.sandbox.world.units) + len(house.sandbox.world.accounts)
        assert house.sandbox.world.calls["organizations:ListPoliciesForTarget"] == places
        assert house.sandbox.world.calls["organizations:ListTargetsForPolicy"] == 2


def test_the_time_of_every_look_of_a_cycle_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    house = converged()
    house.git = estate(8, more=TestCommits.MORE)
    looks, look = 0, house.controller._observe

    def lasting(wanted: Estate) -> Live:
        nonlocal looks
        looks += 1
        house.clock.sleep(100)
        return look(wanted)

    monkeypatch.setattr(house.controller, "_observe", lasting)
    report = house.cycle(Look.CHANGES)

    assert looks > 1
    assert report.phases["observe"] >= 100 * looks


class TestOwnWrites:
    def test_are_looked_at_again_by_the_next_cycle_and_nothing_else_is(self) -> None:
        house = converged()
        house.git = estate(8, more=TestCommits.MORE)
        house.cycle(Look.CHANGES)
        wait(house, 0.01)
        house.sandbox.world.calls.clear()
        house.cycle(Look.CHANGES)
        again = Counter(house.sandbox.world.calls)

        assert {"organizations:ListPoliciesForTarget", "sso-admin:ListAccountAssignments"} & again.keys()
        assert sum(again.values()) < 30
        assert calls(house, Look.CHANGES) == 0


class TestRestart:
    def shelf(self, house: House, path: Path) -> Shelf:
        return Shelf(path / "known.sqlite3", house.settings)

    def test_what_is_known_outlives_the_process(self, tmp_path: Path) -> None:
        house = converged()
        house.controller = house.another(known=Known(self.shelf(house, tmp_path)))
        house.cycle()
        house.controller = house.another(known=Known(self.shelf(house, tmp_path)))

        assert calls(house, Look.CHANGES) == 2  # who and where we are

    def test_what_a_process_was_about_to_write_when_it_died_is_looked_at(self, tmp_path: Path) -> None:
        house = converged()
        house.controller = house.another(known=Known(self.shelf(house, tmp_path)))
        house.cycle()
        house.git = estate(8, more=TestCommits.MORE)
        house.controller.known.save = lambda: None  # type: ignore[method-assign]  # nothing after the writes is kept
        shelved = self.shelf(house, tmp_path)
        before = {call for call, _ in shelved.load()}
        house.cycle(Look.CHANGES)
        house.git = estate(8)
        house.controller = house.another(known=Known(shelved))
        house.cycle(Look.CHANGES)

        assert before
        assert "new" in house.policies()  # orphaned: its line is gone, and that deletes nothing

    @pytest.mark.parametrize("changed", [{"organization": "o-zzzzzzzzzz"}, {"member_role": "Other"}])
    def test_what_is_about_another_organization_or_role_is_forgotten(
        self, changed: dict[str, str], tmp_path: Path
    ) -> None:
        house = converged()
        house.controller = house.another(known=Known(self.shelf(house, tmp_path)))
        house.cycle()

        other = Settings(**{**house.settings.model_dump(), **changed})
        assert list(Shelf(tmp_path / "known.sqlite3", other).load()) == []

    def test_a_file_that_cannot_be_read_costs_a_look_and_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "known.sqlite3").write_bytes(b"not a database, but long enough to be taken for one" * 100)
        house = converged()
        house.controller = house.another(known=Known(self.shelf(house, tmp_path)))

        assert house.cycle(Look.CHANGES).result is CycleResult.CONVERGED

    def test_a_disk_that_is_full_costs_what_is_kept_and_no_cycle(self, tmp_path: Path) -> None:
        house = converged()
        shelf = self.shelf(house, tmp_path)
        shelf._db.execute("pragma max_page_count = 1")
        house.controller = house.another(known=Known(shelf))

        assert house.cycle().result is CycleResult.CONVERGED
        assert calls(house, Look.CHANGES) == 0
        assert list(self.shelf(house, tmp_path).load()) == []

    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        house = converged()
        self.shelf(house, tmp_path)

        assert (tmp_path / "known.sqlite3").stat().st_mode & 0o077 == 0


class TestByPrincipal:
    """Where there are many places and few people, people are asked about."""

    @pytest.fixture
    def house(self, monkeypatch: pytest.MonkeyPatch) -> House:
        monkeypatch.setattr(account_assignment, "FEW_PLACES", 5)
        return converged(8)

    def test_a_converged_organization_takes_a_call_for_each_of_them(self, house: House) -> None:
        house.sandbox.world.calls.clear()
        report = house.cycle()

        people = directory(house.sandbox.world)
        asked = house.sandbox.world.calls
        assert report.plan.changes == ()
        assert asked["sso-admin:ListAccountAssignmentsForPrincipal"] == len(people.groups) + len(people.users)
        assert asked["sso-admin:ListAccountAssignments"] == 0
        assert asked["identitystore:GetGroupId"] == 0

    def test_access_of_somebody_that_git_does_not_name_is_found(self, house: House) -> None:
        stranger = directory(house.sandbox.world).add_group(house.sandbox.world, "strangers")
        mine = some_assignment(house)
        access(house.sandbox.world).assign(mine._replace(principal=stranger.id))
        report = house.cycle()

        assert [change.action.value for change in report.plan.changes] == ["delete"]

    def test_what_a_deleted_group_left_behind_is_found_in_time(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (account_assignment_rows, known):
            monkeypatch.setattr(module, "SLOWER", 2)
        mine = some_assignment(house)
        left = mine._replace(principal="12345678-1234-1234-1234-123456789012")
        access(house.sandbox.world).assign(left)
        assert house.cycle().plan.changes == ()
        for _ in range(25):
            wait(house)
            house.cycle(Look.PART)

        assert left not in access(house.sandbox.world).assignments()


def account(house: House, name: str) -> str:
    return next(a.id for a in house.sandbox.world.accounts.values() if a.name == name)


def group(house: House, name: str) -> str:
    return directory(house.sandbox.world).group_ids[name]


def some_assignment(house: House) -> Assignment:
    found = access(house.sandbox.world).assignments()
    return sorted(found)[0]
