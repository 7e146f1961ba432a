"""Made-up organizations, as seeds: everything that an import may meet, in any combination."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import strategies as st

from controller.catalogue.security_hub import STANDARDS, control_ids
from controller.desired import paths
from controller.importing.write import document

NAMES = st.sampled_from(
    [
        "Prod",
        "prod",
        "Dev",
        "R/D",
        "O'Brien",
        'The "A"',
        "東京",
        "- a: #b",
        "no",
        "null",
        "1.0",
        "{{x}}",
        "a}}b",
        "é\u0301",
        "[x]",
    ]
)
VALUES = st.sampled_from(["", "1", "yes", "on: #", "0123", "'", "東", "a b"])
KEYS = st.sampled_from(["team", "env", "no", "0123", "cost:centre"])
TAGS = st.dictionaries(KEYS, VALUES, max_size=2)
REGIONS = ["eu-west-1", "us-east-1"]
KINDS = ["ServiceControlPolicy", "ResourceControlPolicy", "TagPolicy", "AiServicesOptOutPolicy"]
TYPES = ["service_control", "resource_control", "tag", "ai_services_opt_out"]
PEOPLE = [("group", "admins"), ("group", "no"), ("user", "alice"), ("user", "o'neil: #1")]
SETS = ["Admin", "Look", "no", "1.0"]
SOME_STANDARDS = sorted(STANDARDS)[:3]


@st.composite
def organizations(draw: st.DrawFn) -> str:
    """A seed."""
    units = draw(_trees())
    accounts = draw(_accounts(units))
    active = [handle for handle, (_, real) in accounts.items() if real.get("state", "ACTIVE") == "ACTIVE"]
    documents: list[dict[str, Any]] = [
        {
            "kind": "Organization",
            "regions": REGIONS,
            "policy_types": TYPES,
            "trusted_services": ["account.amazonaws.com", "securityhub.amazonaws.com"],
            "delegated_administrators": {active[0]: ["securityhub.amazonaws.com"]} if active else {},
        },
        {"kind": "Accounts", "accounts": {handle: entry for handle, (entry, _) in accounts.items()}},
        *draw(_policies(units, list(accounts))),
        *draw(_permission_sets()),
        {"kind": "Assignments", "assignments": draw(_assignments([*active, "100000000000"]))},
        *draw(_hubs(active)),
    ]
    others = st.lists(st.sampled_from(OTHERS), unique=True)
    world = {
        "kind": "SandboxWorld",
        "owned_by": "",
        "owned_by_others": dict.fromkeys(_that_match(draw(others), documents, accounts), "another"),
        "lacking": {"eu-west-1": {"controls": sorted(control_ids(SOME_STANDARDS[0]))[:2]}},
        "units": {path: {"tags": tags} for path, tags in units.items()},
        "accounts": {handle: real for handle, (_, real) in accounts.items()},
        "assignments": draw(_orphans(active)),
    }
    return "---\n".join(document(one) for one in [*documents, world])


def _that_match(globs: list[str], documents: list[dict[str, Any]], handles: Iterable[str]) -> list[str]:
    """A seed refuses globs that match nothing."""
    kinds = {"ServiceControlPolicy": "service_control_policy", "TagPolicy": "tag_policy"}
    kinds["PermissionSet"] = "permission_set"
    things = [f"{kinds[one['kind']]}/{one['name']}" for one in documents if one["kind"] in kinds]
    things += [f"security_hub/{handle}/{region}" for handle in handles for region in REGIONS]
    return [glob for glob in globs if any(fnmatchcase(name, glob) for name in things)]


OTHERS = ["service_control_policy/a*", "permission_set/L*", "security_hub/account-1/*", "tag_policy/*"]


@st.composite
def _trees(draw: st.DrawFn) -> dict[str, dict[str, str]]:
    """path → tags, parents first."""
    found: dict[str, dict[str, str]] = {}
    for _ in range(draw(st.integers(0, 7))):
        parent = draw(st.sampled_from([paths.ROOT, *found]))
        path = paths.join(parent, draw(NAMES))
        if len(paths.names(path)) <= 4:
            found.setdefault(path, draw(TAGS))
    return dict(sorted(found.items(), key=lambda item: paths.names(item[0])))


@st.composite
def _accounts(draw: st.DrawFn, units: dict[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """handle → (what git says, what is so)."""
    found = {}
    for number in range(draw(st.integers(1, 6))):
        state = draw(st.sampled_from(["ACTIVE"] * 4 + ["SUSPENDED", "CLOSED", "PENDING_ACTIVATION"]))
        name = draw(st.sampled_from(["Shop", "shop", "Shop 1", "東京", "!", "1", f"a{number}"]))
        contact = {"name": "A: #b", "title": "no", "email": "a@example.com", "phone": "+1 555 0100"}
        contacts = dict.fromkeys(draw(st.sets(st.sampled_from(["billing", "security"]))), contact)
        real = {"unit": draw(st.sampled_from([paths.ROOT, *units])), "state": state, "tags": draw(TAGS)}
        entry = {"id": f"1000000000{number + 1:02}", "email": f"A{number}@example.com", "name": name}
        found[f"account-{number}"] = (entry, {**real, "contacts": contacts})
    return found


@st.composite
def _policies(draw: st.DrawFn, units: dict[str, Any], accounts: list[str]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(draw(st.integers(0, 4))):
        kind, name = draw(st.sampled_from(KINDS)), draw(NAMES | st.sampled_from(["a", "b"]))
        on = draw(st.sets(st.sampled_from([paths.ROOT, *accounts]), max_size=3))
        found[kind, name] = {
            "kind": kind,
            "name": name,
            "tags": draw(TAGS),
            "targets": {"units": sorted(on & {paths.ROOT}), "accounts": sorted(on - {paths.ROOT})},
            "content": draw(_content(kind, accounts)),
        }
    return list(found.values())


@st.composite
def _content(draw: st.DrawFn, kind: str, accounts: list[str]) -> dict[str, Any]:
    if kind == "TagPolicy":
        return {"tags": {"team": {"tag_key": {"@@assign": draw(VALUES.filter(bool))}}}}
    if kind == "AiServicesOptOutPolicy":
        return {"services": {"default": {"opt_out_policy": {"@@assign": "optOut"}}}}
    of = draw(st.sampled_from(accounts))
    values = [
        "{{ org.id }}",
        "{{ org.id }}/{{ org.root_id }}/*",
        "{{ unit('/').path }}/",
        "x{{ org.id }}",
        f"arn:aws:iam::{{{{ account('{of}').id }}}}:role/*",
        "${aws:PrincipalTag/team}",
        "no",
    ]
    statement = {
        "Effect": "Deny",
        **({"Principal": "*"} if kind == "ResourceControlPolicy" else {}),
        "Action": draw(st.sampled_from(["s3:*", ["s3:GetObject", "s3:PutObject"]])),
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": draw(st.lists(st.sampled_from(values), min_size=1))}},
    }
    return {"Version": "2012-10-17", "Statement": draw(st.sampled_from([[statement], statement]))}


@st.composite
def _permission_sets(draw: st.DrawFn) -> list[dict[str, Any]]:
    inline = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
    return [
        {
            "kind": "PermissionSet",
            "name": name,
            "tags": draw(TAGS),
            **draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "description": st.sampled_from(["no", "a: b #c", "1"]),
                        "session_duration": st.sampled_from(["PT1H", "PT90M"]),
                        "managed_policies": st.sampled_from([[], ["ReadOnlyAccess", "job-function/Billing"]]),
                        "customer_managed_policies": st.sampled_from([[], [{"name": "team", "path": "/a/b/"}]]),
                        "inline_policy": st.just(inline),
                        "permissions_boundary": st.just({"managed_policy": "ReadOnlyAccess"}),
                    },
                )
            ),
        }
        for name in SETS
    ]


@st.composite
def _assignments(draw: st.DrawFn, accounts: list[str]) -> list[dict[str, Any]]:
    return [
        {
            type: name,
            "permission_sets": draw(st.lists(st.sampled_from(SETS), min_size=1, unique=True)),
            "targets": {"accounts": draw(st.lists(st.sampled_from(accounts), min_size=1, unique=True))},
        }
        for type, name in draw(st.lists(st.sampled_from(PEOPLE), max_size=5))
    ]


@st.composite
def _orphans(draw: st.DrawFn, accounts: list[str]) -> list[dict[str, Any]]:
    if not accounts or draw(st.booleans()):
        return []
    return [{"deleted_user": "mallory", "permission_set": draw(st.sampled_from(SETS)), "accounts": accounts[:1]}]


@st.composite
def _hubs(draw: st.DrawFn, accounts: list[str]) -> list[dict[str, Any]]:
    """One document for each account, or for each of its Regions."""
    found = []
    for account in accounts:
        for regions in draw(st.sampled_from([[], [REGIONS], [[region] for region in REGIONS], [REGIONS[:1]]])):
            standards = draw(st.lists(st.sampled_from(SOME_STANDARDS), unique=True))
            controls = sorted({control for standard in standards for control in sorted(control_ids(standard))[:3]})
            off = draw(st.sets(st.sampled_from(controls))) if controls else set()
            found.append(
                {
                    "kind": "SecurityHub",
                    "regions": regions,
                    "targets": {"accounts": [account]},
                    "standards": standards,
                    "disabled_controls": [
                        {"control": control, "reason": draw(VALUES.filter(bool))} for control in sorted(off)
                    ],
                }
            )
    return found
