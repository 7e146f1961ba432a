"""Random organizations, random commits, and one call in five goes wrong."""

from __future__ import annotations

import os
from contextlib import suppress
from random import Random

import pytest

from controller.errors import AwsError
from controller.sandbox.rules import FACTS, STRICT
from controller.sandbox.sandbox import Sandbox
from tests.hardening.commits import SEED, commit, successor
from tests.hardening.laws import Laws, missing
from tests.hardening.yard import Yard, dump

SEEDS = range(int(os.environ.get("ORGCTL_STORM_SEEDS", "10")))
CYCLES = 3
"""In the storm, for each of the two commits."""
MINUTE, LONG = 60.0, 600.0
EITHER = [fact for fact in FACTS if fact != "ou-names-per-parent"]
"""With names that are unique in the whole organization, no commit with /A/X and /B/X could be fulfilled."""


def brew(sandbox: Sandbox, random: Random) -> None:
    """AWS as inconvenient as it can be, with any answers to the open questions; a fifth of all calls goes wrong, and a
    tenth of what AWS does later."""
    for kind, probability in {"throttle": 0.05, "internal": 0.04, "reset": 0.04, "lost": 0.04, "slow": 0.02}.items():
        sandbox.faults.add(operation="*", kind=kind, probability=probability, seconds=20.0)
    sandbox.faults.add(operation="*", kind="error", code="AccessDeniedException", probability=0.005)
    sandbox.faults.add(operation="*", kind="error", code="ExpiredTokenException", status=403, probability=0.005)
    for code in ("ConcurrentModificationException", "TooManyRequestsException"):
        sandbox.faults.add(operation="organizations:*", kind="error", code=code, probability=0.02)
    for operation in ("CreateAccountAssignment", "DeleteAccountAssignment", "ProvisionPermissionSet"):
        sandbox.faults.add(operation=f"sso-admin:{operation}", kind="fail", code="Storm", probability=0.1)
    for operation in ("BatchEnableStandards", "BatchDisableStandards"):
        sandbox.faults.add(operation=f"securityhub:{operation}", kind="fail", code="INTERNAL_ERROR", probability=0.1)
    sandbox.rules.set({**STRICT, **{fact: random.random() < 0.5 for fact in EITHER}})


OUTAGES = (
    "organizations:AttachPolicy", "organizations:DetachPolicy", "organizations:CreatePolicy", "organizations:Tag*",
    "organizations:UpdatePolicy", "organizations:DeletePolicy", "organizations:CreateOrganizationalUnit",
    "organizations:DeleteOrganizationalUnit", "organizations:UpdateOrganizationalUnit", "organizations:MoveAccount",
    "organizations:*List*", "sso-admin:CreatePermissionSet", "sso-admin:DeletePermissionSet", "sso-admin:Attach*",
    "sso-admin:CreateAccountAssignment", "sso-admin:DeleteAccountAssignment", "sso-admin:Describe*Status",
    "sso-admin:ProvisionPermissionSet", "sso-admin:Detach*", "sso-admin:List*", "identitystore:*", "securityhub:Batch*",
    "securityhub:EnableSecurityHub", "resourcegroupstaggingapi:*", "sts:*",
)  # fmt: skip
"""What may be out for a whole cycle, so that no patience helps."""


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_storm_nothing_is_unprotected_and_after_it_all_is_as_git_says(seed: int) -> None:
    random = Random(seed)
    first = commit(random)
    second = successor(random, first)
    yard = Yard(SEED, first.text, rate_multiple=1.0, workers=4, random=seed)
    world = yard.sandbox.world
    brew(yard.sandbox, random)
    laws = [Laws(world, first, first), Laws(world, first, second)]
    for law, git in zip(laws, (first, second), strict=True):
        yard.git = git.text
        with yard.watching(law.watch):
            for _ in range(CYCLES):
                outage = random.choice(OUTAGES), random.choice(("internal", "reset", "lost", "throttle"))
                out = yard.sandbox.faults.add(operation=outage[0], kind=outage[1], probability=0.9)
                if random.random() < 0.3:
                    yard.restart(dump(yard.store) if random.random() < 0.5 else None)
                with suppress(AwsError):  # not even its credentials could be looked up
                    yard.attend()
                yard.sandbox.faults.all.remove(out)
                yard.clock.sleep(MINUTE)
    yard.sandbox.faults.all.clear()
    with yard.watching(laws[1].watch):
        yard.operate(every=LONG)
    broken = [broken for law in laws for broken in law.broken]
    assert not broken, "\n".join(broken[:5])
    assert not missing(world, second)
