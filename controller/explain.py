"""`orgctl explain`: what SCPs and RCPs say to one call in one account, and which statement decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.aws.api import Here, Reader
from controller.desired.documents.organization import Organization
from controller.desired.estate import Estate
from controller.desired.nearest import did_you_mean
from controller.errors import CannotConnect, InvalidInput, Problem
from controller.planning.diff import diff
from controller.planning.needs import role_of
from controller.policy.match import ANY, shown
from controller.policy.organization import RCP, SCP, Decision, Verdict, judge, under_rcps
from controller.policy.picture import Picture
from controller.policy.request import ABSENT, NOT_FROM_A_MACHINE, Request, principal_keys
from controller.proof import principal_of
from controller.reconcile import desire, observe
from controller.resources.account import Account
from controller.resources.base import ForeignTags, Json, Kind, Live
from controller.resources.pictures import TYPES, Painter
from controller.resources.policy_attachment import PolicyAttachment, listed_on
from controller.resources.policy_type import PolicyType
from controller.resources.registry import KINDS

_KINDS = ("policy_type", "trusted_service", "organizational_unit", "account", SCP, RCP, "policy_attachment")
_WORDS = {SCP: "service control policies", RCP: "resource control policies"}
_UNBOUND = (
    "the management account: neither kind of policy binds it",
    "a service-linked role: neither kind of policy binds it",
)


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a call is allowed.

    Attributes:
        account: Handle, name or id of the account that is called in.
        principal: An ARN; or ``role/…``, ``user/…``, ``root``, ``permission-set/…``, of that account.
        context: Further condition keys that are known.
        live: About AWS as it is, not as git would have it.
    """

    account: str
    principal: str
    action: str
    resource: str | None = None
    region: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    live: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What both kinds of policies say; `unbound`: why they say nothing."""

    question: Question
    account: str
    principal: str
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    unbound: str = ""
    off: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        verdicts = {decision.verdict for decision in self.decisions.values()}
        return next((v for v in (Verdict.DENIED, Verdict.UNKNOWN) if v in verdicts), Verdict.ALLOWED)

    def lines(self) -> Iterator[str]:
        """For people."""
        asked = self.question
        where = f" in {asked.region}" if asked.region else ""
        when = "as AWS is now" if asked.live else "as it will be once git's desired state is applied"
        yield f"{asked.action} by {shown(self.principal)} in account {self.account}{where}, {when}:"
        yield f"{self.verdict.upper()}{': ' + self.unbound if self.unbound else ''}"
        for kind, decision in self.decisions.items():
            if decision.verdict is Verdict.UNKNOWN:
                yield f"  {_WORDS[kind]} cannot tell, without: {', '.join(decision.missing)}"
            words = {Verdict.DENIED: "denied by", Verdict.ALLOWED: "allowed by", Verdict.UNKNOWN: "perhaps denied by"}
            yield from (f"  {words[decision.verdict]}: {reason}" for reason in decision.reasons)
        yield from (f"  {_WORDS[kind]} are off" for kind in self.off)
        if self.verdict is Verdict.ALLOWED:
            yield "No SCP or RCP stops it. A policy of the caller's own must grant it too; those are not judged here."

    def to_json(self) -> Json:
        return {
            "account": self.account,
            "principal": shown(self.principal),
            "action": self.question.action,
            "verdict": self.verdict.value,
            "unbound": self.unbound or None,
            "decisions": {
                kind: {
                    "verdict": decision.verdict.value,
                    "reasons": [
                        {
                            "target": reason.target,
                            "policy": reason.policy.name if reason.policy else None,
                            "statement": reason.statement.label if reason.statement else None,
                            "source": reason.source,
                        }
                        for reason in decision.reasons
                    ],
                    "missing": list(decision.missing),
                }
                for kind, decision in self.decisions.items()
            },
        }


def explain(aws: Reader, here: Here, estate: Estate, question: Question, instance: str) -> Explanation:
    """Look at AWS, apply git's changes in thought (unless the question is about AWS as it is), and judge.

    Raises:
        InvalidInput: There is no such account, or what is asked makes no sense.
        AwsError: What decides could not be read.
    """
    kinds: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS if kind.name in _KINDS}
    live = observe(kinds, aws, estate)
    _check_whole(live)
    account = _account(question.account, live)
    principal = _principal(question.principal, account, here)
    shown = _shown(account)
    if account.management and _account_of(principal) in ("", account.key):
        return Explanation(question, shown, principal, unbound=_UNBOUND[0])
    if ":role/aws-service-role/" in principal:
        return Explanation(question, shown, principal, unbound=_UNBOUND[1])
    picture, types = _picture(aws, kinds, estate, live, question, {account.key, _account_of(principal)}, instance)
    decisions = dict(_decisions(question, account, principal, picture, types, here))
    off = tuple(kind for kind in TYPES if kind not in types)
    return Explanation(question, shown, principal, decisions, off=off)


def _decisions(
    question: Question, account: Account, principal: str, picture: Picture, types: set[str], here: Here
) -> Iterator[tuple[str, Decision]]:
    caller = _account_of(principal) or account.key
    request = _request(question, account, caller, principal, picture, here)
    if SCP in types and caller != here.management_account:
        if caller in picture.ways:
            yield SCP, judge(picture.way(SCP, caller), request, allows=True)
        else:
            yield (
                SCP,
                Decision(Verdict.UNKNOWN, missing=(f"the SCPs of account {caller}, no member of this organization",)),
            )
    if RCP in types and account.key in picture.ways:
        way = picture.way(RCP, account.key)
        if under_rcps(request, way):
            yield RCP, judge(way, request, allows=False)


def _picture(
    aws: Reader,
    kinds: Mapping[str, Kind[Any]],
    estate: Estate,
    live: Live,
    question: Question,
    accounts: set[str],
    instance: str,
) -> tuple[Picture, set[str]]:
    """The organization with all that is on the way to these accounts, and the kinds of policies that are on."""

    def painted() -> tuple[Picture, Picture]:
        desired = desire(kinds, estate, live)
        painter = Painter(estate, live, desired)
        before = painter.before()
        changes = diff(kinds, desired, live, instance, ForeignTags()).changes
        return before, painter.after(before, changes)

    levels = {target for picture in painted() for one in accounts for target in picture.ways.get(one, ())}
    live.observed[PolicyAttachment.kind] = listed_on(
        aws, live, estate, [(kind, level) for kind in TYPES for level in levels]
    )
    on = set(live.of(PolicyType))
    if not question.live:
        on |= {name for document in estate.of(Organization) for name in document.model.policy_types}
    before, after = painted()
    return before if question.live else after, {kind for kind, name in TYPES.items() if name in on}


def _request(
    question: Question, account: Account, caller: str, principal: str, picture: Picture, here: Here
) -> Request:
    """What is known of the call: it is direct, over TLS, and by the principal itself."""
    paths = picture.org_path(caller) if caller in picture.ways else None
    keys = principal_keys(principal, organization=here.organization_id, account=caller, paths=paths)
    if ":role/" not in principal:
        keys["aws:PrincipalType"] = "Account" if principal.endswith(":root") else "User"
        keys["aws:username"] = principal.rpartition("/")[2] if ":user/" in principal else ABSENT
    if ":role/" not in principal or ":role/aws-reserved/sso.amazonaws.com/" in principal:
        keys |= NOT_FROM_A_MACHINE
    if caller not in picture.ways and caller != here.management_account:
        del keys["aws:PrincipalOrgID"]
    if question.region:
        keys["aws:RequestedRegion"] = question.region
    keys |= question.context
    resources = (ANY,) if question.resource is None else (question.resource,)
    return Request(question.action, resources).knowing(keys)


def _check_whole(live: Live) -> None:
    for incomplete in live.incomplete():
        raise CannotConnect(f"{incomplete.what} could not be read: {incomplete.why}")


def _account(name: str, live: Live) -> Account:
    accounts = live.of(Account).values()
    found = next((a for a in accounts if name in (a.key, a.name)), None)
    found = found or next((a for a in accounts if name in (a.title, a.email)), None)
    if found is None:
        fix = did_you_mean(name, [a.name for a in accounts], "Give its handle, its name or its id.")
        raise InvalidInput([Problem("--account", 0, 0, f"there is no account '{name}' in this organization", fix)])
    if not found.active:
        raise InvalidInput([Problem("--account", 0, 0, f"account '{name}' is {found.state}: nobody can call there")])
    return found


def _shown(account: Account) -> str:
    return account.name if account.name == account.key else f"{account.name} ({account.key})"


_FORMS = "Write an ARN, role/Name, user/Name, root or permission-set/Name."


def _principal(given: str, account: Account, here: Here) -> str:
    """A principal's ARN as aws:PrincipalArn shows it."""
    kind, _, name = given.partition("/")
    if given.startswith("arn:"):
        if len(given.split(":")) < 6:
            raise InvalidInput([Problem("--principal", 0, 0, f"'{given}' is no ARN", _FORMS)])
        return principal_of(given)
    if kind == "permission-set" and name:
        return role_of(name, account.key, here.partition, here.identity_center_region)
    if given == "root" or (kind in ("role", "user") and name):
        return f"arn:{here.partition}:iam::{account.key}:{given}"
    raise InvalidInput([Problem("--principal", 0, 0, f"'{given}' is no principal", _FORMS)])


def _account_of(principal: str) -> str:
    return principal.split(":")[4]
