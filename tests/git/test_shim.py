from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hookci.git.shims import Shim, find_shim, read_shim

SHELLS = [name for name in ("dash", "bash", "busybox", "sh") if shutil.which(name)]
RECORDER = """\
import json, pathlib, sys
here = pathlib.Path(__file__).parent
call = {"argv": sys.argv[1:], "isolated": sys.flags.isolated, "stdin": sys.stdin.buffer.read().decode("latin-1")}
with open(here / "calls", "a") as calls:
    calls.write(json.dumps(call) + "\\n")
print("hookci ran")
sys.exit(int((here / "status").read_text()))
"""
LINES = "refs/heads/a 1111 refs/heads/a 0000\nrefs/tags/v1 2222 refs/tags/v1 3333\n"


@dataclass
class Bench:
    """A directory of hooks, and a program in hookci's place that records how it is called."""

    directory: Path
    main: Path
    python: Path = Path(sys.executable)

    def put(self, name: str, *, before: str = "", python: Path | None = None, main: Path | None = None) -> Path:
        path = self.directory / name
        path.write_bytes(Shim(name, python or self.python, main or self.main, before).fill(read_shim()))
        path.chmod(0o755)
        return path

    def keep(self, name: str, script: str, mode: int = 0o755) -> None:
        kept = self.directory / "before-hookci" / name
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(f"#!/bin/sh\n{script}\n")
        kept.chmod(mode)

    def decide(self, status: int) -> None:
        (self.main.parent / "status").write_text(str(status))

    @property
    def calls(self) -> list[dict[str, object]]:
        recorded = self.main.parent / "calls"
        return [json.loads(line) for line in recorded.read_text().splitlines()] if recorded.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    # every path holds what a shell would trip over
    directory, program = tmp_path / "the user's $hooks", tmp_path / 'it\'s `here` "now" @main@'
    directory.mkdir()
    program.mkdir()
    (program / "__main__.py").write_text(RECORDER)
    made = Bench(directory, program / "__main__.py")
    made.decide(0)
    return made


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return ["busybox", "sh"] if request.param == "busybox" else [str(shutil.which(request.param))]


def run(argv: list[str | Path], stdin: str = "", **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=stdin.encode("latin-1"), capture_output=True, env=env, timeout=60, check=False)


def test_the_shim_is_posix_sh(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-push")

    checked = run([*shell, "-n", shim])

    assert (checked.returncode, checked.stderr) == (0, b"")


def test_the_first_lines_say_what_it_is() -> None:
    lines = read_shim().decode().splitlines()

    assert lines[0] == "#!/bin/sh"
    assert lines[1].startswith("# Written by `hookci install`")
    assert lines[2] == "# hookci shim 1"


@pytest.mark.parametrize("status", [0, 1, 3, 130])
def test_hookci_decides_when_there_was_no_hook(bench: Bench, shell: list[str], status: int) -> None:
    shim = bench.put("pre-push")
    bench.decide(status)

    ended = run([*shell, shim, "origin", "/a path/with 'quotes'"], LINES)

    assert ended.returncode == status
    assert bench.calls == [
        {"argv": ["hook", "pre-push", "--", "origin", "/a path/with 'quotes'"], "isolated": 1, "stdin": LINES}
    ]


@pytest.mark.parametrize("name", ["pre-commit", "pre-merge-commit", "pre-push"])
def test_it_starts_without_any_environment(bench: Bench, name: str) -> None:
    shim = bench.put(name)
    bench.keep(name, 'echo "kept $(basename "$0")"')

    ended = run(["/usr/bin/env", "-i", shim], LINES)

    assert (ended.returncode, ended.stdout) == (0, f"kept {name}\nhookci ran\n".encode())


def test_a_kept_pre_push_reads_the_same_lines_as_hookci(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-push")
    bench.keep("pre-push", 'printf "%s\\n" "$@" >"$0.argv"; cat >"$0.stdin"')

    ended = run([*shell, shim, "origin", "a b"], LINES)

    kept = bench.directory / "before-hookci"
    assert ended.returncode == 0
    assert (kept / "pre-push.argv").read_text() == "origin\na b\n"
    assert (kept / "pre-push.stdin").read_text() == LINES
    assert [call["stdin"] for call in bench.calls] == [LINES]


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "refs/heads/$HOME`id`$(id)\\n%s 1 refs/heads/\\\\ 2\n",
        "refs/heads/\xc4\x81\x81\x82\x88\xff 1 refs/heads/\xe2\x82\xac 2\n",
        "  refs/heads/a 1 refs/heads/a 2  \nEND\n.\n",
        "".join(f"refs/heads/{number} {'1' * 40} refs/heads/{number} {'2' * 40}\n" for number in range(3000)),
    ],
    ids=["nothing", "shell", "bytes", "marks", "many"],
)
def test_odd_lines_arrive_unchanged_at_both(bench: Bench, shell: list[str], lines: str) -> None:
    shim = bench.put("pre-push")
    bench.keep("pre-push", 'cat >"$0.stdin"')

    run([*shell, shim], lines, LC_ALL="C.UTF-8")

    assert (bench.directory / "before-hookci" / "pre-push.stdin").read_bytes().decode("latin-1") == lines
    assert [call["stdin"] for call in bench.calls] == [lines]


def test_a_kept_pre_push_need_not_read(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-push")
    bench.keep("pre-push", "exit 0")
    lines = "refs/heads/a 1 refs/heads/a 2\n" * 20_000

    ended = run([*shell, shim], lines)

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert [call["stdin"] for call in bench.calls] == [lines]


@pytest.mark.parametrize("name", ["pre-commit", "pre-push", "post-merge", "commit-msg"])
def test_a_kept_hook_refuses_with_its_own_status_and_hookci_is_not_asked(
    bench: Bench, shell: list[str], name: str
) -> None:
    shim = bench.put(name)
    bench.keep(name, "echo no >&2; exit 7")

    ended = run([*shell, shim], LINES)

    assert (ended.returncode, ended.stderr, bench.calls) == (7, b"no\n", [])


def test_a_kept_hook_that_is_not_executable_does_not_run(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-commit")
    bench.keep("pre-commit", "exit 7", mode=0o644)

    ended = run([*shell, shim])

    assert (ended.returncode, len(bench.calls)) == (0, 1)


def test_a_kept_hook_without_an_interpreter_line_runs_in_sh(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-commit")
    bench.keep("pre-commit", "")
    (bench.directory / "before-hookci" / "pre-commit").write_text("exit 9\n")

    ended = run([*shell, shim])

    assert ended.returncode == 9


@pytest.mark.parametrize("name", ["post-merge", "post-commit", "post-rewrite", "commit-msg", "pre-rebase"])
def test_other_hooks_run_what_was_there_and_never_start_python(bench: Bench, shell: list[str], name: str) -> None:
    shim = bench.put(name, python=Path("/gone/python"))
    bench.keep(name, 'printf "%s %s " "$@"; cat')

    ended = run([*shell, shim, "1", "2"], "old new\n")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"1 2 old new\n", b"")


def test_hooks_of_a_global_directory_run_first(bench: Bench, shell: list[str], tmp_path: Path) -> None:
    everybodys = tmp_path / "everybody's hooks"
    everybodys.mkdir()
    (everybodys / "pre-push").write_text('#!/bin/sh\necho "$0 $1 $(cat)"\n')
    (everybodys / "pre-push").chmod(0o755)
    shim = bench.put("pre-push", before=str(everybodys))
    bench.keep("pre-push", "exit 7")

    ended = run([*shell, shim, "origin"], "a 1 b 2\n")

    assert ended.stdout.decode() == f"{everybodys}/pre-push origin a 1 b 2\nhookci ran\n"


@pytest.mark.parametrize("name", ["pre-commit", "pre-merge-commit", "pre-push"])
def test_without_its_interpreter_it_refuses_in_one_line(bench: Bench, shell: list[str], name: str) -> None:
    shim = bench.put(name, python=Path("/x y/bin/python"))

    ended = run([*shell, shim], LINES)

    assert (ended.returncode, ended.stdout) == (3, b"")
    assert ended.stderr.decode() == (
        f"hookci: {name} refused: /x y/bin/python is gone; run `hookci install` again, "
        f"or `hookci uninstall` to go without (by hand: delete {shim})\n"
    )


def test_without_its_package_it_refuses_and_the_way_out_keeps_the_kept_hook(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-push", main=Path("/x/hookci/__main__.py"))
    bench.keep("pre-push", "cat >/dev/null")

    ended = run([*shell, shim], LINES)

    assert ended.returncode == 3
    assert ended.stderr.decode() == (
        "hookci: pre-push refused: /x/hookci/__main__.py is gone; run `hookci install` again, "
        f"or `hookci uninstall` to go without (by hand: move {bench.directory}/before-hookci/pre-push to {shim})\n"
    )


def test_without_hookci_the_way_out_of_a_chain_is_gits_setting(bench: Bench, shell: list[str]) -> None:
    shim = bench.put("pre-commit", python=Path("/gone"), before="/etc/hooks")

    ended = run([*shell, shim])

    assert ended.stderr.decode().endswith("(by hand: git config --unset core.hooksPath)\n")


def test_a_dangling_interpreter_counts_as_gone(bench: Bench, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(tmp_path / "nowhere")
    shim = bench.put("pre-commit", python=python)

    ended = run([shim])

    assert ended.returncode == 3
    assert f"{python} is gone".encode() in ended.stderr


def test_what_was_filled_in_is_found_again(bench: Bench) -> None:
    shim = bench.put("pre-push", before="/it's\na 'global' one")

    assert find_shim(shim) == Shim("pre-push", bench.python, bench.main, "/it's\na 'global' one")


def test_a_shim_of_another_version_is_ours_and_everything_else_is_not(tmp_path: Path) -> None:
    hook = tmp_path / "pre-push"
    found = []
    for text in (
        "#!/bin/sh\n# old\n# hookci shim 0\n",
        "#!/bin/sh\n# hookci shim 12\n",
        "#!/bin/sh\nx\n# hookci shim 1\n",
    ):
        hook.write_text(text)
        found.append(find_shim(hook) is not None)
    hook.write_bytes(b"\x7fELF\0\xff")
    (tmp_path / "link").symlink_to(hook)

    assert found == [True, True, False]
    assert find_shim(hook) is None
    assert find_shim(tmp_path / "link") is None
    assert find_shim(tmp_path / "missing") is None


@pytest.mark.parametrize("shipped", [True, False])
def test_an_installed_hookci_brings_its_shim_along_or_says_what_is_missing(tmp_path: Path, shipped: bool) -> None:
    package = tmp_path / "site" / "hookci"
    shutil.copytree(
        Path(__file__).parents[2] / "hookci", package, ignore=shutil.ignore_patterns("_hooks", "__pycache__")
    )
    if shipped:
        (package / "_hooks").mkdir()
        (package / "_hooks" / "shim").write_text("the shim")

    code = "import sys; sys.path.insert(0, sys.argv[1])\n"
    code += "from hookci.git.shims import read_shim; print(read_shim().decode())"
    ended = run([sys.executable, "-I", "-c", code, package.parent])

    missing = f"hookci is installed without its hooks: there is no {package}/_hooks/shim\n"
    assert ended.stdout == (b"the shim\n" if shipped else b"")
    assert ended.stderr.decode().endswith("" if shipped else missing)
