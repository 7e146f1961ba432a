"""What /metrics says, and that it is all there, bounded, and documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from controller.aws.transport import CallRecord
from controller.metrics import PHASES, REASONS, STATES, Metrics, reason_of
from controller.planning.plan import Bystander
from controller.report import CycleResult, Outcome, Result
from controller.resources.base import Action, Incomplete
from tests.reports import NOW, change, report

KINDS = ("organizational_unit", "permission_set")
CALLS = ("organizations:ListAccounts", "sso:CreateAccountAssignment")
DOCS = Path(__file__).parents[1] / "docs" / "metrics.md"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(KINDS, CALLS)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def families(metrics: Metrics) -> dict[str, str]:
    """name → type of every metric, as a scraper reads them."""
    return {f.name: f.type for f in text_string_to_metric_families(metrics.render().decode())}


# Conventions


def test_every_name_follows_the_conventions(metrics: Metrics) -> None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        assert re.fullmatch(r"orgctl_[a-z_]+", family.name)
        assert family.documentation.endswith(".") or family.name.startswith("orgctl_process_"), family.name
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name.endswith("_total")
            if any(word in family.name for word in ("duration", "time", "wait", "age")):
                assert "_seconds" in sample.name
            assert not sample.name.endswith("_created")


def test_every_metric_is_documented_and_every_documented_one_exists(metrics: Metrics) -> None:
    there = {name + ("_total" if kind == "counter" else "") for name, kind in families(metrics).items()}
    own = {name for name in there if not name.startswith("orgctl_process_")}

    assert set(re.findall(r"^\| `(orgctl_\w+)", DOCS.read_text(encoding="utf-8"), re.MULTILINE)) == own


def test_every_series_is_there_from_zero(metrics: Metrics) -> None:
    for result in CycleResult:
        assert value(metrics, "orgctl_cycles_total", result=result) == 0
    for phase in PHASES:
        assert value(metrics, "orgctl_phase_seconds_count", phase=phase) == 0
    for kind in KINDS:
        assert value(metrics, "orgctl_incomplete", kind=kind) == 0
        for state in STATES:
            assert value(metrics, "orgctl_resources", kind=kind, state=state) == 0
        for action in Action:
            for outcome in Result:
                assert value(metrics, "orgctl_changes_total", kind=kind, action=action, result=outcome) == 0
    for service, operation in (*(tuple(call.split(":")) for call in CALLS), ("other", "other")):
        labels = {"service": service, "operation": operation}
        assert value(metrics, "orgctl_aws_calls_total", **labels) == 0
        assert value(metrics, "orgctl_aws_throttles_total", **labels) == 0
        assert value(metrics, "orgctl_aws_wait_seconds_total", **labels) == 0
        assert value(metrics, "orgctl_aws_learned_share", **labels) == 1
        for reason in REASONS:
            assert value(metrics, "orgctl_aws_errors_total", **labels, reason=reason) == 0
    for name in ("ready", "bad_commit", "held_commit", "paused", "fights", "holds", "git_fetch_failures_total"):
        assert value(metrics, f"orgctl_{name}") == 0
    assert value(metrics, "orgctl_last_good_cycle_timestamp_seconds") == 0


def test_nothing_that_happens_makes_a_new_series(metrics: Metrics) -> None:
    def series() -> int:
        return sum(len(f.samples) for f in text_string_to_metric_families(metrics.render().decode()))

    before = series()
    for number in range(50):
        metrics.on_call(CallRecord(f"s{number}:Op{number}", None, "eu-west-1", f"Code{number}", 0.1, 0.0, False))
        metrics.show_commits(f"{number:040}", bad=True, held=False)
        metrics.on_cycle(report(Outcome(change(f"/{number}"), Result.APPLIED)), 1.0, NOW)
    assert series() == before


def test_two_objects_share_nothing() -> None:
    one, other = Metrics(KINDS, CALLS), Metrics(KINDS, CALLS)
    one.on_fetch_failure()

    assert value(one, "orgctl_git_fetch_failures_total") == 1
    assert value(other, "orgctl_git_fetch_failures_total") == 0


# AWS calls


def test_calls_are_counted_by_service_and_operation(metrics: Metrics) -> None:
    metrics.on_call(CallRecord("organizations:ListAccounts", None, "us-east-1", "", 0.1, 0.5, False))
    metrics.on_call(
        CallRecord("organizations:ListAccounts", None, "us-east-1", "TooManyRequestsException", 0.1, 0.25, True)
    )

    labels = {"service": "organizations", "operation": "ListAccounts"}
    assert value(metrics, "orgctl_aws_calls_total", **labels) == 2
    assert value(metrics, "orgctl_aws_wait_seconds_total", **labels) == 0.75
    assert value(metrics, "orgctl_aws_throttles_total", **labels) == 1
    assert value(metrics, "orgctl_aws_errors_total", **labels, reason="throttled") == 1


def test_the_learned_share_is_that_of_the_operations_last_call(metrics: Metrics) -> None:
    for learned in (0.25, 0.5):
        metrics.on_call(
            CallRecord("organizations:ListAccounts", None, "us-east-1", "", 0.1, 0.0, False, learned=learned)
        )

    labels = {"service": "organizations", "operation": "ListAccounts"}
    assert value(metrics, "orgctl_aws_learned_share", **labels) == 0.5


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDeniedException", "denied"),
        ("ExpiredTokenException", "denied"),
        ("PolicyNotFoundException", "absent"),
        ("PolicyNotAttachedException", "absent"),
        ("NoSuchEntity", "absent"),
        ("ConcurrentModificationException", "conflict"),
        ("DuplicatePolicyException", "conflict"),
        ("MalformedPolicyDocumentException", "invalid"),
        ("ConstraintViolationException", "invalid"),
        ("InternalServerException", "server"),
        ("ServiceUnavailable", "server"),
        ("ReadTimeoutError", "unanswered"),
        ("EndpointConnectionError", "unanswered"),
        ("TooManyRequestsException", "throttled"),
        ("SomethingNew", "other"),
    ],
)
def test_error_codes_are_told_in_a_few_reasons(code: str, reason: str) -> None:
    assert reason_of(code) == reason


# Cycles


def test_a_cycle_shows_each_resource_in_one_state(metrics: Metrics) -> None:
    applied, failed, observed = change("/A"), change("/B"), change("/C")
    held = change("/D", Action.DELETE, blocked="too many", hold="abc123")
    gone = change("/E", Action.DELETE)
    unmanaged = (Bystander("organizational_unit", "/X"), Bystander("organizational_unit", "/Y", orphaned=True))
    made = report(
        Outcome(applied, Result.APPLIED),
        Outcome(failed, Result.FAILED, "AccessDeniedException"),
        Outcome(observed, Result.OBSERVED),
        Outcome(held, Result.HELD),
        Outcome(gone, Result.APPLIED),
        in_sync=3,
        bystanders=unmanaged,
    )

    metrics.on_cycle(made, 3.5, NOW)

    states = {s: value(metrics, "orgctl_resources", kind="organizational_unit", state=s) for s in STATES}
    assert states == {"in_sync": 4, "drifted": 1, "unmanaged": 1, "orphaned": 1, "failed": 1, "blocked": 1}
    deleted = {"kind": "organizational_unit", "action": "delete"}
    assert value(metrics, "orgctl_changes_total", **deleted, result="applied") == 1
    assert value(metrics, "orgctl_changes_total", **deleted, result="held") == 1
    assert value(metrics, "orgctl_cycles_total", result="incomplete") == 1
    assert value(metrics, "orgctl_cycle_seconds_sum") == 3.5
    assert value(metrics, "orgctl_phase_seconds_sum", phase="apply") == 0.2
    assert value(metrics, "orgctl_holds") == 1
    assert value(metrics, "orgctl_last_good_cycle_timestamp_seconds") == 0


def test_what_could_not_be_observed_keeps_its_last_numbers(metrics: Metrics) -> None:
    metrics.on_cycle(report(in_sync=12), 1.0, NOW)
    missing = Incomplete("organizational_unit", "AccessDenied")
    metrics.on_cycle(report(in_sync=0, incomplete=(missing,)), 1.0, NOW)

    assert value(metrics, "orgctl_resources", kind="organizational_unit", state="in_sync") == 12
    assert value(metrics, "orgctl_incomplete", kind="organizational_unit") == 1


def test_a_complete_cycle_is_a_good_one(metrics: Metrics) -> None:
    metrics.on_cycle(report(), 1.0, NOW)

    assert value(metrics, "orgctl_last_good_cycle_timestamp_seconds") == NOW.timestamp()


def test_a_cycle_that_raised_is_an_error_and_changes_no_state(metrics: Metrics) -> None:
    metrics.on_cycle(report(in_sync=12), 1.0, NOW)
    metrics.on_failed_cycle(2.0)

    assert value(metrics, "orgctl_cycles_total", result="error") == 1
    assert value(metrics, "orgctl_resources", kind="organizational_unit", state="in_sync") == 12


def test_one_commit_at_a_time_is_in_force(metrics: Metrics) -> None:
    metrics.show_commits("a" * 40, bad=False, held=False)
    metrics.show_commits("b" * 40, bad=True, held=False)

    assert value(metrics, "orgctl_commit_info", commit="b" * 40) == 1
    assert value(metrics, "orgctl_commit_info", commit="a" * 40) is None
    assert value(metrics, "orgctl_bad_commit") == 1
