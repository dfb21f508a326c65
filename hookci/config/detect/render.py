"""The text of a new ``hookci.toml``."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hookci.config.detect.parts import CacheDraft, JobDraft, Line, Part

__all__ = ["quote", "render"]

_WIDTH = 100

_HEAD = """\
# What has to be green before a push leaves this machine. hookci runs these jobs in a clean checkout
# of exactly what is sent: no untracked file and none of your environment but HOME, PATH and the like.

# [defaults]
# timeout = "15m"                # a job is stopped after this time (1h if nothing is said)
# pass_env = ["DATABASE_URL"]    # what jobs may see of your environment beside that
"""

_FOOT = """\
# [hooks]
# pre-commit = ["secrets"]       # on every commit as well; before a push all jobs run anyway

# [environments.staging]         # what to do when main has moved and is green
# branch = "main"
# deploy = "on-merge"
# script = ["./deploy.sh staging"]
# health = [{ command = "./smoke.sh", within = "60s" }]
"""


def quote(text: str) -> str:
    """``text`` as a TOML string, in the form that needs the least escaping."""
    if not re.search(r'["\\\x00-\x1f\x7f]', text):
        return f'"{text}"'
    if not re.search(r"[\x00-\x1f\x7f]", text):
        if "'" not in text:
            return f"'{text}'"
        if "'''" not in text and not text.endswith("'"):
            return f"'''{text}'''"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(_CONTROL, lambda match: rf"\u{ord(match[0]):04x}", escaped) + '"'


_CONTROL = r"[\x00-\x1f\x7f]"


def render(parts: Sequence[Part], scans: Iterable[JobDraft]) -> str:
    """The whole file: what runs first, suggestions last."""
    blocks = [_HEAD, *(_job(job) for part in parts for job in part.jobs), *map(_job, scans)]
    blocks += [_commented(text) for part in parts for text in part.comments]
    return "\n".join([*blocks, _FOOT])


def _commented(text: str) -> str:
    lines = [
        line
        for given in text.split("\n")
        for line in textwrap.wrap(given, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    ]
    return "".join(f"# {line}\n" for line in lines)


def _job(job: JobDraft) -> str:
    work = [f"scan = {job.scan}"] if job.scan else _script(job.script)
    lines = [f"[jobs.{job.name}]", f'stage = "{job.stage}"', *work]
    if job.variables:
        pairs = ", ".join(f"{name} = {quote(value)}" for name, value in job.variables.items())
        lines.append(f"variables = {{ {pairs} }}")
    if job.pass_env:
        lines.append(f"pass_env = {_array(job.pass_env)}")
    if job.cache:
        lines += _cache(job.cache)
    if job.allow_failure:
        lines.append(f"allow_failure = true  # {job.allow_failure}")
    lines += [f"# {hint}" for hint in job.hints]
    return "".join(map(_commented, job.comments)) + "".join(f"{line}\n" for line in lines)


def _cache(cache: CacheDraft) -> list[str]:
    key = f"key.files = {_array(cache.files)}, " if cache.files else ""
    line = f"cache = [{{ {key}paths = {_array(cache.paths)} }}]"
    until = {0: "for the next run", 1: "until this changes"}.get(len(cache.files), "until one of these changes")
    return [f"{line}  # kept {until}"] if len(line) < _WIDTH - 15 else [f"# kept {until}", line]


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quote, values))}]"


def _script(script: Sequence[Line]) -> Iterator[str]:
    if len(script) == 1 and not script[0].note:
        yield f"script = [{quote(script[0].command)}]"
        return
    yield "script = ["
    for line in script:
        yield f"  {quote(line.command)},{f'  # {line.note}' if line.note else ''}"
    yield "]"
