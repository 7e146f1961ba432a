"""Stopped after any write, the next cycle ends where an undisturbed one would have."""

from __future__ import annotations

import pytest

from controller.errors import Stopped
from tests.resources.access import AUDIT, PEOPLE, Town
from tests.resources.test_security_hub import CIS

BEFORE = """
{kind: PermissionSet, name: Power, managed_policies: [PowerUserAccess, SecurityAudit], session_duration: PT1H}
---
{kind: Assignments, assignments: [{group: admins, permission_sets: [Power], targets: {units: [/Workloads]}}]}
"""
AFTER = f"""
kind: PermissionSet
name: Power
session_duration: PT2H
managed_policies: [ReadOnlyAccess]
permissions_boundary: {{managed_policy: ReadOnlyAccess}}
tags: {{a: b}}
---
kind: PermissionSet
name: Read
inline_policy: {{Version: "2012-10-17", Statement: [{{Effect: Allow, Action: "s3:*", Resource: "*"}}]}}
---
kind: Assignments
assignments:
  - {{group: admins, permission_sets: [Read], targets: {{units: [/Workloads]}}}}
  - {{group: developers, permission_sets: [Power], targets: {{accounts: [audit]}}}}
---
kind: SecurityHub
regions: [us-east-1]
targets: {{accounts: [audit]}}
standards: [{CIS}]
disabled_controls: [{{control: IAM.6, reason: Our own}}]
"""
WRITES = 16


@pytest.mark.parametrize("after", range(1, WRITES, 2))
def test_stopped_after_some_writes(after: int) -> None:
    town = Town(BEFORE, PEOPLE)
    town.stop_after(after)
    try:
        town.cycle(AFTER)
    except Stopped:
        town.clock.stop.clear()
    town.stop_after(None)
    town.settle(AFTER)

    power = town.existing("Power")
    assert town.assignments() == {
        "group:admins/Read/payments-prod",
        "group:admins/Read/payments-dev",
        "group:developers/Power/audit",
    }
    assert (power.session_duration, set(power.managed), power.tags) == (
        "PT2H",
        {"arn:aws:iam::aws:policy/ReadOnlyAccess"},
        {"a": "b", "orgctl:managed-by": "main"},
    )
    assert all(rights == power.rights() for rights in power.provisioned.values())
    assert town.existing("Read").inline
    assert set(town.hub(AUDIT).disabled) == {(CIS, "IAM.6")}
    assert sum(town.writes().values()) >= WRITES
    town.close()
