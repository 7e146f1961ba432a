"""The AWS CLI administers an organization over HTTP, through every service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.sandbox.sandbox import Sandbox
from tests.contract.aws import SCP

FSBP = "aws-foundational-security-best-practices/v/1.0.0"


class Cli:
    """``cli("organizations list-roots")``: the answer. Arguments with spaces follow as they are."""

    def __init__(self, url: str, home: Path) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("aws_cli.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def __call__(self, command: str, *more: str) -> Any:
        status, out, err = self.run(command, *more)
        assert status == 0, err
        return json.loads(out) if out.strip() else None

    def run(self, command: str, *more: str) -> tuple[int, str, str]:
        """(exit status, standard output, standard error)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([*command.split(), *more]), file=self._process.stdin, flush=True)
        status, out, err = json.loads(self._process.stdout.readline())
        return status, out, err

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    sandbox = Sandbox.create()
    sandbox.strict = True
    with sandbox:
        made = Cli(sandbox.url, tmp_path)
        try:
            yield made
        finally:
            made.close()


def test_the_program_itself_runs(cli: Cli) -> None:
    program = Path(sys.executable).with_name("aws")
    ran = subprocess.run(
        [program, "sts", "get-caller-identity", "--query", "Account", "--output", "text"],
        capture_output=True,
        text=True,
        env=cli.environment,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "100000000000\n", "")


def test_a_session_through_every_service(cli: Cli) -> None:
    root = cli("organizations list-roots --query Roots[0].Id")
    unit = cli(
        f"organizations create-organizational-unit --parent-id {root} --name Workloads --query OrganizationalUnit.Id"
    )
    made = cli(
        "organizations create-account --account-name payments --email payments@example.com --tags Key=env,Value=prod"
    )
    request = made["CreateAccountStatus"]["Id"]
    status = cli(f"organizations describe-create-account-status --create-account-request-id {request}")
    account = status["CreateAccountStatus"]["AccountId"]
    cli(f"organizations move-account --account-id {account} --source-parent-id {root} --destination-parent-id {unit}")
    assert cli(f"organizations list-accounts-for-parent --parent-id {unit} --query Accounts[].Name") == ["payments"]

    create = "organizations create-policy --type SERVICE_CONTROL_POLICY --name no-s3 --description None --content"
    policy = cli(create, SCP)["Policy"]["PolicySummary"]["Id"]
    cli(f"organizations attach-policy --policy-id {policy} --target-id {unit}")
    listed = cli(f"organizations list-policies-for-target --target-id {unit} --filter SERVICE_CONTROL_POLICY")
    assert [each["Name"] for each in listed["Policies"]] == ["FullAWSAccess", "no-s3"]
    cli("organizations enable-aws-service-access --service-principal account.amazonaws.com")
    tagged = cli("resourcegroupstaggingapi get-resources --tag-filters Key=env,Values=prod")["ResourceTagMappingList"]
    assert [each["ResourceARN"].rsplit("/")[-1] for each in tagged] == [account]

    kind = f"--account-id {account} --alternate-contact-type SECURITY"
    words = ("--name", "SOC", "--title", "On call", "--email-address", "soc@example.com", "--phone-number", "+1 555")
    cli(f"account put-alternate-contact {kind}", *words)
    assert cli(f"account get-alternate-contact {kind} --query AlternateContact.Title") == "On call"

    access(cli, account)
    hub(cli)
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    assumed = cli(f"sts assume-role --role-session-name cli --role-arn {role}")
    assert assumed["AssumedRoleUser"]["Arn"].endswith("/cli")


def access(cli: Cli, account: str) -> None:
    (instance,) = cli("sso-admin list-instances")["Instances"]
    store = f"--identity-store-id {instance['IdentityStoreId']}"
    group = cli(f"identitystore create-group {store} --display-name admins")["GroupId"]
    by_name = json.dumps({"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "admins"}})
    assert cli(f"identitystore get-group-id {store} --alternate-identifier", by_name)["GroupId"] == group
    ours = f"--instance-arn {instance['InstanceArn']}"
    made = cli(f"sso-admin create-permission-set {ours} --name Admin --session-duration PT4H")
    arn = made["PermissionSet"]["PermissionSetArn"]
    managed = "--managed-policy-arn arn:aws:iam::aws:policy/AdministratorAccess"
    cli(f"sso-admin attach-managed-policy-to-permission-set {ours} --permission-set-arn {arn} {managed}")
    who = f"--principal-type GROUP --principal-id {group} --target-type AWS_ACCOUNT --target-id {account}"
    cli(f"sso-admin create-account-assignment {ours} --permission-set-arn {arn} {who}")
    rows = cli(f"sso-admin list-account-assignments {ours} --permission-set-arn {arn} --account-id {account}")
    assert [row["PrincipalId"] for row in rows["AccountAssignments"]] == [group]


def hub(cli: Cli) -> None:
    cli("securityhub enable-security-hub --no-enable-default-standards")
    standard = f"arn:aws:securityhub:us-east-1::standards/{FSBP}"
    cli(f"securityhub batch-enable-standards --standards-subscription-requests StandardsArn={standard}")
    shown = cli("securityhub get-enabled-standards --query StandardsSubscriptions[].StandardsStatus")
    assert shown == ["READY"]
    update = f"StandardsArn={standard},SecurityControlId=ACM.1,AssociationStatus=DISABLED,UpdatedReason=Ours"
    answer = cli(
        f"securityhub batch-update-standards-control-associations --standards-control-association-updates {update}"
    )
    assert answer.get("UnprocessedAssociationUpdates", []) == []


def test_a_refusal_is_told_in_awss_words(cli: Cli) -> None:
    status, _, error = cli.run("organizations close-account --account-id 100000000000")

    assert status != 0
    assert "An error occurred (ConstraintViolationException) when calling the CloseAccount operation" in error
