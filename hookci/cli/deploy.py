"""``hookci deploy``, ``rollback``, ``releases`` and ``unlock``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hookci import deploying, standing
from hookci.cli.completion import complete_environments, complete_releases, complete_revisions
from hookci.cli.permission import Asking
from hookci.cli.screen import ColorSetting, Screen, screen
from hookci.cli.surroundings import interrupts, read_machine, write_out
from hookci.deploying import DeployRequest
from hookci.errors import RolledBackError, StuckError
from hookci.model.event import RunFinished, RunStarted
from hookci.model.release import DeploymentState
from hookci.model.snapshot import HookName
from hookci.report.deployments import live_words, render_releases
from hookci.report.lines import LineReporter
from hookci.report.machine import Recorder, as_json
from hookci.report.terminal import wants_color

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.deploying import Outcome
    from hookci.execute.schedule import Interrupts
    from hookci.model.event import Event, Observer
    from hookci.session import Machine

    Action = Callable[[Machine, DeployRequest, Observer, Interrupts, Asking], Outcome]

__all__ = ["Progress", "deploy", "releases", "rollback", "unlock"]

_environment = click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environments)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
_wait = click.option("--wait", is_flag=True, help="While somebody else is deploying there, wait.")
_local = click.option("--local", is_flag=True, help="Leave the remote out of it: no lock there, and no tag yet.")
_json = click.option(
    "--json",
    "document",
    is_flag=True,
    help="Write a JSON document (`hookci schema deploy` describes it); progress goes to the standard error.",
)
_color = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)


@click.command()
@_environment
@click.argument("revision", required=False, metavar="[REV]", shell_complete=complete_revisions)
@_dry_run
@click.option("--resume", is_flag=True, help="Do again, or finish, what was interrupted.")
@click.option("--abort", is_flag=True, help="Put back what was live before the deployment that was interrupted.")
@_wait
@_local
@click.option("--irreversible", is_flag=True, help="Mark the release: nothing goes back behind it without being asked.")
@_json
@_color
def deploy(
    environment: str | None,
    revision: str | None,
    dry_run: bool,
    resume: bool,
    abort: bool,
    wait: bool,
    local: bool,
    irreversible: bool,
    document: bool,
    color: ColorSetting,
) -> None:
    """Make a commit live on ENV, once it is green, and check that it works; what was live comes back if it does not.

    Without ENV: the only environment that comes after no other. Without REV: the tip of its branch, or what the
    environment before has verified.
    """
    if resume and abort:
        raise click.UsageError("--resume and --abort exclude each other")
    if (resume or abort) and (dry_run or revision):
        raise click.UsageError("--resume and --abort take what was interrupted: no REV, no --dry-run")
    request = DeployRequest(
        environment=environment,
        revision=revision,
        dry_run=dry_run,
        resume=resume,
        abort=abort,
        wait=wait,
        local=local,
        irreversible=irreversible,
    )
    _act(deploying.deploy, request, color, document=document)


@click.command()
@_environment
@click.option(
    "--to",
    "number",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="The release to go back to. Default: the one before what is live.",
    shell_complete=complete_releases,
)
@_dry_run
@_wait
@_local
@click.option("--irreversible", is_flag=True, help="Go back behind releases that are marked irreversible, too.")
@_json
@_color
def rollback(
    environment: str | None,
    number: int | None,
    dry_run: bool,
    wait: bool,
    local: bool,
    irreversible: bool,
    document: bool,
    color: ColorSetting,
) -> None:
    """Make an older release of ENV live again, as a new one, by the same path and with the same checks."""
    request = DeployRequest(environment=environment, dry_run=dry_run, wait=wait, local=local, irreversible=irreversible)

    def back(machine: Machine, request: DeployRequest, tell: Observer, stop: Interrupts, asking: Asking) -> Outcome:
        return deploying.rollback(machine, request, number, tell, stop, asking)

    _act(back, request, color, document=document)


def _act(action: Action, request: DeployRequest, color: ColorSetting, *, document: bool) -> None:
    """Deploy, and say what came of it."""
    machine = read_machine()
    begun = machine.clock()
    stream = sys.stderr if document else sys.stdout
    recorder = Recorder(machine.clock)
    with interrupts() as stop, screen(stream, color=color, hook=HookName.PRE_PUSH) as shown:
        lines = LineReporter(stream, color=wants_color(color, is_tty=stream.isatty(), env=os.environ))
        try:
            outcome = action(machine, request, Progress(shown, lines, recorder), stop, Asking())
        except (RolledBackError, StuckError):
            # this one is told now; what happened elsewhere meanwhile is not
            standing.mark_told(machine, request.environment, since=begun)
            raise
    if not request.dry_run:
        standing.mark_told(machine, outcome.environment.name)
    live = outcome.live
    titles = standing.commit_titles(machine, [live.commit] if live else [])
    write_out(stream, "".join(f"{line}\n" for line in _ending(outcome, titles.get(live.commit, "") if live else "")))
    if document:
        from hookci.report.machine_deploy import deploy_document  # noqa: PLC0415 (only programs need it)

        name, notices = outcome.environment.name, recorder.notices
        made = deploy_document(name, live, outcome.deployment, titles, plan=outcome.plan, notices=notices)
        write_out(sys.stdout, as_json(made))


class Progress:
    """Shows a deployment: its pipeline as any run is shown, everything else as lines."""

    def __init__(self, run: Screen, lines: Observer, recorder: Observer) -> None:
        self._run = run
        self._lines = lines
        self._recorder = recorder
        self._is_running = False

    def __call__(self, event: Event) -> None:
        """Show one event."""
        self._recorder(event)
        self._is_running = self._is_running or isinstance(event, RunStarted)
        (self._run if self._is_running else self._lines)(event)
        if isinstance(event, RunFinished):
            self._is_running = False
            self._run.summary(event.result)


def _ending(outcome: Outcome, title: str) -> tuple[str, ...]:
    if outcome.plan:
        return outcome.plan
    name, live, attempt = outcome.environment.name, outcome.live, outcome.deployment
    if live is None:
        return (f"{name}: nothing to do",)
    if attempt is None:
        return (f"{name}: nothing to do: release {live.number} is live already, {live.commit[:8]} {title}".rstrip(),)
    return (live_words(live, title),)


@click.command()
@_environment
@click.option("--all", "everything", is_flag=True, help="Also the attempts of this clone that became no release.")
@click.option("--json", "document", is_flag=True, help="Write a JSON document: `hookci schema releases` describes it.")
@_color
def releases(environment: str | None, everything: bool, document: bool, color: ColorSetting) -> None:
    """List what was live on ENV (on all without ENV), newest first, and when, how and by whom it was deployed."""
    machine = read_machine()
    released = deploying.known_releases(machine, environment)
    known = standing.known_attempts(machine, environment) if everything else []
    attempts = [one for one in known if one.state is not DeploymentState.HEALTHY]
    commits = [*(one.commit for one in released), *(one.commit for one in attempts)]
    titles = standing.commit_titles(machine, commits)
    if document:
        from hookci.report.machine_deploy import releases_document  # noqa: PLC0415 (only programs need it)

        write_out(sys.stdout, as_json(releases_document(released, attempts, titles)))
        return
    if environment and not released and not attempts:
        click.echo(f"no releases of {environment} yet")
        return
    colored = wants_color(color, is_tty=sys.stdout.isatty(), env=os.environ)
    write_out(sys.stdout, render_releases(released, attempts, titles, now=machine.clock(), color=colored))


@click.command()
@click.argument("environment", metavar="ENV", shell_complete=complete_environments)
@click.option(
    "--steal", is_flag=True, help="Take the lock from its owner, who is gone: what they still do will not count."
)
def unlock(environment: str, steal: bool) -> None:
    """Show who holds the lock of ENV on the remote, or take it away.

    A lock on this machine ends with the process that holds it.
    """
    tell = LineReporter(sys.stderr, color=wants_color("auto", is_tty=sys.stderr.isatty(), env=os.environ))
    click.echo(deploying.unlock(read_machine(), environment, steal=steal, tell=tell))
