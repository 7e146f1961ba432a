"""Whole cycles against commits, people and failures that would take access or protection away."""

from __future__ import annotations

from typing import Any

import pytest

from controller.errors import InvalidInput
from controller.planning.guard import Pause
from controller.report import Report, Result
from tests.cycle.house import House

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

PROTECTED = {"protected": ["service_control_policy/guard", "organizational_unit/A/X", "permission_set/Break*"]}


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
        house.store.pause(Pause(house.clock.now().replace(year=2100), "an incident", "alice", unit="/A"))
    house.git = git
    assert written(house.cycle()) == goes_on


def test_an_enforced_subtree_takes_no_account_out_of_one_that_is_observed() -> None:
    house = House(ESTATE, mode="observe", modes=[{"unit": "/Sandbox", "mode": "enforce"}])
    house.git = ESTATE.replace("unit: /A/X", "unit: /Sandbox")
    assert not written(house.cycle())
