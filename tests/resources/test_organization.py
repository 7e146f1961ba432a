"""Policy types, trusted services and delegated administrators, against the simulated organization."""

from __future__ import annotations

import pytest

from controller.desired.estate import Estate
from controller.errors import InProgress
from controller.resources.policy_type import TIMEOUT_SECONDS
from tests.resources.organization import Organization, commit, live_of, shown


def types(organization: Organization) -> dict[str, str]:
    all_types = organization.world.policy_types
    return {type: status for type in all_types if (status := organization.world.policy_type_status(type))}


class TestPolicyTypes:
    wanted = commit("{kind: Organization, policy_types: [service_control, tag]}")

    def test_a_type_is_enabled_and_awaited(self, organization: Organization) -> None:
        organization.world.delays["EnablePolicyType"] = 10

        changes = organization.converge(self.wanted)

        assert shown(changes) == ["create policy_type tag"]
        assert types(organization) == {"SERVICE_CONTROL_POLICY": "ENABLED", "TAG_POLICY": "ENABLED"}
        assert organization.plan(self.wanted) == ()

    def test_one_that_takes_longer_is_in_progress_and_awaited_by_the_next_cycle(
        self, organization: Organization
    ) -> None:
        organization.world.delays["EnablePolicyType"] = TIMEOUT_SECONDS * 1.5
        with pytest.raises(InProgress):
            organization.converge(self.wanted)

        changes = organization.converge(self.wanted)

        assert shown(changes) == ["update policy_type tag"]
        assert organization.calls("organizations:EnablePolicyType") == 1
        assert organization.plan(self.wanted) == ()

    def test_one_that_is_being_disabled_is_enabled_when_that_is_over(self, organization: Organization) -> None:
        organization.world.delays["DisablePolicyType"] = 10
        organization.converge(self.wanted)
        root = organization.world.root_id
        organization.sandbox.call("organizations", "DisablePolicyType", {"RootId": root, "PolicyType": "TAG_POLICY"})

        organization.converge(self.wanted)

        assert types(organization)["TAG_POLICY"] == "ENABLED"

    def test_one_that_git_does_not_list_is_left_on(self, organization: Organization) -> None:
        organization.converge(self.wanted)

        assert organization.plan(commit("{kind: Organization}")) == ()

    def test_off_is_said_on_purpose_and_always_approved(self, organization: Organization) -> None:
        organization.converge(self.wanted)
        organization.world.delays["DisablePolicyType"] = 1000
        off = commit("{kind: Organization, policy_types: [service_control], disable: {policy_types: [tag]}}")

        (change,) = organization.converge(off)

        assert organization.kind("policy_type").needs_approval(change)
        assert types(organization)["TAG_POLICY"] == "PENDING_DISABLE"
        assert organization.plan(off) == ()


class TestTrustedServices:
    wanted = commit("{kind: Organization, trusted_services: [sso.amazonaws.com]}")

    def test_trust_is_given_and_what_git_does_not_list_keeps_it(self, organization: Organization) -> None:
        organization.world.trusted_services["config.amazonaws.com"] = 0

        organization.converge(self.wanted)

        assert organization.world.trusted_services.keys() == {"config.amazonaws.com", "sso.amazonaws.com"}
        assert organization.plan(self.wanted) == ()

    def test_it_is_taken_away_on_purpose_and_always_approved(self, organization: Organization) -> None:
        organization.converge(self.wanted)
        off = commit("{kind: Organization, disable: {trusted_services: [sso.amazonaws.com]}}")

        (change,) = organization.converge(off)

        assert organization.kind("trusted_service").needs_approval(change)
        assert organization.world.trusted_services == {}
        assert organization.plan(off) == ()


class TestDelegatedAdministrators:
    accounts = "{kind: Accounts, accounts: {audit: {email: audit@example.com}, other: {email: other@example.com}}}\n"
    services = "[config.amazonaws.com, securityhub.amazonaws.com]"
    wanted = commit(
        accounts
        + "---\n{kind: Organization, regions: [us-east-1, eu-west-1], trusted_services: "
        + services
        + ", delegated_administrators: {audit: "
        + services
        + "}}"
    )

    @pytest.fixture
    def audit(self, organization: Organization) -> str:
        organization.world.add_account("other", "other@example.com", organization.world.root_id)
        return organization.world.add_account("audit", "audit@example.com", organization.world.root_id).id

    def administrators(self, organization: Organization) -> set[tuple[str, str]]:
        return {(account, service) for service, all in organization.world.delegated.items() for account in all}

    def security_hub(self, organization: Organization) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for region in ("eu-west-1", "us-east-1"):
            answer = organization.sandbox.call("securityhub", "ListOrganizationAdminAccounts", {}, region=region)
            found[region] = [each["AccountId"] for each in answer["AdminAccounts"]]
        return found

    def test_security_hubs_is_named_in_every_governed_region_and_others_once(
        self, organization: Organization, audit: str
    ) -> None:
        organization.converge(self.wanted)

        assert (audit, "config.amazonaws.com") in self.administrators(organization)
        assert self.security_hub(organization) == {"eu-west-1": [audit], "us-east-1": [audit]}
        assert organization.plan(self.wanted) == ()

    def test_a_region_that_lacks_it_is_drift(self, organization: Organization, audit: str) -> None:
        organization.converge(self.wanted)
        organization.sandbox.call(
            "securityhub", "DisableOrganizationAdminAccount", {"AdminAccountId": audit}, region="eu-west-1"
        )

        changes = organization.converge(self.wanted)

        assert shown(changes) == ["update delegated_administrator audit/securityhub.amazonaws.com"]
        assert self.security_hub(organization)["eu-west-1"] == [audit]

    def test_trust_comes_first(self, organization: Organization, audit: str) -> None:
        changes = organization.plan(self.wanted)

        (config,) = [c for c in changes if c.name == "audit/config.amazonaws.com"]
        assert "trusted_service/config.amazonaws.com:create" in config.requires

    def test_they_go_on_purpose_and_always_approved(self, organization: Organization, audit: str) -> None:
        organization.converge(self.wanted)
        off = commit(
            self.accounts
            + "---\n{kind: Organization, regions: [us-east-1, eu-west-1], trusted_services: "
            + self.services
            + ", disable: {delegated_administrators: {audit: "
            + self.services
            + "}}}"
        )

        changes = organization.converge(off)

        assert all(organization.kind(c.kind).needs_approval(c) for c in changes)
        assert len(changes) == 2
        assert self.administrators(organization) == set()
        assert self.security_hub(organization) == {"eu-west-1": [], "us-east-1": []}
        assert organization.plan(off) == ()

    def test_a_second_administrator_of_security_hub_is_blocked_until_the_first_goes(
        self, organization: Organization, audit: str
    ) -> None:
        organization.converge(self.wanted)
        text = (
            self.accounts
            + "---\n{kind: Organization, regions: [us-east-1, eu-west-1], trusted_services: [securityhub.amazonaws.com]"
            + ", delegated_administrators: {other: [securityhub.amazonaws.com]}"
        )

        (blocked,) = organization.plan(commit(text + "}"))
        changes = organization.converge(
            commit(text + ", disable: {delegated_administrators: {audit: [securityhub.amazonaws.com]}}}")
        )

        assert "Security Hub has an administrator, audit/" in str(blocked.blocked)
        assert shown(changes) == [
            "delete delegated_administrator audit/securityhub.amazonaws.com",
            "create delegated_administrator other/securityhub.amazonaws.com",
        ]
        assert organization.plan(commit(text + "}")) == ()

    def test_security_hub_is_not_asked_where_git_says_nothing_of_it(
        self, organization: Organization, audit: str
    ) -> None:
        organization.converge(self.wanted)
        before = organization.calls("securityhub:ListOrganizationAdminAccounts")

        live = organization.observe(Estate())

        assert organization.calls("securityhub:ListOrganizationAdminAccounts") == before
        assert len(live_of(live, "delegated_administrator")) == 2
