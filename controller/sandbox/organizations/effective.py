"""Effective policies: what management policies come to for an account, all inherited ones taken together.

Organizations User Guide, "Inheritance operators": what lies nearer to the account is laid over what lies above.
"""

from __future__ import annotations

import json
from typing import Any

from controller.sandbox.organizations.policies import Policies
from controller.sandbox.world import Caller, Refused

CONTROL = "@@operators_allowed_for_child_policies"


class Effective(Policies):
    def describe_effective_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        type, target = request["PolicyType"], request.get("TargetId") or caller.account
        self.target(target)
        above = self.world.path(target).rstrip("/").split("/")[1:]
        merged: Any = {}
        found = False
        for step in above:
            for id in self.world.attached[step]:
                if self.world.policies[id].type == type:
                    merged, found = merge(merged, json.loads(self.world.policies[id].content)), True
        if not found or not self.world.policy_type_status(type):
            message = "If you ran this action on the management account, this policy type is not enabled."
            raise Refused("EffectivePolicyNotFoundException", message)
        return {
            "EffectivePolicy": {
                "PolicyContent": json.dumps(merged, separators=(",", ":")),
                "LastUpdatedTimestamp": self.world.clock.now(),
                "TargetId": target,
                "PolicyType": type,
            }
        }


def merge(above: Any, policy: dict[str, Any]) -> Any:
    """`policy` laid over what has been inherited, its operators carried out; what a child may not do, it may here."""
    if "@@assign" in policy:
        return policy["@@assign"]
    if "@@append" in policy or "@@remove" in policy:
        kept = above if isinstance(above, list) else [] if above in (None, {}) else [above]
        appended = _list(policy.get("@@append", []))
        removed = _list(policy.get("@@remove", []))
        return [each for each in [*kept, *(new for new in appended if new not in kept)] if each not in removed]
    result = dict(above) if isinstance(above, dict) else {}
    for key, value in policy.items():
        if key != CONTROL:
            result[key] = merge(result.get(key), value) if isinstance(value, dict) else value
    return result


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
