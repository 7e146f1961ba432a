"""Made-up organizations of any size, as desired-state YAML that a sandbox can be seeded with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Size:
    """How many of what; `hub` says whether Security Hub covers every account.

    `sets_each`: How many permission sets a group has on its OU, which holds ``accounts / units`` accounts.
    """

    accounts: int
    units: int
    policies: int
    attachments: int
    permission_sets: int
    groups: int
    sets_each: int = 1
    hub: bool = True


SIZES = {
    "S": Size(accounts=50, units=12, policies=12, attachments=30, permission_sets=6, groups=12),
    "M": Size(accounts=500, units=60, policies=60, attachments=200, permission_sets=25, groups=60, sets_each=6),
    "L": Size(accounts=2_500, units=120, policies=150, attachments=400, permission_sets=50, groups=240, sets_each=3),
    "XL": Size(accounts=10_000, units=200, policies=300, attachments=800, permission_sets=100, groups=500, sets_each=2),
}
"""M: 3,000 assignments; L: 15,000; XL: 50,000."""


def write(size: Size, place: Path, regions: Sequence[str] = ("us-east-1", "eu-west-1")) -> Path:
    """One file of desired state below `place`."""
    place.mkdir(parents=True, exist_ok=True)
    units = [f"ou-{n:03}" for n in range(size.units)]
    accounts = [f"acct-{n:05}" for n in range(size.accounts)]
    sets = [f"Set{n:02}" for n in range(size.permission_sets)]
    documents: list[dict[str, Any]] = [
        {"kind": "Organization", "regions": list(regions), "policy_types": ["service_control"],
         "trusted_services": ["sso.amazonaws.com", "securityhub.amazonaws.com"]},
        {"kind": "OrganizationalUnits", "units": {unit: {"tags": {"n": unit}} for unit in units}},
        {"kind": "Accounts", "accounts": {
            name: {"email": f"aws+{name}@example.com", "unit": f"/{units[n % len(units)]}", "tags": {"env": "prod"}}
            for n, name in enumerate(accounts)}},
        *(_policy(n, size, units) for n in range(size.policies)),
        *({"kind": "PermissionSet", "name": name, "managed_policies": ["ReadOnlyAccess"]} for name in sets),
        {"kind": "Assignments", "assignments": [
            {"group": f"group-{n:03}",
             "permission_sets": [sets[(n + step) % len(sets)] for step in range(size.sets_each)],
             "targets": {"units": [f"/{units[n % len(units)]}"]}} for n in range(size.groups)]},
    ]  # fmt: skip
    if size.hub:
        documents.append(
            {"kind": "SecurityHub", "targets": {"units": ["/"]}, "standards": [FSBP],
             "disabled_controls": [{"control": "ACM.1", "reason": "Certificates come from our own CA"}]}
        )  # fmt: skip
    (place / "estate.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
    return place


FSBP = "aws-foundational-security-best-practices/v/1.0.0"


def _policy(number: int, size: Size, units: list[str]) -> dict[str, Any]:
    each = max(1, size.attachments * (number + 1) // size.policies - size.attachments * number // size.policies)
    targets = [f"/{units[(number + step * size.policies // each) % len(units)]}" for step in range(each)]
    return {
        "kind": "ServiceControlPolicy",
        "name": f"scp-{number:03}",
        "targets": {"units": sorted(set(targets))},
        "content": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": f"ec2:Delete{number}*", "Resource": "*"}],
        },
    }
