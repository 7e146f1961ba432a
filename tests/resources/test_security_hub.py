"""Security Hub in every account and Region that a document covers: hub, standards, controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from controller.catalogue.security_hub import control_ids
from controller.report import Result
from controller.resources.base import Action, Change
from controller.resources.security_hub import SecurityHubs
from controller.resources.security_hub_cell import SecurityHub, entry
from controller.sandbox.security_hub.controls import Controls
from controller.sandbox.security_hub.state import CONTROL_TOWER, Disabled, Subscription, hubs
from tests.resources.access import AUDIT, DEV, MANAGEMENT, PEOPLE, PROD, Town, notes, shown

FSBP = "aws-foundational-security-best-practices/v/1.0.0"
PCI, PCI_4 = "pci-dss/v/3.2.1", "pci-dss/v/4.0.1"
CIS, CIS_3 = "cis-aws-foundations-benchmark/v/1.2.0", "cis-aws-foundations-benchmark/v/3.0.0"
BASE = f"""
kind: SecurityHub
targets: {{units: [/]}}
standards: [{CIS}, {PCI}]
disabled_controls:
  - {{control: IAM.6, reason: Held at the account level}}
  - {{control: IAM.1, standards: [{CIS}], reason: Not here}}
"""
CELLS = {(account, region) for account in (AUDIT, PROD, DEV) for region in ("us-east-1", "eu-west-1")}
OFF = {
    (CIS, "IAM.6"): "Held at the account level",
    (PCI, "IAM.6"): "Held at the account level",
    (CIS, "IAM.1"): "Not here",
}


@pytest.fixture
def town() -> Iterator[Town]:
    """No hub is on."""
    made = Town()
    yield made
    made.close()


@pytest.fixture
def settled() -> Iterator[Town]:
    made = Town(BASE, PEOPLE)
    made.settle(BASE)
    made.clock.sleep(7200)
    made.records.clear()
    yield made
    made.close()


def world(text: str) -> str:
    return PEOPLE + text


def off(town: Town, account: str = PROD, region: str = "us-east-1") -> dict[tuple[str, str], str]:
    return {key: disabled.reason for key, disabled in town.hub(account, region).disabled.items()}


def test_hubs_come_on_with_exactly_what_git_says(town: Town) -> None:
    town.world.delays["BatchEnableStandards"] = 20
    town.cycle(BASE)

    assert town.hubs_on() == CELLS
    for account, region in CELLS:
        hub = town.hub(account, region)
        assert set(hub.subscriptions) == {CIS, PCI}
        assert off(town, account, region) == OFF
        assert hub.tags == {"orgctl:managed-by": "main"}
    assert town.cycle(BASE).plan.changes == ()
    assert town.undeclared() == set()


def test_a_standard_that_takes_its_time_is_pending_and_comes_back_to(town: Town) -> None:
    town.world.delays["BatchEnableStandards"] = 1800

    first = town.cycle(BASE)
    assert {outcome.result for outcome in first.outcomes} == {Result.PENDING}

    waiting = town.cycle(BASE)
    assert waiting.plan.changes == ()
    assert f"payments-prod/us-east-1: {PCI} is still turning on; its controls follow when it is ready" in notes(
        waiting.plan
    )

    assert all(note.passing for note in waiting.plan.notes), "the daemon is to look again soon"

    town.clock.sleep(1800)
    last = town.cycle(BASE)
    assert {outcome.result for outcome in last.outcomes} == {Result.APPLIED}
    assert all(off(town, *place) == OFF for place in CELLS)


def test_setting_up_the_controls_of_a_new_standard_is_no_removal(town: Town) -> None:
    """Or every roll-out of more than a few accounts would wait for a person half-way."""
    town.close()
    strict = Town(limits={"removals": 1})
    strict.world.delays["BatchEnableStandards"] = 600
    strict.cycle(BASE)
    strict.clock.sleep(600)
    strict.cycle(BASE)
    assert all(off(strict, *place) == OFF for place in CELLS)
    strict.close()


def test_what_agrees_is_left_alone(settled: Town) -> None:
    settled.cycle(BASE)
    assert not settled.writes()


def test_standards_turned_on_or_off_by_hand_go_back(settled: Town) -> None:
    hub = settled.hub(PROD)
    hub.forget(PCI)
    hub.enable(CIS_3, 0, 0)
    settled.world.delays["BatchDisableStandards"] = 30

    settled.settle(BASE)

    assert set(settled.hub(PROD).subscriptions) == {CIS, PCI}
    assert off(settled) == OFF


def test_controls_turned_on_or_off_by_hand_go_back(settled: Town) -> None:
    hub = settled.hub(PROD)
    del hub.disabled[CIS, "IAM.1"]
    hub.disabled[CIS, "CloudTrail.1"] = Disabled("because", 0)
    hub.disabled[PCI, "IAM.6"] = Disabled("another reason", 0)

    settled.settle(BASE)

    assert off(settled) == OFF
    assert settled.writes() == {"securityhub:BatchUpdateStandardsControlAssociations": 1}


def test_controls_are_disabled_again_after_their_standard_was_off_and_on(settled: Town) -> None:
    hub = settled.hub(PROD)
    hub.enable(CIS, settled.world.clock.now(), settled.world.clock.now())
    assert off(settled) != OFF

    settled.settle(BASE)
    assert off(settled) == OFF


def test_a_standard_takes_the_place_of_another(settled: Town) -> None:
    settled.settle(BASE.replace(PCI, PCI_4))

    assert set(settled.hub(PROD).subscriptions) == {CIS, PCI_4}
    order = [
        record.action.split(":")[1]
        for record in settled.records
        if "Standards" in record.action and "Batch" in record.action
    ]
    writes = [action for action in order if action in ("BatchEnableStandards", "BatchDisableStandards")]
    assert writes.index("BatchEnableStandards") < writes.index("BatchDisableStandards")


def test_a_standard_that_is_still_turning_off_is_waited_for(settled: Town) -> None:
    settled.hub(PROD).subscriptions[PCI].gone = settled.world.clock.now() + 600
    report = settled.cycle(BASE)

    assert report.plan.changes == ()
    assert f"payments-prod/us-east-1: {PCI} is still turning off; it is turned on again when that is done" in notes(
        report.plan
    )
    settled.clock.sleep(600)
    settled.settle(BASE)
    assert off(settled) == OFF


def test_more_controls_than_one_call_takes(town: Town) -> None:
    from controller.catalogue.security_hub import controls

    many = [control.id for control in controls(FSBP)][:230]
    entries = "".join(f"  - {{control: {id}, reason: Later}}\n" for id in many)
    town.settle(
        f"kind: SecurityHub\ntargets: {{accounts: [audit]}}\nstandards: [{FSBP}]\ndisabled_controls:\n{entries}"
    )

    assert {control for _, control in town.hub(AUDIT).disabled} == set(many)


def test_no_standards_is_a_hub_without_any_not_a_hub_that_is_off(settled: Town) -> None:
    none = "{kind: SecurityHub, targets: {units: [/]}, standards: []}"
    settled.settle(none)

    assert settled.hubs_on() == CELLS
    assert settled.hub(PROD).subscriptions == {}


def test_what_no_document_covers_any_more_is_left_as_it_is(settled: Town) -> None:
    before = dict(settled.hub(PROD).subscriptions)
    settled.cycle(BASE.replace("units: [/]", "accounts: [audit]"))
    settled.cycle("{kind: PermissionSet, name: Unrelated}")

    assert settled.hubs_on() == CELLS
    assert settled.hub(PROD).subscriptions == before


def test_a_hub_that_somebody_turned_off_comes_back(settled: Town) -> None:
    del hubs(settled.world).hubs[PROD, "us-east-1"]
    settled.settle(BASE)
    assert off(settled) == OFF


def test_the_management_account_when_named_with_the_controllers_own_credentials(town: Town) -> None:
    town.settle(BASE.replace("units: [/]", f"accounts: ['{MANAGEMENT}']"))

    assert town.hubs_on() == {(MANAGEMENT, "us-east-1"), (MANAGEMENT, "eu-west-1")}
    assert town.calls("sts:AssumeRole") == 0


# Never touched


def test_standards_that_another_service_manages_are_not_seen(settled: Town) -> None:
    now = settled.world.clock.now()
    settled.hub(PROD).subscriptions[CONTROL_TOWER] = Subscription(now, now)
    report = settled.cycle("{kind: SecurityHub, targets: {units: [/]}, standards: []}")

    change = next(change for change in report.plan.changes if change.key == f"{PROD}/us-east-1")
    assert isinstance(change.before, SecurityHub)
    assert change.before.standards == {CIS, PCI}
    settled.clock.sleep(60)
    assert set(settled.hub(PROD).subscriptions) == {CONTROL_TOWER}


def test_a_hub_that_is_on_already_is_adopted_where_nothing_is_lost() -> None:
    town = Town(BASE, world("not_owned: [security_hub/*]\nsecurity_hub: [{without: [" + PCI + "]}]\n"))
    report = town.cycle(BASE)

    assert {change.action for change in report.plan.changes} == {Action.ADOPT}
    assert town.hub(PROD).tags == {"orgctl:managed-by": "main"}
    assert off(town) == OFF
    town.close()


def test_an_adoption_that_would_turn_something_off_waits_for_one_approval_a_document() -> None:
    town = Town(BASE, world(f"not_owned: [security_hub/*]\nsecurity_hub: [{{also: [{CIS_3}]}}]\n"))
    held = town.cycle(BASE).plan
    ids = {change.hold for change in held.changes}
    assert len(ids) == 1 and CIS_3 in town.hub(PROD).subscriptions

    town.store.approve(str(ids.pop()), "tester")
    town.cycle(BASE)
    assert set(town.hub(PROD).subscriptions) == {CIS, PCI}
    town.close()


def test_another_instances_hub_is_not_touched() -> None:
    town = Town(BASE, world("owned_by_others: {security_hub/payments-prod/*: other}\n"))
    plan = town.cycle(BASE.replace(f", {PCI}", "")).plan

    assert {change.key.split("/")[0] for change in plan.changes if "instance 'other'" in (change.blocked or "")} == {
        PROD
    }
    assert PCI in town.hub(PROD).subscriptions and PCI not in town.hub(DEV).subscriptions
    town.close()


# Where it cannot be


def test_what_a_region_lacks_is_skipped_and_said_so() -> None:
    town = Town(world(f"lacking: {{eu-west-1: {{standards: [{PCI}], controls: [IAM.1]}}}}\n"))
    report = town.settle(BASE)

    assert set(town.hub(PROD, "eu-west-1").subscriptions) == {CIS}
    assert off(town, PROD, "eu-west-1") == {(CIS, "IAM.6"): "Held at the account level"}
    assert off(town) == OFF
    assert {f"eu-west-1: the Region has no standard {PCI}: skipped there"} | {
        f"eu-west-1: {CIS} has no control IAM.1 in the Region: skipped there"
    } <= set(notes(report.plan))
    town.close()


@pytest.mark.parametrize("usual", [True, False])
def test_a_control_that_aws_lists_and_then_does_not_know_is_skipped(
    usual: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security Hub API reference, UnprocessedStandardsControlAssociation: RESOURCE_NOT_FOUND, or NOT_FOUND."""
    knows = Controls._on
    monkeypatch.setattr(Controls, "_on", lambda *asked: asked[-1] != "IAM.1" and knows(*asked))
    town = Town(world(""))
    town.sandbox.rules.set({"control-of-standard-off": usual})
    town.settle(BASE)
    plan = town.cycle(BASE).plan

    assert {control for _, control in off(town)} == {control for _, control in OFF} - {"IAM.1"}
    assert not plan.free and not plan.incomplete
    town.close()


def test_a_region_that_an_account_has_not_turned_on_is_skipped_and_said_so() -> None:
    town = Town(world("accounts: {payments-prod: {disabled_regions: [me-south-1]}}\n"))
    south = BASE.replace("standards:", "regions: [me-south-1, us-east-1]\nstandards:", 1)
    report = town.settle(south)

    assert (PROD, "us-east-1") in town.hubs_on() and (DEV, "me-south-1") in town.hubs_on()
    assert "payments-prod/me-south-1: skipped: the account has not turned on the Region me-south-1" in notes(
        report.plan
    )
    assert report.plan.incomplete == ()
    town.close()


def test_strange_credentials_in_a_region_that_is_always_on_are_no_reason_to_skip_it(settled: Town) -> None:
    settled.sandbox.faults.add(
        operation="securityhub:DescribeHub", kind="error", code="UnrecognizedClientException", status=403, account=PROD
    )
    plan = settled.cycle(BASE).plan
    assert {item.key for item in plan.incomplete} == {f"{PROD}/us-east-1", f"{PROD}/eu-west-1"}


def test_a_suspended_account_is_skipped_and_said_so(settled: Town) -> None:
    settled.world.accounts[PROD].state = "SUSPENDED"
    report = settled.cycle(BASE)

    assert report.plan.changes == () and report.plan.incomplete == ()
    assert "payments-prod: left out: the account is SUSPENDED, not ACTIVE" in notes(report.plan)


def test_an_account_without_the_role_stops_only_itself() -> None:
    town = Town(world("member_role: {missing_in: [payments-prod]}\n"))
    report = town.cycle(BASE)

    assert town.hubs_on() == {place for place in CELLS if place[0] != PROD}
    why = {item.key: item.why for item in report.plan.incomplete}
    assert set(why) == {f"{PROD}/us-east-1", f"{PROD}/eu-west-1"}
    assert "the role OrgctlMember in account 222222222222 cannot be assumed" in why[f"{PROD}/us-east-1"]
    town.close()


@pytest.mark.parametrize(
    "operation",
    ["DescribeHub", "ListTagsForResource", "GetEnabledStandards", "BatchGetStandardsControlAssociations"],
)
def test_a_read_that_fails_is_not_absence_and_stops_only_that_cell(settled: Town, operation: str) -> None:
    settled.sandbox.faults.add(
        operation=f"securityhub:{operation}",
        kind="error",
        code="AccessDeniedException",
        status=403,
        account=PROD,
        region="us-east-1",
    )
    settled.cycle(BASE.replace("reason: Not here", "reason: Another"))

    assert off(settled) == OFF
    assert off(settled, DEV)[CIS, "IAM.1"] == "Another"


@pytest.mark.parametrize("operation", ["DescribeStandards", "ListSecurityControlDefinitions"])
def test_a_region_whose_offer_cannot_be_read_stops_only_that_region(settled: Town, operation: str) -> None:
    settled.sandbox.faults.add(
        operation=f"securityhub:{operation}",
        kind="error",
        code="AccessDeniedException",
        status=403,
        region="us-east-1",
    )
    settled.cycle(BASE.replace("reason: Not here", "reason: Another"))

    assert off(settled) == OFF
    assert off(settled, PROD, "eu-west-1")[CIS, "IAM.1"] == "Another"


def test_a_write_that_fails_is_that_cells_alone(settled: Town) -> None:
    settled.sandbox.faults.add(
        operation="securityhub:BatchUpdate*", kind="error", code="AccessDeniedException", status=403, account=PROD
    )
    report = settled.cycle(BASE.replace("reason: Not here", "reason: Another"))

    failed = {outcome.change.key: outcome.detail for outcome in report.outcomes if outcome.result is Result.FAILED}
    assert set(failed) == {f"{PROD}/us-east-1", f"{PROD}/eu-west-1"}
    assert "securityhub:BatchUpdateStandardsControlAssociations" in failed[f"{PROD}/us-east-1"]
    assert off(settled, DEV)[CIS, "IAM.1"] == "Another"


def test_a_standard_that_cannot_check_everything_counts_as_on(town: Town) -> None:
    town.close()
    town = Town(world("security_hub: [{accounts: [payments-prod], recorder: false}]\n"))
    report = town.settle(BASE)

    assert off(town) == OFF
    assert (
        f"payments-prod/us-east-1: {CIS} is on but INCOMPLETE (NO_AVAILABLE_CONFIGURATION_RECORDER): "
        "it cannot check everything"
    ) in notes(report.plan)
    town.close()


# Who says


def test_two_documents_over_one_cell_block_that_cell_and_name_both(town: Town) -> None:
    second = "{kind: SecurityHub, targets: {tags: {env: prod}}, regions: [us-east-1], standards: []}"
    report = town.cycle(BASE, second)

    blocked = {change.key: change.blocked for change in report.plan.changes if change.blocked}
    assert list(blocked) == [f"{PROD}/us-east-1"]
    assert "1.yaml" in str(blocked[f"{PROD}/us-east-1"]) and "2.yaml" in str(blocked[f"{PROD}/us-east-1"])
    assert town.hubs_on() == CELLS - {(PROD, "us-east-1")}


DELEGATED = "delegated_administrators: {audit: [securityhub.amazonaws.com]}\nsecurity_hub: [{enabled: true}]\n"


def test_what_central_configuration_governs_is_blocked_with_that_reason() -> None:
    town = Town(
        world(DELEGATED + "central_configuration: {regions: [us-east-1], policies: {/Workloads/Prod: strict}}\n")
    )
    plan = town.cycle(BASE).plan

    blocked = {change.key: change.blocked for change in plan.changes if change.blocked and not change.hold}
    assert list(blocked) == [f"{PROD}/us-east-1"]
    assert "central configuration governs it (policy strict)" in str(blocked[f"{PROD}/us-east-1"])
    town.close()


def test_a_self_managed_account_under_central_configuration_is_ours_to_configure() -> None:
    policies = "{/: strict, payments-prod: SELF_MANAGED_SECURITY_HUB}"
    town = Town(
        world(DELEGATED + f"central_configuration: {{regions: [us-east-1, eu-west-1], policies: {policies}}}\n")
    )
    town.settle(BASE)

    assert set(town.hub(PROD).subscriptions) == {CIS, PCI}
    assert set(town.hub(DEV).subscriptions) == set()
    town.close()


def test_an_organizations_policy_for_security_hub_blocks_every_cell() -> None:
    town = Town(world(DELEGATED + "central_configuration: {regions: [us-east-1], organization_policy: true}\n"))
    plan = town.cycle(BASE).plan

    cells = [change for change in plan.changes if change.kind == "security_hub"]
    assert len(cells) == 6
    assert all("SECURITYHUB_CSPM" in (change.blocked or "") for change in cells)
    town.close()


def test_where_nobody_can_tell_about_central_configuration_that_is_said() -> None:
    town = Town(world(DELEGATED + "member_role: {missing_in: [audit]}\n"))
    plan = town.cycle(BASE.replace("units: [/]", "accounts: [payments-prod]")).plan

    assert any("whether Security Hub is centrally configured cannot be told" in note for note in notes(plan))
    town.close()


def test_modes_follow_the_account() -> None:
    town = Town(PEOPLE, modes=[{"unit": "/Workloads", "mode": "observe"}])
    town.cycle(BASE)
    assert {account for account, _ in town.hubs_on()} == {AUDIT}
    town.close()


# Pure parts


def cell(*standards: str, off: int = 0) -> SecurityHub:
    """`off`: how many controls of the first standard are off."""
    return SecurityHub(
        key=f"{PROD}/us-east-1",
        name="payments-prod/us-east-1",
        standards=frozenset(standards),
        disabled={entry(standards[0], c): "why" for c in sorted(control_ids(standards[0]))[:off]} if off else {},
    )


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        pytest.param(None, cell(PCI, CIS, off=1), False, id="a new hub"),
        pytest.param(cell(PCI, CIS), cell(PCI), True, id="a standard goes"),
        pytest.param(cell(CIS), cell(PCI, CIS, off=3), False, id="a standard comes, some of its controls off"),
        pytest.param(cell(PCI), cell(PCI, off=3), False, id="a control goes off, with its reason"),
        pytest.param(cell(PCI), cell(PCI, off=44), True, id="a standard is emptied"),
        pytest.param(cell(PCI, off=44), cell(PCI, off=43), False, id="controls come back"),
    ],
)
def test_what_counts_as_a_removal(before: SecurityHub | None, after: SecurityHub, counts: bool) -> None:
    action = Action.CREATE if before is None else Action.UPDATE
    assert SecurityHubs().removes(Change("security_hub", after.key, after.name, action, before, after)) is counts


def test_a_plan_shows_standards_and_controls_and_nothing_of_the_moment() -> None:
    passing = replace(cell(PCI), unready=frozenset({PCI}), leaving=frozenset({CIS}))
    assert passing.attributes() == {"standards": [PCI], "disabled": {}}
    assert passing.fingerprint() == cell(PCI).fingerprint()


def test_shown_outcomes_name_account_and_region(town: Town) -> None:
    assert "create security_hub payments-prod/us-east-1: applied" in shown(town.cycle(BASE))
