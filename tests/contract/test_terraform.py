"""Terraform and its AWS provider bring an organization about over HTTP, find it as they left it, and take it away.

They are no Python packages: where the program, or the provider in a directory of plugins, is absent, this is skipped.
``ORGCTL_TERRAFORM_PLUGINS`` names such a directory (Terraform's documentation, "Implied Local Mirror Directories").
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.terraform import PLUGINS, PROVIDER
from controller.sandbox.identity_center.state import access
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import hubs

CONFIGURATION = """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
}

data "aws_organizations_organization" "this" {}
data "aws_ssoadmin_instances" "this" {}

locals {
  root     = data.aws_organizations_organization.this.roots[0].id
  instance = tolist(data.aws_ssoadmin_instances.this.arns)[0]
  controls = replace(aws_securityhub_standards_subscription.fsbp.id, ":subscription/", ":control/")
  store    = tolist(data.aws_ssoadmin_instances.this.identity_store_ids)[0]
}

resource "aws_organizations_organizational_unit" "workloads" {
  name      = "Workloads"
  parent_id = local.root
  tags      = { owner = "platform" }
}

resource "aws_organizations_organizational_unit" "prod" {
  name      = "Prod"
  parent_id = aws_organizations_organizational_unit.workloads.id
}

resource "aws_organizations_account" "payments" {
  name              = "payments"
  email             = "payments@example.com"
  parent_id         = local.root # closed accounts stay where they are for 90 days, and no OU with one is deleted
  close_on_deletion = true
  tags              = { env = "prod" }
}

resource "aws_organizations_policy" "region_lock" {
  name        = "region-lock"
  description = "Two Regions"
  content = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Action    = "*"
      Resource  = "*"
      Condition = { StringNotEquals = { "aws:RequestedRegion" = ["us-east-1", "eu-west-1"] } }
    }]
  })
}

resource "aws_organizations_policy_attachment" "region_lock" {
  policy_id = aws_organizations_policy.region_lock.id
  target_id = aws_organizations_organizational_unit.workloads.id
}

resource "aws_identitystore_user" "alice" {
  identity_store_id = local.store
  user_name         = "alice"
  display_name      = "Alice Ames"
  name {
    given_name  = "Alice"
    family_name = "Ames"
  }
  emails {
    value   = "alice@example.com"
    primary = true
  }
}

resource "aws_identitystore_group" "admins" {
  identity_store_id = local.store
  display_name      = "admins"
  description       = "Administrators"
}

resource "aws_identitystore_group_membership" "alice" {
  identity_store_id = local.store
  group_id          = aws_identitystore_group.admins.group_id
  member_id         = aws_identitystore_user.alice.user_id
}

resource "aws_ssoadmin_permission_set" "admin" {
  instance_arn     = local.instance
  name             = "Admin"
  description      = "Everything"
  session_duration = "PT2H"
  tags             = { owner = "platform" }
}

resource "aws_ssoadmin_managed_policy_attachment" "admin" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.admin.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_ssoadmin_permission_set_inline_policy" "admin" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.admin.arn
  inline_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Deny", Action = "s3:*", Resource = "*" }]
  })
}

resource "aws_ssoadmin_account_assignment" "admins" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.admin.arn
  principal_type     = "GROUP"
  principal_id       = aws_identitystore_group.admins.group_id
  target_type        = "AWS_ACCOUNT"
  target_id          = aws_organizations_account.payments.id
}

resource "aws_securityhub_account" "this" {
  enable_default_standards = false
}

resource "aws_securityhub_standards_subscription" "fsbp" {
  standards_arn = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"
  depends_on    = [aws_securityhub_account.this]
}

resource "aws_securityhub_standards_control_association" "acm" {
  standards_arn       = aws_securityhub_standards_subscription.fsbp.standards_arn
  security_control_id = "ACM.1"
  association_status  = "DISABLED"
  updated_reason      = "Certificates are our own"
}

resource "aws_securityhub_standards_control" "iam" {
  standards_control_arn = "${local.controls}/IAM.1"
  control_status        = "DISABLED"
  disabled_reason       = "Known"
}
"""


def plugins() -> Path | None:
    """The first directory that has the provider."""
    found = (Path(place).expanduser() for place in PLUGINS if place)
    return next((place for place in found if (place / PROVIDER).is_dir()), None)


@pytest.mark.terraform
def test_terraform_applies_finds_nothing_to_change_and_destroys(tmp_path: Path) -> None:
    program, providers = shutil.which("terraform"), plugins()
    if program is None or providers is None:
        missing = "terraform" if program is None else f"its provider {PROVIDER}"
        pytest.skip(f"{missing} is not installed here: nothing is said about Terraform")
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    sandbox = Sandbox.create()
    sandbox.strict = True
    sandbox.world.delays["*"] = 1

    def terraform(command: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": sandbox.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "x",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }
        ran = subprocess.run(
            [program, *command.split(), "-input=false", "-no-color"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    with sandbox:
        terraform(f"init -plugin-dir={providers}")
        assert f"Plan: {CONFIGURATION.count('resource ')} to add, 0 to change, 0 to destroy" in terraform("plan")
        terraform("apply -auto-approve")
        world, center = sandbox.world, access(sandbox.world)
        assert {unit.name for unit in world.units.values()} == {"Root", "Workloads", "Prod"}
        assert len(center.by_place) == 1

        assert "No changes." in terraform("plan -detailed-exitcode")
        assert "0 to add, 0 to change" in terraform("destroy -auto-approve")

    assert sandbox.refused == {}
    assert (len(world.units), [policy for policy in world.policies.values() if not policy.aws_managed]) == (1, [])
    assert (center.permission_sets, hubs(world).hubs) == ({}, {})
    assert [account.state for account in world.accounts.values()] == ["ACTIVE", "CLOSED"]
