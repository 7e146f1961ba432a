"""What differs between two contents of an SCP, in the words of a pull request."""

from __future__ import annotations

from typing import Any

import pytest

from controller.planning.rules import Rule, differences, summary
from controller.policy.evaluate import statements


def rules(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    """``+ text`` for what denies more, ``- text`` for what denies less."""
    found = differences(*(statements({"Statement": some}) for some in (old, new)))
    return [f"{'+' if rule.more else '-'} {rule.text}" for rule in found]


def deny(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Resource": "*", **elements}


REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
MORE_REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}
ROOT = {"ArnLike": {"aws:PrincipalArn": ["*:root"]}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(deny(Action="a:B"), deny(Action=["a:B", "c:D"]), ["+ Action + c:D"], id="an action more"),
        pytest.param(deny(Action=["a:B", "c:D"]), deny(Action="a:B"), ["- Action - c:D"], id="an action less"),
        pytest.param(deny(NotAction="a:B"), deny(NotAction=["a:B", "c:D"]), ["- NotAction + c:D"], id="an exception"),
        pytest.param(deny(NotAction=["a:B", "c:D"]), deny(NotAction="a:B"), ["+ NotAction - c:D"], id="one less"),
        pytest.param(deny(Action="a:Get*"), deny(Action="a:*"), ["+ Action + a:*"], id="a wider wildcard"),
        pytest.param(deny(Action="a:*"), deny(Action="a:Get*"), ["- Action - a:*"], id="a narrower wildcard"),
        pytest.param(
            deny(Action="*", Condition=REGIONS),
            deny(Action="*", Condition=MORE_REGIONS),
            ["- StringNotEquals aws:RequestedRegion + eu-west-2"],
            id="a Region more is allowed",
        ),
        pytest.param(
            deny(Action="*", Condition=ROOT),
            deny(Action="*", Condition={"ArnLike": {"aws:PrincipalArn": ["*:root", "*:user/*"]}}),
            ["+ ArnLike aws:PrincipalArn + *:user/*"],
            id="a caller more is denied",
        ),
        pytest.param(
            deny(Action="*"),
            deny(Action="*", Condition=ROOT),
            ["- + ArnLike aws:PrincipalArn *:root"],
            id="a condition",
        ),
        pytest.param(
            deny(Action="*", Condition=ROOT), deny(Action="*"), ["+ - ArnLike aws:PrincipalArn *:root"], id="without it"
        ),
    ],
)
def test_an_edit_is_told_by_what_differs_and_whether_it_denies_more(
    old: dict[str, Any], new: dict[str, Any], told: list[str]
) -> None:
    assert [line.removesuffix(" (statement 1)") for line in rules([old], [new])] == told


def test_statements_that_come_and_go_are_told_whole() -> None:
    old, new = deny(Action="ec2:*"), deny(NotAction=["s3:*"], NotResource="arn:aws:s3:::a")

    assert rules([old], [new]) == ["+ everything but s3:* on everything but arn:aws:s3:::a", "- ec2:*"]


def test_what_only_changes_its_place_or_its_name_is_no_difference() -> None:
    one, other = deny(Action="a:B", Sid="One"), deny(Action="c:D")

    assert rules([one, other], [other, {**one, "Sid": "Other"}]) == []


def test_an_effect_that_turns_is_a_rule_gone_and_another_come() -> None:
    found = differences(*(statements({"Statement": deny(Action="a:B", Effect=effect)}) for effect in ("Deny", "Allow")))

    assert found == (Rule("allow", True, "a:B"), Rule("deny", False, "a:B"))


def test_a_long_list_is_counted() -> None:
    (statement,) = statements({"Statement": deny(Action=[f"a:B{n}" for n in range(300)])})

    assert summary(statement) == "a:B0, a:B1, a:B2, a:B3, a:B4, a:B5 and 294 more"


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, [], "who", {"AWS": ["111111111111"]}, {"Service": "a.b"}])
def test_whatever_stands_for_a_principal_is_told_in_words(principal: Any) -> None:
    (statement,) = statements({"Statement": deny(Action="s3:*", Principal=principal, Condition={"Bool": ["odd"]})})

    assert summary(statement).startswith("s3:*")
