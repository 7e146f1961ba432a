"""Accounts, against the simulated organization."""

from __future__ import annotations

import json

import pytest

from controller.desired.estate import Estate
from controller.resources.account import Account
from controller.resources.base import Incomplete, Live
from controller.resources.changes import Changes
from controller.sandbox.world import SimAccount
from tests.resources.organization import Organization, commit, live_of

UNITS = "{kind: OrganizationalUnits, units: {Security: , Workloads: {units: {Prod: }}}}\n---\n"
TRUST = "{kind: Organization, trusted_services: [account.amazonaws.com]}\n---\n"
SOC = {"Name": "SOC", "Title": "On call", "EmailAddress": "soc@example.com", "PhoneNumber": "+1 555 0100"}


def accounts(entries: str, *, trust: bool = True) -> Estate:
    return commit((TRUST if trust else "") + UNITS + "{kind: Accounts, accounts: {" + entries + "}}")


CONTACT = "contacts: {security: {name: SOC, title: On call, email: soc@example.com, phone: '+1 555 0100'}}"


@pytest.fixture
def audit(organization: Organization) -> SimAccount:
    return organization.world.add_account("audit", "Audit@Example.com", organization.world.root_id)


@pytest.mark.parametrize("by", ["email", "id"])
def test_an_account_is_found_by_its_address_in_any_case_or_by_its_id(
    organization: Organization, audit: SimAccount, by: str
) -> None:
    which = "email: audit@example.com" if by == "email" else f"id: '{audit.id}'"

    organization.converge(accounts("audit: {" + which + ", unit: /Security, tags: {env: prod}}"))

    assert organization.path(audit.parent) == "/Security"
    assert audit.tags == {"env": "prod"}
    assert organization.plan(accounts("audit: {" + which + ", unit: /Security, tags: {env: prod}}")) == ()


def test_a_move_and_new_tags_are_two_changes(organization: Organization, audit: SimAccount) -> None:
    changes = organization.plan(accounts("audit: {email: audit@example.com, unit: /Security, tags: {a: b}}"))

    of_account = [c for c in changes if c.kind == "account"]
    assert sorted(c.action for c in of_account) == ["move", "update"]
    for change in of_account:
        assert isinstance(change.before, Account) and isinstance(change.after, Account)
        assert (change.before.unit != change.after.unit) == (change.action == "move")


def test_what_git_does_not_say_is_left_as_it_is(organization: Organization, audit: SimAccount) -> None:
    audit.tags = {"by": "hand"}

    organization.converge(accounts("audit: {email: audit@example.com}"))

    assert audit.tags == {"by": "hand"}
    assert organization.path(audit.parent) == "/"


def test_a_move_that_took_place_without_an_answer_is_no_failure(organization: Organization, audit: SimAccount) -> None:
    organization.sandbox.faults.add(operation="organizations:MoveAccount", kind="lost", count=1)

    organization.converge(accounts("audit: {email: audit@example.com, unit: /Security}"))

    assert organization.path(audit.parent) == "/Security"


def test_an_account_that_aws_lacks_is_blocked_and_nothing_else_is(
    organization: Organization, audit: SimAccount
) -> None:
    changes = organization.converge(
        accounts(
            "new: {email: New@example.com, unit: /Security}, "
            "lost: {id: '999999999999'}, audit: {email: audit@example.com, unit: /Security}"
        )
    )

    blocked = {c.name: str(c.blocked) for c in changes if c.blocked}
    assert blocked.keys() == {"new", "lost"}
    assert "creation is not enabled" in blocked["new"]
    assert "no account 999999999999" in blocked["lost"]
    assert organization.path(audit.parent) == "/Security"


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED", "PENDING_CLOSURE"])
def test_an_account_that_is_not_active_is_left_alone_and_said_so(
    organization: Organization, audit: SimAccount, state: str
) -> None:
    audit.state = state
    estate = accounts("audit: {email: audit@example.com, unit: /Security, tags: {a: b}, " + CONTACT + "}")
    organization.converge(estate)

    live = organization.observe(estate)

    assert organization.path(audit.parent) == "/"
    assert [n.text for n in organization.difference(estate, live).notes if n.name == "audit"] == [
        f"it is {state} in AWS, so it is left alone"
    ]


def test_another_name_in_aws_is_told_and_never_written(organization: Organization, audit: SimAccount) -> None:
    audit.name = "Old Audit"
    estate = accounts("audit: {email: audit@example.com}")

    notes = organization.difference(estate, organization.observe(estate)).notes

    assert ["'Old Audit'" in note.text for note in notes] == [True]
    named = accounts("audit: {email: audit@example.com, name: Old Audit}")
    assert organization.difference(named, organization.observe(named)).notes == ()


def test_two_handles_for_one_account_are_blocked(organization: Organization, audit: SimAccount) -> None:
    changes = organization.plan(accounts("a: {email: audit@example.com}, b: {id: '" + audit.id + "'}"))

    (change,) = [c for c in changes if c.kind == "account"]
    assert "'a' and 'b' are the same account" in str(change.blocked)


def test_where_accounts_come_without_paths_each_ou_is_asked(
    organization: Organization, audit: SimAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = accounts("audit: {email: audit@example.com, unit: /Workloads/Prod}")
    organization.converge(estate)
    service = organization.sandbox.services["organizations"]
    shape = service.account_shape  # type: ignore[attr-defined]  # the simulated service's own
    monkeypatch.setattr(service, "account_shape", lambda a: {k: v for k, v in shape(a).items() if k != "Paths"})

    assert organization.plan(estate) == ()
    assert organization.calls("organizations:ListAccountsForParent") > 0


class TestContacts:
    managed = accounts("audit: {email: audit@example.com, " + CONTACT + "}")

    def test_they_are_written_and_then_in_sync(self, organization: Organization, audit: SimAccount) -> None:
        organization.converge(self.managed)

        assert audit.contacts == {"SECURITY": SOC}
        assert organization.plan(self.managed) == ()

    def test_a_change_by_hand_is_undone_and_other_types_are_left(
        self, organization: Organization, audit: SimAccount
    ) -> None:
        organization.converge(self.managed)
        audit.contacts = {"SECURITY": SOC | {"Name": "X"}, "BILLING": SOC}

        organization.converge(self.managed)

        assert audit.contacts == {"SECURITY": SOC, "BILLING": SOC}

    def test_nobody_sees_them_in_a_plan(self, organization: Organization, audit: SimAccount) -> None:
        (change,) = [c for c in organization.plan(self.managed) if c.kind == "account"]

        assert change.after is not None
        assert "soc@example.com" not in json.dumps(change.after.attributes())

    def test_only_accounts_whose_contacts_git_manages_are_asked(
        self, organization: Organization, audit: SimAccount
    ) -> None:
        organization.world.add_account("other", "other@example.com", organization.world.root_id)
        organization.converge(self.managed)
        before = organization.calls("account:GetAlternateContact")

        organization.observe(self.managed)

        assert organization.calls("account:GetAlternateContact") - before == 1

    def test_the_management_account_leaves_out_its_own_id(self, organization: Organization) -> None:
        management = organization.world.accounts[organization.world.management_account]
        estate = accounts("management: {email: " + management.email + ", " + CONTACT + "}", trust=False)

        organization.converge(estate)

        assert management.contacts == {"SECURITY": SOC}
        assert organization.plan(estate) == ()

    def test_without_trusted_access_they_alone_are_held_and_it_says_what_to_add(
        self, organization: Organization, audit: SimAccount
    ) -> None:
        entry = "audit: {email: audit@example.com, unit: /Security, tags: {env: prod}, " + CONTACT + "}"
        estate = accounts(entry, trust=False)

        organization.converge(estate)

        assert (organization.path(audit.parent), audit.tags, audit.contacts) == ("/Security", {"env": "prod"}, {})
        live = organization.observe(estate)
        (left,) = changes = organization.plan(estate)
        held = organization.kind("account").forbids(left, Changes(changes), live) or ""
        assert "add account.amazonaws.com to trusted_services" in held

        organization.converge(accounts(entry))

        assert audit.contacts == {"SECURITY": SOC}
        assert organization.plan(accounts(entry)) == ()

    def test_one_account_that_cannot_be_asked_is_incomplete_alone(
        self, organization: Organization, audit: SimAccount
    ) -> None:
        organization.world.add_account("other", "other@example.com", organization.world.root_id)
        estate = accounts(
            "audit: {email: audit@example.com, " + CONTACT + "}, other: {email: other@example.com, " + CONTACT + "}"
        )
        organization.converge(estate)
        organization.sandbox.faults.add(
            operation="account:GetAlternateContact", kind="error", code="AccessDeniedException", count=1
        )

        seen = organization.observe(estate).observed["account"]

        assert [type(i) for i in seen.incomplete] == [Incomplete]
        assert seen.incomplete[0].key in seen.resources


def test_a_listing_of_accounts_that_fails_shows_no_accounts_at_all(organization: Organization) -> None:
    organization.sandbox.faults.add(operation="organizations:ListAccounts", kind="error", code="AccessDeniedException")

    with pytest.raises(Exception, match="organizations:ListAccounts"):
        organization.observe(Estate())


def test_the_management_account_is_known_as_such(organization: Organization, audit: SimAccount) -> None:
    live: Live = organization.observe(Estate())
    seen = {key: account.management for key, account in live.of(Account).items()}

    assert seen == {organization.world.management_account: True, audit.id: False}
    assert len(live_of(live, "account")) == 2
