"""Node projects: the scripts of ``package.json``, by the package manager whose lock file is there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hookci.config.detect.parts import CacheDraft, Found, JobDraft, Line, Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.detect.project import Project, Which

__all__ = ["detect_node"]

# lock file -> the manager and how it installs exactly what the lock file says
_LOCKS = {
    "package-lock.json": ("npm", "npm ci"),
    "npm-shrinkwrap.json": ("npm", "npm ci"),
    "pnpm-lock.yaml": ("pnpm", "pnpm install --frozen-lockfile"),
    "yarn.lock": ("yarn", "yarn install --frozen-lockfile"),
    "bun.lock": ("bun", "bun install --frozen-lockfile"),
    "bun.lockb": ("bun", "bun install --frozen-lockfile"),
}
_NO_TEST = "no test specified"
_TEST_FILE = re.compile(r"(^|/)(test/.*|__tests__/.*|[^/]+[.\-_]test|test)\.[cm]?js$")


def detect_node(project: Project, which: Which) -> Part | None:
    """A ``package.json`` that is not only there to hold the settings of some tool."""
    package = _package(project)
    if package is None:
        return None
    lock = project.first(*_LOCKS)
    manager, install = _LOCKS.get(lock or "", ("npm", "npm install"))
    if manager == "yarn" and ".yarnrc.yml" in project.files:
        install = "yarn install --immutable"
    prefix = "" if which(manager) or manager in {"npm", "bun"} else "npx --yes "
    setup = [Line(prefix + install)] if lock or _has_dependencies(package) else []
    steps = _steps(project, package, prefix + manager)
    if not steps and not setup:
        return None
    jobs = [_test_job(project, setup, steps, lock)]
    if "lint" in _scripts(package):
        jobs.insert(0, _lint_job(setup, f"{prefix}{manager} run lint"))
    return Part(_found(steps, lock, which), tuple(jobs), tested=bool(steps))


def _package(project: Project) -> Mapping[str, object] | None:
    try:
        package = json.loads(project.read("package.json") or "null")
    except ValueError:
        return None
    return package if isinstance(package, dict) else None


def _scripts(package: Mapping[str, object]) -> Mapping[str, object]:
    scripts = package.get("scripts")
    return scripts if isinstance(scripts, dict) else {}


def _has_dependencies(package: Mapping[str, object]) -> bool:
    return any(package.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies"))


def _steps(project: Project, package: Mapping[str, object], manager: str) -> list[Line]:
    scripts = _scripts(package)
    steps = [Line(f"{manager} run build")] if "build" in scripts else []
    test = scripts.get("test")
    if isinstance(test, str) and _NO_TEST not in test:
        steps.append(Line(f"{manager} {'run ' if manager.endswith('bun') else ''}test"))
    elif any("node:test" in (project.read(path) or "") for path in project.files if _TEST_FILE.search(path)):
        steps.append(Line("node --test"))
    return steps


def _test_job(project: Project, setup: list[Line], steps: list[Line], lock: str | None) -> JobDraft:
    # `npm ci` removes node_modules first, so that keeping it is of no use; npm's own cache is in the home directory
    kept = CacheDraft(("package.json",), ("node_modules",)) if setup and not lock else None
    if lock and "npm ci" not in setup[0].command:
        kept = CacheDraft(("package.json", lock), ("node_modules",))
    checks = [Line(f"node --check {path}") for path in [project.first("index.js", "index.mjs", "main.js")] if path]
    return JobDraft(name="test", script=(*setup, *(steps or checks)), cache=kept)


def _lint_job(setup: list[Line], command: str) -> JobDraft:
    return JobDraft(name="lint", script=(*setup, Line(command)), allow_failure="drop this once it is green")


def _found(steps: list[Line], lock: str | None, which: Which) -> Found:
    ran = ", ".join(f"`{line.command}`" for line in steps) or "no build and no test script, so it is only installed"
    why = "; ".join([ran, f"installed as {lock} says" if lock else "there is no lock file"])
    return Found("Node project (package.json)", why if which("node") else f"{why}; node is not on PATH here")
