"""What becomes of every keyword of a ``.gitlab-ci.yml``: executed, accepted without effect, or refused.

Source: GitLab CI/CD YAML reference, and GitLab's JSON schema of the format.  A keyword is a dotted path
(``artifacts.expire_in``); those of a job, of ``default`` and of the pipeline are the same ones, ``*`` stands for a name
that the file chooses.  What is below a keyword without effect, or a refused one, is like it.
"""

from __future__ import annotations

import functools

__all__ = ["EXECUTED", "REFUSED", "WITHOUT_EFFECT", "fate", "has_special_below", "words"]


def words(text: str) -> tuple[str, ...]:
    """The words of a text: a list that can be read."""
    return tuple(text.split())


EXECUTED = frozenset(
    words("""
    default include include.local include.file include.project include.ref include.remote include.template
    include.component include.inputs include.rules include.rules.if include.rules.when
    include.rules.changes include.rules.changes.paths include.rules.changes.compare_to
    include.rules.exists include.rules.exists.paths
    spec spec.inputs spec.inputs.*.default spec.inputs.*.options spec.inputs.*.regex spec.inputs.*.type
    stages variables variables.*.value variables.*.expand variables.*.options
    variables.GIT_STRATEGY variables.RUNNER_SCRIPT_TIMEOUT variables.RUNNER_AFTER_SCRIPT_TIMEOUT
    variables.AFTER_SCRIPT_IGNORE_ERRORS
    workflow workflow.name workflow.auto_cancel workflow.auto_cancel.on_job_failure
    workflow.rules.auto_cancel workflow.rules.auto_cancel.on_job_failure
    workflow.rules workflow.rules.if workflow.rules.when workflow.rules.variables
    workflow.rules.changes workflow.rules.changes.paths workflow.rules.changes.compare_to
    workflow.rules.exists workflow.rules.exists.paths
    !reference extends inherit inherit.default inherit.variables
    stage script before_script after_script hooks hooks.pre_get_sources_script
    image image.name image.entrypoint image.pull_policy image.docker image.docker.platform image.docker.user
    services services.name services.alias services.command services.entrypoint services.pull_policy
    services.variables services.variables.*.value services.variables.*.expand
    services.docker services.docker.platform services.docker.user
    rules rules.if rules.when rules.start_in rules.allow_failure rules.allow_failure.exit_codes rules.variables
    rules.needs rules.needs.job rules.needs.artifacts rules.needs.optional rules.needs.parallel
    rules.needs.parallel.matrix rules.changes rules.changes.paths rules.changes.compare_to
    rules.exists rules.exists.paths
    only only.refs only.variables only.changes only.kubernetes
    except except.refs except.variables except.changes except.kubernetes
    needs needs.job needs.artifacts needs.optional needs.parallel needs.parallel.matrix dependencies
    when start_in allow_failure allow_failure.exit_codes retry retry.max retry.when retry.exit_codes
    timeout parallel parallel.matrix resource_group coverage
    artifacts artifacts.paths artifacts.exclude artifacts.untracked artifacts.when
    artifacts.reports artifacts.reports.dotenv artifacts.reports.junit artifacts.reports.codequality
    artifacts.reports.sast artifacts.reports.sarif artifacts.reports.secret_detection
    artifacts.reports.dependency_scanning artifacts.reports.container_scanning
    cache cache.key cache.key.files cache.key.prefix cache.paths cache.policy cache.when cache.untracked
    cache.fallback_keys
    environment environment.name environment.url environment.action environment.on_stop
    environment.deployment_tier
    trigger trigger.include trigger.include.local trigger.include.project trigger.include.file trigger.include.ref
    trigger.include.remote trigger.include.template trigger.include.component trigger.include.inputs
    trigger.inputs trigger.strategy trigger.forward trigger.forward.yaml_variables
    trigger.forward.pipeline_variables
    """)
)
"""Does what GitLab's reference says."""

_FORM = "there is no form to start a pipeline with; give variables by `--variable NAME=value`"
_CHECKOUT = "every job that wants the sources starts in a clean checkout of them"
_KEPT = "artifacts are kept with the run they belong to, for the jobs after it"
_SHOWN = "reports are shown by GitLab; the file is written, and what the job itself says counts"
_CANCEL = "a run ends only when a job fails or a person stops it"
_KUBERNETES = "no job runs on Kubernetes here"
_PAGES = "nothing is published from here; the files are artifacts"
_CACHE_OF_INCLUDE = "an include is fetched only by `hookci include fetch`, and pinned"

WITHOUT_EFFECT = {
    "$schema": "it is for editors",
    "spec.description": "it is for people",
    "spec.inputs.*.description": "it is for people",
    "variables.*.description": _FORM,
    # variables that speak to GitLab's runner: reference, "Configure runners"
    "variables.GIT_CHECKOUT": _CHECKOUT,
    "variables.GIT_CLEAN_FLAGS": _CHECKOUT,
    "variables.GIT_FETCH_EXTRA_FLAGS": _CHECKOUT,
    "variables.GIT_DEPTH": "the same commits come along for every job",
    "variables.GIT_SUBMODULE_STRATEGY": "submodules are filled as far as this clone has them",
    "include.cache": _CACHE_OF_INCLUDE,
    "include.integrity": _CACHE_OF_INCLUDE,
    "workflow.auto_cancel.on_new_commit": _CANCEL,
    "workflow.rules.auto_cancel.on_new_commit": _CANCEL,
    "rules.interruptible": _CANCEL,
    "interruptible": _CANCEL,
    "tags": "there are no runners to choose from: every job runs here",
    "manual_confirmation": "a manual job is started by name, which says enough",
    "image.kubernetes": _KUBERNETES,
    "services.kubernetes": _KUBERNETES,
    "environment.kubernetes": _KUBERNETES,
    "environment.auto_stop_in": "nothing stops an environment by itself here",
    "artifacts.access": "artifacts never leave this machine",
    "artifacts.public": "artifacts never leave this machine",
    "artifacts.expire_in": _KEPT,
    "artifacts.expose_as": _KEPT,
    "artifacts.name": _KEPT,
    **{
        f"artifacts.reports.{name}": _SHOWN
        for name in words(
            "accessibility annotations api_fuzzing browser_performance coverage_fuzzing coverage_report cyclonedx dast "
            "license_management license_scanning load_performance lsif metrics performance repository_xray "
            "requirements terraform"
        )
    },
    "cache.unprotect": "branches are not protected here, so caches are not kept apart by that",
    "pages": _PAGES,
    "publish": _PAGES,
    "release": "a release is made by GitLab; the script of the job runs",
}
"""Changes no result here; said once, with the reason."""

_SECRETS = "pass the value from your own environment or a settings file, and ask for it as a variable"
_GLOBS = "regular expressions of paths are not read: write globs as `paths`"
_THESE_FILES = "only the files of this commit are looked at: leave `project` and `ref` out"
_NO_WRITTEN = "pipelines that a job writes are not started here: commit the file, and include it"
_NO_ARTIFACTS = "artifacts of other pipelines are not here: fetch them by a command of the script"
_NO_OTHER = "hookci knows only this repository; start the other pipeline by a command of the script"

REFUSED = {
    "secrets": f"secrets are fetched by GitLab: {_SECRETS}",
    "id_tokens": f"tokens are signed by GitLab: {_SECRETS}",
    "identity": f"identities are given by GitLab: {_SECRETS}",
    "run": "steps are run by GitLab's step runner: write them as `script`",
    "inputs": "inputs of a job are asked for by GitLab: write them as `variables`",
    "dast_configuration": "scanner profiles are kept by GitLab: write the settings as `variables`",
    "trigger.project": _NO_OTHER,
    "trigger.branch": _NO_OTHER,
    "trigger.include.artifact": _NO_WRITTEN,
    "trigger.include.job": _NO_WRITTEN,
    "needs.project": _NO_ARTIFACTS,
    "needs.pipeline": _NO_ARTIFACTS,
    "needs.ref": _NO_ARTIFACTS,
    "cache.key.files_commits": "write `files`, whose key follows what is in them",
    "rules.changes.regexp": _GLOBS,
    "rules.exists.regexp": _GLOBS,
    "rules.exists.project": _THESE_FILES,
    "rules.exists.ref": _THESE_FILES,
    "include.rules.changes.regexp": _GLOBS,
    "include.rules.exists.regexp": _GLOBS,
    "include.rules.exists.project": _THESE_FILES,
    "include.rules.exists.ref": _THESE_FILES,
    "workflow.rules.changes.regexp": _GLOBS,
    "workflow.rules.exists.regexp": _GLOBS,
    "workflow.rules.exists.project": _THESE_FILES,
    "workflow.rules.exists.ref": _THESE_FILES,
    "spec.component": "the context of a component is not known here: write it as an input",
    "spec.include": "inputs from other files are not read: write them in `spec: inputs`",
    "spec.inputs.*.rules": "write plain `options` and a `default`",
}
"""The result would differ: such a job is not run, unless ``--allow-unsupported`` says to leave it out."""


def fate(keyword: str) -> str:
    """Which list a keyword is in: ``executed``, ``without effect``, ``refused``, or ``unknown``."""
    if keyword in EXECUTED:
        return "executed"
    parts = keyword.split(".")
    for length in range(len(parts), 0, -1):
        above = ".".join(parts[:length])
        if above in WITHOUT_EFFECT:
            return "without effect"
        if above in REFUSED:
            return "refused"
    return "unknown"


@functools.cache
def _special_parents() -> frozenset[str]:
    special = [*WITHOUT_EFFECT, *REFUSED]
    return frozenset(word.rsplit(".", depth)[0] for word in special for depth in range(1, word.count(".") + 1))


def has_special_below(keyword: str) -> bool:
    """Whether any keyword below ``keyword`` is not simply executed."""
    return keyword in _special_parents()
