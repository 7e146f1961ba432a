"""What it costs to start: `orgctl --help`, and `orgctl validate` of thousands of files. CPU seconds, best of three.

.venv/bin/python -m bench.start --size L                      # 3,000 files
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

SIZES = {"S": 60, "M": 600, "L": 3_000, "XL": 10_000}
"""Files of desired state: 60 % hold an account, 15 % a policy, 5 % a permission set, 20 % assignments."""
UNITS = 100
ACTIONS = ("cloudtrail:StopLogging", "ec2:DeleteVpc", "guardduty:Delete*", "iam:CreateUser", "kms:ScheduleKeyDeletion",
           "organizations:LeaveOrganization", "rds:Delete*", "sso:*")  # fmt: skip


def documents(files: int) -> dict[str, list[dict[str, Any]]]:
    """File name → documents."""
    accounts, policies, sets = files * 60 // 100, files * 15 // 100, max(1, files * 5 // 100)
    units = [f"u{number:03}" for number in range(UNITS)]
    found: dict[str, list[dict[str, Any]]] = {"organization.yaml": [
        {"kind": "Organization", "regions": ["us-east-1", "eu-west-1"], "policy_types": ["service_control"]},
        {"kind": "OrganizationalUnits", "units": {unit: {"tags": {"n": unit}} for unit in units}},
    ]}  # fmt: skip
    for n in range(accounts):
        one = {"email": f"aws+{n}@example.com", "unit": f"/{units[n % UNITS]}", "tags": {"env": "prod", "n": f"{n}"}}
        found[f"accounts/{n:05}.yaml"] = [{"kind": "Accounts", "accounts": {f"acct-{n:05}": one}}]
    for n in range(policies):
        statements = [
            {"Sid": f"S{step}", "Effect": "Deny", "Action": [ACTIONS[(n + step) % len(ACTIONS)], "s3:Delete*"],
             "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Break*"}}}
            for step in range(5)
        ]  # fmt: skip
        found[f"policies/{n:05}.yaml"] = [
            {"kind": "ServiceControlPolicy", "name": f"scp-{n:04}", "targets": {"accounts": [f"acct-{n:05}"]},
             "content": {"Version": "2012-10-17", "Statement": statements}}
        ]  # fmt: skip
    for n in range(sets):
        inline = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
        found[f"sets/{n:05}.yaml"] = [{"kind": "PermissionSet", "name": f"Set{n:04}", "inline_policy": inline}]
    for n in range(files - len(found)):
        line = {"group": f"group-{n:04}", "permission_sets": [f"Set{n % sets:04}"],
                "targets": {"units": [f"/{units[n % UNITS]}"]}}  # fmt: skip
        found[f"assignments/{n:05}.yaml"] = [{"kind": "Assignments", "assignments": [line]}]
    return found


def measure(files: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as given:
        for name, content in documents(files).items():
            path = Path(given) / "estate" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.dump_all(content, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        validate = ["validate", str(Path(given) / "estate")]
        return {"files": files, "--help": _best(["--help"]), "validate": _best(validate)}


def _best(arguments: list[str]) -> dict[str, float]:
    """The least that three runs took, and the most memory."""
    runs = [_once(arguments) for _ in range(3)]
    return {"cpu": min(cpu for cpu, _, _ in runs), "wall": min(wall for _, wall, _ in runs),
            "mib": max(mib for _, _, mib in runs)}  # fmt: skip


def _once(arguments: list[str]) -> tuple[float, float, float]:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "controller", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024


def tell(figures: dict[str, Any]) -> None:
    for name, what in (("--help", "--help"), ("validate", f"validate, {figures['files']:,} files")):
        one = figures[name]
        print(f"orgctl {what:24} {one['cpu']:6.2f} s CPU  {one['wall']:6.2f} s  {one['mib']:4.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="L")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    figures = measure(SIZES[chosen.size])
    tell(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
