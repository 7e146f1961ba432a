"""The command line: arguments, one call, a renderer, an exit code.

Exit codes, in order of precedence: 1 error, 3 something is held by a guard rail, 2 changes are pending, 0 done.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller import __version__
from controller.errors import InvalidInput, OrgctlError, Problem

if TYPE_CHECKING:
    from rich.console import Console

    from controller.config import Settings
    from controller.desired.estate import Estate
    from controller.planning.plan import Plan
    from controller.reconcile import Controller
    from controller.report import Outcome, Report
    from controller.store import Store

ERROR, HELD, PENDING, DONE = 1, 3, 2, 0
LONGEST_PAUSE = timedelta(days=30)

# Heavy imports stand inside the commands: `orgctl --help` and `validate` need neither boto3 nor a web server.


def main() -> None:
    """The program. Errors we know are told in words on stderr; a traceback is always a bug."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(ERROR)
    except OrgctlError as error:
        click.echo(f"error: {error}" if not isinstance(error, InvalidInput) else str(error), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `orgctl plan | head`: whoever read has enough, and the interpreter must not flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ERROR)
    except sqlite3.Error as error:  # another process keeps it locked, the disk is full
        click.echo(f"error: the state database (state_dir) cannot be used: {error}", err=True)
        sys.exit(ERROR)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="orgctl")
def cli() -> None:
    """Keep an AWS organization as git says.

    Settings come from the environment (ORGCTL_…) and orgctl.yaml; AWS is reached as the AWS CLI reaches it.
    """


path_argument = click.argument("path", type=click.Path(path_type=Path), default=Path("desired-state"))
organization_option = click.option("--organization", help="The one organization to write to: o-….")
share_option = click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), help="The part of AWS's call rates to use. Default: 0.5."
)


@cli.command()
@path_argument
def validate(path: Path) -> None:
    """Check the desired state offline: format, names, policies."""
    estate = _load(path)
    if not estate.documents:
        click.echo(f"{path}: there is no document in any *.yaml or *.yml below it, so nothing is managed.")
        return
    found = (_count(len(estate.documents), "document"), _count(len(estate.units), "OU"))
    click.echo(f"{path}: {', '.join(found)}, {_count(len(estate.accounts), 'account')}. Nothing wrong.")


@cli.command()
@path_argument
@click.option("--format", "style", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the plan as JSON, for apply.")
@click.option("--verbose", is_flag=True, help="Everything: long values, names, notes.")
@click.option(
    "--explain-calls", is_flag=True, help="Also say what looking cost, beside the least possible (to stderr)."
)
@share_option
def plan(path: Path, style: str, out: Path | None, verbose: bool, explain_calls: bool, share: float | None) -> None:
    """Show what would change. Writes nothing to AWS."""
    from controller.calls import explain

    estate = _load(path)
    with _controller(read_only=True, share=share) as controller:
        report = controller.plan(estate)
        cost = list(explain(controller, report)) if explain_calls else []
    _show(report.plan, style, verbose)
    for line in cost:
        click.echo(line, err=True)
    if out is not None:
        _write_plan(report.plan, out)
    sys.exit(_plan_exit(report.plan))


@cli.command()
@path_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--plan", "saved", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Only if this is still true."
)
@organization_option
@share_option
def apply(path: Path, yes: bool, saved: Path | None, organization: str | None, share: float | None) -> None:
    """Carry out what nothing holds."""
    estate = _load(path)
    plan_id = None if saved is None else _read_plan_id(saved)
    with _controller(read_only=False, organization=organization, share=share) as controller:
        if not yes:
            plan_id = _ask(controller, estate, plan_id)
        report = controller.cycle(estate, plan_id=plan_id)
    _show_result(report)
    sys.exit(_report_exit(report))


@cli.command()
@click.option("--repo", required=True, help="https, ssh or file URL of the repository.")
@click.option("--branch", default="main", show_default=True)
@click.option("--path", "path", default="desired-state", show_default=True, help="Where in the repository.")
@click.option("--interval", help="How often git is asked: 60s, 5m.")
@click.option("--resync", help="All of AWS is looked at anew at least this often: 15m.")
@organization_option
@share_option
def run(
    repo: str,
    branch: str,
    path: str,
    interval: str | None,
    resync: str | None,
    organization: str | None,
    share: float | None,
) -> None:
    """The daemon: git and AWS, until told to stop."""
    from controller.service import serve

    settings = _settings(organization=organization, interval=interval, resync=resync, share=share)
    _check_kinds(settings)
    sys.exit(serve(settings, repo=repo, branch=branch, path=path))


@cli.command("import")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Directory to write to: a new or an empty one."
)
@click.option("--kind", "kinds", multiple=True, help="Only this kind of resource (a glob, as plans name them). Repeat.")
@click.option("--unit", default="/", show_default=True, help="Only what lies in or below this OU path.")
@click.option("--region", "regions", multiple=True, help="Governed Regions. Default: where Security Hub is found.")
@click.option("--fold", is_flag=True, help="Say OUs for accounts that make one up, and who would gain access by it.")
@click.option("--seed", is_flag=True, help="Also write OUT-sandbox.yaml, to rehearse changes on `orgctl sandbox`.")
@organization_option
@share_option
def import_(
    out: Path,
    kinds: tuple[str, ...],
    unit: str,
    regions: tuple[str, ...],
    fold: bool,
    seed: bool,
    organization: str | None,
    share: float | None,
) -> None:
    """Write the live organization as YAML. Changes nothing in AWS."""
    from controller.importing.command import run

    for kind in kinds:
        _check_scope(kind, unit)
    _check_scope("*", unit)
    done = run(_settings(organization=organization, share=share), out, kinds, unit, regions, fold=fold, seed=seed)
    for line in done.notes:
        click.echo(line, err=True)
    click.echo(f"{_count(done.files, 'file')} written to {out}. Next: orgctl plan {out}")
    sys.exit(DONE if done.whole else ERROR)


@cli.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """What is in force, what is held, what is paused."""
    from controller.past import status_lines
    from controller.revision import remembered

    with _store() as store:
        last = store.history(1)
        told = {
            **remembered(store),
            "last_cycle": last[0] if last else None,
            "holds": [
                {"id": h.id, "why": h.why, "changes": list(h.changes), "names": list(h.names)} for h in store.holds()
            ],
            "stuck": [{"why": why, "names": names} for why, names in store.stuck().items()],
            "pauses": [
                {
                    "kind": p.kind,
                    "unit": p.unit,
                    "until": p.until.isoformat(),
                    "reason": p.reason,
                    "author": p.author,
                    "resume": p.command,
                }
                for p in store.pauses()
            ],
        }
    click.echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(status_lines(told)))


@cli.command()
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@click.option("--writes", is_flag=True, help="The audit trail of single writes instead of cycles.")
@click.option("--json", "as_json", is_flag=True)
def history(limit: int, writes: bool, as_json: bool) -> None:
    """Past cycles, newest first."""
    from controller.past import cycle_line, write_line

    with _store() as store:
        rows = store.writes(limit) if writes else store.history(limit)
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo("Nothing was written yet." if writes else "No cycle yet.")
    for row in [] if as_json else rows:
        click.echo(write_line(row) if writes else cycle_line(row))


@cli.command()
@click.argument("id")
@click.option("--author", default=None, help="Who approves; default: the system user.")
def approve(id: str, author: str | None) -> None:
    """Let exactly what ID stands for through, once, within 24 hours. A held commit's id puts that commit in force."""
    from controller.clock import Clock
    from controller.log import configure
    from controller.planning.describe import printable
    from controller.revision import accept

    configure(level="WARNING")  # what follows says it to people
    clock, who = Clock(), author or _user()
    with _store() as store:
        commit = accept(store, clock, id, who)
        hold = None if commit else store.approve(id, who)
        _wake(store)
    if hold is None:
        click.echo(f"Accepted commit {commit}: it comes into force at the daemon's next look at git.")
        return
    click.echo(f"Approved {hold.id}, for 24 hours and once:")
    for name in hold.names:
        click.echo(f"  {printable(name)}")


@cli.command()
@click.option("--kind", default="*", help="Only this kind of resource (a glob).")
@click.option("--unit", default=None, help="Only what lies in or below this OU path.")
@click.option("--for", "duration", required=True, help="How long: 30m, 2h; 30d at most. It always expires.")
@click.option("--reason", required=True, help="Why: shown wherever the pause is.")
@click.option("--author", default=None, help="Who pauses; default: the system user.")
def pause(kind: str, unit: str | None, duration: str, reason: str, author: str | None) -> None:
    """Stop writes for a while; drift is still shown."""
    from controller.clock import Clock
    from controller.past import second
    from controller.planning.guard import Pause

    length = _pause_length(duration)
    _check_scope(kind, unit)
    if not reason.strip():
        fix = "Whoever finds writes stopped reads it."
        raise InvalidInput([Problem("--reason", 0, 0, "a pause says why", fix)])
    with _store() as store:
        until = Clock().now() + length
        store.pause(Pause(until, reason, author or _user(), kind, unit))
        _wake(store)
    click.echo(f"Paused until {second(until.isoformat())}: kind {kind}, unit {unit or '/'}.")


def _pause_length(text: str) -> timedelta:
    from controller.config import parse_duration

    try:
        length = parse_duration(text)
    except ValueError as error:
        raise InvalidInput([Problem("--for", 0, 0, f"'{text}': {error}")]) from error
    if not timedelta(0) < length <= LONGEST_PAUSE:
        what = f"'{text}': a pause lasts up to {LONGEST_PAUSE.days} days"
        raise InvalidInput([Problem("--for", 0, 0, what, "Observe mode (`mode`, `modes`) has no end.")])
    return length


def _check_scope(kind: str, unit: str | None) -> None:
    """A pause that matches nothing would stop nothing, and nobody would notice."""
    if unknown := _no_kind(kind, "--kind"):
        raise InvalidInput([unknown])
    if unit is not None and not unit.startswith("/"):
        what = f"'{unit}' is not an OU's path"
        raise InvalidInput([Problem("--unit", 0, 0, what, "It begins at the root: /Workloads/Prod.")])


def _no_kind(kind: str, where: str) -> Problem | None:
    """What to say of a glob that no kind matches."""
    from controller.resources.registry import KINDS

    names = [known.name for known in KINDS]
    if any(fnmatchcase(name, kind) for name in names):
        return None
    close = get_close_matches(kind, names, 1)
    fix = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(names)}."
    return Problem(where, 0, 0, f"there is no kind '{kind}'", fix)


@cli.command()
@click.option("--kind", default="*", help="The kind given to pause.")
@click.option("--unit", default=None, help="The unit given to pause.")
def resume(kind: str, unit: str | None) -> None:
    """End pauses: of this scope, or all."""
    with _store() as store:
        ended = store.resume(kind, unit)
        _wake(store)
    click.echo(f"{ended} pause{'' if ended == 1 else 's'} ended.")


@cli.command()
@path_argument
@click.option("--account", required=True, help="Handle, name or id of the account that is called in.")
@click.option("--principal", required=True, help="Who calls: an ARN, role/Name, user/Name, root, permission-set/Name.")
@click.option("--action", required=True, help="What: service:Action.")
@click.option("--resource", help="ARN of what it is about.")
@click.option("--region", help="Where.")
@click.option("--context", multiple=True, metavar="KEY=VALUE", help="A condition key that is known, as aws:SourceIp.")
@click.option("--live", is_flag=True, help="As AWS is now, not as git would have it.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(path: Path, context: tuple[str, ...], style: str, **asked: Any) -> None:
    """Which SCP or RCP, which statement and which line decide about a call. Writes nothing."""
    from controller.explain import Question
    from controller.explain import explain as answer

    question = Question(context=_context(context), **asked)
    estate = _load_if_there(path, question.live)
    with _controller(read_only=True) as controller:
        told = answer(controller.aws.reader(), controller.aws.here, estate, question, controller.settings.instance)
    click.echo(json.dumps(told.to_json(), indent=2, ensure_ascii=False) if style == "json" else "\n".join(told.lines()))


def _context(given: tuple[str, ...]) -> dict[str, str]:
    found = dict(one.partition("=")[::2] for one in given)
    if bad := [key for key, value in found.items() if ":" not in key or not value]:
        raise InvalidInput([Problem("--context", 0, 0, f"'{bad[0]}' is no KEY=VALUE", "As aws:SourceIp=203.0.113.9.")])
    return found


def _load_if_there(path: Path, optional: bool) -> Estate:
    """The directory's estate; nothing at all where it may be missing and is."""
    from controller.desired.estate import Estate

    return Estate() if optional and not path.exists() else _load(path)


@cli.command()
@click.option("--account", help="Who can reach it: its handle, name or id.")
@click.option(
    "--principal", help="Where can they go: a user name or a group's display name; user:… or group:… is exact."
)
@click.option("--orphaned", is_flag=True, help="Everywhere: assignments whose user or group is gone.")
@click.option("--format", "style", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("--live", is_flag=True, help="What AWS says now; lines are those of ./desired-state. The default.")
@click.option("--desired", type=click.Path(path_type=Path), help="What git says, in this directory.")
def access(
    account: str | None, principal: str | None, orphaned: bool, style: str, live: bool, desired: Path | None
) -> None:
    """Who can sign in to an account, or where a person can: by which group, permission set and line."""
    from controller.access import access as find
    from controller.access import to_csv, to_json, to_table
    from controller.planning.describe import printable

    if [account is not None, principal is not None, orphaned].count(True) != 1:
        fix = "Give --account, --principal or --orphaned."
        raise InvalidInput([Problem("access", 0, 0, "it answers one question", fix)])
    if live and desired is not None:
        raise InvalidInput([Problem("access", 0, 0, "--live and --desired are two questions", "Give one of them.")])
    estate = _load_if_there(desired or Path("desired-state"), desired is None)
    with _controller(read_only=True) as controller:
        now, reader = controller.clock.now(), controller.aws.reader()
        rows = find(
            reader,
            estate,
            account=account,
            principal=principal,
            orphaned=orphaned,
            live=desired is None,
            now=now,
        )
    if style == "json":
        click.echo(json.dumps(to_json(rows), indent=2, ensure_ascii=False))
    elif style == "csv":
        click.echo(to_csv(rows), nl=False)
    else:
        nothing = "No assignment is of nobody." if orphaned else "Nobody, nowhere."
        click.echo("\n".join(printable(line) for line in to_table(rows)) if rows else nothing)


@cli.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("schemas"), show_default=True)
def schema(out: Path) -> None:
    """Write the JSON Schemas of the format, for editors."""
    from controller.desired.schema import write
    from controller.sandbox.document import SandboxWorld

    try:
        written = write(out, also=[SandboxWorld])
    except OSError as error:
        raise InvalidInput([Problem("--out", 0, 0, f"{out} cannot be written: {error.strerror}")]) from error
    for file in written:
        click.echo(file)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4599, show_default=True, help="Loopback port; 0: any.")
@click.option("--seed", type=click.Path(path_type=Path, exists=True), help="YAML to start from.")
@click.option("--unowned", is_flag=True, help="Nothing in the seed is orgctl's yet: an organization to adopt.")
def sandbox(port: int, seed: Path | None, unowned: bool) -> None:
    """Serve a simulated AWS organization for anything that honours AWS_ENDPOINT_URL."""
    from controller.sandbox.serve import serve

    try:
        serve(port, seed, unowned=unowned)
    except OSError as error:
        what = f"port {port} cannot be served on: {os.strerror(error.errno or 0)}"
        raise InvalidInput([Problem("--port", 0, 0, what, "Choose another, or stop what uses it.")]) from error


# What commands share


def _settings(**overrides: Any) -> Settings:
    from controller.config import load_settings

    return load_settings(**overrides)


def _check_kinds(settings: Settings) -> None:
    """A guard rail around a kind that there is not would guard nothing, and nobody would notice."""
    said = [(f"settings: modes[{number}].kind", rule.kind) for number, rule in enumerate(settings.modes)]
    for number, name in enumerate(settings.protected):
        kind = name.partition("/")[0]
        if not set(kind) & set("*?["):  # a star may reach beyond the kind
            said.append((f"settings: protected[{number}]", kind))
    if problems := [problem for where, kind in said if (problem := _no_kind(kind, where))]:
        raise InvalidInput(problems)


def _load(path: Path) -> Estate:
    """The directory's estate; warnings go to stderr."""
    from controller.clock import Clock
    from controller.desired.load import load
    from controller.desired.source import directory

    estate = load(directory(path), now=Clock().now(), limits=_settings().policy_limits)
    for warning in estate.warnings:
        click.echo(str(warning), err=True)
    return estate


@contextmanager
def _store(settings: Settings | None = None) -> Iterator[Store]:
    from controller.clock import Clock
    from controller.store import Store

    store = Store((settings or _settings()).state_dir / "orgctl.sqlite3", Clock())
    try:
        yield store
    finally:
        store.close()


def _wake(store: Store) -> None:
    """The daemon that works with this state directory is to begin a cycle at its next poll."""
    from controller.clock import Clock
    from controller.daemon import WOKEN

    store.set(WOKEN, Clock().now().isoformat())


@contextmanager
def _controller(*, read_only: bool, **overrides: Any) -> Iterator[Controller]:
    from controller.aws.connect import connect
    from controller.clock import Clock
    from controller.reconcile import Controller

    settings = _settings(**overrides)
    _check_kinds(settings)
    clock = Clock()
    with _store(settings) as store:
        controller = Controller(
            settings,
            clock,
            store,
            lambda observer: connect(settings, clock, read_only=read_only, observer=observer),
            progress=_progress(),
        )
        try:
            yield controller
        finally:
            controller.close()


def _progress() -> Callable[[Outcome], None]:
    from controller.planning.describe import printable

    def show(outcome: Outcome) -> None:
        change = outcome.change
        line = f"{outcome.result:8} {change.action:7} {change.kind} {change.name}  {outcome.detail}"
        click.echo(printable(line).rstrip(), err=True)

    return show


def _ask(controller: Controller, estate: Estate, plan_id: str | None) -> str:
    """Show the plan, ask, and return the id of what was agreed to."""
    plan = controller.plan(estate).plan
    _show(plan, "text", verbose=False)
    if plan_id is not None and plan.plan_id != plan_id:
        return plan_id  # the cycle refuses it, and says why
    if plan.free:
        click.confirm(f"Apply {_count(len(plan.free), 'change')} to {plan.organization_id}?", abort=True)
    return plan.plan_id


def _write_plan(plan: Plan, out: Path) -> None:
    from controller.planning.render import to_json

    try:
        out.write_text(json.dumps(to_json(plan), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput([Problem("--out", 0, 0, f"{out} cannot be written: {error.strerror}")]) from error


def _read_plan_id(file: Path) -> str:
    try:
        if file.is_file():  # no device, which might never end
            match json.loads(file.read_text(encoding="utf-8")):
                case {"plan_id": str(plan_id)}:
                    return plan_id
    except (OSError, ValueError, RecursionError):
        pass
    raise InvalidInput(
        [Problem(str(file), 0, 0, "not a plan that `orgctl plan --out` wrote", "Plan again with --out.")]
    )


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _show(plan: Plan, style: str, verbose: bool) -> None:
    from controller.planning.markdown import to_markdown
    from controller.planning.render import to_json
    from controller.planning.text import print_plan

    if style == "json":
        click.echo(json.dumps(to_json(plan), indent=2, ensure_ascii=False))
    elif style == "markdown":
        click.echo(to_markdown(plan))
    else:
        print_plan(plan, _console(), verbose=verbose)


def _show_result(report: Report) -> None:
    from controller.planning.describe import printable

    told = ", ".join(f"{count} {result}" for result, count in sorted(report.results.items()))
    rest = "AWS is still at work" if report.plan.aws_at_work else "nothing to do"
    click.echo(f"{report.result.capitalize()}: {told or rest}.")
    for why, count in report.plan.waiting.items():
        click.echo(printable(f"{count} shown, not written: {why}"), err=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plan_exit(plan: Plan) -> int:
    if plan.incomplete:
        return ERROR
    if plan.held:
        return HELD
    return PENDING if plan.changes or plan.aws_at_work else DONE


def _report_exit(report: Report) -> int:
    from controller.report import CycleResult

    return {
        CycleResult.ERROR: ERROR,
        CycleResult.INCOMPLETE: ERROR,
        CycleResult.HELD: HELD,
        CycleResult.PENDING: PENDING,
        CycleResult.CONVERGED: DONE,
    }[report.result]


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user: a container with an arbitrary uid
        return "unknown"
