from __future__ import annotations

from typing import Any

import pytest

from controller.catalogue.iam import as_of
from controller.desired.policy_lint import lint

SOUND: dict[str, Any] = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}


def said(kind: str, *, version: str | None = "2012-10-17", **changes: Any) -> list[str]:
    """What is said of a policy with one statement; a change to None takes the element away."""
    base = SOUND | ({"Principal": "*"} if kind == "ResourceControlPolicy" else {})
    statement = {key: value for key, value in {**base, **changes}.items() if value is not None}
    content = {"Version": version, "Statement": [statement]} if version else {"Statement": [statement]}
    return [f"{'doubt: ' if f.warning else ''}{f.what}" for f in lint(kind, content)]


@pytest.mark.parametrize("kind", ["ServiceControlPolicy", "ResourceControlPolicy", "PermissionSet"])
def test_a_sound_policy_is_left_in_peace(kind: str) -> None:
    assert said(kind) == []


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        pytest.param("ServiceControlPolicy", {"Action": ["s3:*", "*"], "Effect": "Allow"}, [], id="an SCP that allows"),
        pytest.param("ServiceControlPolicy", {"Action": None, "NotAction": "iam:*"}, [], id="NotAction"),
        pytest.param("ServiceControlPolicy", {"Resource": None, "NotResource": "arn:aws:s3:::a"}, [], id="NotResource"),
        pytest.param(
            "ServiceControlPolicy", {"NotAction": "iam:*"}, ["both Action and NotAction"], id="Action and NotAction"
        ),
        pytest.param(
            "ServiceControlPolicy",
            {"Resource": None},
            ["the statement has no Resource or NotResource"],
            id="no resource",
        ),
        pytest.param(
            "PermissionSet", {"Principal": "*"}, ["Principal is not allowed in a policy of this kind"], id="a principal"
        ),
        pytest.param(
            "ResourceControlPolicy", {"Principal": None}, ["the statement has no Principal"], id="an RCP without one"
        ),
        pytest.param(
            "ResourceControlPolicy", {"Principal": {"AWS": "*"}}, ['Principal is not "*"'], id="an RCP with another"
        ),
        pytest.param("ResourceControlPolicy", {"Effect": "Allow"}, ["Effect is 'Allow', not Deny"], id="an RCP allows"),
        pytest.param(
            "ResourceControlPolicy",
            {"Action": None, "NotAction": "s3:*"},
            ["NotAction is not allowed in a policy of this kind"],
            id="an RCP with NotAction",
        ),
        pytest.param("ServiceControlPolicy", {"Acton": "*"}, ["unknown element 'Acton'"], id="a misspelt element"),
        pytest.param(
            "ServiceControlPolicy", {"Action": []}, ["Action is not text or a list of texts"], id="no actions"
        ),
        pytest.param(
            "ServiceControlPolicy", {"Action": "GetObject"}, ["'GetObject' is not an action"], id="no service"
        ),
        pytest.param(
            "ServiceControlPolicy", {"Action": "s*:Get*"}, ["doubt: 's*:Get*' is not an action"], id="services"
        ),
        pytest.param("ServiceControlPolicy", {"Resource": "bucket"}, ["'bucket' is not an ARN"], id="no ARN"),
        pytest.param("ServiceControlPolicy", {"Resource": "{{ unit('/A').id }}"}, [], id="a name to be replaced"),
        pytest.param(
            "ServiceControlPolicy", {"Sid": "a b"}, ["doubt: the Sid 'a b' is not letters and digits alone"], id="a Sid"
        ),
    ],
)
def test_statements(kind: str, changes: dict[str, Any], expected: list[str]) -> None:
    assert said(kind, **changes) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param({"StringEqualsIfExists": {"aws:SourceVpc": "x"}}, [], id="IfExists"),
        pytest.param({"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": ["o/*"]}}, [], id="paths, any of them"),
        pytest.param({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o/*"}}, [], id="paths, all of them"),
        pytest.param({"Null": {"aws:ResourceOrgPaths": "true"}}, [], id="Null asks whether there are any"),
        pytest.param({"ArnNotLikeIfExists": {"aws:PrincipalARN": ["arn:aws:iam::*:role/x"]}}, [], id="S10's exception"),
        pytest.param({"Bool": {"aws:ViaAWSService": False}}, [], id="a boolean"),
        pytest.param(
            {"StringLike": {"aws:principalorgpaths": "o/*"}},
            ["aws:principalorgpaths has several values: StringLike compares none of them as meant"],
            id="paths without a set, whatever the capitals",
        ),
        pytest.param(
            {"ForAnyValue:StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}},
            ["aws:ResourceOrgID has a single value: ForAnyValue is for keys with several"],
            id="one organization as a set",
        ),
        pytest.param(
            {"ForAllValues:StringEquals": {"aws:ResourceAccount": "111122223333"}},
            ["aws:ResourceAccount has a single value: ForAllValues is for keys with several"],
            id="one account as a set",
        ),
        pytest.param(
            {"Null IfExists": {"aws:SourceIp": "b"}}, ["unknown condition operator 'Null IfExists'"], id="no operator"
        ),
        pytest.param(
            {"NullIfExists": {"aws:SourceIp": "true"}}, ["Null cannot have IfExists"], id="Null with IfExists"
        ),
        pytest.param({"StringEquals": {}}, ["StringEquals is not a mapping of condition keys"], id="no keys"),
        pytest.param(
            {"StringEquals": {"SourceIp": "x"}}, ["'SourceIp' is not a condition key"], id="a key with no prefix"
        ),
        pytest.param(
            {"StringEquals": {"s3:a": {"b": "c"}}}, ["s3:a: a value is text, a number or a boolean"], id="a mapping"
        ),
        pytest.param([], ["Condition is not a mapping of operators"], id="a list"),
        pytest.param(
            {"StringLikes": {"aws:SourceVpc": "x"}}, ["unknown condition operator 'StringLikes'"], id="misspelt"
        ),
        pytest.param({"StringEquals": {"AWS:sourcevpc": "x"}}, [], id="a key in other capitals"),
        pytest.param({"StringEquals": {"aws:PrincipalTag/a/b": "x"}}, [], id="a tag's key, which may hold a slash"),
        pytest.param({"StringEquals": {"s3:Anything": "x"}}, [], id="a service's own key is not looked up"),
        pytest.param(
            {"StringEquals": {"aws:PrincipleOrgID": "o-a1b2c3d4e5"}},
            ["doubt: there seems to be no condition key 'aws:PrincipleOrgID' in AWS"],
            id="a misspelt global key",
        ),
        pytest.param(
            {"StringEquals": {"aws:PrincipalOrgID/x": "o-a1b2c3d4e5"}},
            ["doubt: there seems to be no condition key 'aws:PrincipalOrgID/x' in AWS"],
            id="a tag of what has none",
        ),
        pytest.param(
            {"StringEquals": {"aws:PrincipalTag": "x"}},
            ["doubt: 'aws:PrincipalTag' names no tag: it is never there"],
            id="a tag with no key",
        ),
        pytest.param(
            {"ForAnyValue:StringEquals": {"aws:RequestTag/team": ["a", "b"]}},
            ["doubt: aws:RequestTag/team has a single value: ForAnyValue is for keys with several"],
            id="one tag as a set",
        ),
        pytest.param({"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["a"]}}, [], id="a service's set as a set"),
        pytest.param({"ForAnyValue:StringEquals": {"s3:Unheard/x": ["a"]}}, [], id="a key that nobody lists"),
        pytest.param(
            {"StringEquals": {"dynamodb:Attributes": ["a", "b"]}},
            ["doubt: dynamodb:Attributes has several values: StringEquals compares none of them as meant"],
            id="a service's set without a set",
        ),
        pytest.param(
            {"ForAllValues:StringEquals": {"iam:ResourceTag/team": ["a", "b"]}},
            ["doubt: iam:ResourceTag/team has a single value: ForAllValues is for keys with several"],
            id="a service's single value as a set",
        ),
        pytest.param(
            {"StringEquals": {"aws:TagKeys": ["a", "b"]}},
            ["doubt: aws:TagKeys has several values: StringEquals compares none of them as meant"],
            id="tag keys without a set",
        ),
    ],
)
def test_conditions(condition: Any, expected: list[str]) -> None:
    assert said("ServiceControlPolicy", Condition=condition) == expected


SINCE = f"in AWS's list of {as_of()}"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param("S3:getOBJECT", [], id="capitals do not matter"),
        pytest.param("ec2:*", [], id="all of a service"),
        pytest.param("ec2:Describe*Instance?", [], id="wildcards that match"),
        pytest.param("vpc-lattice:AssociateViaAWSService-EventsAndStates", [], id="a dash"),
        pytest.param("{{ unit('/A').id }}", [], id="a name to be replaced"),
        pytest.param("s3:GetObjekt", [f"doubt: 's3:GetObjekt': s3 has no such action {SINCE}"], id="no action"),
        pytest.param("s4:GetObject", [f"doubt: 's4:GetObject': there is no service 's4' {SINCE}"], id="no service"),
        pytest.param("s4:*", [f"doubt: 's4:*': there is no service 's4' {SINCE}"], id="all of no service"),
        pytest.param("s3:Descrybe*", [f"doubt: 's3:Descrybe*' matches no action of s3 {SINCE}"], id="matches nothing"),
    ],
)
def test_actions_that_aws_does_not_list_are_doubtful_and_no_more(action: str, expected: list[str]) -> None:
    assert said("ServiceControlPolicy", Action=action) == expected
    assert said("PermissionSet", Action=["s3:GetObject", action]) == expected
    assert said("ServiceControlPolicy", Action=None, NotAction=action) == expected


@pytest.mark.parametrize(
    ("action", "near"),
    [
        ("s3:GetObjekt", "GetObject"),
        ("orgnizations:LeaveOrganization", "organizations"),
        ("s3:GetObjekt*", "GetObject"),
    ],
)
def test_the_nearest_action_is_named(action: str, near: str) -> None:
    content = {"Version": "2012-10-17", "Statement": [{**SOUND, "Action": action}]}
    assert [f.fix for f in lint("ServiceControlPolicy", content)] == [f"Did you mean {near!r}?"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"Resource": "arn:aws:s3:::logs/*"}, [], id="an ARN"),
        pytest.param({"Resource": None, "NotResource": "arn:aws:s3:::logs/*"}, [], id="NotResource"),
        pytest.param({"Resource": None}, ["the statement has no Resource or NotResource"], id="no Resource"),
        pytest.param({"NotResource": "*"}, ["both Resource and NotResource"], id="both"),
        pytest.param({"Resource": "logs"}, ["'logs' is not an ARN"], id="no ARN"),
        pytest.param({"Action": "*"}, ["an RCP cannot say '*' for all actions: AWS refuses it"], id="all actions"),
        pytest.param({"Action": ["s3:*", "sts:*", "kms:*"]}, [], id="all of services"),
        pytest.param(
            {"NotPrincipal": "*"}, ["NotPrincipal is not allowed in a policy of this kind"], id="NotPrincipal"
        ),
        pytest.param(
            {"Action": "ec2:RunInstances"},
            [f"doubt: RCPs do not bind ec2, as far as AWS's list of {as_of()} goes: 'ec2:RunInstances' has no effect"],
            id="a service that RCPs do not bind",
        ),
    ],
)
def test_what_an_rcp_can_say_of_resources_and_actions(changes: dict[str, Any], expected: list[str]) -> None:
    assert said("ResourceControlPolicy", **changes) == expected


@pytest.mark.parametrize(
    ("kind", "version", "expected"),
    [
        ("ServiceControlPolicy", None, ["the policy has no Version"]),
        ("ServiceControlPolicy", "2008-10-17", ["Version is '2008-10-17', not '2012-10-17'"]),
        ("PermissionSet", None, ["doubt: without Version, IAM reads it as of 2008"]),
        ("PermissionSet", "2008-10-17", ["doubt: Version is '2008-10-17', not '2012-10-17'"]),
        ("PermissionSet", "2012-10-18", ["Version is '2012-10-18', not '2012-10-17'"]),
    ],
)
def test_versions(kind: str, version: str | None, expected: list[str]) -> None:
    assert said(kind, version=version) == expected


def test_a_sid_is_used_once() -> None:
    statements = [{**SOUND, "Sid": "One"}, {**SOUND, "Sid": "One"}]

    assert [f.where for f in lint("PermissionSet", {"Version": "2012-10-17", "Statement": statements})] == [
        ("Statement", 1, "Sid")
    ]


@pytest.mark.parametrize("content", [{}, {"Statement": []}, {"Statement": "x"}, {"Statement": ["x"]}])
def test_a_policy_needs_statements(content: dict[str, Any]) -> None:
    (finding,) = lint("ServiceControlPolicy", {"Version": "2012-10-17", **content})

    assert "tatement" in finding.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("arn:aws:s3:::home/${aws:username}/*", [], id="a variable"),
        pytest.param("arn:aws:s3:::${aws:PrincipalTag/team, 'none'}/*", [], id="a variable with something else to say"),
        pytest.param("arn:aws:s3:::${saml:sub}${*}${?}${$}", [], id="a service's key, and plain characters"),
        pytest.param("arn:aws:s3:::l-{{ account('audit').id }}/[a]", [], id="a name, and brackets that are no blank"),
        pytest.param("arn:aws:iam::${Account}:role/x", ["${Account}"], id="a variable from elsewhere"),
        pytest.param("arn:aws:s3:::${aws:PrincipleTag/team}", ["${aws:PrincipleTag/team}"], id="a misspelt variable"),
        pytest.param("arn:aws:s3:::${ACCEL::A}-[BUCKET_NAME]", ["'[BUCKET_NAME]'"], id="a blank"),
        pytest.param("arn:aws:s3:::<my-bucket>", ["'<my-bucket>'"], id="a blank in other brackets"),
        pytest.param("arn:aws:s3:::{my-bucket}", ["'{my-bucket}'"], id="a blank in braces"),
    ],
)
def test_variables_and_blanks_that_nobody_filled_in_are_doubtful(text: str, expected: list[str]) -> None:
    for changes in ({"Resource": text}, {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [text]}}}):
        doubts = said("ServiceControlPolicy", **changes)
        assert [any(word in doubt for doubt in doubts) for word in expected] == [True] * len(doubts)


def test_a_blank_is_told_of_once_in_a_document() -> None:
    statements = [{**SOUND, "Resource": ["arn:aws:s3:::[BUCKET]", "arn:aws:s3:::[BUCKET]/*"]} for _ in range(2)]

    assert [f.where for f in lint("ServiceControlPolicy", {"Version": "2012-10-17", "Statement": statements})] == [
        ("Statement", 0, "Resource", 0)
    ]
