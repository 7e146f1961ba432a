from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import dedent

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.desired.documents import MODELS, by_kind
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.documents.policies import Policy
from controller.desired.documents.security_hub import SecurityHub
from controller.desired.estate import Estate
from controller.desired.load import load, read
from controller.desired.source import Files, directory
from controller.errors import InvalidInput

EXAMPLE = Path(__file__).parents[2] / "desired-state"


def estate(**files: str) -> Estate:
    return load(Files({f"{name}.yaml": dedent(text).encode() for name, text in files.items()}, commit="c0ffee"))


def test_units_of_several_documents_are_one_tree_parents_first() -> None:
    found = estate(
        a="""
            kind: OrganizationalUnits
            units: {Workloads: {units: {Prod: {tags: {env: prod}, formerly: Production}}}}
        """,
        b="""
            kind: OrganizationalUnits
            units:
              Workloads: {tags: {owner: us}, units: {"R\\\\/D": }}
              Old: {deleted: true}
        """,
    )

    assert list(found.units) == ["/Workloads", "/Workloads/Prod", "/Workloads/R\\/D", "/Old"]
    assert found.units["/Workloads"].tags == {"owner": "us"}
    assert str(found.units["/Workloads"].mark) == "b.yaml:4:3"
    assert found.units["/Workloads/Prod"].formerly == "Production"
    assert found.units["/Workloads/R\\/D"].name == "R/D"
    assert found.units["/Old"].deleted
    assert found.commit == "c0ffee"


def test_accounts_of_several_documents_are_one_table() -> None:
    found = estate(
        a="kind: Accounts\naccounts: {one: {id: '111122223333'}}\n",
        b="kind: Accounts\naccounts: {two: {email: Two@Example.com, unit: /, tags: {}}}\n",
    )

    assert found.accounts["one"].id == "111122223333"
    assert found.accounts["one"].tags is None, "absent: not managed"
    assert found.accounts["two"].tags == {}, "empty: managed and empty"
    assert str(found.account_marks["two"]) == "b.yaml:2:12"


def test_content_of_a_file_is_in_its_document_with_its_places() -> None:
    found = load(
        Files(
            {
                "x/p.yaml": b"kind: ServiceControlPolicy\nname: p\ncontent_file: p.json\n",
                "x/p.json": b'{"Version": "2012-10-17",\n'
                b' "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}',
            }
        )
    )

    (policy,) = found.of(Policy)
    assert policy.model.content is not None
    assert policy.model.content["Statement"]["Effect"] == "Deny"
    assert str(policy.marks.at("content", "Statement", "Effect")) == "x/p.json:2:26"


def test_names_may_be_ids_that_nobody_declared() -> None:
    found = estate(
        a="""
            kind: Assignments
            assignments:
              - user: alice
                permission_sets: ["arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"]
                targets: {accounts: ["111122223333"], units: [ou-ab12-12345678, r-ab12]}
                until: 2026-12-31T00:00:00+01:00
        """
    )

    (document,) = found.of(Assignments)
    until = document.model.assignments[0].until
    assert until is not None
    assert until.utcoffset() is not None


def test_a_kind_without_documents_is_not_managed() -> None:
    found = estate(a="kind: Organization\n")

    assert not found.has(SecurityHub)
    assert not found.has(PermissionSet)


def test_nothing_at_all_is_a_good_commit_too() -> None:
    assert estate(a="# nothing yet\n", b="---\n...\n").documents == ()


def test_the_worked_example_is_sound() -> None:
    found, problems = read(directory(EXAMPLE))

    assert list(map(str, problems)) == []
    assert found is not None
    assert found.units


PIECES = st.sampled_from(
    [
        *by_kind(MODELS),
        *("kind", "name", "version", "units", "accounts", "targets", "content", "tags", "until", "formerly", "id"),
        *("assignments", "permission_sets", "standards", "disabled_controls", "control", "regions", "deleted"),
        *("inline_policy", "permissions_boundary", "Version", "Statement", "Condition", "Action", "Resource", "/"),
        *("/A", "A", "{{ org.id }}", "{{", "111122223333", "2026-01-01T00:00:00Z", "content_file", "x.json", "PT1H"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | PIECES
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PIECES | st.text(max_size=4), inner, max_size=6),
    max_leaves=20,
)


def judged(content: bytes) -> None:
    """Whatever it is: an estate, or problems that each have a place and words."""
    try:
        load(Files({"a.yaml": content, "x.json": content}))
    except InvalidInput as error:
        assert error.problems
        for problem in error.problems:
            assert problem.file in ("a.yaml", "x.json")
            assert problem.line >= 1
            assert problem.column >= 1
            str(problem).encode()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(content: bytes) -> None:
    judged(content)


@settings(deadline=None)
@given(st.text(alphabet=":-{}[]&*!|>'\"%@#,? \n\tkindae<~.1", max_size=80))
def test_arbitrary_yaml_is_read_or_refused(content: str) -> None:
    judged(content.encode())


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(list(by_kind(MODELS))), st.dictionaries(PIECES, VALUES, max_size=6))
def test_arbitrary_documents_are_read_or_refused(kind: str, body: dict[str, object]) -> None:
    # JSON is YAML, but for its names of infinity.
    judged(json.dumps({**body, "kind": kind}).encode())


def test_nothing_here_knows_boto() -> None:
    sources = (Path(__file__).parents[2] / "controller" / "desired").rglob("*.py")

    assert [path.name for path in sources if re.search(r"^\s*(import|from) boto", path.read_text(), re.M)] == []
