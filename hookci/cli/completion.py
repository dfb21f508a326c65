"""``hookci completion``, and what is completed: nothing of it ever shows an error on the terminal."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from hookci.cli.surroundings import read_machine
from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    from hookci.model.pipeline import Pipeline

    Found = Callable[[click.Context], Iterable[tuple[str, str | None]]]
    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

__all__ = [
    "complete_asked",
    "complete_environments",
    "complete_jobs",
    "complete_jobs_of_run",
    "complete_releases",
    "complete_requests",
    "complete_revisions",
    "complete_runs",
    "completion",
]

_LISTED_RUNS = 30

# What every shell takes without quotes; click's scripts cannot quote, and split at commas.
_WORD = pattern(r"[\w@%+=:./-]+")


def _quiet(find: Found) -> Complete:
    """A completion of the names (with a word about each) that ``find`` knows; none when anything goes wrong."""

    @functools.wraps(find)
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 (only to complete a line)

        try:
            found = list(find(ctx))
        except Exception:  # noqa: BLE001 (whatever is wrong, a command will say; a half-typed line is not the place)
            return []
        return [
            CompletionItem(name, help=about)
            for name, about in found
            if name.startswith(incomplete) and _WORD.fullmatch(name)
        ]

    return complete


def _pipeline() -> Pipeline:
    from hookci.upkeep import read_config  # noqa: PLC0415 (only to complete a line)

    return read_config(read_machine())


@_quiet
def complete_asked(_ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The stages and jobs of the config in the work tree."""
    pipeline = _pipeline()
    jobs = {job.group: job.stage for job in pipeline.jobs.values()}
    for stage in pipeline.stages:
        if stage in jobs.values():
            yield stage, "stage"
    for job, stage in jobs.items():
        yield f"job:{job}" if job in pipeline.stages else job, f"job of {stage}"


@_quiet
def complete_jobs(_ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The jobs of the config in the work tree."""
    pipeline = _pipeline()
    return dict.fromkeys((job.group, None) for job in pipeline.jobs.values())


@_quiet
def complete_revisions(_ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """Branches and tags."""
    from hookci.upkeep import revisions  # noqa: PLC0415 (as above)

    return ((name, None) for name in ["HEAD", *revisions(read_machine())])


@_quiet
def complete_runs(_ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The last runs."""
    from hookci.upkeep import runs  # noqa: PLC0415 (as above)

    for row in runs(read_machine(), _LISTED_RUNS):
        yield str(row.number), f"{row.verdict or 'running'}, {row.hook}"


@_quiet
def complete_jobs_of_run(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The jobs of the run that is named on the line."""
    from hookci.upkeep import run_record  # noqa: PLC0415 (as above)

    _record, jobs = run_record(read_machine(), ctx.params["run"])
    return ((job.result.name, job.result.outcome.value) for job in jobs)


@_quiet
def complete_environments(_ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The environments of the config in the work tree."""
    found = _pipeline().environments
    return ((name, f"after {one.after}" if one.after else f"from {one.branch}") for name, one in found.items())


@_quiet
def complete_releases(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The releases of the environment that is named on the line, newest first."""
    from hookci import deploying  # noqa: PLC0415 (dear, and no other completion needs it)

    released = deploying.known_releases(read_machine(), ctx.params.get("environment"))
    return ((str(one.number), f"{one.environment} {one.commit[:8]}") for one in released)


@_quiet
def complete_requests(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The requests for approval that wait, for the environment that is named on the line."""
    from hookci import standing  # noqa: PLC0415 (as above)

    for status in standing.environments(read_machine(), look=False):
        if ctx.params.get("environment") in {None, status.name}:
            yield from ((one.id, f"{status.name} {one.commit[:8]}") for one in status.waiting if not one.approver)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that makes a shell complete commands, stages, jobs, environments, branches, tags, runs, releases.

    For bash, put this into ~/.bashrc (for zsh, into ~/.zshrc below compinit): `eval "$(hookci completion bash)"`;
    for fish, into ~/.config/fish/config.fish: `hookci completion fish | source`.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 (as above)

    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover (click knows all three)
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "hookci", "_HOOKCI_COMPLETE").source(), nl=False)
