"""Living organizations to import, and what is asked of every import."""

from __future__ import annotations

from typing import Any

from controller.config import Settings
from controller.desired.load import load
from controller.desired.source import Files
from controller.importing.organize import Imported, import_organization
from controller.planning.plan import Plan
from controller.resources.base import Action
from controller.sandbox.inprocess import VirtualTime
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed.reading import Seed, parse
from controller.sandbox.seed.sowing import sow
from controller.store import Store
from tests.cycle.house import House, files

DENY = '{Version: "2012-10-17", Statement: [{Effect: Deny, Action: "%s:*", Resource: "*"}]}'


class Home(House):
    """A house that takes its seed from anywhere, and its git from an import."""

    def __init__(self, seed: Seed | str, **settings: Any) -> None:
        given = parse(files(seed)) if isinstance(seed, str) else seed
        self.sandbox = Sandbox.create(virtual=True, management_account=given.document.management.id)
        sow(self.sandbox.world, given.estate, given.document)
        self.clock = VirtualTime(self.sandbox)
        self.state = Files({})
        self.settings = Settings(
            organization=self.sandbox.world.organization_id, mode="enforce", rate_multiple=1000.0, workers=8, **settings
        )
        self.store = Store(":memory:", self.clock)
        self.controller = self.another()

    def _git(self) -> Files:
        return self.state

    def imported(self, **options: Any) -> Imported:
        """The organization as it is now; git is that from here on."""
        done = import_organization(self.controller.aws.reader(), **options)
        assert done.problems == ()
        self.state = source(done)
        return done


def source(done: Imported) -> Files:
    return Files({name: text.encode() for name, text in done.files.items()})


def value(done: Imported, file: str) -> list[Any]:
    """The documents of a file, as they load."""
    estate = load(source(done))
    return [document.model for document in estate.documents if document.mark.file == file]


def differences(plan: Plan) -> list[str]:
    """All that is not the adoption of something just as it is, in words."""
    assert not plan.incomplete
    return [
        f"{change.action} {change.kind} {change.name}{f' ({change.blocked})' if change.blocked else ''}"
        for change in plan.changes
        if change.blocked or change.action is not Action.ADOPT or change.before != change.after
    ]
