"""Programs whose output is read while they run."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from hookci.errors import GitError
from hookci.proc.stream import stream

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": os.environ["PATH"], "ONLY": "this"}


def test_more_input_and_output_than_pipes_hold_goes_through(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)

    pieces = list(stream(["cat"], cwd=tmp_path, env=ENV, stdin=data, timeout=30))

    assert b"".join(pieces) == data
    assert len(pieces) > 10


def test_a_program_that_reads_none_of_its_input_is_no_failure(tmp_path: Path) -> None:
    pieces = stream(["sh", "-c", "exec <&-; echo $ONLY"], cwd=tmp_path, env=ENV, stdin=b"x" * 1_000_000, timeout=30)

    assert b"".join(pieces) == b"this\n"


def test_a_failure_comes_after_the_output_with_the_last_complaint(tmp_path: Path) -> None:
    pieces = stream(["sh", "-c", "echo out; echo no >&2; exit 3"], cwd=tmp_path, env=ENV, timeout=30)

    assert next(pieces) == b"out\n"
    with pytest.raises(GitError, match=r"failed: no$"):
        next(pieces)


def test_closing_the_iterator_kills_the_program(tmp_path: Path) -> None:
    pieces = stream(["sh", "-c", "echo $$; exec sleep 600"], cwd=tmp_path, env=ENV, timeout=30)
    pid = int(next(pieces))

    pieces.close()

    assert not psutil.pid_exists(pid)


def test_silence_ends_a_program_and_a_slow_reader_does_not(tmp_path: Path) -> None:
    slow = stream(["sh", "-c", "echo one; echo two"], cwd=tmp_path, env=ENV, timeout=0.2)
    silent = stream(["sleep", "600"], cwd=tmp_path, env=ENV, timeout=0.2)

    first = next(slow)
    time.sleep(0.4)

    assert first + b"".join(slow) == b"one\ntwo\n"
    with pytest.raises(GitError, match=r"silent for 0\.2 s"):
        next(silent)


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="`no-such-program` could not be started"):
        next(stream(["no-such-program"], cwd=tmp_path, env=ENV, timeout=1))
