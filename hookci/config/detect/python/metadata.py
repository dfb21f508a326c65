"""What a Python project says of itself in ``pyproject.toml``, ``setup.cfg`` and ``setup.py``."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tomli
from msgspec import Struct

from hookci.config.detect.python.poetry import poetry_requirements

if TYPE_CHECKING:
    from hookci.config.detect.project import Project

__all__ = ["Metadata", "ini", "read_metadata", "read_toml", "requirement_name", "strings", "table"]

# what setuptools' automatic discovery leaves out: setuptools.discovery, FlatLayoutPackageFinder, FlatLayoutModuleFinder
_NO_PACKAGE = re.compile(
    r"ci|bin|debian|docs?|documentation|manpages|news|newsfragments|changelog|(unit_?)?tests?|examples?|scripts|tools"
    r"|utils?|python|build|benchmarks?|exercises?|htmlcov|_.*"
)
_NO_MODULE = re.compile(r"setup|conftest|tests?|examples?|build|toxfile|noxfile|pavement|dodo|tasks|fabfile|_.*")
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")

Table = Mapping[str, Any]


class Metadata(Struct, frozen=True, kw_only=True):
    """The facts that matter for installing and testing.

    ``dependencies`` and the values of ``extras``, ``groups`` (``include-group`` resolved) and
    ``own_groups`` (those that only poetry or pdm knows) are requirements as in PEP 508; ``tool`` is the
    table ``[tool]``; ``build`` holds the build backend and its requirements as one text to search in.
    """

    sources: tuple[str, ...]
    installable: bool
    name: str | None
    dependencies: tuple[str, ...]
    extras: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    own_groups: Mapping[str, tuple[str, ...]]
    tool: Table
    build: str


def requirement_name(requirement: str) -> str | None:
    """The normalised name (PEP 503) a requirement begins with; None for an option or a URL."""
    match = _NAME.match(requirement)
    if match is None or "://" in requirement.split("@", maxsplit=1)[0]:
        return None
    return re.sub(r"[-_.]+", "-", match[1]).lower()


def strings(value: object) -> tuple[str, ...]:
    """The texts in a list, or the lines of a text."""
    if isinstance(value, str):
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in value.splitlines())
        return tuple(line for line in lines if line)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


def ini(project: Project, path: str) -> Mapping[str, Mapping[str, str]]:
    """The sections of an INI file; none when it is not there or cannot be read."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(project.read(path) or "")
    except configparser.Error:
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def read_metadata(project: Project) -> Metadata:
    """Put together what the project's files say; what cannot be read says nothing."""
    pyproject = read_toml(project, "pyproject.toml")
    declared, build = table(pyproject.get("project")), table(pyproject.get("build-system"))
    tool = table(pyproject.get("tool"))
    setup, config = _setup_arguments(project.read("setup.py") or ""), ini(project, "setup.cfg")
    options = config.get("options", {})
    extras = {
        **{name: strings(value) for name, value in config.get("options.extras_require", {}).items()},
        **_requirement_lists(setup.get("extras_require")),
        **_requirement_lists(declared.get("optional-dependencies")),
    }
    legacy_tests = strings(setup.get("tests_require")) or strings(options.get("tests_require", ""))
    if legacy_tests:
        extras.setdefault("tests_require", legacy_tests)  # not an extra: its requirements are installed by name
    name = declared.get("name") or setup.get("name") or config.get("metadata", {}).get("name")
    needs = declared.get("dependencies") or setup.get("install_requires") or options.get("install_requires", "")
    return Metadata(
        sources=tuple(path for path in ("pyproject.toml", "setup.cfg", "setup.py") if path in project.files),
        installable=_installable(project, pyproject),
        name=name if isinstance(name, str) else None,
        dependencies=strings(needs) or poetry_requirements(table(table(tool.get("poetry")).get("dependencies"))),
        extras=extras,
        groups=_groups(table(pyproject.get("dependency-groups"))),
        own_groups=_own_groups(tool),
        tool=tool,
        build=" ".join([str(build.get("build-backend", "")), *strings(build.get("requires"))]),
    )


def read_toml(project: Project, path: str) -> Table:
    """The tables of a TOML file; none when it is not there or cannot be read."""
    try:
        return tomli.loads(project.read(path) or "")
    except tomli.TOMLDecodeError:
        return {}


def table(value: object) -> Table:
    """``value`` if it is a table, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def _requirement_lists(value: object) -> dict[str, tuple[str, ...]]:
    return {str(name): strings(listed) for name, listed in table(value).items()}


def _groups(groups: Table) -> dict[str, tuple[str, ...]]:
    """The dependency groups of PEP 735, what they include put in place."""

    def resolve(name: str, above: tuple[str, ...]) -> tuple[str, ...]:
        listed = groups.get(name)
        if name in above or not isinstance(listed, list):
            return ()
        resolved: list[str] = []
        for item in listed:
            included = table(item).get("include-group")
            resolved += [item] if isinstance(item, str) else resolve(str(included), (*above, name))
        return tuple(resolved)

    return {name: resolve(name, ()) for name in groups}


def _own_groups(tool: Table) -> dict[str, tuple[str, ...]]:
    poetry = table(tool.get("poetry"))
    groups = {name: table(table(group).get("dependencies")) for name, group in table(poetry.get("group")).items()}
    groups.setdefault("dev", table(poetry.get("dev-dependencies")))
    found = {name: poetry_requirements(table) for name, table in groups.items()}
    return {**found, **_requirement_lists(table(tool.get("pdm")).get("dev-dependencies"))}


def _installable(project: Project, pyproject: Table) -> bool:
    tool = table(pyproject.get("tool"))
    if table(tool.get("poetry")).get("package-mode") is False or table(tool.get("uv")).get("package") is False:
        return False
    if "build-system" in pyproject or "setup(" in (project.read("setup.py") or ""):
        return True
    return "project" in pyproject and _setuptools_finds_packages(project)


def _setuptools_finds_packages(project: Project) -> bool:
    """Whether a ``[project]`` without ``[build-system]`` can be installed: setuptools never chooses."""
    directories = [name for name in project.directories() if name.isidentifier()]
    if "src" in directories:
        return True
    packages = [name for name in directories if not _NO_PACKAGE.fullmatch(name)]
    modules = [path for path in project.files if re.fullmatch(r"\w+\.py", path) and not _NO_MODULE.fullmatch(path[:-3])]
    return len(packages or modules) == 1


def _setup_arguments(source: str) -> dict[str, Any]:
    """The literal keyword arguments of ``setup()``; one level of names at module level is looked up."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    names = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    arguments: dict[str, Any] = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if getattr(call.func, "id", getattr(call.func, "attr", "")) == "setup":
            arguments.update({k.arg: _literal(k.value, names) for k in call.keywords if k.arg})
    return arguments


def _literal(node: ast.expr, names: Mapping[str, ast.expr]) -> object:
    node = names.get(node.id, node) if isinstance(node, ast.Name) else node
    if isinstance(node, ast.Dict):
        keys = (key.value if isinstance(key, ast.Constant) else None for key in node.keys)
        return {key: _literal(value, names) for key, value in zip(keys, node.values, strict=True)}
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
