"""From a ``.gitlab-ci.yml``, with all that it includes, to a pipeline, or to every problem there is.

Source: GitLab CI/CD YAML reference, "stages", "default", "workflow", "variables".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.gitlab.checks import check_jobs
from hookci.config.gitlab.composed import compose
from hookci.config.gitlab.defaults import INHERITED, check_defaults
from hookci.config.gitlab.jobs import Shared, read_job
from hookci.config.gitlab.keywords import WITHOUT_EFFECT
from hookci.config.gitlab.ledger import Ledger
from hookci.config.gitlab.rules import read_rules
from hookci.config.gitlab.shapes import table, text, texts
from hookci.config.gitlab.trigger import Descent
from hookci.config.gitlab.variables import Variables, read_variables
from hookci.errors import ConfigError, ConfigProblem
from hookci.model.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.composed import Composed
    from hookci.config.surroundings import Surroundings
    from hookci.config.words import Path
    from hookci.model.environment import Environment
    from hookci.model.pipeline import Job, Rule

__all__ = ["read_gitlab"]

_GLOBAL = ("default", "include", "spec", "stages", "variables", "workflow", "$schema")
_TOP_LEVEL_DEFAULTS = ("image", "services", "before_script", "after_script", "cache")
_STAGES = ("build", "test", "deploy")
_FIRST, _LAST = ".pre", ".post"


def read_gitlab(source: str, surroundings: Surroundings) -> Pipeline:
    """The pipeline that starts in the file ``source`` of the tree.

    The variables that a person asked for are those of every job, and win over all that a file says.

    Args:
        source: a path from the repository's root.
        surroundings: the tree, and what is known of where it came from.

    Raises:
        ConfigError: with every problem, in all files; each names its file, line and key path.
    """
    return _read(compose(source, surroundings), surroundings, 0)


def _read(composed: Composed, surroundings: Surroundings, depth: int) -> Pipeline:
    ledger = Ledger()
    descent = Descent(composed, surroundings, depth, _read)
    pipeline = _pipeline(composed.values, descent, ledger)
    composed.problems += ledger.problems
    problems = (*composed.errors(), *ledger.foreign)
    if problems:
        below = (ConfigProblem(flaw.where, flaw.message, flaw.hint) for flaw in pipeline.flaws)
        raise ConfigError(composed.source, tuple(dict.fromkeys((*problems, *below))))
    return _with_children(pipeline, ledger, composed)


def _pipeline(document: Mapping[str, object], descent: Descent, ledger: Ledger) -> Pipeline:
    variables = _variables(document, ledger)
    name, workflow = _workflow(document.get("workflow"), ledger)
    ends_together = _auto_cancel(document.get("workflow"), ledger)
    defaults, places = _defaults(document, ledger)
    stages = _stages(document.get("stages"), ledger)
    shared = Shared(
        defaults=defaults,
        places=places,
        variables=variables,
        workflow_names=frozenset(name for rule in workflow or () for name in rule.variables),
        in_any=workflow is not None,
        descent=descent,
    )
    written = {key: value for key, value in document.items() if key not in {*_GLOBAL, *_TOP_LEVEL_DEFAULTS}}
    jobs: dict[str, Job] = {}
    for key, value in written.items():
        jobs.update({job.name: job for job in read_job(key, value, shared, ledger)})
    if not written:
        ledger.problem((), "jobs config should contain at least one visible job")
    check_jobs(jobs, written, stages, ledger)
    return Pipeline(
        source=descent.composed.source,
        stages=stages,
        jobs=jobs,
        environments=_environments(jobs, descent),
        workflow=workflow,
        ends_together=ends_together,
        name=name,
        variables={**variables.values, **descent.passed},
        gitlab=True,
    )


def _environments(jobs: Mapping[str, Job], descent: Descent) -> dict[str, Environment]:
    """What the jobs deploy to; those of a pipeline that a job starts are for that job alone to start."""
    deploying = [job for job in jobs.values() if job.environment is not None]
    if descent.depth or not deploying:
        return {}
    from hookci.config.gitlab.environments import environments_of  # noqa: PLC0415 (most files deploy nowhere)

    return environments_of(deploying, descent.surroundings.facts().get("CI_DEFAULT_BRANCH", "main"))


def _stages(value: object, ledger: Ledger) -> tuple[str, ...]:
    """The stages in their order: the first and the last are always there, wherever they are written."""
    found = _STAGES if value is None else texts(value, ("stages",), ledger, nested=True)
    return (_FIRST, *dict.fromkeys(stage for stage in found if stage not in {_FIRST, _LAST}), _LAST)


def _variables(document: Mapping[str, object], ledger: Ledger) -> Variables:
    value = document.get("variables")
    if value is None:
        return Variables()
    ledger.look_for_special(value, "variables", ("variables",))
    return read_variables(value, ("variables",), ledger, whole_pipeline=True)


def _workflow(value: object, ledger: Ledger) -> tuple[str | None, tuple[Rule, ...] | None]:
    """The name of the pipeline, and the rules of whether there is one (reference, "workflow")."""
    if value is None:
        return None, None
    path = ("workflow",)
    said = table(value, path, ledger, ("name", "rules", "auto_cancel"))
    ledger.look_for_special(value, "workflow", path)
    refused = ledger.take_refused()
    if refused:
        ledger.problem(path, refused)
    name = text(said["name"], (*path, "name"), ledger) if "name" in said else None
    if "rules" not in said:
        return name, None
    return name, read_rules(said["rules"], (*path, "rules"), ledger, whole_pipeline=True)


def _auto_cancel(value: object, ledger: Ledger) -> bool:
    """Whether the first job that fails ends all others."""
    said = value.get("auto_cancel") if isinstance(value, dict) else None
    if said is None:
        return False
    from hookci.config.gitlab.autocancel import read_auto_cancel  # noqa: PLC0415 (few files say it)

    return bool(read_auto_cancel(said, ("workflow", "auto_cancel"), ledger))


def _defaults(document: Mapping[str, object], ledger: Ledger) -> tuple[dict[str, object], dict[str, Path]]:
    """What jobs have if they do not say it, and where each stands: below ``default``, or at the top as in old files."""
    given = document.get("default")
    said = {} if given is None else table(given, ("default",), ledger, INHERITED)
    found = {key: value for key, value in said.items() if key in INHERITED}
    places: dict[str, Path] = {key: ("default", key) for key in found}
    for key in _TOP_LEVEL_DEFAULTS:
        value = document.get(key)
        if value is not None and key in found:
            ledger.problem((key,), f"{key} is defined in top-level and `default:` entry", "keep the one in `default`")
        elif value is not None:
            found[key], places[key] = value, (key,)
    check_defaults(found, places, ledger)
    return found, places


def _with_children(pipeline: Pipeline, ledger: Ledger, composed: Composed) -> Pipeline:
    """The pipeline with what was accepted without effect and what its includes read, in those it starts too."""
    children = [job.trigger.pipeline for job in pipeline.jobs.values() if job.trigger is not None]
    notes = (
        f"{composed.place(path)}: `{keyword.replace('.*', '')}` has no effect here: {WITHOUT_EFFECT[keyword]}"
        for keyword, path in ledger.notes.items()
    )
    facts = {name: value for child in children for name, value in child.facts_read.items()}
    warnings = (*composed.notes, *notes, *(note for child in children for note in child.warnings))
    return replace(pipeline, warnings=tuple(dict.fromkeys(warnings)), facts_read={**facts, **composed.facts_read})
