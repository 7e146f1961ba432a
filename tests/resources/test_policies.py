"""The six kinds of policies, against the simulated organization."""

from __future__ import annotations

import json

import pytest

from controller.desired.estate import Estate
from controller.resources.base import OWNER_TAG
from controller.resources.policies import POLICY_KINDS
from controller.sandbox.world import SimPolicy
from tests.resources.organization import Organization, commit, live_of, shown

OURS = {OWNER_TAG: "main"}
DENY = '{Version: "2012-10-17", Statement: [{Sid: D, Effect: Deny, Action: ["s3:*"], Resource: "*"}]}'
DENY_AS_SENT = '{"Version":"2012-10-17","Statement":[{"Sid":"D","Effect":"Deny","Action":["s3:*"],"Resource":"*"}]}'
LOCK = commit("{kind: ServiceControlPolicy, name: lock, description: Why, tags: {a: b}, content: " + DENY + "}")


def policy(organization: Organization, name: str = "lock") -> SimPolicy:
    return organization.world.policies[organization.ids(of="policies")[name]]


@pytest.mark.parametrize(
    "kind, type, content",
    [
        ("ServiceControlPolicy", "SERVICE_CONTROL_POLICY", DENY),
        (
            "ResourceControlPolicy",
            "RESOURCE_CONTROL_POLICY",
            '{Version: "2012-10-17", Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: "*"}]}',
        ),
        ("TagPolicy", "TAG_POLICY", '{tags: {cost: {tag_key: {"@@assign": cost}}}}'),
        ("BackupPolicy", "BACKUP_POLICY", "{plans: {}}"),
        (
            "AiServicesOptOutPolicy",
            "AISERVICES_OPT_OUT_POLICY",
            '{services: {default: {opt_out_policy: {"@@assign": optOut}}}}',
        ),
        ("DeclarativePolicy", "DECLARATIVE_POLICY_EC2", "{ec2_attributes: {}}"),
    ],
)
def test_each_kind_is_created_before_its_type_is_even_on(
    organization: Organization, kind: str, type: str, content: str
) -> None:
    estate = commit("{kind: " + kind + ", name: one, content: " + content + "}")

    organization.converge(estate)

    made = policy(organization, "one")
    assert (made.type, made.tags) == (type, OURS)
    assert organization.plan(estate) == ()


def test_content_is_sent_minified(organization: Organization) -> None:
    organization.converge(LOCK)

    assert policy(organization).content == DENY_AS_SENT
    assert policy(organization).description == "Why"
    assert policy(organization).tags == {"a": "b"} | OURS


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(json.loads(DENY_AS_SENT), indent=4),
        DENY_AS_SENT.replace('["s3:*"]', '"s3:*"'),
        json.dumps(dict(reversed(json.loads(DENY_AS_SENT).items()))),
    ],
)
def test_content_that_means_the_same_is_no_drift(organization: Organization, content: str) -> None:
    organization.converge(LOCK)
    policy(organization).content = content

    assert organization.plan(LOCK) == ()


@pytest.mark.parametrize(
    "attribute, value",
    [("content", DENY_AS_SENT.replace("s3", "ec2")), ("content", "not JSON"), ("description", "x"), ("tags", OURS)],
)
def test_a_change_by_hand_is_undone(organization: Organization, attribute: str, value: object) -> None:
    organization.converge(LOCK)
    good = getattr(policy(organization), attribute)
    setattr(policy(organization), attribute, value)

    organization.converge(LOCK)

    assert getattr(policy(organization), attribute) == good


def test_a_description_that_git_does_not_give_is_left(organization: Organization) -> None:
    estate = commit("{kind: ServiceControlPolicy, name: lock, content: " + DENY + "}")
    organization.converge(estate)
    policy(organization).description = "by hand"

    assert organization.plan(estate) == ()


def test_content_is_read_only_of_policies_that_git_names(organization: Organization) -> None:
    for number in range(30):
        organization.world.add_policy(f"other-{number}", "SERVICE_CONTROL_POLICY", DENY_AS_SENT)
    organization.converge(LOCK)
    before = organization.calls("organizations:DescribePolicy")

    organization.observe(LOCK)

    assert organization.calls("organizations:DescribePolicy") - before == 1
    assert len(live_of(organization.observe(LOCK), "service_control_policy")) == 32


def test_nothing_is_asked_about_kinds_that_are_off_and_not_wanted(organization: Organization) -> None:
    organization.observe(Estate())

    assert organization.calls("organizations:ListPolicies") == 1


def test_awss_own_and_control_towers_are_never_reported(organization: Organization) -> None:
    organization.world.add_policy("aws-guardrails-abc", "SERVICE_CONTROL_POLICY", DENY_AS_SENT)
    organization.world.add_policy("by-hand", "SERVICE_CONTROL_POLICY", DENY_AS_SENT)

    bystanders = organization.difference(Estate(), organization.observe(Estate())).bystanders

    assert [b.name for b in bystanders if b.kind == "service_control_policy"] == ["by-hand"]


@pytest.mark.parametrize("name", ["FullAWSAccess", "aws-guardrails-abc"])
def test_awss_own_and_control_towers_are_not_written(organization: Organization, name: str) -> None:
    if name != "FullAWSAccess":
        organization.world.add_policy(name, "SERVICE_CONTROL_POLICY", "{}")
    policies = [p for p in POLICY_KINDS if p.document == "ServiceControlPolicy"]
    estate = commit("{kind: ServiceControlPolicy, name: lock, content: " + DENY + "}")
    document = estate.documents[0]
    renamed = type(document)(document.model.model_copy(update={"name": name}), document.marks)
    estate = Estate(documents=(renamed,))

    blocked = policies[0].desire(estate, organization.observe(estate)).blocked

    assert name in blocked


class TestNames:
    estate = commit(
        """
        kind: OrganizationalUnits
        units: {Sports: {units: {Football: }}}
        ---
        kind: Accounts
        accounts: {audit: {email: audit@example.com}}
        ---
        kind: ServiceControlPolicy
        name: names
        content:
          Version: "2012-10-17"
          Statement:
            - Effect: Deny
              Action: "*"
              Resource: "*"
              Condition:
                StringNotEquals:
                  "aws:PrincipalOrgID": "{{ org.id }}"
                  "aws:PrincipalAccount": "{{ account('audit').id }}"
                "ForAllValues:StringNotLike":
                  "aws:PrincipalOrgPaths": "{{ unit('/Sports/Football').path }}/*"
        """
    )

    def test_ids_of_what_the_same_plan_creates_are_filled_in_when_they_are_known(
        self, organization: Organization
    ) -> None:
        account = organization.world.add_account("audit", "audit@example.com", organization.world.root_id).id

        changes = organization.converge(self.estate)

        world, units = organization.world, organization.ids(of="units")
        condition = json.loads(policy(organization, "names").content)["Statement"][0]["Condition"]
        assert condition["StringNotEquals"] == {
            "aws:PrincipalOrgID": world.organization_id,
            "aws:PrincipalAccount": account,
        }
        assert condition["ForAllValues:StringNotLike"]["aws:PrincipalOrgPaths"] == (
            f"{world.organization_id}/{world.root_id}/{units['/Sports']}/{units['/Sports/Football']}/*"
        )
        assert shown(changes).index("create service_control_policy names") > shown(changes).index(
            "create organizational_unit /Sports/Football"
        )
        assert organization.plan(self.estate) == ()

    def test_a_name_that_does_not_resolve_blocks_that_policy_alone(self, organization: Organization) -> None:
        changes = organization.converge(self.estate)

        (blocked,) = [c for c in changes if c.blocked and c.kind == "service_control_policy"]
        assert "there is no account 'audit'" in str(blocked.blocked)
        assert "/Sports/Football" in organization.ids(of="units")


class TestRename:
    renamed = commit("{kind: ServiceControlPolicy, name: bolt, formerly: lock, content: " + DENY + "}")

    def test_it_keeps_its_id(self, organization: Organization) -> None:
        organization.converge(LOCK)
        id = policy(organization).id

        changes = organization.converge(self.renamed)

        assert shown(changes) == ["update service_control_policy bolt"]
        assert organization.world.policies[id].name == "bolt"
        assert organization.plan(self.renamed) == ()

    def test_where_both_exist_neither_is_touched(self, organization: Organization) -> None:
        organization.converge(LOCK)
        organization.world.add_policy("bolt", "SERVICE_CONTROL_POLICY", DENY_AS_SENT)

        (change,) = organization.converge(self.renamed)

        assert "both 'lock' and 'bolt' exist" in str(change.blocked)


class TestGoing:
    def test_what_git_says_is_deleted_is_detached_and_deleted(self, organization: Organization) -> None:
        organization.converge(
            commit("{kind: ServiceControlPolicy, name: lock, targets: {units: [/]}, content: " + DENY + "}")
        )
        deleted = commit("{kind: ServiceControlPolicy, name: lock, deleted: true}")

        changes = organization.converge(deleted)

        assert shown(changes) == ["delete policy_attachment lock → /", "delete service_control_policy lock"]
        assert "lock" not in organization.ids(of="policies")
        assert organization.plan(deleted) == ()

    def test_what_git_no_longer_names_stays_attached(self, organization: Organization) -> None:
        organization.converge(
            commit("{kind: ServiceControlPolicy, name: lock, targets: {units: [/]}, content: " + DENY + "}")
        )

        assert organization.plan(Estate()) == ()

    def test_what_is_released_loses_our_tag_only(self, organization: Organization) -> None:
        organization.converge(LOCK)

        organization.converge(commit("{kind: ServiceControlPolicy, name: lock, released: true}"))

        assert policy(organization).tags == {"a": "b"}


def test_a_policy_of_that_name_is_adopted_and_one_of_ours_is_found_again(organization: Organization) -> None:
    organization.world.add_policy("lock", "SERVICE_CONTROL_POLICY", DENY_AS_SENT, "Why", tags={"a": "b"})

    changes = organization.converge(LOCK)

    assert shown(changes) == ["adopt service_control_policy lock"]
    assert policy(organization).tags == {"a": "b"} | OURS


def test_a_policy_whose_create_was_not_answered_is_found_by_its_tag(organization: Organization) -> None:
    organization.sandbox.faults.add(operation="organizations:CreatePolicy", kind="lost", count=1)

    organization.converge(LOCK)

    assert list(organization.ids(of="policies")).count("lock") == 1
    assert organization.plan(LOCK) == ()
