"""``hookci forget`` and ``hookci verify-memory``."""

from __future__ import annotations

import sys
from random import SystemRandom
from typing import TYPE_CHECKING

import click

from hookci import upkeep
from hookci.cli.completion import complete_jobs, complete_revisions
from hookci.cli.screen import ColorSetting, screen
from hookci.cli.surroundings import interrupts, read_machine, write_out
from hookci.executing import RunOptions
from hookci.flow import Request
from hookci.model.snapshot import HookName
from hookci.model.text import plain
from hookci.report.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.verifying import Verified

__all__ = ["forget", "verify_memory"]

_SAMPLE = 5


@click.command()
@click.argument("job", required=False, shell_complete=complete_jobs)
def forget(job: str | None) -> None:
    """Forget that JOB has passed (all jobs without JOB), and every verdict; caches stay."""
    count = upkeep.forget(read_machine(), job)
    click.echo(f"forgot {count} pass{'es' if count != 1 else ''}")


@click.command("verify-memory")
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_jobs)
@click.option(
    "--sample", type=click.IntRange(min=1), default=None, help=f"How many jobs, at random. Default: {_SAMPLE}."
)
@click.option("--all", "everything", is_flag=True, help="All jobs that are remembered.")
@click.option(
    "--rev", default="HEAD", metavar="REV", help="The commit. Default: HEAD.", shell_complete=complete_revisions
)
@click.option(
    "--hook",
    type=click.Choice([HookName.PRE_COMMIT.value, HookName.PRE_MERGE_COMMIT.value, HookName.PRE_PUSH.value]),
    default=HookName.PRE_PUSH.value,
    help="On whose behalf: what that hook asks for, and what rules see. Default: pre-push.",
)
@click.option("--parallel", "-j", type=click.IntRange(min=1), default=None, help="How many jobs run at once.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def verify_memory(
    jobs: tuple[str, ...],
    sample: int | None,
    everything: bool,
    rev: str,
    hook: str,
    parallel: int | None,
    color: ColorSetting,
) -> int:
    """Run jobs again that are remembered, and say which of them would not pass now.

    A few at random, or all, or the JOBs named.  What fails now is forgotten.
    """
    from hookci import verifying  # noqa: PLC0415 (only this command)

    if everything and sample:
        raise click.UsageError("--all and --sample exclude each other")
    most = None if everything or (jobs and not sample) else sample or _SAMPLE

    def choose(names: Sequence[str]) -> Sequence[str]:
        return names if most is None or most >= len(names) else SystemRandom().sample(names, most)

    request = Request(hook=hook, revision=rev, options=RunOptions(parallel=parallel))
    with interrupts() as stop, screen(sys.stdout, color=color, hook=hook) as tell:
        done = verifying.verify_memory(read_machine(), request, jobs, choose, tell, stop)
    if done.result is not None and done.exit_status:
        tell.summary(done.result)
    write_out(sys.stdout, "".join(f"hookci: {line}\n" for line in _told(done)))
    return done.exit_status


def _told(done: Verified) -> list[str]:
    if done.result is None:
        return ["nothing of this is remembered, so there is nothing to verify"]
    agreeing, disagreeing = len(done.agreeing), done.disagreeing
    count = counted(len(done.remembered), "remembered job")
    lines = [f"of {count}, {agreeing + len(disagreeing)} ran again: {agreeing} passed, {len(disagreeing)} did not"]
    for job in disagreeing:
        run = done.remembered[job.name]
        lines.append(f"`{plain(job.name)}` passed in run {run} and does not pass on the same now: it is forgotten")
    if disagreeing:
        lines.append("it depends on something that no key holds, or on chance; `memory = false` or `max_age` say so")
    return lines
