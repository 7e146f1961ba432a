"""One account × Region of Security Hub: what it is, how it is read, how it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from math import ceil
from typing import Any, TypeVar

from controller.aws.api import Reader, Writer
from controller.aws.known import Call, Known
from controller.catalogue.security_hub import is_service_managed, standard_arn, standard_of
from controller.errors import AwsError, InProgress
from controller.resources.base import OWNER_TAG, Ref, Resource
from controller.resources.security_hub_region import Regions

T = TypeVar("T")

READS = frozenset(
    {
        "securityhub:BatchGetStandardsControlAssociations",
        "securityhub:DescribeHub",
        "securityhub:GetEnabledStandards",
        "securityhub:ListTagsForResource",
    }
)
WRITES = frozenset(
    {
        "securityhub:BatchDisableStandards",
        "securityhub:BatchEnableStandards",
        "securityhub:BatchUpdateStandardsControlAssociations",
        "securityhub:EnableSecurityHub",
        "securityhub:TagResource",
    }
)

NOT_ON = "InvalidAccessException"
"""What almost every call answers where the hub is off (Security Hub API reference, common errors)."""
_UNKNOWN_CONTROL = frozenset({"NOT_FOUND", "RESOURCE_NOT_FOUND"})
_STANDARDS_A_CALL = 25
_CONTROLS_A_CALL = 100
_POLL = 0.5
_SLOWEST_POLL = 10.0
_TIMEOUT = 60.0
"""Seconds for a standard to get its controls. AWS takes minutes; what is left then, the next cycle does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityHub(Resource):
    """Security Hub in one account × Region, where it is on.

    Attributes:
        standards: Short forms of those that are on; `service-managed-*` are not among them.
        disabled: ``"<standard> <control>"`` → reason, of the standards that are on.
        unready: Standards that are on or turning on, whose controls cannot be seen or changed yet.
        leaving: Standards that are turning off.
        incomplete: Standard → AWS's code for why it cannot check everything.
        lacking: ``"<standard> <control>"`` that AWS does not know here.
    """

    kind = "security_hub"

    standards: frozenset[str] = frozenset()
    disabled: Mapping[str, str] = field(default_factory=dict)
    unready: frozenset[str] = field(default=frozenset(), compare=False)
    leaving: frozenset[str] = field(default=frozenset(), compare=False)
    incomplete: Mapping[str, str] = field(default_factory=dict, compare=False)
    lacking: frozenset[str] = field(default=frozenset(), compare=False)

    def about(self) -> Iterable[Ref]:
        return (Ref("account", self.account),)

    @property
    def account(self) -> str:
        return self.key.split("/")[0]

    @property
    def region(self) -> str:
        return self.key.split("/")[1]


def cell_key(account_id: str, region: str) -> str:
    return f"{account_id}/{region}"


def entry(standard: str, control: str) -> str:
    """How `disabled` names a control in a standard."""
    return f"{standard} {control}"


def standard_in(entry: str) -> str:
    return entry.partition(" ")[0]


# Live


def read_cell(aws: Reader, regions: Regions, cell: SecurityHub) -> SecurityHub | None:
    """What is live at the place of `cell`; None where the hub is off.

    Args:
        cell: Says where, and whose controls are of interest: its `standards`.

    Raises:
        AwsError: Something could not be seen.
    """
    where: dict[str, Any] = {"account": cell.account, "region": cell.region}
    hub = aws.find("securityhub:DescribeHub", absent=NOT_ON, **where)
    if hub is None:
        return None
    tags = aws.get("securityhub:ListTagsForResource", ResourceArn=hub["HubArn"], **where).get("Tags", {})
    regions.standards_of(cell.account, cell.region)
    subscriptions = list(_subscriptions(aws, cell))
    on = [one for one in subscriptions if one.status != "DELETING"]
    unready = frozenset(one.standard for one in on if not one.ready)
    seen = _Associations.read(aws, regions, cell, [one.standard for one in on if one.ready])
    return SecurityHub(
        key=cell.key,
        name=cell.name,
        id=hub["HubArn"],
        owner=tags.get(OWNER_TAG),
        standards=frozenset(one.standard for one in on),
        disabled=seen.disabled,
        unready=unready,
        leaving=frozenset(one.standard for one in subscriptions if one.status == "DELETING"),
        incomplete={one.standard: one.reason for one in on if one.status == "INCOMPLETE"},
        lacking=seen.lacking,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of many cells.

    Attributes:
        cells: By key, in the order asked; None where the hub is off, an error where it could not be seen.
        standards, controls: What their Regions offer, as in `Regions`.
    """

    cells: dict[str, SecurityHub | AwsError | None] = field(default_factory=dict)
    standards: dict[str, frozenset[str]] = field(default_factory=dict)
    controls: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)


def look(aws: Reader, cells: Iterable[SecurityHub]) -> Look:
    """Read those of many cells that are not known, wherever the settings say. Raises NoWorkers."""
    accounts: dict[str, list[SecurityHub]] = {}
    cells, seen, at = list(cells), Look(), aws.clock.now()
    for cell in cells:
        seen.cells[cell.key] = None
        if aws.known is not None and (answer := aws.known.recall(cell_call(cell))) is not None:
            seen.cells[cell.key] = _kept(cell, answer.value)
        else:
            accounts.setdefault(cell.account, []).append(cell)
    if aws.known is not None:
        _recall_offers(aws.known, cells, seen)
    known = Look(standards=dict(seen.standards), controls=dict(seen.controls))
    for shard in aws.fan_out(partial(_look_at, known=known), accounts) if accounts else ():
        seen.cells.update(shard.cells)
        seen.standards.update(shard.standards)
        seen.controls.update(shard.controls)
    if aws.known is not None:
        _add_offers(aws, cells, seen)
        for region in seen.standards.keys() - known.standards.keys():
            aws.known.learn(_standards_call(region), sorted(seen.standards[region]), at)
        for region, standard in seen.controls.keys() - known.controls.keys():
            found = sorted(seen.controls[region, standard])
            aws.known.learn(_controls_call(region, standard), found, at, calls=ceil(len(found) / 100))
        for some in accounts.values():
            for cell in some:
                _keep(aws.known, cell, seen, at)
    return seen


def cell_call(cell: SecurityHub) -> Call:
    """Stands for all that is asked about one cell. What is asked follows from the standards that git wants there."""
    return Call.of("securityhub:DescribeHub", account=cell.account, region=cell.region, of=sorted(cell.standards))


def _keep(known: Known, cell: SecurityHub, seen: Look, at: datetime) -> None:
    """As text, a tenth of the size. Not what AWS is still at work on: that is to be looked at again."""
    found = seen.cells[cell.key]
    if isinstance(found, AwsError) or (found is not None and (found.unready or found.leaving)):
        return
    if found is None:
        known.learn(cell_call(cell), None, at)
        return
    controls = sum(len(seen.controls.get((cell.region, standard), ())) for standard in cell.standards)
    value = {
        "id": found.id,
        "owner": found.owner,
        "standards": sorted(found.standards),
        "disabled": dict(found.disabled),
        "incomplete": dict(found.incomplete),
        "lacking": sorted(found.lacking),
    }
    known.learn(cell_call(cell), json.dumps(value), at, calls=3 + ceil(controls / _CONTROLS_A_CALL))


def _kept(cell: SecurityHub, value: str | None) -> SecurityHub | None:
    if value is None:
        return None
    kept = json.loads(value)
    return SecurityHub(
        key=cell.key,
        name=cell.name,
        id=kept["id"],
        owner=kept["owner"],
        standards=frozenset(kept["standards"]),
        disabled=kept["disabled"],
        incomplete=kept["incomplete"],
        lacking=frozenset(kept["lacking"]),
    )


def _recall_offers(known: Known, cells: Iterable[SecurityHub], seen: Look) -> None:
    """What the cells' Regions offer, as far as it is known."""
    for region, standard in {(cell.region, standard) for cell in cells for standard in cell.standards}:
        if (answer := known.recall(_standards_call(region))) is not None:
            seen.standards[region] = frozenset(answer.value)
        if (answer := known.recall(_controls_call(region, standard))) is not None:
            seen.controls[region, standard] = frozenset(answer.value)


def _add_offers(aws: Reader, cells: Iterable[SecurityHub], seen: Look) -> None:
    """What is not known of the Regions, and needed no looking at for the cells that were read."""
    regions = Regions(aws.anew(), seen.standards, seen.controls)
    through = {cell.region: cell for cell in seen.cells.values() if isinstance(cell, SecurityHub)}
    for region, standard in sorted({(cell.region, standard) for cell in cells for standard in cell.standards}):
        if region in through:
            seen.standards[region] = regions.standards_of(through[region].account, region)
            if standard in through[region].standards:
                seen.controls[region, standard] = regions.controls_of(through[region].account, region, standard)


def _standards_call(region: str) -> Call:
    return Call.of("securityhub:DescribeStandards", region=region)


def _controls_call(region: str, standard: str) -> Call:
    return Call.of("securityhub:ListSecurityControlDefinitions", region=region, standard=standard)


def _look_at(aws: Reader, cells: list[SecurityHub], known: Look | None = None) -> Look:
    """One shard, possibly in another process. `known`: what Regions offer, as far as it is known."""
    regions = Regions(aws, known.standards, known.controls) if known else Regions(aws)

    def one(cell: SecurityHub) -> SecurityHub | AwsError | None:
        try:
            return read_cell(aws, regions, cell)
        except AwsError as error:
            return error

    found = aws.map(one, cells)
    return Look({cell.key: seen for cell, seen in zip(cells, found, strict=True)}, regions.standards, regions.controls)


@dataclass(frozen=True, slots=True)
class _Subscription:
    """One standard of a cell. `status`: PENDING, READY, INCOMPLETE, DELETING, or FAILED: it could not be turned off."""

    standard: str
    arn: str
    status: str
    ready: bool
    reason: str


def _subscriptions(aws: Reader, cell: SecurityHub) -> Iterator[_Subscription]:
    for item in aws.items(
        "securityhub:GetEnabledStandards", "StandardsSubscriptions", account=cell.account, region=cell.region
    ):
        standard, status = standard_of(item["StandardsArn"]), item["StandardsStatus"]
        if is_service_managed(standard):
            continue
        updatable = item.get("StandardsControlsUpdatable", "READY_FOR_UPDATES") == "READY_FOR_UPDATES"
        yield _Subscription(
            standard,
            item["StandardsSubscriptionArn"],
            status,
            ready=updatable and status != "PENDING",
            reason=item.get("StandardsStatusReason", {}).get("StatusReasonCode", ""),
        )


@dataclass(frozen=True, slots=True)
class _Associations:
    """Which controls are off in the standards that git wants here."""

    disabled: Mapping[str, str]
    lacking: frozenset[str]

    @classmethod
    def read(cls, aws: Reader, regions: Regions, cell: SecurityHub, ready: Iterable[str]) -> _Associations:
        partition = aws.here.partition
        asked = [
            {"StandardsArn": standard_arn(partition, cell.region, standard), "SecurityControlId": control}
            for standard in sorted(cell.standards & {*ready})
            for control in sorted(regions.controls_of(cell.account, cell.region, standard))
        ]
        disabled: dict[str, str] = {}
        lacking: set[str] = set()
        for some in _chunks(asked, _CONTROLS_A_CALL):
            action = "securityhub:BatchGetStandardsControlAssociations"
            answer = aws.get(action, account=cell.account, region=cell.region, StandardsControlAssociationIds=some)
            for one in answer["StandardsControlAssociationDetails"]:
                standard = standard_of(one["StandardsArn"])
                if one["AssociationStatus"] == "DISABLED":
                    disabled[entry(standard, one["SecurityControlId"])] = one.get("UpdatedReason", "")
            for one in answer.get("UnprocessedAssociations", ()):
                if one["ErrorCode"] not in _UNKNOWN_CONTROL:
                    raise _unprocessed(action, cell, one)
                asked_for = one["StandardsControlAssociationId"]
                lacking.add(entry(standard_of(asked_for["StandardsArn"]), asked_for["SecurityControlId"]))
        return cls(disabled, frozenset(lacking))


# Writing


@dataclass(frozen=True, slots=True)
class Edit:
    """One cell on its way to `after`."""

    aws: Writer
    after: SecurityHub

    @property
    def _where(self) -> dict[str, Any]:
        return {"account": self.after.account, "region": self.after.region}

    def turn_on(self) -> None:
        """The hub, without the standards that AWS would turn on with it; and wait until it is there.

        Raises:
            InProgress: Not within the time; or somebody else has just turned it on, which the next cycle looks at.
        """
        action = "securityhub:EnableSecurityHub"
        try:
            tags = {OWNER_TAG: self.after.owner or self.aws.here.instance}
            self.aws.send(action, EnableDefaultStandards=False, Tags=tags, **self._where)
        except AwsError as error:
            if error.code != "ResourceConflictException":
                raise
            raise InProgress(action, error.code, "the hub is on already", **self._where) from error
        hub = self.aws.wait(
            lambda: self.aws.reads.find("securityhub:DescribeHub", absent=NOT_ON, **self._where),
            action=action,
            every=_POLL,
            timeout=_TIMEOUT,
            slowest=_SLOWEST_POLL,
        )
        self.aws.created(self.after.ref, hub["HubArn"])

    def own(self, hub_arn: str) -> None:
        """Mark the hub as ours."""
        tags = {OWNER_TAG: self.after.owner or self.aws.here.instance}
        self.aws.send("securityhub:TagResource", ResourceArn=hub_arn, Tags=tags, **self._where)

    def bring(self, before: SecurityHub) -> None:
        """New standards on, then controls, then old standards off.

        Raises:
            InProgress: A new standard does not have its controls yet; the next cycle goes on from there.
        """
        new = self.after.standards - before.standards
        self._enable(new)
        changed = self._changed(before)
        self._switch([entry for entry in changed if standard_in(entry) not in new])
        late = [entry for entry in changed if standard_in(entry) in new and self._exists(entry)]
        if late:
            self._await_controls({standard_in(entry) for entry in late})
            self._switch(late)
        self._disable(before.standards - self.after.standards)

    def _changed(self, before: SecurityHub) -> list[str]:
        """Controls to turn on or off, or whose reason is another."""
        was, is_ = (
            {e: why for e, why in cell.disabled.items() if standard_in(e) in self.after.standards}
            for cell in (before, self.after)
        )
        return sorted(e for e in was.keys() | is_.keys() if was.get(e) != is_.get(e))

    def _exists(self, entry: str) -> bool:
        """Whether the Region has the control: what it has of a standard is looked up once that is on."""
        standard, _, control = entry.partition(" ")
        return control in Regions(self.aws.reads).controls_of(self.after.account, self.after.region, standard)

    def _enable(self, standards: Iterable[str]) -> None:
        for some in _chunks(sorted(standards), _STANDARDS_A_CALL):
            wanted = [{"StandardsArn": self._arn(standard)} for standard in some]
            self.aws.send("securityhub:BatchEnableStandards", StandardsSubscriptionRequests=wanted, **self._where)

    def _disable(self, standards: Iterable[str]) -> None:
        going = set(standards)
        if not going:
            return
        arns = [
            one.arn
            for one in _subscriptions(self.aws.reads, self.after)
            if one.standard in going and one.status != "DELETING"
        ]
        for some in _chunks(arns, _STANDARDS_A_CALL):
            self.aws.send("securityhub:BatchDisableStandards", StandardsSubscriptionArns=some, **self._where)

    def _switch(self, entries: Iterable[str]) -> None:
        action = "securityhub:BatchUpdateStandardsControlAssociations"
        for some in _chunks([self._update(entry) for entry in entries], _CONTROLS_A_CALL):
            answer = self.aws.send(action, StandardsControlAssociationUpdates=some, **self._where)
            for one in answer.get("UnprocessedAssociationUpdates", ()):
                raise _unprocessed(action, self.after, one)

    def _update(self, entry: str) -> dict[str, str]:
        standard, _, control = entry.partition(" ")
        what = {"StandardsArn": self._arn(standard), "SecurityControlId": control}
        reason = self.after.disabled.get(entry)
        if reason is None:
            return {**what, "AssociationStatus": "ENABLED"}
        return {**what, "AssociationStatus": "DISABLED", "UpdatedReason": reason}

    def _await_controls(self, standards: set[str]) -> None:
        """Controls can be changed only once their standard has them: READY_FOR_UPDATES."""

        def ready() -> bool | None:
            found = {one.standard for one in _subscriptions(self.aws.reads, self.after) if one.ready}
            return True if standards <= found else None

        self.aws.wait(
            ready,
            action="securityhub:BatchEnableStandards",
            every=_POLL,
            timeout=_TIMEOUT,
            slowest=_SLOWEST_POLL,
        )

    def _arn(self, standard: str) -> str:
        return standard_arn(self.aws.here.partition, self.after.region, standard)


def _unprocessed(action: str, cell: SecurityHub, refused: Mapping[str, Any]) -> AwsError:
    """What AWS says of one item of a batch that it left undone."""
    item = refused.get("StandardsControlAssociationUpdate") or refused.get("StandardsControlAssociationId") or {}
    which = entry(standard_of(item.get("StandardsArn", "?")), item.get("SecurityControlId", "?"))
    message = f"{which}: {refused.get('ErrorReason', '')}"
    return AwsError(action, refused["ErrorCode"], message, account=cell.account, region=cell.region)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
