"""The organization's resource policy: what member accounts may do of what is the management account's."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from controller.sandbox.organizations.base import Base, constraint, invalid
from controller.sandbox.world import Caller, Refused

LONGEST = 40_000


class Delegation(Base):
    """State: ``resource_policy``, its id and text."""

    def put_resource_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        text = request["Content"]
        if len(text) > LONGEST and self.world.rule("policy-size"):
            raise constraint("POLICY_CONTENT_LIMIT_EXCEEDED", f"A resource policy has at most {LONGEST} characters.")
        try:
            statements = _list(json.loads(text)["Statement"])
        except (ValueError, TypeError, KeyError):
            raise _malformed("It is no policy document.") from None
        if any({"NotAction", "NotResource"} & set(each) for each in statements):
            raise _malformed("NotAction and NotResource are not supported.")
        id = self.state.get("resource_policy", ("rp-" + self.world.token(8),))[0]
        self.state["resource_policy"] = (id, text)
        return self.describe_resource_policy(caller, {})

    def describe_resource_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        id, text = self._resource_policy()
        return {"ResourcePolicy": {"ResourcePolicySummary": self._summarize(id), "Content": text}}

    def delete_resource_policy(self, caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
        self._resource_policy()
        del self.state["resource_policy"]
        return {}

    def delegated(self, account: str, operation: str) -> bool:
        """Whether the resource policy lets a member call an operation. Resources and conditions are not looked at."""
        if "resource_policy" not in self.state:
            return False
        effects = {
            each["Effect"]
            for each in _list(json.loads(self.state["resource_policy"][1])["Statement"])
            if _names(each.get("Principal"), account)
            and any(fnmatchcase(f"organizations:{operation}", action) for action in _list(each.get("Action", [])))
        }
        return effects == {"Allow"}

    def _summarize(self, id: str) -> dict[str, str]:
        return {"Id": id, "Arn": self.arn("resourcepolicy", id)}

    def _resource_policy(self) -> tuple[str, str]:
        found: tuple[str, str] | None = self.state.get("resource_policy")
        if found is None:
            message = "We can't find a resource policy request with the parameter that you specified."
            raise Refused("ResourcePolicyNotFoundException", message)
        return found


def _names(principal: Any, account: str) -> bool:
    """Whether a Principal means an account: by its id or an ARN in it, or everybody."""
    given = principal.get("AWS", []) if isinstance(principal, dict) else principal or []
    return any(each in ("*", account) or each.split(":")[4:5] == [account] for each in _list(given))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _malformed(message: str) -> Refused:
    return invalid("INVALID_RESOURCE_POLICY_JSON", message)
