"""The whole main job in a minute, on a simulated organization in trouble: `make demo`.

A sandbox, a bare git repository made of `desired-state/`, and the daemon as a process of its own. The organization
converges; a commit is pushed and converges; somebody detaches a policy by hand and it comes back.

With ``DEMO_STAY=1`` everything stays up at the end; ``--play`` (`make run`) starts the same without the script.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from controller.config import Settings
from controller.iam_policies import controller_read, controller_write, member_policies
from controller.resources.registry import KINDS
from controller.sandbox.permissions import MANAGEMENT_USER
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.seed import seeded

ROOT = Path(__file__).resolve().parent.parent
WORLD = Path(__file__).parent / "sandbox" / "worlds" / "demo"
RATES = 20
"""AWS's published call rates times this: at AWS's own the first cycle would take minutes."""
LATENCY = 0.005
"""Seconds that every call takes."""
PATIENCE = 120
"""Seconds until a step that does not end is given up."""
TOKEN = "demo"

console = Console(highlight=False)


def main() -> int:
    """Exit code 0 when every step ended as it should."""
    play = "--play" in sys.argv[1:]
    place = Path(".demo")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    sandbox = seeded(WORLD)
    sandbox.rates.set(RATES)
    sandbox.latency["*"] = LATENCY
    with sandbox, Repository(place) as repository:
        environment = _environment(sandbox, place)
        console.print(f"A simulated organization at {sandbox.url}: {len(sandbox.world.accounts)} accounts, "
                      f"{len(sandbox.world.units) - 1} OUs, {len(sandbox.world.policies)} policies; "
                      f"AWS's call rates × {RATES}, {LATENCY * 1000:.0f} ms a call.")  # fmt: skip
        try:
            if play:
                return _play(sandbox, repository, environment)
            return _script(sandbox, repository, environment)
        except Stuck as stuck:
            console.print(f"[bold red]{stuck}[/]")
            return 1


class Stuck(Exception):
    """A step of the demo did not come to its end."""


class Repository:
    """A bare repository of `desired-state/`, and a clone of it to commit in."""

    def __init__(self, place: Path) -> None:
        self.bare, self.clone = place / "estate.git", place / "clone"

    def __enter__(self) -> Repository:
        self._git("init", "-q", "--bare", "-b", "main", str(self.bare))
        self._git("init", "-q", "-b", "main", str(self.clone))
        shutil.copytree(ROOT / "desired-state", self.clone / "desired-state")
        self._in_clone("remote", "add", "origin", str(self.bare.resolve()))
        self.push("The organization as it should be")
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def url(self) -> str:
        return self.bare.resolve().as_uri()

    def push(self, message: str) -> str:
        """Commit everything and push; the commit's hash."""
        self._in_clone("add", "-A")
        self._in_clone("commit", "-q", "-m", message)
        self._in_clone("push", "-q", "--set-upstream", "origin", "main")
        return self._in_clone("rev-parse", "HEAD").strip()

    def _in_clone(self, *arguments: str) -> str:
        who = ("-c", "user.name=Demo", "-c", "user.email=demo@anycompany.example", "-c", "commit.gpgsign=false")
        return self._git("-C", str(self.clone), *who, *arguments)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)  # noqa: S603, S607
        return done.stdout


class Daemon:
    """`orgctl run` as a process of its own; its JSON log is what the demo watches."""

    def __init__(self, repository: Repository, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "controller", "run", "--repo", repository.url, "--interval", "5s"]
        self.process = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )
        self.address = f"http://{environment['ORGCTL_LISTEN']}"
        self.events: Queue[dict[str, Any]] = Queue()
        self.last: deque[str] = deque(maxlen=20)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last.append(line.rstrip())
            try:
                self.events.put(json.loads(line))
            except ValueError:
                continue
        self.events.put({"event": "ended"})

    def sync(self) -> None:
        """Run a cycle now."""
        request = urllib.request.Request(  # noqa: S310  our own loopback address
            f"{self.address}/sync", method="POST", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass

    def wait(self, title: str, commit: str | None = None) -> Counter[str]:
        """Show changes as they are applied until a cycle (of `commit`) wrote and converged; how many of each action."""
        done: Counter[str] = Counter()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(title, total=None)
            while True:
                event = self._next(title)
                what, kind, name = event["event"], event.get("kind"), event.get("name")
                if what == "cycle planned":
                    progress.update(task, total=event["free"], completed=0)
                elif what == "change applied":
                    done[f"{event['action']} {kind}"] += 1
                    progress.update(task, advance=1, description=f"{title}: {kind} {name}")
                elif what in ("change failed", "change unknown", "cycle failed; tried again"):
                    progress.console.print(f"[red]{kind} {name}: {event.get('detail') or event.get('error')}[/]")
                elif what == "cycle ended" and commit in (None, event["commit"]) and done:
                    if event["result"] in ("converged", "held"):
                        return done
                    progress.console.print(
                        "AWS is still at work on some of it; the next cycle looks again.", style="dim"
                    )

    def _next(self, title: str) -> dict[str, Any]:
        try:
            event = self.events.get(timeout=PATIENCE)
        except Empty:
            raise Stuck(self._trouble(f"{title}: no end after {PATIENCE} s")) from None
        if event["event"] == "ended":
            raise Stuck(self._trouble("the daemon ended"))
        return event

    def _trouble(self, what: str) -> str:
        return "\n".join([what, *self.last])

    def stop(self) -> float:
        """SIGTERM, and wait."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)


@contextmanager
def _running(repository: Repository, environment: dict[str, str]) -> Iterator[Daemon]:
    daemon = Daemon(repository, environment)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.stop()


def _environment(sandbox: Sandbox, place: Path) -> dict[str, str]:
    """For everything that talks to the sandbox; the operator's own AWS settings stay out of it."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ORGCTL_"))}
    return {
        **inherited,
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": sandbox.world.management_account,
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ORGCTL_ORGANIZATION": sandbox.world.organization_id,
        "ORGCTL_MODE": "enforce",
        "ORGCTL_RATE_MULTIPLE": str(RATES),
        "ORGCTL_SHARE": "1",
        "ORGCTL_STATE_DIR": str((place / "state").resolve()),
        "ORGCTL_API_TOKEN": TOKEN,
        "ORGCTL_LISTEN": f"127.0.0.1:{_free_port(9464)}",
        "ORGCTL_LOG_FORMAT": "json",
    }


def _free_port(preferred: int) -> int:
    """The preferred port, or any that is free: another daemon may run on this machine."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Stuck("no port is free")


def _allow(sandbox: Sandbox, *, writes: bool) -> None:
    """Let the sandbox enforce the IAM policies of deploy/iam/, and no others."""
    documents = [controller_read(KINDS), *([controller_write(KINDS)] if writes else [])]
    member = [document["PolicyDocument"] for document in member_policies(KINDS, writes=writes)]
    with sandbox.world.lock:
        sandbox.world.data["iam"] = {MANAGEMENT_USER: documents, Settings.model_fields["member_role"].default: member}


def _script(sandbox: Sandbox, repository: Repository, environment: dict[str, str]) -> int:
    console.print(Rule("1. What would change: orgctl plan (under the read-only IAM policy of deploy/iam)"))
    _allow(sandbox, writes=False)
    plan = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "controller", "plan", str(repository.clone / "desired-state")], env=environment, cwd=ROOT
    )
    if plan.returncode not in (0, 2, 3):
        raise Stuck("the plan failed")
    _allow(sandbox, writes=True)
    with _running(repository, environment) as daemon:
        console.print(Rule("2. The daemon converges it: orgctl run (under the write policy as well)"))
        _show(daemon.wait("converging"))
        console.print(Rule("3. Somebody pushes a commit: a policy, an assignment, a control turned off"))
        commit = _commit(repository)
        daemon.sync()
        _show(daemon.wait("converging", commit))
        console.print(Rule("4. Somebody detaches a policy by hand"))
        name = _detach(sandbox)
        console.print(f"'{name}' is off. The next cycle sees it …")
        daemon.sync()
        _show(daemon.wait("repairing"))
        _summary(sandbox, daemon)
        if os.environ.get("DEMO_STAY") == "1":
            _stay(daemon)
    return 0


def _play(sandbox: Sandbox, repository: Repository, environment: dict[str, str]) -> int:
    _allow(sandbox, writes=True)
    with _running(repository, environment) as daemon:
        _addresses(daemon)
        console.print(f"Commit and push in {repository.clone}/ and watch. To use the CLI in another terminal:")
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION",
                     "ORGCTL_ORGANIZATION", "ORGCTL_STATE_DIR", "ORGCTL_MODE", "ORGCTL_RATE_MULTIPLE",
                     "ORGCTL_SHARE"):  # fmt: skip
            console.print(f"  export {name}={environment[name]}", soft_wrap=True)
        _stay(daemon)
    return 0


def _addresses(daemon: Daemon) -> None:
    console.print(
        f"Status page {daemon.address}/ · {daemon.address}/metrics · {daemon.address}/healthz", soft_wrap=True
    )


def _stay(daemon: Daemon) -> None:
    console.print("Ctrl-C ends it.")
    try:
        while (event := daemon.events.get())["event"] != "ended":
            words = " ".join(f"{k}={v}" for k, v in event.items() if k not in ("event", "level", "logger", "timestamp"))
            moment = event.get("timestamp", "")[11:19]
            console.print(Text.assemble((moment, "dim"), f" {event['event']} ", (words, "dim")), soft_wrap=True)
    except KeyboardInterrupt:
        return


def _commit(repository: Repository) -> str:
    """A new SCP, a new assignment and a disabled control, as a person would push them."""
    state = repository.clone / "desired-state"
    (state / "demo.yaml").write_text(
        """\
kind: ServiceControlPolicy
name: deny-expensive-instances
description: Nobody needs a metal instance to try something out
targets: {units: [/Sandbox]}
content:
  Version: "2012-10-17"
  Statement:
    - Sid: DenyExpensiveInstances
      Effect: Deny
      Action: ec2:RunInstances
      Resource: "arn:aws:ec2:*:*:instance/*"
      Condition: {StringLike: {"ec2:InstanceType": ["*.metal", "*.24xlarge"]}}
---
kind: Assignments
assignments:
  - group: infosec
    permission_sets: [AuditAccess]
    targets: {units: [/Sandbox]}
""",
        encoding="utf-8",
    )
    hub = state / "security-hub" / "standards.yaml"
    text = hub.read_text(encoding="utf-8")
    marker = "disabled_controls:\n"
    control = "  - {control: EC2.10, reason: Interface endpoints are not worth their price to us}\n"
    hub.write_text(text.replace(marker, marker + control, 1), encoding="utf-8")
    return repository.push("Sandboxes: no metal instances, and infosec may look")


def _detach(sandbox: Sandbox) -> str:
    """Take one policy that the example attaches off, as somebody with console access would; its name."""
    world = sandbox.world
    policy = next(p for p in world.policies.values() if p.name == "deny-leave-organization")
    target = next(iter(policy.targets))
    sandbox.call("organizations", "DetachPolicy", {"PolicyId": policy.id, "TargetId": target})
    return policy.name


def _show(done: Counter[str]) -> None:
    actions: dict[str, list[str]] = {}
    for what, count in sorted(done.items()):
        action, kind = what.split(" ", 1)
        actions.setdefault(action, []).append(f"{count} {kind}")
    total = sum(done.values())
    console.print(f"[green]Converged[/] with {total} change{'' if total == 1 else 's'}.")
    for action, kinds in actions.items():
        console.print(f"  {action:7} {', '.join(kinds)}", soft_wrap=True)


def _summary(sandbox: Sandbox, daemon: Daemon) -> None:
    console.print(Rule("Calls to AWS, all steps together"))
    table = Table("operation", "calls", box=None, pad_edge=False)
    calls = sandbox.world.calls.most_common()
    for name, count in calls[:12]:
        table.add_row(name, str(count))
    table.add_row(f"… and {len(calls) - 12} more operations", str(sum(count for _, count in calls[12:])))
    console.print(table)
    throttled = sum(count for name, count in sandbox.refused.items() if "TooMany" in name or "Throttl" in name)
    console.print(f"{sum(sandbox.world.calls.values())} calls, {throttled} throttled.")
    _addresses(daemon)
    if os.environ.get("DEMO_STAY") != "1":
        console.print("They end with the demo: `DEMO_STAY=1 make demo` stays up; `make run` is for playing with it.")


if __name__ == "__main__":
    sys.exit(main())
