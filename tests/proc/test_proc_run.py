"""Short programs that hookci needs itself."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from hookci.errors import GitError
from hookci.proc.run import run, run_attached

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": os.environ["PATH"], "ONLY": "this"}


def test_a_program_gets_exactly_the_environment_the_directory_and_the_input_it_is_given(tmp_path: Path) -> None:
    done = run(
        ["sh", "-c", "pwd -P; cat; env | grep -c ^HOME= ; echo $ONLY"], cwd=tmp_path, env=ENV, stdin=b"in\n", timeout=10
    )

    assert done.stdout.decode().splitlines() == [str(tmp_path.resolve()), "in", "0", "this"]
    assert done.returncode == 0


def test_a_failure_is_a_value_with_the_last_line_of_its_complaint(tmp_path: Path) -> None:
    done = run(["sh", "-c", "echo first >&2; echo last >&2; exit 3"], cwd=tmp_path, env=ENV, timeout=10)
    silent = run(["sh", "-c", "exit 4"], cwd=tmp_path, env=ENV, timeout=10)

    assert (done.returncode, done.complaint) == (3, "last")
    assert silent.complaint == "exit status 4"


def test_a_program_that_is_not_there_or_cannot_start_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")

    with pytest.raises(GitError, match="`no-such-program` could not be started: No such file or directory"):
        run(["no-such-program"], cwd=tmp_path, env=ENV, timeout=10)
    with pytest.raises(GitError, match="could not be started: Permission denied"):
        run([str(tmp_path / "plain")], cwd=tmp_path, env=ENV, timeout=10)


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    begun = time.monotonic()

    with pytest.raises(GitError, match=r"`sleep 60` did not end within 0\.2 s"):
        run(["sleep", "60"], cwd=tmp_path, env=ENV, timeout=0.2)

    assert time.monotonic() - begun < 10


def test_a_helper_is_out_of_the_reach_of_ctrl_c(tmp_path: Path) -> None:
    done = run(["sh", "-c", "ps -o sid= -p $$"], cwd=tmp_path, env=ENV, timeout=10)

    assert int(done.stdout) != os.getsid(0)


def test_an_attached_program_reads_what_it_is_given(tmp_path: Path) -> None:
    assert run_attached(["sh", "-c", "read x; exit $x"], cwd=tmp_path, env=ENV, stdin=b"5\n") == 5
