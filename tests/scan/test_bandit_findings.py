"""Bandit's findings in our words: what, where, and what makes two of them the same."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from bandit_samples import SHELL, findings_of, places, scan_files

from hookci.model.finding import Confidence, Finding, Severity
from hookci.scan.bandit.adapter import BanditScanner
from hookci.scan.bandit.findings import is_test_file
from hookci.scan.identity import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

WORD = "correct" + "horse"


def one(tmp_path: Path, rule: str, source: str | bytes) -> Finding:
    """The one finding of a rule."""
    (finding,) = [finding for finding in findings_of(tmp_path, source) if finding.rule == rule]
    return finding


def test_a_finding_says_what_where_and_how_bad(tmp_path: Path) -> None:
    finding = one(tmp_path, "B602", SHELL)

    assert finding == Finding(
        tool="bandit",
        rule="B602",
        name="subprocess_popen_with_shell_equals_true",
        message="subprocess call with shell=True identified, security issue.",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        path="app.py",
        line=2,
        column=1,
        end_line=2,
        end_column=33,
        text="subprocess.call(cmd, shell=True)",
        code="subprocess.call(cmd, shell=True)",
        help_uri=finding.help_uri,
        aliases=("CWE-78",),
    )
    assert finding.help_uri.endswith("/plugins/b602_subprocess_popen_with_shell_equals_true.html")


def test_a_rule_that_goes_by_a_list_of_names_has_a_name_of_its_own(tmp_path: Path) -> None:
    finding = one(tmp_path, "B404", SHELL)

    assert (finding.name, finding.severity) == ("import_subprocess", Severity.LOW)
    assert finding.help_uri.endswith("blacklists/blacklist_imports.html#b404-import-subprocess")


def test_columns_count_code_points_whatever_the_encoding(tmp_path: Path) -> None:
    beyond = "\N{GOTHIC LETTER AHSA}"
    japanese = "# coding: euc-jp\ne = '日本'; eval(e)"

    utf8 = one(tmp_path, "B307", f"é = '日本{beyond}'; eval(é)")
    other = one(tmp_path, "B307", japanese.encode("euc-jp"))

    assert (utf8.column, utf8.end_column, utf8.code) == (12, 19, "eval(é)")
    assert (other.line, other.column, other.text) == (2, 11, "e = '日本'; eval(e)")


def test_lines_are_pythons_own_whatever_ends_them(tmp_path: Path) -> None:
    for source in ("a = 1\r\neval(a)\r\n", "a = 1\reval(a)\r", "a = '\x0c\u2028'\neval(a)\n"):
        finding = one(tmp_path, "B307", source)

        assert (finding.line, finding.column, finding.end_column, finding.text) == (2, 1, 8, "eval(a)"), source


def test_of_a_call_over_many_lines_the_first_five_are_shown(tmp_path: Path) -> None:
    source = "eval(\n" + "    a +\n" * 8 + "    a)\n"

    finding = one(tmp_path, "B307", source)

    assert (finding.line, finding.end_line, finding.end_column) == (1, 10, 7)
    assert finding.text.count("\n") == 4
    assert finding.code == source.rstrip()


def test_the_line_is_the_one_that_bandit_names_within_the_call(tmp_path: Path) -> None:
    finding = one(tmp_path, "B602", "import subprocess\nsubprocess.call(\n    cmd,\n    shell=True,  # why\n)\n")

    assert (finding.line, finding.column, finding.text) == (4, 5, "    shell=True,  # why")
    assert finding.code == "subprocess.call(\n    cmd,\n    shell=True,  # why\n)"


def test_a_message_does_not_tell_the_password(tmp_path: Path) -> None:
    finding = one(tmp_path, "B105", "password = 'open sesame'\n")

    assert finding.message == "Possible hardcoded password"


def test_text_that_shows_backwards_is_found(tmp_path: Path) -> None:
    finding = one(tmp_path, "B613", "a = 1\n# \u202e backwards\n")

    assert (finding.line, finding.column, finding.end_column) == (2, 3, 4)


@pytest.mark.parametrize(
    ("rule", "source", "code"),
    [
        ("B105", f"password = '{WORD}'", f"password = '{WORD}'"),
        ("B105", f"a = {{'b': 1, 'password': '{WORD}'}}", f"'password': '{WORD}'"),
        ("B105", f"if password == '{WORD}': pass", f"password == '{WORD}'"),
        ("B105", f"conf['password'] = '{WORD}'", f"conf['password'] = '{WORD}'"),
        ("B107", f"def login(password='{WORD}'):\n    return 1", f"password='{WORD}'"),
        ("B110", "try:\n    a()\nexcept Exception:\n    pass", "except Exception:\n    pass"),
        ("B608", "q = 'select * from ' + t", "q = 'select * from ' + t"),
        ("B608", "run('select %s from t' % a)", "'select %s from t' % a"),
        ("B608", "run(f'select {a} from t')", "f'select {a} from t'"),
        ("B608", "run('select {} from t'.format(a))", "'select {} from t'.format(a)"),
        ("B108", "open('/tmp/a')", "'/tmp/a'"),
        ("B613", "a = 1  # \u202e", "a = 1  # \u202e"),
    ],
)
def test_the_code_is_what_the_rule_matched_and_little_else(tmp_path: Path, rule: str, source: str, code: str) -> None:
    assert one(tmp_path, rule, source).code == code


BASE = """import os
import subprocess


def deploy(cmd):
    os.system("deploy " + cmd)
    subprocess.call(cmd, shell=True)


class Runner:
    def run(self, name):
        return subprocess.call("run " + name, shell=True)

    def other(self, name):
        return name
"""


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("import os\n", "# a line above\nimport os\n", 0),
        ("subprocess.call(cmd, shell=True)", "subprocess.call(\n        cmd,\n        shell=True,\n    )", 0),
        ("(cmd, shell=True)", "( cmd, shell=True)  # for now", 0),
        ('os.system("deploy " + cmd)', 'os.system("deploy " + cmd)\n    os.system("deploy " + cmd)', 1),
        ("return name\n", "return subprocess.call(name, shell=True)\n", 1),
        ('os.system("deploy " + cmd)\n    subprocess.call(cmd', "subprocess.call([cmd]", 1),
        ("subprocess.call(cmd, shell", "subprocess.call(command, shell", 1),
        ("def deploy(", "def roll_out(", 0),
    ],
    ids=[
        "line inserted above",
        "call re-formatted over lines",
        "white space and a comment",
        "new identical call in the same function",
        "new of the same kind in another method",
        "new while an old one is fixed",
        "variable renamed",
        "function renamed",
    ],
)
def test_what_is_new_is_counted_by_code(tmp_path: Path, old: str, new: str, count: int) -> None:
    assert old in BASE
    before, after = (
        Counter(fingerprint(finding) for finding in findings_of(tmp_path, source))
        for source in (BASE, BASE.replace(old, new))
    )

    assert (after - before).total() == count


def test_in_a_renamed_file_nothing_is_new_by_its_old_name(tmp_path: Path) -> None:
    before = Counter(fingerprint(finding) for finding in findings_of(tmp_path, BASE, "old.py"))
    after = findings_of(tmp_path, BASE, "new.py")

    assert Counter(fingerprint(finding, "old.py") for finding in after) == before
    assert not Counter(map(fingerprint, after)) & before


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/a.py", True),
        ("src/pkg/test/deep/a.py", True),
        ("src/test_a.py", True),
        ("a_test.py", True),
        ("src/conftest.py", True),
        ("contest.py", False),
        ("latest/a.py", False),
        ("src/tests.py", False),
        ("mytests/a.py", False),
    ],
)
def test_a_test_is_told_by_its_path_in_the_tree(path: str, is_test: bool) -> None:
    assert is_test_file(path) == is_test


def test_asserts_and_made_up_passwords_are_no_findings_in_tests(tmp_path: Path) -> None:
    source = f"import random\nassert login(password='{WORD}')\nrandom.random()\nopen('/tmp/a')\neval(a)\n"

    scanned = scan_files(tmp_path, {"tests/a.py": source, "src/a.py": source})

    assert {rule for path, rule, _ in places(scanned) if path == "tests/a.py"} == {"B307"}
    assert {rule for path, rule, _ in places(scanned) if path == "src/a.py"} == {"B101", "B106", "B108", "B307", "B311"}


def test_a_checkout_below_a_directory_called_tests_is_scanned_in_full(tmp_path: Path) -> None:
    below = tmp_path / "tests"
    below.mkdir()

    assert places(scan_files(below, {"app.py": "assert a\n"})) == {("app.py", "B101", 1)}


def test_the_version_tells_bandits_and_pythons() -> None:
    bandit, implementation, python = BanditScanner().version().split()

    assert bandit.startswith("1.")
    assert (implementation, python) == (sys.implementation.name, sys.version.split()[0])
