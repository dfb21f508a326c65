"""Artifacts: what a job hands to the jobs that come after it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from execute_tools import outcomes, run, said

if TYPE_CHECKING:
    from conftest import Repo

pytestmark = pytest.mark.executors


def test_artifacts_come_with_modes_links_and_times_and_without_what_is_excluded(repo: Repo) -> None:
    repo.commit({"hookci.toml": r"""
        [jobs.make]
        stage = "build"
        script = '''
          mkdir -p out/deep out/empty 'with space'
          echo a > out/deep/a.txt; echo b > out/b.log; echo c > 'with space/c.txt'
          printf '#!/bin/sh\necho ran' > out/run; chmod 750 out/run
          ln -s deep/a.txt out/link; ln -s /nowhere out/dangling
          touch -d 2001-02-03T04:05:06Z out/deep/a.txt
          echo d > other.txt
        '''
        artifacts = { paths = ["out", "with space/*.txt", "./no-such-thing"], exclude = ["**/*.log"] }
        [jobs.use]
        script = [
            "find out 'with space' | sort", "./out/run", "stat -c '%a %Y' out/run out/deep/a.txt | sort -n",
            "readlink out/link out/dangling", "cat out/link", "test ! -e other.txt",
        ]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "make")[-1] == "hookci: no artifact matches `./no-such-thing`"
    lines = said(ran, "use")
    assert [line for line in lines if line.startswith(("out", "with"))] == [
        "out", "out/dangling", "out/deep", "out/deep/a.txt", "out/link", "out/run", "with space", "with space/c.txt"
    ]  # fmt: skip
    assert "ran" in lines
    assert any(line.startswith("750 ") for line in lines)
    assert any(line.endswith(" 981173106") for line in lines)
    assert lines[-3:] == ["deep/a.txt", "/nowhere", "a"]


def test_artifacts_go_to_later_stages_or_to_those_that_need_them_and_nobody_else(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.make]
        stage = "build"
        script = ["echo made > made.txt"]
        artifacts = ["made.txt"]
        [jobs.other]
        stage = "build"
        script = ["echo other > other.txt"]
        artifacts = ["*.txt"]
        [jobs.by_stage]
        script = ["cat made.txt other.txt"]
        [jobs.by_need]
        needs = ["make"]
        script = ["cat made.txt", "test ! -e other.txt"]
        [jobs.without]
        needs = [{ job = "make", artifacts = false }, "other"]
        script = ["test ! -e made.txt", "test -e other.txt"]
        [jobs.sibling]
        stage = "build"
        needs = []
        script = ["test ! -e made.txt", "test ! -e other.txt"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "by_stage") == ["made", "other"]
    assert "6 jobs passed" in ran.stdout


def test_artifacts_of_a_failure_are_kept_when_they_are_asked_for(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [defaults]
        script = ["true"]
        [jobs.kept_on_failure]
        stage = "build"
        script = ["echo 1 > failure.txt; exit 1"]
        artifacts = { paths = ["failure.txt"], when = "on_failure" }
        [jobs.kept_always]
        stage = "build"
        script = ["echo 1 > always.txt; exit 1"]
        artifacts = { paths = ["always.txt"], when = "always" }
        [jobs.dropped]
        stage = "build"
        script = ["echo 1 > success.txt; exit 1"]
        artifacts = { paths = ["success.txt"] }
        [jobs.look]
        when = "always"
        script = ["ls *.txt"]
    """.replace('[defaults]\n        script = ["true"]\n', "")})  # fmt: skip

    ran = run(repo, "--keep-going", check=False)

    assert said(ran, "look") == ["always.txt", "failure.txt"]
    assert outcomes(repo)["look"] == "passed"


@pytest.mark.parametrize("path", [".", "./", "**"])
def test_everything_can_be_an_artifact_but_the_repository_itself(repo: Repo, path: str) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.make]
        stage = "build"
        script = ["mkdir deep; touch deep/new.txt .hidden; git config user.name someone"]
        artifacts = ["{path}"]
        [jobs.use]
        script = ["ls -A . deep | grep -v ^$", "git config user.name || echo nobody", "git status --short"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "use") == [
        ".:", ".git", ".hidden", "deep", "hookci.toml", "deep:", "new.txt", "nobody", "?? .hidden", "?? deep/"
    ]  # fmt: skip


def test_an_artifact_takes_the_place_of_what_the_snapshot_has_there(repo: Repo) -> None:
    (repo.path / "dir").symlink_to("target")
    repo.commit({"target/inside.txt": "tracked\n", "file.txt": "tracked\n", "both/kept.txt": "kept\n"})
    repo.commit({"hookci.toml": """
        [jobs.make]
        stage = "build"
        script = ["rm dir; mkdir dir; echo new > dir/new.txt", "echo new > file.txt; echo new > both/new.txt"]
        artifacts = ["dir", "file.txt", "both"]
        [jobs.use]
        script = ["cat dir/new.txt file.txt both/kept.txt both/new.txt target/inside.txt", "test ! -L dir"]
        [jobs.after]
        stage = "integration"
        needs = []
        script = ["test -L dir", "cat file.txt", "test ! -e both/new.txt"]
    """})  # fmt: skip

    ran = run(repo, "-j", "1")

    assert said(ran, "use") == ["new", "new", "kept", "new", "tracked"]
    assert said(ran, "after") == ["tracked"]


def test_a_file_that_names_its_workspace_names_the_one_it_comes_to(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.make]
        stage = "build"
        script = ["pwd > here.txt; printf 'x\\\\0%s\\\\0' $PWD > binary; ln -s $PWD/here.txt link"]
        artifacts = ["here.txt", "binary", "link"]
        [jobs.use]
        script = ["test $(cat here.txt) = $PWD", "grep -aqF $PWD binary", "test $(readlink link) = $PWD/here.txt"]
        [jobs.beside]
        script = ["sleep 0.5", "test $(cat here.txt) = $PWD"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2")

    assert "3 jobs passed" in ran.stdout


def test_a_clone_made_anew_at_the_same_place_does_not_get_artifacts_of_the_old_one(repo: Repo) -> None:
    config = """
        [jobs.make]
        stage = "build"
        script = ["COMMAND"]
        artifacts = ["made.txt"]
        [jobs.use]
        when = "always"
        script = ["ls"]
    """
    repo.commit({"hookci.toml": config.replace("COMMAND", "touch made.txt")})
    before = run(repo)
    shutil.rmtree(repo.path / ".git" / "hookci")
    repo.commit({"hookci.toml": config.replace("COMMAND", "exit 1")})

    after = run(repo, check=False)

    assert said(before, "use") == ["hookci.toml", "made.txt"]
    assert said(after, "use") == ["hookci.toml"]


def test_artifacts_of_a_gitlab_job_are_what_its_runner_keeps(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": """
make:
  stage: build
  script: ["mkdir -p d/tmp d/e d/logs emp1/x public", "touch d/1 d/2.o d/tmp/2 d/e/3.o public/i", "chmod 700 emp1/x"]
  pages: true
  artifacts: {paths: [$CI_PROJECT_DIR/d/../d, "emp*"], exclude: [d/tmp, "d/*.o"]}
use:
  script: ["find d emp1 public | sort", "stat -c %a emp1/x"]
"""})  # fmt: skip

    ran = run(repo)

    assert said(ran, "use") == [
        "d", "d/1", "d/e", "d/e/3.o", "d/logs", "d/tmp", "d/tmp/2", "emp1", "emp1/x", "public", "public/i", "700"
    ]  # fmt: skip
