"""What to install before a Python project's tests can run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.config.detect.parts import Line
from hookci.config.detect.python.guess import distributions, plugins, unknown_imports
from hookci.config.detect.python.metadata import ini, requirement_name, strings, table
from hookci.config.detect.python.requirements import (
    DEV,
    TEST,
    included_files,
    is_hashed,
    named_in,
    runtime_file,
    with_purpose,
)
from hookci.config.detect.python.suite import python_files, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hookci.config.detect.project import Project
    from hookci.config.detect.python.metadata import Metadata
    from hookci.config.detect.python.suite import Suite

__all__ = ["Needs", "Source", "declared_sources", "find_needs"]


class Source(Struct, frozen=True):
    """One place that may declare what the tests need; ``declared`` holds normalised names.

    ``kind`` is ``group``, ``extra``, ``file`` or ``list`` (of requirements, to be installed one by one).
    """

    kind: str
    name: str
    declared: frozenset[str]
    for_tests: bool
    listed: tuple[str, ...] = ()


class Needs(Struct, frozen=True):
    """The lines that install, the files they depend on, and in words why these; ``extra`` is said above the job."""

    lines: tuple[Line, ...]
    files: tuple[str, ...]
    why: tuple[str, ...]
    extra: tuple[str, ...] = ()


def _names(requirements: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in map(requirement_name, requirements) if name)


def declared_sources(project: Project, metadata: Metadata) -> Iterator[Source]:
    """Everything that may declare what the tests need, the likeliest first."""
    for words in (TEST, DEV):
        tests = words is TEST
        for kind, lists in (("group", metadata.groups), ("extra", metadata.extras), ("list", metadata.own_groups)):
            named = {name.lower(): name for name in lists if lists[name]}
            for name in (named[word] for word in words if word in named):
                listed = kind if name != "tests_require" else "list"
                yield Source(listed, name, _names(lists[name]), tests, lists[name])
        if path := with_purpose(project, words):
            yield Source("file", path, named_in(project, path), tests)
    yield from _tool_sources(project, metadata)


def _tool_sources(project: Project, metadata: Metadata) -> Iterator[Source]:
    """What tox and hatch install into their environments, as far as it is a plain list."""
    lines = strings(ini(project, "tox.ini").get("testenv", {}).get("deps", ""))
    plain = tuple(line for line in lines if not re.search(r"[{}]|^[\w,{}-]+:\s|^-", line))
    files = [match[1] for line in lines if (match := re.match(r"-r\s*(?:\{toxinidir\}/)?([\w./-]+)$", line))]
    for path in files:
        if path in project.files:
            yield Source("file", path, named_in(project, path), for_tests=True)
    if plain:
        yield Source("list", "tox.ini", _names(plain), for_tests=True, listed=plain)
    environments = table(table(metadata.tool.get("hatch")).get("envs"))
    for name in ("hatch-test", "test", "tests", "default", "dev"):
        environment = table(environments.get(name))
        listed = (*strings(environment.get("dependencies")), *strings(environment.get("extra-dependencies")))
        if listed:
            yield Source("list", f"[tool.hatch.envs.{name}]", _names(listed), name != "default", listed)


def find_needs(project: Project, metadata: Metadata, suite: Suite) -> Needs:
    """Choose among what is declared, add what is not, and write the lines."""
    if suite.runner in {"tox", "nox"}:  # they install everything else themselves
        return Needs((Line(f"pip install -q {suite.runner}"),), (), ())
    source = _choose(list(declared_sources(project, metadata)), suite)
    files = _requirement_files(project, metadata, source)
    known = _names(metadata.dependencies) | (source.declared if source else frozenset())
    known = known.union(*(named_in(project, path) for path in files), _names([metadata.name or ""]))
    undeclared = not (metadata.installable or metadata.dependencies or files)
    guessed = _guess(project, suite, source, undeclared=undeclared, known=known)
    listed = [*(source.listed if source and source.kind == "list" else ()), *guessed]
    unknown = [] if source and source.for_tests else unknown_imports(project, suite.seen.imports)
    unknown = [name for name in unknown if not _covered(name, known)]
    return Needs(
        lines=tuple(_pip_lines(project, metadata, source, files, listed)),
        files=tuple(dict.fromkeys(file for path in files for file in included_files(project, path))),
        why=tuple(_why(source, files, guessed)),
        extra=(_UNKNOWN + ", ".join(unknown),) if unknown else (),
    )


_UNKNOWN = "The tests also import these; add to the install line whatever is missing: "


def _covered(module: str, known: frozenset[str]) -> bool:
    """Whether a module seems to be of a declared distribution (``foo_bar`` of ``foo-bar`` or ``python-foo-bar``)."""
    name = module.lower().replace("_", "-")
    return any(name in {one, one.removeprefix("python-"), one.removeprefix("py")} for one in known)


def _choose(sources: list[Source], suite: Suite) -> Source | None:
    with_runner = [source for source in sources if suite.runner in source.declared]
    if with_runner:
        return with_runner[0]
    return next((source for source in sources if source.for_tests), None)


def _requirement_files(project: Project, metadata: Metadata, source: Source | None) -> list[str]:
    """The requirement files to install: the tests', and the program's where nothing else declares what it needs."""
    chosen = [source.name] if source and source.kind == "file" else []
    runtime = runtime_file(project)
    wanted = not (metadata.installable and metadata.dependencies) or (not source and _asks_for_pytest(project, runtime))
    if runtime and wanted and not any(runtime in included_files(project, path) for path in chosen):
        chosen.insert(0, runtime)
    return chosen


def _asks_for_pytest(project: Project, path: str | None) -> bool:
    return bool(path and "pytest" in named_in(project, path))


def _guess(
    project: Project, suite: Suite, source: Source | None, *, undeclared: bool, known: frozenset[str]
) -> list[str]:
    wanted = {suite.runner} & {"pytest", "django"}
    if suite.runner == "pytest":
        wanted |= plugins(suite.seen, suite.options)
    if not (source and source.for_tests):
        wanted |= distributions(suite.seen.imports)
        if undeclared:  # not even the program says what it needs
            wanted |= distributions(scan(project, python_files(project)).imports)
    own = {name for name in wanted if project.first(f"{name}/__init__.py", f"src/{name}/__init__.py")}
    return sorted(name for name in wanted - own if requirement_name(name) not in known)


def _pip_lines(
    project: Project, metadata: Metadata, source: Source | None, files: list[str], listed: list[str]
) -> Iterator[Line]:
    group = source.name if source and source.kind == "group" else ""
    if group:
        yield Line("pip install -q 'pip>=25.1'", "the first pip that knows --group")
    hashed = [path for path in files if is_hashed(project, path)]
    for path in hashed:
        yield Line(f"pip install -q -r {shlex.quote(path)}")
    arguments = [f"-r {shlex.quote(path)}" for path in files if path not in hashed]
    if metadata.installable:
        extra = f"[{source.name}]" if source and source.kind == "extra" else ""
        arguments.append(f"-e {shlex.quote('.' + extra) if extra else '.'}")
    elif metadata.dependencies and "poetry" in metadata.tool:
        listed = [*metadata.dependencies, *listed]
    elif metadata.dependencies and "pyproject.toml" in metadata.sources:
        arguments.append(_DEPENDENCIES)
    arguments += [f"--group {group}"] if group else []
    arguments += [shlex.quote(requirement) for requirement in dict.fromkeys(listed)]
    if arguments:
        yield Line(f"pip install -q {' '.join(arguments)}")


# for a program that is no package; needs Python 3.11
_DEPENDENCIES = (
    """-r <(python -c 'import tomllib; """
    """print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\\n")')"""
)


def _why(source: Source | None, files: list[str], guessed: list[str]) -> Iterator[str]:
    texts = {
        "group": "the dependency group `{}` is installed",
        "extra": "the extra `{}` is installed",
        "file": "{} is installed",
        "list": "what `{}` lists is installed",
    }
    if source:
        yield texts[source.kind].format(source.name)
    for path in files:
        if not (source and source.name == path):
            yield f"{path} is installed"
    if guessed:
        yield f"guessed from the tests: {', '.join(guessed)}"
