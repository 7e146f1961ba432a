"""Worlds made from YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller.errors import InvalidInput
from controller.resources.base import OWNER_TAG
from controller.sandbox.directory import directory
from controller.sandbox.identity_center.state import Access, PermissionSet, access
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.security_hub.state import Hub, hubs
from controller.sandbox.seed import seeded
from controller.sandbox.world import SimAccount, SimPolicy, SimUnit, World

ROOT = Path(__file__).resolve().parents[2]
FSBP = "aws-foundational-security-best-practices/v/1.0.0"

GIT = """
kind: Organization
regions: [us-east-1, eu-west-1]
policy_types: [service_control, resource_control, tag]
trusted_services: [sso.amazonaws.com, securityhub.amazonaws.com]
delegated_administrators: {audit: [securityhub.amazonaws.com]}
---
kind: OrganizationalUnits
units:
  Security: {tags: {cost-centre: "100"}}
  Workloads: {units: {Prod: {}, Dev: {}}}
---
kind: Accounts
accounts:
  audit: {email: audit@example.com, unit: /Security}
  shop-prod: {id: "111122223333", unit: /Workloads/Prod, tags: {env: prod}}
  shop-dev: {email: shop-dev@example.com, unit: /Workloads/Dev, tags: {env: dev}}
---
kind: ServiceControlPolicy
name: boundary
targets: {units: [/Workloads], accounts: [audit]}
content:
  Version: "2012-10-17"
  Statement:
    - Effect: Deny
      Action: "s3:*"
      Resource: "*"
      Condition: {"ForAllValues:StringNotLike": {"aws:ResourceOrgPaths": ["{{ unit('/Workloads').path }}/*"]}}
---
kind: PermissionSet
name: Reader
session_duration: PT8H
managed_policies: [ReadOnlyAccess]
inline_policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:Get*", Resource: "*"}]}
tags: {owner: platform}
---
kind: Assignments
assignments:
  - {group: developers, permission_sets: [Reader], targets: {units: [/Workloads]}}
  - {user: alice, permission_sets: [Reader], targets: {accounts: [audit]}}
---
kind: SecurityHub
targets: {units: [/]}
standards: [aws-foundational-security-best-practices/v/1.0.0]
disabled_controls: [{control: ACM.1, reason: Our own CA}]
"""


class Seeded:
    """A world, by the names that people use."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.world = sandbox, sandbox.world

    def unit(self, name: str) -> SimUnit:
        return next(unit for unit in self.world.units.values() if unit.name == name)

    def account(self, name: str) -> SimAccount:
        return next(account for account in self.world.accounts.values() if account.name == name)

    def policy(self, name: str) -> SimPolicy:
        return next(policy for policy in self.world.policies.values() if policy.name == name)

    def permission_set(self, name: str) -> PermissionSet:
        return access(self.world).permission_sets[access(self.world).arns[name]]

    def hub(self, account: str, region: str = "us-east-1") -> Hub:
        return hubs(self.world).hubs[self.account(account).id, region]

    def place(self, account: str) -> str:
        return self.world.units[self.account(account).parent].name

    def assignments(self) -> set[str]:
        """``principal/permission set/account``; a principal that is gone as ``?``."""
        store, state = directory(self.world), access(self.world)
        return {
            "/".join(
                (
                    getattr({**store.users, **store.groups}.get(row.principal), "name", "?"),
                    state.permission_sets[row.permission_set].name,
                    self.world.accounts[row.account].name,
                )
            )
            for row in state.assignments()
        }


class Seeds:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __call__(self, document: str = "", git: str = GIT) -> Seeded:
        (self.place / "git.yaml").write_text(git)
        if document:
            (self.place / "world.yaml").write_text("kind: SandboxWorld\n" + document)
        return Seeded(seeded(self.place, virtual=True))


@pytest.fixture
def seed(tmp_path: Path) -> Seeds:
    return Seeds(tmp_path)


# Without a SandboxWorld: as if git had been applied


def test_the_tree_and_the_accounts_are_as_git_says(seed: Seeds) -> None:
    world = seed()

    assert world.unit("Prod").parent == world.unit("Workloads").id
    assert world.unit("Security").tags == {"cost-centre": "100", OWNER_TAG: "main"}
    assert (world.account("shop-prod").id, world.place("shop-prod")) == ("111122223333", "Prod")
    assert world.account("shop-dev").tags == {"env": "dev"}
    assert "OrgctlMember" in world.account("audit").roles


def test_policies_are_attached_and_their_names_are_ids(seed: Seeds) -> None:
    world = seed()

    policy = world.policy("boundary")
    path = world.world.path(world.unit("Workloads").id)
    assert json.loads(policy.content)["Statement"][0]["Condition"] == {
        "ForAllValues:StringNotLike": {"aws:ResourceOrgPaths": [f"{path}*"]}
    }
    assert set(policy.targets) == {world.unit("Workloads").id, world.account("audit").id}
    assert policy.tags == {OWNER_TAG: "main"}


def test_awss_own_policies_are_on_everything_whose_type_is_enabled(seed: Seeds) -> None:
    world = seed()

    everything = {*world.world.units, *world.world.accounts}
    assert set(world.policy("FullAWSAccess").targets) == everything
    assert set(world.policy("RCPFullAWSAccess").targets) == everything
    assert world.world.policy_type_status("TAG_POLICY") == "ENABLED"
    assert world.world.policy_type_status("BACKUP_POLICY") is None


def test_access_is_given_and_provisioned(seed: Seeds) -> None:
    world = seed()

    reader = world.permission_set("Reader")
    assert reader.tags == {"owner": "platform", OWNER_TAG: "main"}
    assert list(reader.managed) == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert world.assignments() == {"developers/Reader/shop-prod", "developers/Reader/shop-dev", "alice/Reader/audit"}
    assert set(reader.provisioned.values()) == {reader.rights()}


def test_hubs_run_what_git_says_and_the_administrator_is_named(seed: Seeds) -> None:
    world = seed()

    for account in ("audit", "shop-prod", "shop-dev"):
        for region in ("us-east-1", "eu-west-1"):
            hub = world.hub(account, region)
            assert (set(hub.subscriptions), set(hub.disabled)) == ({FSBP}, {(FSBP, "ACM.1")})
            assert hub.tags == {OWNER_TAG: "main"}
    assert set(hubs(world.world).administrators.values()) == {world.account("audit").id}
    assert (world.world.management_account, "us-east-1") not in hubs(world.world).hubs


# With one: what is different


def test_things_are_missing_renamed_and_elsewhere(seed: Seeds) -> None:
    world = seed("""
missing: [organizational_unit/Security, policy_type/tag, "account_assignment/developers/*/shop-dev"]
units: {/Workloads/Prod: {name: Production, tags: {}}, /Old: {tags: {x: y}}, /Old/Inner: {}}
accounts:
  shop-dev: {unit: /Old/Inner, state: SUSPENDED, disabled_regions: [eu-south-1], tags: {env: other}}
  stranger: {email: stranger@example.com, name: Stranger Ltd}
""")

    assert {unit.name for unit in world.world.units.values()} == {
        "Root",
        "Workloads",
        "Production",
        "Dev",
        "Old",
        "Inner",
    }
    assert (world.place("audit"), world.place("shop-dev"), world.place("Stranger Ltd")) == ("Root", "Inner", "Root")
    assert world.unit("Production").tags == {OWNER_TAG: "main"}
    assert world.unit("Old").tags == {"x": "y"}
    dev = world.account("shop-dev")
    assert (dev.state, dev.regions_off, dev.tags) == ("SUSPENDED", {"eu-south-1"}, {"env": "other"})
    assert world.world.policy_type_status("TAG_POLICY") is None
    assert world.assignments() == {"developers/Reader/shop-prod", "alice/Reader/audit"}


def test_ownership_differs_by_name(seed: Seeds) -> None:
    world = seed("""
owned_by: other
not_owned: [permission_set/Reader, "security_hub/audit/*"]
owned_by_others: {"*_policy/boundary": third}
""")

    assert world.unit("Security").tags[OWNER_TAG] == "other"
    assert world.permission_set("Reader").tags == {"owner": "platform"}
    assert world.policy("boundary").tags == {OWNER_TAG: "third"}
    assert (world.hub("audit").tags, world.hub("shop-dev").tags) == ({}, {OWNER_TAG: "other"})


def test_nothing_need_be_owned(seed: Seeds) -> None:
    world = seed('owned_by: ""')

    assert world.policy("boundary").tags == world.hub("audit").tags == {}


def test_an_organization_to_adopt_carries_no_owners_whatever_its_seed_says(tmp_path: Path) -> None:
    (tmp_path / "git.yaml").write_text(GIT)
    (tmp_path / "world.yaml").write_text("kind: SandboxWorld\nowned_by: other\nowned_by_others: {'*': third}\n")

    world = Seeded(seeded(tmp_path, unowned=True))

    assert world.policy("boundary").tags == world.hub("audit").tags == {}


def test_policies_lie_over_gits_or_beside_them(seed: Seeds) -> None:
    world = seed("""
policies:
  - name: boundary
    called: old-boundary
    description: By hand
    tags: {owner: nobody}
    content: {Version: "2012-10-17", Statement: []}
    attached_to: {units: [/Security]}
    detached_from: {accounts: [audit]}
  - {name: mess, content_text: "{ }", attached_to: {units: [/], accounts: [shop-dev]}}
""")

    boundary = world.policy("old-boundary")
    assert (boundary.description, boundary.tags) == ("By hand", {"owner": "nobody", OWNER_TAG: "main"})
    assert json.loads(boundary.content)["Statement"] == []
    assert set(boundary.targets) == {world.unit("Workloads").id, world.unit("Security").id}
    mess = world.policy("mess")
    assert (mess.content, mess.tags) == ("{ }", {})
    assert set(mess.targets) == {world.world.root_id, world.account("shop-dev").id}


def test_only_the_people_that_are_named_exist(seed: Seeds) -> None:
    world = seed("""
people:
  users: {alice: {display_name: Alice Ames, email: alice@example.com}, bob: {}}
  groups: {developers: [alice, bob]}
""")

    store = directory(world.world)
    assert set(store.user_ids) == {"alice", "bob"}
    assert store.email_ids == {"alice@example.com": store.user_ids["alice"]}
    assert len(store.groups[store.group_ids["developers"]].members) == 2
    assert "alice/Reader/audit" in world.assignments()


def test_assignments_are_made_lost_and_orphaned(seed: Seeds) -> None:
    world = seed("""
assignments:
  - {user: alice, permission_set: Reader, accounts: [shop-prod]}
  - {group: developers, permission_set: Reader, accounts: [shop-dev], missing: true}
  - {deleted_user: mallory, permission_set: Reader, accounts: [audit]}
  - {deleted_group: contractors, permission_set: Old, accounts: [shop-prod]}
permission_sets:
  Old: {managed_policies: [AdministratorAccess]}
""")

    assert world.assignments() == {
        "developers/Reader/shop-prod",
        "alice/Reader/audit",
        "alice/Reader/shop-prod",
        "?/Reader/audit",
        "?/Old/shop-prod",
    }
    assert world.permission_set("Old").tags == {}


@pytest.mark.parametrize("provisioned", [True, False])
def test_an_edit_made_by_hand_may_not_have_reached_the_accounts(seed: Seeds, provisioned: bool) -> None:
    world = seed(f"""
permission_sets:
  Reader: {{session_duration: PT2H, inline_policy: {{}}, provisioned: {str(provisioned).lower()}}}
""")

    reader = world.permission_set("Reader")
    assert (reader.session_duration, reader.inline) == ("PT2H", "")
    there = {rights.session_duration for rights in reader.provisioned.values()}
    assert there == ({"PT2H"} if provisioned else {"PT8H"})


def test_hubs_differ_by_account_and_region(seed: Seeds) -> None:
    world = seed("""
lacking: {eu-west-1: {standards: [pci-dss/v/3.2.1], controls: [ACM.1]}}
security_hub:
  - {accounts: ["shop-*"], regions: [eu-west-1], enabled: false}
  - {accounts: [audit], also: [pci-dss/v/3.2.1], enabled_controls: [ACM.1], recorder: false}
  - {accounts: [shop-prod], regions: [us-east-1], standards: [pci-dss/v/3.2.1], tags: {x: y}}
  - {accounts: [management], regions: [us-east-1], enabled: true}
  - accounts: [shop-dev]
    disabled_controls: [{control: ACM.2, reason: By hand}]
""")

    state = hubs(world.world)
    assert {region for account, region in state.hubs if account == world.account("shop-prod").id} == {"us-east-1"}
    assert set(world.hub("audit").subscriptions) == {FSBP, "pci-dss/v/3.2.1"}
    assert set(world.hub("audit", "eu-west-1").subscriptions) == {FSBP}
    assert world.hub("audit").disabled == {}
    assert len(state.no_recorder) == 2
    assert set(world.hub("shop-prod").subscriptions) == {"pci-dss/v/3.2.1"}
    assert world.hub("shop-prod").tags == {"x": "y", OWNER_TAG: "main"}
    assert {control for _, control in world.hub("shop-dev").disabled} == {"ACM.1", "ACM.2"}
    assert state.hubs[world.world.management_account, "us-east-1"].subscriptions == {}


def test_central_configuration_can_be_in_force(seed: Seeds) -> None:
    world = seed("""
central_configuration:
  regions: [us-east-1, eu-west-1]
  policies: {/: everyone, /Workloads/Dev: SELF_MANAGED_SECURITY_HUB}
""")

    state = hubs(world.world)
    assert state.policy_of(world.world, "111122223333", "eu-west-1") == "everyone"
    assert state.policy_of(world.world, world.account("shop-dev").id, "eu-west-1") is None
    assert state.policy_of(world.world, "111122223333", "eu-central-1") is None


def test_the_sandbox_behaves_as_told(seed: Seeds) -> None:
    sandbox = seed("""
organization: o-anycompany0
root: r-any1
management: {id: "999999999999", name: payer, email: payer@example.com}
member_role: {name: Member, external_id: secret, missing_in: [audit]}
delays: {"*": 1, CreateAccountAssignment: 5}
latency: {"organizations:*": 0.04}
rates: 2
faults: [{operation: "sso-admin:*", kind: throttle, count: 3}]
""").sandbox

    world = sandbox.world
    assert (world.organization_id, world.root_id, world.management_account) == (
        "o-anycompany0",
        "r-any1",
        "999999999999",
    )
    assert {account.name: "Member" in account.roles for account in world.accounts.values()} == {
        "payer": False,
        "audit": False,
        "shop-prod": True,
        "shop-dev": True,
    }
    assert world.data["sts"]["external_ids"] == {"Member": "secret"}
    assert world.delays == {"*": 1, "CreateAccountAssignment": 5}
    assert (sandbox.latency, sandbox.rates.multiple) == ({"organizations:*": 0.04}, 2)
    assert [fault.count for fault in sandbox.faults.all] == [3]


def test_every_id_of_the_root_is_the_one_that_was_given(seed: Seeds) -> None:
    world = seed("root: r-any1").world

    assert world.path("111122223333").split("/")[1] == "r-any1"
    assert world.units["r-any1"].id == "r-any1"
    assert all(
        target in world.units or target in world.accounts for p in world.policies.values() for target in p.targets
    )
    assert world.attached.keys() == {*world.units, *world.accounts}


# Where it comes from


def test_the_desired_state_may_lie_elsewhere(tmp_path: Path) -> None:
    git, worlds = tmp_path / "git", tmp_path / "worlds"
    git.mkdir()
    worlds.mkdir()
    (git / "git.yaml").write_text(GIT)
    (worlds / "world.yaml").write_text("kind: SandboxWorld\nestate: ../git\nowned_by: other\n")

    for paths in ((worlds,), (worlds, git), (worlds / "world.yaml",)):
        assert Seeded(seeded(*paths)).policy("boundary").tags == {OWNER_TAG: "other"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("accounts: {shop-dev: {stat: SUSPENDED}}", r"world.yaml:2:.*stat.*"),
        ("delays: {x: soon}", r"world.yaml:2:"),
        (
            "policies: [{name: p, content: {a: \"{{ account('nobody').id }}\"}}]",
            r"world.yaml:2:35: there is no account 'nobody'",
        ),
        ("owned_by: main\n---\nkind: SandboxWorld", r"world.yaml:4:1: a second SandboxWorld"),
    ],
)
def test_a_wrong_world_says_where(seed: Seeds, document: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        seed(document)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("organization: x", r"world.yaml:2:15: 'x' is no organization's id"),
        ("root: o-anycompany0", r"world.yaml:2:7: 'o-anycompany0' is no root's id"),
        ("member_role: {missing_in: [audti]}", r":2:28: there is no account 'audti'(.|\n)*'audit'"),
        ("accounts: {shop-dev: {unit: /Worklods}}", r":2:29: there is no unit '/Worklods'(.|\n)*'/Workloads'"),
        ("units: {/Old/Inner: {}}", r":2:9: there is no unit '/Old'"),
        ("units: {Old: {}}", r":2:9: 'Old' is not the path of a unit"),
        ("delegated_administrators: {audti: []}", r":2:28: there is no account 'audti'(.|\n)*'audit'"),
        ("policies: [{name: bondary}]", r":2:19: git has no ServiceControlPolicy 'bondary'(.|\n)*'boundary'"),
        ("policies: [{name: boundary, attached_to: {units: [/Prod]}}]", r":2:51: there is no unit '/Prod'"),
        ("policies: [{name: boundary, detached_from: {accounts: [shop]}}]", r":2:56: there is no account 'shop'"),
        ("assignments: [{user: alise, permission_set: Reader, accounts: []}]", r":2:22: there is no user 'alise'"),
        (
            "assignments: [{user: alice, permission_set: Raeder, accounts: [audit]}]",
            r":2:45: there is no permission set 'Raeder'(.|\n)*'Reader'",
        ),
        ("assignments: [{user: alice, permission_set: Reader, accounts: [x]}]", r":2:64: there is no account 'x'"),
        ("assignments: [{permission_set: Reader, accounts: []}]", r":2:15: an assignment has exactly one principal"),
        ("people: {groups: {developers: [carol]}}", r":2:32: there is no user 'carol'"),
        ("security_hub: [{accounts: [shop-*, 'x*']}]", r":2:36: there is no account 'x\*'"),
        ("central_configuration: {regions: [us-east-1], policies: {/X: a}}", r":2:58: there is no unit or account"),
        ("missing: [permission_set/Raeder]", r":2:11: 'permission_set/Raeder' matches(.|\n)*'permission_set/Reader'"),
        ("not_owned: ['tag_policy/*']", r":2:13: 'tag_policy/\*' matches nothing"),
        ("owned_by_others: {'security_hub/x/*': b}", r":2:19: 'security_hub/x/\*' matches nothing"),
    ],
)
def test_a_name_that_nothing_bears_is_told_where_it_stands(seed: Seeds, document: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        seed(document)


def test_a_reset_brings_back_what_was_seeded(seed: Seeds) -> None:
    world = seed()
    world.sandbox.remember()
    before = world.assignments(), dict(world.hub("audit").disabled)
    access(world.world).revoke(next(access(world.world).assignments()))
    world.hub("audit").disabled.clear()

    world.sandbox.reset()

    assert (world.assignments(), world.hub("audit").disabled) == before


def test_the_same_seed_gives_the_same_world(seed: Seeds) -> None:
    def ids(world: World) -> Any:
        state: Access = access(world)
        return list(world.units), list(world.accounts), list(world.policies), list(state.permission_sets)

    assert ids(seed().world) == ids(seed().world)


def test_the_demos_organization_is_in_trouble() -> None:
    world = Seeded(seeded(ROOT / "controller" / "sandbox" / "worlds" / "demo"))

    assert len(world.world.accounts) == 41
    assert sum(policy.type == "SERVICE_CONTROL_POLICY" for policy in world.world.policies.values()) >= 15
    assert {account.state for account in world.world.accounts.values()} == {"ACTIVE", "SUSPENDED", "CLOSED"}
    assert any(name.startswith("?/") for name in world.assignments())
    assert (world.account("network").id, "eu-west-1") not in hubs(world.world).hubs
    assert world.unit("Production").name == "Production"


def test_the_example_in_the_documentation_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "world.yaml").write_text(example.replace("../desired-state", str(ROOT / "desired-state")))

    world = Seeded(seeded(tmp_path))

    assert world.place("payments-dev") == "Root"
    assert "?/ReadOnlyAccess/audit" in world.assignments()
    assert world.policy("protect-logs").targets == {}
