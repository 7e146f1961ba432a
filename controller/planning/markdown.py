"""A plan for pull requests: what changes for people, counts first, details folded; equal plans give equal text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from controller.planning.describe import describe, printable
from controller.planning.effects import ASSIGNMENT, ATTACHMENT, Access, Effects, Grant, Moved, Turn, effects, spot
from controller.planning.plan import ORPHANED, Plan
from controller.planning.render import sentence
from controller.planning.rules import Rule
from controller.planning.scene import Scene
from controller.resources.base import Change, Ref

LIMIT = 60_000
"""Characters; a comment on GitHub takes 65,536."""
MANY = 3
"""As many held changes with one reason are told as one."""
NAMED = 10
"""Names of many that are told; the rest is counted."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A part that may have to be cut: entries of one line or more, below a heading, folded or not."""

    heading: str
    entries: tuple[tuple[str, ...], ...]
    folded: bool = True

    @property
    def size(self) -> int:
        return sum(len(line) + 1 for entry in self.entries for line in entry)


def to_markdown(plan: Plan) -> str:
    """At most `LIMIT` characters. What is cut is said; nothing in it becomes markup."""
    done = effects(plan)
    head = [f"### orgctl plan `{plan.plan_id}`", "", sentence(plan), "", *_counts(plan, done)]
    for why, count in list(plan.waiting.items())[:NAMED]:
        head += [f"{count} shown, not written: {_escape(why)}", ""]
    sections = [section for section in _sections(plan, done) if section.entries]
    frames = [_framed(section, [], len(section.entries)) for section in sections]
    room = LIMIT - sum(len(line) + 1 for lines in (head, *frames) for line in lines)
    lines = head
    for section, share in zip(sections, _shares([s.size for s in sections], room), strict=True):
        lines += _framed(section, *_cut(section, share))
    return "\n".join(lines)


def _sections(plan: Plan, done: Effects) -> Iterator[_Section]:
    yield _Section("**Held by a guard rail**", tuple(_held(plan)), folded=False)
    gaps = tuple((f"- {_code(gap.what)}: {_escape(gap.why)}",) for gap in plan.incomplete)
    yield _Section("**Could not be observed, so not planned**", gaps, folded=False)
    orphans = [f"`{orphan.kind}` {_code(orphan.name)}" for orphan in plan.orphaned]
    yield _Section(
        f"**Orphaned, left alone**: {ORPHANED}",
        tuple((f"- {one}",) for one in sorted(orphans)),
        folded=False,
    )
    yield _Section("Who gains and loses access", (*_access(plan.scene, done), *_edited_sets(done)))
    yield _Section("Accounts that move", tuple(_moved(plan.scene, one) for one in done.moved))
    yield _Section("Policies, by OU and account", (*_places(plan.scene, done), *_edited_policies(plan.scene, done)))
    free = [change for change in plan.changes if not change.blocked]
    for kind in sorted({change.kind for change in free}):
        group = [change for change in free if change.kind == kind]
        counts = ", ".join(f"{n} {action}" for action, n in sorted(Counter(c.action for c in group).items()))
        yield _Section(f"<code>{kind}</code>: {counts}", tuple(tuple(_change(change)) for change in group))
    notes = [f"- `{note.kind}` {_code(note.name)}: {_escape(note.text)}" for note in plan.notes]
    yield _Section(f"Notes: {len(notes)}", tuple((note,) for note in notes))


# Counts


def _counts(plan: Plan, done: Effects) -> Iterator[str]:
    unseen = {gap.kind for gap in plan.incomplete if gap.key is None}
    if plan.changes and ASSIGNMENT not in unseen:
        yield from (f"**Access**: {_access_counts(done)}.", "")
    if done.moved:
        accounts = sum(len(one.accounts) for one in done.moved)
        held = sum(len(one.accounts) for one in done.moved if one.held)
        yield from (f"**Moves**: {_many(accounts, 'account')}{_of_them(held)}.", "")
    if plan.changes and ATTACHMENT not in unseen:
        yield from (f"**Policies**: {_policy_counts(done)}.", "")


def _access_counts(done: Effects) -> str:
    gains = [grant.held for one in done.access for grant in one.gains]
    losses = [grant.held for one in done.access for grant in one.loses]
    people, accounts = ({getattr(one, name) for one in done.access} for name in ("principal", "account"))
    told = [
        f"{len(gains)} gained{_of_them(sum(gains))}, {len(losses)} lost{_of_them(sum(losses))}, for "
        f"{_many(len(people), 'principal')} in {_many(len(accounts), 'account')}"
        if done.access
        else "nobody gains or loses a permission set anywhere"
    ]
    if done.edited:
        held = sum(one.held for one in done.edited)
        told.append(f"{_many(len(done.edited), 'permission set')} edited{_of_them(held)}")
    return "; ".join(told)


def _policy_counts(done: Effects) -> str:
    turns = [turn for one in done.places for turn in one.turns]
    gains, losses = ([turn.held for turn in turns if turn.gained is way] for way in (True, False))
    told = []
    if turns:
        where = _of_kinds([one.target for one in done.places])
        told.append(f"{len(gains)} gained{_of_them(sum(gains))}, {len(losses)} lost{_of_them(sum(losses))}, on {where}")
    if done.policies:
        told.append(f"{len(done.policies)} edited{_of_them(sum(one.held for one in done.policies))}")
    turns += [turn for one in done.moved for turn in one.turns]
    told_of = [*(turn.rules for turn in turns), *(one.rules for one in done.policies)]
    rules = {rule for some in told_of for rule in some if rule.effect == "deny"}
    more = sum(rule.more for rule in rules)
    if rules:
        told.append(f"**{_many(more, 'rule')} newly deny, {len(rules) - more} no longer**")
    return "; ".join(told) or "none comes, goes or changes"


def _of_kinds(targets: list[str]) -> str:
    units = sum(target.startswith("/") for target in targets)
    counts = ((units, "OU"), (len(targets) - units, "account"))
    return " and ".join(_many(number, noun) for number, noun in counts if number)


# What changes for people


def _access(scene: Scene, done: Effects) -> Iterator[tuple[str, ...]]:
    """An entry for each account."""
    moves = {account: one for one in done.moved for account in one.accounts}
    for account, some in groupby(done.access, key=lambda one: one.account):
        head = f"- {_account(scene, account)}"
        if account in moves:
            head += f", moving to {_code(str(moves[account].after))}"
        yield (head, *(f"  - {_who(one)}: {_grants(one)}" for one in some))


def _who(one: Access) -> str:
    kind, _, name = one.principal.partition(":")
    return f"{kind} {_code(name)}"


def _grants(one: Access) -> str:
    told = []
    for word, some in (("gains", one.gains), ("loses", one.loses)):
        if some:
            told.append(f"**{word}** {', '.join(map(_grant, some))}")
    return "; ".join(told)


def _grant(grant: Grant) -> str:
    until = f" until {grant.until.isoformat()}" if grant.until else ""
    return f"{_code(grant.permission_set)}{until}{_held_mark(grant.held)}"


def _edited_sets(done: Effects) -> Iterator[tuple[str, ...]]:
    for one in done.edited:
        where = f"{_many(one.principals, 'principal')} in {_many(one.accounts, 'account')}"
        head = f"- permission set {_code(one.permission_set)} changes for {where}{_held_mark(one.held)}"
        yield (head, *(f"  - {_code(line)}" for line in one.lines))


def _moved(scene: Scene, one: Moved) -> tuple[str, ...]:
    head = (
        f"- {_code(one.before or '?')} → {_code(one.after or '?')}: {_names(scene, one.accounts)}{_held_mark(one.held)}"
    )
    return (head, *_turns(one.turns))


def _places(scene: Scene, done: Effects) -> Iterator[tuple[str, ...]]:
    for one in done.places:
        yield (f"- {_place(scene, one.target)}", *_turns(one.turns))


def _edited_policies(scene: Scene, done: Effects) -> Iterator[tuple[str, ...]]:
    for one in done.policies:
        where = _listed([_place(scene, place) for place in one.places]) or "nothing yet"
        head = f"- **edited** {_policy(one.policy)} on {where}{_held_mark(one.held)}"
        yield (head, *(f"  - {_rule(rule)}" for rule in one.rules), *(f"  - {_code(line)}" for line in one.lines))


def _turns(turns: Iterable[Turn]) -> Iterator[str]:
    for turn in turns:
        why = f": {turn.why}" if turn.why else ""
        yield f"  - **{'gains' if turn.gained else 'loses'}** {_policy(turn.policy)}{_held_mark(turn.held)}{why}"
        yield from (f"    - {_rule(rule)}" for rule in turn.rules)


def _rule(rule: Rule) -> str:
    verb = {"deny": "denies", "allow": "allows"}.get(rule.effect, "says")
    if rule.part:
        return f"{verb} {'more' if rule.more else 'less'}: {_code(rule.text)}"
    return f"{'newly' if rule.more else 'no longer'} {verb} {_code(rule.text)}"


# Changes


def _held(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Those that are alike are one entry: what lets them through is said once."""
    for (kind, action, why), some in groupby(
        sorted(plan.held, key=lambda c: (c.kind, c.action, c.blocked or "")),
        key=lambda c: (c.kind, c.action, c.blocked),
    ):
        group, reason = list(some), f"  - held: {_escape(why or '')}"
        if len(group) < MANY:
            yield from ((*_change(change, f"`{kind}` "), reason) for change in group)
        else:
            yield f"- {action} {len(group)} × `{kind}`: {_listed([_code(c.name) for c in group])}", reason


def _change(change: Change, kind: str = "") -> list[str]:
    source = f" ({_code(change.source)})" if change.source else ""
    return [
        f"- {change.action} {kind}**{_code(change.name)}**{source}",
        *(f"  - {_code(line)}" for line in describe(change)),
    ]


# Words


def _account(scene: Scene, account: str) -> str:
    name, unit = spot(scene, account)
    known = f"{_code(account)}, " if name != account else ""
    return f"account {_code(name)} ({known}in {_code(unit or 'an OU that is not known')})"


def _place(scene: Scene, target: str) -> str:
    return _code(target) if target.startswith("/") else _account(scene, target)


def _policy(ref: Ref) -> str:
    return f"{ref.kind.replace('_', ' ')} {_code(ref.key)}"


def _names(scene: Scene, accounts: Iterable[str]) -> str:
    names = [_code(spot(scene, account).name) for account in accounts]
    return f"{_many(len(names), 'account')} {_listed(names)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _held_mark(held: bool) -> str:
    return " (held)" if held else ""


def _of_them(held: int) -> str:
    return f" ({held} held)" if held else ""


# Room


def _shares(sizes: list[int], room: int) -> list[int]:
    """What each gets of the room: all it needs, or as much as anything else that is cut."""
    shares = [0] * len(sizes)
    smallest_first = sorted(range(len(sizes)), key=lambda number: sizes[number])
    for done, number in enumerate(smallest_first):
        shares[number] = min(sizes[number], max(0, room) // (len(sizes) - done))
        room -= shares[number]
    return shares


def _cut(section: _Section, room: int) -> tuple[list[str], int]:
    """The lines there is room for, and how many entries are not there, or not whole."""
    kept: list[str] = []
    for number, entry in enumerate(section.entries):
        for line in entry:
            room -= len(line) + 1
            if room < 0:
                return kept, len(section.entries) - number
            kept.append(line)
    return kept, 0


def _framed(section: _Section, lines: list[str], missing: int) -> list[str]:
    if missing:
        what = f"{missing} of {len(section.entries)}"
        lines = [
            *lines,
            "",
            f"… cut: {what} are not here, or not whole; `orgctl plan --format json` lists every change.",
        ]
    if section.folded:
        return [f"<details><summary>{section.heading}</summary>", "", *lines, "", "</details>", ""]
    return [section.heading, "", *lines, ""]


def _code(text: str) -> str:
    """Text from YAML and AWS as it is: within backticks nothing becomes markup, and nobody is mentioned."""
    text = printable(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _escape(text: str) -> str:
    """Sentences with names in them: no markup, and no mention (an @ that a word follows)."""
    text = re.sub(r"([\\`*_<>\[\]|~#])", r"\\\1", printable(text))
    return text.replace("@", "@\u200b")
