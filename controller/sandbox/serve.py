"""`orgctl sandbox`: serve until interrupted."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed import seeded


def serve(port: int, seed: Path | None, *, unowned: bool = False) -> None:
    """Serve a simulated organization on a loopback port, and say how to reach it.

    Raises:
        InvalidInput: The seed is wrong.
    """
    sandbox = Sandbox.create() if seed is None else seeded(seed, unowned=unowned)
    sandbox.start(port)
    world = sandbox.world
    click.echo(f"# Organization {world.organization_id}: {len(world.accounts)} accounts, {len(world.units) - 1} OUs.")
    click.echo(f"export AWS_ENDPOINT_URL={sandbox.url}")
    click.echo(f"export AWS_ACCESS_KEY_ID={world.management_account} AWS_SECRET_ACCESS_KEY=sandbox")
    click.echo("export AWS_DEFAULT_REGION=us-east-1")
    click.echo(f"export ORGCTL_ORGANIZATION={world.organization_id}")
    click.echo(f"# Control surface: {sandbox.url}/_sandbox/calls, …/state, …/faults. Ctrl-C ends it; nothing is kept.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    sandbox.stop()
