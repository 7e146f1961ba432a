"""One AWS for the contract: the sandbox, strictly, or plain moto. What a test says to it, it says as boto3 does."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from controller.sandbox.inprocess import attach
from controller.sandbox.sandbox import Sandbox

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
ROLE = "OrganizationAccountAccessRole"

SCP = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
RCP = SCP.replace('"Effect"', '"Principal": "*", "Effect"')

# Reading the service models is most of what a session costs; they are the same for all.
MODELS = botocore.session.get_session().get_component("data_loader")


class Aws:
    """An organization with nothing in it.

    `sandbox`: the one that answers, strict, its time standing still; None: moto's mock answers. Everything but `wait`,
    `delay`, `state` and `rule` is done by AWS's own operations, so that a test means the same on both.
    """

    def __init__(self, sandbox: Sandbox | None) -> None:
        self.sandbox = sandbox
        self._clients: dict[tuple[str, ...], Any] = {}
        self._members = 0
        if sandbox is None:
            self.client("organizations").create_organization(FeatureSet="ALL")

    def client(self, service: str, *, account: str = "", region: str = "us-east-1") -> Any:
        """As the management account, or in the role that CreateAccount leaves in each account."""
        key = service, account, region
        if key not in self._clients:
            self._clients[key] = self._session(account, region).client(service, config=ONCE)
        return self._clients[key]

    def outsider(self, id: str) -> Any:
        """Organizations, called by an account that is in no organization."""
        return self._session("", "us-east-1", key=id).client("organizations", config=ONCE)

    def _session(self, account: str, region: str, key: str = "AKIAMANAGEMENT") -> boto3.Session:
        keys = {"AccessKeyId": key, "SecretAccessKey": "x", "SessionToken": None}
        if account:
            arn = f"arn:aws:iam::{account}:role/{ROLE}"
            keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="contract")["Credentials"]
        core = botocore.session.get_session()
        core.register_component("data_loader", MODELS)
        session = boto3.Session(
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
            region_name=region,
            botocore_session=core,
        )
        if self.sandbox:
            attach(session, self.sandbox)
        return session

    # What tests begin with

    @property
    def organizations(self) -> Any:
        return self.client("organizations")

    @property
    def root(self) -> str:
        found: str = self.organizations.list_roots()["Roots"][0]["Id"]
        return found

    @property
    def management(self) -> str:
        found: str = self.organizations.describe_organization()["Organization"]["MasterAccountId"]
        return found

    def member(self) -> str:
        """A new account's id."""
        self._members += 1
        made = self.organizations.create_account(
            AccountName=f"member-{self._members}", Email=f"member-{self._members}@example.com"
        )["CreateAccountStatus"]
        return self.created(made)

    def created(self, status: dict[str, Any]) -> str:
        found = self.organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])
        id: str = found["CreateAccountStatus"]["AccountId"]
        return id

    def unit(self, name: str, parent: str | None = None) -> str:
        made = self.organizations.create_organizational_unit(ParentId=parent or self.root, Name=name)
        id: str = made["OrganizationalUnit"]["Id"]
        return id

    def policy(self, name: str = "p", type: str = "SERVICE_CONTROL_POLICY", content: str = SCP) -> str:
        made = self.organizations.create_policy(Name=name, Description="", Type=type, Content=content)
        id: str = made["Policy"]["PolicySummary"]["Id"]
        return id

    def account(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.organizations.describe_account(AccountId=id)["Account"]
        return found

    # What only a simulator has: on moto nothing happens

    def wait(self, seconds: float) -> None:
        if self.sandbox:
            self.sandbox.world.clock.advance(seconds)

    def delay(self, operation: str, seconds: float) -> None:
        """How long AWS works on what `operation` begins."""
        if self.sandbox:
            self.sandbox.world.delays[operation] = seconds

    def state(self, account: str, state: str) -> None:
        """What no operation does: AWS activates an account, or suspends it."""
        if self.sandbox:
            self.sandbox.world.accounts[account].state = state

    def rule(self, name: str, amount: float | bool = True) -> None:
        """Let a rule of the sandbox hold that is not an everyday one, or hold with another amount."""
        if self.sandbox:
            self.sandbox.rules.set({name: amount})


class Center:
    """IAM Identity Center with its instance and identity store filled in, a member account, a user and a group."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        (instance,) = aws.client("sso-admin").list_instances()["Instances"]
        self.arn, self.store_id = instance["InstanceArn"], instance["IdentityStoreId"]
        self.dev = aws.member()

    def __getattr__(self, operation: str) -> Any:
        return partial(getattr(self.aws.client("sso-admin"), operation), InstanceArn=self.arn)

    def store(self, operation: str, **parameters: Any) -> dict[str, Any]:
        call = getattr(self.aws.client("identitystore"), operation)
        answer: dict[str, Any] = call(**{"IdentityStoreId": self.store_id, **parameters})
        return answer

    def user(self, name: str = "alice", **more: Any) -> str:
        names = {"DisplayName": name, "Name": {"GivenName": name, "FamilyName": name}}
        id: str = self.store("create_user", UserName=name, **names, **more)["UserId"]
        return id

    def group(self, name: str = "admins") -> str:
        id: str = self.store("create_group", DisplayName=name)["GroupId"]
        return id

    def permission_set(self, name: str = "Power", **more: Any) -> str:
        arn: str = self.create_permission_set(Name=name, **more)["PermissionSet"]["PermissionSetArn"]
        return arn

    def row(self, permission_set: str, user: str, **more: str) -> dict[str, str]:
        who = {"TargetId": self.dev, "TargetType": "AWS_ACCOUNT", "PrincipalType": "USER", "PrincipalId": user}
        return {"PermissionSetArn": permission_set, **who, **more}

    def assign(self, permission_set: str, user: str, **more: str) -> dict[str, Any]:
        """What CreateAccountAssignment answers, and then what became of it."""
        begun = self.create_account_assignment(**self.row(permission_set, user, **more))
        id = begun["AccountAssignmentCreationStatus"]["RequestId"]
        ended = self.describe_account_assignment_creation_status(AccountAssignmentCreationRequestId=id)
        status: dict[str, Any] = ended["AccountAssignmentCreationStatus"]
        return status

    def assigned(self, permission_set: str) -> list[str]:
        listed = self.list_account_assignments(AccountId=self.dev, PermissionSetArn=permission_set)
        return [row["PrincipalId"] for row in listed["AccountAssignments"]]


def refusal(call: Callable[..., Any], **parameters: Any) -> str:
    """``Code``, or ``Code Reason``, of the error that a call ends in; ``accepted`` where it ends in none."""
    try:
        call(**parameters)
    except ClientError as error:
        response = error.response
        return " ".join(filter(None, (response["Error"]["Code"], response.get("Reason"))))
    return "accepted"
