"""What a shell completes, in real shells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pexpect
import pytest
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

CONFIG = """
[jobs.unit]
script = ["true"]
matrix = [{ SEED = ["1", "2"] }]
[jobs.lint]
script = ["true"]
[jobs.test]
script = ["true"]
[jobs.browser]
stage = "integration"
script = ["true"]
"""
ASKED = ["test", "integration", "unit", "lint", "job:test", "browser"]


@pytest.fixture
def project(repo: Repo) -> Repo:
    repo.commit({"hookci.toml": CONFIG})
    repo.git("branch", "release/1")
    repo.git("tag", "v1.0")
    return repo


def bash(repo: Repo, line: str) -> list[str]:
    """What bash offers at the end of ``line``; fails when anything else is written."""
    *words, last = line.split(" ")
    array = " ".join(f"'{word}'" for word in [*words, last])
    script = (
        'eval "$(hookci completion bash)"\n'
        f"COMP_WORDS=({array}); COMP_CWORD={len(words)}\n"
        "_hookci_completion hookci\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    ran = repo.run("bash", "--norc", "--noprofile", "-c", script)
    assert ran.stderr == ""
    return ran.stdout.split()


def zsh(repo: Repo, line: str) -> list[str]:
    """What zsh's function gets to offer at the end of ``line``; descriptions left out."""
    script = (
        "autoload -U compinit; compinit -u\n"
        "compadd() { print -rl -- ${(P)@[-1]} }\n"
        "_describe() { print -rl -- ${(P)@[-2]} }\n"
        'eval "$(hookci completion zsh)"\n'
        f"words=({' '.join(repr(word) for word in line.split(' '))}); CURRENT=${{#words}}\n"
        "_hookci_completion\n"
    )
    ran = repo.run(needed("zsh"), "-f", "-c", script)
    assert ran.stderr == ""
    return [re.split(r"(?<!\\):", offer)[0].replace("\\:", ":") for offer in ran.stdout.splitlines()]


def fish(repo: Repo, line: str) -> list[str]:
    """What fish offers at the end of ``line``; descriptions left out."""
    script = f"hookci completion fish | source; complete -C '{line}'"
    ran = repo.run(needed("fish"), "--no-config", "-c", script)
    assert ran.stderr == ""
    return [offer.partition("\t")[0] for offer in ran.stdout.splitlines()]


SHELLS = pytest.mark.parametrize("shell", [bash, zsh, fish], ids=lambda shell: shell.__name__)


@SHELLS
@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("hookci pla", ["plan", "play"]),
        ("hookci run ", ASKED),
        ("hookci plan u", ["unit"]),
        ("hookci run lint bro", ["browser"]),
        ("hookci forget l", ["lint"]),
        ("hookci run --rev ", ["HEAD", "main", "release/1", "v1.0"]),
        ("hookci plan --rev rel", ["release/1"]),
        ("hookci run --hook pre-c", ["pre-commit"]),
        ("hookci schema ru", ["run", "runs"]),
        ("hookci completion f", ["fish"]),
        ("hookci run nosuch", []),
    ],
)
def test_commands_stages_jobs_and_revisions_are_completed(
    project: Repo, shell: Callable[[Repo, str], list[str]], line: str, offers: list[str]
) -> None:
    found = shell(project, line)

    assert sorted(found) == sorted(offers)


@SHELLS
def test_runs_and_their_jobs_are_completed(project: Repo, shell: Callable[[Repo, str], list[str]]) -> None:
    project.hookci("run", "lint")
    project.hookci("run", "browser")

    assert sorted(shell(project, "hookci log ")) == ["1", "2"]
    assert shell(project, "hookci log 1 ") == ["lint"]
    assert shell(project, "hookci log 9 ") == []


@pytest.mark.parametrize("line", ["hookci run ", "hookci log ", "hookci log 1 ", "hookci run --rev "])
def test_where_nothing_can_be_known_nothing_is_offered_and_nothing_is_said(repo: Repo, line: str) -> None:
    repo.write_files({"hookci.toml": "broken ["})
    repo.git("config", "hookci.nosuch", "1")
    outside = repo.path.parent / "outside"
    outside.mkdir()

    assert bash(repo, line) == []
    repo.path = outside
    assert bash(repo, line) == []


def test_a_command_that_does_not_exist_is_no_error_while_the_line_is_typed(repo: Repo) -> None:
    assert "run" in bash(repo, "hookci nosuch ")


def test_names_that_a_shell_would_take_apart_are_not_offered(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs."a b"]\nscript = ["true"]\n[jobs."größe"]\nscript = ["true"]\n'})
    repo.git("branch", "odd;name")

    assert bash(repo, "hookci run ") == ["test", "größe"]
    assert bash(repo, "hookci run --rev o") == []


@pytest.mark.parametrize(
    ("program", "options", "before"),
    [("bash", ["--norc", "--noprofile", "-i"], ""), ("zsh", ["-f", "-i"], "autoload -U compinit; compinit -u; ")],
)
def test_the_tab_key_completes_a_job(project: Repo, program: str, options: list[str], before: str) -> None:
    shell = pexpect.spawn(
        needed(program), options,
        cwd=str(project.path), env={**project.env, "PS1": "> "}, encoding="utf-8", timeout=30,
    )  # fmt: skip
    shell.expect_exact("> ")
    shell.sendline(f'{before}eval "$(hookci completion {program})"; echo rea""dy')
    shell.expect("ready\r\n")

    shell.send("hookci plan bro\t")
    shell.expect_exact("browser ")
    shell.sendline("--json")

    shell.expect(re.escape('"label": "main"'))
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
    shell.close()
