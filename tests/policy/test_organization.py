"""What SCPs and RCPs say together: decision tables of the Organizations User Guide, and laws for all policies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.policy.evaluate import statements
from controller.policy.organization import ALLOW_ALL, SCP, Attached, Level, Verdict, judge, under_rcps
from controller.policy.request import Request

ALLOWED, DENIED, UNKNOWN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNKNOWN


def policy(name: str, *bodies: dict[str, Any]) -> Attached:
    return Attached(SCP, name, statements({"Statement": [{"Resource": "*", **body} for body in bodies]}))


FULL = Attached(SCP, "FullAWSAccess", statements(ALLOW_ALL))
ALLOW_S3 = policy("allow-s3", {"Effect": "Allow", "Action": "s3:*"})
DENY_S3 = policy("deny-s3", {"Effect": "Deny", "Action": "s3:*"})
DENY_ABROAD = policy(
    "deny-abroad",
    {"Effect": "Deny", "Action": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}},
)
UNREAD = Attached(SCP, "theirs", None, why="it is not read")
S3, EC2 = Request("s3:GetObject"), Request("ec2:RunInstances")


def path(*levels: list[Attached]) -> list[Level]:
    return [Level(f"level {n}", tuple(policies)) for n, policies in enumerate(levels)]


@pytest.mark.parametrize(
    ("levels", "s3", "ec2"),
    [
        # Organizations User Guide, "SCP evaluation": root, OU, account
        pytest.param(path([FULL], [FULL], [FULL]), ALLOWED, ALLOWED, id="full access at every level"),
        pytest.param(path([FULL], [ALLOW_S3], [FULL]), ALLOWED, DENIED, id="an OU that allows one service"),
        pytest.param(path([FULL], [], [FULL]), DENIED, DENIED, id="a level without any allow"),
        pytest.param(path([FULL], [FULL], []), DENIED, DENIED, id="the account's own level counts as well"),
        pytest.param(path([FULL, DENY_S3], [FULL], [FULL]), DENIED, ALLOWED, id="a deny at the root"),
        pytest.param(path([FULL], [FULL], [FULL, DENY_S3]), DENIED, ALLOWED, id="a deny at the account"),
        pytest.param(path([DENY_S3], [FULL], [FULL]), DENIED, DENIED, id="a deny alone allows nothing"),
        pytest.param(path([ALLOW_S3, FULL], [FULL]), ALLOWED, ALLOWED, id="the union of what a level allows"),
        pytest.param(path([ALLOW_S3], [DENY_S3, FULL]), DENIED, DENIED, id="a deny outweighs an allow"),
        # What is not known
        pytest.param(path([FULL], [FULL, UNREAD]), UNKNOWN, UNKNOWN, id="a policy that was not read may deny"),
        pytest.param(path([FULL, DENY_S3], [FULL, UNREAD]), DENIED, UNKNOWN, id="a deny is a deny all the same"),
        pytest.param(path([FULL], [UNREAD]), UNKNOWN, UNKNOWN, id="a policy that was not read may allow"),
        pytest.param(path([FULL, DENY_ABROAD]), UNKNOWN, UNKNOWN, id="a Region that is not known"),
        pytest.param([Level("/", (FULL,), "not listed")], UNKNOWN, UNKNOWN, id="attachments that are not known"),
    ],
)
def test_scps(levels: list[Level], s3: Verdict, ec2: Verdict) -> None:
    assert (judge(levels, S3, allows=True).verdict, judge(levels, EC2, allows=True).verdict) == (s3, ec2)


def test_what_decides_is_named() -> None:
    content = {"Statement": [{"Sid": "NoS3", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    denying = Attached(SCP, "guard", statements(content, lambda n: f"guard.yaml:{n + 7}:5"))
    decision = judge([Level("/Prod", (FULL, denying))], S3, allows=True)
    assert [str(r) for r in decision.reasons] == [
        "service control policy 'guard' on /Prod, statement 'NoS3' (guard.yaml:7:5)"
    ]
    assert [str(r) for r in judge(path([ALLOW_S3]), EC2, allows=True).reasons] == [
        "nothing attached to level 0 allows it"
    ]
    assert "aws:RequestedRegion" in judge(path([FULL, DENY_ABROAD]), S3, allows=True).missing


def test_rcps_are_about_the_services_that_support_them_and_those_they_name() -> None:
    of_all = path([policy("p", {"Effect": "Deny", "Principal": "*", "Action": "*"})])
    of_one = path([policy("p", {"Effect": "Deny", "Principal": "*", "Action": "ec2:Run*"})])
    assert under_rcps(S3, of_all)
    assert not under_rcps(EC2, of_all)
    assert under_rcps(EC2, of_one)


# Laws

_ACTIONS = st.sampled_from(["*", "s3:*", "s3:Get*", "ec2:*", "s3:GetObject", "iam:*"])
_CONDITIONS = st.sampled_from(
    [
        None,
        {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
        {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"Null": {"aws:SourceVpc": "true"}},
        {"BoolIfExists": {"aws:ViaAWSService": "false"}},
    ]
)


@st.composite
def bodies(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    body = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Deny"])),
        draw(st.sampled_from(["Action", "NotAction"])): draw(st.lists(_ACTIONS, min_size=1, max_size=3)),
        "Resource": draw(st.sampled_from(["*", "arn:aws:s3:::logs/*"])),
    }
    condition = draw(_CONDITIONS)
    return body if condition is None else {**body, "Condition": condition}


LEVELS = st.lists(st.lists(bodies(), max_size=4), min_size=1, max_size=3)
REQUESTS = st.builds(
    lambda action, resource, known: Request(action, resource).knowing(known),
    st.sampled_from(["s3:GetObject", "ec2:RunInstances", "iam:PassRole"]),
    st.sampled_from([("*",), ("arn:aws:s3:::logs/1",), Request("x").resources]),
    st.dictionaries(
        st.sampled_from(["aws:RequestedRegion", "aws:PrincipalArn", "aws:SourceIp", "aws:ViaAWSService"]),
        st.sampled_from(["eu-west-1", "arn:aws:iam::111122223333:role/Admin", "10.0.0.1", "false"]),
    ),
)


def judged(levels: list[list[dict[str, Any]]], request: Request) -> Verdict:
    return judge(path(*([policy("p", *level)] for level in levels)), request, allows=True).verdict


@given(LEVELS, REQUESTS, st.data())
def test_denying_everything_anywhere_denies(
    levels: list[list[dict[str, Any]]], request_: Request, data: st.DataObject
) -> None:
    data.draw(st.sampled_from(levels)).append({"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert judged(levels, request_) is DENIED


@given(LEVELS, bodies("Deny"), REQUESTS, st.data())
def test_one_more_deny_never_allows_anything(
    levels: list[list[dict[str, Any]]], more: dict[str, Any], request_: Request, data: st.DataObject
) -> None:
    before = judged(levels, request_)
    data.draw(st.sampled_from(levels)).append(more)
    after = judged(levels, request_)
    assert after is before or (before is not DENIED and after is not ALLOWED)


@given(LEVELS, REQUESTS, st.data())
def test_one_allow_less_never_allows_anything(
    levels: list[list[dict[str, Any]]], request_: Request, data: st.DataObject
) -> None:
    before = judged(levels, request_)
    allows = [(level, body) for level in levels for body in level if body["Effect"] == "Allow"]
    if allows:
        level, body = data.draw(st.sampled_from(allows))
        level.remove(body)
    assert judged(levels, request_) is before or (before is not DENIED and judged(levels, request_) is not ALLOWED)


@given(LEVELS, REQUESTS, st.sampled_from(["eu-west-1", "us-east-1"]))
def test_knowing_more_never_contradicts_what_was_certain(
    levels: list[list[dict[str, Any]]], request_: Request, region: str
) -> None:
    before = judged(levels, request_)
    if request_.values("aws:RequestedRegion") is None and before is not UNKNOWN:
        assert judged(levels, request_.knowing({"aws:RequestedRegion": region})) is before
