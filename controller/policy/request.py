"""What is asked of IAM: who wants to do what, to which resource, and what is known of the circumstances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from controller.policy.match import ANY

ABSENT: tuple[str, ...] = ()
"""The value of a condition key that is known not to be in the request."""

_TRAVELS = frozenset(
    key.casefold()
    for key in (
        "ec2:RoleDelivery",
        "ec2:SourceInstanceArn",
        "glue:CredentialIssuingService",
        "glue:RoleAssumedBy",
        "lambda:SourceFunctionArn",
        "ssm:SourceInstanceArn",
    )
)
"""Keys of one service that are in requests to others: where the caller's credentials come from (Service Authorization
Reference, condition keys of EC2, Glue, Lambda and Systems Manager)."""
_OF_ANY_SERVICE = frozenset({"aws", "saml", "sts", "identitystore", "orgctl", "oidc", "token", "cognito-identity"})

NOT_FROM_A_MACHINE: Mapping[str, tuple[str, ...]] = dict.fromkeys(_TRAVELS, ABSENT)
"""What is known of a session that AssumeRole or Identity Center gave, and not a machine's own role."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    Attributes:
        action: ``s3:GetObject``.
        resources: What it may be about, one of these; parts that are not known are written as `match` says.
        context: Condition key in lower case → its values; `ABSENT`: not in the request. What is not here is not known.
    """

    action: str
    resources: tuple[str, ...] = (ANY,)
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def service(self) -> str:
        return self.action.partition(":")[0].casefold()

    def knowing(self, keys: Mapping[str, str | Iterable[str]]) -> Request:
        """The same, with more condition keys known."""
        more = {k.casefold(): (v,) if isinstance(v, str) else tuple(v) for k, v in keys.items()}
        return replace(self, context=MappingProxyType({**self.context, **more}))

    def values(self, key: str) -> tuple[str, ...] | None:
        """The values of a condition key; None where they are not known.

        A key with a service's prefix is in requests to that service only (IAM User Guide, "Condition": service-specific
        keys), but for the few in `_TRAVELS`. Tags of the session and keys of identity providers travel as well.
        """
        name = key.casefold()
        if name in self.context:
            return self.context[name]
        prefix = name.partition(":")[0]
        elsewhere = ":" in name and prefix != self.service and prefix not in _OF_ANY_SERVICE and "." not in prefix
        return ABSENT if elsewhere and name not in _TRAVELS else None


def principal_keys(
    arn: str, *, organization: str, account: str, paths: Iterable[str] | None = None
) -> dict[str, str | tuple[str, ...]]:
    """Condition keys of a role's session in a member account that calls AWS itself, over TLS.

    For a session, aws:PrincipalArn is the role's ARN; aws:username is not there; keys of calls that a service makes
    are not there or false (IAM User Guide, "AWS global condition context keys").

    Args:
        paths: aws:PrincipalOrgPaths: ``o-…/r-…/ou-…/``, one; None where not known.
    """
    known: dict[str, str | tuple[str, ...]] = {
        "aws:PrincipalArn": arn,
        "aws:PrincipalAccount": account,
        "aws:PrincipalOrgID": organization,
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalServiceName": ABSENT,
        "aws:PrincipalServiceNamesList": ABSENT,
        "aws:ViaAWSService": "false",
        "aws:CalledVia": ABSENT,
        "aws:CalledViaFirst": ABSENT,
        "aws:CalledViaLast": ABSENT,
        "aws:SourceAccount": ABSENT,
        "aws:SourceArn": ABSENT,
        "aws:SourceOrgID": ABSENT,
        "aws:SourceOrgPaths": ABSENT,
        "aws:SecureTransport": "true",
        "aws:username": ABSENT,
    }
    if paths is not None:
        known["aws:PrincipalOrgPaths"] = tuple(paths)
    return known
