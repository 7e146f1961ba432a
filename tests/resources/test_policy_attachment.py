"""Where policies are attached, against the simulated organization."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from controller.desired.estate import Estate
from controller.resources.base import Change
from controller.resources.changes import Changes
from tests.resources.organization import Organization, commit, shown

UNITS = "{kind: OrganizationalUnits, units: {A: {units: {B: }}, C: }}\n---\n"
ACCOUNTS = "{kind: Accounts, accounts: {one: {email: one@example.com, unit: %s}}}\n---\n"


def scp(name: str, targets: str | None = None, more: str = "") -> str:
    content = '{Version: "2012-10-17", Statement: [{Effect: Deny, Action: "s3:*", Resource: "*"}]}'
    listed = "" if targets is None else f"targets: {targets}, "
    return f"{{kind: ServiceControlPolicy, name: {name}, {listed}{more}content: {content}}}\n---\n"


def attached(organization: Organization, target: str) -> set[str]:
    """Names of the service control policies on an OU path or an account's name."""
    ids = {**organization.ids(of="units"), **organization.ids(of="accounts")}
    policies = organization.world.policies
    on = (policies[id] for id in organization.world.attached[ids[target]])
    return {policy.name for policy in on if policy.type == "SERVICE_CONTROL_POLICY"} - {"FullAWSAccess"}


def before(changes: tuple[Change, ...], first: str, then: str) -> bool:
    """Whether the plan's dependencies make `first` come before `then`; both are ``action name``."""
    by_id = {change.id: change for change in changes}
    named = {f"{change.action} {change.name}": change for change in changes}
    todo, seen = [*named[then].requires], set[str]()
    while todo:
        seen.add(id := todo.pop())
        todo += by_id[id].requires - seen
    return named[first].id in seen


@pytest.fixture
def account(organization: Organization) -> str:
    return organization.world.add_account("one", "one@example.com", organization.world.root_id).id


def test_policies_go_on_the_root_ous_and_accounts(organization: Organization, account: str) -> None:
    estate = commit(UNITS + ACCOUNTS % "/A" + scp("lock", "{units: [/, /A/B], accounts: [one]}"))

    changes = organization.converge(estate)

    assert [attached(organization, target) for target in ("/", "/A", "/A/B", "one")] == [
        {"lock"},
        set(),
        {"lock"},
        {"lock"},
    ]
    assert "create policy_attachment lock → one" in shown(changes)
    assert organization.plan(estate) == ()


def test_targets_may_be_given_by_id(organization: Organization, account: str) -> None:
    organization.converge(commit(UNITS))
    unit = organization.ids(of="units")["/A"]

    organization.converge(
        commit(UNITS + ACCOUNTS % "/C" + scp("lock", f"{{units: [{unit}], accounts: ['{account}']}}"))
    )

    assert (attached(organization, "/A"), attached(organization, "one")) == ({"lock"}, {"lock"})


def test_what_is_detached_by_hand_comes_back_and_what_is_attached_by_hand_goes(organization: Organization) -> None:
    estate = commit(UNITS + scp("lock", "{units: [/A]}"))
    organization.converge(estate)
    lock, units = organization.ids(of="policies")["lock"], organization.ids(of="units")
    organization.world.detach(lock, units["/A"])
    organization.world.attach(lock, units["/C"])

    organization.converge(estate)

    assert (attached(organization, "/A"), attached(organization, "/C")) == ({"lock"}, set())


def test_without_targets_attachments_are_not_managed_and_with_none_there_are_none(organization: Organization) -> None:
    organization.converge(commit(UNITS + scp("lock", "{units: [/A]}")))

    assert organization.plan(commit(UNITS + scp("lock"))) == ()
    organization.converge(commit(UNITS + scp("lock", "{}")))
    assert attached(organization, "/A") == set()


def test_nobodys_attachments_are_left_alone_and_not_reported(organization: Organization) -> None:
    by_hand = organization.world.add_policy("by-hand", "SERVICE_CONTROL_POLICY", "{}")
    organization.world.attach(by_hand.id, organization.world.root_id)

    bystanders = organization.difference(Estate(), organization.observe(Estate())).bystanders

    assert "policy_attachment" not in {b.kind for b in bystanders}
    assert organization.plan(Estate()) == ()


def test_an_answer_that_was_lost_is_no_failure(organization: Organization) -> None:
    organization.sandbox.faults.add(operation="organizations:AttachPolicy", kind="lost", count=1)
    organization.converge(commit(UNITS + scp("lock", "{units: [/A]}")))
    organization.sandbox.faults.add(operation="organizations:DetachPolicy", kind="lost", count=1)

    organization.converge(commit(UNITS + scp("lock", "{}")))

    assert attached(organization, "/A") == set()


def test_a_type_that_is_off_blocks_its_attachments_and_says_what_to_add(organization: Organization) -> None:
    organization.world.policy_types.clear()

    changes = organization.plan(commit(UNITS + scp("lock", "{units: [/A]}")))

    (attachment,) = [c for c in changes if c.kind == "policy_attachment"]
    assert "add it to policy_types" in str(attachment.blocked)


def test_a_type_that_the_same_commit_turns_on_comes_first(organization: Organization) -> None:
    organization.world.delays["EnablePolicyType"] = 5
    tag = "{kind: TagPolicy, name: tags, targets: {units: [/]}, content: {tags: {}}}"
    estate = commit("{kind: Organization, policy_types: [tag]}\n---\n" + tag)

    changes = organization.converge(estate)

    assert before(changes, "create tag", "create tags → /")
    assert organization.plan(estate) == ()


def test_an_account_that_aws_lacks_blocks_its_attachment_alone(organization: Organization) -> None:
    changes = organization.converge(commit(UNITS + ACCOUNTS % "/A" + scp("lock", "{units: [/A], accounts: [one]}")))

    assert {c.name for c in changes if c.blocked} == {"one", "lock → one"}
    assert attached(organization, "/A") == {"lock"}


class TestUntil:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    estate = commit(UNITS + scp("game-day", "{units: [/A]}", "until: 2030-01-01T00:00:00Z, "))

    def at(self, organization: Organization, moment: datetime) -> None:
        clock = organization.world.clock
        clock.advance(moment.timestamp() - clock.now())

    def test_it_stays_on_until_then_and_comes_off_without_being_counted(self, organization: Organization) -> None:
        self.at(organization, self.moment - timedelta(days=1))
        organization.converge(self.estate)
        assert attached(organization, "/A") == {"game-day"}
        self.at(organization, self.moment)

        changes = organization.converge(self.estate)

        assert [(c.name, c.action, c.exempt) for c in changes] == [("game-day → /A", "delete", True)]
        assert attached(organization, "/A") == set()
        assert organization.plan(self.estate) == ()

    def test_when_it_is_over_it_never_goes_on(self, organization: Organization) -> None:
        self.at(organization, self.moment + timedelta(days=1))

        organization.converge(self.estate)

        assert attached(organization, "/A") == set()


class TestFullAWSAccess:
    estate = commit(
        UNITS
        + scp("allow", "{units: [/A]}").replace("Effect: Deny", "Effect: Allow")
        + "{kind: ServiceControlPolicy, name: FullAWSAccess, detached_from: {units: [/A]}}"
    )

    def test_it_comes_off_after_another_went_on_and_only_with_approval(self, organization: Organization) -> None:
        changes = organization.plan(self.estate)
        assert "delete FullAWSAccess → /A" not in {f"{c.action} {c.name}" for c in changes}  # /A is not there yet
        organization.converge(commit(UNITS))

        changes = organization.converge(self.estate)

        (off,) = [c for c in changes if c.action == "delete"]
        assert "FullAWSAccess" in str(organization.kind("policy_attachment").needs_approval(off))
        assert before(changes, "create allow → /A", "delete FullAWSAccess → /A")
        assert organization.plan(self.estate) == ()

    def test_the_last_policy_on_a_target_never_comes_off(self, organization: Organization) -> None:
        organization.converge(commit(UNITS))
        alone = commit(UNITS + "{kind: ServiceControlPolicy, name: FullAWSAccess, detached_from: {units: [/A]}}\n---\n")
        live = organization.observe(alone)
        plan = Changes(organization.difference(alone, live).changes)
        (off,) = plan.values()

        why = organization.kind("policy_attachment").forbids(off, plan, live)

        assert why is not None and "the last service control policy on /A" in why

    def test_it_is_asked_about_where_it_comes_off_and_nowhere_else(self, organization: Organization) -> None:
        organization.converge(commit(UNITS))
        organization.converge(self.estate)
        full = [e for e in organization.records if e.action == "organizations:ListTargetsForPolicy"]
        count = len(full)

        organization.observe(self.estate)

        assert organization.calls("organizations:ListTargetsForPolicy") - count == 1  # `allow` alone


class TestOrder:
    def test_new_protection_above_at_and_below_goes_on_before_old_comes_off(self, organization: Organization) -> None:
        organization.converge(commit(UNITS + scp("old", "{units: [/A]}")))

        changes = organization.plan(
            commit(
                UNITS
                + scp("old", "{}")
                + scp("at", "{units: [/A]}")
                + scp("above", "{units: [/]}")
                + scp("below", "{units: [/A/B]}")
                + scp("aside", "{units: [/C]}")
            )
        )

        off = "delete old → /A"
        assert all(before(changes, f"create {new}", off) for new in ("at → /A", "above → /", "below → /A/B"))
        assert not before(changes, "create aside → /C", off)

    def test_an_account_moves_when_its_new_place_is_protected_and_before_the_old_one_is_bared(
        self, organization: Organization, account: str
    ) -> None:
        organization.converge(commit(UNITS + ACCOUNTS % "/A/B" + scp("old", "{units: [/A]}")))

        changes = organization.plan(commit(UNITS + ACCOUNTS % "/C" + scp("old", "{}") + scp("new", "{units: [/C]}")))

        assert before(changes, "create new → /C", "move one")
        assert before(changes, "move one", "delete old → /A")

    def test_a_policy_that_goes_down_the_tree_stays_above_until_the_accounts_have_followed_it(
        self, organization: Organization, account: str
    ) -> None:
        organization.converge(commit(UNITS + ACCOUNTS % "/" + scp("old", "{units: [/]}")))

        changes = organization.plan(commit(UNITS + ACCOUNTS % "/C" + scp("old", "{units: [/C]}")))

        assert before(changes, "create old → /C", "move one")
        assert before(changes, "move one", "delete old → /")

    def test_where_a_target_is_full_and_only_there_the_old_goes_first(self, organization: Organization) -> None:
        old = [scp(f"old{n}", "{units: [/A, /C]}") for n in range(9)]  # with FullAWSAccess, ten: AWS's limit
        organization.converge(commit(UNITS + "".join(old)))
        roomy = scp("old1", "{units: [/A]}")
        swapped = commit(
            UNITS + scp("old0", "{units: [/C]}") + roomy + "".join(old[2:]) + scp("new", "{units: [/A, /C]}")
        )

        changes = organization.plan(swapped)

        assert before(changes, "delete old0 → /A", "create new → /A")
        assert before(changes, "delete old1 → /C", "create new → /C")
        organization.converge(swapped)
        assert "new" in attached(organization, "/A") & attached(organization, "/C")
        assert organization.plan(swapped) == ()

    def test_full_targets_that_swap_along_a_branch_do_not_wait_for_each_other(self, organization: Organization) -> None:
        old = [scp(f"old{n}", "{units: [/A, /A/B]}") for n in range(9)]
        organization.converge(commit(UNITS + "".join(old)))

        changes = organization.converge(
            commit(UNITS + scp("old0", "{}") + "".join(old[1:]) + scp("new", "{units: [/A, /A/B]}"))
        )

        assert [c.name for c in changes if c.blocked] == []
        assert "new" in attached(organization, "/A") & attached(organization, "/A/B")

    def test_somebody_elses_policies_count_towards_a_full_target(self, organization: Organization) -> None:
        organization.converge(commit(UNITS + scp("old", "{units: [/A]}")))
        for number in range(8):
            other = organization.world.add_policy(f"other{number}", "SERVICE_CONTROL_POLICY", "{}")
            organization.world.attach(other.id, organization.ids(of="units")["/A"])

        changes = organization.plan(commit(UNITS + scp("old", "{}") + scp("new", "{units: [/A]}")))

        assert before(changes, "delete old → /A", "create new → /A")


def test_a_target_that_nobody_knows_makes_attachments_incomplete_rather_than_absent(
    organization: Organization,
) -> None:
    estate = commit(UNITS + scp("lock", "{units: [/A]}"))
    organization.converge(estate)
    live = organization.observe(estate)
    late = organization.world.add_unit("Late", organization.world.root_id)
    organization.world.attach(organization.ids(of="policies")["lock"], late.id)

    seen = organization.kind("policy_attachment").observe(organization.aws.reader(), live, estate)

    assert [re.sub(r"ou-\S+", "ou-…", i.why) for i in seen.incomplete] == [
        "'lock' is attached to ou-… which was not there a moment ago"
    ]
