"""The IAM policies that orgctl needs, made from what the kinds of resources declare. `make iam` writes deploy/iam/.

Two roles: the controller's own in the management account (``controller-read.json`` for `plan`; with
``controller-write.json`` for `run` and `apply`), and the member role in every other account, which CloudFormation
StackSets roll out (``member-role.yaml``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from controller import access
from controller.aws.actions import CONNECT, only_reads
from controller.resources.base import Kind
from controller.resources.registry import KINDS

Document: TypeAlias = dict[str, Any]
Kinds: TypeAlias = Iterable[Kind[Any]]

MEMBER_ROLE = "OrgctlMember"
ASSUME = "sts:AssumeRole"
LONGEST = 6144
"""Characters of a managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas")."""

# EnableSecurityHub makes it on the caller's behalf (Security Hub User Guide, "Service-linked roles").
_SERVICE_LINKED_ROLE: Document = {
    "Sid": "LetSecurityHubMakeItsRole",
    "Effect": "Allow",
    "Action": "iam:CreateServiceLinkedRole",
    "Resource": {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/aws-service-role/securityhub.amazonaws.com/*"},
    "Condition": {"StringLike": {"iam:AWSServiceName": "securityhub.amazonaws.com"}},
}


def files(kinds: Kinds = KINDS) -> Mapping[str, str]:
    """File name → text, of everything below deploy/iam/ that is generated."""
    kinds = tuple(kinds)
    return {
        "controller-read.json": _json(controller_read(kinds)),
        "controller-write.json": _json(controller_write(kinds)),
        "member-role.yaml": _TEMPLATE_HEAD + yaml.safe_dump(member_template(kinds), sort_keys=False, width=120),
    }


def controller_read(kinds: Kinds) -> Document:
    """All that `plan` and the questions need in the management account, its own Security Hub included. Nothing in it
    writes."""
    actions = {action for kind in kinds for action in kind.reads} | access.READS | CONNECT - {ASSUME}
    return _policy(
        _allow("Look", actions),
        {
            # Only in this organization: the external id keeps others out of the role, this keeps us out of theirs.
            "Sid": "LookIntoMemberAccounts",
            "Effect": "Allow",
            "Action": ASSUME,
            "Resource": f"arn:aws:iam::*:role/{MEMBER_ROLE}*",
            "Condition": {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
        },
    )


def controller_write(kinds: Kinds) -> Document:
    """What `run` and `apply` need in the management account beyond `controller_read`."""
    return _policy(_allow("Write", {action for kind in kinds for action in kind.writes}))


def member_reads(kinds: Kinds) -> frozenset[str]:
    """What the member role may do at least."""
    return frozenset(action for kind in kinds for action in kind.member_actions if _reads(action))


def member_writes(kinds: Kinds) -> frozenset[str]:
    """What the member role may do beyond `member_reads`, where writing is on."""
    return frozenset(action for kind in kinds for action in kind.member_actions if not _reads(action))


def member_template(kinds: Kinds) -> Document:
    """A CloudFormation template of the member role, for a StackSet over all member accounts."""
    kinds = tuple(kinds)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role that orgctl assumes in this account",
        "Parameters": {
            "ControllerRoleArn": {
                "Type": "String",
                "Description": "The controller's own role, in the management account",
                "AllowedPattern": r"arn:[\w-]+:iam::\d{12}:role/.+",
            },
            "RoleName": {
                "Type": "String",
                "Default": MEMBER_ROLE,
                "Description": "As `member_role` in the controller's settings",
                "AllowedPattern": MEMBER_ROLE + r"[\w+=,.@-]*",
            },
            "ExternalId": {
                "Type": "String",
                "NoEcho": True,
                "MinLength": 16,
                "MaxLength": 1224,
                "Description": "As `member_external_id` in the controller's settings",
            },
            "Writes": {
                "Type": "String",
                "Default": "yes",
                "AllowedValues": ["yes", "no"],
                "Description": "no: for a second, read-only role, with which `plan` runs",
            },
        },
        "Conditions": {"MayWrite": {"Fn::Equals": [{"Ref": "Writes"}, "yes"]}},
        "Resources": {"MemberRole": {"Type": "AWS::IAM::Role", "Properties": _role(kinds)}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["MemberRole", "Arn"]}}},
    }


def member_policies(kinds: Kinds, *, writes: bool) -> list[Document]:
    """The member role's inline policies: to look, and to write where writing is on."""
    look = {"PolicyName": "look", "PolicyDocument": _policy(_allow("Look", member_reads(kinds)))}
    write = {
        "PolicyName": "write",
        "PolicyDocument": _policy(_allow("Write", member_writes(kinds)), _SERVICE_LINKED_ROLE),
    }
    return [look, write] if writes else [look]


def _role(kinds: Kinds) -> Document:
    look, write = member_policies(kinds, writes=True)
    return {
        "RoleName": {"Ref": "RoleName"},
        "Description": "Assumed by orgctl",
        "MaxSessionDuration": 3600,
        "AssumeRolePolicyDocument": _policy(
            {
                "Effect": "Allow",
                "Principal": {"AWS": {"Ref": "ControllerRoleArn"}},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
            }
        ),
        "Policies": [look, {"Fn::If": ["MayWrite", write, {"Ref": "AWS::NoValue"}]}],
    }


def _reads(action: str) -> bool:
    return only_reads(action.partition(":")[2])


def _policy(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: Iterable[str]) -> Document:
    # These services' actions on a whole organization have no narrower resource than all of it.
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}


def _json(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


_TEMPLATE_HEAD = """\
# Made by `make iam`. A StackSet of this template, with service-managed permissions and automatic deployment, gives
# every member account, present and future, the role that orgctl works with there. See docs/security.md.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m controller.iam_policies", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (out / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
