"""What an import writes, and that a plan on it holds nothing but the adoption of what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.importing.picture import Scope
from controller.sandbox.seed.reading import read
from tests.importing.lives import DENY, Home, differences

DEMO = Path(__file__).parents[2] / "controller" / "sandbox" / "worlds" / "demo"

ODD = f"""
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control, tag]
trusted_services: [account.amazonaws.com, sso.amazonaws.com, securityhub.amazonaws.com]
delegated_administrators: {{audit: [securityhub.amazonaws.com]}}
---
kind: OrganizationalUnits
units:
  Workloads: {{units: {{Prod: , Dev: , "R\\\\/D": }}}}
  Sandbox: {{units: {{Prod: , "O'Brien \\"and\\" sons": }}}}
  "Größe 東京 🚀": {{tags: {{"no": "yes", "0123": ""}}}}
  "yes": {{units: {{"- a: #b": }}}}
  Theirs: {{tags: {{team: b}}}}
---
kind: Accounts
accounts:
  management: {{id: "100000000000"}}
  audit: {{id: "100000000001", name: Audit, email: audit@example.com, unit: "/Größe 東京 🚀"}}
  shop: {{id: "100000000002", name: Shop Front, email: Shop@example.com, unit: "/Workloads/R\\\\/D"}}
  shop2: {{id: "100000000013", name: Shop Front, email: shop2@example.com, unit: /Sandbox/Prod, tags: {{a: "1"}}}}
  odd: {{id: "100000000004", name: "!!!", email: odd@example.com, unit: "/Sandbox/O'Brien \\"and\\" sons"}}
  twelve: {{id: "100000000005", name: "123456789012", email: twelve@example.com, unit: "/yes/- a: #b"}}
  theirs: {{id: "100000000006", email: theirs@example.com, unit: /Theirs}}
  gone: {{id: "100000000007", email: gone@example.com, unit: /Workloads/Prod}}
  coming: {{id: "100000000008", email: coming@example.com, unit: /Workloads}}
---
{{kind: ServiceControlPolicy, name: "on/off?", targets: {{units: ["/Workloads/R\\\\/D"], accounts: [audit, gone]}},
  content: {DENY % "s3"}}}
---
kind: ServiceControlPolicy
name: ids
targets: {{units: [/]}}
content:
  Version: "2012-10-17"
  Statement:
    Effect: Deny
    Action: "*"
    Resource: ["arn:aws:s3:::logs-{{{{ account('audit').id }}}}-x/*", "arn:aws:s3:::l-999999999999", "*"]
    Condition:
      StringNotEquals: {{"aws:PrincipalOrgID": "{{{{ org.id }}}}", "aws:x": "{{{{ org.root_id }}}}"}}
      "ForAnyValue:StringNotLike":
        "aws:PrincipalOrgPaths":
          - "{{{{ unit('/Workloads/R\\\\/D').path }}}}/*"
          - "{{{{ unit('/').path }}}}/"
          - "{{{{ unit('/yes').path }}}}/ou-gone-12345678/"
          - "${{aws:PrincipalTag/team}}"
      StringEquals: {{"aws:y": "{{{{ unit('/Größe 東京 🚀').id }}}}"}}
---
{{kind: ServiceControlPolicy, name: ids?, targets: {{}}, content: {DENY % "kms"}}}
---
kind: ServiceControlPolicy
name: everything
targets: {{units: ["/Workloads/R\\\\/D"]}}
content: {{Version: "2012-10-17", Statement: [{{Effect: Allow, Action: "*", Resource: "*"}}]}}
---
kind: TagPolicy
name: ids
targets: {{units: [/Sandbox]}}
content: {{tags: {{team: {{tag_key: {{"@@assign": no}}}}}}}}
---
{{kind: ServiceControlPolicy, name: theirs, targets: {{units: [/Theirs]}}, content: {DENY % "ec2"}}}
---
{{kind: PermissionSet, name: Admin, managed_policies: [AdministratorAccess], description: "yes",
  session_duration: PT90M, customer_managed_policies: [{{name: team, path: /a/}}, {{name: plain}}],
  permissions_boundary: {{customer_managed_policy: {{name: edge}}}}, tags: {{"null": "1e3"}}}}
---
{{kind: PermissionSet, name: Look, permissions_boundary: {{managed_policy: ReadOnlyAccess}},
  inline_policy: {{Version: "2012-10-17", Statement: [{{Effect: Allow, Action: "s3:Get*", Resource: "*"}}]}}}}
---
{{kind: PermissionSet, name: Theirs, managed_policies: [ReadOnlyAccess]}}
---
kind: Assignments
assignments:
  - {{group: admins, permission_sets: [Admin, Look], targets: {{accounts: [audit, shop, management]}}}}
  - {{group: admins, permission_sets: [Look], targets: {{accounts: [shop2]}}}}
  - {{user: "no", permission_sets: [Look], targets: {{accounts: [shop]}}}}
  - {{user: eve, permission_sets: [Theirs], targets: {{accounts: [shop]}}}}
---
kind: SecurityHub
targets: {{accounts: [audit, shop]}}
standards: [aws-foundational-security-best-practices/v/1.0.0]
disabled_controls: [{{control: ACM.1, reason: "no"}}, {{control: CloudFront.1, reason: Elsewhere}}]
---
kind: SecurityHub
targets: {{accounts: [theirs]}}
standards: []
"""

LIVE = """
---
kind: SandboxWorld
owned_by: ""
owned_by_others:
  organizational_unit/Theirs: b
  service_control_policy/theirs: b
  permission_set/Theirs: b
  security_hub/theirs/*: b
lacking: {eu-west-1: {controls: [CloudFront.1]}}
accounts:
  gone: {state: SUSPENDED}
  coming: {state: PENDING_ACTIVATION}
units: {"/o-abcdefghij": {}, "/o-abcdefghij/Below": {}}
policies:
  - {name: broken, content_text: "{not JSON", attached_to: {units: [/Sandbox]}}
  - {name: list, content_text: "[]"}
  - name: braces
    content_text: '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"a{{b}}"}}'
  - {name: aws-guardrails-abc, content: {Version: "2012-10-17", Statement: []}, attached_to: {units: [/Workloads]}}
  - {name: p-12345678, content: {Version: "2012-10-17", Statement: []}}
permission_sets:
  AWSReadOnlyAccess: {managed_policies: [ReadOnlyAccess]}
assignments:
  - {deleted_user: mallory, permission_set: Look, accounts: [audit]}
  - {group: admins, permission_set: AWSReadOnlyAccess, accounts: [audit]}
"""


@pytest.fixture(scope="module")
def odd() -> Home:
    home = Home(ODD + LIVE)
    home.by_hand("organizations:DetachPolicy", PolicyId="p-FullAWSAccess", TargetId=home.unit_id("R/D"))
    return home


def test_an_import_of_the_demo_plans_adoptions_only_but_for_what_git_cannot_say() -> None:
    home = Home(read(DEMO))
    home.imported()
    orphans: list[str] = []
    rest: list[str] = []
    for line in differences(home.plan()):
        (orphans if "(deleted " in line else rest).append(line)
    assert rest == ["update permission_set PowerUserAccess"]  # provision what was edited
    assert len(orphans) == 2


def test_an_odd_organization_plans_adoptions_only(odd: Home) -> None:
    odd.imported()
    assert differences(odd.plan()) == []


def test_what_belongs_to_others_is_named_and_left_alone(odd: Home) -> None:
    done = odd.imported()
    for file in ("units.yaml", "policies/theirs.yaml", "access/permission-sets.yaml"):
        assert "external: true  # belongs to instance 'b' of orgctl" in done.files[file]
    assert "theirs/" not in done.files["security-hub.yaml"]


def test_what_is_left_out_is_said(odd: Home) -> None:
    text = "\n".join(odd.imported().notes.text())
    for what in (
        "aws-guardrails-abc",
        "AWSReadOnlyAccess: AWS Control Tower's own",
        "deleted user",
        "'broken': named, but not managed: its content is not a JSON object",
        "'list': named",
        "'braces': named, but not managed: its content holds what git would take for a name",
        "'p-12345678': its name looks like an id",
        "/o-abcdefghij: its path has a name that git cannot write",
    ):
        assert what in text, what


def test_ids_in_content_become_names(odd: Home) -> None:
    text = odd.imported().files["policies/ids.yaml"]
    for expression in (
        "arn:aws:s3:::logs-{{ account('audit').id }}-x/*",
        "{{ org.id }}",
        "{{ org.root_id }}",
        "{{ unit('/Workloads/R\\\\/D').path }}/*",  # YAML's own escape of the backslash, in double quotes
        "{{ unit('/').path }}/",
        "{{ unit('/yes').path }}/ou-gone-12345678/",
        "${aws:PrincipalTag/team}",
        "{{ unit('/Größe 東京 🚀').id }}",
        "arn:aws:s3:::l-999999999999",
    ):
        assert expression in text, expression
    assert odd.sandbox.world.organization_id not in text


def test_accounts_go_by_their_names_and_equal_ones_by_the_end_of_their_id(odd: Home) -> None:
    assert sorted(odd.imported().picture.seen.handles.values()) == [
        *("account", "account-123456789012", "audit", "coming", "gone", "management"),
        *("shop-front-0002", "shop-front-0013", "theirs"),
    ]


def test_accounts_that_are_not_active_are_listed_and_say_so(odd: Home) -> None:
    text = odd.imported().files["accounts/inactive.yaml"]
    assert "email: gone@example.com  # SUSPENDED" in text
    assert "email: coming@example.com  # PENDING_ACTIVATION" in text


def test_controls_that_a_region_lacks_split_no_document(odd: Home) -> None:
    text = odd.imported().files["security-hub.yaml"]
    assert text.count("kind: SecurityHub") == 1
    assert "{control: CloudFront.1, reason: Elsewhere}" in text


def test_policies_of_one_name_and_two_kinds_have_files_of_their_own(odd: Home) -> None:
    names = [name for name in odd.imported().files if name.startswith("policies/ids")]
    assert names == ["policies/ids-2.yaml", "policies/ids-3.yaml", "policies/ids.yaml"]


def test_a_policy_that_was_taken_off_is_said_to_be(odd: Home) -> None:
    text = odd.imported().files["policies/FullAWSAccess.yaml"]
    assert "detached_from: {units: ['/Workloads/R\\/D']}" in text


@pytest.mark.parametrize(
    "kind", ["service_control_policy", "account_assignment", "security_hub", "account", "trusted_service"]
)
def test_a_part_by_kind_stands_on_its_own(odd: Home, kind: str) -> None:
    done = odd.imported(scope=Scope(frozenset({kind})))
    assert differences(odd.plan()) == []
    assert done.files


@pytest.mark.parametrize("unit", ["/Workloads", "/Workloads/R\\/D", "/yes", "/Theirs", "/o-abcdefghij"])
def test_a_part_by_ou_stands_on_its_own(odd: Home, unit: str) -> None:
    done = odd.imported(scope=Scope(unit=unit))
    assert differences(odd.plan()) == []
    assert not any(name.startswith("organization") for name in done.files)


def test_reading_is_all_that_is_done(odd: Home) -> None:
    before = odd.calls_written()
    odd.imported()
    assert odd.calls_written() == before


CENTRAL = """
{kind: Organization, regions: [us-east-1], trusted_services: [securityhub.amazonaws.com],
 delegated_administrators: {audit: [securityhub.amazonaws.com]}}
---
kind: OrganizationalUnits
units: {Governed: , Free: }
---
kind: Accounts
accounts:
  audit: {email: audit@example.com, unit: /Free}
  governed: {email: governed@example.com, unit: /Governed}
---
{kind: SecurityHub, targets: {accounts: [audit, governed]}, standards: [pci-dss/v/4.0.1]}
---
kind: SandboxWorld
owned_by: ""
central_configuration: {regions: [us-east-1], policies: {/Governed: strict, audit: SELF_MANAGED_SECURITY_HUB}}
"""


def test_what_central_configuration_governs_is_left_to_it() -> None:
    home = Home(CENTRAL)
    done = home.imported()
    assert "targets: {accounts: [audit]}" in done.files["security-hub.yaml"]
    assert "Security Hub of governed/us-east-1: Security Hub's central configuration governs it" in "".join(
        done.notes.text()
    )
    assert differences(home.plan()) == []


def test_contacts_are_read_only_when_accounts_are_asked_for() -> None:
    home = Home(
        CENTRAL.replace("[securityhub.amazonaws.com],", "[securityhub.amazonaws.com, account.amazonaws.com],", 1)
    )
    home.imported(scope=Scope(frozenset({"service_control_policy"})))
    assert home.sandbox.world.calls["account:GetAlternateContact"] == 0
    home.imported()
    assert home.sandbox.world.calls["account:GetAlternateContact"] > 0
