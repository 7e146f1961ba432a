"""An import is enough to make the same organization again: elsewhere, and on the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.importing import seed
from controller.importing.save import write
from controller.report import Report
from controller.sandbox.seed.reading import read
from tests.importing.lives import Home
from tests.importing.test_import import DEMO, LIVE, ODD

CONTACT = 'contacts: {security: {name: SOC, title: On call, email: soc@example.com, phone: "+1 555 0100"}}'
HERE = (
    ODD.replace("name: Audit, ", f"name: Audit, {CONTACT}, ").replace(
        "targets: {accounts: [theirs]}", "targets: {accounts: [theirs], units: []}"
    )
    + """
---
kind: SandboxWorld
owned_by: ""
lacking: {eu-west-1: {controls: [CloudFront.1]}}
accounts:
  gone: {state: SUSPENDED}
people:
  users: {"no": {}, eve: {}}
  groups: {admins: []}
"""
)
ELSEWHERE = """
kind: SandboxWorld
organization: o-elsewhere00
root: r-else
lacking: {eu-west-1: {controls: [CloudFront.1]}}
people:
  users: {"no": {}, eve: {}}
  groups: {admins: []}
accounts:
  audit: {id: "100000000001", name: Audit, email: audit@example.com}
  shop: {id: "100000000002", name: Shop Front, email: Shop@example.com}
  shop2: {id: "100000000013", name: Shop Front, email: shop2@example.com}
  odd: {id: "100000000004", name: "!!!", email: odd@example.com}
  twelve: {id: "100000000005", name: "123456789012", email: twelve@example.com}
  theirs: {id: "100000000006", email: theirs@example.com}
  gone: {id: "100000000007", email: gone@example.com, state: SUSPENDED}
  coming: {id: "100000000008", email: coming@example.com}
"""


def approve_all(home: Home, cycles: int = 12) -> Report:
    """Cycles, with everything approved that may be, until there is nothing left to do."""
    for _ in range(cycles):
        report = home.cycle()
        if not report.plan.changes:
            return report
        for hold in home.store.holds():
            home.store.approve(hold.id, "a person")
        home.clock.sleep(120)
    raise AssertionError([(c.id, c.blocked) for c in report.plan.changes])


def test_applied_to_another_organization_it_imports_to_the_same_yaml() -> None:
    here, elsewhere = Home(HERE), Home(ELSEWHERE)
    here.by_hand("organizations:DetachPolicy", PolicyId="p-FullAWSAccess", TargetId=here.unit_id("R/D"))
    done = here.imported()
    elsewhere.state = here.state
    approve_all(elsewhere)
    assert elsewhere.imported().files == done.files
    assert any("soc@example.com" in text for text in done.files.values())
    assert here.sandbox.world.organization_id != elsewhere.sandbox.world.organization_id


@pytest.mark.parametrize("which", ["odd", "demo"])
def test_its_seed_makes_the_same_organization_on_the_sandbox(tmp_path: Path, which: str) -> None:
    home = Home(ODD + LIVE) if which == "odd" else Home(read(DEMO))
    if which == "demo":
        _provision(home, "PowerUserAccess")
    done = home.imported()
    write(tmp_path / "estate", done.files)
    text = seed.write(done.picture, home.controller.aws.reader(), "estate")
    write(tmp_path, {"world.yaml": text})
    copy = Home(read(tmp_path / "world.yaml"))
    again = copy.imported()
    assert again.files == done.files
    assert sorted(map(_without_ids, again.notes.text())) == sorted(map(_without_ids, done.notes.text()))


def _provision(home: Home, permission_set: str) -> None:
    """What accounts have of a set that was edited since is not for anybody to see, so no seed can say it."""
    found = home.permission_set(permission_set)
    home.by_hand(
        "sso-admin:ProvisionPermissionSet",
        InstanceArn=found["instance"],
        PermissionSetArn=found["arn"],
        TargetType="ALL_PROVISIONED_ACCOUNTS",
    )
    home.clock.sleep(600)


def _without_ids(line: str) -> str:
    """People who are gone have an id and nothing else; in a copy that is another one. So have OUs."""
    words = [word for word in line.split() if word.count("-") < 2]
    return " ".join(words)
