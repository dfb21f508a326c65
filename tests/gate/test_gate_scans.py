"""Scan jobs at the gate: only what is new blocks, and nothing is called clean that was not scanned."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from guarded import guard, push, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

SCANS = """\
[jobs.code]
scan = "bandit"

[jobs.secrets]
scan = "secrets"

[hooks]
pre-commit = ["code", "secrets"]
"""
OLD = "import subprocess\n\n\ndef start(command):\n    subprocess.call(command, shell=True)\n"
KEY = "AKIA" + "Q3EGRIPDTN4WLZ5H"
PASSWORD = "hunter" + "Zq81xPw3"
TOKEN = "ghp_" + "a8Kq2LmZ0vX4cR7tYbN3wJ6hD9sF1gP5eU2o"


@pytest.fixture
def scanned(make_repo: Callable[..., Repo]) -> Repo:
    """A repository whose remote has a finding already."""
    repo = make_repo()
    repo.commit({"app/run.py": OLD}, "what was there before hookci")
    return guard(repo, SCANS)


def test_what_the_remote_has_already_does_not_block(scanned: Repo) -> None:
    commit = scanned.commit({"app/run.py": "# moved down\n\n" + OLD, "app/new.py": "x = 1\n"})

    ran = push(scanned, "main")

    assert ran.returncode == 0
    assert scanned.remote_refs()["refs/heads/main"] == commit


def test_a_new_finding_refuses_the_push_and_is_shown_with_its_place(scanned: Repo) -> None:
    scanned.commit({"app/run.py": OLD + "\n\ndef stop(command):\n    subprocess.call(command, shell=True)\n"})

    said = refused(push(scanned, "main"))

    assert "app/run.py:9" in said
    assert "B602" in said
    assert "code failed" in said


def test_a_renamed_file_brings_nothing_new(scanned: Repo) -> None:
    scanned.git("mv", "app/run.py", "app/start.py")
    scanned.commit()

    ran = push(scanned, "main")

    assert ran.returncode == 0


def test_a_finding_is_compared_with_the_default_branch_not_with_what_was_pushed_unjudged(scanned: Repo) -> None:
    scanned.git("checkout", "-q", "-b", "topic")
    scanned.commit({"app/eval.py": "def f(x):\n    return eval(x)\n"})
    scanned.git("push", "-q", "--no-verify", "origin", "topic")
    scanned.commit({"app/more.py": "y = 2\n"})

    said = refused(push(scanned, "topic"))

    assert "app/eval.py:2" in said


def test_a_commit_is_compared_with_its_parent(scanned: Repo) -> None:
    scanned.write_files({"app/eval.py": "def f(x):\n    return eval(x)\n"})
    scanned.git("add", "-A")

    ran = scanned.git("commit", "-qm", "eval", check=False)

    assert ran.returncode == 1
    assert "app/eval.py:2" in ran.stderr


def test_a_first_push_to_an_empty_remote_is_compared_with_nothing(make_repo: Callable[..., Repo]) -> None:
    repo = guard(make_repo(), SCANS, push=False)
    repo.commit({"app/run.py": OLD})
    repo.commit({"app/new.py": "x = 1\n"})

    said = refused(push(repo, "main"))

    assert "app/run.py:5" in said
    assert repo.remote_refs() == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("app/deep.py", f"import os\nx = {'+'.join(['1'] * 5000)}\nos.system('rm ' + x)\n".encode()),
        ("app/broken.py", b"def f(:\n"),
        ("app/latin.py", "name = 'caf\u00e9'\n".encode("latin-1")),
    ],
    ids=["a sum of 5,000 terms", "a syntax error", "latin-1"],
)
def test_a_file_that_cannot_be_scanned_blocks_and_is_named(scanned: Repo, name: str, content: bytes) -> None:
    (scanned.path / name).write_bytes(content)
    scanned.commit()

    said = refused(push(scanned, "main"))

    assert name in said
    assert "not scanned" in said


def test_a_file_that_could_not_be_scanned_before_blocks_only_when_it_changes(scanned: Repo) -> None:
    scanned.commit({"app/broken.py": "def f(:\n"})
    scanned.git("push", "-q", "--no-verify", "origin", "main")
    scanned.commit({"app/new.py": "x = 1\n"})
    untouched = push(scanned, "main")

    scanned.commit({"app/broken.py": "def f(:\n    eval(x)\n"})
    said = refused(push(scanned, "main"))

    assert untouched.returncode == 0
    assert "app/broken.py" in said


@pytest.mark.parametrize(
    "files",
    [
        {"copy.py": "raise SystemExit(0)\n", "sitecustomize.py": "raise SystemExit(0)\n", "bandit.py": "x = 1\n"},
        {"docs/deep/.bandit": "[bandit]\nskips: B602,B307\n"},
        {"app/__init__.py": ""},
        {"setup.cfg": "[bandit]\nskips: B307\n", "tox.ini": "[bandit]\nskips: B307\n"},
    ],
    ids=["modules of the scanner's names", "a deep .bandit", "nothing", "other settings"],
)
def test_nothing_in_the_repository_silences_the_scanner(scanned: Repo, files: dict[str, str]) -> None:
    scanned.commit({**files, "app/eval.py": "def f(x):\n    return eval(x)  # nosec B999\n"})

    said = refused(push(scanned, "main", env={"PYTHONPATH": str(scanned.path)}))

    assert "app/eval.py:2" in said
    assert "B307" in said


def test_the_projects_own_settings_narrow_rules_by_name_and_are_shown(scanned: Repo) -> None:
    scanned.commit({"pyproject.toml": '[tool.bandit]\nskips = ["B307"]\n', "app/eval.py": "x = eval('1')\n"})

    ran = push(scanned, "main")

    assert ran.returncode == 0
    assert "skips B307" in scanned.hookci("log", "1", "code").stdout


def test_a_secret_that_a_later_commit_removes_is_found(scanned: Repo) -> None:
    secret = scanned.commit({"deploy.env": f"AWS_ACCESS_KEY_ID={KEY}\n"})
    scanned.git("rm", "-q", "deploy.env")
    scanned.commit()

    said = refused(push(scanned, "main"))

    assert "deploy.env" in said
    assert secret[:8] in said
    assert KEY not in said


def test_a_secret_is_found_when_it_is_committed(scanned: Repo) -> None:
    scanned.write_files({"settings.py": f'TOKEN = "{TOKEN}"\n'})
    scanned.git("add", "-A")

    ran = scanned.git("commit", "-qm", "token", check=False)

    assert ran.returncode == 1
    assert "settings.py:1" in ran.stderr
    assert TOKEN not in ran.stderr


def test_a_secret_stands_nowhere_that_hookci_writes(scanned: Repo) -> None:
    scanned.commit({"settings.py": f'URL = "postgres://app:{PASSWORD}@db.example.com/app"\nTOKEN = "{TOKEN}"\n'})

    ran = push(scanned, "main")
    junit = scanned.path / "junit.xml"
    told = scanned.hookci("run", "--json", "--no-memory", "--junit", str(junit), check=False)
    shown = scanned.hookci("scan", "--sarif", "-", check=False)

    assert ran.returncode == 1
    assert told.returncode == 1
    kept = b"".join(path.read_bytes() for path in (scanned.path / ".git" / "hookci").rglob("*") if path.is_file())
    everything = kept + (ran.output + told.output + shown.output).encode() + junit.read_bytes()
    assert b"settings.py" in everything
    assert TOKEN.encode() not in everything
    assert PASSWORD.encode() not in everything


def test_a_secret_is_let_pass_by_its_hash(scanned: Repo) -> None:
    scanned.commit({"settings.py": f'TOKEN = "{TOKEN}"\n'})
    told = json.loads(scanned.hookci("scan", "--json", check=False).stdout)
    jobs = {job["name"]: job for job in told["run"]["jobs"]}
    shown = jobs["secrets"]["scan"]["findings"][0]["secret"]
    suppression = f'\n[[suppressions]]\nsecret = "{shown}"\nreason = "revoked"\nexpires = 2999-01-01\n'

    scanned.commit({"hookci.toml": SCANS + suppression})
    ran = push(scanned, "main")

    assert ran.returncode == 0


def test_a_suppression_covers_until_its_day_and_an_unused_one_is_told(scanned: Repo) -> None:
    finding = {"app/eval.py": "x = eval('1')\n"}
    entry = '\n[[suppressions]]\nrule = "B307"\npath = "app/*.py"\nreason = "constant"\nexpires = {}\n'

    scanned.commit({**finding, "hookci.toml": SCANS + entry.format("2020-01-01")})
    expired = refused(push(scanned, "main"))
    scanned.commit({**finding, "hookci.toml": SCANS + entry.format("2999-01-01")})
    covered = push(scanned, "main")
    scanned.commit({"app/eval.py": "x = 1\n"})
    unused = push(scanned, "main")

    assert "suppressions[0] covered it until 2020-01-01" in expired
    assert covered.returncode == 0
    assert unused.returncode == 0
    assert "suppressions[0] (B307 in app/*.py) matches nothing any more" in unused.stderr


def test_a_pass_that_rests_on_a_suppression_is_not_recalled_after_its_day(scanned: Repo) -> None:
    entry = '\n[[suppressions]]\nrule = "B307"\npath = "app/*.py"\nreason = "constant"\nexpires = 2999-01-01\n'
    scanned.commit({"app/eval.py": "x = eval('1')\n", "hookci.toml": SCANS + entry})

    scanned.hookci("run")
    again = scanned.hookci("run", "--json")

    outcomes = {job["name"]: job["outcome"] for job in json.loads(again.stdout)["run"]["jobs"]}
    assert outcomes == {"code": "remembered", "secrets": "remembered"}


def test_what_was_scanned_once_is_not_scanned_again(scanned: Repo) -> None:
    scanned.hookci("run")
    with closing(sqlite3.connect(scanned.path / ".git" / "hookci" / "scanned.db")) as memory, memory:
        # what the memory says is believed: only then does this make the old finding disappear
        memory.execute("UPDATE found SET text = '[]'")
    scanned.commit({"app/new.py": "x = eval('1')\n"})

    ran = scanned.hookci("run", "--json", check=False)

    code = next(job for job in json.loads(ran.stdout)["run"]["jobs"] if job["name"] == "code")["scan"]
    assert (code["scanned"], code["unchanged"]) == (2, 0)
    assert [finding["path"] for finding in code["findings"]] == ["app/new.py"]


def test_a_scanner_that_is_not_there_is_an_error_with_the_command_that_installs_it(scanned: Repo) -> None:
    scanned.commit({"hookci.toml": '[jobs.d]\nscan = "safety"\n'})
    hidden = scanned.path.parent / "hidden.py"
    hidden.write_text("import sys\nsys.modules['safety'] = None\nfrom hookci.__main__ import main\nsys.exit(main())\n")

    ran = scanned.run(sys.executable, "-I", str(hidden), "run", check=False)

    assert ran.returncode == 2
    assert "jobs.d.scan: `safety` is not installed here" in ran.stderr
    assert "pip install 'hookci[safety]'" in ran.stderr


def test_dependencies_without_a_database_are_not_called_clean(scanned: Repo) -> None:
    scanned.commit({"hookci.toml": '[jobs.d]\nscan = "dependencies"\n', "requirements.txt": "django==2.2\n"})

    said = refused(push(scanned, "main"))

    assert "hookci advisories update" in said


def test_what_may_stay_unscanned_is_said_on_every_push(scanned: Repo) -> None:
    config = '[jobs.d]\nscan = { tool = "dependencies", allow_unscanned = true }\n'
    scanned.commit({"hookci.toml": config, "requirements.txt": "django==2.2\n"})

    first = push(scanned, "main", "main:other")
    scanned.git("push", "-q", "--no-verify", "origin", ":other")
    second = push(scanned, "main:other")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "not scanned" in first.stderr
    assert "not scanned" in second.stderr


REPORT = {
    "version": "2.1.0",
    "runs": [
        {
            "tool": {"driver": {"name": "grepper"}},
            "results": [
                {
                    "ruleId": "no-todo",
                    "level": "error",
                    "message": {"text": "a TODO"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {"uri": "a.txt"},
                                "region": {"startLine": 1},
                            }
                        }
                    ],
                }
            ],
        }
    ],
}


CLEAN = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "grepper"}}, "results": []}]}


def reporting(*script: str) -> str:
    lines = ", ".join(f"'''{line}'''" for line in ("mkdir -p out", *script))
    return f"[jobs.own]\nscan = {{ sarif = 'out/report.sarif' }}\nscript = [{lines}]\n"


def test_a_report_of_a_jobs_own_scanner_decides_instead_of_its_exit_status(scanned: Repo) -> None:
    script = (
        f"echo '{json.dumps(CLEAN)}' > out/report.sarif",
        f"if grep -q TODO a.txt; then echo '{json.dumps(REPORT)}' > out/report.sarif; exit 1; fi",
    )
    scanned.commit({"hookci.toml": reporting(*script)})
    good = push(scanned, "main")
    scanned.commit({"a.txt": "TODO\n"})

    said = refused(push(scanned, "main"))
    scanned.git("push", "-q", "--no-verify", "origin", "main")
    scanned.commit({"b.txt": "other\n"})
    old = push(scanned, "main")

    assert good.returncode == 0
    assert "a.txt:1" in said
    assert "no-todo" in said
    assert old.returncode == 0


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("true", "out/report.sarif was not written"),
        ("echo '{' > out/report.sarif", "out/report.sarif"),
        ("exit 2", "out/report.sarif was not written"),
    ],
)
def test_a_report_that_says_nothing_blocks(scanned: Repo, script: str, why: str) -> None:
    scanned.commit({"hookci.toml": reporting(script)})

    said = refused(push(scanned, "main"))

    assert why in said


def test_a_report_that_is_tracked_speaks_for_no_scanner(scanned: Repo) -> None:
    empty = json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": []}]})
    scanned.commit({"hookci.toml": reporting("true"), "out/report.sarif": empty})

    said = refused(push(scanned, "main"))

    assert "out/report.sarif was not written" in said
