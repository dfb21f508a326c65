"""Where a Python project's tests are and what runs them."""

from __future__ import annotations

import ast
import fnmatch
import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.config.detect.python.metadata import ini

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.config.detect.project import Project
    from hookci.config.detect.python.metadata import Metadata

__all__ = ["Scan", "Suite", "find_suite", "python_files", "scan"]

_NOT_OURS = re.compile(r"build|dist|docs?|examples?|bench(marks?)?|vendor|third_party|node_modules|downstream")
_MOST_FILES = 400
_PATTERNS = ("test_*.py", "*_test.py")


class Scan(Struct, frozen=True):
    """What the source of some files shows; ``imports`` are top-level names imported at module level, unguarded."""

    imports: frozenset[str]
    text: str
    functions: bool
    cases: bool


class Suite(Struct, frozen=True):
    """The tests: ``runner`` is the tool, ``command`` starts it, ``options`` is pytest's own config."""

    runner: str
    command: str
    why: str
    seen: Scan
    options: str = ""


def python_files(project: Project) -> list[str]:
    """All Python files but those of other people."""
    found = (path for path in project.files if path.endswith(".py"))
    return sorted(path for path in found if not _NOT_OURS.fullmatch(path.split("/", 1)[0]))


def find_suite(project: Project, metadata: Metadata, *, asks_for_pytest: bool) -> Suite | None:
    """Find the tests and what runs them; None when there are none.

    ``asks_for_pytest`` says that the project's requirements name pytest: it runs unittest's test cases too.
    """
    place, options = _pytest_config(project, metadata)
    files = _test_files(project, options)
    if not files:
        return None
    conftests = [path for path in project.files if posixpath.basename(path) == "conftest.py"]
    seen = scan(project, [*files, *conftests])
    tops = sorted({path.split("/", 1)[0] if "/" in path else "." for path in files})
    why = _why_pytest(place, conftests, seen) or ("pytest is in the requirements" if asks_for_pytest else "")
    command = None if why else _unittest_command(project, files, tops)
    if command:
        return Suite("unittest", command, "the tests are unittest test cases", seen)
    return Suite("pytest", _pytest_command(project, options, tops), why or _MIXED, seen, options)


_MIXED = "pytest also runs unittest test cases, in directories that are no packages too"


def _pytest_config(project: Project, metadata: Metadata) -> tuple[str, str]:
    """Where pytest is configured, and what that says, as one text; two empty ones when it is not."""
    for path in ("pytest.ini", ".pytest.ini"):
        if path in project.files:
            return path, project.read(path) or ""
    table = metadata.tool.get("pytest")
    if isinstance(table, dict):
        inner = table.get("ini_options")
        place = "[tool.pytest.ini_options]" if isinstance(inner, dict) else "[tool.pytest]"
        return place, _as_ini(inner if isinstance(inner, dict) else table)
    for path, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if found := ini(project, path).get(section):
            return f"[{section}] in {path}", _as_ini(found)
    return "", ""


def _as_ini(table: Mapping[str, object]) -> str:
    texts = {key: " ".join(map(str, value)) if isinstance(value, list) else value for key, value in table.items()}
    return "\n".join(f"{key} = {value}" for key, value in texts.items())


def _test_files(project: Project, options: str) -> list[str]:
    patterns = list(_PATTERNS)
    if match := re.search(r"^python_files = (.*(?:\n .*)*)", options, re.MULTILINE):
        patterns += re.findall(r"[\w*?./\[\]-]*\*?\.py|[\w]*\*[\w*]*", match[1])
    names = [p for p in patterns if "/" not in p]
    return [
        path
        for path in python_files(project)
        if any(fnmatch.fnmatchcase(posixpath.basename(path), pattern) for pattern in names)
    ]


def scan(project: Project, files: list[str]) -> Scan:
    """Read ``files`` (the first few hundred); what is no Python of this version is passed over."""
    imports: set[str] = set()
    texts: list[str] = []
    functions = cases = False
    for path in files[:_MOST_FILES]:
        source = project.read(path) or ""
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        texts.append(source)
        imports.update(_imports(tree))
        functions = functions or any(_is_pytest_style(node) for node in tree.body)
        cases = cases or "TestCase" in source
    return Scan(frozenset(imports), "\n".join(texts), functions, cases)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".", 1)[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".", 1)[0]


def _is_pytest_style(node: ast.stmt) -> bool:
    """Whether pytest would run this and unittest would not see it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name.startswith("test_")
    if not (isinstance(node, ast.ClassDef) and node.name.startswith("Test")) or node.bases:
        return False
    return any(isinstance(item, ast.FunctionDef) and item.name.startswith("test_") for item in node.body)


def _why_pytest(place: str, conftests: list[str], seen: Scan) -> str:
    if place:
        return f"pytest is configured in {place}"
    if "pytest" in seen.imports:
        return "the tests import pytest"
    if conftests:
        return f"there is a {min(conftests, key=len)}"
    return "the tests are plain functions, as pytest has them" if seen.functions else ""


def _pytest_command(project: Project, options: str, tops: list[str]) -> str:
    """Name the directories where there is no ``testpaths`` and more than one that could hold tests."""
    if re.search(r"^testpaths = *\S", options, re.MULTILINE):
        return "python -m pytest"
    usual = [top for top in tops if top in {"tests", "test", "testing"}]
    others = any(_NOT_OURS.fullmatch(name) for name in project.directories())
    if usual and (usual != tops or others):
        return f"python -m pytest {' '.join(usual)}"
    return "python -m pytest"


def _unittest_command(project: Project, files: list[str], tops: list[str]) -> str | None:
    """The discovery that reaches every file: it only goes into packages (unittest, "Test Discovery")."""
    if any(path.endswith("_test.py") for path in files):
        return None
    if all(_reachable(project, path, ".") for path in files):
        return "python -m unittest discover"
    if len(tops) == 1 and all(_reachable(project, path, tops[0]) for path in files):
        return f"python -m unittest discover -s {shlex.quote(tops[0])}"
    return None


def _reachable(project: Project, path: str, start: str) -> bool:
    directory = posixpath.dirname(path) or "."
    while directory not in {start, "."}:
        if f"{directory}/__init__.py" not in project.files:
            return False
        directory = posixpath.dirname(directory) or "."
    return directory == start
