"""The file of a job's script on this machine is one of hookci's own, whatever a job before has made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from execute_tools import run, said

if TYPE_CHECKING:
    from conftest import Repo


@pytest.mark.parametrize(
    "made", ["ln -f ../victim ../script.sh", "ln -sf victim ../script.sh", "rm ../script.sh; mkfifo ../script.sh"]
)
def test_what_a_job_puts_in_the_place_of_its_script_is_not_written_for_another_job(repo: Repo, made: str) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        script = ["seq 1000 > ../victim; {made}"]
        [jobs.b]
        needs = ["a"]
        script = ["tail -n 1 ../victim"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "b") == ["1000"]
