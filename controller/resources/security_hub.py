"""security_hub: which standards run and which controls are off, per account × Region that a document covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from controller.aws.api import Reader, Writer
from controller.aws.known import Basis
from controller.catalogue.security_hub import CONTROLS, control_ids, standard_of
from controller.desired.documents.organization import Organization
from controller.desired.documents.security_hub import DisabledControl
from controller.desired.documents.security_hub import SecurityHub as Model
from controller.desired.estate import Document, Estate
from controller.errors import AwsError
from controller.resources import security_hub_cell, security_hub_central, security_hub_region
from controller.resources.account import Account, membership
from controller.resources.base import OWNER_TAG, Action, Change, Desired, Incomplete, Kind, Live, Note, Observed, Ref
from controller.resources.changes import Changes
from controller.resources.security_hub_cell import Edit, SecurityHub, cell_call, cell_key, entry, look, standard_in
from controller.resources.security_hub_central import central_configuration
from controller.resources.security_hub_region import Regions
from controller.resources.selection import Selector

OPT_IN_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
    }
)
"""Off in an account until it turns them on (Account Management Reference, "Enable or disable AWS Regions")."""

_REGION_IS_OFF = frozenset(
    {
        "AuthFailure",
        "InvalidClientTokenId",
        "OptInRequired",
        "UnrecognizedClientException",
        "EndpointConnectionError",
        "ConnectTimeoutError",
    }
)
"""How a Region that an account has not turned on answers: it does not know the account's credentials. Asking each
account for its Regions would cost a call in five a second of the Account API for each."""


@dataclass(frozen=True, slots=True)
class Seen(Observed[SecurityHub]):
    """What was seen, and what a Region and an account allow.

    Attributes:
        skipped: Cell → why nothing can be done there.
        governed: Cell → why it may not configure itself.
        offered: Region → standards, in short form; a Region without any hub is missing.
        controls: (Region, standard) → control ids, where asked.
    """

    skipped: Mapping[str, str] = field(default_factory=dict)
    governed: Mapping[str, str] = field(default_factory=dict)
    offered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    controls: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)


class SecurityHubs(Kind[SecurityHub]):
    """Security Hub's cells. A hub is never turned off, and what no document covers is not looked at."""

    name = "security_hub"
    resource = SecurityHub
    requires = ("account", "delegated_administrator")
    reads = security_hub_cell.READS | security_hub_central.READS | security_hub_region.READS
    writes = security_hub_cell.WRITES
    member_actions = reads | writes
    ownable = True
    protective = True
    width = 16

    def observe(self, aws: Reader, live: Live, estate: Estate) -> Observed[SecurityHub]:
        covered = _covered(estate, live)
        cells = [self._cell(key, claims, live) for key, claims in covered.items()]
        central = central_configuration(aws, live, sorted({cell.region for cell in cells})) if cells else None
        seen = look(aws, cells)
        found = seen.cells
        errors = {key: error for key, error in found.items() if isinstance(error, AwsError)}
        skipped = {key: _region_is_off(key) for key, error in errors.items() if _is_off(key, error)}
        accounts = live.of(Account)
        reasons = {c.key: central.governs(accounts[c.account], c.region, live) for c in cells} if central else {}
        return Seen(
            {key: cell for key, cell in found.items() if isinstance(cell, SecurityHub)},
            tuple(
                Incomplete(self.name, _unseen(error, aws.here.member_role, key), key)
                for key, error in errors.items()
                if key not in skipped
            ),
            (Note(self.name, "central configuration", central.unknown),) if central and central.unknown else (),
            skipped=skipped,
            governed={key: why for key, why in reasons.items() if why is not None},
            offered=seen.standards,
            controls=seen.controls,
        )

    def desire(self, estate: Estate, live: Live) -> Desired[SecurityHub]:
        seen = live.observed[self.name]
        assert isinstance(seen, Seen)
        resources: dict[str, SecurityHub] = {}
        blocked: dict[str, str] = dict(seen.governed)
        notes = list(_selection_notes(estate, live))
        for key, claims in _covered(estate, live).items():
            cell = self._cell(key, claims, live)
            if key in seen.skipped:
                notes.append(Note(self.name, cell.name, seen.skipped[key]))
                continue
            resources[key] = _Wish(claims[0].model, seen, notes).grant(cell, seen.resources.get(key))
            if len(claims) > 1:
                places = " and ".join(str(claim.mark) for claim in claims)
                blocked[key] = f"more than one document covers it ({places}): narrow the targets of one of them"
        return Desired(resources, blocked=blocked, notes=tuple(dict.fromkeys(notes)))

    def bases(self, changes: Sequence[Change], live: Live, estate: Estate) -> Iterable[Basis]:
        """What is on there, and where its account lies: targets depend on it."""
        covered, accounts = _covered(estate, live), set[str]()
        for change in changes:
            one = change.after or change.before
            assert isinstance(one, SecurityHub)
            if one.key in covered:
                yield (cell_call(self._cell(one.key, covered[one.key], live)),)
            accounts.add(one.account)
        yield from membership(accounts, live, estate)

    def create(self, aws: Writer, after: SecurityHub) -> None:
        """The hub and all that is wanted of it, as far as the Region has it: that shows only once a hub is on."""
        Edit(aws, after).turn_on()
        offered = Regions(aws.reads).standards_of(after.account, after.region)
        possible = replace(after, standards=after.standards & offered)
        Edit(aws, possible).bring(SecurityHub(key=after.key, name=after.name))

    def update(self, aws: Writer, before: SecurityHub, after: SecurityHub) -> None:
        edit = Edit(aws, after)
        if before.owner != after.owner:
            assert before.id is not None
            edit.own(before.id)
        edit.bring(before)

    def owner(self, aws: Reader, live: SecurityHub) -> str | None:
        assert live.id is not None
        found = aws.get(
            "securityhub:ListTagsForResource", account=live.account, region=live.region, ResourceArn=live.id
        )
        owner: str | None = found["Tags"].get(OWNER_TAG)
        return owner

    def removes(self, change: Change) -> bool:
        """A standard that is turned off, or emptied: more than half of its controls off, which were not before.

        A control turned off with its reason is what the document is for, and counts as no removal.
        """
        before, after = change.before, change.after
        if not isinstance(before, SecurityHub) or not isinstance(after, SecurityHub):
            return False
        return bool(before.standards - after.standards) or bool(_emptied(after) - _emptied(before))

    def after(self, change: Change, plan: Changes, live: Live) -> Iterable[str]:
        """An account that moves gets its new place's standards when it is there."""
        cell = change.after or change.before
        if isinstance(cell, SecurityHub):
            yield f"{Ref(Account.kind, cell.account)}:{Action.MOVE}"

    def unit(self, resource: SecurityHub, live: Live) -> str | None:
        account = live.of(Account).get(resource.account)
        return None if account is None else account.unit

    def _cell(self, key: str, claims: list[Document[Model]], live: Live) -> SecurityHub:
        """A cell as a document wants it, before anything is known of its Region."""
        account_id, region = key.split("/")
        return SecurityHub(
            key=key,
            name=f"{live.of(Account)[account_id].name}/{region}",
            source=str(claims[0].mark),
            standards=frozenset(standard_of(s) for claim in claims for s in claim.model.standards),
        )


# Desired


def _covered(estate: Estate, live: Live) -> dict[str, list[Document[Model]]]:
    """Cell → the documents that cover it."""
    selector = Selector(estate, live)
    found: dict[str, list[Document[Model]]] = {}
    for document in estate.of(Model):
        regions = list(dict.fromkeys(_regions(document.model, estate)))
        for account_id in selector.select(document.model.targets).accounts:
            for region in regions:
                found.setdefault(cell_key(account_id, region), []).append(document)
    return found


def _regions(model: Model, estate: Estate) -> Iterable[str]:
    if model.regions is not None:
        return model.regions
    return [region for document in estate.of(Organization) for region in document.model.regions]


def _selection_notes(estate: Estate, live: Live) -> Iterator[Note]:
    selector = Selector(estate, live)
    for document in estate.of(Model):
        yield from selector.select(document.model.targets).notes(SecurityHub.kind, str(document.mark))
        if not list(_regions(document.model, estate)):
            yield Note(SecurityHub.kind, str(document.mark), "it names no Region, and neither does the Organization")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one document wants, cut down to what a cell can have now."""

    model: Model
    seen: Seen
    notes: list[Note]

    def grant(self, cell: SecurityHub, have: SecurityHub | None) -> SecurityHub:
        standards = self._offered(cell, have)
        disabled = dict(self._disabled(cell, standards))
        if have is not None:
            standards -= have.leaving
            disabled = {e: why for e, why in disabled.items() if e not in have.lacking}
            # Their controls cannot be seen yet: what is there is left as it is until they can.
            disabled = {e: why for e, why in disabled.items() if standard_in(e) not in have.unready | have.leaving}
            self._say(cell, have)
        return replace(cell, standards=standards, disabled=disabled)

    def _offered(self, cell: SecurityHub, have: SecurityHub | None) -> frozenset[str]:
        """What is on is offered, whatever the Region's own list says: a list that is short turns nothing off."""
        wanted = frozenset(map(standard_of, self.model.standards))
        offered = self.seen.offered.get(cell.region)
        if offered is None:
            return wanted
        if have is not None:
            offered |= have.standards
        for standard in sorted(wanted - offered):
            self._note(cell.region, f"the Region has no standard {standard}: skipped there")
        return wanted & offered

    def _disabled(self, cell: SecurityHub, standards: frozenset[str]) -> Iterator[tuple[str, str]]:
        for off in self.model.disabled_controls:
            for standard in sorted(standards):
                if off.standards is not None and standard not in map(standard_of, off.standards):
                    continue
                if self._has(cell.region, standard, off):
                    yield entry(standard, off.control), off.reason
                elif off.standards is not None or _is_known(standard, off.control):
                    self._note(cell.region, f"{standard} has no control {off.control} in the Region: skipped there")

    def _has(self, region: str, standard: str, off: DisabledControl) -> bool:
        """Whether a standard has a control; where the Region was not asked, as far as the catalogue knows."""
        there = self.seen.controls.get((region, standard))
        if there is not None:
            return off.control in there
        return off.standards is not None or off.control not in CONTROLS or _is_known(standard, off.control)

    def _say(self, cell: SecurityHub, have: SecurityHub) -> None:
        for standard in sorted(have.unready & cell.standards):
            self._note(cell.name, f"{standard} is still turning on; its controls follow when it is ready", True)
        for standard in sorted(have.leaving & cell.standards):
            self._note(cell.name, f"{standard} is still turning off; it is turned on again when that is done", True)
        for standard, code in sorted(have.incomplete.items()):
            if standard in cell.standards:
                self._note(cell.name, f"{standard} is on but INCOMPLETE ({code}): it cannot check everything")

    def _note(self, name: str, text: str, passing: bool = False) -> None:
        self.notes.append(Note(SecurityHub.kind, name, text, passing))


def _is_known(standard: str, control: str) -> bool:
    """Whether the catalogue has the control in the standard."""
    return control in CONTROLS and standard in CONTROLS[control].standards


# Live


def _is_off(key: str, error: AwsError) -> bool:
    """Whether an error means that the account has not turned the Region on."""
    return key.split("/")[1] in OPT_IN_REGIONS and error.code in _REGION_IS_OFF and not error.action.startswith("sts:")


def _region_is_off(key: str) -> str:
    return f"skipped: the account has not turned on the Region {key.split('/')[1]}"


def _unseen(error: AwsError, member_role: str, key: str) -> str:
    if not error.action.startswith("sts:"):
        return str(error)
    return (
        f"the role {member_role} in account {key.split('/')[0]} cannot be assumed ({error.code}); deploy it there "
        "(deploy/iam), or correct member_role and member_external_id in the settings"
    )


def _emptied(cell: SecurityHub) -> set[str]:
    """Standards of which more than half of the controls the catalogue knows are off."""
    off = Counter(standard_in(disabled) for disabled in cell.disabled)
    return {standard for standard, count in off.items() if count > len(control_ids(standard)) / 2}
