from __future__ import annotations

import json
from typing import Any

import pytest

from controller.desired.load import read
from controller.desired.source import Files

TAG: dict[str, Any] = {"tag_key": {"@@assign": "cost"}}
RULES = {"nightly": {"target_backup_vault_name": {"@@assign": "Default"}}}
SELECTIONS = {"tags": {"all": {"iam_role_arn": {"@@assign": "r"}, "tag_key": {"@@assign": "b"}}}}
PLAN: dict[str, Any] = {"regions": {"@@append": ["us-east-1"]}, "rules": RULES, "selections": SELECTIONS}
OUT = {"opt_out_policy": {"@@assign": "optOut"}}


def said(kind: str, content: Any) -> list[tuple[str, str]]:
    """What is said of a policy, and the advice."""
    text = f"kind: {kind}\nname: p\ncontent: {json.dumps(content)}\n"
    problems = read(Files({"p.yaml": text.encode()}))[1]
    return [(f"{'doubt: ' if p.warning else ''}{p.what.split(': ', 1)[1]}", p.fix) for p in problems]


def tag(**changes: Any) -> list[tuple[str, str]]:
    return said("TagPolicy", {"tags": {"Cost": {**TAG, **changes}}})


def plan(**changes: Any) -> list[tuple[str, str]]:
    return said("BackupPolicy", {"plans": {"daily": {**PLAN, **changes}}})


def service(name: str, holds: Any) -> list[tuple[str, str]]:
    return said("AiServicesOptOutPolicy", {"services": {name: holds}})


def ec2(**attributes: Any) -> list[tuple[str, str]]:
    return said("DeclarativePolicy", {"ec2_attributes": attributes})


def test_a_sound_policy_is_left_in_peace() -> None:
    allowed = {"@@operators_allowed_for_child_policies": ["@@append", "@@remove"]}
    assert tag(tag_value={"@@append": ["1*"], "@@remove": ["{{ org.id }}"], **allowed}) == []
    assert tag(enforced_for={"@@assign": ["ec2:*"]}, report_required_tag_for={"@@assign": ["ec2:instance"]}) == []
    assert plan(advanced_backup_settings={"ec2": {"windows_vss": {"@@assign": "enabled"}}}) == []
    assert service("lex", {"@@operators_allowed_for_child_policies": ["@@none"], **OUT}) == []
    assert service("a-service-of-next-year", OUT) == []
    criteria = {"criteria_1": {"allowed_image_providers": {"@@append": ["amazon"]}}}
    assert ec2(allowed_images_settings={"state": {"@@assign": "audit_mode"}, "image_criteria": criteria}) == []
    assert ec2(instance_metadata_defaults={"http_put_response_hop_limit": {"@@assign": 2}}) == []


@pytest.mark.parametrize(
    ("kind", "top"),
    [
        ("TagPolicy", "tags"),
        ("BackupPolicy", "plans"),
        ("AiServicesOptOutPolicy", "services"),
        ("DeclarativePolicy", "ec2_attributes"),
    ],
)
def test_each_kind_begins_with_its_own_name_which_holds_a_mapping(kind: str, top: str) -> None:
    assert said(kind, {}) == [(f"the policy has no {top}", f"A policy of this kind begins with {top}.")]
    for value in (1, None, "x", [1], True):
        assert said(kind, {top: value}) == [(f"{top!r} is not a mapping", "Write it as one.")]
    misspelt = top[:-1]
    assert said(kind, {misspelt: {}}) == [
        (f"unknown element {misspelt!r}: the policy has no {top}", f"Did you mean {top!r}?")
    ]
    assert said(kind, {top: {}, "Version": "1"}) == [("doubt: unknown element 'Version'", f"Keep {top} alone.")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("@@asign", "@@assign"),
        ("@assign", "@@assign"),
        ("@@apend", "@@append"),
        ("@@removed", "@@remove"),
        ("@@operators_allowed_for_child_policy", "@@operators_allowed_for_child_policies"),
    ],
)
def test_a_misspelt_operator_is_told_with_what_was_meant(written: str, meant: str) -> None:
    assert tag(tag_value={written: ["1"]}) == [(f"there is no operator {written!r}", f"Did you mean {meant!r}?")]


def test_children_are_allowed_operators_or_all_or_none() -> None:
    key = "@@operators_allowed_for_child_policies"
    assert tag(**{key: ["@@non"]}) == [("there is no operator '@@non'", "Did you mean '@@none'?")]
    assert tag(**{key: {}}) == [(f"{key} is not a list of operators", 'Write ["@@none"], for instance.')]
    assert tag(**{key: "@@all"}) == [(f"doubt: {key} is a list", "Write ['@@all'].")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"tag_key": "Cost"}, "'tag_key' is set without an operator", id="an effective policy's form"),
        pytest.param({"tag_value": {"assign": ["1"]}}, "doubt: 'assign' within the setting 'tag_value'", id="no @@"),
        pytest.param(
            {"tag_key": {"@@append": ["Cost"]}}, "@@append at 'tag_key', which has a single value", id="append to one"
        ),
        pytest.param(
            {"tag_value": {"@@assign": {"a": "b"}}},
            "@@assign of 'tag_value' is neither a value nor a list of values",
            id="a mapping",
        ),
        pytest.param(
            {"tag_value": {"@@assign": [None]}},
            "@@assign of 'tag_value' is neither a value nor a list of values",
            id="a null",
        ),
        pytest.param({"tag_value": {"@@assign": "1"}}, "doubt: @@assign of 'tag_value' is not a list", id="one value"),
        pytest.param({"tag_value": {"@@assign": [100]}}, "doubt: a value of 'tag_value' is not text", id="a number"),
        pytest.param({"enforce_for": {"@@assign": ["x"]}}, "doubt: unknown element 'enforce_for'", id="a misspelling"),
        pytest.param(
            {"tag_key": {"@@assign": "Kost"}},
            "doubt: the tag_key 'Kost' is not the name 'Cost' in other capitals",
            id="another key",
        ),
        pytest.param({"@@assign": "x"}, "doubt: @@assign at 'Cost', which has no value itself", id="set too high"),
    ],
)
def test_what_is_wrong_in_a_tag_policy_is_told(changes: dict[str, Any], expected: str) -> None:
    assert [what for what, _ in tag(**changes)] == [expected]


@pytest.mark.parametrize("part", ["regions", "rules", "selections"])
def test_a_plan_that_lacks_a_part_is_doubted_because_another_policy_may_give_it(part: str) -> None:
    lacking = {key: value for key, value in PLAN.items() if key != part}

    assert said("BackupPolicy", {"plans": {"daily": lacking}}) == [
        (f"doubt: 'daily' has no {part}: it backs nothing up unless another policy gives them", f"Add {part}.")
    ]


def test_what_is_wrong_in_a_backup_policy_is_told() -> None:
    assert [what for what, _ in plan(regions=["us-east-1"])] == ["'regions' is set without an operator"]
    assert [what for what, _ in plan(rules={"nightly": 5})] == ["'nightly' is not a mapping"]
    assert plan(rules={"n": {"schedule_expresion": {"@@assign": "x"}}}) == [
        ("doubt: unknown element 'schedule_expresion'", "Did you mean 'schedule_expression'?")
    ]
    assert [what for what, _ in plan(scan_settings={"x": {"y": 5}})] == ["'y' is set without an operator"]


def test_what_is_wrong_in_an_opt_out_policy_is_told() -> None:
    assert service("lex", {}) == [("'lex' has no opt_out_policy", "Add opt_out_policy.")]
    assert service("lex", {"opt_out_polcy": {}}) == [
        ("unknown element 'opt_out_polcy'", "Did you mean 'opt_out_policy'?")
    ]
    assert service("lex", {"opt_out_policy": {"@@assign": "optout"}}) == [
        ("AWS lists no 'optout' for 'opt_out_policy'", "Did you mean 'optOut'?")
    ]
    assert [what for what, _ in service("lex", {"opt_out_policy": {"@@remove": ["optOut"]}})] == [
        "@@remove at 'opt_out_policy', which has a single value"
    ]
    assert service("rekognitoin", OUT) == [
        ("doubt: 'rekognitoin' is none of the names known here", "Did you mean 'rekognition'?")
    ]


def test_what_is_not_known_of_a_declarative_policy_is_doubted() -> None:
    assert ec2(serial_console_acces={"status": {"@@assign": "disabled"}}) == [
        ("doubt: unknown element 'serial_console_acces'", "Did you mean 'serial_console_access'?")
    ]
    assert ec2(serial_console_access={"status": {"@@assign": "disable"}}) == [
        ("doubt: AWS lists no 'disable' for 'status'", "Did you mean 'disabled'?")
    ]
    assert [what for what, _ in ec2(exception_message="Ask us")] == ["'exception_message' is set without an operator"]


def test_it_is_told_at_the_line_and_column_in_the_policys_own_file() -> None:
    document = "kind: TagPolicy\nname: p\ncontent_file: p.json\n"
    text = '{"tags": {\n  "cost": {\n    "tag_key": {"@@asign": "cost"}}}}\n'

    (problem,) = read(Files({"p.yaml": document.encode(), "p.json": text.encode()}))[1]

    assert (problem.file, problem.line, problem.column) == ("p.json", 3, 17)
