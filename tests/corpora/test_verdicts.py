"""Published policies, each with the verdict that verdicts.yaml expects of it and why.

They are other people's, and no part of this project: a directory `shared/corpora` beside the checkout has them, or the
one that ORGCTL_CORPORA names.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.desired.load import read
from controller.desired.source import Files
from controller.errors import Problem
from controller.policy.evaluate import applies, statements
from controller.policy.request import Request, principal_keys

CORPORA = Path(os.environ.get("ORGCTL_CORPORA") or Path(__file__).parents[3] / "shared" / "corpora")
VERDICTS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("verdicts.yaml").read_text("utf-8"))

needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no published policies in {CORPORA}")

ACCOUNT, ORGANIZATION = "111122223333", "o-a1b2c3d4e5"
FILLED_IN = {
    "${Account}": ACCOUNT,
    "${ACCELERATOR_PREFIX}": "Accelerator",
    "${MANAGEMENT_ACCOUNT_ACCESS_ROLE}": "AWSControlTowerExecution",
    "${ORG_ID}": ORGANIZATION,
    "${PARTITION}": "aws",
    "${HOME_REGION}": "us-east-1",
    "${REGION}": "us-east-1",
    "${Region}": "us-east-1",
    "[PRIVILEGED_ROLE]": "Privileged",
    "<my-corporate-cidr>": "192.0.2.0/24",
    "<my-vpc>": "vpc-0123456789abcdef0",
}
BLANK = re.compile(r"\$\{[A-Za-z_]+\}|\[[A-Z][A-Z_/*]+\]|<[a-z-]+>|\{[a-z][a-z0-9-]+\}")
PRINCIPALS = {"root": f"arn:aws:iam::{ACCOUNT}:root", "user": f"arn:aws:iam::{ACCOUNT}:user/alice"}


def judged(path: str, text: str) -> list[Problem]:
    kind = VERDICTS[path]["kind"]
    field = "inline_policy_file" if kind == "PermissionSet" else "content_file"
    document = f"kind: {kind}\nname: published\n{field}: it.json\n"
    _, problems = read(Files({"document.yaml": document.encode(), "it.json": text.encode()}))
    return list(problems)


def published(path: str) -> str:
    return (CORPORA / path).read_text(encoding="utf-8")


def filled_in(text: str) -> str:
    return BLANK.sub(lambda blank: FILLED_IN.get(blank[0], "Blank"), text)


@needs_corpora
def test_every_published_policy_has_a_verdict() -> None:
    assert {path.relative_to(CORPORA).as_posix() for path in CORPORA.rglob("*.json")} == VERDICTS.keys()


@needs_corpora
@pytest.mark.parametrize("path", VERDICTS)
def test_a_published_policy_gets_the_verdict_that_is_expected(path: str) -> None:
    expected, problems = VERDICTS[path], judged(path, published(path))

    verdict = "sound" if not problems else "doubtful" if all(problem.warning for problem in problems) else "refused"
    assert verdict == expected["verdict"], [str(problem) for problem in problems]
    assert {problem.file for problem in problems} <= {"it.json"}
    wanted = [said.split(" ", 1) for said in expected.get("says", [])]
    assert [f"{problem.line}:{problem.column}" for problem in problems] == [place for place, _ in wanted]
    assert [problem.what for problem, (_, what) in zip(problems, wanted, strict=True) if what not in problem.what] == []


@needs_corpora
@pytest.mark.parametrize("path", [path for path, expected in VERDICTS.items() if expected["verdict"] == "doubtful"])
def test_nothing_is_left_to_be_said_of_blanks_once_they_are_filled_in(path: str) -> None:
    doubts = [said.split(" ", 1)[1] for said in VERDICTS[path]["says"] if not BLANK.fullmatch(said.split(" ", 1)[1])]

    problems = judged(path, filled_in(published(path)))
    assert len(problems) == len(doubts)
    assert all(doubt in problem.what for doubt, problem in zip(doubts, problems, strict=True))


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a policy, and the answer that is expected."""

    expected: str
    request: Request

    @classmethod
    def read(cls, text: str) -> Call:
        expected, action, *rest = text.split(" ")
        known = dict(part.split("=", 1) for part in rest)
        role, resource = known.pop("as", "Developer"), known.pop("on", None)
        arn = PRINCIPALS.get(role, f"arn:aws:iam::{ACCOUNT}:role/{role}")
        keys = {**principal_keys(arn, organization=ORGANIZATION, account=ACCOUNT)}
        more = {key: (value,) if value else () for key, value in known.items()}
        request = Request(action, (resource,)) if resource else Request(action)
        return cls(expected, request.knowing(keys).knowing(more))


@needs_corpora
@pytest.mark.parametrize(
    ("path", "call"),
    [
        pytest.param(path, call, id=f"{Path(path).stem}: {call}")
        for path, expected in VERDICTS.items()
        for call in expected.get("calls", [])
    ],
)
def test_a_published_policy_denies_what_it_is_for_and_spares_the_rest(path: str, call: str) -> None:
    asked = Call.read(call)
    answers = [applies(one, asked.request).truth for one in statements(json.loads(filled_in(published(path))))]

    told = "denied" if True in answers else "unknown" if None in answers else "spared"
    assert told == asked.expected
