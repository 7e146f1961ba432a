"""Whole cycles against commits, people and failures that would take access or protection away."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from controller.config import Settings
from controller.errors import InvalidInput
from controller.planning.guard import Pause
from controller.report import Report, Result
from controller.sandbox.sandbox import READS
from tests.cycle.house import House
from tests.cycle.test_access import ACCESS, EXPECTED, PEOPLE

LEAVE = '{Effect: Deny, Action: "organizations:LeaveOrganization", Resource: "*"}'
EC2 = '{Effect: Deny, Action: "ec2:*", Resource: "*"}'
S3 = '{Effect: Deny, Action: "s3:*", Resource: "*"}'

UNITS = """
kind: Organization
policy_types: [service_control]
---
kind: OrganizationalUnits
units:
  A: {units: {X: }}
  B:
  Sandbox:
---
kind: Accounts
accounts:
  one: {email: aws+one@example.com, unit: /A/X, tags: {env: prod}}
  two: {email: aws+two@example.com, unit: /B}
"""


def scp(name: str, statements: str, more: str = "", **targets: str) -> str:
    """One SCP document; `targets`: units="/A, /B", accounts="one"."""
    lists = ", ".join(f"{key}: [{names}]" for key, names in targets.items())
    content = f'{{Version: "2012-10-17", Statement: [{statements}]}}'
    return f"---\nkind: ServiceControlPolicy\nname: {name}\n{more}\ntargets: {{{lists}}}\ncontent: {content}\n"


GUARD, OTHER = scp("guard", LEAVE, units="/A/X"), scp("other", EC2, units="/A/X, /B")
ESTATE = UNITS + GUARD + OTHER


def results(report: Report) -> dict[str, Result]:
    return {outcome.change.id: outcome.result for outcome in report.outcomes}


def written(report: Report) -> set[str]:
    return {id for id, result in results(report).items() if result is Result.APPLIED}


# Nothing, and next to nothing


@pytest.mark.parametrize("git", ["", "---\n", "# all gone\n", "kind: Accounts\naccounts: {}\n", "kind: Accounts\n"])
def test_an_empty_repository_takes_nothing_away(git: str) -> None:
    house = House(ESTATE)
    house.cycle()
    before = house.calls_written()
    house.git = git
    report = house.cycle()
    assert house.calls_written() == before
    assert len(report.plan.orphaned) == 6


def test_every_list_of_targets_emptied_at_once_waits_for_a_person() -> None:
    house = House(ESTATE)
    house.cycle()
    house.git = UNITS + scp("guard", LEAVE) + scp("other", EC2)
    assert not written(house.cycle())
    assert house.attached("guard") == {"X"}


def test_a_document_of_the_sandbox_is_no_commit() -> None:
    house = House(ESTATE, ESTATE + "---\nkind: SandboxWorld\n")
    with pytest.raises(InvalidInput, match="SandboxWorld"):
        house.cycle()


def test_how_much_there_was_is_remembered_also_beside_something_that_is_held() -> None:
    absent = UNITS.replace("accounts:\n  one", "accounts:\n  absent: {email: aws+absent@example.com}\n  one")
    held = scp("held", EC2, accounts="absent")
    house = House(UNITS)
    house.git = absent + held + OTHER
    house.converge()
    assert house.store.memory().baseline["policy_attachment"] == 3
    house.git = absent + held + OTHER.replace("/A/X, /B", "")
    assert any("make sure the input is whole" in (c.blocked or "") for c in house.cycle().plan.held)
    assert house.store.memory().baseline["policy_attachment"] == 3
    assert house.attached("other") == {"X", "B"}


# The end of an until


def test_an_until_that_is_written_in_the_past_is_no_way_round_the_limits() -> None:
    past = "until: 2020-01-01T00:00:00Z"
    house = House(ESTATE)
    house.cycle()
    house.git = UNITS + scp("guard", LEAVE, past, units="/A/X") + scp("other", EC2, past, units="/A/X, /B")
    assert not written(house.cycle())
    assert (house.attached("guard"), house.attached("other")) == ({"X"}, {"X", "B"})


def test_an_until_that_was_to_come_ends_by_itself_also_after_a_restart() -> None:
    house = House(ESTATE)
    end = house.clock.now().replace(microsecond=0).timestamp() + 3600
    when = f'until: "{house.clock.now().fromtimestamp(end, house.clock.now().tzinfo).isoformat()}"'
    house.git = UNITS + scp("guard", LEAVE, when, units="/A/X") + scp("other", EC2, when, units="/A/X, /B")
    assert not written(house.cycle())
    house.clock.sleep(3700)
    house.controller = house.another()
    house.converge()
    assert (house.attached("guard"), house.attached("other")) == (set(), set())


# Protected names

PROTECTED: dict[str, Any] = {
    "protected": ["service_control_policy/guard", "organizational_unit/A/X", "permission_set/Break*"]
}


@pytest.mark.parametrize(
    "git",
    [
        pytest.param(UNITS + GUARD.replace("[/A/X]", "[]") + OTHER, id="detached"),
        pytest.param(UNITS + GUARD.replace("[/A/X]", "[/A]") + OTHER, id="moved up"),
        pytest.param(UNITS + scp("guard", '{Effect: Allow, Action: "*", Resource: "*"}', units="/A/X"), id="emptied"),
        pytest.param(UNITS + scp("mine", LEAVE, "formerly: guard", units="/A/X"), id="renamed"),
        pytest.param(UNITS + "---\nkind: ServiceControlPolicy\nname: guard\ndeleted: true\n", id="deleted"),
        pytest.param(UNITS + scp("guard", LEAVE, "until: 2020-01-01T00:00:00Z", units="/A/X") + OTHER, id="ended"),
        pytest.param(ESTATE.replace("{X: }", "{Y: {formerly: X}}").replace("/A/X", "/A/Y"), id="unit renamed"),
        pytest.param(ESTATE.replace("A: {u", "C: {formerly: A, u").replace("/A/X", "/C/X"), id="unit above renamed"),
    ],
)
def test_what_is_protected_is_not_removed_under_any_name(git: str) -> None:
    house = House(ESTATE, **PROTECTED)
    house.git = git
    report = house.cycle()
    assert any("is protected by the settings" in (change.blocked or "") for change in report.plan.held)
    assert "X" in house.attached("guard")
    assert {"guard"} <= house.policies()
    assert {"A", "X"} <= house.units()
    guard = next(p for p in house.sandbox.world.policies.values() if p.name == "guard")
    assert "LeaveOrganization" in guard.content


def test_control_tower_s_policy_is_not_taken_over_by_a_rename() -> None:
    theirs = "policies: [{name: aws-guardrails-x, content: {Version: '2012-10-17', Statement: [" + EC2 + "]}}]\n"
    house = House(ESTATE + "---\nkind: SandboxWorld\n" + theirs, ESTATE)
    house.git = ESTATE + scp("mine", S3, "formerly: aws-guardrails-x")
    (held,) = house.cycle().plan.held
    assert held.hold is None
    assert "Control Tower" in (held.blocked or "")


# Content


def test_policies_that_lose_rules_are_counted_as_removals() -> None:
    names = [f"p{n}" for n in range(6)]
    house = House(UNITS + "".join(scp(name, f"{LEAVE}, {EC2}", units="/B") for name in names))
    house.git = UNITS + "".join(scp(name, LEAVE, units="/B") for name in names)
    report = house.cycle()
    assert not written(report)
    assert "6 of " in (report.plan.held[0].blocked or "")


BOTH = scp("guard", f"{LEAVE}, {EC2}", units="/A/X")


@pytest.mark.parametrize(
    ("before", "after", "fails"),
    [
        pytest.param(
            GUARD + OTHER,
            scp("guard", LEAVE) + scp("other", f"{EC2}, {LEAVE}", units="/A/X, /B"),
            "Update",
            id="joined",
        ),
        pytest.param(
            GUARD + OTHER, scp("guard", LEAVE) + scp("new", LEAVE, units="/A/X") + OTHER, "Attach", id="replaced"
        ),
        pytest.param(BOTH, GUARD + scp("new", EC2, units="/A/X"), "Attach", id="split"),
        pytest.param(BOTH, GUARD + scp("new", EC2, units="/A/X"), "ListTargetsFor", id="split unseen"),
        pytest.param(GUARD, GUARD.replace("/A/X", "/B"), "Attach", id="moved"),
    ],
)
def test_rules_on_their_way_elsewhere_stay_in_force_until_they_are_there(before: str, after: str, fails: str) -> None:
    house = House(UNITS + before)
    then = {p.name: p.content for p in house.sandbox.world.policies.values()}["guard"]
    house.git = UNITS + after
    fault = house.sandbox.faults.add(
        kind="error", operation=f"organizations:{fails}Policy", code="AccessDeniedException"
    )
    house.cycle()
    assert house.attached("guard") == {"X"}
    assert {p.name: p.content for p in house.sandbox.world.policies.values()}["guard"] == then
    fault.count = 0
    house.converge()


def test_no_account_moves_to_where_it_is_not_known_what_awaits_it() -> None:
    house = House(ESTATE)
    git = ESTATE.replace("  Sandbox:\n", "  Sandbox:\n  New:\n").replace("unit: /A/X", "unit: /New")
    house.git = git.replace("units: [/A/X]", "units: [/A/X, /New]")
    fault = house.sandbox.faults.add(
        kind="error", operation="organizations:ListTargetsForPolicy", code="AccessDeniedException"
    )
    house.cycle()
    assert house.place("one") == "X"
    fault.count = 0
    house.converge()
    assert house.place("one") == "New"


def test_an_ou_that_cannot_be_moved_keeps_its_policies() -> None:
    house = House(ESTATE)
    git = ESTATE.replace("/A/X", "/B/X").replace("A: {units: {X: }}", "A:").replace(", unit: /B/X", "")
    house.git = git.replace("  B:\n", "  B: {units: {X: {formerly: /A/X}}}\n")
    house.cycle()
    assert house.attached("guard") == {"X"}


# Modes


@pytest.mark.parametrize("stop", ["mode", "pause"])
@pytest.mark.parametrize(
    ("git", "goes_on"),
    [
        pytest.param(ESTATE.replace("ec2:*", "ec2:Run*"), set(), id="content of a policy that is attached there"),
        pytest.param(ESTATE.replace("unit: /A/X", "unit: /Sandbox"), set(), id="an account leaves"),
        pytest.param(ESTATE.replace("unit: /B", "unit: /A"), set(), id="an account comes"),
        pytest.param(UNITS + GUARD + OTHER.replace("/A/X, ", ""), set(), id="a policy comes off"),
        pytest.param(
            UNITS + GUARD + OTHER.replace("/B", "/Sandbox"),
            {"policy_attachment/service_control_policy/other@/Sandbox:create"}
            | {"policy_attachment/service_control_policy/other@/B:delete"},
            id="elsewhere",
        ),
    ],
)
def test_nothing_is_written_into_a_subtree_that_is_only_observed(stop: str, git: str, goes_on: set[str]) -> None:
    rules: dict[str, Any] = {"modes": [{"unit": "/A", "mode": "observe"}]} if stop == "mode" else {}
    house = House(ESTATE, **rules)
    if stop == "pause":
        house.store.pause(Pause(house.clock.now().replace(year=2100), "an incident", "alice", unit="/A/"))
    house.git = git
    assert written(house.cycle()) == goes_on


def test_an_enforced_subtree_takes_no_account_out_of_one_that_is_observed() -> None:
    house = House(ESTATE, mode="observe", modes=[{"unit": "/Sandbox", "mode": "enforce"}])
    house.git = ESTATE.replace("unit: /A/X", "unit: /Sandbox")
    assert not written(house.cycle())


# Renames, limits of AWS, other hands


@pytest.mark.parametrize(
    "git",
    [
        pytest.param(
            UNITS + scp("guard", EC2, "formerly: other", units="/A/X") + scp("other", LEAVE, "formerly: guard"),
            id="policies swap names",
        ),
        pytest.param(
            ESTATE.replace("  B:", "  B: {formerly: A}").replace("A: {u", "A: {formerly: B, u"), id="units swap names"
        ),
        pytest.param(UNITS + scp("new", LEAVE, "formerly: guard") + GUARD, id="renamed and declared anew"),
        pytest.param(
            UNITS + "---\nkind: ServiceControlPolicy\nname: new\nformerly: guard\ndeleted: true\n", id="renamed away"
        ),
    ],
)
def test_a_commit_that_no_order_of_renames_fulfils_is_bad(git: str) -> None:
    house = House(ESTATE, git)
    with pytest.raises(InvalidInput, match="formerly"):
        house.cycle()


@pytest.mark.parametrize(
    "guard",
    [
        pytest.param(scp("guard", LEAVE), id="by an empty list"),
        pytest.param(scp("guard", LEAVE, "until: 2020-01-01T00:00:00Z", units="/A/X"), id="by an until"),
        pytest.param("---\nkind: ServiceControlPolicy\nname: guard\ndeleted: true\n", id="by a delete"),
    ],
)
def test_the_last_service_control_policy_stays_however_it_is_to_go(guard: str) -> None:
    house = House(UNITS + GUARD)
    house.by_hand("organizations:DetachPolicy", PolicyId="p-FullAWSAccess", TargetId=house.unit_id("X"))
    house.git = UNITS + guard
    report = house.cycle()
    assert not written(report)
    assert "it is the last service control policy on /A/X" in str([c.blocked for c in report.plan.held])


def test_removals_a_few_at_a_time_run_into_the_limit_of_the_hour() -> None:
    def git(off: int) -> str:
        return UNITS + "".join(scp(f"p{n}", EC2, units="/A/X" if n < off else "/A/X, /B") for n in range(6))

    house = House(git(0))
    for off in range(1, 7):
        house.git = git(off)
        assert len(written(house.cycle())) == (1 if off <= 5 else 0)
        house.clock.sleep(600)
    house.clock.sleep(600)
    assert len(written(house.cycle())) == 1


def test_what_two_instances_own_neither_takes_from_the_other() -> None:
    house = House(ESTATE)
    house.controller = house.another(instance="other")
    house.git = UNITS + GUARD.replace("/A/X", "/B").replace(LEAVE, EC2)
    before = house.calls_written()
    house.cycle()
    house.git = "---\nkind: ServiceControlPolicy\nname: guard\ndeleted: true\n"
    assert "nothing is deleted that is not ours" in (house.cycle().plan.held[0].blocked or "")
    assert house.calls_written() == before


def test_a_tag_taken_away_between_plan_and_delete_saves_the_thing() -> None:
    house = House(ESTATE)
    git = ESTATE.replace("  Sandbox:\n", "  Sandbox: {deleted: true}\n")
    house.git = git.replace("units: [/A/X]", "units: []")

    def untag(_: Any) -> None:
        world = house.sandbox.world
        for tags in (*(p.tags for p in world.policies.values()), *(u.tags for u in world.units.values())):
            tags.pop("orgctl:managed-by", None)

    house.controller.planned = untag
    report = house.cycle()
    assert set(results(report).values()) == {Result.FAILED}
    assert house.attached("guard") == {"X"}
    assert "Sandbox" in house.units()


def test_an_ou_that_somebody_fills_between_plan_and_delete_stays() -> None:
    house = House(ESTATE)
    house.git = ESTATE.replace("  Sandbox:\n", "  Sandbox: {deleted: true}\n")
    one = next(a.id for a in house.sandbox.world.accounts.values() if a.name == "one")
    house.controller.planned = lambda _: house.by_hand(
        "organizations:MoveAccount",
        AccountId=one,
        SourceParentId=house.unit_id("X"),
        DestinationParentId=house.unit_id("Sandbox"),
    )
    assert set(results(house.cycle()).values()) == {Result.FAILED}
    assert house.place("one") == "Sandbox"


# Approvals


def many_off() -> House:
    """Six attachments are to go, which a person must approve."""
    many = "".join(scp(f"p{n}", EC2, units="/A/X, /B, /Sandbox") for n in range(6))
    house = House(UNITS + many)
    house.cycle()
    house.git = UNITS + many.replace(", /Sandbox", "")
    assert not written(house.cycle())
    return house


def test_an_approval_is_good_once() -> None:
    house = many_off()
    (hold,) = house.store.holds()
    house.store.approve(hold.id, "alice")
    assert len(written(house.cycle())) == 6
    for n in range(6):
        house.by_hand(
            "organizations:AttachPolicy", PolicyId=house.policy_id(f"p{n}"), TargetId=house.unit_id("Sandbox")
        )
    assert not written(house.cycle())
    with pytest.raises(InvalidInput):
        house.store.approve("%" * 12, "alice")


def test_an_approval_that_was_carried_out_in_part_goes_on_and_covers_nothing_else() -> None:
    house = many_off()
    (hold,) = house.store.holds()
    house.store.approve(hold.id, "alice")
    house.sandbox.faults.add(
        kind="error", operation="organizations:DetachPolicy", code="AccessDeniedException", count=2, status=400
    )
    assert len(written(house.cycle())) == 4
    house.git = house.git.replace("/A/X, /B", "/A/X")
    report = house.cycle()
    assert len(written(report)) == 2
    assert len(report.plan.held) == 6


def test_an_approval_of_a_delete_is_void_when_the_content_changes() -> None:
    house = House(ESTATE, limits={"removals": 0})
    house.git = UNITS + OTHER + "---\nkind: ServiceControlPolicy\nname: guard\ndeleted: true\n"
    house.cycle()
    for hold in house.store.holds():
        house.store.approve(hold.id, "alice")
    content = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}'
    house.by_hand("organizations:UpdatePolicy", PolicyId=house.policy_id("guard"), Content=content)
    house.cycle()
    assert "guard" in house.policies()


STRANGE = f"""
---
kind: SandboxWorld
policies: [{{name: theirs, content: {{Version: '2012-10-17', Statement: [{S3}]}}}}]
"""


def test_what_somebody_attaches_where_an_account_is_to_go_makes_the_reviewed_plan_another() -> None:
    house = House(ESTATE + STRANGE, ESTATE, limits={"removals": 0})
    house.git = ESTATE.replace("unit: /A/X", "unit: /Sandbox")
    reviewed = house.plan()
    (hold,) = house.store.holds()
    house.store.approve(hold.id, "alice")
    house.by_hand("organizations:AttachPolicy", PolicyId=house.policy_id("theirs"), TargetId=house.unit_id("Sandbox"))
    assert house.plan().plan_id != reviewed.plan_id
    assert not written(house.cycle())
    assert house.place("one") == "X"


def test_what_the_same_commit_attaches_where_an_account_is_to_go_leaves_the_approval_good() -> None:
    house = House(ESTATE, limits={"removals": 0})
    house.git = ESTATE.replace("unit: /A/X", "unit: /Sandbox") + scp("new", S3, units="/Sandbox")
    house.plan()
    (hold,) = house.store.holds()
    assert written(house.cycle()), "the policy goes on while the account waits"
    house.store.approve(hold.id, "alice")
    house.cycle()
    assert house.place("one") == "Sandbox"


def test_taking_fullawsaccess_off_rests_on_what_else_is_there() -> None:
    allow = '{Effect: Allow, Action: "*", Resource: "*"}'
    house = House(ESTATE + scp("all", allow, units="/B") + STRANGE, ESTATE + scp("all", allow, units="/B"))
    house.git += "---\nkind: ServiceControlPolicy\nname: FullAWSAccess\ndetached_from: {units: [/B]}\n"
    house.plan()
    (hold,) = house.store.holds()
    house.store.approve(hold.id, "alice")
    house.by_hand("organizations:AttachPolicy", PolicyId=house.policy_id("theirs"), TargetId=house.unit_id("B"))
    assert not written(house.cycle())


# People


def test_a_person_by_an_id_that_nobody_has_is_nobody() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    nobody = "12345678-1234-1234-1234-123456789012"
    git = ACCESS.replace("user: alice", f"user: {nobody}")
    house.git = git.replace("tags: {env: prod}, exclude: {accounts: [data-prod]}", "accounts: [data-prod]")
    assert not written(house.cycle())
    assert house.access() == EXPECTED


def test_a_group_that_has_another_name_now_keeps_its_access() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    where = {"IdentityStoreId": house.by_hand("sso-admin:ListInstances")["Instances"][0]["IdentityStoreId"]}
    groups = house.by_hand("identitystore:ListGroups", **where)["Groups"]
    auditors = next(group["GroupId"] for group in groups if group["DisplayName"] == "auditors")
    rename = [{"AttributePath": "displayName", "AttributeValue": "auditors-old"}]
    house.by_hand("identitystore:UpdateGroup", GroupId=auditors, Operations=rename, **where)
    assert not written(house.cycle())
    assert {a.replace("auditors-old", "auditors") for a in house.access()} == EXPECTED


def test_accounts_that_are_suspended_all_at_once_are_left_alone() -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    for account in house.sandbox.world.accounts.values():
        account.state = "SUSPENDED"
    assert not written(house.cycle())


def test_a_removal_that_aws_is_still_at_counts() -> None:
    house = House(ACCESS + PEOPLE.replace('"*": 3', '"*": 100000'), ACCESS, limits={"removals": 1})
    house.git = "\n".join(line for line in ACCESS.splitlines() if "user: alice" not in line)
    assert Result.PENDING in results(house.cycle()).values()
    house.git = "\n".join(line for line in house.git.splitlines() if "group: developers" not in line)
    assert set(results(house.cycle()).values()) == {Result.HELD}


def test_a_tag_that_the_bulk_listing_leaves_out_costs_nobody_access(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(ACCESS + PEOPLE, ACCESS)
    house.git = ACCESS.replace("unit: /Prod, tags: {env: prod}}", "unit: /Prod}")
    tagging = house.sandbox.services["resourcegroupstaggingapi"]
    listing = getattr(tagging, "get_resources")  # noqa: B009  by name, as the sandbox finds it

    def without_prod(*asked: Any) -> Any:
        answer = listing(*asked)
        kept = [one for one in answer["ResourceTagMappingList"] if {"Key": "env", "Value": "prod"} not in one["Tags"]]
        return {**answer, "ResourceTagMappingList": kept}

    monkeypatch.setattr(tagging, "get_resources", without_prod)
    assert not written(house.cycle())
    assert house.access() == EXPECTED


# Reads


CONTACT = 'contacts: {security: {name: SOC, title: On call, email: soc@example.com, phone: "+1 555 0100"}}'
ALL_KINDS = (
    UNITS.replace(
        "policy_types: [service_control]",
        "policy_types: [service_control, resource_control, tag]\nregions: [us-east-1]\n"
        "trusted_services: [account.amazonaws.com, securityhub.amazonaws.com]\n"
        "delegated_administrators: {two: [securityhub.amazonaws.com]}",
    ).replace("unit: /B}", f"unit: /B, {CONTACT}}}")
    + GUARD
    + OTHER
    + ACCESS[ACCESS.index("---\nkind: PermissionSet") :]
    .replace("[/Dev]", "[/B]")
    .replace(", exclude: {accounts: [data-prod]}", "")
    + "---\nkind: SecurityHub\ntargets: {accounts: [one]}\nstandards: [cis-aws-foundations-benchmark/v/1.4.0]\n"
    + "disabled_controls: [{control: IAM.1, reason: Elsewhere}]\n"
)
LESS = (
    ALL_KINDS.replace("units: [/A/X, /B]", "units: [/B]")
    .replace("targets: {units: [/]}", "targets: {accounts: [one]}")
    .replace("  Sandbox:\n", "  Sandbox: {deleted: true}\n")
)


@pytest.mark.parametrize("fault", ["AccessDeniedException", "throttle", "internal"])
def test_no_read_that_fails_looks_like_absence(fault: str) -> None:
    house = House(ALL_KINDS + PEOPLE, ALL_KINDS)
    assert house.plan().changes == ()
    reads = [name for name in house.sandbox.world.calls if name.split(":")[1].startswith(READS)]
    house.git = LESS
    expected = {change.id for change in house.plan().free}
    assert len(expected) == 3
    assert len(reads) > 25
    for read in reads:
        how = {"kind": "error", "code": fault, "status": 400} if "Denied" in fault else {"kind": fault}
        made = house.sandbox.faults.add(operation=read, **how)
        assert {change.id for change in house.plan().free} <= expected, read
        made.count = 0
    assert {change.id for change in house.plan().free} == expected


# Moves that are held

TOWN = ACCESS.replace("{units: [/]}", "{units: [/Prod]}")


def test_access_does_not_follow_an_account_that_is_held_back() -> None:
    house = House(TOWN + PEOPLE, TOWN, limits={"removals": 1})
    before = house.access()
    house.git = TOWN.replace("unit: /Prod", "unit: /Dev")
    report = house.cycle()
    assert not written(report)
    assert house.access() == before, "developers get no access to what still is in production"
    for hold in house.store.holds():
        house.store.approve(hold.id, "alice")
    house.cycle()
    for hold in house.store.holds():
        house.store.approve(hold.id, "alice")
    house.converge()
    assert "developers/PowerUserAccess/shop-prod" in house.access()


def test_an_account_waits_for_the_rules_that_await_it() -> None:
    house = House(ESTATE)
    house.git = ESTATE.replace("unit: /A/X", "unit: /B").replace(EC2, f"{EC2}, {S3}")
    fault = house.sandbox.faults.add(
        kind="error", operation="organizations:UpdatePolicy", code="AccessDeniedException", status=400
    )
    house.cycle()
    assert house.place("one") == "X"
    fault.count = 0
    house.converge()
    assert house.place("one") == "B"


def test_no_policy_loses_rules_before_the_accounts_that_leave_it_have_left() -> None:
    strict = scp("guard", f"{LEAVE}, {EC2}", units="/A/X")
    house = House(UNITS + strict)
    house.git = UNITS.replace("unit: /A/X", "unit: /Sandbox") + GUARD
    fault = house.sandbox.faults.add(
        kind="error", operation="organizations:MoveAccount", code="AccessDeniedException", status=400
    )
    house.cycle()
    assert "ec2:*" in next(p.content for p in house.sandbox.world.policies.values() if p.name == "guard")
    fault.count = 0
    house.converge()
    assert "ec2:*" not in next(p.content for p in house.sandbox.world.policies.values() if p.name == "guard")


@pytest.mark.parametrize(
    "settings",
    [{"modes": [{"unit": "Prod", "mode": "observe"}]}, {"protected": ["region-lock"]}],
    ids=["a path that is none", "a name without its kind"],
)
def test_a_setting_that_could_never_match_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings)
