"""The grammar of tag, backup, AI services opt-out and declarative policies, checked without AWS.

Sources, all of the Organizations User Guide: "Inheritance operators" and the page "… policy syntax and examples" of
each type. What those say must or cannot be is an error. Where they only list what there is, or inheritance may supply
what is missing here, it is a warning: AWS adds names, and an account's policy is what all those above it come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.desired.marks import Path
from controller.desired.nearest import did_you_mean, nearest
from controller.desired.policy_finding import Finding
from controller.desired.templates import TEMPLATED

ASSIGN, APPEND, REMOVE = "@@assign", "@@append", "@@remove"
CHILDREN = "@@operators_allowed_for_child_policies"
OPERATORS = (ASSIGN, APPEND, REMOVE, CHILDREN)
ALLOWED = (ASSIGN, APPEND, REMOVE, "@@all", "@@none")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where operators set a value.

    Attributes:
        many: Whether it is a list; None: not known.
        text: Every value in the documentation is text.
        one_of: The values there are.
        sure: Whether any other value is refused, not only unheard of.
    """

    many: bool | None = None
    text: bool = False
    one_of: tuple[str, ...] = ()
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Where names hold settings or further groups.

    Attributes:
        known: name → what it holds.
        others: What names of people's own choice hold; None: there are none.
        parts: Names that an account's policy must have in the end.
        closed: Whether names that are not known are refused, not only unheard of.
        must: Names that have to be in this very policy.
    """

    known: Mapping[str, Setting | Group | None] = field(default_factory=dict)
    others: Setting | Group | None = None
    parts: tuple[str, ...] = ()
    closed: bool = False
    must: tuple[str, ...] = ()


_ONE, _LIST = Setting(many=False), Setting(many=True)
_TEXTS = Setting(many=True, text=True)


def _one_of(*values: str) -> Setting:
    return Setting(many=False, one_of=values)


# "Tag policy syntax and examples".
_TAG = Group(
    {
        "tag_key": Setting(many=False, text=True),
        "tag_value": _TEXTS,
        "enforced_for": _TEXTS,
        "report_required_tag_for": _TEXTS,
    }
)

# "Backup policy syntax and examples". Everything there is text, also numbers; whether numbers are taken is not said.
_LIFECYCLE = Group(
    {
        "move_to_cold_storage_after_days": _ONE,
        "delete_after_days": _ONE,
        "opt_in_to_archive_for_supported_resources": _ONE,
    }
)
_TAGS_GIVEN = Group(others=Group({"tag_key": _ONE, "tag_value": _ONE}))
_RULE = Group(
    {
        "schedule_expression": _ONE,
        "schedule_expression_timezone": _ONE,
        "target_backup_vault_name": _ONE,
        "target_logically_air_gapped_backup_vault_arn": _ONE,
        "start_backup_window_minutes": _ONE,
        "complete_backup_window_minutes": _ONE,
        "enable_continuous_backup": _ONE,
        "lifecycle": _LIFECYCLE,
        "copy_actions": Group(others=Group({"target_backup_vault_arn": _ONE, "lifecycle": _LIFECYCLE})),
        "recovery_point_tags": _TAGS_GIVEN,
        "index_actions": None,
        "scan_actions": None,
    }
)
_SELECTIONS = Group(
    {
        "tags": Group(others=Group({"iam_role_arn": _ONE, "tag_key": _ONE, "tag_value": _LIST, "conditions": None})),
        "resources": Group(
            others=Group(
                {"iam_role_arn": _ONE, "resource_types": _LIST, "not_resource_types": _LIST, "conditions": None}
            )
        ),
    }
)
_PLAN = Group(
    {
        "rules": Group(others=_RULE),
        "regions": _LIST,
        "selections": _SELECTIONS,
        "advanced_backup_settings": None,
        "backup_plan_tags": _TAGS_GIVEN,
        "scan_settings": None,
    },
    parts=("regions", "rules", "selections"),
)

# "AI services opt-out policy syntax and examples": opt_out_policy "must be present" and is "the only key"; @@append and
# @@remove cannot be used; other capitals do not work.
_SERVICE = Group(
    {"opt_out_policy": Setting(many=False, one_of=("optOut", "optIn"), sure=True)},
    closed=True,
    must=("opt_out_policy",),
)
# What the guide has listed so far: only misspellings of these are told.
_SERVICES = (
    "default",
    "aiops",
    "aidevops",
    "awssupplychain",
    "chimesdkvoiceanalytics",
    "cloudwatch",
    "codeguruprofiler",
    "codewhisperer",
    "comprehend",
    "connectamd",
    "connectoptimization",
    "contactlens",
    "frauddetector",
    "guardduty",
    "lex",
    "polly",
    "rekognition",
    "textract",
    "transcribe",
    "translate",
)

# "Declarative policy syntax and examples".
_SWITCH, _PREFERENCE = _one_of("enabled", "disabled"), _one_of("no_preference", "enabled", "disabled")
_EC2 = Group(
    {
        "exception_message": _ONE,
        "vpc_block_public_access": Group(
            {
                "internet_gateway_block": Group(
                    {"mode": _one_of("off", "block_ingress", "block_bidirectional"), "exclusions_allowed": _SWITCH}
                )
            }
        ),
        "serial_console_access": Group({"status": _SWITCH}),
        "image_block_public_access": Group({"state": _one_of("unblocked", "block_new_sharing")}),
        "allowed_images_settings": Group(
            {"state": _one_of("enabled", "disabled", "audit_mode"), "image_criteria": None}
        ),
        "instance_metadata_defaults": Group(
            {
                "http_tokens": _one_of("no_preference", "required", "optional"),
                "http_put_response_hop_limit": _ONE,
                "http_endpoint": _PREFERENCE,
                "instance_metadata_tags": _PREFERENCE,
            }
        ),
        "snapshot_block_public_access": Group(
            {"state": _one_of("block_all_sharing", "block_new_sharing", "unblocked")}
        ),
    }
)

GRAMMARS: Mapping[str, tuple[str, Group]] = {
    "TagPolicy": ("tags", Group(others=_TAG)),
    "BackupPolicy": ("plans", Group(others=_PLAN)),
    "AiServicesOptOutPolicy": ("services", Group(dict.fromkeys(_SERVICES, _SERVICE), others=_SERVICE)),
    "DeclarativePolicy": ("ec2_attributes", _EC2),
}
"""kind → the fixed name it begins with, and what that holds."""


def lint(kind: str, content: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong or doubtful in a policy of one of these kinds."""
    top, group = GRAMMARS[kind]
    if top not in content:
        yield _without_top(top, content)
        return
    for key in content:
        if key != top:
            yield Finding((key,), f"unknown element {key!r}", f"Keep {top} alone.", warning=True, of_key=True)
    yield from _check(content[top], group, (top,))
    if kind == "TagPolicy":
        yield from _spellings(content[top])


def _without_top(top: str, content: Mapping[str, Any]) -> Finding:
    near = nearest(top, list(content))
    if near is None:
        return Finding((), f"the policy has no {top}", f"A policy of this kind begins with {top}.")
    return Finding((near,), f"unknown element {near!r}: the policy has no {top}", f"Did you mean {top!r}?", of_key=True)


def _check(value: Any, holds: Setting | Group | None, where: Path) -> Iterator[Finding]:
    name = where[-1]
    if not isinstance(value, dict):
        if isinstance(holds, Group):
            yield Finding(where, f"{name!r} is not a mapping", "Write it as one.")
        else:  # what an effective policy looks like, which cannot be used as a policy ("Inheritance operators")
            fix = did_you_mean(str(name), OPERATORS, 'Write it as {"@@assign": …}.')
            yield Finding(where, f"{name!r} is set without an operator", fix)
        return
    for key, item in value.items():
        if key.startswith("@"):
            yield from _operator(key, item, holds, (*where, key))
        elif isinstance(holds, Setting):
            fix = did_you_mean(key, OPERATORS, "A setting holds operators alone.")
            yield Finding((*where, key), f"{key!r} within the setting {name!r}", fix, warning=True, of_key=True)
        else:
            yield from _name(key, item, holds or Group(), (*where, key), anything=holds is None)
    if isinstance(holds, Group):
        yield from _missing(value, holds, where)


def _name(key: str, value: Any, group: Group, where: Path, *, anything: bool) -> Iterator[Finding]:
    if key not in group.known and not anything:
        near = nearest(key, group.known)
        if group.others is None:
            fix = f"Did you mean {near!r}?" if near else f"Known here: {', '.join(group.known)}."
            yield Finding(where, f"unknown element {key!r}", fix, warning=not group.closed, of_key=True)
        elif near:
            what = f"{key!r} is none of the names known here"
            yield Finding(where, what, f"Did you mean {near!r}?", warning=True, of_key=True)
    if key in group.known or group.others is not None:
        yield from _check(value, group.known.get(key, group.others), where)
    elif not group.closed:
        yield from _check(value, None, where)


def _missing(value: Mapping[str, Any], group: Group, where: Path) -> Iterator[Finding]:
    for part in group.must:
        if part not in value and not any(nearest(key, (part,)) for key in value):
            yield Finding(where, f"{where[-1]!r} has no {part}", f"Add {part}.", of_key=True)
    for part in group.parts:
        if part not in value:
            what = f"{where[-1]!r} has no {part}: it backs nothing up unless another policy gives them"
            yield Finding(where, what, f"Add {part}.", warning=True, of_key=True)


def _operator(key: str, value: Any, holds: Setting | Group | None, where: Path) -> Iterator[Finding]:
    if key == CHILDREN:
        yield from _allowed(value, where)
    elif key not in OPERATORS:
        fix = did_you_mean(key, OPERATORS, f"The operators are {', '.join(OPERATORS)}.")
        yield Finding(where, f"there is no operator {key!r}", fix, of_key=True)
    elif isinstance(holds, Group):
        fix = "Give it to a setting below."
        yield Finding(where, f"{key} at {where[-2]!r}, which has no value itself", fix, warning=True, of_key=True)
    else:
        yield from _set(key, value, holds or Setting(), where)


def _allowed(value: Any, where: Path) -> Iterator[Finding]:
    if isinstance(value, str):
        yield Finding(where, f"{CHILDREN} is a list", f"Write [{value!r}].", warning=True)
        value = [value]
    elif not isinstance(value, list):
        yield Finding(where, f"{CHILDREN} is not a list of operators", 'Write ["@@none"], for instance.')
        return
    for index, operator in enumerate(value):
        if operator not in ALLOWED:
            fix = did_you_mean(str(operator), ALLOWED, f"There are {', '.join(ALLOWED)}.")
            yield Finding((*where, index), f"there is no operator {operator!r}", fix)


def _set(operator: str, value: Any, setting: Setting, where: Path) -> Iterator[Finding]:
    name = where[-2]
    if operator != ASSIGN and setting.many is False:  # "only multi-valued settings"
        yield Finding(where, f"{operator} at {name!r}, which has a single value", f"Write {ASSIGN}.", of_key=True)
        return
    items = value if isinstance(value, list) else [value]
    if any(item is None or isinstance(item, dict | list) for item in items):
        yield Finding(where, f"{operator} of {name!r} is neither a value nor a list of values", "Write one.")
        return
    if isinstance(value, list) and setting.many is False:
        yield Finding(where, f"{name!r} has a single value, and here is a list", "Write one value.", warning=True)
    elif not isinstance(value, list) and (setting.many or operator != ASSIGN):
        yield Finding(where, f"{operator} of {name!r} is not a list", "Write [ … ].", warning=True)
    for index, item in enumerate(items):
        place: Path = (*where, index) if isinstance(value, list) else where
        if setting.text and not isinstance(item, str):
            yield Finding(place, f"a value of {name!r} is not text", "Put it in quotes.", warning=True)
        elif setting.one_of and item not in setting.one_of and not TEMPLATED.search(str(item)):
            fix = did_you_mean(str(item), setting.one_of, f"There are {', '.join(setting.one_of)}.")
            yield Finding(place, f"AWS lists no {item!r} for {name!r}", fix, warning=not setting.sure)


def _spellings(tags: Any) -> Iterator[Finding]:
    """A tag's name here "must match" its tag_key but for capitals."""
    for name, tag in tags.items() if isinstance(tags, dict) else ():
        key = tag.get("tag_key") if isinstance(tag, dict) else None
        value = key.get(ASSIGN) if isinstance(key, dict) else None
        if isinstance(value, str) and value.casefold() != name.casefold() and not TEMPLATED.search(value):
            what = f"the tag_key {value!r} is not the name {name!r} in other capitals"
            yield Finding(("tags", name, "tag_key", ASSIGN), what, "Call both the same.", warning=True)
