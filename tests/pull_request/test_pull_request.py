"""`orgctl plan --format markdown` on a simulated organization: what a reviewer reads before a commit is merged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.planning.markdown import to_markdown
from controller.sandbox.seed import seeded
from tests.cycle.house import House
from tests.pull_request.world import COMMIT, NO_KEYS, PEOPLE, WORLD

EXPECTED = Path(__file__).parent / "expected.md"


def comment(git: str, **settings: Any) -> str:
    """The comment on a commit to the world's organization."""
    house = House(WORLD + PEOPLE, WORLD, **settings)
    house.git = git
    return to_markdown(house.plan())


def section(text: str, title: str) -> str:
    """What is folded below a title."""
    return text[text.index(f"<summary>{title}") :].partition("</details>")[0]


def test_the_comment_on_a_commit_is_this_text_each_time(tmp_path: Path) -> None:
    """Of the program itself, in another process each time. Written anew with ORGCTL_WRITE=1."""
    (tmp_path / "seed.yaml").write_text(WORLD + PEOPLE)
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "all.yaml").write_text(COMMIT)
    with seeded(tmp_path / "seed.yaml") as sandbox:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": sandbox.url,
            "AWS_ACCESS_KEY_ID": sandbox.world.management_account,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "ORGCTL_MODE": "enforce",
            "ORGCTL_RATE_MULTIPLE": "1000",
        }
        told = []
        for seed in ("1", "2"):
            command = [sys.executable, "-m", "controller", "plan", "git", "--format", "markdown"]
            ended = subprocess.run(
                command, cwd=tmp_path, env={**environment, "PYTHONHASHSEED": seed}, capture_output=True, text=True
            )
            assert ended.returncode == 2, ended.stderr
            told.append(ended.stdout)
    if os.environ.get("ORGCTL_WRITE"):
        EXPECTED.write_text(told[0])
    assert told == [EXPECTED.read_text()] * 2


def test_access_is_told_by_account_and_principal_with_its_ou_and_its_end() -> None:
    told = section(comment(COMMIT), "Who gains and loses access")

    assert re.search(r"account `pay-prod` \(`\d{12}`, in `/Prod/Payments`\)\n  - user `alice`: \*\*gains\*\* ", told)
    assert "`PowerUserAccess` until 2060-01-01T00:00:00+00:00" in told
    assert re.search(
        r"`shop-dev` .*, moving to `/Sandbox`\n  - group `developers`: \*\*loses\*\* `PowerUserAccess`", told
    )
    assert "auditors" not in told, "they keep what they have, also where an account moves"


def test_an_edit_of_a_permission_set_says_for_how_many_and_what() -> None:
    told = section(comment(COMMIT), "Who gains and loses access")

    assert "permission set `AuditAccess` changes for 1 principal in 4 accounts\n" in told
    assert "  - `managed_policies: + job-function/ViewOnlyAccess`" in told


def test_an_account_that_moves_comes_under_other_policies() -> None:
    told = section(comment(COMMIT), "Accounts that move")

    assert "- `/Dev` → `/Sandbox`: 1 account `shop-dev`\n" in told
    assert (
        "**gains** service control policy `no-keys`\n    - newly denies `iam:CreateUser, iam:CreateAccessKey if "
        in told
    )
    assert (
        "**loses** service control policy `region-lock`\n    - no longer denies `everything but iam:*, sts:* if" in told
    )
    assert "FullAWSAccess" not in told


def test_what_was_denied_further_up_is_not_new_further_down() -> None:
    house = House(WORLD + NO_KEYS.replace("/Sandbox, /Prod/Payments", "/Prod") + PEOPLE)
    house.git = WORLD + NO_KEYS.replace("/Sandbox, /Prod/Payments", "/Prod, /Prod/Payments")

    told = to_markdown(house.plan())

    assert (
        "- `/Prod/Payments`\n  - **gains** service control policy `no-keys`: the same is denied there without it"
        in told
    )
    assert "newly den" not in told


def test_access_and_policies_that_nobody_loses_are_said() -> None:
    told = comment(WORLD.replace("  Sandbox:\n", "  Sandbox: {tags: {a: b}}\n"))

    assert "**Access**: nobody gains or loses a permission set anywhere." in told
    assert "**Policies**: none comes, goes or changes." in told


def test_what_is_held_is_marked_where_it_is_told_what_it_would_do() -> None:
    told = comment(COMMIT, limits={"removals": 0})

    assert "2 lost (2 held)" in told
    assert "**loses** `PowerUserAccess` (held)" in told
    assert "- `/Dev` → `/Sandbox`: 1 account `shop-dev` (held)" in told
    assert re.search(r"delete `account_assignment` .*\n  - held: would remove 2 .* orgctl approve [0-9a-f]{12}", told)


def test_what_could_not_be_seen_is_not_told_as_nothing() -> None:
    house = House(WORLD + PEOPLE, WORLD)
    house.git = COMMIT
    house.sandbox.faults.add(kind="error", operation="sso-admin:ListAccountAssignments", code="AccessDeniedException")

    told = to_markdown(house.plan())

    assert "**Access**" not in told
    assert "- `account_assignment`: " in told


def test_taking_fullawsaccess_off_says_what_is_allowed_no_longer() -> None:
    only = "---\nkind: ServiceControlPolicy\nname: FullAWSAccess\ndetached_from: {units: [/Sandbox]}\n"
    some = NO_KEYS.replace("no-keys", "some").replace("Effect: Deny", "Effect: Allow").split("      Condition")[0]

    told = comment(WORLD + some.replace("/Sandbox, /Prod/Payments", "/Sandbox") + "\n" + only)

    assert "**loses** service control policy `FullAWSAccess` (held)\n    - no longer allows `everything`" in told
    assert "**gains** service control policy `some`\n    - newly allows `iam:CreateUser, iam:CreateAccessKey`" in told


def test_orphans_are_told_with_what_to_do() -> None:
    told = comment(WORLD.replace("  Sandbox:\n", ""))

    assert "say `deleted: true` or `released: true`" in told
    assert "- `organizational_unit` `/Sandbox`" in told


@pytest.mark.parametrize("name", ["<b>x</b>", "`x`", "@everybody", "](https://example.com)", "</details>"])
def test_names_of_accounts_are_names(name: str) -> None:
    told = comment(COMMIT.replace("  shop-dev:", f'  "{name}":'))

    lines = [line for line in told.splitlines() if name in line and line != "</details>"]
    assert lines
    outside = re.sub(r"(`+).*?\1(?!`)", "", "\n".join(lines))
    assert name not in outside
