"""One session that calls every operation that the sandbox simulates, as people who administer an organization would."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.contract.aws import SCP, Aws

KIND = "SECURITY"
CONTACT = {"Name": "SOC", "Title": "On call", "EmailAddress": "soc@example.com", "PhoneNumber": "+1 555 0100"}
SSM, HOME, THERE = "ssm.amazonaws.com", "us-east-1", "eu-west-1"
FSBP = "aws-foundational-security-best-practices/v/1.0.0"
MANAGED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TAG = [{"Key": "owner", "Value": "platform"}]


def everything(aws: Aws) -> None:
    """Ends with nothing in force that it began, but for accounts: those are closed."""
    member, other = aws.member(), aws.member()
    organization(aws, member)
    account(aws, member)
    people(aws)
    access(aws, member)
    trust(aws, member)
    joining(aws)
    hub(aws, member)
    administration(aws, member)
    aws.client("sts", account=member).get_caller_identity()
    aws.wait(5 * 86_400)
    aws.organizations.remove_account_from_organization(AccountId=other)
    aws.organizations.close_account(AccountId=member)


def organization(aws: Aws, member: str) -> None:
    calls, root = aws.organizations, aws.root
    unit, tags = aws.unit("Workloads"), {"tags": {"Owner": {"tag_key": {"@@assign": "Owner"}}}}
    calls.update_organizational_unit(OrganizationalUnitId=unit, Name="Work")
    calls.describe_organizational_unit(OrganizationalUnitId=unit)
    calls.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit)
    calls.list_parents(ChildId=member)
    calls.list_children(ParentId=unit, ChildType="ACCOUNT")
    calls.list_accounts_for_parent(ParentId=unit)
    calls.list_organizational_units_for_parent(ParentId=root)
    calls.describe_organization()
    calls.list_accounts(MaxResults=1)
    calls.describe_account(AccountId=member)
    calls.list_create_account_status(States=["SUCCEEDED"])
    calls.tag_resource(ResourceId=member, Tags=TAG)
    calls.list_tags_for_resource(ResourceId=member)
    aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "owner"}])
    calls.untag_resource(ResourceId=member, TagKeys=["owner"])

    calls.enable_policy_type(RootId=root, PolicyType="TAG_POLICY")
    policy = aws.policy("owner", "TAG_POLICY", json.dumps(tags))
    calls.update_policy(PolicyId=policy, Name="owners", Description="Everything has one.")
    calls.describe_policy(PolicyId=policy)
    calls.attach_policy(PolicyId=policy, TargetId=unit)
    aws.client("organizations", account=member).describe_effective_policy(PolicyType="TAG_POLICY")
    calls.list_policies(Filter="TAG_POLICY")
    calls.list_policies_for_target(TargetId=unit, Filter="TAG_POLICY")
    calls.list_targets_for_policy(PolicyId=policy)
    calls.describe_effective_policy(PolicyType="TAG_POLICY", TargetId=member)
    calls.detach_policy(PolicyId=policy, TargetId=unit)
    calls.delete_policy(PolicyId=policy)
    calls.disable_policy_type(RootId=root, PolicyType="TAG_POLICY")

    calls.move_account(AccountId=member, SourceParentId=unit, DestinationParentId=root)
    calls.delete_organizational_unit(OrganizationalUnitId=unit)


def trust(aws: Aws, member: str) -> None:
    calls = aws.organizations
    calls.enable_aws_service_access(ServicePrincipal=SSM)
    calls.list_aws_service_access_for_organization()
    calls.register_delegated_administrator(AccountId=member, ServicePrincipal=SSM)
    calls.list_delegated_administrators()
    calls.list_delegated_services_for_account(AccountId=member)
    calls.deregister_delegated_administrator(AccountId=member, ServicePrincipal=SSM)
    calls.disable_aws_service_access(ServicePrincipal=SSM)


def joining(aws: Aws) -> None:
    calls, stranger, policy = aws.organizations, aws.outsider("999999999999"), json.loads(SCP)
    policy["Statement"][0] |= {"Effect": "Allow", "Principal": "*", "Action": "organizations:List*"}
    calls.put_resource_policy(Content=json.dumps(policy))
    calls.describe_resource_policy()
    calls.delete_resource_policy()

    for end in (calls.cancel_handshake, stranger.decline_handshake, stranger.accept_handshake):
        invited = calls.invite_account_to_organization(Target={"Id": "999999999999", "Type": "ACCOUNT"}, Notes="Hello")
        calls.describe_handshake(HandshakeId=invited["Handshake"]["Id"])
        end(HandshakeId=invited["Handshake"]["Id"])
    calls.list_handshakes_for_organization()
    stranger.list_handshakes_for_account()
    stranger.leave_organization()


def account(aws: Aws, member: str) -> None:
    calls = aws.client("account")
    aws.organizations.enable_aws_service_access(ServicePrincipal="account.amazonaws.com")
    calls.put_alternate_contact(AccountId=member, AlternateContactType=KIND, **CONTACT)
    calls.get_alternate_contact(AccountId=member, AlternateContactType=KIND)
    calls.delete_alternate_contact(AccountId=member, AlternateContactType=KIND)
    primary = calls.get_contact_information(AccountId=member)["ContactInformation"]
    calls.put_contact_information(AccountId=member, ContactInformation=primary)
    calls.put_account_name(AccountId=member, AccountName="audit")
    calls.get_account_information(AccountId=member)
    calls.disable_region(AccountId=member, RegionName="af-south-1")
    calls.get_region_opt_status(AccountId=member, RegionName="af-south-1")
    calls.enable_region(AccountId=member, RegionName="af-south-1")
    calls.list_regions(AccountId=member, MaxResults=5)


def people(aws: Aws) -> None:
    calls = aws.client("identitystore")
    id = calls.list_identity_stores()["IdentityStores"][0]["IdentityStoreId"]
    store = _with(calls, IdentityStoreId=id)
    store("describe_identity_store")
    emails = [{"Value": "alice@example.com", "Type": "work", "Primary": True}]
    name = {"GivenName": "Alice", "FamilyName": "Ames"}
    alice = store("create_user", UserName="alice", DisplayName="Alice Ames", Name=name, Emails=emails)["UserId"]
    admins = store("create_group", DisplayName="admins", Description="All of them")["GroupId"]
    store("update_user", UserId=alice, Operations=[{"AttributePath": "title", "AttributeValue": "Engineer"}])
    store("update_group", GroupId=admins, Operations=[{"AttributePath": "description", "AttributeValue": "Some"}])
    store("describe_user", UserId=alice)
    store("describe_group", GroupId=admins)
    store("get_user_id", AlternateIdentifier=_unique("userName", "alice"))
    store("get_group_id", AlternateIdentifier=_unique("displayName", "admins"))
    store("list_users")
    store("list_groups")
    who = {"UserId": alice}
    membership = store("create_group_membership", GroupId=admins, MemberId=who)["MembershipId"]
    store("describe_group_membership", MembershipId=membership)
    store("get_group_membership_id", GroupId=admins, MemberId=who)
    store("is_member_in_groups", GroupIds=[admins], MemberId=who)
    store("list_group_memberships", GroupId=admins)
    store("list_group_memberships_for_member", MemberId=who)
    store("delete_group_membership", MembershipId=membership)
    store("delete_user", UserId=alice)
    store("delete_group", GroupId=admins)


def _with(client: Any, **always: str) -> Callable[..., dict[str, Any]]:
    """Calls with parameters that every one of them has."""

    def call(operation: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(client, operation)(**always, **parameters)
        return answer

    return call


def _unique(path: str, value: str) -> dict[str, Any]:
    return {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}


def access(aws: Aws, member: str) -> None:
    calls = aws.client("sso-admin")
    (instance,) = calls.list_instances()["Instances"]
    center = _with(calls, InstanceArn=instance["InstanceArn"])
    center("describe_instance")
    group = aws.client("identitystore").create_group(IdentityStoreId=instance["IdentityStoreId"], DisplayName="ops")
    made = center(
        "create_permission_set", Name="Ops", Description="Operators", RelayState="https://x.example", Tags=TAG
    )
    arn = made["PermissionSet"]["PermissionSetArn"]
    ours = _with(calls, InstanceArn=instance["InstanceArn"], PermissionSetArn=arn)
    center("list_tags_for_resource", ResourceArn=arn)
    center("untag_resource", ResourceArn=arn, TagKeys=["owner"])
    center("tag_resource", ResourceArn=arn, Tags=TAG)
    row = {"TargetType": "AWS_ACCOUNT", "TargetId": member, "PrincipalType": "GROUP", "PrincipalId": group["GroupId"]}
    created = ours("create_account_assignment", **row)["AccountAssignmentCreationStatus"]["RequestId"]
    center("describe_account_assignment_creation_status", AccountAssignmentCreationRequestId=created)
    center("list_account_assignment_creation_status")
    ours("list_account_assignments", AccountId=member)
    center("list_account_assignments_for_principal", PrincipalType="GROUP", PrincipalId=group["GroupId"])
    policies(ours)
    ours("update_permission_set", Description="Operators", SessionDuration="PT2H")
    sent = ours("provision_permission_set", TargetType="ALL_PROVISIONED_ACCOUNTS")["PermissionSetProvisioningStatus"]
    center("describe_permission_set_provisioning_status", ProvisionPermissionSetRequestId=sent["RequestId"])
    center("list_permission_set_provisioning_status")
    ours("list_accounts_for_provisioned_permission_set")
    center("list_permission_sets_provisioned_to_account", AccountId=member)
    center("list_permission_sets")
    ours("describe_permission_set")
    gone = ours("delete_account_assignment", **row)["AccountAssignmentDeletionStatus"]["RequestId"]
    center("describe_account_assignment_deletion_status", AccountAssignmentDeletionRequestId=gone)
    center("list_account_assignment_deletion_status")
    ours("delete_permission_set")


def policies(ours: Callable[..., dict[str, Any]]) -> None:
    team = {"CustomerManagedPolicyReference": {"Name": "team", "Path": "/ops/"}}
    ours("put_inline_policy_to_permission_set", InlinePolicy=SCP)
    ours("get_inline_policy_for_permission_set")
    ours("delete_inline_policy_from_permission_set")
    ours("attach_managed_policy_to_permission_set", ManagedPolicyArn=MANAGED)
    ours("list_managed_policies_in_permission_set")
    ours("detach_managed_policy_from_permission_set", ManagedPolicyArn=MANAGED)
    ours("attach_customer_managed_policy_reference_to_permission_set", **team)
    ours("list_customer_managed_policy_references_in_permission_set")
    ours("detach_customer_managed_policy_reference_from_permission_set", **team)
    ours("put_permissions_boundary_to_permission_set", PermissionsBoundary={"ManagedPolicyArn": MANAGED})
    ours("get_permissions_boundary_for_permission_set")
    ours("delete_permissions_boundary_from_permission_set")


def hub(aws: Aws, member: str) -> None:
    calls = aws.client("securityhub", account=member)
    calls.enable_security_hub(EnableDefaultStandards=False, Tags={"owner": "platform"})
    arn = calls.describe_hub()["HubArn"]
    calls.tag_resource(ResourceArn=arn, Tags={"env": "prod"})
    calls.untag_resource(ResourceArn=arn, TagKeys=["env"])
    calls.list_tags_for_resource(ResourceArn=arn)
    calls.update_security_hub_configuration(AutoEnableControls=False)
    calls.get_administrator_account()

    calls.describe_standards()
    standard = f"arn:aws:securityhub:{HOME}::standards/{FSBP}"
    calls.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": standard}])
    (subscription,) = calls.get_enabled_standards()["StandardsSubscriptions"]
    control = {"StandardsArn": standard, "SecurityControlId": "ACM.1"}
    off = {**control, "AssociationStatus": "DISABLED", "UpdatedReason": "Ours"}
    calls.batch_update_standards_control_associations(StandardsControlAssociationUpdates=[off])
    nothing = {**control, "SecurityControlId": "Nothing.1"}
    calls.batch_get_standards_control_associations(StandardsControlAssociationIds=[control, nothing])
    calls.list_standards_control_associations(SecurityControlId="ACM.1")
    calls.batch_get_security_controls(SecurityControlIds=["ACM.1", "Nothing.1"])
    calls.get_security_control_definition(SecurityControlId="ACM.1")
    calls.list_security_control_definitions(StandardsArn=standard, MaxResults=10)
    named = {"StandardsSubscriptionArn": subscription["StandardsSubscriptionArn"]}
    legacy = calls.describe_standards_controls(**named)["Controls"][0]
    calls.update_standards_control(StandardsControlArn=legacy["StandardsControlArn"], ControlStatus="ENABLED")
    calls.batch_disable_standards(StandardsSubscriptionArns=list(named.values()))
    calls.disable_security_hub()


def central(aws: Aws, calls: Any) -> None:
    says = {"ServiceEnabled": True, "SecurityControlsConfiguration": {"DisabledSecurityControlIdentifiers": ["ACM.1"]}}
    says["EnabledStandardIdentifiers"] = [f"arn:aws:securityhub:{HOME}::standards/{FSBP}"]
    made = calls.create_configuration_policy(Name="prod", ConfigurationPolicy={"SecurityHub": says}, Tags={"a": "b"})
    calls.get_configuration_policy(Identifier=made["Arn"])
    calls.list_configuration_policies()
    unit = {"Target": {"OrganizationalUnitId": aws.unit("Central")}}
    calls.start_configuration_policy_association(ConfigurationPolicyIdentifier=made["Id"], **unit)
    calls.update_configuration_policy(Identifier=made["Id"], Description="Production")
    calls.get_configuration_policy_association(**unit)
    calls.batch_get_configuration_policy_associations(
        ConfigurationPolicyAssociationIdentifiers=[unit, {"Target": {"AccountId": "999999999999"}}]
    )
    calls.start_configuration_policy_disassociation(ConfigurationPolicyIdentifier=made["Id"], **unit)
    calls.delete_configuration_policy(Identifier=made["Id"])
    aws.organizations.delete_organizational_unit(OrganizationalUnitId=unit["Target"]["OrganizationalUnitId"])


def administration(aws: Aws, member: str) -> None:
    management, calls = aws.client("securityhub"), aws.client("securityhub", account=member)
    management.enable_security_hub(EnableDefaultStandards=False)
    management.enable_organization_admin_account(AdminAccountId=member)
    management.list_organization_admin_accounts()
    management.get_administrator_account()
    calls.list_members()
    made = calls.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=[THERE])
    calls.list_finding_aggregators()
    calls.get_finding_aggregator(FindingAggregatorArn=made["FindingAggregatorArn"])
    switch = partial(calls.update_organization_configuration, AutoEnable=False)
    switch(OrganizationConfiguration={"ConfigurationType": "CENTRAL"})
    aws.wait(60)
    calls.describe_organization_configuration()
    calls.list_configuration_policy_associations(Filters={"AssociationType": "APPLIED"})
    central(aws, calls)
    switch(OrganizationConfiguration={"ConfigurationType": "LOCAL"})
    management.disable_organization_admin_account(AdminAccountId=member)
