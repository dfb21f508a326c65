"""Go modules, Cargo packages and Makefiles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.detect.parts import CacheDraft, Found, JobDraft, Line, Part

if TYPE_CHECKING:
    from hookci.config.detect.project import Project, Which

__all__ = ["check_target", "detect_go", "detect_make", "detect_rust"]

_TARGET = re.compile(r"^([A-Za-z0-9][\w.-]*(?:[ \t]+[A-Za-z0-9][\w.-]*)*)[ \t]*::?(?!=)", re.MULTILINE)


def detect_go(project: Project, which: Which) -> Part | None:
    """A Go module; Go keeps what it built in the home directory, so there is nothing to cache."""
    if "go.mod" not in project.files:
        return None
    script = (Line("go build ./..."), Line("go vet ./..."), Line("go test ./..."))
    found = Found("Go module (go.mod)", _missing("go build, vet and test", "go", which))
    return Part(found, (JobDraft(name="test", script=script),))


def detect_rust(project: Project, which: Which) -> Part | None:
    """A Cargo package or workspace."""
    if "Cargo.toml" not in project.files:
        return None
    locked = "Cargo.lock" in project.files
    option = " --locked" if locked else ""
    script = (
        Line("git ls-files -z | xargs -0 touch -c --", "cargo goes by time: nothing of ours is older than the cache"),
        Line(f"cargo build{option}"),
        Line(f"cargo test{option}"),
    )
    cache = CacheDraft(("Cargo.toml", "Cargo.lock") if locked else ("Cargo.toml",), ("target",))
    why = "exactly the versions in Cargo.lock" if locked else "no Cargo.lock is tracked, so the newest that fits"
    found = Found("Cargo package (Cargo.toml)", _missing(f"cargo build and test, {why}", "cargo", which))
    return Part(found, (JobDraft(name="test", script=script, cache=cache),))


def detect_make(project: Project, which: Which) -> Part | None:
    """A Makefile with targets that build or test."""
    path, targets = _makefile(project)
    tests = [name for name in [check_target(project)] if name]
    build = [name for name in ("build", "all") if name in targets][:1]
    if not tests and not build:
        return None
    jobs = [JobDraft(name="test", script=tuple(Line(f"make {name}") for name in [*build, *tests]))]
    if "lint" in targets:
        lint = JobDraft(name="lint", script=(Line("make lint"),), allow_failure="drop this once it is green")
        jobs.insert(0, lint)
    targets_said = ", ".join(f"`{name}`" for name in [*build, *tests])
    return Part(Found(f"Makefile ({path})", _missing(f"it has the targets {targets_said}", "make", which)), tuple(jobs))


def check_target(project: Project) -> str | None:
    """The target of the Makefile that tests."""
    _path, targets = _makefile(project)
    return next((name for name in ("test", "check", "tests") if name in targets), None)


def _makefile(project: Project) -> tuple[str, set[str]]:
    path = project.first("GNUmakefile", "makefile", "Makefile") or ""
    return path, {name for match in _TARGET.finditer(project.read(path) or "") for name in match[1].split()}


def _missing(why: str, program: str, which: Which) -> str:
    return why if which(program) else f"{why}; {program} is not on PATH here"
