"""The lockout prover: what a plan would take from the controller itself, and from those who mend what breaks.

For every member account that a change of SCPs or RCPs reaches, the tree that would result is judged for the calls that
must stay allowed there. Only what is new is judged: a Deny that already stands on the way to an account, and a level
that allows what it did, take nothing away that was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from controller.policy.evaluate import Statement
from controller.policy.match import ONE
from controller.policy.organization import RCP, SCP, Decision, Level, Reason, Verdict, judge, under_rcps, weigh
from controller.policy.picture import Picture
from controller.policy.request import Request
from controller.resources.base import Action, Change, Note

ANY_ACCOUNT = ONE * 12
"""Stands for the id of any account: what does not depend on it is judged once for all that share a way."""
_OF_THE_ACCOUNT = frozenset({"aws:PrincipalArn", "aws:PrincipalAccount", "aws:ResourceAccount", "the resource"})
_MATTERS = frozenset({"policy_attachment", "account", "organizational_unit", SCP, RCP})

OrgPaths: TypeAlias = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Need:
    """One call that must stay allowed in member accounts.

    Attributes:
        who: In words, for messages.
        kind: Which policies bind it: SCPs where the caller is in the account, RCPs where what it calls is.
        region: Where; None where any Region will do.
        exempt: Pattern of the principal that a policy would have to exempt.
        requests: For an account's id and its aws:PrincipalOrgPaths. One of them must be allowed.
        accounts: Where it is needed; None: everywhere.
    """

    who: str
    kind: str
    action: str
    region: str | None
    exempt: str
    requests: Callable[[str, OrgPaths], tuple[Request, ...]] = field(compare=False)
    accounts: frozenset[str] | None = field(default=None, compare=False)

    def of(self, accounts: list[str]) -> list[str]:
        """Those of the accounts where it is needed."""
        return accounts if self.accounts is None else [one for one in accounts if one in self.accounts]

    def __str__(self) -> str:
        return f"{self.action} in {self.region}" if self.region else self.action


@dataclass(frozen=True, slots=True)
class Proof:
    """What a plan would do to the calls that must stay allowed.

    Attributes:
        lost: Id of a change that takes some away → what, where, and by which statement.
        notes: What cannot be told, and what was denied before.
    """

    lost: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


Prove: TypeAlias = Callable[[Iterable[Change]], Proof]


def nothing_needed(_: Iterable[Change]) -> Proof:
    """Nothing can be lost."""
    return Proof()


class Prover:
    """Proves plans; what was found out of one way to an account is remembered for all that are alike."""

    def __init__(
        self,
        look: Callable[[], Picture],
        applied: Callable[[Picture, Iterable[Change]], Picture],
        needs: Iterable[Need],
    ) -> None:
        """
        Args:
            look: The organization as it is; asked for only when a change can matter.
            applied: What changes would make of a picture.
        """
        self._look, self._applied, self._needs = look, applied, tuple(needs)
        self._outcomes: dict[tuple[object, ...], list[tuple[Need, Decision]]] = {}

    @cached_property
    def _before(self) -> Picture:
        return self._look()

    def __call__(self, changes: Iterable[Change]) -> Proof:
        plan = {change.id: change for change in changes if change.kind in _MATTERS}
        if not plan or not self._needs:
            return Proof()
        before, after = self._before, self._applied(self._before, plan.values())
        told = _Told(before, plan)
        for group in _groups(before, after):
            for kind in (SCP, RCP):
                for need, outcome, accounts in self._judged(_news(kind, group, before, after), group, after):
                    denied = outcome.verdict is Verdict.DENIED
                    already = denied and _denied(need, before.way(kind, accounts[0]), accounts[0], before)
                    told.add(_Finding(need, outcome, tuple(accounts), group, already))
        return told.proof()

    def _judged(self, news: _News, group: _Group, after: Picture) -> Iterator[tuple[Need, Decision, list[str]]]:
        if not news.anything:
            return
        paths = after.org_path(group.accounts[0])
        key = (news, paths if news.about_paths else None)
        if key not in self._outcomes:
            needs = [need for need in self._needs if need.kind == news.kind]
            judged = [(need, news.judged(need.requests(ANY_ACCOUNT, paths))) for need in needs]
            self._outcomes[key] = [(n, outcome) for n, outcome in judged if outcome.verdict is not Verdict.ALLOWED]
        for need, outcome in self._outcomes[key]:
            accounts = need.of(group.accounts)
            if accounts and (outcome.verdict is not Verdict.UNKNOWN or _OF_THE_ACCOUNT.isdisjoint(outcome.missing)):
                yield need, outcome, accounts
                continue
            for account in accounts:
                one = news.judged(need.requests(account, paths))
                if one.verdict is not Verdict.ALLOWED:
                    yield need, one, [account]


_BEST = (Verdict.ALLOWED, Verdict.UNKNOWN, Verdict.DENIED)


@dataclass(frozen=True, slots=True)
class _News:
    """What is new on the way to an account.

    Attributes:
        denies: Levels with those statements and policies only that were nowhere on the way before.
        allows: Levels that are new on the way, or allow less than they did.
    """

    kind: str
    denies: tuple[Level, ...]
    allows: tuple[Level, ...]

    @property
    def anything(self) -> bool:
        return bool(self.denies or self.allows)

    @property
    def about_paths(self) -> bool:
        levels = (*self.denies, *self.allows)
        return any(s.mentions("orgpaths") for level in levels for p in level.policies for s in p.statements or ())

    def judged(self, requests: tuple[Request, ...]) -> Decision:
        """The best of what the requests come to."""
        return min(map(self._judged, requests), key=lambda outcome: _BEST.index(outcome.verdict))

    def _judged(self, request: Request) -> Decision:
        if self.kind == RCP and not under_rcps(request, self.denies):
            return Decision(Verdict.ALLOWED)
        return weigh(self.denies, self.allows, request)


@dataclass(frozen=True, slots=True)
class _Group:
    """Accounts to which the same ways lead, before and after."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    accounts: list[str]


def _groups(before: Picture, after: Picture) -> list[_Group]:
    """Accounts whose way, or something on it, is not as it was. One with policies of its own is a group by itself."""
    touched = _touched(before, after)
    own = {target for picture in (before, after) for _, target in picture.attached}
    groups: dict[tuple[object, ...], _Group] = {}
    for account, way in after.ways.items():
        had = before.ways.get(account, way)
        if had[:-1] == way[:-1] and touched.isdisjoint(way):
            continue
        alone = account if account in own else None
        key = (had[:-1], way[:-1], alone)
        if key not in groups:
            groups[key] = _Group(had, way, [])
        groups[key].accounts.append(account)
    return list(groups.values())


def _touched(before: Picture, after: Picture) -> set[str]:
    """Targets where something else is attached, or says something else."""
    found = set()
    for place in before.attached.keys() | after.attached.keys():
        if before.level(*place).policies != after.level(*place).policies:
            found.add(place[1])
    return found


def _news(kind: str, group: _Group, before: Picture, after: Picture) -> _News:
    had = {target: before.level(kind, target) for target in group.before}
    policies = {policy.name for level in had.values() for policy in level.policies if policy.statements is None}
    rules = {s for level in had.values() for policy in level.policies for s in policy.statements or ()}
    denies, allows = [], []
    for target in group.after:
        level = after.level(kind, target)
        new = _only_new(level, rules, policies, moved_here=target not in had)
        if new.policies or new.why:
            denies.append(new)
        if kind == SCP and (target not in had or not _allowed(had[target]) <= _allowed(level)):
            allows.append(level)
    return _News(kind, tuple(denies), tuple(allows))


def _only_new(level: Level, rules: set[Statement], unread: set[str], *, moved_here: bool) -> Level:
    policies = []
    for policy in level.policies:
        if policy.statements is None:
            if policy.name not in unread:
                policies.append(policy)
        elif new := tuple(s for s in policy.statements if s.effect != "allow" and s not in rules):
            policies.append(replace(policy, statements=new))
    return Level(level.target, tuple(policies), level.why if moved_here else "")


def _allowed(level: Level) -> frozenset[object]:
    """What allows something there: statements, and policies that were not read."""
    return frozenset(
        one
        for policy in level.policies
        for one in (
            [policy.name] if policy.statements is None else [s for s in policy.statements if s.effect == "allow"]
        )
    )


def _denied(need: Need, way: list[Level], account: str, before: Picture) -> bool:
    """Whether it is denied already."""
    requests = need.requests(account, before.org_path(account))
    return all(judge(way, one, allows=need.kind == SCP).verdict is Verdict.DENIED for one in requests)


# What is said of it


@dataclass(frozen=True, slots=True)
class _Finding:
    need: Need
    outcome: Decision
    accounts: tuple[str, ...]
    group: _Group
    already: bool


@dataclass
class _Told:
    """All findings of one plan, gathered for people."""

    before: Picture
    plan: Mapping[str, Change]
    lost: dict[str, list[_Finding]] = field(default_factory=dict)
    noted: dict[tuple[str, str, bool], list[_Finding]] = field(default_factory=dict)

    def add(self, finding: _Finding) -> None:
        if finding.outcome.verdict is Verdict.DENIED and not finding.already:
            for reason in finding.outcome.reasons:
                for id in self._causes(reason, finding):
                    self.lost.setdefault(id, []).append(_because(finding, reason))
        else:
            key = (str(finding.outcome.reasons[0]), finding.need.who, finding.already)
            self.noted.setdefault(key, []).append(finding)

    def proof(self) -> Proof:
        return Proof(
            {id: self._loss(found) for id, found in self.lost.items()},
            tuple(self._note(found) for _, found in sorted(self.noted.items())),
        )

    def _causes(self, reason: Reason, finding: _Finding) -> Iterator[str]:
        """The changes that bring this about: what puts the policy there, what edits it, or what moves the account."""
        kind, target = finding.need.kind, reason.target
        if reason.policy is not None:
            key = f"{kind}/{reason.policy.name}"
            suspects = [f"policy_attachment/{key}@{target}:{Action.CREATE}", *self._edits(kind, reason.policy.name)]
            found = [id for id in suspects if id in self.plan][:1]
        else:
            taken = [c for c in self.plan.values() if c.kind == "policy_attachment" and c.action is Action.DELETE]
            found = [c.id for c in taken if c.key.startswith(f"{kind}/") and c.key.endswith(f"@{target}")]
            on_it = self.before.attached.get((kind, target), ())
            found += [id for key in on_it for id in self._edits(kind, key) if id in self.plan]
        moves = (f"account/{account}:{Action.MOVE}" for account in finding.accounts)
        yield from found or [id for id in moves if id in self.plan] or self.plan

    def _edits(self, kind: str, key: str) -> list[str]:
        return [f"{kind}/{key}:{action}" for action in (Action.UPDATE, Action.ADOPT)]

    def _loss(self, found: list[_Finding]) -> str:
        """One sentence for each who would lose something, and what helps."""
        by_who: dict[str, list[_Finding]] = {}
        for one in found:
            by_who.setdefault(one.need.who, []).append(one)
        sentences = [
            f"it would lock out {who} in {self._accounts(theirs)}: {theirs[0].need}{_more(theirs)} would be denied: "
            f"{theirs[0].outcome.reasons[0]}"
            for who, theirs in by_who.items()
        ]
        exempt = " and ".join(dict.fromkeys(one.need.exempt for one in found))
        return f"{'; '.join(sentences)}. Exempt {exempt}, or leave these calls out of it; no approval lets it through"

    def _note(self, found: list[_Finding]) -> Note:
        first, where = found[0], self._accounts(found)
        reason = first.outcome.reasons[0]
        name = reason.policy.name if reason.policy else reason.target
        what = f"{first.need}{_more(found)}"
        if first.already:
            text = f"{first.need.who} cannot call {what} in {where}, as before this plan: {reason}"
        else:
            missing = "; ".join(sorted({m for one in found for m in one.outcome.missing}))
            about = "" if reason.statement is None else f" ({reason})"
            text = f"cannot tell whether {first.need.who} keeps {what} in {where}: it depends on {missing}{about}"
        return Note(first.need.kind, name, text)

    def _accounts(self, found: list[_Finding]) -> str:
        every = dict.fromkeys(account for one in found for account in one.accounts)
        first = next(iter(every))
        name = self.before.names.get(first, first)
        shown = f"account {name} ({first})" if name != first else f"account {first}"
        return shown if len(every) == 1 else f"{shown} and {len(every) - 1} more"


def _more(found: list[_Finding]) -> str:
    calls = {str(one.need) for one in found}
    return f" (and {len(calls) - 1} more)" if len(calls) > 1 else ""


def _because(finding: _Finding, reason: Reason) -> _Finding:
    return replace(finding, outcome=replace(finding.outcome, reasons=(reason,)))
