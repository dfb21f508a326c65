"""What of the user's environment a job gets: an allow-list, as in tox, so that a result does not depend on a shell."""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING

from hookci.execute.predefined import job_facts
from hookci.model import variables as variables_in
from hookci.model.globs import name_matches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hookci.model.pipeline import Job
    from hookci.model.plan import Plan

__all__ = [
    "NEVER",
    "PASSED",
    "contained_environment",
    "expand",
    "expand_all",
    "given_environment",
    "passed_environment",
    "planned_environment",
    "secret_values",
    "told_environment",
    "withheld_names",
]

PASSED = (
    # shell basics
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "TMPDIR", "TEMP", "TMP",
    "LANG", "LANGUAGE", "LC_*", "XDG_*",
    # proxies and certificates
    "http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    # package managers, and where version managers keep their tools
    "PIP_*", "UV_*", "POETRY_*", "PDM_*", "CONDA_*", "PYENV_*",
    "NPM_CONFIG_*", "npm_config_*", "YARN_*", "PNPM_*", "COREPACK_*", "NVM_DIR", "FNM_*", "VOLTA_HOME",
    "CARGO_*", "RUSTUP_*", "GOPATH", "GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOCACHE",
    "GOMODCACHE", "GOTOOLCHAIN", "GEM_*", "BUNDLE_*", "RBENV_*", "COMPOSER_*", "JAVA_HOME", "GRADLE_USER_HOME",
    "MAVEN_OPTS", "ASDF_*", "MISE_*",
    # compilers
    "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "PKG_CONFIG", "PKG_CONFIG_PATH",
    # agents and engines
    "SSH_AUTH_SOCK", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
)  # fmt: skip
"""Names (globs) of the user's variables that every job gets."""

NEVER = ("GIT_*", "HOOKCI_*", "EMAIL")
"""Not even when `pass_env` names them: a job's git must not act on the user's repository or in their name."""

_PROXIES = tuple(name for name in PASSED if name.lower().endswith("_proxy"))
"""All that a container gets unasked: it has a PATH, a HOME and tools of its own."""

_SMALLEST_NAME = 3
_UNINTERESTING = frozenset(
    {"PWD", "OLDPWD", "SHLVL", "PS1", "PS2", "IFS", "EDITOR", "PAGER", "HISTFILE", "COLUMNS", "LINES"}
)


@functools.lru_cache(maxsize=8192)  # asked for every job of a run, with the same names
def _is_named(name: str, patterns: tuple[str, ...]) -> bool:
    return name in patterns or any(name_matches(pattern, name) for pattern in _globs(patterns))


@functools.lru_cache(maxsize=64)
def _globs(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern for pattern in patterns if "*" in pattern or "/" in pattern)


def passed_environment(user: Mapping[str, str], more: Iterable[str]) -> dict[str, str]:
    """What a job gets of the environment hookci itself was started in; ``more`` is what it names beside the list."""
    patterns = (*PASSED, *more)
    passed = {name: value for name, value in user.items() if _is_named(name, patterns) and not _is_named(name, NEVER)}
    if "PATH" in passed and "GIT_EXEC_PATH" in user:
        # git puts its own programs first on the PATH of a hook; by hand they are not there
        entries = passed["PATH"].split(os.pathsep)
        passed["PATH"] = os.pathsep.join(entry for entry in entries if entry != user["GIT_EXEC_PATH"])
    return passed


def given_environment(user: Mapping[str, str], job: Job) -> dict[str, str]:
    """What ``job`` gets of the environment hookci was started in; a container gets what it names, and proxies."""
    named = (*job.pass_env, *job.secrets)
    return contained_environment(user, named) if job.contained else passed_environment(user, named)


def contained_environment(user: Mapping[str, str], named: Iterable[str]) -> dict[str, str]:
    """What a container gets of it: what its job names, and proxies."""
    patterns = (*_PROXIES, *named)
    return {name: value for name, value in user.items() if _is_named(name, patterns) and not _is_named(name, NEVER)}


def planned_environment(user: Mapping[str, str], job: Job, plan: Plan) -> dict[str, str]:
    """What a job's environment is known to hold before it is known where and in which run it runs.

    The job's own variables are not in it yet (see `expand_all`).
    """
    return {**given_environment(user, job), **told_environment(job, plan)}


def told_environment(job: Job, plan: Plan) -> dict[str, str]:
    """What of it hookci itself tells the job."""
    return {
        **plan.snapshot.facts,
        "CI": "true",
        "HOOKCI": "true",
        "HOOKCI_HOOK": plan.hook,
        "HOOKCI_JOB": job.name,
        "HOOKCI_STAGE": job.stage,
        "CI_JOB_NAME": job.name,
        "CI_JOB_STAGE": job.stage,
        # a program whose output is a pipe would hold it back until it ends
        "PYTHONUNBUFFERED": "1",
        **job_facts(job, plan),
    }


def secret_values(known: Mapping[str, str], secrets: Iterable[str]) -> set[str]:
    """The values that must not be shown: those of the variables that ``secrets`` names."""
    patterns = tuple(secrets)
    if not patterns:
        return set()
    return {value for name, value in known.items() if value and _is_named(name, patterns)}


def withheld_names(user: Mapping[str, str], passed: Mapping[str, str], texts: Iterable[str]) -> tuple[str, ...]:
    """The user's variables that a job did not get although its text or output names them."""
    candidates = {
        name
        for name in user
        if name not in passed
        and name not in _UNINTERESTING
        and len(name) >= _SMALLEST_NAME
        and not _is_named(name, NEVER)
    }
    words = {word for text in texts for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)}
    return tuple(sorted(candidates & words))


def expand_all(
    variables: Mapping[str, str], known: Mapping[str, str], *, gitlab: bool = False, raw: Collection[str] = ()
) -> dict[str, str]:
    """A job's variables with what they refer to in place, which may be each other, in any order.

    A variable that refers to itself, also by way of others, means the one that is ``known``.  With ``gitlab`` one that
    nobody knows is empty.  In those of ``raw`` nothing is replaced.
    """
    done: dict[str, str] = {}
    replaced = variables_in.expand_for_gitlab if gitlab else variables_in.expand

    def value(name: str, asking: frozenset[str]) -> str | None:
        if name not in variables or name in asking:
            return known.get(name)
        if name in raw:
            done[name] = variables[name]
        if name not in done:
            done[name] = replaced(variables[name], lambda other: value(other, asking | {name}))
        return done[name]

    for name in variables:
        value(name, frozenset())
    return done


def expand(text: str, known: Mapping[str, str], *, gitlab: bool = False) -> str:
    """``$NAME`` and ``${NAME}`` replaced by what is known, ``$$`` by a dollar.

    Unknown names stay as they are, but are empty in what was written for ``gitlab``.
    """
    return (variables_in.expand_for_gitlab if gitlab else variables_in.expand)(text, known.get)
