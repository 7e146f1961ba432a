"""Organizations as AWS runs it, where simulators are usually lenient."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, code

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

    def test_an_email_is_used_once(self, organizations: Any) -> None:
        for email in ("Same@example.com", "same@example.com"):
            organizations.create_account(AccountName="a", Email=email)
            organizations.list_accounts()

        statuses = organizations.list_create_account_status()["CreateAccountStatuses"]
        assert [each["State"] for each in statuses] == ["SUCCEEDED", "FAILED"]
        assert statuses[1]["FailureReason"] == "EMAIL_ALREADY_EXISTS"

    def test_the_same_email_twice_at_once_fails_the_second(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.world.delays["CreateAccount"] = 1
        for _ in range(2):
            organizations.create_account(AccountName="a", Email="same@example.com")
        sandbox.world.clock.advance(1)

        failed = organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
        assert [each["FailureReason"] for each in failed] == ["CONCURRENT_ACCOUNT_MODIFICATION"]

    def test_five_are_created_at_a_time(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.world.delays["CreateAccount"] = 1
        for number in range(5):
            organizations.create_account(AccountName="a", Email=f"{number}@example.com")

        answer = refusal(organizations.create_account, AccountName="a", Email="6@example.com")
        assert answer == "ConstraintViolationException ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED"

    def test_a_name_or_email_that_is_none_is_refused(self, organizations: Any) -> None:
        refused = "InvalidInputException INVALID_PATTERN"
        assert refusal(organizations.create_account, AccountName="naïve", Email="a@example.com") == refused
        assert refusal(organizations.create_account, AccountName="a", Email="a b@example.com") == refused

    def test_closing_is_asynchronous_and_a_closed_account_is_gone_after_90_days(
        self, organizations: Any, sandbox: Sandbox
    ) -> None:
        sandbox.world.delays["CloseAccount"] = 60
        id = member(sandbox)

        def states() -> tuple[str, str]:
            found = organizations.describe_account(AccountId=id)["Account"]
            return found["State"], found["Status"]

        organizations.close_account(AccountId=id)
        assert states() == ("PENDING_CLOSURE", "PENDING_CLOSURE")
        assert refusal(organizations.close_account, AccountId=id) == "ConflictException"
        sandbox.world.clock.advance(60)
        assert states() == ("CLOSED", "SUSPENDED")
        assert refusal(organizations.close_account, AccountId=id) == "AccountAlreadyClosedException"
        sandbox.world.clock.advance(90 * 86_400)
        assert refusal(organizations.describe_account, AccountId=id) == "AccountNotFoundException"

    def test_the_management_account_cannot_be_closed(self, organizations: Any, sandbox: Sandbox) -> None:
        answer = refusal(organizations.close_account, AccountId=sandbox.world.management_account)
        assert answer == "ConstraintViolationException CANNOT_CLOSE_MANAGEMENT_ACCOUNT"

    def test_three_are_closed_at_a_time(self, organizations: Any, sandbox: Sandbox) -> None:
        sandbox.world.delays["CloseAccount"] = 1
        ids = [member(sandbox, f"a{number}") for number in range(4)]
        for id in ids[:3]:
            organizations.close_account(AccountId=id)

        answer = refusal(organizations.close_account, AccountId=ids[3])
        assert answer == "ConstraintViolationException CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED"

    def test_an_account_says_where_it_is(self, organizations: Any, sandbox: Sandbox, root: str) -> None:
        workloads = unit(organizations, root, "Workloads")
        id = sandbox.world.add_account("a", "a@example.com", workloads).id
        path = f"{sandbox.world.organization_id}/{root}/{workloads}/"

        assert organizations.describe_account(AccountId=id)["Account"]["Paths"] == [f"{path}{id}/"]
        (found,) = organizations.list_accounts_for_parent(ParentId=workloads)["Accounts"]
        assert found["Paths"] == [f"{path}{id}/"]
        assert (
            organizations.describe_organizational_unit(OrganizationalUnitId=workloads)["OrganizationalUnit"]["Path"]
            == path
        )

    def test_moving_needs_the_right_source_and_another_destination(
        self, organizations: Any, sandbox: Sandbox, root: str
    ) -> None:
        a, b = unit(organizations, root, "A"), unit(organizations, root, "B")
        id = member(sandbox)
        move = organizations.move_account

        wrong = refusal(move, AccountId=id, SourceParentId=a, DestinationParentId=b)
        assert wrong == "SourceParentNotFoundException"
        nowhere = refusal(move, AccountId=id, SourceParentId=root, DestinationParentId="ou-none-00000000")
        assert nowhere == "DestinationParentNotFoundException"
        move(AccountId=id, SourceParentId=root, DestinationParentId=a)
        again = refusal(move, AccountId=id, SourceParentId=root, DestinationParentId=a)
        assert again == "DuplicateAccountException"
        assert organizations.list_children(ParentId=a, ChildType="ACCOUNT")["Children"] == [
            {"Id": id, "Type": "ACCOUNT"}
        ]

    def test_a_created_account_cannot_be_removed_for_four_days(self, organizations: Any, sandbox: Sandbox) -> None:
        id = member(sandbox)

        answer = refusal(organizations.remove_account_from_organization, AccountId=id)
        assert answer == "ConstraintViolationException WAIT_PERIOD_ACTIVE"
        sandbox.world.clock.advance(4 * 86_400)
        organizations.remove_account_from_organization(AccountId=id)
        assert len(organizations.list_accounts()["Accounts"]) == 1


class TestUnits:
    def test_a_name_is_used_once_in_one_parent(self, organizations: Any, root: str) -> None:
        workloads = unit(organizations, root, "Workloads")
        unit(organizations, workloads, "Workloads")

        answer = refusal(organizations.create_organizational_unit, ParentId=root, Name="Workloads")
        assert answer == "DuplicateOrganizationalUnitException"

    def test_a_parent_must_exist(self, organizations: Any) -> None:
        answer = refusal(organizations.create_organizational_unit, ParentId="ou-none-00000000", Name="A")
        assert answer == "ParentNotFoundException"

    def test_they_go_five_deep(self, organizations: Any, root: str) -> None:
        parent = root
        for level in range(5):
            parent = unit(organizations, parent, str(level))

        answer = refusal(organizations.create_organizational_unit, ParentId=parent, Name="6")
        assert answer == "ConstraintViolationException OU_DEPTH_LIMIT_EXCEEDED"

    def test_a_name_may_return_under_another_parent_by_renaming(self, organizations: Any, root: str) -> None:
        a, b = unit(organizations, root, "A"), unit(organizations, root, "B")
        unit(organizations, a, "Prod")
        other = unit(organizations, b, "Dev")

        renamed = organizations.update_organizational_unit(OrganizationalUnitId=other, Name="Prod")
        assert renamed["OrganizationalUnit"]["Name"] == "Prod"
        answer = refusal(organizations.update_organizational_unit, OrganizationalUnitId=b, Name="A")
        assert answer == "DuplicateOrganizationalUnitException"

    def test_only_an_empty_one_is_deleted(self, organizations: Any, sandbox: Sandbox, root: str) -> None:
        workloads = unit(organizations, root, "Workloads")
        id = sandbox.world.add_account("a", "a@example.com", workloads).id

        answer = refusal(organizations.delete_organizational_unit, OrganizationalUnitId=workloads)
        assert answer == "OrganizationalUnitNotEmptyException"
        organizations.move_account(AccountId=id, SourceParentId=workloads, DestinationParentId=root)
        organizations.delete_organizational_unit(OrganizationalUnitId=workloads)
        assert organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"] == []


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

    def test_every_type_of_the_model_can_be_created_enabled_and_attached(self, organizations: Any, root: str) -> None:
        types = organizations.meta.service_model.shape_for("PolicyType").enum
        rcp = SCP.replace('"Effect"', '"Principal": "*", "Effect"')
        for type in types:
            content = {"SERVICE_CONTROL_POLICY": SCP, "RESOURCE_CONTROL_POLICY": rcp}.get(type, '{"any": {}}')
            id = policy(organizations, "p", type, content)
            if type != "SERVICE_CONTROL_POLICY":
                assert (
                    refusal(organizations.attach_policy, PolicyId=id, TargetId=root) == "PolicyTypeNotEnabledException"
                )
                organizations.enable_policy_type(RootId=root, PolicyType=type)
            organizations.attach_policy(PolicyId=id, TargetId=root)

    def test_enabling_a_type_takes_a_while(self, organizations: Any, sandbox: Sandbox, root: str) -> None:
        sandbox.world.delays["EnablePolicyType"] = 30

        def status() -> dict[str, str]:
            return {each["Type"]: each["Status"] for each in organizations.list_roots()["Roots"][0]["PolicyTypes"]}

        organizations.enable_policy_type(RootId=root, PolicyType="RESOURCE_CONTROL_POLICY")
        assert status() == {"SERVICE_CONTROL_POLICY": "ENABLED", "RESOURCE_CONTROL_POLICY": "PENDING_ENABLE"}
        twice = refusal(organizations.enable_policy_type, RootId=root, PolicyType="RESOURCE_CONTROL_POLICY")
        assert twice == "PolicyTypeAlreadyEnabledException"
        sandbox.world.clock.advance(30)
        assert status()["RESOURCE_CONTROL_POLICY"] == "ENABLED"
        attached = organizations.list_policies_for_target(TargetId=root, Filter="RESOURCE_CONTROL_POLICY")["Policies"]
        assert [each["Id"] for each in attached] == ["p-RCPFullAWSAccess"]

    def test_disabling_a_type_detaches_all_of_it(self, organizations: Any, root: str) -> None:
        id = policy(organizations, "p")
        organizations.attach_policy(PolicyId=id, TargetId=root)

        organizations.disable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")

        assert organizations.list_targets_for_policy(PolicyId=id)["Targets"] == []
        assert organizations.list_roots()["Roots"][0]["PolicyTypes"] == []

    def test_attaching_twice_and_detaching_what_is_not_attached_are_refused(
        self, organizations: Any, root: str
    ) -> None:
        id = policy(organizations, "p")

        assert refusal(organizations.detach_policy, PolicyId=id, TargetId=root) == "PolicyNotAttachedException"
        organizations.attach_policy(PolicyId=id, TargetId=root)
        assert refusal(organizations.attach_policy, PolicyId=id, TargetId=root) == "DuplicatePolicyAttachmentException"

    def test_a_target_or_policy_must_exist(self, organizations: Any, root: str) -> None:
        id = policy(organizations, "p")
        for target in ("ou-none-00000000", "999999999999"):
            assert refusal(organizations.attach_policy, PolicyId=id, TargetId=target) == "TargetNotFoundException"
        nothing = refusal(organizations.attach_policy, PolicyId="p-00000000", TargetId=root)
        assert nothing == "PolicyNotFoundException"

    def test_ten_service_control_policies_are_on_one_target_at_most(self, organizations: Any, root: str) -> None:
        for number in range(9):
            organizations.attach_policy(PolicyId=policy(organizations, f"p{number}"), TargetId=root)

        answer = refusal(organizations.attach_policy, PolicyId=policy(organizations, "one more"), TargetId=root)
        assert answer == "ConstraintViolationException MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"

    def test_the_last_one_stays(self, organizations: Any, root: str) -> None:
        answer = refusal(organizations.detach_policy, PolicyId="p-FullAWSAccess", TargetId=root)
        assert answer == "ConstraintViolationException MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
        organizations.attach_policy(PolicyId=policy(organizations, "p"), TargetId=root)
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=root)

    def test_awss_own_policies_cannot_be_changed(self, organizations: Any, root: str) -> None:
        organizations.enable_policy_type(RootId=root, PolicyType="RESOURCE_CONTROL_POLICY")

        immutable = "InvalidInputException IMMUTABLE_POLICY"
        assert refusal(organizations.update_policy, PolicyId="p-FullAWSAccess", Name="x") == immutable
        assert refusal(organizations.delete_policy, PolicyId="p-FullAWSAccess") == immutable
        answer = refusal(organizations.detach_policy, PolicyId="p-RCPFullAWSAccess", TargetId=root)
        assert answer == "InvalidInputException NON_DETACHABLE_POLICY"

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
    def test_an_administrator_needs_service_access_first(self, organizations: Any, sandbox: Sandbox) -> None:
        id = member(sandbox)
        register = organizations.register_delegated_administrator
        parameters = {"AccountId": id, "ServicePrincipal": "securityhub.amazonaws.com"}

        assert refusal(register, **parameters) == "ConstraintViolationException SERVICE_ACCESS_NOT_ENABLED"
        organizations.enable_aws_service_access(ServicePrincipal="securityhub.amazonaws.com")
        register(**parameters)
        assert refusal(register, **parameters) == "AccountAlreadyRegisteredException"
        (found,) = organizations.list_delegated_administrators()["DelegatedAdministrators"]
        assert found["Id"] == id
        (service,) = organizations.list_delegated_services_for_account(AccountId=id)["DelegatedServices"]
        assert service["ServicePrincipal"] == "securityhub.amazonaws.com"

    def test_a_service_with_one_administrator_takes_no_second(self, organizations: Any, sandbox: Sandbox) -> None:
        organizations.enable_aws_service_access(ServicePrincipal="guardduty.amazonaws.com")
        register = organizations.register_delegated_administrator
        register(AccountId=member(sandbox, "a"), ServicePrincipal="guardduty.amazonaws.com")

        answer = refusal(register, AccountId=member(sandbox, "b"), ServicePrincipal="guardduty.amazonaws.com")
        assert answer == "ConstraintViolationException DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"

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
    def test_a_resource_has_fifty(self, organizations: Any, sandbox: Sandbox) -> None:
        id = member(sandbox)
        organizations.tag_resource(ResourceId=id, Tags=[{"Key": str(n), "Value": ""} for n in range(50)])

        answer = refusal(organizations.tag_resource, ResourceId=id, Tags=[{"Key": "51", "Value": ""}])
        assert answer == "ConstraintViolationException MAX_TAG_LIMIT_EXCEEDED"
        organizations.tag_resource(ResourceId=id, Tags=[{"Key": "0", "Value": "replaced"}])
        organizations.untag_resource(ResourceId=id, TagKeys=[str(n) for n in range(1, 50)])
        assert organizations.list_tags_for_resource(ResourceId=id)["Tags"] == [{"Key": "0", "Value": "replaced"}]

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


class TestCallers:
    def test_a_member_sees_the_organization_and_no_more(self, client: Client, sandbox: Sandbox) -> None:
        caller = client("organizations", account=member(sandbox))

        assert caller.describe_organization()["Organization"]["Id"] == sandbox.world.organization_id
        for call in (caller.list_accounts, caller.list_roots):
            assert refusal(call) == "AccessDeniedException"

    def test_a_delegated_administrator_reads_all_and_writes_policies_only(
        self, client: Client, organizations: Any, sandbox: Sandbox, root: str
    ) -> None:
        id = member(sandbox)
        organizations.enable_aws_service_access(ServicePrincipal="securityhub.amazonaws.com")
        organizations.register_delegated_administrator(AccountId=id, ServicePrincipal="securityhub.amazonaws.com")
        caller = client("organizations", account=id)

        assert len(caller.list_accounts()["Accounts"]) == 2
        policy(caller, "p")
        answer = refusal(caller.create_organizational_unit, ParentId=root, Name="A")
        assert answer == "AccessDeniedException"


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

    def test_the_list_of_creations_ends(self, organizations: Any) -> None:
        for number in range(45):
            organizations.create_account(AccountName="a", Email=f"{number}@example.com")

        found = organizations.get_paginator("list_create_account_status").paginate()
        assert [len(each["CreateAccountStatuses"]) for each in found] == [20, 20, 5]

    def test_a_token_that_is_none_is_refused(self, organizations: Any) -> None:
        answer = refusal(organizations.list_accounts, NextToken="nonsense")
        assert answer == "InvalidInputException INVALID_NEXT_TOKEN"
