"""The sandbox's own HTTP surface, ``/_sandbox/…``, in JSON: calls made, faults, time, and changes by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from controller.sandbox.wire import Answer, Request
from controller.sandbox.world import Refused

if TYPE_CHECKING:
    from controller.sandbox.sandbox import Sandbox

Body = dict[str, Any]


def handle(sandbox: Sandbox, request: Request) -> Answer:
    """Answer a control request. Errors: 400 with what is wrong, or with AWS's code where an operation was refused."""
    perform = ROUTES.get((request.method, request.path.removeprefix("/_sandbox/").rstrip("/")))
    if perform is None:
        known = ", ".join(f"{method} /_sandbox/{path}" for method, path in ROUTES)
        return _answer(404, {"error": f"There is no {request.method} {request.path}. There are: {known}."})
    try:
        body = {**dict(parse_qsl(request.query)), **(json.loads(request.body) if request.body.strip() else {})}
        return _answer(200, perform(sandbox, body))
    except Refused as refused:
        return _answer(refused.status or 400, {"code": refused.code, "error": refused.message, **refused.fields})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return _answer(400, {"error": f"{type(error).__name__}: {error}"})


def _answer(status: int, body: Body) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(body, default=_plain).encode() + b"\n")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def calls(sandbox: Sandbox, body: Body) -> Body:
    """Calls served since they were last reset. ``reset``: to nothing, afterwards; ``log``: also the last n, singly."""
    world = sandbox.world
    with world.lock:
        result: Body = {
            "total": sum(world.calls.values()),
            "calls": dict(sorted(world.calls.items())),
            "refused": dict(sorted(sandbox.refused.items())),
        }
        if last := int(body.get("log", 0)):
            result["log"] = list(world.log)[-last:]
        if body.get("reset") in (True, "1", "true"):
            world.calls.clear()
            sandbox.refused.clear()
            world.log.clear()
    return result


def list_faults(sandbox: Sandbox, body: Body) -> Body:
    return {"faults": sandbox.faults.shapes()}


def add_faults(sandbox: Sandbox, body: Body) -> Body:
    """``{"faults": [{operation, kind, …}], "clear": true}``, or one fault's fields. `Fault` says which."""
    with sandbox.world.lock:
        if body.pop("clear", False):
            sandbox.faults.clear()
        for fault in body.get("faults", [body] if body else []):
            sandbox.faults.add(**fault)
    return {"faults": sandbox.faults.shapes()}


def set_latency(sandbox: Sandbox, body: Body) -> Body:
    """``{pattern of service:Operation: seconds}``, all of them anew."""
    sandbox.latency = {pattern: float(seconds) for pattern, seconds in body.items()}
    return {"latency": sandbox.latency}


def set_delays(sandbox: Sandbox, body: Body) -> Body:
    """``{Operation: seconds}`` of asynchronous work; ``*``: all others. Adds to what is set."""
    sandbox.world.delays.update({operation: float(seconds) for operation, seconds in body.items()})
    return {"delays": sandbox.world.delays}


def list_rules(sandbox: Sandbox, body: Body) -> Body:
    return {"rules": sandbox.rules.shapes()}


def set_rules(sandbox: Sandbox, body: Body) -> Body:
    """``{rule: true, false, or true with this number}``; ``*``: every rule that is no open question."""
    with sandbox.world.lock:
        sandbox.rules.set(body)
    return {"rules": sandbox.rules.shapes()}


def set_rates(sandbox: Sandbox, body: Body) -> Body:
    """``{"multiple": of AWS's published rates}``; 0 or null: no limits."""
    with sandbox.world.lock:
        sandbox.rates.set(body["multiple"])
    return {"multiple": sandbox.rates.multiple}


def set_permissions(sandbox: Sandbox, body: Body) -> Body:
    """``{role name, or "management user": [IAM policy documents]}``, all of them anew; ``{}``: nothing is enforced."""
    with sandbox.world.lock:
        sandbox.world.data["iam"] = body
    return {"enforced": sorted(body)}


def call(sandbox: Sandbox, body: Body) -> Body:
    """``{service, operation, parameters, account?, region?}``: any operation by hand, as in a console."""
    return sandbox.call(
        body["service"],
        body["operation"],
        body.get("parameters"),
        account=body.get("account"),
        region=body.get("region", "us-east-1"),
    )


def state(sandbox: Sandbox, body: Body) -> Body:
    """What the organization is now, by names a person reads."""
    world = sandbox.world
    with world.lock:
        for service in sandbox.services.values():
            service.settle()
        paths = {id: _path(sandbox, id) for id in world.units}
        names = {**paths, **{id: account.name for id, account in world.accounts.items()}}
        return {
            "organization": world.organization_id,
            "root": world.root_id,
            "policy_types": {type: world.policy_type_status(type) for type in world.policy_types},
            "trusted_services": sorted(world.trusted_services),
            "delegated_administrators": {service: sorted(who) for service, who in world.delegated.items() if who},
            "units": {paths[unit.id]: {"id": unit.id, "tags": unit.tags} for unit in world.units.values()},
            "accounts": {
                account.id: {
                    "name": account.name,
                    "email": account.email,
                    "unit": paths[account.parent],
                    "state": account.state,
                    "tags": account.tags,
                    "contacts": sorted(account.contacts),
                }
                for account in world.accounts.values()
            },
            "policies": {
                policy.id: {
                    "name": policy.name,
                    "type": policy.type,
                    "tags": policy.tags,
                    "targets": [names[target] for target in policy.targets],
                }
                for policy in world.policies.values()
            },
        }


def _path(sandbox: Sandbox, id: str) -> str:
    """``/Workloads/Prod``."""
    steps: list[str] = []
    unit = sandbox.world.units[id]
    while unit.parent is not None:
        steps.append(unit.name)
        unit = sandbox.world.units[unit.parent]
    return "/" + "/".join(reversed(steps))


def advance(sandbox: Sandbox, body: Body) -> Body:
    """``{"advance": seconds}``, where time is virtual."""
    clock = sandbox.world.clock
    if not clock.virtual:
        raise ValueError("This sandbox runs in real time: it cannot be advanced.")
    clock.advance(float(body["advance"]))
    return {"now": clock.datetime()}


def now(sandbox: Sandbox, body: Body) -> Body:
    return {"now": sandbox.world.clock.datetime(), "virtual": sandbox.world.clock.virtual}


def reset(sandbox: Sandbox, body: Body) -> Body:
    """Go back to how the sandbox was when it was started."""
    sandbox.reset()
    return {}


ROUTES: dict[tuple[str, str], Callable[[Sandbox, Body], Body]] = {
    ("GET", "calls"): calls,
    ("POST", "calls"): calls,
    ("GET", "faults"): list_faults,
    ("POST", "faults"): add_faults,
    ("POST", "latency"): set_latency,
    ("POST", "delays"): set_delays,
    ("GET", "rules"): list_rules,
    ("POST", "rules"): set_rules,
    ("POST", "rates"): set_rates,
    ("POST", "permissions"): set_permissions,
    ("POST", "call"): call,
    ("GET", "state"): state,
    ("GET", "clock"): now,
    ("POST", "clock"): advance,
    ("POST", "reset"): reset,
}
