"""Whether a statement applies: IAM's documented rules as tables of facts."""

from __future__ import annotations

from typing import Any

import pytest

from controller.policy.evaluate import applies, statements
from controller.policy.match import ANY, ONE, arn_matches, matches
from controller.policy.request import ABSENT, Request

ROLE = "arn:aws:iam::111122223333:role/Deployer"
CONTEXT = {
    "aws:PrincipalArn": ROLE,
    "aws:PrincipalAccount": "111122223333",
    "aws:PrincipalOrgID": "o-a1b2c3d4e5",
    "aws:RequestedRegion": "eu-west-1",
    "aws:PrincipalOrgPaths": ("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/",),
    "aws:TagKeys": ("env", "team"),
    "aws:CalledVia": ABSENT,
    "aws:MultiFactorAuthAge": "300",
    "aws:CurrentTime": "2026-03-01T12:00:00Z",
    "aws:SourceVpcIp": "10.1.2.3",
    "aws:ViaAWSService": "false",
}
REQUEST = Request("s3:GetObject", ("arn:aws:s3:::logs/2026/01.gz",)).knowing(CONTEXT)


def verdict(request: Request = REQUEST, **elements: Any) -> bool | None:
    body = {"Effect": "Deny", "Action": "*", "Resource": "*", **elements}
    body = {key: value for key, value in body.items() if value is not None}
    return applies(statements({"Statement": body})[0], request).truth


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        pytest.param({"Action": "*"}, True, id="a star is every action"),
        pytest.param({"Action": "s3:GetObject"}, True, id="by name"),
        pytest.param({"Action": "S3:getobject"}, True, id="capitals do not matter"),
        pytest.param({"Action": ["ec2:*", "s3:Get*"]}, True, id="any of a list"),
        pytest.param({"Action": "s3:GetObjec?"}, True, id="a question mark is one character"),
        pytest.param({"Action": "s3:GetObject?"}, False, id="a question mark is not none"),
        pytest.param({"Action": "s3:GetObjectAcl"}, False, id="another action"),
        pytest.param({"Action": None, "NotAction": "s3:*"}, False, id="NotAction leaves out what it names"),
        pytest.param({"Action": None, "NotAction": ["iam:*", "sts:*"]}, True, id="NotAction is all else"),
        pytest.param({"Resource": "arn:aws:s3:::logs/*"}, True, id="below a prefix"),
        pytest.param({"Resource": "arn:aws:s3:::logs"}, False, id="the bucket is not its objects"),
        pytest.param({"Resource": None, "NotResource": "arn:aws:s3:::logs/*"}, False, id="NotResource leaves it out"),
        pytest.param({"Resource": None, "NotResource": "arn:aws:s3:::data/*"}, True, id="NotResource is all else"),
        pytest.param({"Resource": "arn:aws:s3:::${aws:PrincipalOrgID}/*"}, False, id="a variable is replaced"),
        pytest.param({"Resource": "arn:aws:s3:::${aws:SourceVpc}/*"}, None, id="a variable that is not known"),
        pytest.param({"Resource": "arn:aws:s3:::x${aws:SourceVpc}"}, False, id="a variable that could not matter"),
        pytest.param({"Resource": "arn:aws:s3:::${*}"}, False, id="a star that stands for itself"),
        pytest.param({"Resource": None, "Principal": "*"}, True, id="everybody"),
        pytest.param({"Principal": {"AWS": "*"}}, True, id="everybody, written longer"),
        pytest.param({"Principal": {"AWS": ROLE}}, True, id="a role by its ARN"),
        pytest.param({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, True, id="an account"),
        pytest.param({"Principal": {"AWS": "444455556666"}}, False, id="another account"),
        pytest.param({"NotPrincipal": {"AWS": ROLE}}, False, id="NotPrincipal leaves it out"),
        pytest.param({"Principal": {"Service": "ec2.amazonaws.com"}}, None, id="a service principal"),
        pytest.param({"Action": None}, None, id="no action at all is no grammar"),
    ],
)
def test_elements(elements: dict[str, Any], expected: bool | None) -> None:
    assert verdict(**elements) is expected


def condition(operator: str, key: str, *values: Any) -> dict[str, Any]:
    return {operator: {key: list(values)}}


REGION, ARN, TAGS, ABSENT_KEY, UNKNOWN_KEY = (
    "aws:RequestedRegion",
    "aws:PrincipalArn",
    "aws:TagKeys",
    "aws:CalledVia",
    "aws:SourceIp",
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # IAM User Guide, "IAM JSON policy elements: Condition operators"
        pytest.param(condition("StringEquals", REGION, "eu-west-1", "x"), True, id="one of several values"),
        pytest.param(condition("StringEquals", REGION, "EU-WEST-1"), False, id="StringEquals minds capitals"),
        pytest.param(condition("StringEquals", "AWS:requestedregion", "eu-west-1"), True, id="key names do not"),
        pytest.param(condition("StringEqualsIgnoreCase", REGION, "EU-WEST-1"), True, id="IgnoreCase does not"),
        pytest.param(condition("StringEquals", REGION, "eu-*"), False, id="StringEquals knows no wildcards"),
        pytest.param(condition("StringLike", REGION, "eu-*"), True, id="StringLike does"),
        pytest.param(condition("StringNotEquals", REGION, "us-east-1", "eu-west-1"), False, id="none of the values"),
        pytest.param(condition("StringNotEquals", REGION, "us-east-1"), True, id="not the value"),
        pytest.param(condition("StringNotLike", REGION, "us-*"), True, id="like none"),
        pytest.param(condition("ArnLike", ARN, "arn:aws:iam::*:role/Dep*"), True, id="an ARN with wildcards"),
        pytest.param(condition("ArnEquals", ARN, "arn:aws:iam::*:role/Dep*"), True, id="ArnEquals is ArnLike"),
        pytest.param(condition("ArnLike", ARN, "arn:aws:*:role/Deployer"), None, id="too few parts of an ARN"),
        pytest.param(condition("ArnLike", ARN, "arn:*:*:*:*:user/*"), False, id="part by part"),
        pytest.param(condition("ArnNotLike", ARN, "arn:aws:iam::*:role/Dep*"), False, id="not like"),
        pytest.param(condition("Bool", "aws:ViaAWSService", "False"), True, id="Bool ignores capitals"),
        pytest.param(condition("Bool", "aws:ViaAWSService", True), False, id="Bool may be JSON's own"),
        pytest.param(condition("NumericLessThan", "aws:MultiFactorAuthAge", "3600"), True, id="less than"),
        pytest.param(condition("NumericGreaterThanEquals", "aws:MultiFactorAuthAge", 301), False, id="at least"),
        pytest.param(condition("NumericNotEquals", "aws:MultiFactorAuthAge", "300.0"), False, id="numbers, not text"),
        pytest.param(condition("DateLessThan", "aws:CurrentTime", "2026-06-01T00:00:00Z"), True, id="before"),
        pytest.param(condition("DateGreaterThan", "aws:CurrentTime", "1893456000"), False, id="after, in seconds"),
        pytest.param(condition("IpAddress", "aws:SourceVpcIp", "10.0.0.0/8"), True, id="in the network"),
        pytest.param(condition("NotIpAddress", "aws:SourceVpcIp", "10.0.0.0/8"), False, id="not in the network"),
        pytest.param(condition("IpAddress", "aws:SourceVpcIp", "10.1.2.3"), True, id="one address"),
        # A key that is not in the request
        pytest.param(condition("StringEquals", ABSENT_KEY, "x"), False, id="absent: not equal"),
        pytest.param(condition("StringNotEquals", ABSENT_KEY, "x"), True, id="absent: a negation is met"),
        pytest.param(condition("StringEqualsIfExists", ABSENT_KEY, "x"), True, id="absent: IfExists is met"),
        pytest.param(condition("Null", ABSENT_KEY, "true"), True, id="Null true: absent"),
        pytest.param(condition("Null", REGION, "true"), False, id="Null true: present"),
        pytest.param(condition("Null", REGION, "false"), True, id="Null false: present"),
        # "Set operators for multivalued context keys"
        pytest.param(condition("ForAllValues:StringEquals", TAGS, "env", "team", "x"), True, id="all are among"),
        pytest.param(condition("ForAllValues:StringEquals", TAGS, "env"), False, id="not all are among"),
        pytest.param(condition("ForAnyValue:StringEquals", TAGS, "env"), True, id="any is among"),
        pytest.param(condition("ForAnyValue:StringEquals", TAGS, "x"), False, id="none is among"),
        pytest.param(condition("ForAnyValue:StringNotEquals", TAGS, "env"), True, id="any is not the value"),
        pytest.param(condition("ForAllValues:StringNotEquals", TAGS, "env"), False, id="all are not the value"),
        pytest.param(condition("ForAllValues:StringEquals", ABSENT_KEY, "x"), True, id="all of none"),
        pytest.param(condition("ForAnyValue:StringEquals", ABSENT_KEY, "x"), False, id="any of none"),
        pytest.param(condition("ForAnyValue:StringNotEquals", ABSENT_KEY, "x"), False, id="any of none, negated"),
        pytest.param(
            condition("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-*/ou-ab12-11111111/*"), True, id="paths"
        ),
        pytest.param(condition("StringEquals", TAGS, "env"), None, id="several values without a set operator"),
        # What is not known is not guessed
        pytest.param(condition("IpAddress", UNKNOWN_KEY, "10.0.0.0/8"), None, id="a key that is not known"),
        pytest.param(condition("StringNotEquals", UNKNOWN_KEY, "x"), None, id="a key that is not known, negated"),
        pytest.param(condition("StringEqualsIfExists", UNKNOWN_KEY, "x"), None, id="a key that may exist"),
        pytest.param(condition("StringResembles", REGION, "x"), None, id="an operator that IAM does not have"),
        pytest.param(condition("StringEquals", "aws:PrincipalAccount", "${aws:SourceVpc}"), None, id="a variable"),
        pytest.param(condition("StringEquals", REGION, "${aws:x, 'eu-west-1'}"), None, id="a default, perhaps"),
        pytest.param(condition("StringEquals", REGION, "${aws:CalledVia, 'eu-west-1'}"), True, id="a default"),
        pytest.param(
            {**condition("IpAddress", UNKNOWN_KEY, "10.0.0.0/8"), **condition("StringEquals", REGION, "us-east-1")},
            False,
            id="one condition that is not met settles it",
        ),
        # Keys of another service are not in this request, but for what travels with the caller
        pytest.param(condition("StringNotEquals", "ec2:MetadataHttpTokens", "required"), True, id="of EC2, in S3"),
        pytest.param(condition("NumericLessThan", "ec2:RoleDelivery", "2.0"), None, id="that travels"),
        pytest.param(condition("StringEquals", "s3:prefix", "x"), None, id="of the service itself"),
    ],
)
def test_conditions(given: dict[str, Any], expected: bool | None) -> None:
    assert verdict(Condition=given) is expected


def test_what_is_missing_is_named() -> None:
    body = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": condition("StringEquals", "aws:SourceIp", "x"),
    }
    assert applies(statements({"Statement": [body]})[0], REQUEST).missing == {"aws:SourceIp"}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("a*", f"ab{ANY}", True, id="whatever it is, a star takes it"),
        pytest.param("ab", f"ab{ANY}", None, id="it may be nothing"),
        pytest.param("b*", f"a{ANY}", False, id="no filling in helps"),
        pytest.param("x???", f"x{ONE * 3}", True, id="three of three"),
        pytest.param("x??", f"x{ONE * 3}", False, id="three are not two"),
        pytest.param("x?*", f"x{ANY}", None, id="a question mark takes no unknown length"),
        pytest.param("*_0123", f"role_{ONE * 4}", None, id="perhaps these four"),
        pytest.param(f"a{ANY}", "abc", None, id="a pattern that is not known"),
        pytest.param(f"a{ANY}", "xbc", False, id="a pattern that cannot match"),
    ],
)
def test_parts_that_are_not_known(pattern: str, text: str, expected: bool | None) -> None:
    assert matches(pattern, text) is expected


def test_the_role_of_a_permission_set_is_recognized_without_its_random_end() -> None:
    role = f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_{ONE * 16}"
    assert arn_matches("arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admin_*", role) is True
    assert arn_matches("arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admins_*", role) is False
    assert arn_matches("arn:aws:iam::*:role/*/AWSReservedSSO_Admin_0123456789abcdef", role) is None
