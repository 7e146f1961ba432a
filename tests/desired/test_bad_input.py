"""Every class of bad YAML: where it is said to be, what is said, what is advised."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from textwrap import dedent

import pytest

from controller.desired.load import load, read
from controller.desired.source import MAX_FILE_BYTES, Files
from controller.errors import InvalidInput, Problem

NOW = datetime(2026, 6, 1, tzinfo=UTC)

GROUND = """
    kind: OrganizationalUnits
    units:
      Security:
      Workloads: {units: {Prod: , Dev: }}
    ---
    kind: Accounts
    accounts:
      audit: {id: "111122223333", unit: /Security}
      payments-prod: {email: aws+payments@example.com, unit: /Workloads/Prod}
    ---
    kind: PermissionSet
    name: PowerUserAccess
    ---
    kind: Organization
    regions: [eu-west-1]
"""


def problems(files: dict[str, str | bytes], *, ground: bool = True) -> list[Problem]:
    """What is said of the files, laid beside a sound desired state."""
    sources = {"0-ground.yaml": dedent(GROUND).encode()} if ground else {}
    for name, text in files.items():
        sources[name] = text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode()
    return list(read(Files(sources), now=NOW)[1])


def test_the_ground_of_these_tests_is_sound() -> None:
    assert problems({}) == []


def scp(name: str, body: str = "") -> str:
    return (
        f"kind: ServiceControlPolicy\nname: {name}\n{body}"
        "content: {Version: '2012-10-17', Statement: [{Effect: Deny, Action: '*', Resource: '*'}]}\n"
    )


def bomb(levels: int = 12, width: int = 9) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def statement(**changes: object) -> str:
    """A service control policy with one statement, as YAML in one line of its own."""
    made = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", **changes}
    kept = {key: value for key, value in made.items() if value is not None}
    return (
        f"kind: ServiceControlPolicy\nname: p\ncontent:\n  Version: '2012-10-17'\n  Statement: [{json.dumps(kept)}]\n"
    )


CASES = [
    # YAML itself
    pytest.param("a: [1\nb: 2\n", "2:2", "closing bracket is missing", "Close the bracket", id="an open bracket"),
    pytest.param("kind: Accounts\naccounts:\n\t- b\n", "3:1", "a tab cannot indent", "spaces", id="a tab"),
    pytest.param("kind: Accounts: x\n", "1:15", "a ':' where no key can stand", "quotes", id="a second colon"),
    pytest.param("kind: 'Accounts\n", "2:1", "in the middle of a value", "Close the quote", id="an open quote"),
    pytest.param("kind: @x\n", "1:7", "'@' cannot begin a value", "in quotes", id="a character that begins nothing"),
    pytest.param(
        "kind: Accounts\naccounts: {}\nkind: Accounts\n",
        "3:1",
        "the key 'kind' stands here twice (first in line 1)",
        "Keep one",
        id="duplicate key",
    ),
    pytest.param("kind: !!python/name:os.system x\n", "1:7", "the tag !!python/name:os.system", "Drop it", id="a tag"),
    pytest.param("kind: *nothing\n", "1:7", "*nothing refers to nothing", "anchor &nothing", id="an alias of nothing"),
    pytest.param(
        "kind: OrganizationalUnits\nunits: &u {A: {units: *u}}\n",
        "2:23",
        "*u stands inside &u",
        "Write the value out",
        id="cyclic OUs",
    ),
    pytest.param(bomb(), "5:35", "stand for more than 50,000 values", "Write the values out", id="an alias bomb"),
    pytest.param("a: " + "[" * 200, "1:67", "nested deeper than 64 levels", "flatten", id="nested without end"),
    pytest.param(
        b"kind: Accounts\nx: caf\xe9\n", "2:7", "the byte 0xe9 is not valid UTF-8", "Save the file", id="latin-1"
    ),
    pytest.param(b"kind: Acc\x07ounts\n", "1:10", "U+0007 cannot be printed", "Remove it", id="a control character"),
    pytest.param("kind: Accounts\n1: {}\n", "2:1", "this key is a number, not text", "in quotes", id="a key of digits"),
    pytest.param("kind: Accounts\n<<: {}\n", "2:1", "merge keys", "Write the keys out", id="a merge key"),
    # Documents
    pytest.param("kind: Acounts\n", "1:7", "there is no kind 'Acounts'", "Did you mean 'Accounts'?", id="unknown kind"),
    pytest.param("accounts: {}\n", "1:1", "the document has no kind", "One of: Organization,", id="no kind"),
    pytest.param("- kind: Accounts\n", "1:1", "a document is a mapping", "Add its kind", id="a list"),
    pytest.param(
        "kind: Accounts\nversion: 2\n", "2:10", "version: 2 is not known here", "It is 1", id="another version"
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a:\n    emial: a@example.com\n    id: '111122223334'\n",
        "4:5",
        "accounts.a: unknown key 'emial'",
        "Did you mean 'email'?",
        id="unknown key",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '111122223334', deleted: true}\n",
        "3:27",
        "unknown key 'deleted'",
        "not deleted by orgctl",
        id="a reserved key where it says nothing",
    ),
    pytest.param(
        "kind: Assignments\nassignments:\n  - group: g\n    permission_sets: PowerUserAccess\n"
        "    targets: {units: [/]}\n",
        "4:22",
        "assignments[0].permission_sets: 'PowerUserAccess' is text, not a list",
        "[one, two]",
        id="wrong type",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\nmanaged_policies:\n",
        "3:18",
        "managed_policies: there is no value",
        "[] or {}",
        id="null for a list",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\n",
        "1:1",
        "the key 'standards' is missing",
        "Add it",
        id="missing key",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: 012345670123}\n",
        "3:11",
        "accounts.a.id: 012345670123 is a number, not text",
        'in quotes: "012345670123"',
        id="unquoted account id",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '1234'}\n", "3:11", "12 digits in quotes", "", id="a short account id"
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {email: nobody}\n", "3:14", "is not an e-mail address", "", id="no address"
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '111122223334', tags: {cost: 100}}\n",
        "3:40",
        "accounts.a.tags.cost: 100 is a number",
        'in quotes: "100"',
        id="a number for a tag",
    ),
    pytest.param(
        scp("p", "until: 2026-12-01\n"), "3:8", "not a time with an offset", "2026-12-01T18:00:00Z", id="a bare date"
    ),
    # Units
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n"
        "  A: {units: {B: {units: {C: {units: {D: {units: {E: {units: {F: }}}}}}}}}}\n",
        "3:63",
        "6 levels below the root; AWS allows 5",
        "Move it up",
        id="too deep OUs",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  Security: {tags: {}}\n",
        "3:3",
        "the unit '/Security' stands here twice (first in 0-ground.yaml:4)",
        "in one place",
        id="a unit twice",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  ou-ab12-12345678:\n",
        "3:3",
        "looks like an id",
        "name",
        id="an id for a name",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  A/B:\n",
        "3:3",
        "holds a '/'",
        "write '\\/'",
        id="a slash in a unit's name",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  New: {formerly: Security}\n",
        "3:3",
        "formerly '/Security', but that is a unit of its own",
        "once the rename is done",
        id="renamed, and still there",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  A: {deleted: true, units: {B: }}\n",
        "3:30",
        "it lies in '/A', which is deleted",
        "Delete it as well",
        id="a unit in a deleted one",
    ),
    # Accounts
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '111122223334', unit: /Workloads/Prd}\n",
        "3:33",
        "account 'a': there is no unit '/Workloads/Prd'",
        "Did you mean '/Workloads/Prod' (0-ground.yaml:5)?",
        id="dangling unit",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '111122223334', unit: Security}\n",
        "3:33",
        "'Security' is not the path of a unit",
        "Did you mean '/Security'",
        id="a path that does not begin at the root",
    ),
    pytest.param("kind: Accounts\naccounts:\n  a: {unit: /}\n", "3:3", "neither id nor email", "Add", id="no identity"),
    pytest.param(
        "kind: Accounts\naccounts:\n  audit: {id: '111122223334'}\n",
        "3:3",
        "the account 'audit' stands here twice",
        "another handle",
        id="duplicate handle",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {email: AWS+Payments@example.com}\n",
        "3:14",
        "is that of 'payments-prod' (0-ground.yaml:10)",
        "one entry",
        id="one e-mail address in two spellings",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  '111122223334': {email: a@example.com}\n",
        "3:3",
        "looks like an id",
        "Choose a name",
        id="an id for a handle",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '111122223334', external: true, unit: /}\n",
        "3:43",
        "it is external, so 'unit' would have no effect",
        "Remove 'unit'",
        id="external and managed",
    ),
    pytest.param(
        "kind: Accounts\naccounts:\n  a: {id: '111122223334', tags: {'orgctl:managed-by': x}}\n",
        "3:34",
        "'orgctl:' are reserved",
        "another key",
        id="a tag of orgctl's own",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  A:\n    tags: {" + ", ".join(f"t{n}: x" for n in range(50)) + "}\n",
        "4:5",
        "50 tags; AWS allows 50, and one is orgctl's own",
        "Remove one",
        id="no room for orgctl's own tag",
    ),
    # Organization
    pytest.param("kind: Organization\n", "1:1", "a second Organization", "one of them", id="two organizations"),
    # Policies
    pytest.param(
        scp("p") + "---\n" + scp("p"), "6:7", "a second ServiceControlPolicy 'p'", "Rename", id="duplicate name"
    ),
    pytest.param(scp("FullAWSAccess"), "2:7", "FullAWSAccess is AWS's own", "detached_from", id="AWS's own policy"),
    pytest.param(scp("aws-guardrails-x"), "2:7", "Control Tower's", "another name", id="Control Tower's policy"),
    pytest.param("kind: TagPolicy\nname: t\n", "1:1", "it has no content", "content_file", id="no content"),
    pytest.param(
        scp("p", "content_file: p.json\n"), "3:1", "both content and content_file", "Keep one", id="content twice"
    ),
    pytest.param(
        "kind: TagPolicy\nname: t\ncontent_file: ../../etc/passwd.json\n",
        "3:15",
        "there is no file '../../etc/passwd.json'",
        "inside the same tree",
        id="content from outside",
    ),
    pytest.param(
        scp("p", "targets: {units: [/Worklods], accounts: []}\n"),
        "3:19",
        "policy 'p': there is no unit '/Worklods'",
        "Did you mean '/Workloads'",
        id="a target that is not there",
    ),
    pytest.param(
        scp("p", "detached_from: {units: [/]}\n"), "3:1", "for FullAWSAccess alone", "out of `targets`", id="detached"
    ),
    pytest.param(
        scp("p", "deleted: true\nreleased: true\n"), "4:1", "both deleted and released", "Keep one", id="two endings"
    ),
    pytest.param(
        statement(Resource=["arn:aws:s3:::" + "x" * 11_000]),
        "3:1",
        "the limit is 10,240",
        "Split it",
        id="too large a policy",
    ),
    pytest.param(
        statement(Resource="arn:aws:s3:::{{ unit('/Workload').id }}"),
        "5:64",
        "there is no unit '/Workload'",
        "Did you mean '/Workloads'",
        id="a template that names no unit",
    ),
    pytest.param(
        statement(Resource="{{ org.__class__ }}"),
        "5:64",
        "not one of the names there are",
        "",
        id="a template's tricks",
    ),
    pytest.param(
        statement(Resource="{% for x in y %}"), "5:64", "statements and comments", "", id="a template's statement"
    ),
    pytest.param(statement(Action=None), "5:15", "the statement has no Action or NotAction", "Add", id="no action"),
    pytest.param(statement(Effect="deny"), "5:26", "Effect is 'deny'", "Allow or Deny", id="a misspelt effect"),
    pytest.param(
        statement(Principal="*"), "5:69", "Principal is not allowed", "Remove Principal", id="a principal in an SCP"
    ),
    pytest.param(
        statement(Condition={"StringEqual": {"aws:SourceIp": "x"}}),
        "5:83",
        "unknown condition operator 'StringEqual'",
        "Did you mean 'StringEquals'?",
        id="unknown operator",
    ),
    pytest.param(
        statement(Condition={"StringLike": {"aws:ResourceOrgPaths": "o-*/r-*/*"}}),
        "5:98",
        "aws:ResourceOrgPaths has several values",
        "ForAnyValue:StringLike",
        id="a key with several values",
    ),
    # Permission sets
    pytest.param(
        "kind: PermissionSet\nname: P\nsession_duration: PT13H\n", "3:19", "1 to 12 hours", "PT8H", id="13 hours"
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\nmanaged_policies: [" + ", ".join(f"P{n}" for n in range(26)) + "]\n",
        "3:1",
        "26 managed and customer managed policies; AWS allows 25",
        "Join",
        id="26 policies",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\nmanaged_policies: ['arn:aws:iam::111122223333:policy/x']\n",
        "3:20",
        "is not the ARN of an AWS-managed policy",
        "customer_managed_policies",
        id="a customer's ARN among the managed",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\npermissions_boundary: {managed_policy: A, customer_managed_policy: {name: b}}\n",
        "3:43",
        "either a managed or a customer managed policy",
        "Keep one",
        id="two boundaries",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\n"
        "inline_policy: {Version: '2012-10-17', Statement: {Effect: Allow, Action: s3:Get, "
        f"Resource: 'arn:aws:s3:::{'x' * 10_240}'}}}}\n",
        "3:1",
        "AWS takes 10,240",
        "customer managed policies",
        id="too large an inline policy",
    ),
    pytest.param("kind: PermissionSet\nname: AWSReadOnlyAccess\n", "2:7", "Control Tower's", "external", id="its sets"),
    # Assignments
    pytest.param(
        "kind: Assignments\nassignments:\n"
        "  - {group: g, user: u, permission_sets: [PowerUserAccess], targets: {units: [/]}}\n",
        "3:16",
        "both the group 'g' and the user 'u'",
        "make two",
        id="group and user",
    ),
    pytest.param(
        "kind: Assignments\nassignments:\n  - {permission_sets: [PowerUserAccess], targets: {units: [/]}}\n",
        "3:5",
        "an assignment to nobody",
        "Add `group:`",
        id="neither group nor user",
    ),
    pytest.param(
        "kind: Assignments\nassignments:\n"
        "  - {group: g, permission_sets: [PowerUser], targets: {accounts: [payment-prod]}}\n",
        "3:34",
        "there is no permission set 'PowerUser'",
        "Did you mean 'PowerUserAccess' (0-ground.yaml:13)?",
        id="dangling permission set",
    ),
    pytest.param(
        "kind: Assignments\nassignments:\n  - {group: g, permission_sets: [PowerUserAccess], targets: {}}\n",
        "3:52",
        "the targets select nothing",
        "units: [/]",
        id="an empty selection",
    ),
    # Security Hub
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [pci-dss/v/3.2.2]\n",
        "3:13",
        "there is no standard 'pci-dss/v/3.2.2'",
        "Did you mean 'pci-dss/v/3.2.1'?",
        id="unknown standard",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [service-managed-aws-control-tower/v/1.0.0]\n",
        "3:13",
        "belongs to another AWS service",
        "Remove it",
        id="a standard of Control Tower's",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [pci-dss/v/3.2.1]\n"
        "disabled_controls: [{control: ACM.1, reason: r}]\n",
        "4:31",
        "none of this document's standards has the control ACM.1",
        "It belongs to aws-foundational",
        id="a control of no standard here",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [pci-dss/v/3.2.1]\n"
        "disabled_controls: [{control: ACM.1, standards: [pci-dss/v/3.2.1], reason: r}]\n",
        "4:50",
        "'pci-dss/v/3.2.1' has no control ACM.1",
        "It belongs to",
        id="a control outside its standard",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: []\n---\n"
        "kind: SecurityHub\nregions: [eu-west-1, us-east-1]\ntargets: {units: [/]}\nstandards: []\n",
        "7:19",
        "'/' in eu-west-1 is covered by another document as well (bad.yaml:1)",
        "Exclude it",
        id="overlapping Security Hub documents",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {accounts: [audit]}\nstandards: []\n---\n"
        "kind: SecurityHub\ntargets: {accounts: ['111122223333']}\nstandards: []\n",
        "6:22",
        "'111122223333' in eu-west-1 is covered by another document",
        "Exclude it",
        id="one account in two documents, by handle and by id",
    ),
    pytest.param(
        "kind: Organization\nversion: 1\nregions: []\npolicy_types: [tag]\ndisable: {policy_types: [tag]}\n",
        "5:26",
        "policy_types: 'tag' is both turned on and turned off",
        "one of the two",
        id="on and off",
    ),
    pytest.param(
        "kind: Organization\ndelegated_administrators: {audit: [config.amazonaws.com]}\n"
        "disable: {delegated_administrators: {'111122223333': [config.amazonaws.com]}}\n",
        "3:55",
        "both administers config.amazonaws.com and no longer does",
        "one of the two",
        id="an administrator on and off, by handle and by id",
    ),
    pytest.param(
        "kind: Organization\ndelegated_administrators: {audits: []}\n",
        "2:28",
        "there is no account 'audits'",
        "Did you mean 'audit'",
        id="an administrator that is not there",
    ),
    pytest.param(
        "kind: Organization\nregions: [eu]\n", "2:11", "'eu' is not a Region such as eu-west-1", "", id="no Region"
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  A: {formerly: Z}\n  B: {formerly: /Z}\n",
        "4:3",
        "'/A' was formerly '/Z' as well",
        "Only one unit",
        id="two units that were one",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits:\n  A: {formerly: X/Y}\n",
        "3:17",
        "'X/Y' is neither a name nor a path",
        "Did you mean '/X/Y'?",
        id="a former path without its first slash",
    ),
    pytest.param(
        "kind: OrganizationalUnits\nunits: {A: {deleted: true}}\n---\n" + scp("p", "targets: {units: [/A]}\n"),
        "6:19",
        "the unit '/A' is deleted (bad.yaml:2)",
        "keep the unit",
        id="a target that is deleted",
    ),
    pytest.param(
        scp("p") + "---\n" + scp("q", "formerly: p\n"),
        "7:11",
        "it was formerly 'p', but that is a policy of its own here",
        "once the rename is done",
        id="a policy renamed, and still there",
    ),
    pytest.param(
        scp("p", "formerly: z\n") + "---\n" + scp("q", "formerly: z\n"),
        "8:11",
        "'p' was formerly 'z' as well",
        "Only one policy",
        id="two policies that were one",
    ),
    pytest.param(scp("p-12345678"), "2:7", "looks like an id", "the policy's name", id="an id for a policy's name"),
    pytest.param(
        "kind: ServiceControlPolicy\nname: FullAWSAccess\ntags: {}\ndetached_from: {units: [/]}\n",
        "3:1",
        "'tags' cannot be said of it",
        "only `detached_from`",
        id="more than where FullAWSAccess is taken off",
    ),
    pytest.param(
        "kind: ResourceControlPolicy\nname: RCPFullAWSAccess\ncontent: {}\n",
        "2:7",
        "never touched",
        "another name",
        id="AWS's own RCP",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\ndeleted: true\n---\nkind: Assignments\nassignments:\n"
        "  - {group: g, permission_sets: [P], targets: {units: [/]}}\n",
        "7:34",
        "the permission set 'P' is deleted (bad.yaml:2)",
        "keep the permission set",
        id="an assignment of a deleted permission set",
    ),
    pytest.param(
        "kind: PermissionSet\nname: PowerUserAccess\n", "2:7", "a second permission set", "Rename", id="the name twice"
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\nformerly: PowerUserAccess\n",
        "3:11",
        "a permission set of its own here",
        "once the rename is done",
        id="a permission set renamed, and still there",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\ncustomer_managed_policies: [{name: b, path: teams}]\n",
        "3:45",
        "the path 'teams' does not begin and end with '/'",
        "/teams/",
        id="a path without its slashes",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\nexternal: true\ndescription: x\n",
        "4:1",
        "it is external, so 'description' would have no effect",
        "Remove",
        id="external and described",
    ),
    pytest.param(
        "kind: SecurityHub\nregions: []\ntargets: {units: [/]}\nstandards: []\n", "2:1", "no Regions", "Add", id="none"
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [pci-dss/v/3.2.1]\n"
        "disabled_controls: [{control: S3.1, standards: [pci-dss/v/4.0.1], reason: r}]\n",
        "4:49",
        "'pci-dss/v/4.0.1' is not a standard of this document",
        "Did you mean 'pci-dss/v/3.2.1'?",
        id="a control off in a standard that is not on",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [pci-dss/v/3.2.1]\n"
        "disabled_controls: [{control: S3.1, reason: a}, {control: S3.1, reason: b}]\n",
        "4:59",
        "S3.1 is disabled twice, for two reasons",
        "Keep one",
        id="two reasons for one control",
    ),
]


@pytest.mark.parametrize(("text", "place", "what", "fix"), CASES)
def test_bad_input_is_told_with_its_place_and_what_to_do(text: str | bytes, place: str, what: str, fix: str) -> None:
    found = [problem for problem in problems({"bad.yaml": text}) if not problem.warning]

    told = {f"{problem.file}:{problem.line}:{problem.column}": problem for problem in found}
    assert f"bad.yaml:{place}" in told, [str(problem) for problem in found]
    assert what in told[f"bad.yaml:{place}"].what
    assert fix in told[f"bad.yaml:{place}"].fix


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(
            "{units: [/], exclude: {units: [/Workloads]}}", "{units: [/Workloads]}", id="excluded in the first"
        ),
        pytest.param(
            "{accounts: [audit]}", "{accounts: [audit], exclude: {tags: {a: b}}}", id="perhaps excluded by tags"
        ),
        pytest.param(
            "{accounts: [payments-prod], exclude: {units: [/Workloads]}}",
            "{accounts: [payments-prod]}",
            id="an account that its unit excludes",
        ),
        pytest.param(
            "{units: [/], tags: {env: dev}}", "{units: [/], tags: {env: prod}}", id="other tags: live decides"
        ),
    ],
)
def test_security_hub_documents_that_do_not_overlap_are_left_in_peace(one: str, two: str) -> None:
    documents = [f"kind: SecurityHub\ntargets: {targets}\nstandards: []\n" for targets in (one, two)]

    assert problems({"hub.yaml": "---\n".join(documents)}) == []


@pytest.mark.parametrize("phone", ["15550100", "[15550100]", "'15550100x'", "'" + "15550100" * 4 + "'"])
def test_contact_data_stays_out_of_messages(phone: str) -> None:
    contact = f"{{name: Jo Doe, title: '', email: jo@example.com, phone: {phone}}}"
    text = f"kind: Accounts\naccounts: {{a: {{id: '111122223334', contacts: {{security: {contact}}}}}}}\n"

    told = "\n".join(map(str, problems({"bad.yaml": text})))

    assert "contacts.security.phone" in told
    assert "15550100" not in told
    assert "Jo" not in told


DOUBTS = [
    pytest.param(
        scp("p", "targets: {units: [/]}\nuntil: 2026-01-01T00:00:00Z\n"), "4:8", "its `until` is past", id="past until"
    ),
    pytest.param(scp("p", "targets: {units: [/, /]}\n"), "3:22", "'/' stands there twice", id="a target twice"),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: [pci-dss/v/3.2.1]\n"
        "disabled_controls: [{control: ACM.99, reason: r}]\n",
        "4:31",
        "does not know the control 'ACM.99'",
        id="a control that is too new",
    ),
    pytest.param(
        "kind: SecurityHub\ntargets: {units: [/]}\nstandards: []\n---\n"
        "kind: SecurityHub\ntargets: {units: [/Workloads]}\nstandards: []\n",
        "6:19",
        "overlap in eu-west-1",
        id="nested units: live AWS decides",
    ),
    pytest.param(
        "kind: PermissionSet\nname: P\nmanaged_policies: [" + ", ".join(f"P{n}" for n in range(21)) + "]\n",
        "3:1",
        "IAM allows 20 until raised",
        id="21 policies",
    ),
]


@pytest.mark.parametrize(("text", "place", "what"), DOUBTS)
def test_a_doubt_is_a_warning_and_the_commit_stays_good(text: str, place: str, what: str) -> None:
    found = problems({"bad.yaml": text})

    assert [f"{p.file}:{p.line}:{p.column}" for p in found if what in p.what and p.warning] == [f"bad.yaml:{place}"]
    assert all(problem.warning for problem in found)


def test_problems_of_the_whole_commit_are_told_at_once_in_file_order() -> None:
    sources = {
        "b.yaml": b"kind: Accounts\naccounts:\n  a: {id: 1, unit: /Nowhere}\n  b: {emial: x@example.com}\n",
        "a.yaml": b"kind: Assignments\nassignments:\n  - {group: g, permission_sets: [P], targets: {accounts: [c]}}\n",
        "c.yaml": b"kind: OrganizationalUnits\nunits: {A: {tags: 1}}\n",
    }

    with pytest.raises(InvalidInput) as raised:
        load(Files(sources))

    assert [f"{p.file}:{p.line}:{p.column}" for p in raised.value.problems] == [
        *("a.yaml:3:34", "a.yaml:3:59", "b.yaml:3:11", "b.yaml:3:20", "b.yaml:4:7", "c.yaml:2:19"),
    ]
    assert str(raised.value).startswith("a.yaml:3:34: assignment of 'g': there is no permission set 'P'")


def test_names_are_not_called_dangling_while_a_file_cannot_be_read() -> None:
    assert [p.file for p in problems({"accounts.yaml": "kind: [", "p.yaml": scp("p", "targets: {units: [/X]}\n")})] == [
        "accounts.yaml"
    ]


def test_a_name_whose_own_document_has_a_slip_is_not_called_dangling() -> None:
    unit = "kind: OrganizationalUnits\nunits: {New: {tagz: {}}}\n"

    found = problems({"u.yaml": unit, "p.yaml": scp("p", "targets: {units: [/New]}\n")})

    assert [problem.file for problem in found] == ["u.yaml"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param(
            "kind: Organization\n" + "".join(f"key{n}: 1\n" for n in range(9000)),
            "bad.yaml:2:1: the document: unknown key 'key0'",
            id="unknown keys",
        ),
        pytest.param(
            scp("p").replace("Resource: '*'", f"Resource: '{'{{' * 300_000}'"),
            "'{{' without its '}}'",
            id="an expression that never ends",
        ),
    ],
)
def test_slips_by_the_thousand_are_told_in_time_that_grows_with_their_number_alone(text: str, first: str) -> None:
    # What took time by the square of the number took minutes here: the tests would not end.
    with pytest.raises(InvalidInput) as refused:
        load(Files({"bad.yaml": text.encode()}))

    assert first in str(refused.value.problems[0])


def test_what_is_cut_out_does_not_move_the_places_of_the_rest() -> None:
    text = "kind: Organization\nregions: [1, eu-west-1, 2, mars, 3]\ntrusted_services: [x, sso.amazonaws.com, y]\n"

    assert [(p.line, p.column) for p in problems({"bad.yaml": text})] == [
        *((2, 11), (2, 25), (2, 28), (2, 34)),
        *((3, 20), (3, 42)),
    ]


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    (problem,) = problems({"big.yaml": b"[" * 50 * 1024 * 1024})

    assert problem.file == "big.yaml"
    assert problem.what == f"50.0 MiB; the limit is {MAX_FILE_BYTES // 2**20} MiB"
    assert problem.fix == "Split the file."


@pytest.mark.parametrize(
    ("content", "place", "what"),
    [
        pytest.param('{"a": 1,\n "b": }', "2:7", "this is not JSON", id="malformed"),
        pytest.param('{"a": [1,\n 2\n // three\n]}', "3:2", "this is not JSON", id="a comment"),
        pytest.param('{"a": {\n "b": ${REGIONS}\n}}', "2:7", "this is not JSON", id="a variable without quotes"),
        pytest.param(
            '{"a": 1,\n "b": {"c": 1,\n  "c": 2}}', "3:3", "the key 'c' stands here twice", id="duplicate key"
        ),
        pytest.param("[]", "1:1", "a policy is a JSON object", id="a list"),
        pytest.param('{"a": NaN}', "1:1", "NaN is not a JSON number", id="not a number"),
        pytest.param("[" * 100_000, "1:1", "nested deeper", id="nested without end"),
        pytest.param(
            '{"Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Deny", "Action": "x", "Resource": "*"}]}',
            "3:32",
            "'x' is not an action",
            id="not in IAM's grammar",
        ),
    ],
)
def test_a_policy_in_a_json_file_is_judged_at_its_place_there(content: str, place: str, what: str) -> None:
    (problem,) = problems(
        {"scps/p.yaml": "kind: ServiceControlPolicy\nname: p\ncontent_file: ../json/p.json\n", "json/p.json": content}
    )

    assert f"{problem.file}:{problem.line}:{problem.column}" == f"json/p.json:{place}"
    assert what in problem.what
