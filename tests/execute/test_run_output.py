"""What a person sees of a job's output: at once, by job, without secrets and without what a terminal obeys."""

from __future__ import annotations

import base64
import os
import re
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pexpect
import pytest
from conftest import stress
from execute_tools import (
    hookci_started,
    marker,
    next_number,
    on_terminal,
    output,
    rest_of,
    run,
    running,
    said,
    wait_until,
)

if TYPE_CHECKING:
    from conftest import Repo

pytestmark = pytest.mark.executors

PRINT_TIME = """
import sys, time
print("printed", time.time())
time.sleep(2)
"""


def test_a_line_is_in_the_pipe_as_soon_as_it_is_printed(repo: Repo) -> None:
    repo.commit({"now.py": PRINT_TIME, "hookci.toml": '[jobs.a]\nscript = ["python3 now.py"]\n'})
    pattern = re.compile(rb"a           \| printed ([0-9.]+)\n")

    with hookci_started(repo, "run", "--no-memory") as process:
        assert process.stdout
        delays = [time.time() - float(found[1]) for line in process.stdout if (found := pattern.fullmatch(line))]

    assert len(delays) == 1
    assert delays[0] < 0.3 * 4  # 0.3 s, four times for a loaded machine; a buffer would hold it for 2 s


def test_a_line_is_on_the_terminal_as_soon_as_it_is_printed(repo: Repo) -> None:
    repo.commit({"now.py": PRINT_TIME, "hookci.toml": '[jobs.a]\nscript = ["python3 now.py"]\n'})

    screen = on_terminal(repo)
    printed = next_number(screen, "printed ([0-9.]+)")
    seen = time.time()
    rest = rest_of(screen)

    assert screen.exitstatus == 0
    assert "1 job passed (a)" in rest
    assert printed
    assert seen - printed < 0.3 * 4


def test_the_terminal_shows_progress_that_never_ends_its_line(repo: Repo) -> None:
    bar = "for i in $(seq 1 60); do printf '\\r%s of sixty' $i; sleep 0.04; done"
    repo.commit({"hookci.toml": f"[jobs.a]\nscript = ['''{bar}''']\n"})

    screen = on_terminal(repo)
    seen = set()
    while number := next_number(screen, "([0-9]+) of sixty"):
        seen.add(number)
    screen.close()

    assert screen.exitstatus == 0
    assert len(seen - {60}) >= 3  # it wrote more often than we look; the last one alone would be silence until then


def test_output_is_told_by_job_and_stored_whole(repo: Repo) -> None:
    repo.commit({"hookci.toml": r"""
        [jobs.one]
        script = '''printf 'a\nb'; printf 'c\n'; echo err >&2; printf 'no end''''
        [jobs.two]
        script = '''printf '10%%\r50%%\r100%%\n'; printf '\033[31mred\033[0m \033[2J\033]0;title\007gone\n''''
    """})  # fmt: skip

    ran = run(repo, "-j", "1")
    coloured = run(repo, "two", "--color", "always")

    assert said(ran, "one") == ["a", "bc", "err", "no end"]
    assert said(ran, "two") == ["100%", "red gone"]
    assert "\x1b" not in ran.stdout
    assert "\x1b[31mred\x1b[0m gone" in coloured.stdout
    assert "\x1b[2J" not in coloured.stdout
    assert output(repo, "two").splitlines()[1:] == ["100%", "red gone"]


@pytest.mark.parametrize(
    ("options", "env", "coloured"),
    [
        ([], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_only_where_it_is_wanted(repo: Repo, options: list[str], env: dict[str, str], coloured: bool) -> None:
    repo.commit({"hookci.toml": "[jobs.a]\nscript = [\"printf '\\\\033[31mred\\\\033[0m\\\\n'\"]\n"})

    ran = run(repo, *options, env=env)

    assert ("\x1b[31m" in ran.stdout) == coloured
    assert ("\x1b" in ran.stdout) == coloured
    assert "red" in ran.stdout


def test_a_dumb_terminal_gets_lines_and_no_control_sequences(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["echo hello"]\n'})
    argv = [sys.executable, "-I", "-m", "hookci", "run"]

    shown = pexpect.run(shlex.join(argv), cwd=str(repo.path), env=dict(repo.env), timeout=30, encoding="utf-8")

    assert "a           | hello\r\n" in shown
    assert "\x1b" not in shown


def test_output_that_is_no_text_is_survived(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.a]
        script = ["head -c 300000 /dev/urandom", "printf 'x\\\\000y\\\\377z\\\\n'"]
        after_script = ["head -c 200000 /dev/zero; echo end"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a")[-1] == "end"
    assert "xy\N{REPLACEMENT CHARACTER}z" in said(ran, "a")
    assert "\0" not in ran.stdout


def test_a_flood_of_output_is_told_whole_and_does_not_fill_the_memory(repo: Repo, tmp_path: Path) -> None:
    megabytes = stress(10)
    line = "x" * 99
    repo.commit({"hookci.toml": f"""
        [jobs.lines]
        script = ["yes {line} | head -n {megabytes * 10_000} || true"]
        [jobs.one_line]
        script = ["head -c {megabytes}000000 /dev/zero | tr '\\\\000' y"]
        [variables]
        TOKEN = "some-secret-value"
        [defaults]
        secrets = ["TOKEN"]
    """})  # fmt: skip
    shown = tmp_path / "shown"

    with shown.open("wb") as file, hookci_started(repo, "run", "--no-memory", stdout=file.fileno()) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident_megabytes(process.pid))
            time.sleep(0.05)

    lines = shown.read_bytes().splitlines()
    assert process.returncode == 0
    assert sum(text == f"lines       | {line}".encode() for text in lines) == megabytes * 10_000
    assert sum(text.count(b"y") for text in lines if text.startswith(b"one_line    | y")) == megabytes * 1_000_000
    assert peak < 200  # it needs about 50 with no output at all


def _resident_megabytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def test_a_reader_that_does_not_read_holds_the_job_up_and_loses_nothing(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["seq 200000", "echo last"]\n'})

    with hookci_started(repo, "run", "--no-memory") as process:
        assert process.stdout
        time.sleep(2)
        lines = process.stdout.read().decode().splitlines()
        process.wait(timeout=60)

    numbers = [line.removeprefix("a           | ") for line in lines if re.fullmatch(r"a +\| [0-9]+", line)]
    assert numbers == [str(number) for number in range(1, 200_001)]
    assert "a           | last" in lines
    assert process.returncode == 0


SECRET = "s3cr3t-VALUE+with/odd=chars&more"
KEY = "-----BEGIN KEY-----\nAAAAB3NzaC1yc2EAAAADAQABAAABgQ\nqRstUvWxYz0123456789abcdefghij\n-----END KEY-----\n"


def test_secrets_are_masked_in_everything_that_is_shown_or_stored(repo: Repo) -> None:
    repo.commit({"leak.py": """
import base64, json, os, sys, time, urllib.parse
token, key = os.environ["API_TOKEN"], os.environ["DEPLOY_KEY"]
sys.stdout.write("halves: " + token[:9]); sys.stdout.flush(); time.sleep(0.4)
sys.stdout.write(token[9:] + "\\n"); sys.stdout.flush()
print("plain", token, "twice", token)
print("colour", token[:5] + "\\033[31m" + token[5:] + "\\033[0m")
print("url", urllib.parse.quote(token, safe=""), urllib.parse.quote_plus(token))
print("json", json.dumps({"key": key}))
for before in ("", "x", "xy"):
    print("base64", base64.b64encode((before + token + "tail").encode()).decode())
    print("urlsafe", base64.urlsafe_b64encode((before + token).encode()).decode())
print("derived", os.environ["URL"], os.environ["WHOLE"])
print(key)
print(base64.encodebytes(key.encode()).decode())
print("x" * 65_530 + token)
sys.stdout.write("unfinished " + token); sys.stdout.flush()
""", "hookci.toml": """
        [jobs.leak]
        secrets = ["API_*", "DEPLOY_KEY", "WHOLE"]
        variables = { URL = "https://user:$API_TOKEN@host", WHOLE = "pass-${LAST}-word", LAST = "hidden" }
        script = ["python3 leak.py", "echo from the shell: $API_TOKEN >&2", "exit 1"]
        [jobs.other]
        stage = "security"
        when = "always"
        pass_env = ["API_TOKEN"]
        script = ["echo $API_TOKEN"]
    """})  # fmt: skip
    secrets = {"API_TOKEN": SECRET, "DEPLOY_KEY": KEY}

    ran = run(repo, "--color", "always", env=secrets, check=False)

    kept = (repo.path / ".git/hookci").rglob("*")
    stored = b"".join(path.read_bytes() for path in kept if path.is_file())
    everything = ran.output + stored.decode(errors="replace")
    encoded = base64.b64encode(SECRET.encode()).decode()
    assert ran.returncode == 1
    assert "from the shell: [MASKED]" in everything
    encoded_key = base64.b64encode(KEY.encode()).decode()
    for hidden in (
        SECRET, SECRET[:12], SECRET[-12:], quote(SECRET, safe=""), encoded[:-4], encoded[4:-4],
        "AAAAB3NzaC1yc2E", "UvWxYz0123456789", "pass-hidden-word", encoded_key[:30], encoded_key[80:110],
    ):  # fmt: skip
        assert hidden not in everything


def test_a_secret_is_not_shown_on_the_terminal_while_it_is_being_written(repo: Repo) -> None:
    slowly = "for part in s3c r3t -VA LUE; do printf %s $part; sleep 0.3; done; echo; echo done"
    repo.commit({"hookci.toml": f"[jobs.a]\nsecrets = ['TOKEN']\nvariables = {{ TOKEN = 's3cr3t-VALUE' }}\n"
                 f"script = ['printf begin', '''{slowly}''']\n"})  # fmt: skip

    shown = rest_of(on_terminal(repo))

    without_command = shown.replace(slowly[:20], "")
    assert "[MASKED]" in repo.hookci("log", "1", "a").stdout
    for part in ("s3cr3t", "r3t-VA", "beginr3t", "begin-VA", "s3cr"):
        assert part not in without_command


def test_the_summary_of_a_failure_is_last_and_has_all_it_takes_to_go_on(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.good]
        script = ["true"]
        [jobs.bad]
        stage = "security"
        script = ["echo before", "seq 30 >&2; echo the cause >&2; exit 3"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    log = repo.path / ".git/hookci/logs/1/bad.log"
    block, verdict = re.split(r"\n\n", ran.stdout[ran.stdout.index("\nbad failed in ") + 1 :])
    lines = re.sub(r"[0-9.]+s\b", "Xs", block).splitlines()
    assert lines[0] == "bad failed in Xs: exit status 3"
    assert lines[1] == "  command: seq 30 >&2; echo the cause >&2; exit 3"
    assert lines[2] == "  output, last 20 lines:"
    assert lines[22] == "    the cause"
    assert lines[23] == f"  log: {log}"
    assert lines[24] == f"  again: hookci run bad --rev {repo.out('rev-parse', 'HEAD')[:12]}"
    assert verdict.startswith("hookci: main is red: 1 job failed (bad), 1 passed (good) in ")
    assert verdict.endswith("s [run 1]\n")
    assert log.read_text().splitlines()[3:] == [*map(str, range(1, 31)), "the cause"]


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("unit", ""),
        ("test", ""),
        ("two words", ""),
        ("unit: [1]", ""),
        ("onbranch", 'rules = [{ branch = "main" }]'),
    ],
)
def test_the_command_that_runs_a_failed_job_again_does_just_that(repo: Repo, name: str, rules: str) -> None:
    group = name.partition(":")[0]
    matrix = "matrix = [{ N = ['1', '2'] }]" if ":" in name else ""
    repo.commit({"hookci.toml": f"""
        [jobs."{group}"]
        {rules}
        {matrix}
        script = ["[ x$N = x2 ] || exit 9"]
        [jobs.other]
        script = ["true"]
    """})  # fmt: skip
    first = run(repo, check=False)
    again = next(line for line in first.stdout.splitlines() if line.startswith("  again: "))
    repo.commit({"hookci.toml": "broken = "})

    second = repo.run(*shlex.split(again.removeprefix("  again: ")), check=False)

    assert second.returncode == 1, second.output
    assert f": 1 job failed ({name}) in " in second.stdout


@pytest.mark.parametrize(("script", "status"), [("seq 20000", 0), ("seq 20000; exit 1", 1)])
def test_a_reader_that_leaves_does_not_change_the_verdict(repo: Repo, script: str, status: int) -> None:
    repo.commit({"hookci.toml": f'[jobs.a]\nscript = ["{script}"]\n'})
    command = f"{sys.executable} -I -m hookci run | head -1; exit ${{PIPESTATUS[0]}}"

    ran = repo.run("bash", "-c", command, check=False)

    assert ran.returncode == status
    assert ran.stdout == "hookci: run 1 on main: 1 job to run\n"
    assert "Traceback" not in ran.stderr
    assert ("red" if status else "green") in repo.hookci("log").stdout


def test_ctrl_c_on_a_terminal_ends_the_run_and_leaves_the_terminal_in_order(repo: Repo) -> None:
    mark = marker()
    repo.commit({"hookci.toml": f'[jobs.a]\nscript = ["setsid sleep {mark} & sleep {mark}"]\n'})

    screen = on_terminal(repo)
    assert wait_until(lambda: len(running(mark)) >= 2)
    screen.sendintr()
    shown = rest_of(screen)

    assert screen.exitstatus == 130
    assert running(mark) == []
    assert "was interrupted, there is no verdict" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is there again


def test_output_beside_a_run_is_complete_after_a_deadline(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\ntimeout = "600ms"\nscript = ["echo one; printf two; sleep 60"]\n'})

    ran = run(repo, check=False)

    assert said(ran, "a")[:2] == ["one", "two"]
    assert "    two\n" in ran.stdout
