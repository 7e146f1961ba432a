"""A contender: Terraform's plan of an organization that it has a state of, where Terraform and its AWS provider are.

The state comes from ``import`` blocks, so nothing is written to the organization.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3

from bench.naive import pages

PROVIDER = "registry.terraform.io/hashicorp/aws"
PLUGINS = (
    os.environ.get("ORGCTL_TERRAFORM_PLUGINS", ""),
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
)
TERRAFORM = ("env", "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "terraform")  # no look for newer versions
QUIET = ("-input=false", "-no-color")
Resource = tuple[str, str, dict[str, Any]]
"""Terraform's type, the id to import, and the arguments."""


def missing() -> str | None:
    if shutil.which("terraform") is None:
        return "terraform is not installed"
    return None if _plugins() else f"its provider {PROVIDER} is not installed (ORGCTL_TERRAFORM_PLUGINS)"


def command() -> list[str]:
    """A plan, which is to find nothing: -detailed-exitcode ends with 2 where there is something."""
    return [*TERRAFORM, "plan", "-detailed-exitcode", *QUIET]


def prepare(environment: Mapping[str, str], place: Path) -> None:
    """Configuration and state of all that there is."""
    session = boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    where = {"region_name": "us-east-1", "endpoint_url": environment["AWS_ENDPOINT_URL"]}
    found = [*_organization(session.client("organizations", **where)),
             *_identity_center(session.client("sso-admin", **where))]  # fmt: skip
    configuration: dict[str, Any] = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": {"region": "us-east-1", "skip_metadata_api_check": "true"}},
        "resource": {},
        "import": [],
    }
    for number, (kind, id, arguments) in enumerate(found):
        name = f"r{number}"
        # What a person would have written out; here only what it costs to find that nothing is to change counts.
        configuration["resource"].setdefault(kind, {})[name] = {**arguments, "lifecycle": {"ignore_changes": "all"}}
        configuration["import"].append({"to": f"{kind}.{name}", "id": id})
    main = place / "main.tf.json"
    main.write_text(json.dumps(configuration), encoding="utf-8")
    providers = _plugins()
    _run(environment, place, "init", f"-plugin-dir={providers}")
    _run(environment, place, "apply", "-auto-approve", "-parallelism=30")
    del configuration["import"]
    main.write_text(json.dumps(configuration), encoding="utf-8")


def _organization(client: Any) -> Iterator[Resource]:
    parents = [client.list_roots()["Roots"][0]["Id"]]
    while parents:
        parent = parents.pop()
        for unit in pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
            yield "aws_organizations_organizational_unit", unit["Id"], {"name": unit["Name"], "parent_id": parent}
            parents.append(unit["Id"])
    for account in pages(client, "list_accounts", "Accounts"):
        named = {"name": account["Name"], "email": account["Email"]}
        yield "aws_organizations_account", account["Id"], named
    for policy in pages(client, "list_policies", "Policies", Filter="SERVICE_CONTROL_POLICY"):
        if policy["AwsManaged"]:
            continue
        id = policy["Id"]
        content = client.describe_policy(PolicyId=id)["Policy"]["Content"]
        yield "aws_organizations_policy", id, {"name": policy["Name"], "content": content}
        for target in pages(client, "list_targets_for_policy", "Targets", PolicyId=id):
            on = target["TargetId"]
            yield "aws_organizations_policy_attachment", f"{on}:{id}", {"policy_id": id, "target_id": on}


def _identity_center(client: Any) -> Iterator[Resource]:
    instance = client.list_instances()["Instances"][0]["InstanceArn"]
    for arn in pages(client, "list_permission_sets", "PermissionSets", InstanceArn=instance):
        one = {"InstanceArn": instance, "PermissionSetArn": arn}
        name = client.describe_permission_set(**one)["PermissionSet"]["Name"]
        yield "aws_ssoadmin_permission_set", f"{arn},{instance}", {"name": name, "instance_arn": instance}
        of = {"instance_arn": instance, "permission_set_arn": arn}
        for policy in pages(client, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **one):
            yield (
                "aws_ssoadmin_managed_policy_attachment",
                f"{policy['Arn']},{arn},{instance}",
                {**of, "managed_policy_arn": policy["Arn"]},
            )
        for account in pages(client, "list_accounts_for_provisioned_permission_set", "AccountIds", **one):
            for row in pages(client, "list_account_assignments", "AccountAssignments", AccountId=account, **one):
                who = {"principal_id": row["PrincipalId"], "principal_type": row["PrincipalType"]}
                yield (
                    "aws_ssoadmin_account_assignment",
                    f"{row['PrincipalId']},{row['PrincipalType']},{account},AWS_ACCOUNT,{arn},{instance}",
                    {**of, **who, "target_id": account, "target_type": "AWS_ACCOUNT"},
                )


def _plugins() -> Path | None:
    """The first directory that has the provider."""
    found = (Path(place).expanduser() for place in PLUGINS if place)
    return next((place for place in found if (place / PROVIDER).is_dir()), None)


def _run(environment: Mapping[str, str], place: Path, *arguments: str) -> None:
    ran = subprocess.run(
        [*TERRAFORM, *arguments, *QUIET],
        cwd=place,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if ran.returncode:
        raise SystemExit(f"terraform {arguments[0]}: {ran.stdout[-2000:]}")
