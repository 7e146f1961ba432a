"""How long a policy may be and how many a target takes: AWS's limits, or the settings'."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controller.config import PolicyLimits, Settings
from controller.desired.load import read
from controller.desired.source import Files
from controller.errors import Problem

UNITS = "kind: OrganizationalUnits\nunits: {Workloads: }\n"
FULL = {"ServiceControlPolicy": "FullAWSAccess", "ResourceControlPolicy": "RCPFullAWSAccess"}
OPTED_OUT = {"opt_out_policy": {"@@assign": "optOut"}}
SLOTS = [
    pytest.param("ServiceControlPolicy", 9, id="ten SCPs with FullAWSAccess"),
    pytest.param("ResourceControlPolicy", 4, id="five RCPs with RCPFullAWSAccess"),
    pytest.param("TagPolicy", 10, id="ten tag policies"),
    pytest.param("BackupPolicy", 10, id="ten backup policies"),
    pytest.param("DeclarativePolicy", 10, id="ten declarative policies"),
    pytest.param("AiServicesOptOutPolicy", 5, id="five AI opt-out policies"),
]


def found(text: str, limits: PolicyLimits | None = None) -> list[Problem]:
    _, problems = read(Files({"units.yaml": UNITS.encode(), "p.yaml": text.encode()}), limits=limits)
    return list(problems)


def policy(kind: str, name: str = "p", more: str = "", resource: str = "*") -> str:
    return f"kind: {kind}\nname: {name}\ncontent: {json.dumps(content(kind, resource))}\n{more}"


def content(kind: str, text: str) -> dict[str, Any]:
    """Sound content that holds this text."""
    match kind:
        case "TagPolicy":
            return {"tags": {"t": {"tag_value": {"@@assign": [text]}}}}
        case "BackupPolicy":
            return {"plans": {"p": {"regions": {"@@assign": [text]}, "rules": {}, "selections": {}}}}
        case "AiServicesOptOutPolicy":
            parts = (text[:900], text[900:1800], text[1800:])  # a key of YAML has 1,024 characters at most
            return {"services": {f"{n}{part}": OPTED_OUT for n, part in enumerate(parts)}}
        case "DeclarativePolicy":
            return {"ec2_attributes": {"exception_message": {"@@assign": text}}}
    rule = {"Effect": "Deny", "Action": "s3:*", "Resource": text}
    rule |= {"Principal": "*"} if kind == "ResourceControlPolicy" else {}
    return {"Version": "2012-10-17", "Statement": [rule]}


def several(kind: str, count: int) -> str:
    return "---\n".join(policy(kind, f"n{n}", "targets: {units: [/Workloads]}\n") for n in range(count))


@pytest.mark.parametrize(("kind", "most"), SLOTS)
def test_one_policy_too_many_on_a_target_is_refused_where_it_stands(kind: str, most: int) -> None:
    assert [problem.warning for problem in found(several(kind, most))] == [True]
    (problem,) = found(several(kind, most + 1))
    assert (problem.line, problem.column) == (5 * most + 4, 19)
    assert "on '/Workloads'" in problem.what
    assert (f"{FULL.get(kind)} counted" in problem.what) == (kind in FULL)
    assert problem.what.endswith(f"the limit is {5 if most < 6 else 10}")


@pytest.mark.parametrize(("kind", "most"), SLOTS)
def test_a_target_that_is_four_fifths_full_is_warned_of_once(kind: str, most: int) -> None:
    limit = 5 if most < 6 else 10
    eighty = limit * 8 // 10 - (kind in FULL)
    assert found(several(kind, eighty - 1)) == []
    (problem,) = found(several(kind, eighty))
    assert problem.warning
    assert problem.what.endswith(f"of {limit} there can be")


def test_taking_full_access_off_makes_room_for_a_tenth() -> None:
    off = "---\nkind: ServiceControlPolicy\nname: FullAWSAccess\ndetached_from: {units: [/Workloads]}\n"

    assert [problem.what for problem in found(several("ServiceControlPolicy", 10))] == [
        "policy 'n9': the 11th on '/Workloads', FullAWSAccess counted; the limit is 10"
    ]
    assert [p.what for p in found(several("ServiceControlPolicy", 10) + off)] == [
        "policy 'n9': the 10th on '/Workloads', of 10 there can be"
    ]


def test_a_policy_whose_until_is_past_or_that_is_let_go_takes_no_place() -> None:
    over = policy("ServiceControlPolicy", "over", "until: 2026-01-01T00:00:00Z\ntargets: {units: [/Workloads]}\n")
    gone = "kind: ServiceControlPolicy\nname: gone\nreleased: true\n"
    text = "---\n".join([over, gone, several("ServiceControlPolicy", 6)])

    files = Files({"units.yaml": UNITS.encode(), "p.yaml": text.encode()})
    assert any("the 8th" in problem.what for problem in read(files)[1])
    assert not any("on '/Workloads'" in p.what for p in read(files, now=datetime(2026, 6, 1, tzinfo=UTC))[1])


SIZES = [
    ("ServiceControlPolicy", 10_240),
    ("ResourceControlPolicy", 5_120),
    ("TagPolicy", 10_000),
    ("BackupPolicy", 10_000),
    ("DeclarativePolicy", 10_000),
    ("AiServicesOptOutPolicy", 2_500),
]


def of_size(kind: str, size: int) -> str:
    """A policy that is so long without white space; the YAML has some."""
    empty = json.loads(policy(kind, resource="arn:").split("content: ")[1])
    rest = size - len(json.dumps(empty, separators=(",", ":")))
    return policy(kind, resource="arn:" + "x" * rest)


@pytest.mark.parametrize(("kind", "limit"), SIZES)
def test_a_policy_is_as_long_as_it_is_without_white_space(kind: str, limit: int) -> None:
    assert found(of_size(kind, limit * 8 // 10 - 1)) == []
    (close,) = found(of_size(kind, limit * 8 // 10))
    assert close.warning
    assert f"80% of {limit:,}" in close.what
    (full,) = found(of_size(kind, limit))
    assert full.warning
    (over,) = found(of_size(kind, limit + 1))
    assert not over.warning
    assert f"{limit + 1:,} characters without white space" in over.what
    assert over.what.endswith(f"the limit is {limit:,}")


@pytest.mark.parametrize(
    ("name", "longest"),
    [
        pytest.param("{{ org.id }}", 34, id="an organization"),
        pytest.param("{{ org.root_id }}", 34, id="a root"),
        pytest.param("{{ unit('/Workloads').id }}", 68, id="an OU"),
        pytest.param("{{ unit('/Workloads').path }}", 34 + 1 + 34 + 1 + 68, id="an OU's path"),
        pytest.param("{{ account('shop').id }}", 12, id="an account"),
    ],
)
def test_a_name_counts_as_the_longest_id_it_can_become(name: str, longest: int) -> None:
    """Organizations API reference, the patterns of OrganizationId, RootId, OrganizationalUnitId, AccountId."""
    accounts = "---\nkind: Accounts\naccounts: {shop: {email: shop@example.com}}\n"
    (problem,) = found(of_size("ServiceControlPolicy", 10_241 - longest).replace("arn:", f"arn:{name}") + accounts)
    assert "10,241 characters" in problem.what
    assert found(of_size("ServiceControlPolicy", 10_240 - longest).replace("arn:", f"arn:{name}") + accounts)[0].warning


def test_an_inline_policy_near_its_limit_is_warned_of() -> None:
    resource = f"arn:aws:s3:::{'x' * 8_200}"
    statement = f"{{Effect: Allow, Action: 's3:*', Resource: '{resource}'}}"
    content = f"{{Version: '2012-10-17', Statement: {statement}}}"
    (problem,) = found(f"kind: PermissionSet\nname: P\ninline_policy: {content}\n")
    assert problem.warning
    assert "of 10,240" in problem.what


def test_the_settings_say_how_much_there_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orgctl.yaml").write_text(
        "policy_limits:\n  service_control_policy: {attached: 5}\n  tag_policy: {characters: 200}\n  warn_at: 1.0\n"
    )
    monkeypatch.setenv("ORGCTL_POLICY_LIMITS__RESOURCE_CONTROL_POLICY__ATTACHED", "3")
    limits = Settings().policy_limits

    assert limits.of("ServiceControlPolicy").characters == 10_240, "what is not said stays as it is"
    assert found(several("ServiceControlPolicy", 3), limits) == []
    assert "the 6th" in found(several("ServiceControlPolicy", 5), limits)[-1].what
    assert "the limit is 3" in found(several("ResourceControlPolicy", 3), limits)[-1].what
    assert "the limit is 200" in found(of_size("TagPolicy", 201), limits)[0].what
