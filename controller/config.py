"""The controller's own settings: environment (``ORGCTL_…``) over ``orgctl.yaml`` over the defaults here.

They never come from the repository that is reconciled: whoever may push there must not be able to loosen a guard rail.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from controller.desired import text, yaml12
from controller.desired.marks import Marks
from controller.errors import InvalidInput, Problem

FILE = "orgctl.yaml"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)


def parse_duration(value: Any) -> timedelta:
    """``60s``, ``15m``, ``2h``, ``1d`` to a timedelta.

    Raises:
        ValueError: It is none of these, or longer than anybody means.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhd])", value.strip())):
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds <= _LONGEST.total_seconds():
            return timedelta(seconds=seconds)
    raise ValueError("a duration is written as 30s, 15m, 2h or 1d")


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def _organization_id(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"o-[a-z0-9]{10,32}", value):
        raise ValueError("an organization's id looks like o-a1b2c3d4e5")
    return value


class Limits(BaseModel):
    """How much may be removed in a rolling hour before a person is asked (safety rule 1)."""

    model_config = ConfigDict(extra="forbid")

    removals: int = Field(default=5, ge=0, description="Removals of one kind per hour.")
    share: float = Field(default=0.10, ge=0, le=1, description="Or this share of the kind …")
    share_from: int = Field(default=20, ge=1, description="… where there are at least this many.")


class PolicyLimit(BaseModel):
    """How much AWS takes of one kind of policy."""

    model_config = ConfigDict(extra="forbid")

    characters: int = Field(ge=1, description="Of a document, without white space.")
    attached: int = Field(ge=1, description="Policies directly on one root, OU or account, AWS's own counted.")


class PolicyLimits(BaseModel):
    """The budget of policies: what AWS allows, or less, where Control Tower or another tool needs its part."""

    model_config = ConfigDict(extra="forbid")

    # Organizations User Guide, "Quotas for AWS Organizations"; SCPs since 15 May 2026.
    service_control_policy: PolicyLimit = PolicyLimit(characters=10_240, attached=10)
    resource_control_policy: PolicyLimit = PolicyLimit(characters=5_120, attached=5)
    tag_policy: PolicyLimit = PolicyLimit(characters=10_000, attached=10)
    backup_policy: PolicyLimit = PolicyLimit(characters=10_000, attached=10)
    declarative_policy: PolicyLimit = PolicyLimit(characters=10_000, attached=10)
    ai_services_opt_out_policy: PolicyLimit = PolicyLimit(characters=2_500, attached=5)
    warn_at: float = Field(default=0.8, gt=0, le=1, description="The share of a limit that is warned of.")

    def of(self, document: str) -> PolicyLimit:
        """Of a kind of document: ``ServiceControlPolicy``."""
        limit: PolicyLimit = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", document).lower())
        return limit

    def is_close(self, used: int, limit: int) -> bool:
        return used >= limit * self.warn_at


class ModeRule(BaseModel):
    """A mode for a kind, a subtree, or both; the last rule that matches decides."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(default="*", description="Kind of resource, a glob.")
    unit: str | None = Field(default=None, pattern="^/", description="OU path; what lies in or below it.")
    mode: Literal["observe", "enforce"]


class BreakGlass(BaseModel):
    """Access that people mend things with when all else fails: no plan may take it away by an SCP or RCP."""

    model_config = ConfigDict(extra="forbid")

    role: str | None = Field(default=None, description="Name of a role in each member account, with its path.")
    permission_set: str | None = Field(default=None, description="Or name of a permission set.")
    actions: list[str] = Field(
        default=[
            "cloudtrail:LookupEvents",
            "iam:AttachRolePolicy",
            "iam:GetRole",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
            "sts:AssumeRole",
        ],
        description="What must stay allowed to it: by default finding out what happened, and mending roles.",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> BreakGlass:
        if (self.role is None) == (self.permission_set is None):
            raise ValueError("give either a role or a permission_set")
        if bad := [action for action in self.actions if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action)]:
            raise ValueError(f"{bad[0]!r} is not an action: write service:Action, without wildcards")
        return self


class Settings(BaseSettings):
    """Every setting, with its unit, default and reason."""

    model_config = SettingsConfigDict(
        env_prefix="ORGCTL_", env_nested_delimiter="__", extra="forbid", nested_model_default_partial_update=True
    )

    organization: Annotated[str | None, AfterValidator(_organization_id)] = Field(
        default=None, description="Id of the one organization to write to. Wrong credentials answer from another."
    )
    instance: str = Field(
        default="main", pattern=r"^[\w.-]{1,64}$", description="This controller's name: the value of its owner tag."
    )
    mode: Literal["observe", "enforce"] = Field(default="observe", description="observe: show, never write.")
    modes: list[ModeRule] = Field(default=[], description="Exceptions by kind and subtree; the last match decides.")
    limits: Limits = Limits()
    protected: list[Annotated[str, Field(pattern="/")]] = Field(
        default=[], description="Globs over `kind/name` that are never deleted, detached or emptied; no approval helps."
    )
    break_glass: list[BreakGlass] = Field(
        default=[], description="Roles and permission sets whose access no SCP or RCP may take; no approval helps."
    )
    policy_limits: PolicyLimits = PolicyLimits()
    foreign_tag_keys: list[str] = Field(
        default=[], description="Tag keys that other tools own: never added or removed."
    )
    identity_center_region: str = Field(
        default="us-east-1",
        pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d+$",
        description="The Identity Center instance's home Region.",
    )
    member_role: str = Field(
        default="OrgctlMember",
        pattern=r"^[\w+=,.@/-]+$",
        description="Role assumed in member accounts, for Security Hub.",
    )
    member_external_id: SecretStr | None = Field(default=None, description="External id that role demands.")
    rate_multiple: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        description="AWS's published call rates times this. Above 1 only against a sandbox.",
    )
    share: float = Field(
        default=0.5, gt=0, le=1, description="The part of those rates that is ours; consoles and other tools need some."
    )
    workers: int = Field(
        default=32, ge=1, le=256, description="Calls under way at once; also the connection pool's size."
    )
    executor: str = Field(
        default="threads",
        pattern=r"^(threads|dask(\+tls)?://[^/:]+:\d{1,5})$",
        description="Where accounts are read: in threads of this process, or on a Dask cluster, dask://host:8786.",
    )
    state_dir: Path = Field(default=Path(".orgctl"), description="SQLite and the git mirror; what outlives a restart.")

    interval: Duration = Field(
        default=timedelta(seconds=60), ge=timedelta(seconds=1), description="How often git is asked for new commits."
    )
    resync: Duration = Field(
        default=timedelta(minutes=15),
        ge=timedelta(seconds=1),
        description="All of AWS is looked at anew at least this often, evenly: by then drift is found.",
    )
    allowed_signers: Path | None = Field(
        default=None, description="git's allowed-signers file; where set, a commit without a good signature is bad."
    )
    listen: str = Field(default="127.0.0.1:9464", description="host:port of the status page, health, metrics, API.")
    api_token: SecretStr | None = Field(
        default=None, description="Bearer token of every POST; without one POSTs are off."
    )
    log_format: Literal["auto", "json", "console"] = Field(default="auto", description="auto: console on a terminal.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, _file()[0])


def load_settings(**overrides: Any) -> Settings:
    """The settings of this run; `overrides` are what the command line says, None for what it does not.

    Raises:
        InvalidInput: orgctl.yaml or an environment variable says something it cannot.
    """
    misspelt = [problem for variable in sorted(os.environ) if (problem := _misspelt(variable))]
    if misspelt:
        raise InvalidInput(misspelt)
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        marks = _file()[1]
        raise InvalidInput([_problem(detail, given, marks) for detail in error.errors()]) from error
    except SettingsError as error:  # a list or a mapping in the environment that is not JSON
        raise InvalidInput([_not_json(str(error))]) from error


def _file() -> tuple[dict[str, Any], Marks]:
    """What orgctl.yaml says, each value with its place; read as the desired state is.

    Raises:
        InvalidInput: It cannot be read, is not YAML, or no mapping.
    """
    try:
        content = Path(FILE).read_bytes()
    except FileNotFoundError:
        return {}, Marks({})
    except OSError as error:
        raise InvalidInput([Problem(FILE, 0, 0, f"cannot be read: {error.strerror}")]) from error
    decoded = text.decode(content, FILE)
    if isinstance(decoded, Problem):
        raise InvalidInput([decoded])
    documents, problems = yaml12.parse(decoded, FILE)
    if not problems and len(documents) > 1:
        second = documents[1].node
        problems = [Problem(FILE, second.line, second.column, "a second document", "Put everything into one.")]
    if problems:
        raise InvalidInput(problems)
    if not documents or documents[0].value is None:
        return {}, Marks({})
    if not isinstance(documents[0].value, dict):
        fix = "Write `name: value` for each, as in deploy/orgctl.example.yaml."
        raise InvalidInput([Problem(FILE, 1, 1, "it is no mapping of settings", fix)])
    return dict(documents[0].value), documents[0].marks


def _misspelt(variable: str) -> Problem | None:
    """A variable that is almost a setting's: unread, it would leave a guard rail where nobody expects it.

    Others that begin with ORGCTL_ are left alone: Kubernetes sets some for a Service of that name.
    """
    prefix, _, name = variable.partition("ORGCTL_")
    name = name.lower().partition("__")[0]
    if prefix or not name or name in Settings.model_fields:
        return None
    close = get_close_matches(name, Settings.model_fields, 1, cutoff=0.75)
    if not close:
        return None
    return Problem("settings", 0, 0, f"there is no setting {variable}", f"Did you mean ORGCTL_{close[0].upper()}?")


def _not_json(said: str) -> Problem:
    name = re.search(r'field "(\w+)"', said)
    variable = f"ORGCTL_{name[1].upper()}" if name else "a variable ORGCTL_…"
    fix = """A list or a mapping is written as JSON there: '["a", "b"]'. Or set it in orgctl.yaml."""
    return Problem("settings", 0, 0, f"{variable}: its value cannot be read", fix)


def _problem(detail: Any, given: dict[str, Any], marks: Marks) -> Problem:
    """What pydantic found, in our words, at the place that said it: an option, a variable, or the file."""
    from controller.desired.shape import HIDDEN, words  # seldom needed

    path = tuple(detail["loc"])
    first = str(path[0]) if path else ""
    secret = first in ("member_external_id", "api_token")
    what, fix = words(detail, path, Settings, HIDDEN if secret else "")
    field = Settings.model_fields.get(first)
    fix = " ".join(part for part in ("" if secret else fix, field.description if field else "") if part)
    variables = ["ORGCTL_" + "__".join(map(str, path[:length])).upper() for length in range(len(path), 0, -1)]
    if first in given:
        return Problem(f"--{first.replace('_', '-')}", 0, 0, what, fix)
    if said := [name for name in os.environ if name.upper() in variables]:
        return Problem(max(said, key=len), 0, 0, what, fix)
    mark = marks.key(*path) if detail["type"] == "extra_forbidden" else marks.at(*path)
    return Problem(mark.file, mark.line, mark.column, what, fix)
