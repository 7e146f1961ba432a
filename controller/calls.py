"""`orgctl plan --explain-calls`: what a look at AWS cost, beside the least that it could have."""

from __future__ import annotations

from collections.abc import Iterator

from controller.aws.cost import seconds
from controller.reconcile import Controller
from controller.report import Report

TAGS_A_PAGE = 100
"""Resource Groups Tagging API reference, GetResources, ResourcesPerPage."""
OF_CELLS = "securityhub:DescribeHub"
"""Stands for all the calls that were made for cells of Security Hub: each account and Region has rates of its own."""


def explain(controller: Controller, report: Report) -> Iterator[str]:
    """Lines for people: by action the calls made and the least for the same answers; what that takes at AWS's rates."""
    least = controller.known.least(lambda action: _page(controller, action))
    cells = least.pop(OF_CELLS, 0)
    elsewhere = {action for action in report.calls if action.startswith("securityhub:") and action not in least}
    others = {action: made for action, made in report.calls.items() if action not in elsewhere}
    least = {**others, **least}  # who and where we are, and credentials elsewhere, are asked for before any look
    yield f"{'calls':>7} {'least':>7}"
    for action in sorted(least, key=lambda one: (-others.get(one, 0), one)):
        yield f"{others.get(action, 0):7} {least[action]:7}  {action}"
    if cells:
        made = sum(report.calls.values()) - sum(others.values())
        yield f"{made:7} {cells:7}  securityhub, in accounts and Regions"
    total, fewest = sum(report.calls.values()), sum(least.values()) + cells
    yield f"{total:7} {fewest:7}  in all"
    settings = controller.settings
    took, bottleneck = seconds(least, settings.share, settings.rate_multiple)
    why = f", because of {bottleneck}" if bottleneck else ""
    yield f"It took {report.phases['observe']:.1f} s; at AWS's rates and a share of {settings.share:.0%} at least " + (
        f"{took:.1f} s{why}."
    )
    for what, ways in controller.known.ways.items():
        if len(ways) > 1:
            told = ", ".join(f"{way} {calls} calls" for way, calls in sorted(ways.items(), key=lambda item: item[1]))
            yield f"{what[0].upper()}{what[1:]}: {told}."


def _page(controller: Controller, action: str) -> int:
    if action == "tag:GetResources":
        return TAGS_A_PAGE
    limits = controller.aws.transport.page_limit(action)
    return next(iter(limits.values()), 1_000_000)
