"""No commit locks the controller, or those who mend things, out of an account."""

from __future__ import annotations

import json

import pytest

from controller.config import BreakGlass
from controller.planning.plan import Plan
from controller.resources.base import Change
from tests.cycle.house import House

BASE = """
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control, resource_control]
---
kind: OrganizationalUnits
units:
  Workloads: {units: {Prod: , Dev: }}
  Quarantine:
---
kind: Accounts
accounts:
  shop: {email: shop@example.com, unit: /Workloads/Prod}
  test: {email: test@example.com, unit: /Workloads/Dev}
---
kind: ServiceControlPolicy
name: mild
targets: {units: [/Workloads]}
content:
  Version: "2012-10-17"
  Statement:
    - {Sid: Leave, Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}
"""


def scp(statement: str, targets: str = "units: [/Workloads]", name: str = "harsh", kind: str = "ServiceControl") -> str:
    return f"""
---
kind: {kind}Policy
name: {name}
targets: {{{targets}}}
content:
  Version: "2012-10-17"
  Statement:
    - {statement}
"""


DENY_ALL = '{Sid: Everything, Effect: Deny, Action: "*", Resource: "*"}'
NOT_ROLE = 'ArnNotLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/%s"}'
DENY_OTHERS = f'{{Effect: Deny, Action: "*", Resource: "*", Condition: {{{NOT_ROLE}}}}}'


def held(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.blocked and change.hold is None]


def lost(house: House) -> list[str]:
    """Ids of the changes that lock out, and nothing of which is ever applied."""
    found = [c.id for c in held(house.plan()) if "lock out" in str(c.blocked)]
    house.cycle()
    return found


def test_a_policy_that_denies_everything_is_not_attached_and_says_what_and_where() -> None:
    house = House(BASE)
    house.git = BASE + scp(DENY_ALL)
    change = next(c for c in house.plan().changes if c.id.endswith("harsh@/Workloads:create"))
    assert change.blocked is not None and change.hold is None
    for part in ("OrgctlMember", "shop", "securityhub:", "'harsh' on /Workloads", "'Everything'", "estate.yaml:31:"):
        assert part in change.blocked
    house.cycle()
    assert "harsh" in house.policies(), "a policy that is attached nowhere does no harm"
    assert house.attached("harsh") == set()


@pytest.mark.parametrize(
    ("statement", "locks_out"),
    [
        pytest.param(DENY_OTHERS % "OrgctlMember", False, id="the role is exempt"),
        pytest.param(DENY_OTHERS % "Orgctl*", False, id="exempt by a pattern"),
        pytest.param(DENY_OTHERS % "orgctlmember", True, id="exempt in other capitals: ARNs mind them"),
        pytest.param('{Effect: Deny, Action: "securityhub:Get*", Resource: "*"}', True, id="some of the calls"),
        pytest.param('{Effect: Deny, NotAction: ["iam:*", "sts:*"], Resource: "*"}', True, id="all but some"),
        pytest.param('{Effect: Deny, Action: "ec2:*", Resource: "*"}', False, id="other calls"),
        pytest.param(
            '{Effect: Deny, Action: "*", Resource: "*", Condition: {StringNotEquals: {"aws:RequestedRegion": '
            "[us-east-1, eu-west-1]}}}",
            False,
            id="other Regions",
        ),
        pytest.param(
            '{Effect: Deny, Action: "*", Resource: "*", Condition: {StringEquals: {"aws:PrincipalOrgID": '
            '"{{ org.id }}"}}}',
            True,
            id="everybody of the organization",
        ),
        pytest.param('{Effect: Deny, Action: "*", Resource: "arn:aws:s3:::*"}', False, id="other resources"),
    ],
)
def test_what_locks_the_controller_out(statement: str, locks_out: bool) -> None:
    house = House(BASE)
    house.git = BASE + scp(statement)
    assert bool(lost(house)) is locks_out
    assert house.attached("harsh") == (set() if locks_out else {"Workloads"})


def test_an_edit_that_would_lock_out_is_held_and_the_old_content_stays() -> None:
    house = House(BASE)
    house.git = BASE.replace('"organizations:LeaveOrganization"', '"*"')
    assert lost(house) == ["service_control_policy/mild:update"]
    content = next(p.content for p in house.sandbox.world.policies.values() if p.name == "mild")
    assert "LeaveOrganization" in content


def test_a_move_into_a_place_where_it_would_be_locked_out_is_held() -> None:
    seed = BASE + scp(DENY_ALL, "units: [/Quarantine]")
    house = House(seed)
    house.git = seed.replace(
        "email: test@example.com, unit: /Workloads/Dev", "email: test@example.com, unit: /Quarantine"
    )
    [change] = held(house.plan())
    assert "lock out" in str(change.blocked) and "'harsh' on /Quarantine" in str(change.blocked)
    house.cycle()
    assert house.place("test") == "Dev"


def test_a_move_below_a_policy_that_git_does_not_name_is_judged_by_its_content() -> None:
    house = House(BASE)
    content = {"Version": "2012-10-17", "Statement": {"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*"}}
    made = house.by_hand(
        "organizations:CreatePolicy",
        Name="theirs",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps(content),
    )
    id = made["Policy"]["PolicySummary"]["Id"]
    house.by_hand("organizations:AttachPolicy", PolicyId=id, TargetId=house.unit_id("Quarantine"))
    house.git = BASE.replace("unit: /Workloads/Dev", "unit: /Quarantine")
    [change] = held(house.plan())
    assert "'theirs' on /Quarantine" in str(change.blocked)


def test_taking_full_access_off_locks_out_unless_something_else_allows_the_calls() -> None:
    house = House(BASE)
    house.git = BASE + "---\nkind: ServiceControlPolicy\nname: FullAWSAccess\ndetached_from: {units: [/Workloads]}\n"
    [id] = lost(house)
    assert id == "policy_attachment/service_control_policy/FullAWSAccess@/Workloads:delete"
    assert "nothing attached to /Workloads allows it" in str(held(house.plan())[0].blocked)
    house.git += scp('{Effect: Allow, Action: ["securityhub:*", "organizations:*"], Resource: "*"}')
    assert lost(house) == []


def test_an_allow_list_may_not_lose_the_controllers_calls() -> None:
    allow = '{Effect: Allow, Action: ["securityhub:*", "s3:*"], Resource: "*"}'
    seed = BASE + scp(allow)
    house = House(seed)
    house.by_hand("organizations:DetachPolicy", PolicyId="p-FullAWSAccess", TargetId=house.unit_id("Workloads"))
    house.git = seed.replace('"securityhub:*", ', "")
    assert lost(house) == ["service_control_policy/harsh:update"]


def test_access_that_is_denied_already_is_told_and_blocks_no_repair() -> None:
    house = House(BASE)
    house.by_hand(
        "organizations:UpdatePolicy",
        PolicyId=house.policy_id("mild"),
        Content='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
    )
    house.cycle()
    assert "LeaveOrganization" in next(p.content for p in house.sandbox.world.policies.values() if p.name == "mild")


def test_more_of_what_is_denied_already_is_told() -> None:
    seed = BASE + scp(DENY_ALL)
    house = House(seed)
    house.git = seed + scp('{Sid: Too, Effect: Deny, Action: "securityhub:*", Resource: "*"}', name="also")
    plan = house.plan()
    assert not held(plan)
    assert any("as before this plan" in note.text and "'Too'" in note.text for note in plan.notes)


def test_what_cannot_be_told_is_said_and_holds_nothing() -> None:
    house = House(BASE)
    house.git = BASE + scp(
        '{Sid: Net, Effect: Deny, Action: "*", Resource: "*", Condition: {NotIpAddress: {"aws:SourceIp": '
        '["203.0.113.0/24"]}}}'
    )
    plan = house.plan()
    assert not held(plan)
    [note] = [note for note in plan.notes if "cannot tell" in note.text]
    assert "aws:SourceIp" in note.text and "OrgctlMember" in note.text and "'Net'" in note.text
    house.converge()
    assert house.attached("harsh") == {"Workloads"}


def test_break_glass_keeps_what_the_settings_say() -> None:
    exempt = (
        '{Sid: Iam, Effect: Deny, Action: "iam:*", Resource: "*", Condition: {ArnNotLike: {"aws:PrincipalArn": '
        '"arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_%s_*"}}}'
    )
    house = House(BASE, break_glass=[BreakGlass(permission_set="Rescue")])
    house.git = BASE + scp(exempt % "Admin")
    [change] = held(house.plan())
    assert "break-glass permission set 'Rescue'" in str(change.blocked) and "iam:" in str(change.blocked)
    house.git = BASE + scp(exempt % "Rescue")
    assert held(house.plan()) == []
    house = House(BASE, break_glass=[BreakGlass(role="ops/Rescue", actions=["s3:ListAllMyBuckets"])])
    house.git = BASE + scp('{Effect: Deny, Action: "s3:*", Resource: "*"}')
    assert lost(house)


def test_a_resource_control_policy_may_not_keep_the_controller_from_its_role() -> None:
    house = House(BASE)
    deny = '{Sid: Sts, Effect: Deny, Principal: "*", Action: "sts:AssumeRole", Resource: "*"%s}'
    house.git = BASE + scp(deny % "", kind="ResourceControl")
    assert lost(house) == ["policy_attachment/resource_control_policy/harsh@/Workloads:create"]
    outsiders = ', Condition: {StringNotEquals: {"aws:PrincipalOrgID": "{{ org.id }}"}}'
    house.git = BASE + scp(deny % outsiders, kind="ResourceControl")
    assert held(house.plan()) == []


def test_the_management_account_is_bound_by_nothing() -> None:
    house = House(BASE)
    management = house.sandbox.world.management_account
    house.git = BASE + scp(DENY_ALL, f'accounts: ["{management}"]')
    assert lost(house) == []


def test_a_change_that_was_harmless_only_together_with_one_that_is_held_is_held_too() -> None:
    """The move out of the policy's reach is held by its own account's mode; what it would have spared is not."""
    house = House(BASE, modes=[{"kind": "account", "mode": "observe"}])
    house.git = BASE.replace("unit: /Workloads/Dev", "unit: /Quarantine") + scp(DENY_ALL, "units: [/Workloads/Dev]")
    plan = house.plan()
    blocked = {c.id for c in held(plan)}
    assert "policy_attachment/service_control_policy/harsh@/Workloads/Dev:create" in blocked
    house.cycle()
    assert house.attached("harsh") == set()


def test_a_policy_type_that_is_off_leaves_nothing_in_doubt() -> None:
    seed = BASE.replace(", resource_control", "")
    house = House(seed)
    house.git = seed.replace("unit: /Workloads/Dev", "unit: /Quarantine")
    assert not [note for note in house.plan().notes if "cannot tell" in note.text]


def test_a_new_ou_has_full_access_and_what_the_same_commit_attaches() -> None:
    house = House(BASE)
    moved = BASE.replace("  Quarantine:\n", "  Quarantine:\n  New:\n").replace("unit: /Workloads/Dev", "unit: /New")
    house.git = moved
    plan = house.plan()
    assert not held(plan) and not [note for note in plan.notes if "cannot tell" in note.text]
    house.git = moved + scp(DENY_ALL, "units: [/New]")
    assert lost(house) == ["policy_attachment/service_control_policy/harsh@/New:create"]
    house.converge()
    assert house.place("test") == "Dev", "a move waits for the policies of where it goes"
    assert house.attached("harsh") == set()
