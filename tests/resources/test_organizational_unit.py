"""OUs, against the simulated organization."""

from __future__ import annotations

import pytest

from controller.desired.estate import Estate
from controller.resources.base import OWNER_TAG
from controller.resources.changes import Changes
from tests.resources.organization import Organization, commit, live_of, shown

OURS = {OWNER_TAG: "main"}
TREE = commit(
    r"""
    kind: OrganizationalUnits
    units:
      Security:
      Workloads:
        tags: {cost: "1"}
        units: {Prod: , 'A\/B': }
    """
)


def paths(organization: Organization) -> set[str]:
    return {organization.path(id) for id in organization.world.units} - {"/"}


def test_a_tree_is_created_from_the_top_with_its_owner_in_the_create_call(organization: Organization) -> None:
    organization.converge(TREE)

    assert paths(organization) == {"/Security", "/Workloads", "/Workloads/Prod", "/Workloads/A/B"}
    tags = {unit.name: unit.tags for unit in organization.world.units.values() if unit.parent}
    assert tags["Workloads"] == {"cost": "1"} | OURS
    assert tags["Prod"] == OURS
    assert organization.calls("organizations:TagResource") == 0


def test_a_tree_that_is_as_git_says_changes_nothing(organization: Organization) -> None:
    organization.converge(TREE)

    assert organization.plan(TREE) == ()


def test_a_slash_in_a_name_is_one_name(organization: Organization) -> None:
    organization.converge(TREE)

    assert "/Workloads/A\\/B" in live_of(organization.observe(TREE), "organizational_unit")


def test_the_root_is_seen_and_never_reported(organization: Organization) -> None:
    live = organization.observe(Estate())

    assert live_of(live, "organizational_unit")["/"].id == organization.world.root_id
    assert "organizational_unit" not in {b.kind for b in organization.difference(Estate(), live).bystanders}


class TestRename:
    renamed = commit(
        """
        kind: OrganizationalUnits
        units:
          Live: {formerly: Workloads, tags: {cost: "1"}, units: {Prod: }}
        """
    )

    def test_it_keeps_its_id_and_what_is_in_it(self, organization: Organization) -> None:
        organization.converge(TREE)
        before = organization.ids(of="units")

        changes = organization.converge(self.renamed)

        after = organization.ids(of="units")
        assert [c for c in shown(changes) if "Live" in c] == ["update organizational_unit /Live"]
        assert (after["/Live"], after["/Live/Prod"]) == (before["/Workloads"], before["/Workloads/Prod"])

    def test_formerly_is_a_no_op_once_done(self, organization: Organization) -> None:
        organization.converge(TREE)
        organization.converge(self.renamed)

        assert organization.plan(self.renamed) == ()

    def test_where_both_names_exist_neither_is_touched(self, organization: Organization) -> None:
        organization.converge(TREE)
        organization.world.add_unit("Live", organization.world.root_id)

        (blocked,) = [c for c in organization.plan(self.renamed) if c.key == "/Live"]

        assert "both 'Workloads' and 'Live' exist" in str(blocked.blocked)


def test_a_move_of_an_ou_is_refused_with_what_to_do_instead(organization: Organization) -> None:
    organization.converge(TREE)
    moved = commit("{kind: OrganizationalUnits, units: {Security: {units: {Prod: {formerly: /Workloads/Prod}}}}}")

    (change,) = organization.converge(moved)

    assert "AWS cannot move one" in str(change.blocked)
    assert "/Workloads/Prod" in paths(organization)


def test_tags_by_hand_are_taken_off_and_foreign_ones_stay(organization: Organization) -> None:
    organization.converge(TREE)
    unit = organization.world.units[organization.ids(of="units")["/Workloads"]]
    unit.tags = {"cost": "2", "by-hand": "1", "orgctl:note": "1"} | OURS

    organization.converge(TREE)

    assert unit.tags == {"cost": "1", "orgctl:note": "1"} | OURS


def test_an_ou_that_is_there_already_is_adopted(organization: Organization) -> None:
    id = organization.world.add_unit("Security", organization.world.root_id, tags={"kept": "1"}).id

    changes = organization.converge(commit("{kind: OrganizationalUnits, units: {Security: }}"))

    assert shown(changes) == ["adopt organizational_unit /Security"]
    assert organization.world.units[id].tags == {"kept": "1"} | OURS


def test_an_ou_whose_create_was_not_answered_is_found_by_its_tag(organization: Organization) -> None:
    organization.sandbox.faults.add(operation="organizations:CreateOrganizationalUnit", kind="lost", count=1)

    organization.converge(TREE)

    assert "/Workloads/Prod" in paths(organization)


class TestGoing:
    gone = commit("{kind: OrganizationalUnits, units: {Security: {deleted: true}, Workloads: {units: {Prod: }}}}")

    def test_what_git_says_is_deleted_goes(self, organization: Organization) -> None:
        organization.converge(TREE)

        changes = organization.converge(self.gone)

        assert shown(changes) == ["delete organizational_unit /Security"]
        assert "/Security" not in paths(organization)
        assert organization.plan(self.gone) == ()

    def test_what_git_no_longer_names_stays(self, organization: Organization) -> None:
        organization.converge(TREE)
        live = organization.observe(Estate())

        assert [b.name for b in organization.difference(Estate(), live).bystanders if b.orphaned] == [
            "/Security",
            "/Workloads",
            "/Workloads/A\\/B",
            "/Workloads/Prod",
        ]
        assert organization.plan(Estate()) == ()

    def test_what_is_released_loses_our_tag_only(self, organization: Organization) -> None:
        organization.converge(TREE)
        released = commit("{kind: OrganizationalUnits, units: {Workloads: {released: true}}}")

        organization.converge(released)

        assert organization.world.units[organization.ids(of="units")["/Workloads"]].tags == {"cost": "1"}
        assert organization.plan(released) == ()

    def test_a_whole_branch_goes_from_the_bottom(self, organization: Organization) -> None:
        organization.converge(TREE)

        organization.converge(
            commit(
                r"""
                kind: OrganizationalUnits
                units: {Workloads: {deleted: true, units: {Prod: {deleted: true}, 'A\/B': {deleted: true}}}}
                """
            )
        )

        assert paths(organization) == {"/Security"}

    @pytest.mark.parametrize("state", ["ACTIVE", "CLOSED"])
    def test_one_with_an_account_that_stays_in_it_is_kept(self, organization: Organization, state: str) -> None:
        organization.converge(TREE)
        organization.world.add_account("a", "a@example.com", organization.ids(of="units")["/Security"], state=state)
        live = organization.observe(self.gone)
        plan = Changes(organization.difference(self.gone, live).changes)

        why = organization.kind("organizational_unit").forbids(plan["organizational_unit//Security:delete"], plan, live)

        assert why is not None and "not empty: account a" in why

    def test_one_whose_accounts_leave_by_the_same_commit_goes_after_them(self, organization: Organization) -> None:
        organization.converge(TREE)
        account = organization.world.add_account("a", "a@example.com", organization.ids(of="units")["/Security"])

        organization.converge(
            commit(
                """
                kind: OrganizationalUnits
                units: {Security: {deleted: true}, Workloads: {units: {Prod: }}}
                ---
                {kind: Accounts, accounts: {a: {email: a@example.com, unit: /Workloads/Prod}}}
                """
            )
        )

        assert organization.path(account.parent) == "/Workloads/Prod"
        assert "/Security" not in paths(organization)
