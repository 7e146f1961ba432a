"""What the policies of an organization let an account do: SCPs for its principals, RCPs for its resources.

Organizations User Guide, "SCP evaluation": at every level from the root through each OU to the account itself,
something attached must allow the request, and nothing attached at any level may deny it. Neither kind binds the
management account nor service-linked roles; neither grants anything: what they allow, a policy of the caller's own must
still grant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.policy.answer import NO, YES, Answer, some, unknown
from controller.policy.evaluate import Statement, applies
from controller.policy.request import Request

SCP, RCP = "service_control_policy", "resource_control_policy"
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""FullAWSAccess, and RCPFullAWSAccess but for its Principal."""
RCP_SERVICES = frozenset(
    {
        *("s3", "sts", "sqs", "kms", "secretsmanager", "ecr", "aoss", "cognito-identity", "cognito-idp"),
        *("logs", "dynamodb"),
    }
)
"""Services that support RCPs (Organizations User Guide, "Resource control policies"). One that a policy names is one
too: AWS would not have taken the policy otherwise."""


class Verdict(StrEnum):
    """What comes of it."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Attached:
    """One policy, where it is attached.

    Attributes:
        statements: None where the content is not known; `why` says why.
        source: file:line:column in git.
    """

    kind: str
    name: str
    statements: tuple[Statement, ...] | None
    source: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """The root, an OU or an account, and what is attached there.

    Attributes:
        target: ``/``, an OU's path, or the account's name.
        why: Why not all that is attached there is known; "" where all is.
    """

    target: str
    policies: tuple[Attached, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """What decides: a statement of a policy at a level, or that nothing at a level allows."""

    target: str
    policy: Attached | None = None
    statement: Statement | None = None

    @property
    def source(self) -> str | None:
        """file:line:column, where it comes from git."""
        found = self.statement.source if self.statement else None
        return found or (self.policy.source if self.policy else None)

    def __str__(self) -> str:
        if self.policy is None:
            return f"nothing attached to {self.target} allows it"
        if self.statement is None:
            return f"{self.policy.kind.replace('_', ' ')} '{self.policy.name}' on {self.target}"
        place = f" ({self.source})" if self.source else ""
        kind = self.policy.kind.replace("_", " ")
        return f"{kind} '{self.policy.name}' on {self.target}, {self.statement.label}{place}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, with what decides it or what is missing.

    Attributes:
        reasons: DENIED: what denies; each would do. ALLOWED: what allows, level by level. UNKNOWN: what may deny.
        missing: UNKNOWN: what would have to be known.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()


def denials(path: Sequence[Level], request: Request) -> Iterator[tuple[Reason, Answer]]:
    """Every Deny on the path that may hit, with whether it does."""
    for level in path:
        if level.why:
            yield Reason(level.target), unknown(f"what else is attached to {level.target}: {level.why}")
        for policy in level.policies:
            if policy.statements is None:
                yield Reason(level.target, policy), unknown(f"the content of '{policy.name}': {policy.why}")
            for statement in policy.statements or ():
                if statement.effect != "allow" and (found := applies(statement, request)) is not NO:
                    yield Reason(level.target, policy, statement), found


def allowed_at(level: Level, request: Request) -> tuple[Answer, Reason]:
    """Whether anything at the level allows the request, and what does."""
    answers: list[Answer] = [unknown(f"what else is attached to {level.target}: {level.why}")] if level.why else []
    for policy in level.policies:
        if policy.statements is None:
            answers.append(unknown(f"the content of '{policy.name}': {policy.why}"))
        for statement in policy.statements or ():
            if statement.effect == "allow":
                found = applies(statement, request)
                if found is YES:
                    return YES, Reason(level.target, policy, statement)
                answers.append(found)
    return some(answers), Reason(level.target)


def judge(path: Sequence[Level], request: Request, *, allows: bool) -> Decision:
    """What a path of levels says of a request.

    Args:
        allows: Whether every level must allow it (SCPs); RCPs' levels always hold RCPFullAWSAccess, which does.
    """
    return weigh(path, path if allows else (), request)


def weigh(denying: Sequence[Level], must_allow: Sequence[Level], request: Request) -> Decision:
    """What the denies of some levels and the allows of others come to: every one of the latter must allow."""
    found = list(denials(denying, request))
    allowing: list[Reason] = []
    for level in must_allow:
        answer, reason = allowed_at(level, request)
        allowing.append(reason)
        found.append((reason, ~answer))
    denied = tuple(reason for reason, hit in found if hit.truth)
    if denied:
        return Decision(Verdict.DENIED, denied)
    unsure = [(reason, hit.missing) for reason, hit in found if hit.truth is None]
    if unsure:
        missing = sorted({name for _, names in unsure for name in names})
        return Decision(Verdict.UNKNOWN, tuple(dict.fromkeys(reason for reason, _ in unsure)), tuple(missing))
    return Decision(Verdict.ALLOWED, tuple(allowing))


def under_rcps(request: Request, path: Iterable[Level]) -> bool:
    """Whether RCPs are looked at for this action: of a service that supports them, or that one of these names."""
    return request.service in RCP_SERVICES or any(
        statement.mentions(f'"{request.service}:')
        for level in path
        for policy in level.policies
        for statement in policy.statements or ()
    )
