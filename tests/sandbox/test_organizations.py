"""Organizations as AWS runs it, where simulators are usually lenient."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import code

SCP = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return code(error)


@pytest.fixture
def root(sandbox: Sandbox) -> str:
    return sandbox.world.root_id


def unit(organizations: Any, parent: str, name: str) -> str:
    id: str = organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
    return id


def policy(organizations: Any, name: str, type: str = "SERVICE_CONTROL_POLICY", content: str = SCP) -> str:
    made = organizations.create_policy(Name=name, Description="", Type=type, Content=content)
    id: str = made["Policy"]["PolicySummary"]["Id"]
    return id


def member(sandbox: Sandbox, name: str = "audit") -> str:
    return sandbox.world.add_account(name, f"{name}@example.com", sandbox.world.root_id).id


class TestAccounts:
    def test_creating_is_asynchronous_and_new_accounts_start_in_the_root(
        self, organizations: Any, sandbox: Sandbox, root: str
    ) -> None:
        sandbox.world.delays["CreateAccount"] = 60

        status = organizations.create_account(AccountName="payments", Email="payments@example.com")[
            "CreateAccountStatus"
        ]
        assert status["State"] == "IN_PROGRESS"
        assert len(organizations.list_accounts()["Accounts"]) == 1
        sandbox.world.clock.advance(60)

        done = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        assert done["State"] == "SUCCEEDED"
        assert organizations.list_parents(ChildId=done["AccountId"])["Parents"] == [{"Id": root, "Type": "ROOT"}]
        assert "OrganizationAccountAccessRole" in sandbox.world.accounts[done["AccountId"]].roles

    def test_a_name_or_email_that_is_none_is_refused(self, organizations: Any) -> None:
        refused = "InvalidInputException INVALID_PATTERN"
        assert refusal(organizations.create_account, AccountName="naïve", Email="a@example.com") == refused
        assert refusal(organizations.create_account, AccountName="a", Email="a b@example.com") == refused

    def test_a_created_account_cannot_be_removed_for_four_days(self, organizations: Any, sandbox: Sandbox) -> None:
        id = member(sandbox)

        answer = refusal(organizations.remove_account_from_organization, AccountId=id)
        assert answer == "ConstraintViolationException WAIT_PERIOD_ACTIVE"
        sandbox.world.clock.advance(4 * 86_400)
        organizations.remove_account_from_organization(AccountId=id)
        assert len(organizations.list_accounts()["Accounts"]) == 1


class TestPolicies:
    def test_new_units_and_accounts_have_full_access(self, organizations: Any, sandbox: Sandbox, root: str) -> None:
        for id in (unit(organizations, root, "A"), member(sandbox), root):
            found = organizations.list_policies_for_target(TargetId=id, Filter="SERVICE_CONTROL_POLICY")["Policies"]
            assert [each["Id"] for each in found] == ["p-FullAWSAccess"]

    @pytest.mark.parametrize(
        ("type", "content", "answer"),
        [
            ("SERVICE_CONTROL_POLICY", "not json", "MalformedPolicyDocumentException"),
            ("SERVICE_CONTROL_POLICY", "[]", "MalformedPolicyDocumentException"),
            ("SERVICE_CONTROL_POLICY", '{"Statement": [{"Effect": "Block"}]}', "MalformedPolicyDocumentException"),
            (
                "SERVICE_CONTROL_POLICY",
                SCP + " " * 10_240,
                "ConstraintViolationException POLICY_CONTENT_LIMIT_EXCEEDED",
            ),
            ("RESOURCE_CONTROL_POLICY", SCP, "MalformedPolicyDocumentException"),
            (
                "AISERVICES_OPT_OUT_POLICY",
                '{"services": {}}' + " " * 2_500,
                "ConstraintViolationException POLICY_CONTENT_LIMIT_EXCEEDED",
            ),
            ("NO_POLICY", SCP, "InvalidInputException INVALID_ENUM_POLICY_TYPE"),
        ],
    )
    def test_content_that_is_none_is_refused(self, organizations: Any, type: str, content: str, answer: str) -> None:
        found = refusal(organizations.create_policy, Name="p", Description="", Type=type, Content=content)
        assert found == answer

    def test_disabling_a_type_detaches_all_of_it(self, organizations: Any, root: str) -> None:
        id = policy(organizations, "p")
        organizations.attach_policy(PolicyId=id, TargetId=root)

        organizations.disable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")

        assert organizations.list_targets_for_policy(PolicyId=id)["Targets"] == []
        assert organizations.list_roots()["Roots"][0]["PolicyTypes"] == []

    def test_a_target_or_policy_must_exist(self, organizations: Any, root: str) -> None:
        id = policy(organizations, "p")
        for target in ("ou-none-00000000", "999999999999"):
            assert refusal(organizations.attach_policy, PolicyId=id, TargetId=target) == "TargetNotFoundException"
        nothing = refusal(organizations.attach_policy, PolicyId="p-00000000", TargetId=root)
        assert nothing == "PolicyNotFoundException"

    def test_one_in_use_is_not_deleted(self, organizations: Any, root: str) -> None:
        id = policy(organizations, "p")
        organizations.attach_policy(PolicyId=id, TargetId=root)

        assert refusal(organizations.delete_policy, PolicyId=id) == "PolicyInUseException"
        organizations.detach_policy(PolicyId=id, TargetId=root)
        organizations.delete_policy(PolicyId=id)
        assert refusal(organizations.describe_policy, PolicyId=id) == "PolicyNotFoundException"

    def test_names_are_used_once_in_a_type(self, organizations: Any) -> None:
        policy(organizations, "p")
        policy(organizations, "p", "TAG_POLICY", '{"tags": {}}')
        again = refusal(
            organizations.create_policy, Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=SCP
        )
        assert again == "DuplicatePolicyException"
        other = policy(organizations, "q")
        assert refusal(organizations.update_policy, PolicyId=other, Name="p") == "DuplicatePolicyException"

    def test_content_is_kept_as_it_was_sent(self, organizations: Any) -> None:
        spaced = json.dumps(json.loads(SCP), indent=4)
        id = policy(organizations, "p", content=spaced)
        assert organizations.describe_policy(PolicyId=id)["Policy"]["Content"] == spaced
        organizations.update_policy(PolicyId=id, Description="why")
        found = organizations.describe_policy(PolicyId=id)["Policy"]
        assert (found["Content"], found["PolicySummary"]["Description"]) == (spaced, "why")


class TestTrust:
    def test_neither_the_management_account_nor_a_suspended_one_administers(
        self, organizations: Any, sandbox: Sandbox
    ) -> None:
        organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
        id = member(sandbox)
        sandbox.world.accounts[id].state = "SUSPENDED"

        def answer(account: str) -> str:
            return refusal(
                organizations.register_delegated_administrator, AccountId=account, ServicePrincipal="sso.amazonaws.com"
            ).split()[1]

        assert answer(sandbox.world.management_account) == "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"
        assert answer(id) == "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"

    def test_deregistering_what_is_not_registered_is_refused(self, organizations: Any, sandbox: Sandbox) -> None:
        answer = refusal(
            organizations.deregister_delegated_administrator,
            AccountId=member(sandbox),
            ServicePrincipal="sso.amazonaws.com",
        )
        assert answer == "AccountNotRegisteredException"

    def test_a_principal_is_a_services(self, organizations: Any) -> None:
        answer = refusal(organizations.enable_aws_service_access, ServicePrincipal="example.com")
        assert answer == "InvalidInputException UNRECOGNIZED_SERVICE_PRINCIPAL"


class TestTags:
    def test_awss_own_and_doubled_keys_are_refused(self, organizations: Any, root: str) -> None:
        tag = organizations.tag_resource
        system = refusal(tag, ResourceId=root, Tags=[{"Key": "aws:x", "Value": ""}])
        assert system == "InvalidInputException INVALID_SYSTEM_TAGS_PARAMETER"
        doubled = refusal(tag, ResourceId=root, Tags=[{"Key": "x", "Value": ""}] * 2)
        assert doubled == "InvalidInputException DUPLICATE_TAG_KEY"

    def test_they_are_set_by_the_call_that_creates(self, organizations: Any, root: str) -> None:
        tags = [{"Key": "owner", "Value": "platform"}]
        made = organizations.create_organizational_unit(ParentId=root, Name="A", Tags=tags)["OrganizationalUnit"]["Id"]
        assert organizations.list_tags_for_resource(ResourceId=made)["Tags"] == tags


class TestPages:
    def test_every_list_comes_twenty_at_a_time(self, organizations: Any, sandbox: Sandbox, root: str) -> None:
        world = sandbox.world
        organizations.disable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        shared = world.add_policy("shared", "TAG_POLICY", "{}")
        for number in range(28):
            account = world.add_account(f"a{number}", f"{number}@example.com", root)
            world.attach(shared.id, account.id)
            world.add_unit(f"u{number}", root)
            world.attach(world.add_policy(f"p{number}", "TAG_POLICY", "{}").id, root)
            principal = f"s{number}.amazonaws.com"
            world.trusted_services[principal] = 0
            world.delegated[principal] = {account.id: 0, "100000000000": 0}

        def pages(operation: str, member: str, **parameters: Any) -> list[int]:
            found = organizations.get_paginator(operation).paginate(**parameters)
            return [len(each[member]) for each in found]

        tags = {"Filter": "TAG_POLICY"}
        assert pages("list_accounts", "Accounts") == [20, 9]
        assert pages("list_accounts_for_parent", "Accounts", ParentId=root) == [20, 9]
        assert pages("list_children", "Children", ParentId=root, ChildType="ACCOUNT") == [20, 9]
        assert pages("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root) == [20, 8]
        assert pages("list_policies", "Policies", **tags) == [20, 9]
        assert pages("list_policies_for_target", "Policies", TargetId=root, **tags) == [20, 8]
        assert pages("list_targets_for_policy", "Targets", PolicyId=shared.id) == [20, 8]
        assert pages("list_aws_service_access_for_organization", "EnabledServicePrincipals") == [20, 8]
        assert pages("list_delegated_administrators", "DelegatedAdministrators") == [20, 9]
        services = pages("list_delegated_services_for_account", "DelegatedServices", AccountId="100000000000")
        assert services == [20, 8]

    def test_a_token_that_is_none_is_refused(self, organizations: Any) -> None:
        answer = refusal(organizations.list_accounts, NextToken="nonsense")
        assert answer == "InvalidInputException INVALID_NEXT_TOKEN"
