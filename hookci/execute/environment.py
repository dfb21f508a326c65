"""What of the user's environment a job gets: an allow-list, as in tox, so that a result does not depend on a shell."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hookci.model.globs import name_matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.model.pipeline import Job

__all__ = ["PASSED", "expand", "passed_environment", "secret_values", "withheld_names"]

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

_NEVER = ("GIT_*", "HOOKCI_*", "EMAIL")
"""Not even when `pass_env` names them: a job's git must not act on the user's repository or in their name."""

_REFERENCE = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_SMALLEST_NAME = 3
_UNINTERESTING = frozenset(
    {"PWD", "OLDPWD", "SHLVL", "PS1", "PS2", "IFS", "EDITOR", "PAGER", "HISTFILE", "COLUMNS", "LINES"}
)


def _is_named(name: str, patterns: Iterable[str]) -> bool:
    return any(name_matches(pattern, name) for pattern in patterns)


def passed_environment(user: Mapping[str, str], job: Job) -> dict[str, str]:
    """What a job gets of the environment hookci itself was started in."""
    patterns = (*PASSED, *job.pass_env, *job.secrets)
    passed = {name: value for name, value in user.items() if _is_named(name, patterns) and not _is_named(name, _NEVER)}
    if "PATH" in passed and "GIT_EXEC_PATH" in user:
        # git puts its own programs first on the PATH of a hook; by hand they are not there
        entries = passed["PATH"].split(os.pathsep)
        passed["PATH"] = os.pathsep.join(entry for entry in entries if entry != user["GIT_EXEC_PATH"])
    return passed


def secret_values(user: Mapping[str, str], job: Job) -> tuple[str, ...]:
    """The values that must not be shown: those of the variables that ``secrets`` names."""
    named = {**user, **job.variables}
    return tuple(value for name, value in named.items() if value and _is_named(name, job.secrets))


def withheld_names(user: Mapping[str, str], passed: Mapping[str, str], texts: Iterable[str]) -> tuple[str, ...]:
    """The user's variables that a job did not get although its text or output names them."""
    candidates = {
        name
        for name in user
        if name not in passed
        and name not in _UNINTERESTING
        and len(name) >= _SMALLEST_NAME
        and not _is_named(name, _NEVER)
    }
    words = {word for text in texts for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)}
    return tuple(sorted(candidates & words))


def expand(text: str, known: Mapping[str, str]) -> str:
    """``$NAME`` and ``${NAME}`` replaced by what is known, ``$$`` by a dollar; unknown names stay as they are."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        return known.get(match[2] or match[3], match[0])

    return _REFERENCE.sub(value, text)
