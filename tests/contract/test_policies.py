"""Organizations: policies, their types and where they are attached."""

from __future__ import annotations

import pytest

from tests.contract.aws import RCP, SCP, Aws, refusal

TYPES = [
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
    "NETWORK_SECURITY_DIRECTOR_POLICY",
    "GUARDDUTY_POLICY",
]
MOTO_HAS = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY", "AISERVICES_OPT_OUT_POLICY")


@pytest.mark.parametrize("content", ["not json", "[]", '{"Statement": [{"Effect": "Block"}]}'])
def test_content_that_is_no_policy_is_refused(aws: Aws, content: str) -> None:
    """Organizations API reference, CreatePolicy: MalformedPolicyDocumentException."""
    create = aws.organizations.create_policy
    answer = refusal(create, Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=content)
    assert answer == "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    ("type", "longest"),
    [("SERVICE_CONTROL_POLICY", 10_240), ("RESOURCE_CONTROL_POLICY", 5_120), ("TAG_POLICY", 10_000)],
)
def test_a_document_has_a_length_white_space_included(aws: Aws, type: str, longest: int) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": maximum size of a policy document; white space counts
    where the API is used. API reference, ConstraintViolationException."""
    text = {"SERVICE_CONTROL_POLICY": SCP, "RESOURCE_CONTROL_POLICY": RCP}.get(type, '{"tags": {}}')
    aws.policy("fits", type, text.ljust(longest))

    create = aws.organizations.create_policy
    answer = refusal(create, Name="p", Description="", Type=type, Content=text.ljust(longest + 1))
    assert answer == "ConstraintViolationException POLICY_CONTENT_LIMIT_EXCEEDED"


def test_a_policy_is_attached_only_while_its_type_is_on(aws: Aws) -> None:
    """Organizations API reference, AttachPolicy: PolicyTypeNotEnabledException."""
    id = aws.policy("p", "TAG_POLICY", '{"tags": {}}')

    answer = refusal(aws.organizations.attach_policy, PolicyId=id, TargetId=aws.root)
    assert answer == "PolicyTypeNotEnabledException"
    aws.organizations.enable_policy_type(RootId=aws.root, PolicyType="TAG_POLICY")
    aws.organizations.attach_policy(PolicyId=id, TargetId=aws.root)


def test_attaching_twice_is_refused(aws: Aws) -> None:
    """Organizations API reference, AttachPolicy: DuplicatePolicyAttachmentException."""
    id, unit = aws.policy(), aws.unit("A")
    aws.organizations.attach_policy(PolicyId=id, TargetId=unit)

    answer = refusal(aws.organizations.attach_policy, PolicyId=id, TargetId=unit)
    assert answer == "DuplicatePolicyAttachmentException"


def test_detaching_what_is_not_attached_is_refused(aws: Aws) -> None:
    """Organizations API reference, DetachPolicy: PolicyNotAttachedException."""
    id, unit = aws.policy(), aws.unit("A")

    answer = refusal(aws.organizations.detach_policy, PolicyId=id, TargetId=unit)
    assert answer == "PolicyNotAttachedException"


def test_ten_service_control_policies_are_on_one_target_at_most(aws: Aws) -> None:
    """Organizations User Guide, "Quotas for AWS Organizations": policies attached to an entity; API reference,
    ConstraintViolationException."""
    unit = aws.unit("A")
    for number in range(9):
        aws.organizations.attach_policy(PolicyId=aws.policy(f"p{number}"), TargetId=unit)

    answer = refusal(aws.organizations.attach_policy, PolicyId=aws.policy("one more"), TargetId=unit)
    assert answer == "ConstraintViolationException MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"


@pytest.mark.parametrize("what", ["root", "OU", "account"])
def test_the_last_service_control_policy_stays(aws: Aws, what: str) -> None:
    """Organizations API reference, DetachPolicy: every root, OU and account must keep one;
    ConstraintViolationException's MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED."""
    target = aws.root if what == "root" else aws.unit("A") if what == "OU" else aws.member()
    detach = {"PolicyId": "p-FullAWSAccess", "TargetId": target}

    answer = refusal(aws.organizations.detach_policy, **detach)
    assert answer == "ConstraintViolationException MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    aws.organizations.attach_policy(PolicyId=aws.policy(), TargetId=target)
    aws.organizations.detach_policy(**detach)


def test_awss_own_policies_cannot_be_changed(aws: Aws) -> None:
    """Organizations API reference, InvalidInputException: IMMUTABLE_POLICY, NON_DETACHABLE_POLICY."""
    for call in (aws.organizations.update_policy, aws.organizations.delete_policy):
        more = {"Name": "x"} if call == aws.organizations.update_policy else {}
        assert refusal(call, PolicyId="p-FullAWSAccess", **more) == "InvalidInputException IMMUTABLE_POLICY"
    aws.organizations.enable_policy_type(RootId=aws.root, PolicyType="RESOURCE_CONTROL_POLICY")
    answer = refusal(aws.organizations.detach_policy, PolicyId="p-RCPFullAWSAccess", TargetId=aws.root)
    assert answer == "InvalidInputException NON_DETACHABLE_POLICY"


@pytest.mark.parametrize(
    "type", [pytest.param(type, marks=[pytest.mark.agreed] if type in MOTO_HAS else []) for type in TYPES]
)
def test_policies_of_every_type_are_created(aws: Aws, type: str) -> None:
    """botocore's organizations shape PolicyType."""
    content = {"SERVICE_CONTROL_POLICY": SCP, "RESOURCE_CONTROL_POLICY": RCP}.get(type, '{"any": {}}')
    id = aws.policy("p", type, content)

    assert aws.organizations.describe_policy(PolicyId=id)["Policy"]["PolicySummary"]["Type"] == type


def test_these_are_all_the_types_there_are(aws: Aws) -> None:
    """botocore's organizations shape PolicyType; each of them can be turned on and attached."""
    assert set(aws.organizations.meta.service_model.shape_for("PolicyType").enum) == set(TYPES)
    aws.organizations.enable_aws_service_access(ServicePrincipal="securityhub.amazonaws.com")
    for type in TYPES[1:]:
        aws.organizations.enable_policy_type(RootId=aws.root, PolicyType=type)
        content = RCP if type == "RESOURCE_CONTROL_POLICY" else '{"any": {}}'
        aws.organizations.attach_policy(PolicyId=aws.policy(type, type, content), TargetId=aws.root)


def statuses(aws: Aws) -> dict[str, str]:
    (root,) = aws.organizations.list_roots()["Roots"]
    return {each["Type"]: each["Status"] for each in root["PolicyTypes"]}


def test_turning_a_type_on_takes_a_while(aws: Aws) -> None:
    """Organizations API reference, EnablePolicyType: "an asynchronous request"; PolicyTypeSummary's PENDING_ENABLE."""
    aws.delay("EnablePolicyType", 30)

    aws.organizations.enable_policy_type(RootId=aws.root, PolicyType="RESOURCE_CONTROL_POLICY")

    assert statuses(aws)["RESOURCE_CONTROL_POLICY"] == "PENDING_ENABLE"
    twice = refusal(aws.organizations.enable_policy_type, RootId=aws.root, PolicyType="RESOURCE_CONTROL_POLICY")
    assert twice == "PolicyTypeAlreadyEnabledException"
    aws.wait(30)
    assert statuses(aws)["RESOURCE_CONTROL_POLICY"] == "ENABLED"
    attached = aws.organizations.list_policies_for_target(TargetId=aws.root, Filter="RESOURCE_CONTROL_POLICY")
    assert [each["Id"] for each in attached["Policies"]] == ["p-RCPFullAWSAccess"]


def test_a_new_organization_has_service_control_policies_on(aws: Aws) -> None:
    """Organizations API reference, CreateOrganization: with FeatureSet ALL, "service control policies automatically
    enabled in the root"."""
    assert statuses(aws) == {"SERVICE_CONTROL_POLICY": "ENABLED"}


@pytest.mark.parametrize("target", ["ou-none-00000000", "999999999999"])
def test_a_policys_target_must_exist(aws: Aws, target: str) -> None:
    """Organizations API reference, AttachPolicy: TargetNotFoundException, whatever kind of target is missing."""
    assert refusal(aws.organizations.attach_policy, PolicyId=aws.policy(), TargetId=target) == "TargetNotFoundException"


@pytest.mark.agreed
def test_a_policys_name_is_taken_once_in_its_type(aws: Aws) -> None:
    """Organizations API reference, CreatePolicy: DuplicatePolicyException. Whether a name may be taken again in another
    type, it does not say: the rule policy-names-per-type."""
    aws.policy("p")

    create = aws.organizations.create_policy
    answer = refusal(create, Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=SCP)
    assert answer == "DuplicatePolicyException"


def test_a_services_policy_type_needs_its_access_and_keeps_it(aws: Aws) -> None:
    """Organizations API reference, ConstraintViolationException: SERVICE_ACCESS_NOT_ENABLED, "to enable a policy type
    before you enabled service access", and POLICY_TYPE_ENABLED_FOR_THIS_SERVICE."""
    on = {"RootId": aws.root, "PolicyType": "SECURITYHUB_POLICY"}
    service = {"ServicePrincipal": "securityhub.amazonaws.com"}

    early = refusal(aws.organizations.enable_policy_type, **on)
    assert early == "ConstraintViolationException SERVICE_ACCESS_NOT_ENABLED"
    aws.organizations.enable_aws_service_access(**service)
    aws.organizations.enable_policy_type(**on)
    refused = refusal(aws.organizations.disable_aws_service_access, **service)
    assert refused == "ConstraintViolationException POLICY_TYPE_ENABLED_FOR_THIS_SERVICE"
    aws.organizations.disable_policy_type(**on)
    aws.organizations.disable_aws_service_access(**service)
