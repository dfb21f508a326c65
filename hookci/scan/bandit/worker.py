"""Bandit in processes of its own: started with ``-I`` and the name of a task file.

The task is JSON: ``sites`` are the directories bandit and hookci are in, ``tests`` and ``skips`` narrow the rules,
``contents`` is a file that has the files to look at one after the other, ``files`` has the number, offset and size in
bytes of each, the largest first, ``processes`` how many are to share them, and ``results`` a directory.  The file
``head`` there tells what bandit knows; every process writes a file of JSON lines: ``[number]`` before it looks at a
file and ``[number, row]`` after.  So when it dies, the file it was on is known.

Bandit's classes are used below its manager, which would read files by name and keep no more of an error than that
there was one.  Only bandit's own rules are loaded: what else is installed must not change a verdict that is
remembered by bandit's version.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import logging
import os
import sys
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

_NAME = "./file.py"
"""What bandit is told a file is called; no rule of its own looks at that."""
_YOUNG = 20_000
"""Allocations between two looks for garbage: a syntax tree is not garbage while it is walked."""
_INDEX = 4
"""Bytes of an index in the pipe."""


class _OwnExtensions:
    """Stands in for stevedore's: the entry points of bandit itself, instead of those of all that is installed."""

    def __init__(self, namespace: str, **_options: object) -> None:
        from importlib import metadata  # noqa: PLC0415 (after sys.path is set)

        wanted = [] if namespace == "bandit.formatters" else metadata.distribution("bandit").entry_points
        self._extensions = [_Extension(point.name, point.load()) for point in wanted if point.group == namespace]

    def __iter__(self) -> Iterator[_Extension]:
        return iter(self._extensions)

    def names(self) -> list[str]:
        return [extension.name for extension in self._extensions]


class _Extension:
    def __init__(self, name: str, plugin: Any) -> None:  # noqa: ANN401 (bandit has no types)
        self.name = name
        self.plugin = plugin


def _load_bandit(sites: list[str]) -> None:
    """Import bandit without what it needs for its command line: stevedore's scan, and rich."""
    sys.path.extend(sites)
    for name, attribute, value in (
        ("stevedore.extension", "ExtensionManager", _OwnExtensions),
        ("rich.progress", "track", None),
    ):
        parent, _, child = name.partition(".")
        sys.modules[parent], sys.modules[name] = ModuleType(parent), ModuleType(name)
        setattr(sys.modules[parent], child, sys.modules[name])
        setattr(sys.modules[name], attribute, value)
    importlib.import_module("bandit")
    utils = _core("utils")
    slow = utils.linerange
    # bandit makes a list of all lines of a list for each of its elements
    utils.linerange = lambda node: range(node.lineno, node.end_lineno + 1) if hasattr(node, "lineno") else slow(node)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _core(name: str) -> Any:  # noqa: ANN401 (bandit has no types)
    return importlib.import_module(f"bandit.core.{name}")


def _narrowed(task: dict[str, Any]) -> tuple[Any, list[str]]:
    """The rules as the project narrows them by name, and what there is to say about that."""
    manager = _core("extension_loader").MANAGER
    notes: list[str] = []

    def known(key: str) -> set[str]:
        ids = {name: name if manager.check_id(name) else manager.get_test_id(name) for name in task[key]}
        notes.extend(f"{key}: bandit has no rule {name}" for name, rule in ids.items() if not rule)
        return {rule for rule in ids.values() if rule}

    config = _core("config").BanditConfig()
    profile = {"include": known("tests"), "exclude": known("skips")}
    rules = _core("test_set").BanditTestSet(config, profile)
    if not rules.tests:
        notes.append("tests and skips leave no rule, so all are used")
        rules = _core("test_set").BanditTestSet(config)
    return rules, notes


def _names() -> dict[str, str]:
    """The rules' ids by their names."""
    manager = _core("extension_loader").MANAGER
    names = {plugin.name: plugin.plugin._test_id for plugin in manager.plugins}  # noqa: SLF001 (bandit's own way)
    return names | {name: rule["id"] for name, rule in manager.blacklist_by_name.items()}


class _Kept(list[tuple[Any, Any]]):
    """Takes the place of bandit's list of results: keeps the node beside each."""

    def __init__(self, visitor: Any) -> None:  # noqa: ANN401 (bandit has no types)
        super().__init__()
        self._visitor = visitor

    def append(self, issue: Any) -> None:  # noqa: ANN401 (as above)
        super().append((issue, self._visitor.context.get("node")))


class _Bandit:
    """Looks at one file after the other."""

    def __init__(self, rules: Any) -> None:  # noqa: ANN401 (bandit has no types)
        self._rules = rules
        self._metrics = _core("metrics").Metrics()
        self._meta = _core("meta_ast").BanditMetaAst()
        self._visitor = _core("node_visitor").BanditNodeVisitor
        self._url = _core("docs_utils").get_url
        self._places = importlib.import_module("hookci.scan.bandit.places")

    def look(self, data: bytes) -> dict[str, Any]:
        """What came of a file: ``findings``, rules that ``crashed``, or why it ``failed``."""
        try:
            return self._look(data)
        except SyntaxError as error:
            reason = f"syntax error while parsing AST from file: {error.msg}"
            return {"failed": reason, "line": error.lineno or 0}
        except Exception as error:  # noqa: BLE001 (whatever it is, the file was not scanned)
            return {"failed": f"exception while scanning file: {_told(error)}", "line": 0}

    def _look(self, data: bytes) -> dict[str, Any]:
        visitor = self._visitor(_NAME, io.BytesIO(data), self._meta, self._rules, False, {}, self._metrics)  # noqa: FBT003 (bandit's)
        visitor.tester.results = kept = _Kept(visitor)
        crashed: dict[tuple[str, int], tuple[Any, Exception]] = {}

        def report_error(test: str, context: Any, error: Exception) -> None:  # noqa: ANN401 (bandit has no types)
            crashed.setdefault((test, getattr(context.node, "lineno", 0)), (context.node, error))

        visitor.tester.report_error = report_error
        self._spare(visitor)
        visitor.process(data)
        if not kept and not crashed:
            return {"findings": []}
        source = self._places.Source(data)
        return {
            "findings": [
                self._places.described(issue, node, source) | {"url": self._url(issue.test_id)} for issue, node in kept
            ],
            "crashed": [
                {
                    "name": test,
                    "message": _told(error),
                    "line": line,
                    "code": source.between(node, node) if line else "",
                }
                for (test, line), (node, error) in crashed.items()
            ],
        }

    def _spare(self, visitor: Any) -> None:  # noqa: ANN401 (bandit has no types)
        """Leave out what takes most of bandit's time and has no part in what it finds."""
        tester, tests = visitor.tester, self._rules.tests
        run = tester.run_tests
        # a score, and a look at kinds of nodes that no rule is for
        visitor.update_scores = lambda _scores: None
        tester.run_tests = lambda context, kind: run(context, kind) if kind in tests else None
        # comments are ours to judge; bandit would go over every line of a statement for each of its rules
        tester._get_nosecs_from_contexts = lambda *_context, **_result: None  # noqa: SLF001


def _told(error: Exception) -> str:
    return traceback.format_exception_only(error)[-1].strip().splitlines()[0]


def _work(task: dict[str, Any]) -> None:
    _load_bandit(task["sites"])
    names = _names()  # before a link is made, for which bandit changes them
    rules, notes = _narrowed(task)
    bandit, results = _Bandit(rules), Path(task["results"])
    (results / "head").write_text(json.dumps({"names": names, "notes": notes}))
    gc.freeze()  # what is there now stays, and is shared by all
    gc.set_threshold(_YOUNG)
    taken, given = os.pipe()
    for number in range(task["processes"]):
        if not os.fork():
            os.close(given)
            os._exit(_share(bandit, task, taken, results / str(number)))
    os.close(taken)
    _deal(given, len(task["files"]))
    for _ in range(task["processes"]):
        os.wait()


def _deal(given: int, count: int) -> None:
    """Put the indices of all files where the first process that is free takes the next one."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(given, "wb") as queue:
        queue.writelines(index.to_bytes(_INDEX, "big") for index in range(count))


def _share(bandit: _Bandit, task: dict[str, Any], taken: int, results: Path) -> int:
    """What one process does: the exit status."""
    with Path(task["contents"]).open("rb") as contents, results.open("wb", buffering=0) as told:
        while index := os.read(taken, _INDEX):
            number, offset, size = task["files"][int.from_bytes(index, "big")]
            told.write(b"[%d]\n" % number)
            contents.seek(offset)
            told.write(json.dumps([number, bandit.look(contents.read(size))]).encode() + b"\n")
    return 0


def main(task: str) -> int:
    """Do a task; what prevents it as a whole goes to stdout in one line."""
    try:
        _work(json.loads(Path(task).read_bytes()))
    except Exception as error:  # noqa: BLE001 (told, and the caller sees which files have no row)
        sys.stdout.write(f"{_told(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
