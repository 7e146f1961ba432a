"""Two published organizations, told again as desired state: imported, adopted, changed, held, approved."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.desired.load import load
from controller.desired.source import Files
from controller.report import CycleResult, Report, Result
from tests.importing.lives import Home, differences

HERE = Path(__file__).parent


def living(name: str) -> Home:
    """The organization as somebody built it by hand, and git as an import wrote it."""
    home = Home((HERE / f"{name}.yaml").read_text("utf-8"))
    home.imported()
    return home


def adopted(name: str) -> Home:
    """The same under orgctl, but for Security Hub: six accounts and three standards take their time."""
    home = living(name)
    home.state = Files({file: text for file, text in home.state.files.items() if file != "security-hub.yaml"})
    home.converge()
    return home


def edit(home: Home, file: str, before: str, after: str) -> None:
    text = home.state.files[file].decode()
    assert before in text, text
    home.state = Files({**home.state.files, file: text.replace(before, after).encode()})


def written(report: Report) -> set[str]:
    return {outcome.change.id for outcome in report.outcomes if outcome.result is Result.APPLIED}


@pytest.mark.parametrize("name", ["landing_zone", "anycompany"])
def test_an_import_is_adopted_as_it_is_and_nothing_but_tags_is_written(name: str) -> None:
    home = living(name)
    assert load(home.state).warnings == ()
    assert differences(home.plan()) == []
    before = home.calls_written()
    home.converge()
    assert {call.split(":")[1] for call in home.calls_written() - before} == {"TagResource"}
    assert home.cycle().plan.changes == ()


# The landing zone


@pytest.fixture(scope="module")
def zone() -> Home:
    return living("landing_zone")


def test_what_control_tower_made_is_left_out_and_said_to_be(zone: Home) -> None:
    notes = "\n".join(zone.imported().notes.text())
    assert "aws-guardrails-AbCdEf" in notes
    assert "AWSReadOnlyAccess" in notes
    assert not any("aws-guardrails" in file for file in zone.state.files)


def test_the_organization_and_its_accounts_are_named_in_policies_that_hold_their_ids(zone: Home) -> None:
    rcp = zone.state.files["policies/AWSAccelerator-Core-Rcp-Guardrails.yaml"].decode()
    assert '"aws:PrincipalOrgID": "{{ org.id }}"' in rcp
    assert "aws-controltower-logs-{{ account('logarchive').id }}-us-east-1" in rcp


def test_standards_of_the_whole_organization_are_one_document(zone: Home) -> None:
    text = zone.state.files["security-hub.yaml"].decode()
    assert text.count("kind: SecurityHub") == 1
    assert "targets: {accounts: [audit, logarchive, management, network, perimeter, sharedservices]}" in text


QUARANTINE = "policies/AWSAccelerator-Quarantine-New-Object.yaml"


def test_a_quarantine_that_knows_only_the_other_tool_s_roles_is_held_and_no_approval_helps() -> None:
    home = adopted("landing_zone")
    edit(home, QUARANTINE, "targets: {}", "targets: {accounts: [perimeter]}")
    (held,) = home.cycle().plan.held
    assert held.kind == "policy_attachment"
    assert "OrgctlMember" in (held.blocked or "")
    assert held.hold is None
    assert home.attached("AWSAccelerator-Quarantine-New-Object") == set()

    edit(home, QUARANTINE, "role/AWSAccelerator*,", "role/AWSAccelerator*, arn:aws:iam::*:role/OrgctlMember,")
    assert home.converge().result is CycleResult.CONVERGED
    assert home.attached("AWSAccelerator-Quarantine-New-Object") == {"Perimeter"}


def test_guardrails_that_go_all_at_once_wait_for_a_person_who_then_lets_exactly_these_through() -> None:
    home = adopted("landing_zone")
    for number in (1, 2):
        file = f"policies/AWSAccelerator-Core-Guardrails-{number}.yaml"
        edit(home, file, "targets: {units: [/Infrastructure, /Security, /Workloads]}", "targets: {}")
    assert home.cycle().result is CycleResult.HELD
    assert home.attached("AWSAccelerator-Core-Guardrails-1") == {"Infrastructure", "Security", "Workloads"}
    (hold,) = home.store.holds()
    assert len(hold.changes) == 6
    assert f"orgctl approve {hold.id}" in hold.why

    home.store.approve(hold.id, "alice")
    home.converge()
    assert home.attached("AWSAccelerator-Core-Guardrails-1") == set()
    assert home.attached("AWSAccelerator-Core-Guardrails-2") == set()
    assert home.attached("AWSAccelerator-Core-Rcp-Guardrails") == {"Infrastructure", "Security", "Workloads"}


# AnyCompany


def test_boundaries_name_the_ou_the_organization_and_the_account_they_are_of() -> None:
    files = {name: text.decode() for name, text in living("anycompany").state.files.items()}
    assert "\"{{ unit('/Sports').path }}/*\"" in files["policies/sports-boundary.yaml"]
    assert '"{{ org.id }}"' in files["policies/organization-boundary.yaml"]
    assert "{{ account('audit').id }}" in files["policies/account-boundary.yaml"]
    assert "${aws:PrincipalAccount}" in files["policies/account-boundary.yaml"], "IAM's own passes through"


def boundary(home: Home) -> str:
    return next(policy.content for policy in home.sandbox.world.policies.values() if policy.name == "sports-boundary")


def test_a_team_that_is_renamed_stays_within_its_boundary() -> None:
    home = adopted("anycompany")
    before = boundary(home)
    edit(home, "units.yaml", "Football:", "Soccer: {formerly: Football}")
    edit(home, "accounts/sports.yaml", "/Sports/Football", "/Sports/Soccer")
    assert home.converge().result is CycleResult.CONVERGED
    assert "Soccer" in home.units()
    assert boundary(home) == before


def test_a_group_that_loses_everything_waits_for_a_person() -> None:
    home = adopted("anycompany")
    before = home.access()
    text = home.state.files["access/assignments.yaml"].decode()
    start, end = text.index("  - group: sports-engineers"), text.index("  - user: alice")
    edit(home, "access/assignments.yaml", text[start:end], "")
    report = home.cycle()
    assert (report.result, written(report), home.access()) == (CycleResult.HELD, set(), before)
    (hold,) = home.store.holds()
    assert len(hold.changes) == 6

    home.store.approve(hold.id, "frank")
    home.converge()
    assert {row for row in before if not row.startswith("sports-engineers/")} == home.access()
