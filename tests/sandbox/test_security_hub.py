"""Security Hub per account and Region."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controller.catalogue.security_hub import STANDARDS, standard_arn
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import CONTROL_TOWER, SELF_MANAGED, hubs
from tests.sandbox.conftest import Client, code

FSBP = "aws-foundational-security-best-practices/v/1.0.0"
CIS = "cis-aws-foundations-benchmark/v/1.2.0"
PCI = "pci-dss/v/3.2.1"


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return code(error)


class Hub:
    """One account's Security Hub in one Region, standards by their short forms."""

    def __init__(self, client: Any, account: str, region: str) -> None:
        self.client, self.account, self.region = client, account, region

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.client, operation)

    def arn(self, standard: str) -> str:
        return standard_arn("aws", self.region, standard)

    def subscription(self, standard: str) -> str:
        return f"arn:aws:securityhub:{self.region}:{self.account}:subscription/{standard}"

    def on(self, *standards: str) -> None:
        requests = [{"StandardsArn": self.arn(standard)} for standard in standards]
        self.client.batch_enable_standards(StandardsSubscriptionRequests=requests)

    def off(self, *standards: str) -> None:
        self.client.batch_disable_standards(StandardsSubscriptionArns=list(map(self.subscription, standards)))

    def status(self) -> dict[str, str]:
        listed = self.client.get_enabled_standards()["StandardsSubscriptions"]
        return {one["StandardsArn"].split("/", 1)[1]: one["StandardsStatus"] for one in listed}

    def update(self, standard: str, control: str, status: str = "DISABLED", reason: str | None = "Ours") -> str:
        """The error code of the update, or ""."""
        update = {
            "StandardsArn": self.arn(standard),
            "SecurityControlId": control,
            "AssociationStatus": status,
            **({"UpdatedReason": reason} if reason else {}),
        }
        answer = self.client.batch_update_standards_control_associations(StandardsControlAssociationUpdates=[update])
        unprocessed = answer["UnprocessedAssociationUpdates"]
        return unprocessed[0]["ErrorCode"] if unprocessed else ""

    def associations(self, control: str, *standards: str) -> dict[str, str]:
        """standard → status, and its reason where it has one."""
        ids = [{"SecurityControlId": control, "StandardsArn": self.arn(standard)} for standard in standards]
        details = self.client.batch_get_standards_control_associations(StandardsControlAssociationIds=ids)
        return {
            one["StandardsArn"].split("/", 1)[1]: " ".join(
                filter(None, (one["AssociationStatus"], one.get("UpdatedReason")))
            )
            for one in details["StandardsControlAssociationDetails"]
        }


@pytest.fixture
def member(sandbox: Sandbox) -> str:
    return sandbox.world.add_account("dev", "dev@example.com", sandbox.world.root_id).id


@pytest.fixture
def dev(client: Client, member: str) -> Hub:
    """A member's hub, off."""
    return Hub(client("securityhub", account=member), member, "us-east-1")


@pytest.fixture
def hub(dev: Hub) -> Hub:
    """A member's hub, on, without standards."""
    dev.enable_security_hub(EnableDefaultStandards=False)
    return dev


# The hub


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("describe_hub", {}), ("get_enabled_standards", {}), ("describe_standards", {}), ("list_members", {})],
)
def test_without_a_hub_almost_nothing_is_answered(dev: Hub, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="not subscribed to AWS Security Hub") as error:
        getattr(dev, operation)(**parameters)

    assert code(error) == "InvalidAccessException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401


def test_a_hub_brings_the_default_standards_unless_told_not_to(dev: Hub) -> None:
    dev.enable_security_hub()

    assert set(dev.status()) == {FSBP, CIS}
    dev.disable_security_hub()
    dev.enable_security_hub(EnableDefaultStandards=False)
    assert dev.status() == {}


def test_a_hub_carries_tags_from_the_enabling_call_on(dev: Hub) -> None:
    dev.enable_security_hub(Tags={"orgctl:managed-by": "main"}, EnableDefaultStandards=False)
    arn = dev.describe_hub()["HubArn"]
    dev.tag_resource(ResourceArn=arn, Tags={"owner": "infosec"})
    dev.untag_resource(ResourceArn=arn, TagKeys=["orgctl:managed-by"])

    assert dev.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"owner": "infosec"}
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    assert refusal(dev.list_tags_for_resource, ResourceArn=elsewhere) == "ResourceNotFoundException"


def test_a_suspended_account_and_a_disabled_region_know_no_credentials(
    client: Client, hub: Hub, sandbox: Sandbox
) -> None:
    account = sandbox.world.accounts[hub.account]
    account.regions_off = {"eu-south-1"}
    abroad = client("securityhub", account=hub.account, region="eu-south-1")

    assert refusal(abroad.describe_hub) == "UnrecognizedClientException"
    account.state = "SUSPENDED"
    assert refusal(hub.describe_hub) == "UnrecognizedClientException"


# Standards


def test_a_region_offers_what_it_has(client: Client, hub: Hub, sandbox: Sandbox) -> None:
    hubs(sandbox.world).missing_standards["us-east-1"] = {PCI}

    offered = {one["StandardsArn"]: one for one in hub.describe_standards()["Standards"]}

    assert set(offered) == {hub.arn(name) for name in {*STANDARDS, CONTROL_TOWER} - {PCI}}
    assert offered[hub.arn(FSBP)]["EnabledByDefault"]
    assert f"arn:aws:securityhub:::ruleset/{CIS}" in offered
    refused = refusal(hub.batch_enable_standards, StandardsSubscriptionRequests=[{"StandardsArn": hub.arn(PCI)}])
    assert refused == "InvalidInputException"


def test_a_standard_of_another_region_is_refused(hub: Hub) -> None:
    abroad = [{"StandardsArn": standard_arn("aws", "eu-west-1", FSBP)}]

    assert refusal(hub.batch_enable_standards, StandardsSubscriptionRequests=abroad) == "InvalidInputException"


def test_a_standard_takes_its_time_both_ways(hub: Hub, sandbox: Sandbox) -> None:
    sandbox.world.delays.update({"BatchEnableStandards": 60, "BatchDisableStandards": 60})
    hub.on(FSBP)
    assert hub.status() == {FSBP: "PENDING"}
    sandbox.world.clock.advance(60)
    assert hub.status() == {FSBP: "READY"}

    hub.off(FSBP)
    assert hub.status() == {FSBP: "DELETING"}
    sandbox.world.clock.advance(60)
    assert hub.status() == {}


def test_enabling_what_is_on_changes_nothing(hub: Hub) -> None:
    hub.on(FSBP)
    hub.update(FSBP, "ACM.1")

    hub.on(FSBP)

    assert hub.associations("ACM.1", FSBP) == {FSBP: "DISABLED Ours"}


def test_a_subscriptions_arn_names_account_and_region_for_cis_too(hub: Hub) -> None:
    hub.on(CIS)

    listed = hub.get_enabled_standards(StandardsSubscriptionArns=[hub.subscription(CIS)])["StandardsSubscriptions"]

    assert [one["StandardsArn"] for one in listed] == [f"arn:aws:securityhub:::ruleset/{CIS}"]


def test_without_a_config_recorder_a_standard_stays_incomplete(hub: Hub, sandbox: Sandbox) -> None:
    hubs(sandbox.world).no_recorder.add((hub.account, "us-east-1"))
    hub.on(FSBP)

    [shown] = hub.get_enabled_standards()["StandardsSubscriptions"]

    assert shown["StandardsStatus"] == "INCOMPLETE"
    assert shown["StandardsStatusReason"] == {"StatusReasonCode": "NO_AVAILABLE_CONFIGURATION_RECORDER"}
    assert shown["StandardsControlsUpdatable"] == "READY_FOR_UPDATES"


def test_a_standard_that_aws_fails_to_turn_on_is_incomplete(hub: Hub, sandbox: Sandbox) -> None:
    sandbox.faults.add(operation="securityhub:BatchEnableStandards", kind="fail", code="INTERNAL_ERROR", count=1)
    hub.on(FSBP, CIS)

    shown = hub.get_enabled_standards()["StandardsSubscriptions"]

    assert hub.status() == {FSBP: "INCOMPLETE", CIS: "READY"}
    assert shown[0]["StandardsStatusReason"] == {"StatusReasonCode": "INTERNAL_ERROR"}


def test_a_standard_that_aws_fails_to_turn_off_stays_on_as_it_was(hub: Hub, sandbox: Sandbox) -> None:
    """Security Hub API reference, StandardsSubscription: FAILED, "could not be disabled"."""
    sandbox.world.delays["BatchDisableStandards"] = 60
    sandbox.faults.add(operation="securityhub:BatchDisableStandards", kind="fail", count=1)
    hub.on(FSBP)
    hub.update(FSBP, "ACM.1")

    hub.off(FSBP)
    assert hub.status() == {FSBP: "DELETING"}
    sandbox.world.clock.advance(60)

    assert hub.status() == {FSBP: "FAILED"}
    assert hub.associations("ACM.1", FSBP) == {FSBP: "DISABLED Ours"}
    hub.off(FSBP)
    sandbox.world.clock.advance(60)
    assert hub.status() == {}


def test_the_service_managed_standard_is_out_of_reach(hub: Hub, sandbox: Sandbox) -> None:
    state = hubs(sandbox.world).hubs[hub.account, "us-east-1"]
    request = [{"StandardsArn": hub.arn(CONTROL_TOWER)}]
    assert refusal(hub.batch_enable_standards, StandardsSubscriptionRequests=request) == "AccessDeniedException"

    state.enable(CONTROL_TOWER, 0.0, 0.0)

    assert hub.status() == {CONTROL_TOWER: "READY"}
    off = [hub.subscription(CONTROL_TOWER)]
    assert refusal(hub.batch_disable_standards, StandardsSubscriptionArns=off) == "AccessDeniedException"
    assert hub.update(CONTROL_TOWER, "EC2.22") == "ACCESS_DENIED"


def test_disabling_a_standard_that_is_off_is_refused(hub: Hub) -> None:
    off = [hub.subscription(PCI)]

    assert refusal(hub.batch_disable_standards, StandardsSubscriptionArns=off) == "InvalidInputException"


# Controls


def test_a_control_is_turned_off_in_one_standard_with_a_reason(hub: Hub) -> None:
    hub.on(FSBP, "pci-dss/v/4.0.1")

    assert hub.update(FSBP, "ACM.1", reason="Our own CA") == ""

    both = hub.associations("ACM.1", FSBP, "pci-dss/v/4.0.1")
    assert both == {FSBP: "DISABLED Our own CA", "pci-dss/v/4.0.1": "ENABLED"}
    [control] = hub.batch_get_security_controls(SecurityControlIds=["ACM.1"])["SecurityControls"]
    assert control["SecurityControlStatus"] == "ENABLED"
    hub.update("pci-dss/v/4.0.1", "ACM.1")
    [control] = hub.batch_get_security_controls(SecurityControlIds=["ACM.1"])["SecurityControls"]
    assert control["SecurityControlStatus"] == "DISABLED"
    hub.update(FSBP, "ACM.1", status="ENABLED", reason=None)
    assert hub.associations("ACM.1", FSBP) == {FSBP: "ENABLED"}


@pytest.mark.parametrize(
    ("standard", "control", "reason", "expected"),
    [
        pytest.param(FSBP, "ACM.1", None, "INVALID_INPUT", id="no reason"),
        pytest.param(PCI, "AutoScaling.1", "Ours", "RESOURCE_NOT_FOUND", id="a standard that is off"),
        pytest.param(FSBP, "Account.2", "Ours", "RESOURCE_NOT_FOUND", id="a control of another standard"),
        pytest.param(FSBP, "Nothing.1", "Ours", "RESOURCE_NOT_FOUND", id="a control that does not exist"),
    ],
)
def test_what_cannot_be_updated_is_told_one_by_one(
    hub: Hub, standard: str, control: str, reason: str | None, expected: str
) -> None:
    hub.on(FSBP)

    assert hub.update(standard, control, reason=reason) == expected


def test_the_rest_of_a_batch_is_carried_out(hub: Hub) -> None:
    hub.on(FSBP)
    updates = [
        {
            "StandardsArn": hub.arn(FSBP),
            "SecurityControlId": control,
            "AssociationStatus": "DISABLED",
            "UpdatedReason": "Ours",
        }
        for control in ("Nothing.1", "ACM.1")
    ]

    answer = hub.batch_update_standards_control_associations(StandardsControlAssociationUpdates=updates)

    failed = [one["StandardsControlAssociationUpdate"] for one in answer["UnprocessedAssociationUpdates"]]
    assert failed == updates[:1]
    assert hub.associations("ACM.1", FSBP) == {FSBP: "DISABLED Ours"}
    too_many = partial(hub.batch_update_standards_control_associations)
    assert refusal(too_many, StandardsControlAssociationUpdates=updates * 51) == "InvalidInputException"


def test_a_standard_that_is_off_and_on_again_has_all_its_controls_on(hub: Hub) -> None:
    hub.on(FSBP)
    hub.update(FSBP, "ACM.1")

    hub.off(FSBP)
    hub.on(FSBP)

    assert hub.associations("ACM.1", FSBP) == {FSBP: "ENABLED"}


def test_controls_wait_for_their_standard(hub: Hub, sandbox: Sandbox) -> None:
    sandbox.world.delays["BatchEnableStandards"] = 60
    hub.on(FSBP)

    [shown] = hub.get_enabled_standards()["StandardsSubscriptions"]
    assert shown["StandardsControlsUpdatable"] == "NOT_READY_FOR_UPDATES"
    assert hub.update(FSBP, "ACM.1") == "INVALID_INPUT"
    assert hub.associations("ACM.1", FSBP) == {}
    assert (
        hub.list_standards_control_associations(SecurityControlId="ACM.1")["StandardsControlAssociationSummaries"] == []
    )
    assert hub.describe_standards_controls(StandardsSubscriptionArn=hub.subscription(FSBP))["Controls"] == []
    sandbox.world.clock.advance(60)
    assert hub.update(FSBP, "ACM.1") == ""


def test_a_standards_controls_are_listed_in_pages(hub: Hub) -> None:
    hub.on(FSBP)
    pages = hub.client.get_paginator("describe_standards_controls").paginate(
        StandardsSubscriptionArn=hub.subscription(FSBP)
    )

    sizes = [len(page["Controls"]) for page in pages]

    assert (sum(sizes), max(sizes)) == (376, 100)


def test_the_older_way_turns_a_control_off_as_well(hub: Hub) -> None:
    hub.on(FSBP)
    page = hub.describe_standards_controls(StandardsSubscriptionArn=hub.subscription(FSBP), MaxResults=5)
    control = page["Controls"][1]["StandardsControlArn"]
    id = page["Controls"][1]["ControlId"]

    assert refusal(hub.update_standards_control, StandardsControlArn=control, ControlStatus="DISABLED") == (
        "InvalidInputException"
    )
    hub.update_standards_control(StandardsControlArn=control, ControlStatus="DISABLED", DisabledReason="Ours")

    assert hub.associations(id, FSBP) == {FSBP: "DISABLED Ours"}
    again = hub.describe_standards_controls(StandardsSubscriptionArn=hub.subscription(FSBP), MaxResults=5)
    assert again["Controls"][1]["DisabledReason"] == "Ours"
    unknown = control.replace(id, "Nothing.1")
    assert refusal(hub.update_standards_control, StandardsControlArn=unknown, ControlStatus="ENABLED") == (
        "ResourceNotFoundException"
    )


def test_the_catalogue_is_listed_whole_and_by_standard(hub: Hub, sandbox: Sandbox) -> None:
    hubs(sandbox.world).missing_controls["us-east-1"] = {"ACM.1"}
    list_all = hub.client.get_paginator("list_security_control_definitions").paginate

    def ids(**more: str) -> dict[str, str]:
        return {
            one["SecurityControlId"]: one["CurrentRegionAvailability"]
            for page in list_all(**more)
            for one in page["SecurityControlDefinitions"]
        }

    assert len(ids()) == 589
    assert len(ids(StandardsArn=hub.arn(PCI))) == 44
    assert ids()["ACM.1"] == "UNAVAILABLE"
    assert hub.get_security_control_definition(SecurityControlId="ACM.2")["SecurityControlDefinition"]["Title"]


def test_a_control_that_a_region_lacks_is_in_no_standard_there(hub: Hub, sandbox: Sandbox) -> None:
    hubs(sandbox.world).missing_controls["us-east-1"] = {"ACM.1"}
    hub.on(FSBP)

    assert hub.update(FSBP, "ACM.1") == "RESOURCE_NOT_FOUND"
    unknown = hub.batch_get_security_controls(SecurityControlIds=["ACM.1"])["UnprocessedIds"]
    assert [one["SecurityControlId"] for one in unknown] == ["ACM.1"]


# The organization


@pytest.fixture
def management(client: Client) -> Any:
    return client("securityhub")


def test_the_administrator_is_named_per_region_and_shows_in_organizations(
    client: Client, management: Any, hub: Hub
) -> None:
    management.enable_organization_admin_account(AdminAccountId=hub.account)

    assert [one["AccountId"] for one in management.list_organization_admin_accounts()["AdminAccounts"]] == [hub.account]
    elsewhere = client("securityhub", region="eu-west-1")
    assert elsewhere.list_organization_admin_accounts()["AdminAccounts"] == []
    delegated = client("organizations").list_delegated_administrators(ServicePrincipal="securityhub.amazonaws.com")
    assert [one["Id"] for one in delegated["DelegatedAdministrators"]] == [hub.account]
    elsewhere.enable_organization_admin_account(AdminAccountId=hub.account)
    assert client("securityhub", account=hub.account, region="eu-west-1").describe_hub()["HubArn"]


def test_there_is_one_administrator(management: Any, member: str, sandbox: Sandbox) -> None:
    other = sandbox.world.add_account("audit", "audit@example.com", sandbox.world.root_id).id
    management.enable_organization_admin_account(AdminAccountId=member)
    management.enable_organization_admin_account(AdminAccountId=member)

    name = management.enable_organization_admin_account
    assert refusal(name, AdminAccountId=other) == "InvalidInputException"
    assert refusal(name, AdminAccountId=sandbox.world.management_account) == "InvalidInputException"
    management.disable_organization_admin_account(AdminAccountId=member)
    name(AdminAccountId=other)


def test_only_the_management_account_names_it(dev: Hub) -> None:
    assert refusal(dev.enable_organization_admin_account, AdminAccountId=dev.account) == "AccessDeniedException"


def test_the_administrators_hub_stays_on(management: Any, hub: Hub) -> None:
    management.enable_organization_admin_account(AdminAccountId=hub.account)

    assert refusal(hub.disable_security_hub) == "InvalidInputException"


def test_members_are_the_other_accounts_with_a_hub(client: Client, management: Any, hub: Hub, sandbox: Sandbox) -> None:
    audit = sandbox.world.add_account("audit", "audit@example.com", sandbox.world.root_id).id
    management.enable_organization_admin_account(AdminAccountId=audit)

    theirs = client("securityhub", account=audit)

    assert [one["AccountId"] for one in theirs.list_members()["Members"]] == [hub.account]
    assert hub.get_administrator_account()["Administrator"]["AccountId"] == audit


def test_each_region_has_an_organization_configuration_of_its_own(client: Client, management: Any, hub: Hub) -> None:
    elsewhere = client("securityhub", region="eu-west-1")
    for one in (management, elsewhere):
        one.enable_organization_admin_account(AdminAccountId=hub.account)
    hub.update_organization_configuration(AutoEnable=True)

    abroad = client("securityhub", account=hub.account, region="eu-west-1")

    assert hub.describe_organization_configuration()["AutoEnable"]
    assert not abroad.describe_organization_configuration()["AutoEnable"]
    assert refusal(management.describe_organization_configuration) == "AccessDeniedException"


CENTRAL = {"ConfigurationType": "CENTRAL"}


@pytest.fixture
def admin(client: Client, management: Any, sandbox: Sandbox) -> Hub:
    """The delegated administrator, with an aggregator."""
    audit = sandbox.world.add_account("audit", "audit@example.com", sandbox.world.root_id).id
    management.enable_organization_admin_account(AdminAccountId=audit)
    made = Hub(client("securityhub", account=audit), audit, "us-east-1")
    made.create_finding_aggregator(RegionLinkingMode="SPECIFIED_REGIONS", Regions=["eu-west-1"])
    return made


def test_central_configuration_locks_the_members_out(admin: Hub, hub: Hub, sandbox: Sandbox) -> None:
    hub.on(FSBP)
    sandbox.world.delays["UpdateOrganizationConfiguration"] = 30
    admin.update_organization_configuration(AutoEnable=False, OrganizationConfiguration=CENTRAL)

    def shown() -> dict[str, Any]:
        configuration: dict[str, Any] = admin.describe_organization_configuration()["OrganizationConfiguration"]
        return configuration

    assert shown() == {"ConfigurationType": "CENTRAL", "Status": "PENDING"}
    sandbox.world.clock.advance(30)
    assert shown()["Status"] == "ENABLED"
    request = [{"StandardsArn": hub.arn(PCI)}]
    assert refusal(hub.batch_enable_standards, StandardsSubscriptionRequests=request) == "AccessDeniedException"
    assert refusal(hub.batch_disable_standards, StandardsSubscriptionArns=[hub.subscription(FSBP)]) == (
        "AccessDeniedException"
    )
    assert refusal(hub.disable_security_hub) == "AccessDeniedException"
    with pytest.raises(ClientError, match="centrally managed"):
        hub.update(FSBP, "ACM.1")
    [association] = admin.list_configuration_policy_associations()["ConfigurationPolicyAssociationSummaries"]
    assert (association["TargetId"], association["TargetType"]) == (sandbox.world.root_id, "ROOT")


def test_central_configuration_that_fails_locks_nobody_out(admin: Hub, hub: Hub, sandbox: Sandbox) -> None:
    sandbox.faults.add(operation="securityhub:UpdateOrganizationConfiguration", kind="fail", count=1)
    admin.update_organization_configuration(AutoEnable=False, OrganizationConfiguration=CENTRAL)

    shown = admin.describe_organization_configuration()["OrganizationConfiguration"]

    assert shown == {"ConfigurationType": "CENTRAL", "Status": "FAILED"}
    hub.on(FSBP)


def test_a_self_managed_account_and_a_region_that_is_not_linked_go_on(
    client: Client, admin: Hub, hub: Hub, sandbox: Sandbox
) -> None:
    admin.update_organization_configuration(AutoEnable=False, OrganizationConfiguration=CENTRAL)
    abroad = client("securityhub", account=hub.account, region="eu-central-1")

    abroad.enable_security_hub()
    hubs(sandbox.world).policies[hub.account] = SELF_MANAGED
    hub.on(FSBP)

    assert hub.status() == {FSBP: "READY"}
    admin.update_organization_configuration(AutoEnable=False, OrganizationConfiguration={"ConfigurationType": "LOCAL"})
    assert refusal(admin.list_configuration_policy_associations) == "AccessDeniedException"


def test_an_organization_policy_governs_every_member_and_reads_as_disabled(
    admin: Hub, hub: Hub, sandbox: Sandbox
) -> None:
    hubs(sandbox.world).by_organization_policy = True

    configuration = admin.describe_organization_configuration()["OrganizationConfiguration"]

    assert configuration["Status"] == "DISABLED"
    request = [{"StandardsArn": hub.arn(FSBP)}]
    assert refusal(hub.batch_enable_standards, StandardsSubscriptionRequests=request) == "AccessDeniedException"


def test_the_aggregator_says_which_regions_it_links(admin: Hub) -> None:
    [listed] = admin.list_finding_aggregators()["FindingAggregators"]

    shown = admin.get_finding_aggregator(**listed)

    assert (shown["FindingAggregationRegion"], shown["Regions"]) == ("us-east-1", ["eu-west-1"])
    assert refusal(admin.create_finding_aggregator, RegionLinkingMode="ALL_REGIONS") == "InvalidInputException"


# Central configuration's policies


def central(admin: Hub) -> None:
    admin.update_organization_configuration(AutoEnable=False, OrganizationConfiguration=CENTRAL)


def policy(admin: Hub, **says: Any) -> str:
    document = {"SecurityHub": {"ServiceEnabled": True, **says}}
    id: str = admin.create_configuration_policy(Name="prod", ConfigurationPolicy=document)["Id"]
    return id


def test_a_configuration_policy_reaches_the_hubs_below_its_target(admin: Hub, hub: Hub, sandbox: Sandbox) -> None:
    central(admin)
    hub_on = {"EnabledStandardIdentifiers": [hub.arn(FSBP)]}
    id = policy(admin, **hub_on, SecurityControlsConfiguration={"DisabledSecurityControlIdentifiers": ["ACM.1"]})
    sandbox.world.delays["StartConfigurationPolicyAssociation"] = 60
    there = {"Target": {"AccountId": hub.account}}

    begun = admin.start_configuration_policy_association(ConfigurationPolicyIdentifier=id, **there)
    assert (begun["AssociationStatus"], begun["AssociationType"]) == ("PENDING", "APPLIED")
    assert hub.status() == {FSBP: "PENDING"}
    sandbox.world.clock.advance(60)

    assert admin.get_configuration_policy_association(**there)["AssociationStatus"] == "SUCCESS"
    assert hub.associations("ACM.1", FSBP) == {FSBP: "DISABLED Central configuration"}
    assert refusal(admin.delete_configuration_policy, Identifier=id) == "ResourceConflictException"
    admin.start_configuration_policy_disassociation(ConfigurationPolicyIdentifier=id, **there)
    assert admin.get_configuration_policy_association(**there)["AssociationType"] == "INHERITED"
    admin.delete_configuration_policy(Identifier=id)


def test_an_association_can_fail_and_says_why(admin: Hub, hub: Hub, sandbox: Sandbox) -> None:
    central(admin)
    fault = {"operation": "*:StartConfigurationPolicyAssociation", "kind": "fail", "code": "No recorder"}
    sandbox.faults.add(**fault, count=1)

    shown = admin.start_configuration_policy_association(
        ConfigurationPolicyIdentifier=policy(admin), Target={"RootId": sandbox.world.root_id}
    )

    assert (shown["AssociationStatus"], shown["AssociationStatusMessage"]) == ("FAILED", "No recorder")


def test_a_configuration_policy_that_is_none_is_refused(admin: Hub, hub: Hub) -> None:
    create = admin.create_configuration_policy
    document = {"SecurityHub": {"ServiceEnabled": True}}
    assert refusal(create, Name="p", ConfigurationPolicy=document) == "AccessDeniedException", "still LOCAL"
    central(admin)
    assert refusal(create, Name="a b", ConfigurationPolicy=document) == "InvalidInputException"
    both = {f"{word}SecurityControlIdentifiers": ["ACM.1"] for word in ("Enabled", "Disabled")}
    document["SecurityHub"]["SecurityControlsConfiguration"] = both  # type: ignore[assignment]
    assert refusal(create, Name="p", ConfigurationPolicy=document) == "InvalidInputException"
