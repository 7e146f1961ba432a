"""The names that a SandboxWorld gives: one that nothing bears would change nothing, and nobody would notice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import Any

from controller.desired import paths, templates
from controller.desired.declared import ORGANIZATION_ID
from controller.desired.documents.assignments import Assignments
from controller.desired.documents.base import Attachment
from controller.desired.documents.organization import Organization
from controller.desired.documents.permission_set import PermissionSet
from controller.desired.documents.policies import Policy
from controller.desired.estate import Document, Estate
from controller.desired.marks import Path
from controller.desired.nearest import did_you_mean
from controller.errors import Problem
from controller.sandbox.document import SandboxWorld
from controller.sandbox.seed.ground import thing
from controller.sandbox.seed.organization import KINDS

_ROOT_ID = re.compile(r"r-[0-9a-z]{4,32}")  # Organizations API reference, RootId
_AWS_OWN = ("FullAWSAccess", "RCPFullAWSAccess")


def check(document: Document[SandboxWorld], estate: Estate) -> list[Problem]:
    """What the document names that neither it nor the desired state declares."""
    return list(_Names(document, estate).problems())


@dataclass(frozen=True, slots=True)
class _Names:
    document: Document[SandboxWorld]
    estate: Estate

    def problems(self) -> Iterator[Problem]:
        yield from self._ids()
        yield from self._tree()
        yield from self._policies()
        yield from self._access()
        yield from self._security_hub()
        yield from self._globs()

    @property
    def world(self) -> SandboxWorld:
        return self.document.model

    # What there is

    def units(self) -> Collection[str]:
        return dict.fromkeys([paths.ROOT, *self.estate.units, *self.world.units])

    def handles(self) -> Collection[str]:
        return dict.fromkeys([*self.estate.accounts, *self.world.accounts, self.world.management.name])

    def accounts(self) -> Collection[str]:
        ids = [entry.id for entry in self.estate.accounts.values()]
        ids += [real.id for real in self.world.accounts.values()]
        return dict.fromkeys([*self.handles(), *filter(None, ids), self.world.management.id])

    def permission_sets(self) -> Collection[str]:
        return dict.fromkeys(
            [*(found.model.name for found in self.estate.of(PermissionSet)), *self.world.permission_sets]
        )

    def people(self, type: str) -> Collection[str]:
        if self.world.people is not None:
            return self.world.people.users if type == "user" else self.world.people.groups
        lines = (line for found in self.estate.of(Assignments) for line in found.model.assignments)
        return dict.fromkeys(name for line in lines if (name := getattr(line, type)))

    # What is named

    def _ids(self) -> Iterator[Problem]:
        organization, root = self.world.organization, self.world.root
        if organization is not None and not ORGANIZATION_ID.fullmatch(organization):
            fix = "Write o- and 10 to 32 small letters or digits."
            yield self._problem(("organization",), f"{organization!r} is no organization's id", fix)
        if root is not None and not _ROOT_ID.fullmatch(root):
            fix = "Write r- and 4 to 32 small letters or digits."
            yield self._problem(("root",), f"{root!r} is no root's id", fix)

    def _tree(self) -> Iterator[Problem]:
        units, accounts = self.units(), self.accounts()
        for index, name in enumerate(self.world.member_role.missing_in):
            yield from self._named("account", name, accounts, ("member_role", "missing_in", index))
        for handle, account in self.world.accounts.items():
            if account.unit is not None:
                yield from self._named("unit", account.unit, units, ("accounts", handle, "unit"))
        for path in self.world.units:
            if not path.startswith("/") or path == paths.ROOT:
                yield self._problem(("units", path), f"{path!r} is not the path of a unit", "Write /A/B.", of_key=True)
            else:
                yield from self._named("unit", paths.parent(path), units, ("units", path), of_key=True)
        for name in self.world.delegated_administrators:
            yield from self._named("account", name, accounts, ("delegated_administrators", name), of_key=True)

    def _policies(self) -> Iterator[Problem]:
        in_git = {(found.model.kind, found.model.name) for found in self.estate.of(Policy)}
        for index, policy in enumerate(self.world.policies):
            where: Path = ("policies", index)
            empty = policy.content is None and policy.content_text is None
            if empty and (policy.kind, policy.name) not in in_git and policy.name not in _AWS_OWN:
                what = f"git has no {policy.kind} {policy.name!r} that this could lie over"
                near = [name for kind, name in in_git if kind == policy.kind]
                yield self._problem((*where, "name"), what, did_you_mean(policy.name, near, "Give its content."))
            yield from self._attachment(policy.attached_to, (*where, "attached_to"))
            yield from self._attachment(policy.detached_from, (*where, "detached_from"))
            yield from self._content(policy.content, (*where, "content"))
        for name, real in self.world.permission_sets.items():
            yield from self._content(real.inline_policy, ("permission_sets", name, "inline_policy"))

    def _attachment(self, attachment: Attachment, where: Path) -> Iterator[Problem]:
        for index, path in enumerate(attachment.units):
            yield from self._named("unit", path, self.units(), (*where, "units", index))
        for index, name in enumerate(attachment.accounts):
            yield from self._named("account", name, self.accounts(), (*where, "accounts", index))

    def _content(self, content: Any, where: Path) -> Iterator[Problem]:
        """A unit that is not there is given the id of one that was deleted since: content may name it."""
        if content is None or any(templates.problems(content)):
            return
        for place, (sort, name, _) in templates.located(content):
            if sort == "account":
                yield from self._named("account", name, self.accounts(), (*where, *place))

    def _access(self) -> Iterator[Problem]:
        people = self.world.people
        for group, members in people.groups.items() if people else ():
            for index, name in enumerate(members):
                yield from self._named("user", name, self.people("user"), ("people", "groups", group, index))
        accounts, sets = self.accounts(), self.permission_sets()
        for number, line in enumerate(self.world.assignments):
            where: Path = ("assignments", number)
            if sum(one is not None for one in (line.group, line.user, line.deleted_group, line.deleted_user)) != 1:
                yield self._problem(where, "an assignment has exactly one principal", "Give one group or user.")
            for type in ("group", "user"):
                if (name := getattr(line, type)) is not None:
                    yield from self._named(type, name, self.people(type), (*where, type))
            yield from self._named("permission set", line.permission_set, sets, (*where, "permission_set"))
            for index, account in enumerate(line.accounts):
                yield from self._named("account", account, accounts, (*where, "accounts", index))

    def _security_hub(self) -> Iterator[Problem]:
        accounts = self.accounts()
        for number, real in enumerate(self.world.security_hub):
            for index, glob in enumerate(real.accounts):
                if not any(fnmatchcase(name, glob) for name in accounts):
                    yield from self._named("account", glob, accounts, ("security_hub", number, "accounts", index))
        central = self.world.central_configuration
        for target in central.policies if central else ():
            where = ("central_configuration", "policies", target)
            known = {**dict.fromkeys(self.units()), **dict.fromkeys(accounts)}
            yield from self._named("unit or account", target, known, where, of_key=True)

    def _globs(self) -> Iterator[Problem]:
        lists = [("missing", self.world.missing), ("not_owned", self.world.not_owned)]
        given: list[tuple[Path, str]] = [((name, n), glob) for name, globs in lists for n, glob in enumerate(globs)]
        given += [(("owned_by_others", glob), glob) for glob in self.world.owned_by_others]
        for where, glob in given:
            matches = re.compile(translate(glob)).match
            if not any(map(matches, self._things())):
                fix = did_you_mean(glob, list(self._singles()), "Globs are over kind/name, as plans show them.")
                what = f"{glob!r} matches nothing that is declared"
                yield self._problem(where, what, fix, of_key=where[0] == "owned_by_others")

    def _things(self) -> Iterator[str]:
        yield from self._singles()
        regions = {self.world.identity_center_region: None}
        for organization in self.estate.of(Organization):
            regions |= dict.fromkeys(organization.model.regions)
        names = self.accounts()
        yield from (f"security_hub/{name}/{region}" for name in names for region in regions)
        for found in self.estate.of(Assignments):
            for line in found.model.assignments:
                who = line.group or line.user
                sets = line.permission_sets
                yield from (f"account_assignment/{who}/{one}/{account}" for one in sets for account in names)

    def _singles(self) -> Iterator[str]:
        """Things whose number does not grow with accounts times something."""
        policies = [(found.model.kind, found.model.name) for found in self.estate.of(Policy)]
        policies += [(policy.kind, policy.name) for policy in self.world.policies]
        yield from (thing("organizational_unit", path) for path in self.units())
        yield from (thing("account", name) for name in self.handles())
        yield from (thing(f"{KINDS[kind]}_policy", name) for kind, name in policies)
        yield from (thing("permission_set", name) for name in self.permission_sets())
        for organization in self.estate.of(Organization):
            yield from (thing("policy_type", type) for type in organization.model.policy_types)
            yield from (thing("trusted_service", service) for service in organization.model.trusted_services)
            for account, services in organization.model.delegated_administrators.items():
                yield from (thing("delegated_administrator", f"{account}/{service}") for service in services)

    # How it is said

    def _named(
        self, kind: str, name: str, known: Collection[str], where: Path, *, of_key: bool = False
    ) -> Iterator[Problem]:
        if name not in known:
            fix = did_you_mean(name, known, f"Correct the name, or declare the {kind}.")
            yield self._problem(where, f"there is no {kind} {name!r}", fix, of_key=of_key)

    def _problem(self, where: Path, what: str, fix: str, *, of_key: bool = False) -> Problem:
        marks = self.document.marks
        mark = marks.key(*where) if of_key else marks.at(*where)
        return Problem(mark.file, mark.line, mark.column, what, fix)
