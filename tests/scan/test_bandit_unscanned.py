"""Files that bandit cannot look at are findings; nothing is left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bandit_samples import SHELL, SLOW, places, scan_files, unscanned
from desk_samples import desk, oid_of, runner, tree

from hookci.errors import HookciError
from hookci.model.finding import Confidence, Severity
from hookci.model.scan import Scan
from hookci.proc.supervise import Cancel
from hookci.scan.adapter import ScanStoppedError
from hookci.scan.bandit.adapter import BanditScanner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.scan.adapter import Finished

    Run = Callable[[Sequence[str], Mapping[str, str], float], Finished]

SUM = "a = " + "+".join(["1"] * 5000) + "\nimport os\nos.system('rm ' + a)\n"
LATIN = "name = 'Zoë'\n".encode("latin-1")


def test_what_cannot_be_parsed_or_walked_blocks_and_the_rest_is_scanned(tmp_path: Path) -> None:
    broken = "a = 1\nif a\n    pass\n"
    files: dict[str, str | bytes] = {"sum.py": SUM, "latin.py": LATIN, "broken.py": broken, "good.py": SHELL}

    scanned = scan_files(tmp_path, files)

    found = unscanned(scanned)
    assert {path: finding.message for path, finding in found.items()} == {
        "broken.py": "syntax error while parsing AST from file: expected ':'",
        "latin.py": found["latin.py"].message,
        "sum.py": found["sum.py"].message,
    }
    assert "codec can't decode" in found["latin.py"].message
    assert found["sum.py"].message.startswith("exception while scanning file: RecursionError")
    assert (found["broken.py"].line, found["broken.py"].code) == (2, oid_of(broken.encode()))
    assert {(one.severity, one.confidence) for one in found.values()} == {(Severity.HIGH, Confidence.HIGH)}
    assert ("good.py", "B602", 2) in places(scanned)
    assert scanned.files == 1


@pytest.mark.parametrize(
    "source",
    [
        b"\0",
        b"# coding: no-such\n",
        b"\xff\xfea\0",
        "a = " + "-" * 200_000 + "1",
        "(" * 300,
        "if 1:\n" + " " * 3 + "\t1\n  2",
    ],
    ids=["null byte", "unknown encoding", "utf-16", "a chain", "parentheses", "indentation"],
)
def test_whatever_python_does_not_read_is_told(tmp_path: Path, source: str | bytes) -> None:
    assert set(unscanned(scan_files(tmp_path, {"a.py": source}))) == {"a.py"}


def test_a_rule_that_crashes_leaves_a_finding_where_it_did(tmp_path: Path) -> None:
    source = "import importlib\nname = 'a'\nimportlib.import_module(**{'name': name})\neval(name)\n"

    scanned = scan_files(tmp_path, {"a.py": source})

    finding = unscanned(scanned)["a.py"]
    assert finding.message == "rule blacklist crashed here: KeyError: 'name'"
    assert (finding.line, finding.code) == (3, "blacklist: importlib.import_module(**{'name': name})")
    assert ("a.py", "B307", 4) in places(scanned)


def test_a_rule_that_crashes_all_along_a_line_is_told_once(tmp_path: Path) -> None:
    scanned = scan_files(tmp_path, {"a.py": "a = " + " + ".join(["'b'"] * 600) + "\n"})

    (finding,) = scanned.findings
    assert finding.message.startswith("rule hardcoded_sql_expressions crashed here: RecursionError")
    assert finding.line == 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    scanned = BanditScanner().scan(tree({"b.py": SHELL}), ["a.py"], Scan(tool="bandit"), desk(tmp_path))

    assert unscanned(scanned)["a.py"].message == "the file is not there"


@pytest.mark.parametrize("processors", [1, 2])
def test_a_file_that_kills_bandit_is_told_and_the_rest_is_scanned(tmp_path: Path, processors: int) -> None:
    files = {"slow.py": SLOW, **{f"good{number}.py": SHELL for number in range(5)}}
    directory = tmp_path / "desk"
    inner = runner(directory)

    def with_a_second_of_cpu(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
        return inner(["/bin/sh", "-c", 'ulimit -t 1; exec "$@"', "sh", *argv], environment, timeout)

    scanned = scan_files(tmp_path, files, processors=processors, directory=directory, run=with_a_second_of_cpu)

    assert {path: finding.message for path, finding in unscanned(scanned).items()} == {
        "slow.py": "it crashed the scanner"
    }
    assert {path for path, rule, _ in places(scanned) if rule == "B602"} == {f"good{number}.py" for number in range(5)}
    assert scanned.files == 5


def test_a_file_that_takes_for_ever_is_told_and_the_rest_is_scanned(tmp_path: Path) -> None:
    directory = tmp_path / "desk"
    inner = runner(directory)
    deadlines = iter([1.5])

    def impatient(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
        return inner(argv, environment, next(deadlines, timeout))

    scanned = scan_files(
        tmp_path, {"slow.py": SLOW, "good.py": SHELL}, processors=1, directory=directory, run=impatient
    )

    assert unscanned(scanned)["slow.py"].message == "it took too long for the scanner"
    assert ("good.py", "B602", 2) in places(scanned)


def test_a_cancelled_scan_stops(tmp_path: Path) -> None:
    directory, cancel = tmp_path / "desk", Cancel()
    inner = runner(directory, cancel)

    def cancelled_meanwhile(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
        cancel.request("a new push")
        return inner(argv, environment, timeout)

    def check() -> None:
        if cancel.reason:
            raise ScanStoppedError

    with pytest.raises(ScanStoppedError):
        scan_files(tmp_path, {"a.py": SHELL}, directory=directory, run=cancelled_meanwhile, check=check)


def test_a_bandit_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    directory = tmp_path / "desk"
    inner = runner(directory)

    def without_bandit(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
        script = "import runpy, sys; sys.modules['bandit'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
        return inner([argv[0], "-I", "-c", script, *argv[2:]], environment, timeout)

    with pytest.raises(HookciError, match="bandit could not be started: ModuleNotFoundError"):
        scan_files(tmp_path, {"a.py": SHELL}, directory=directory, run=without_bandit)
    with pytest.raises(HookciError, match="bandit could not be started: exit status 1"):
        scan_files(tmp_path, {"a.py": SHELL}, python="/bin/false")


def test_one_process_per_processor_gives_what_one_alone_gives(tmp_path: Path) -> None:
    sources = {f"m{number}.py": SHELL + "# a line\n" * 5000 * number for number in range(6)}

    alone, shared = (scan_files(tmp_path, sources, processors=count) for count in (1, 3))

    assert alone == shared
    assert shared.files == 6
