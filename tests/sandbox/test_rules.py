"""The rules by name: each is asked for, each can be off, and what AWS does at its most inconvenient stays sane."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import controller.sandbox
from controller.errors import InvalidInput
from controller.sandbox.rules import FACTS, RULES, STRICT, Rules
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed.reading import parse
from controller.sandbox.world import Refused
from tests.cycle.house import files
from tests.sandbox.conftest import Client, code

ASKED = re.compile(r"""\b(?:rule|amount|limit|_by_chance)\((?:world, )?"([a-z0-9-]+)\"""")


def test_every_rule_is_asked_for_somewhere_and_none_that_there_is_not() -> None:
    package = Path(controller.sandbox.__file__).parent
    asked = {name for file in package.rglob("*.py") for name in ASKED.findall(file.read_text())}
    assert asked == set(RULES)


def test_strict_turns_everything_on_and_leaves_open_questions_alone() -> None:
    rules = Rules({"ou-own-name": False})
    rules.set(STRICT)
    assert {name for name, holds in rules.holds.items() if not holds} == {"ou-own-name"}
    rules.set({"*": False, "stale-reads": 7})
    assert {name for name, holds in rules.holds.items() if holds} == {*FACTS, "stale-reads"} - {"ou-own-name"}
    assert rules.amount("stale-reads") == 7


@pytest.mark.parametrize("switches", [{"no-such": True}, {"ou-empty": 3.0}])
def test_a_rule_that_is_none_or_has_no_amount_is_refused(switches: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="rule"):
        Rules(switches)
    with pytest.raises(InvalidInput, match="rule"):
        name, switch = next(iter(switches.items()))
        parse(files(f"kind: SandboxWorld\nrules: {{{name}: {str(switch).lower()}}}"))


def test_a_seed_says_which_rules_hold() -> None:
    given = parse(files('kind: SandboxWorld\nrules: {"*": true, stale-reads: 5, ou-empty: false}'))
    rules = Rules(given.document.rules)
    assert (rules.amount("stale-reads"), rules.holds["ou-empty"], rules.holds["short-pages"]) == (5, False, True)


# Off, each lets through what it refuses when on


def _empty(sandbox: Sandbox) -> None:
    root = sandbox.world.root_id
    unit = sandbox.world.add_unit("A", root)
    sandbox.world.add_unit("B", unit.id)
    sandbox.call("organizations", "DeleteOrganizationalUnit", {"OrganizationalUnitId": unit.id})


def _deep(sandbox: Sandbox) -> None:
    parent = sandbox.world.root_id
    for level in range(6):
        made = sandbox.call("organizations", "CreateOrganizationalUnit", {"ParentId": parent, "Name": f"l{level}"})
        parent = made["OrganizationalUnit"]["Id"]


def _twins(sandbox: Sandbox) -> None:
    for _ in range(2):
        given = {"ParentId": sandbox.world.root_id, "Name": "A"}
        sandbox.call("organizations", "CreateOrganizationalUnit", given)


def _bare(sandbox: Sandbox) -> None:
    given = {"PolicyId": "p-FullAWSAccess", "TargetId": sandbox.world.root_id}
    sandbox.call("organizations", "DetachPolicy", given)


def _type_off(sandbox: Sandbox) -> None:
    policy = sandbox.world.add_policy("t", "TAG_POLICY", "{}")
    sandbox.call("organizations", "AttachPolicy", {"PolicyId": policy.id, "TargetId": sandbox.world.root_id})


def _long(sandbox: Sandbox) -> None:
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"' + "x" * 10_240 + '"}]}'
    given = {"Name": "p", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": text}
    sandbox.call("organizations", "CreatePolicy", given)


def _no_access(sandbox: Sandbox) -> None:
    account = sandbox.world.add_account("a", "a@example.com", sandbox.world.root_id)
    given = {"AccountId": account.id, "ServicePrincipal": "config.amazonaws.com"}
    sandbox.call("organizations", "RegisterDelegatedAdministrator", given)


def _stranger(sandbox: Sandbox) -> None:
    account = sandbox.world.add_account("a", "a@example.com", sandbox.world.root_id)
    sandbox.call("organizations", "ListAccounts", account=account.id)


def _six_at_once(sandbox: Sandbox) -> None:
    sandbox.world.delays["CreateAccount"] = 60
    for number in range(6):
        given = {"AccountName": "a", "Email": f"a{number}@example.com"}
        sandbox.call("organizations", "CreateAccount", given)


@pytest.mark.parametrize(
    ("rule", "deed"),
    [
        ("ou-empty", _empty),
        ("ou-depth", _deep),
        ("ou-names", _twins),
        ("attachments-min", _bare),
        ("type-enabled", _type_off),
        ("policy-size", _long),
        ("service-access-first", _no_access),
        ("callers", _stranger),
        ("creations-at-once", _six_at_once),
    ],
)
def test_a_rule_refuses_while_it_is_on_and_lets_through_while_it_is_off(rule: str, deed: Any) -> None:
    with pytest.raises(Refused):
        deed(Sandbox.create(virtual=True))
    deed(Sandbox.create(virtual=True, rules={rule: False}))


# Pages


def test_however_short_pages_are_every_item_comes_once(sandbox: Sandbox, organizations: Any) -> None:
    for number in range(57):
        sandbox.world.add_account(f"a{number}", f"a{number}@example.com", sandbox.world.root_id)
    sandbox.rules.set({"short-pages": 0.5, "empty-pages": 0.5})
    pages = [page["Accounts"] for page in organizations.get_paginator("list_accounts").paginate()]
    assert [account["Id"] for page in pages for account in page] == list(sandbox.world.accounts)
    assert any(not page for page in pages)
    assert any(0 < len(page) < 20 for page in pages[:-1])


def test_a_token_is_of_use_for_its_own_listing_and_for_a_while(sandbox: Sandbox, organizations: Any) -> None:
    root = sandbox.world.root_id
    for number in range(45):
        sandbox.world.add_account(f"a{number}", f"a{number}@example.com", root)
        sandbox.world.add_unit(f"u{number}", root)
    token = organizations.list_accounts()["NextToken"]
    altered = ("A" if token[5] != "A" else "B").join((token[:5], token[6:]))
    units = organizations.list_organizational_units_for_parent
    for ask in (
        partial(organizations.list_accounts, NextToken="20"),
        partial(organizations.list_accounts, NextToken=altered),
        partial(units, ParentId=root, NextToken=token),
    ):
        with pytest.raises(ClientError) as error:
            ask()
        assert code(error) == "InvalidInputException INVALID_NEXT_TOKEN"
    assert len(organizations.list_accounts(NextToken=token, MaxResults=5)["Accounts"]) == 5
    sandbox.world.clock.advance(901)
    with pytest.raises(ClientError):
        organizations.list_accounts(NextToken=token)


# Stale reads and overlapping writes


def test_what_a_stale_read_sees_was_so_once_and_ids_are_the_same(sandbox: Sandbox, client: Client) -> None:
    organizations, root = client("organizations"), sandbox.world.root_id
    sandbox.rules.set({"stale-reads": 3, "jobs-fail": 0.2})
    sandbox.world.delays["*"] = 2
    names: list[str] = []
    for number in range(20):
        made = organizations.create_organizational_unit(ParentId=root, Name=f"u{number}")["OrganizationalUnit"]
        names.append(made["Name"])
        organizations.create_account(AccountName="a", Email=f"a{number}@example.com")
        sandbox.world.clock.advance(1)
        listed = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=root)
        seen = [unit["Name"] for page in listed for unit in page["OrganizationalUnits"]]
        assert seen == names[: len(seen)]
        assert len(seen) >= len(names) - 3
    sandbox.past._follow(sandbox.world.clock.now())
    then = sandbox.past._then
    assert then is not None
    sandbox.call("organizations", "ListRoots")
    for service in sandbox.past._services.values():
        service.settle()
    assert then.units == sandbox.world.units
    assert then.accounts == sandbox.world.accounts


def test_a_write_is_refused_while_another_is_in_flight(sandbox: Sandbox, organizations: Any) -> None:
    sandbox.rules.set({"overlapping-writes": 0.5})
    root = sandbox.world.root_id
    organizations.create_organizational_unit(ParentId=root, Name="A")
    organizations.list_roots()
    with pytest.raises(ClientError) as error:
        organizations.create_organizational_unit(ParentId=root, Name="B")
    assert code(error) == "ConcurrentModificationException"
    sandbox.world.clock.advance(0.5)
    organizations.create_organizational_unit(ParentId=root, Name="B")


def test_work_fails_by_chance_the_same_for_the_same_seed() -> None:
    def failures(seed: int) -> list[str | None]:
        world = Sandbox.create(virtual=True, seed=seed, rules={"jobs-fail": 0.3}).world
        return [world.failure("CreateAccountAssignment") for _ in range(40)]

    assert failures(1) == failures(1) != failures(2)
    assert 4 < sum(reason is not None for reason in failures(1)) < 20
