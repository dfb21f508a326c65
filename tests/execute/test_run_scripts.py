"""What a job's commands can rely on: one shell, the first failure ends it, nothing on standard input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from execute_tools import outcomes, output, run, said

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors


def test_before_script_and_script_share_one_shell_and_after_script_has_its_own(repo: Repo) -> None:
    repo.commit({"sub/file": "", "hookci.toml": """
        [jobs.a]
        before_script = ["cd sub", "SEEN=yes", "greet() { echo hello $1; }"]
        script = ["ls", "greet $SEEN"]
        after_script = ["ls -d sub", "echo seen=$SEEN status=$CI_JOB_STATUS"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == ["file", "hello yes", "sub", "seen= status=success"]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("false", "exit status 1"),
        ("exit 3", "exit status 3"),
        ("false | true", "exit status 1"),
        ("(exit 4)", "exit status 4"),
        ("! true", "exit status 1"),
        ("! true 2>&1", "exit status 1"),
        ("! echo 'a;b' | grep -q ';'", "exit status 1"),
        ("! true # nobody", "exit status 1"),
        ("! cat <<END\nx\nEND", "exit status 1"),
        ("! [ 1 = 1 ] && echo never", "exit status 1"),
        ("cat <<END | grep zzz\nx\nEND", "exit status 1"),
        ("cat <<'END' > /dev/null\nx\nEND\nfalse", "exit status 1"),
        ("echo one\nfalse\necho two", "exit status 1"),
        ("no-such-program-anywhere", "exit status 127"),
        ("if true; then", "exit status 2"),
        ("sh -c 'kill -TERM $$'", "exit status 143 (SIGTERM)"),
    ],
)
def test_the_first_command_that_fails_ends_the_job_and_is_named(repo: Repo, command: str, status: str) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        before_script = ["echo begun"]
        script = ['''{command}''', "echo went on"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    first = command.splitlines()[0]
    more = " ..." if "\n" in command else ""
    assert ran.returncode == 1
    assert "begun" in said(ran, "a")
    assert "went on" not in said(ran, "a")
    assert "two" not in said(ran, "a")
    assert re.search(rf"^a failed in [0-9.]+s: {re.escape(status)}$", ran.stdout, re.MULTILINE), ran.stdout
    assert f"  command: {first}{more}\n" in ran.stdout


@pytest.mark.parametrize(
    "command",
    [
        "! false",
        "! grep -q 'a;b' /dev/null 2>&1",
        "! false # nobody",
        "! cat /no/such/file <<END 2>/dev/null\nx\nEND",
        "false || true",
        "if false; then exit 1; fi",
        "[ -e no-such-file ] && rm no-such-file",
        "x=$(echo 1) && [ $x = 1 ]",
        "cat <<'END'\n$ not a 'quote\nEND",
        "for i in 1 2; do\n  echo $i\ndone",
        "trap 'echo ended' EXIT",
        "[[ a = a ]]",
        "set -u; echo ${X:-unset}",
    ],
)
def test_what_does_not_fail_in_a_shell_does_not_fail_in_a_job(repo: Repo, command: str) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        script = ['''{command}''', "echo went on"]
    """})  # fmt: skip

    ran = run(repo)

    assert "went on" in said(ran, "a")


def test_commands_are_shown_and_run_as_they_were_written(repo: Repo) -> None:
    repo.commit({"hookci.toml": r"""
        [jobs.a]
        script = ['''printf '%s|' "100%" 'a\nb' "it's" "$HOME$" ; echo''']
        variables = { HOME = "/h" }
        [jobs.b]
        script = '''

          cat <<-END
          two  spaces
        END
          '''
    """})  # fmt: skip

    ran = run(repo, "a", "b", check=False)

    assert output(repo, "a").splitlines() == [
        r"""$ printf '%s|' "100%" 'a\nb' "it's" "$HOME$" ; echo""",
        r"100%|a\nb|it's|/h$|",
    ]
    assert ran.stdout.splitlines().count("b           | $ cat <<-END ...") == 1


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_only_command_is_named_when_it_fails(repo: Repo, shell: str) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        shell = "{shell}"
        script = ["exit 7"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert re.search(r"^a failed in [0-9.]+s: exit status 7\n  command: exit 7$", ran.stdout, re.MULTILINE)


def test_of_a_long_script_nothing_is_left_for_the_short_one_after_it(repo: Repo) -> None:
    long = ", ".join(f'"echo {number}"' for number in range(100))
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        script = [{long}]
        [jobs.b]
        needs = ["a"]
        script = ["echo short"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "b") == ["short"]


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_heredoc_without_its_end_does_not_swallow_the_commands_after_it(repo: Repo, shell: str) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        shell = "{shell}"
        script = ["cat <<END\\nit's\\n END", "x=1; [ $((x << 2)) = 4 ]; false <<< word || echo seen", "exit 6"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert "it's" in said(ran, "a")
    assert ": exit status 6\n" in ran.stdout or shell == "sh"
    assert ran.returncode == 1


def test_sh_can_be_asked_for_and_has_the_same_failure_semantics(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [defaults]
        shell = "sh"
        [jobs.good]
        script = ["! false", "echo shell=$0 | sed 's,/.*,,'", "echo arrays=${BASH_VERSION:-none}"]
        after_script = ["echo after"]
        [jobs.bad]
        script = ["! true", "echo went on"]
        allow_failure = true
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "good")[-1] == "after"
    assert "went on" not in said(ran, "bad")
    assert outcomes(repo) == {"good": "passed", "bad": "allowed to fail"}


def test_the_standard_input_of_a_job_is_empty_also_when_ours_is_not(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["cat", "! read line", "echo empty"]\n'})

    ran = run(repo, stdin="words that are not for jobs\n")

    assert said(ran, "a") == ["empty"]


def test_after_script_runs_after_a_failure_and_changes_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.good]
        script = ["true"]
        after_script = ["echo $CI_JOB_STATUS > {tmp_path}/good", "exit 9"]
        [jobs.bad]
        stage = "security"
        script = ["exit 7"]
        after_script = ["echo $CI_JOB_STATUS $HOOKCI_JOB_STATUS > {tmp_path}/bad", "true"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"good": "passed", "bad": "failed"}
    assert (tmp_path / "good").read_text() == "success\n"
    assert (tmp_path / "bad").read_text() == "failed failed\n"
    assert said(ran, "good")[-1] == "hookci: after_script ended with exit status 9; that does not change the result"
    assert re.search(r"^bad failed in [0-9.]+s: exit status 7\n  command: exit 7$", ran.stdout, re.MULTILINE)


def test_after_script_runs_after_a_deadline_and_when_a_sibling_failed(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [defaults]
        after_script = ["echo $CI_JOB_STATUS > {tmp_path}/$CI_JOB_NAME"]
        [jobs.late]
        timeout = "300ms"
        script = ["sleep 60"]
        [jobs.sibling]
        script = ["touch {tmp_path}/begun; sleep 60"]
        [jobs.next]
        stage = "security"
        script = ["true"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2", check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"late": "timed out", "sibling": "cancelled", "next": "skipped"}
    assert (tmp_path / "late").read_text() == "failed\n"
    assert not (tmp_path / "begun").exists() or (tmp_path / "sibling").read_text() == "canceled\n"
    assert not (tmp_path / "next").exists()
    assert "late timed out in " in ran.stdout
    assert "did not end within 0.3 s" in ran.stdout


def test_a_script_that_a_signal_ends_fails_and_the_signal_is_named(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.a]
        script = ["echo begun", "kill -KILL $$", "echo went on"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert ran.returncode == 1
    assert "went on" not in said(ran, "a")
    assert re.search(
        r"^a failed in [0-9.]+s: (ended by SIGKILL|exit status 137 \(SIGKILL\))$", ran.stdout, re.MULTILINE
    )
    assert "  command: kill -KILL $$\n" in ran.stdout
