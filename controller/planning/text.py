"""A plan for people at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.text import Text

from controller.planning.describe import describe, printable
from controller.planning.plan import ORPHANED, Bystander, Plan
from controller.planning.render import sentence
from controller.resources.base import Action, Change

SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.ADOPT: ("=", "cyan"),
    Action.MOVE: (">", "magenta"),
}
MANY = 3
"""As many changes that are alike are printed as one."""


def print_plan(plan: Plan, console: Console, *, verbose: bool = False) -> None:
    """Changes grouped by OU and kind, then what is held, left alone or unseen, then the counts."""
    commit = f", commit {plan.commit[:12]}" if plan.commit else ""
    console.print(Text(f"Plan {plan.plan_id} for organization {plan.organization_id}{commit}", "bold"))
    mixed = bool(plan.free)
    for unit, in_unit in groupby(sorted(plan.changes, key=_place), key=lambda c: c.unit):
        console.print()
        console.print(Text(printable(unit or "Organization"), "bold underline"))
        for _, alike in groupby(in_unit, key=_likeness):
            group = list(alike)
            if len(group) >= MANY and all(c.after is None or c.after.parent is not None for c in group):
                _print_together(group, console, mixed=mixed, verbose=verbose)
            else:
                for change in group:
                    _print_change(change, console, mixed=mixed, verbose=verbose)
    _print_notes(plan, console, verbose)
    console.print()
    head = Text("Nothing to do: " if not plan.changes else "", "green")
    console.print(head + Text(sentence(plan), "bold"), soft_wrap=True)
    for why, count in plan.waiting.items():
        console.print(Text(printable(f"{count} shown, not written: {why}"), "dim"), soft_wrap=True)


def _place(change: Change) -> tuple[str, str, str, str, str, bool, str]:
    return (change.unit or "", *_likeness(change), change.name)


def _likeness(change: Change) -> tuple[str, str, str, str, bool]:
    return (change.kind, change.action, change.source or "", change.blocked or "", change.observe_only)


def _print_together(group: list[Change], console: Console, *, mixed: bool, verbose: bool) -> None:
    """Many children of one line of YAML on one line."""
    first = group[0]
    sign, colour = SIGNS[first.action]
    shown = group if verbose else group[: MANY * 2]
    line = Text(f"  {sign} ", colour)
    line.append(f"{len(group)} × {first.kind} ", "dim")
    line.append(printable(_names([c.name for c in shown])), colour)
    if len(shown) < len(group):
        line.append(f" and {len(group) - len(shown)} more (--verbose)", "dim")
    _finish(line, first, console, mixed=mixed)


def _names(names: list[str]) -> str:
    """``a/b/{c, d}`` for names that differ at their end only."""
    heads = {name.rpartition("/")[0] for name in names}
    if len(heads) == 1 and (head := heads.pop()):
        return f"{head}/{{{', '.join(name.rpartition('/')[2] for name in names)}}}"
    return ", ".join(names)


def _print_change(change: Change, console: Console, *, mixed: bool, verbose: bool) -> None:
    sign, colour = SIGNS[change.action]
    line = Text(f"  {sign} ", colour)
    line.append(f"{change.kind} ", "dim")
    line.append(printable(change.name), colour)
    _finish(line, change, console, mixed=mixed, details=describe(change, whole=verbose))


def _finish(line: Text, change: Change, console: Console, *, mixed: bool, details: Iterable[str] = ()) -> None:
    """Where it is written, whether it is; then what it does, and what holds it."""
    if change.source:
        line.append(f"  {change.source}", "dim")
    if mixed and change.observe_only and not change.blocked:
        line.append("  (observe: not written)", "dim italic")
    console.print(line, soft_wrap=True)
    for detail in details:
        console.print(Text(f"      {detail}", "default"), soft_wrap=True)
    if change.blocked:
        console.print(Text(f"      held: {printable(change.blocked)}", "bold red"), soft_wrap=True)


def _print_notes(plan: Plan, console: Console, verbose: bool) -> None:
    for title, group in (("Unmanaged, left alone", plan.unmanaged), ("Orphaned, left alone", plan.orphaned)):
        if group:
            console.print()
            console.print(Text(title, "bold underline"))
            _print_bystanders(group, console, verbose)
    if plan.orphaned:
        console.print(Text(f"  {ORPHANED}"), soft_wrap=True)
    if plan.notes:
        console.print()
        console.print(Text("Notes", "bold underline"))
        for note in plan.notes if verbose else plan.notes[:20]:
            console.print(Text(printable(f"  {note.kind} {note.name}: {note.text}")), soft_wrap=True)
        if not verbose and len(plan.notes) > 20:
            console.print(Text(f"  … and {len(plan.notes) - 20} more (--verbose)", "dim"))
    if plan.incomplete:
        console.print()
        console.print(Text("Could not be observed, so not planned", "bold underline red"))
        for gap in plan.incomplete:
            console.print(Text(printable(f"  {gap.what}: {gap.why}")), soft_wrap=True)


def _print_bystanders(group: tuple[Bystander, ...], console: Console, verbose: bool) -> None:
    for kind, count in sorted(Counter(b.kind for b in group).items()):
        names = sorted(b.name for b in group if b.kind == kind)
        shown = names if verbose else names[:5]
        more = "" if len(shown) == len(names) else f" and {count - len(shown)} more (--verbose)"
        console.print(Text(printable(f"  {count} {kind}: {', '.join(shown)}{more}")), soft_wrap=True)
