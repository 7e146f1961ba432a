"""Which accounts `targets` mean."""

from __future__ import annotations

from typing import Any

import pytest

from controller.desired.documents.base import Targets
from controller.desired.estate import Estate
from controller.resources.account import Account
from controller.resources.base import Live
from controller.resources.organizational_unit import OrganizationalUnit
from controller.resources.selection import select
from tests.resources.access import commit, live_with

BARE = Estate()


def account(id: int, name: str, unit: str | None, **fields: Any) -> Account:
    given: dict[str, Any] = {"state": "ACTIVE", "email": f"{name}@example.com", "tags": {}, **fields}
    return Account(key=f"{id:012d}", name=name, id=f"{id:012d}", unit=unit, **given)


def unit(path: str, id: str) -> OrganizationalUnit:
    return OrganizationalUnit(key=path, name=path, id=id, title=path)


LIVE = live_with(
    unit("/", "r-1234"),
    unit("/Workloads", "ou-1234-workload"),
    unit("/Workloads/Prod", "ou-1234-prodprod"),
    account(1, "management", "/", management=True, tags={"env": "prod"}),
    account(2, "web", "/Workloads/Prod", tags={"env": "prod"}),
    account(3, "lab", "/Workloads", tags={"env": "dev"}),
    account(4, "old", "/Workloads", state="SUSPENDED", tags={"env": "prod"}),
    account(5, "workshop", "/Workloadsite", tags={"env": "prod"}),
)


def names(targets: dict[str, Any], estate: Estate = BARE, live: Live = LIVE) -> list[str]:
    chosen = select(Targets.model_validate(targets), estate, live)
    accounts = live.of(Account)
    return [accounts[id].name for id in chosen.accounts]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param({"units": ["/"]}, ["web", "lab", "workshop"], id="the root: all but the management account"),
        pytest.param({"units": ["/Workloads"]}, ["web", "lab"], id="an OU, with everything below it, by whole names"),
        pytest.param({"units": ["/Workloads/Prod"]}, ["web"], id="only what is below"),
        pytest.param({"units": ["ou-1234-prodprod"]}, ["web"], id="an OU by its id"),
        pytest.param({"units": ["r-1234"]}, ["web", "lab", "workshop"], id="the root by its id"),
        pytest.param({"units": ["/Workloads"], "tags": {"env": "prod"}}, ["web"], id="tags narrow units"),
        pytest.param({"tags": {"env": "prod"}}, ["web", "workshop"], id="tags alone search the whole organization"),
        pytest.param({"tags": {"env": "prod", "team": "x"}}, [], id="every tag must match"),
        pytest.param({"accounts": ["000000000003"]}, ["lab"], id="an account by its id"),
        pytest.param({"accounts": ["000000000001"]}, ["management"], id="the management account, when named"),
        pytest.param(
            {"units": ["/Workloads/Prod"], "accounts": ["000000000003"], "tags": {"env": "prod"}},
            ["web", "lab"],
            id="tags do not narrow named accounts",
        ),
        pytest.param({"units": ["/"], "exclude": {"units": ["/Workloads"]}}, ["workshop"], id="less an OU"),
        pytest.param({"units": ["/"], "exclude": {"accounts": ["000000000002"]}}, ["lab", "workshop"], id="less one"),
        pytest.param({"units": ["/"], "exclude": {"tags": {"env": "prod"}}}, ["lab"], id="less tags"),
        pytest.param(
            {"accounts": ["000000000002"], "exclude": {"tags": {"env": "prod"}}}, [], id="exclusion beats being named"
        ),
        pytest.param({}, [], id="nothing said, nothing meant"),
    ],
)
def test_targets(targets: dict[str, Any], expected: list[str]) -> None:
    assert names(targets) == expected


def test_an_account_counts_where_this_commit_puts_it_and_as_this_commit_tags_it() -> None:
    moved = commit(
        """
        kind: Accounts
        accounts:
          lab: {email: LAB@example.com, unit: /Workloads/Prod, tags: {env: prod}}
          web: {id: "000000000002", tags: {}}
        """
    )
    assert names({"units": ["/Workloads/Prod"]}, moved) == ["web", "lab"]
    assert names({"tags": {"env": "prod"}}, moved) == ["lab", "workshop"]
    assert names({"accounts": ["lab"]}, moved) == ["lab"]


def test_what_cannot_match_is_said() -> None:
    new = commit("{kind: Accounts, accounts: {newcomer: {email: new@example.com, unit: /Workloads}}}")
    chosen = select(Targets(units=["/Workloads", "ou-1234-gonegone"], accounts=["newcomer"]), new, LIVE)

    assert chosen.skipped == {
        "old": "left out: the account is SUSPENDED, not ACTIVE",
        "newcomer": "left out: AWS has no such account",
        "ou-1234-gonegone": "left out: this organization has no such OU",
    }


def test_targets_that_match_nothing_are_said() -> None:
    chosen = select(Targets(units=["/Nowhere"]), BARE, LIVE)
    assert [note.text for note in chosen.notes("security_hub", "hub.yaml:1:1")] == ["its targets match no account"]


def test_an_excluded_account_that_is_suspended_is_not_worth_a_word() -> None:
    chosen = select(Targets.model_validate({"units": ["/"], "exclude": {"accounts": ["000000000004"]}}), BARE, LIVE)
    assert chosen.skipped == {}
