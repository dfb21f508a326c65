"""The command line of ``hookci scan``: what it takes, and what makes no sense."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repo


def test_the_command_is_known_and_says_what_it_is_for(repo: Repo) -> None:
    assert "  scan " in repo.hookci("--help").stdout
    assert "hookci scan [OPTIONS] [PATH]..." in repo.hookci("scan", "--help").stdout


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["--staged", "--rev", "HEAD"], "--rev and --staged exclude each other"),
        (["--json", "--sarif", "-"], "--json and --sarif - exclude each other"),
        (["--baseline", "write", "app"], "no PATH, --job, --staged or --rev"),
        (["--baseline", "write", "--staged"], "no PATH, --job, --staged or --rev"),
        (["--baseline", "write", "--job", "code"], "no PATH, --job, --staged or --rev"),
        (["--baseline", "read"], "'read' is not 'write'"),
        (["--rev"], "Option '--rev' requires an argument"),
    ],
)
def test_a_line_that_makes_no_sense_is_a_usage_error_before_anything_runs(
    repo: Repo, line: list[str], why: str
) -> None:
    ran = repo.hookci("scan", *line, check=False)

    assert ran.returncode == 2
    assert why in ran.stderr
    assert repo.hookci("runs").stdout == "no runs yet\n"


def test_it_is_an_error_document_for_a_program(repo: Repo) -> None:
    ran = repo.hookci("scan", "--json", "--staged", "--rev", "HEAD", check=False)

    document = json.loads(ran.stdout)
    assert (ran.returncode, document["schema"], document["exit_status"]) == (2, "hookci/error", 2)


def test_a_sarif_file_that_cannot_be_is_an_error_before_anything_runs(repo: Repo) -> None:
    ran = repo.hookci("scan", "--sarif", "nosuch/out.sarif", check=False)

    assert (ran.returncode, ran.stderr) == (2, "error: --sarif: nosuch is not a directory\n")
    assert repo.hookci("runs").stdout == "no runs yet\n"


CONFIG = '[jobs.code]\nscan = "bandit"\n'
SHELL = "import subprocess\n\n\ndef go(command):\n    subprocess.run(command, shell=True)\n"


def test_what_is_found_is_shown_once_and_last(repo: Repo) -> None:
    repo.commit({"hookci.toml": CONFIG})
    repo.write_files({"app.py": SHELL})

    ran = repo.hookci("scan", check=False)

    assert ran.returncode == 1
    assert ran.stdout.count("app.py:5:5: high: B602") == 1
    assert ran.stdout.splitlines()[-1].startswith("hookci: the work tree is red: 1 job failed (code) in ")


def test_sarif_goes_to_a_file_or_alone_to_the_standard_output(repo: Repo) -> None:
    repo.commit({"hookci.toml": CONFIG})
    repo.write_files({"app.py": SHELL, "out.sarif": "left over"})

    beside = repo.hookci("scan", "--sarif", "out.sarif", check=False)
    alone = repo.hookci("scan", "--sarif", "-", check=False)

    assert (beside.returncode, alone.returncode) == (1, 1)
    kept = (repo.path / "out.sarif").read_text()
    assert [one["ruleId"] for run in json.loads(alone.stdout)["runs"] for one in run["results"]] == ["B404", "B602"]
    assert json.loads(kept) == json.loads(alone.stdout)
    assert "app.py:5:5: high: B602" in beside.stdout
    assert "app.py:5:5: high: B602" in alone.stderr


def test_a_baseline_makes_what_is_found_old_and_the_scan_of_it_green(repo: Repo) -> None:
    repo.commit({"hookci.toml": CONFIG})
    repo.write_files({"app.py": SHELL})

    written = repo.hookci("scan", "--baseline", "write")
    later = repo.hookci("scan")
    everything = repo.hookci("scan", "--all", check=False)

    assert written.stderr.startswith(f"wrote {repo.path / 'hookci-baseline.json'}: commit it")
    assert "  found: 2 findings not new\n" in later.stdout
    assert everything.returncode == 1


def test_a_secret_is_in_no_baseline(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.keys]\nscan = "secrets"\n'})
    repo.write_files(
        {"id": f"-----BEGIN {'OPENSSH PRIVATE'} KEY-----\n" + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAA" * 4 + "\n"}
    )

    ran = repo.hookci("scan", "--baseline", "write", check=False)

    assert ran.returncode == 1
    assert "secrets, and what was not scanned, are in no baseline: keys" in ran.stderr
    assert json.loads((repo.path / "hookci-baseline.json").read_text())["findings"] == []
