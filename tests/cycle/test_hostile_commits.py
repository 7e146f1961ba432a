"""A hostile reviewer's list: commits that nobody could have meant, on an organization that is as git says.

None of them, merged as it is with the settings that orgctl comes with, takes access or protection from anybody.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from controller.errors import InvalidInput, WrongOrganization
from controller.report import Result
from tests.cycle.house import House

UNITS = [f"Team{n}" for n in range(8)]
GIT = (
    """
kind: Organization
policy_types: [service_control]
---
kind: OrganizationalUnits
units:
  Prod:
  Dev:
"""
    + "".join(f"  {name}:\n" for name in UNITS)
    + """---
kind: Accounts
accounts:
  shop-prod: {email: aws+shop-prod@example.com, unit: /Prod, tags: {env: prod}}
  shop-dev: {email: aws+shop-dev@example.com, unit: /Dev, tags: {env: dev}}
"""
    + "".join(f"  team-{n}: {{email: aws+team-{n}@example.com, unit: /Team{n // 2}}}\n" for n in range(8))
    + "".join(
        f"""---
kind: ServiceControlPolicy
name: guard-{n}
targets: {{units: [/Prod, /Team{n}], accounts: [shop-prod]}}
content:
  Version: "2012-10-17"
  Statement: [{{Effect: Deny, Action: "s{n}:*", Resource: "arn:aws:x:::{{{{ account('shop-prod').id }}}}"}}]
"""
        for n in range(6)
    )
    + """---
kind: PermissionSet
name: PowerUserAccess
managed_policies: [PowerUserAccess]
---
kind: PermissionSet
name: AuditAccess
managed_policies: [SecurityAudit]
---
kind: Assignments
assignments:
  - {group: developers, permission_sets: [PowerUserAccess], targets: {units: [/Dev]}}
  - {group: auditors, permission_sets: [AuditAccess], targets: {units: [/]}}
  - {user: alice, permission_sets: [PowerUserAccess], targets: {tags: {env: prod}}}
  - {user: bob, permission_sets: [PowerUserAccess], targets: {accounts: [shop-prod, team-0]}}
"""
)
PEOPLE = """
---
kind: SandboxWorld
people:
  users: {alice: {}, bob: {}}
  groups: {developers: [alice, bob], auditors: [bob]}
"""


def swapped(git: str, one: str, other: str) -> str:
    return git.replace(one, "\0").replace(other, one).replace("\0", other)


def every_document_deleted() -> str:
    named = re.findall(r"kind: (ServiceControlPolicy|PermissionSet)\nname: (.*)\n", GIT)
    gone = "".join(f"---\nkind: {kind}\nname: {name}\ndeleted: true\n" for kind, name in named)
    units = "".join(f"  {name}: {{deleted: true}}\n" for name in ["Prod", "Dev", *UNITS])
    return f"kind: OrganizationalUnits\nunits:\n{units}{gone}"


def everything_renamed(*, with_formerly: bool) -> str:
    git = re.sub(r"^name: (.*)$", r"name: new-\1" + (r"\nformerly: \1" if with_formerly else ""), GIT, flags=re.M)
    git = re.sub(r"\b(Prod|Dev|Team\d):$", r"New\1:" + (r" {formerly: \1}" if with_formerly else ""), git, flags=re.M)
    git = re.sub(r"/(Prod|Dev|Team\d)", r"/New\1", git)
    return re.sub(r"permission_sets: \[(\w+)\]", r"permission_sets: [new-\1]", git)


EMAILS = ("aws+shop-prod@example.com", "aws+shop-dev@example.com")
COMMITS = {
    "everything deleted": every_document_deleted(),
    "everything renamed": everything_renamed(with_formerly=False),
    "everything renamed, and said so": everything_renamed(with_formerly=True),
    "an empty file": "",
    "e-mail addresses swapped": swapped(GIT, *EMAILS),
    "e-mail addresses swapped, names given": swapped(GIT, *EMAILS)
    .replace("shop-prod: {", "shop-prod: {name: shop-prod, ")
    .replace("shop-dev: {", "shop-dev: {name: shop-dev, "),
    "e-mail addresses swapped of accounts in one OU": swapped(GIT, "team-0@example", "team-1@example"),
    "the address of somebody else's account": GIT.replace(EMAILS[0], "aws+team-7@example.com").replace(
        "  team-7: {email: aws+team-7@example.com, unit: /Team3}\n", ""
    ),
    "e-mail addresses swapped of accounts that git only names": re.sub(
        r"unit: /(Prod|Dev), tags: \{.*?\}", "external: true", swapped(GIT, *EMAILS)
    ),
    "ids swapped": GIT.replace(f"email: {EMAILS[0]}", 'id: "DEV"').replace(f"email: {EMAILS[1]}", 'id: "PROD"'),
    "a mass move": re.sub(r"unit: /Team\d", "unit: /Dev", GIT),
    "all policies detached": re.sub(r"targets: \{units: \[/Prod.*", "targets: {}", GIT),
    "all assignments gone": GIT.partition("kind: Assignments")[0] + "kind: Assignments\nassignments: []\n",
    "every policy says nothing": re.sub(r"Effect: Deny, Action: \"s", 'Effect: Allow, Action: "s', GIT),
}


def effective(house: House) -> dict[str, set[str]]:
    """Account → what is denied there: the content of all policies on it, its OU and the root."""
    world = house.sandbox.world
    found: dict[str, set[str]] = {}
    for account in world.accounts.values():
        way = {account.id, account.parent}
        way |= {str(unit.parent) for unit in world.units.values() if unit.id == account.parent}
        denies = [p.content for p in world.policies.values() if way & set(p.targets) and "Deny" in p.content]
        found[account.name] = set(denies)
    return found


@pytest.mark.parametrize("commit", COMMITS)
def test_does_no_harm(commit: str) -> None:
    house = House(GIT + PEOPLE, GIT)
    assert house.cycle().plan.changes == ()
    access, denied = house.access(), effective(house)
    ids = {account.name: account.id for account in house.sandbox.world.accounts.values()}
    house.git = COMMITS[commit].replace('"PROD"', f'"{ids["shop-prod"]}"').replace('"DEV"', f'"{ids["shop-dev"]}"')
    for _ in range(3):
        house.cycle()
        house.clock.sleep(60)
    now = house.access()
    assert {a.replace("new-", "") for a in now} == access
    for account, rules in effective(house).items():
        assert rules >= denied[account], account


def test_swapped_addresses_are_held_with_what_to_do_and_go_through_once_somebody_says_so() -> None:
    house = House(GIT + PEOPLE, GIT)
    house.git = swapped(GIT, *EMAILS)
    held = house.cycle().plan.held
    assert {change.hold for change in held} - {None} != set()
    (why,) = {change.blocked for change in held if change.hold}
    assert why is not None
    assert "'shop-prod' is the name of another account" in why
    assert "orgctl approve" in why
    for _ in range(4):
        for hold in house.store.holds():
            house.store.approve(hold.id, "alice")
        house.cycle()
        house.clock.sleep(60)
    assert house.place("shop-dev") == "Prod"


def test_a_name_that_git_gives_is_believed() -> None:
    house = House(GIT + PEOPLE, GIT)
    house.git = (
        swapped(GIT, *EMAILS)
        .replace("shop-prod: {", "shop-prod: {name: shop-dev, ")
        .replace("shop-dev: {", "shop-dev: {name: shop-prod, ")
    )
    assert not [change for change in house.plan().held if "another account" in (change.blocked or "")]


def test_another_organization_is_not_written_to() -> None:
    house = House(GIT + PEOPLE, GIT)
    house.git = COMMITS["e-mail addresses swapped"]
    house.controller = house.another(organization="o-another000")
    before = house.calls_written()
    with pytest.raises(WrongOrganization):
        house.cycle()
    assert house.calls_written() == before


def test_a_group_renamed_at_the_identity_provider_loses_nothing_and_the_commit_that_follows_is_no_change() -> None:
    house = House(GIT + PEOPLE, GIT)
    house.cycle()
    _rename(house, "auditors", "reviewers")
    access = house.access()
    assert Result.APPLIED not in {outcome.result for outcome in house.cycle().outcomes}
    assert house.access() == access
    house.git = GIT.replace("group: auditors", "group: reviewers")
    assert house.cycle().plan.changes == ()


def _rename(house: House, old: str, new: str) -> Any:
    where = {"IdentityStoreId": house.by_hand("sso-admin:ListInstances")["Instances"][0]["IdentityStoreId"]}
    groups = house.by_hand("identitystore:ListGroups", **where)["Groups"]
    id = next(group["GroupId"] for group in groups if group["DisplayName"] == old)
    house.by_hand(
        "identitystore:UpdateGroup",
        GroupId=id,
        Operations=[{"AttributePath": "displayName", "AttributeValue": new}],
        **where,
    )


def test_a_file_that_is_no_yaml_is_no_commit() -> None:
    house = House(GIT + PEOPLE, GIT)
    house.git = GIT[: len(GIT) // 2] + "{"
    with pytest.raises(InvalidInput):
        house.cycle()
