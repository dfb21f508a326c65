"""``hookci.toml`` as a workflow of GitHub Actions whose jobs call hookci.

Source of every word: GitHub Docs, "Workflow syntax for GitHub Actions" and "Expressions".
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from hookci.errors import UsageError
from hookci.exporting.conditions import UnsayableError, condition_of, refuse_waiting, rules_on_a_push
from hookci.exporting.hosted import (
    CELL,
    INSTALL,
    as_yaml,
    check_exported,
    heading,
    hosted_jobs,
    minutes,
    needed,
    needs_builder,
    on_a_push,
)
from hookci.model.expression import And, Comparison, Literal, Not, Or, Truth, Variable
from hookci.model.pipeline import CachePolicy, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hookci.exporting.conditions import Condition
    from hookci.exporting.hosted import HostedJob
    from hookci.model.expression import Operand
    from hookci.model.pipeline import Cache, Job, Pipeline, Rule

__all__ = ["github_file"]

_BRANCH = "${{ github.ref_type == 'branch' && github.ref_name || '' }}"
_TAG = "${{ github.ref_type == 'tag' && github.ref_name || '' }}"
_CHECKOUT = {"uses": "actions/checkout@v4", "with": {"fetch-depth": 0}}
_TAR = "hookci-artifacts.tar"
_FACTS = {
    "CI_COMMIT_BRANCH": "env.CI_COMMIT_BRANCH",
    "CI_COMMIT_TAG": "env.CI_COMMIT_TAG",
    "CI_COMMIT_SHA": "github.sha",
    "CI_COMMIT_REF_NAME": "github.ref_name",
    "CI_DEFAULT_BRANCH": "github.event.repository.default_branch",
}
# `if` of a job sees no `env`
_IN_IF = {
    "env.CI_COMMIT_BRANCH": "(github.ref_type == 'branch' && github.ref_name || '')",
    "env.CI_COMMIT_TAG": "(github.ref_type == 'tag' && github.ref_name || '')",
}


def github_file(pipeline: Pipeline) -> str:
    """The text of a ``.github/workflows/hookci.yml`` for ``pipeline``; the same text for the same pipeline.

    A job that a push does not ask for, or that waits for a person, starts when the workflow is started by hand with
    its name.  Rules that GitHub has no words for are left to hookci, which then runs nothing when none holds.

    Raises:
        UsageError: the pipeline is none of ours.
    """
    check_exported(pipeline, "GitHub")
    asked = on_a_push(pipeline).jobs
    hosted = hosted_jobs(pipeline, lambda job: _body(job, asked=job.name in asked))
    ids = _ids(hosted)
    by_hand = [name for name, one in hosted.items() if "inputs.job" in one.body["if"]]
    dispatch = {"inputs": {"job": {"description": "A job that waits for a person.", "type": "choice", "options": ["", *by_hand]}}}  # fmt: skip  # noqa: E501
    document = {
        "name": "hookci",
        "on": {"push": None, "workflow_dispatch": dispatch if by_hand else None},
        "permissions": {"contents": "read"},
        "env": {"CI_COMMIT_BRANCH": _BRANCH, "CI_COMMIT_TAG": _TAG, "CI_COMMIT_REF_NAME": "${{ github.ref_name }}"},
        "jobs": {ids[name]: _job(pipeline, hosted, ids, one) for name, one in hosted.items()},
    }
    return heading("github", pipeline) + "\n" + as_yaml(document)


def _ids(names: Iterable[str]) -> dict[str, str]:
    """For each job an id as GitHub has them: letters, digits, ``-`` and ``_``."""
    ids: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "job"
        stem = stem if re.match(r"[A-Za-z_]", stem) else f"_{stem}"
        one, number = stem, 2
        while one in ids.values():
            one, number = f"{stem}-{number}", number + 1
        ids[name] = one
    return ids


def _job(pipeline: Pipeline, hosted: Mapping[str, HostedJob], ids: Mapping[str, str], one: HostedJob) -> dict[str, Any]:
    job = one.job
    said: dict[str, Any] = {"name": one.name, "runs-on": "ubuntu-latest"}
    if one.cells:
        said["name"] = f"{one.name}: [${{{{ matrix.cell }}}}]"
        said["strategy"] = {"fail-fast": False, "matrix": {"cell": list(one.cells)}}
        said["env"] = {CELL: "${{ matrix.cell }}"}
    before = list(dict.fromkeys(_before(pipeline, hosted, job)))
    if before:
        said["needs"] = [ids[name] for name in before]
    said.update((key, value) for key, value in one.body.items() if key != "steps")
    said["steps"] = list(_steps(one, [ids[name] for name in _givers(pipeline, hosted, job)], ids[one.name]))
    return said


def _before(pipeline: Pipeline, hosted: Mapping[str, HostedJob], job: Job) -> Iterator[str]:
    """The hosted jobs that must be over first; GitHub knows no stages."""
    if job.needs is not None:
        yield from (other.name for _need, other, _cell in needed(pipeline, hosted, job))
        return
    place = pipeline.stages.index(job.stage)
    for name, other in hosted.items():
        # one that waits for a person holds up no stage
        if pipeline.stages.index(other.job.stage) < place and "inputs.job" not in other.body["if"]:
            yield name


def _givers(pipeline: Pipeline, hosted: Mapping[str, HostedJob], job: Job) -> list[str]:
    if job.needs is None:
        names = _before(pipeline, hosted, job)
    else:
        names = (other.name for need, other, _cell in needed(pipeline, hosted, job) if need.artifacts)
    return [name for name in dict.fromkeys(names) if hosted[name].job.artifacts.paths]


def _body(job: Job, *, asked: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"if": _if(job, asked=asked), "timeout-minutes": minutes(job)}
    if job.allow_failure.allowed and not job.allow_failure.exit_codes:
        said["continue-on-error"] = True
    if job.resource_group is not None:
        said["concurrency"] = {"group": job.resource_group, "cancel-in-progress": False}
    _check_containers(job)
    if job.image is not None and not needs_builder(job):
        said["container"] = {"image": job.image.name, "options": f"--user {job.image.user or 'root'}"}
    if job.services and not needs_builder(job):
        said["services"] = {
            (service.aliases or (f"service-{number}",))[0]: {
                "image": service.image.name,
                **({"env": dict(service.variables)} if service.variables else {}),
            }
            for number, service in enumerate(job.services)
        }
    return said


def _check_containers(job: Job) -> None:
    images = [image for image in (job.image, *(service.image for service in job.services)) if image is not None]
    if any(image.entrypoint is not None for image in images) or any(one.command is not None for one in job.services):
        message = f"job `{job.name}`: GitHub starts no container with an entrypoint or a command of its own"
        raise UsageError(message, "make an image that starts with it")


# -- when it runs


def _if(job: Job, *, asked: bool) -> str:
    by_hand = f"inputs.job == {_quoted(job.group)}"
    if not asked:
        return _usually(by_hand)
    rules = rules_on_a_push(job)
    if rules is None:
        return _starts(job.when, by_hand)
    try:
        return _of_rules(rules, job, by_hand)
    except UnsayableError as error:
        refuse_waiting(job, "GitHub", error)
        return _usually()


def _usually(condition: str = "") -> str:
    # a job whose needs were left out runs all the same, as without GitHub
    return "!failure() && !cancelled()" + (f" && {condition}" if condition else "")


def _starts(when: When, by_hand: str, condition: str = "") -> str:
    rest = f" && {condition}" if condition else ""
    return {
        When.ON_FAILURE: f"failure(){rest}",
        When.ALWAYS: f"!cancelled(){rest}",
        When.MANUAL: _usually(by_hand) + rest,
        When.NEVER: "false",
    }.get(when, _usually(condition))


def _of_rules(rules: tuple[Rule, ...], job: Job, by_hand: str) -> str:
    """One expression for a list of rules: a rule decides when it holds and none before it does."""
    found: list[str] = []
    before: list[str] = []
    for rule in rules:
        if rule.changes or rule.exists:
            raise UnsayableError("paths")
        condition = condition_of(rule, job.variables)
        holds = "" if condition is None else f"({_github(condition)})"
        when = rule.when or job.when
        if when is not When.NEVER:
            found.append(_starts(when, by_hand, " && ".join(filter(None, [*before, holds]))))
        if not holds:
            break
        before.append(f"!{holds}")
    return " || ".join(f"({one})" for one in found) if len(found) > 1 else "".join(found) or "false"


def _github(condition: Condition) -> str:
    match condition:
        case And(left, right):
            return f"({_github(left)} && {_github(right)})"
        case Or(left, right):
            return f"({_github(left)} || {_github(right)})"
        case Truth(operand):
            return f"{_operand(operand)} != ''"
        case Not(operand):
            return f"{_operand(operand)} == ''"
        case Comparison(one, other, negated):
            return f"{_operand(one)} {'!=' if negated else '=='} {_operand(other)}"
        case _:
            raise UnsayableError("a regular expression")


def _operand(operand: Operand) -> str:
    if isinstance(operand, Literal):
        return _quoted(str(operand.value).lower() if isinstance(operand.value, bool) else operand.value or "")
    if not isinstance(operand, Variable):
        raise UnsayableError("a condition that is compared")
    if operand.name not in _FACTS:
        raise UnsayableError(f"${operand.name}")
    fact = _FACTS[operand.name]
    return _IN_IF.get(fact, fact)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# -- its steps


def _steps(one: HostedJob, givers: list[str], own_id: str) -> Iterator[dict[str, Any]]:
    job = one.job
    yield _CHECKOUT
    for cache in job.cache:
        if cache.policy is not CachePolicy.PUSH:
            yield _cached("actions/cache" if cache.policy is CachePolicy.PULL_PUSH else "actions/cache/restore", cache)
    for giver in givers:
        pattern = {"pattern": f"{giver}-*", "path": ".hookci-given"}
        yield {"uses": "actions/download-artifact@v4", "with": pattern}
    if givers:
        yield {"run": f'for given in .hookci-given/*/{_TAR}; do tar -xf "$given"; done; rm -rf .hookci-given'}
    yield {"run": INSTALL}
    yield {"run": one.command}
    for cache in job.cache:
        if cache.policy is CachePolicy.PUSH:
            yield _cached("actions/cache/save", cache)
    if job.artifacts.paths:
        yield from _handed_on(job, own_id)


def _cached(action: str, cache: Cache) -> dict[str, Any]:
    files = ", ".join(_quoted(name) for name in cache.key_files)
    digest = f"-${{{{ hashFiles({files}) }}}}" if files else ""
    key = re.sub(r"\$\{?(\w+)\}?", _fact, cache.key)
    return {"uses": f"{action}@v4", "with": {"key": f"{key}{digest}", "path": "\n".join(cache.paths)}}


def _fact(found: re.Match[str]) -> str:
    name = "CI_COMMIT_REF_NAME" if found[1] == "CI_COMMIT_REF_SLUG" else found[1]
    return f"${{{{ {_FACTS[name]} }}}}" if name in _FACTS else f"${{{{ env.{name} }}}}"


def _handed_on(job: Job, own_id: str) -> Iterator[dict[str, Any]]:
    """As one archive, since what uploads files keeps neither their modes nor the directories above them."""
    ends = {When.ON_SUCCESS: {}, When.ON_FAILURE: {"if": "failure()"}, When.ALWAYS: {"if": "always()"}}
    paths = " ".join(_for_bash(path) for path in job.artifacts.paths)
    excluded = " ".join(f"--exclude={shlex.quote(path.replace('**', '*'))}" for path in job.artifacts.exclude)
    listed = f"""for one in {paths}; do [ ! -e "$one" ] || printf '%s\\0' "$one"; done"""
    yield {
        **ends[job.artifacts.when],
        "shell": "bash -O globstar -O dotglob -O nullglob -e {0}",
        "run": " ".join(f"{listed} | tar -cf {_TAR} {excluded} --null --files-from -".split()),
    }
    name = f"{own_id}-${{{{ strategy.job-index || 0 }}}}"
    yield {**ends[job.artifacts.when], "uses": "actions/upload-artifact@v4", "with": {"name": name, "path": _TAR}}


def _for_bash(path: str) -> str:
    """A glob as bash writes it; a directory stands for all in it, to tar too."""
    return re.sub(r"[^\w./*?\[\]{},!@+-]", lambda found: f"\\{found[0]}", path)
