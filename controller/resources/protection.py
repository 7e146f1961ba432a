"""Safety rule 6 for policies: new protection is on before old comes off, and an account never passes through a gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controller.resources.base import Action, Change
from controller.resources.organizational_unit import within

ATTACHMENT = "policy_attachment"


def attaches_over(unit: str, account: str, plan: Mapping[str, Change]) -> Iterator[str]:
    """Ids of the attachments to be made at `unit`, above it, or at the account itself: what awaits an account there."""
    for id, change in plan.items():
        if change.kind == ATTACHMENT and change.action is Action.CREATE:
            target = getattr(change.after, "target", "")
            if target == account or (target.startswith("/") and within(unit, target)):
                yield id


def moves_out_of(unit: str, plan: Mapping[str, Change]) -> Iterator[str]:
    """Ids of the moves by which accounts leave `unit` and all below it."""
    for id, change in plan.items():
        if change.kind == "account" and change.action is Action.MOVE:
            before, after = getattr(change.before, "unit", None), getattr(change.after, "unit", None)
            if within(before, unit) and not within(after, unit):
                yield id
