"""Caches: what a job hands to its own next run, under a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from execute_tools import outcomes, run, said

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors


def test_a_cache_comes_back_until_the_files_of_its_key_change(repo: Repo) -> None:
    config = """
        [jobs.a]
        script = ["cat kept/n 2> /dev/null || echo miss", "mkdir -p kept; echo $NOTE >> kept/n"]
        cache = { key.files = ["lock*.txt"], paths = ["kept"] }
        variables = { NOTE = "NUMBER" }
    """
    seen = []

    for number, lock in enumerate(["one", "one", "two", "two", "one"]):
        repo.commit({"hookci.toml": config.replace("NUMBER", str(number)), "lock1.txt": lock})
        seen.append(said(run(repo), "a"))

    assert seen == [["miss"], ["0"], ["miss"], ["2"], ["0", "1"]]


def test_the_key_of_a_cache_may_hold_variables(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [defaults]
        cache = [{ key = "k-$FLAVOUR-$CI_COMMIT_BRANCH", paths = ["$WHERE/deep"] }]
        variables = { WHERE = "kept" }
        [jobs.unit]
        matrix = [{ FLAVOUR = ["a", "b"] }]
        script = ["cat kept/deep/n 2> /dev/null || echo miss", "mkdir -p kept/deep; echo $FLAVOUR > kept/deep/n"]
    """})  # fmt: skip
    run(repo, "-j", "1")

    again = run(repo, "-j", "1")
    repo.git("switch", "-qc", "other")
    elsewhere = run(repo, "-j", "1")

    assert said(again, "unit: [a]") + said(again, "unit: [b]") == ["a", "b"]
    assert said(elsewhere, "unit: [a]") + said(elsewhere, "unit: [b]") == ["miss", "miss"]


@pytest.mark.executors("local")  # where HOME is a directory of this machine
@pytest.mark.parametrize("path", ["$HOME/precious", "$UP/precious", "$DOT"])
def test_a_cache_never_leaves_the_workspace(repo: Repo, tmp_path: Path, path: str) -> None:
    precious = tmp_path / "home" / "precious"
    precious.write_text("mine")
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        variables = {{ UP = "../..", DOT = "." }}
        script = ["true"]
        cache = [{{ paths = ["{path}"] }}]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert ran.returncode == 3
    assert "which is not below the repository's root" in ran.stdout
    assert precious.read_text() == "mine"


def test_policies_decide_who_restores_and_who_stores(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.fill]
        stage = "build"
        script = ["test ! -e kept", "mkdir kept; date +%N > kept/n; cat kept/n"]
        cache = [{ paths = ["kept"], policy = "push" }]
        [jobs.use]
        script = ["cat kept/n", "echo damaged > kept/n; echo more > kept/more"]
        cache = [{ paths = ["kept"], policy = "pull" }]
        [jobs.use_again]
        stage = "integration"
        script = ["cat kept/n", "test ! -e kept/more"]
        cache = [{ paths = ["kept"], policy = "pull" }]
    """})  # fmt: skip

    runs = [run(repo, "-j", "1") for _ in range(2)]

    for ran in runs:
        assert said(ran, "fill") == said(ran, "use") == said(ran, "use_again")
    assert said(runs[0], "fill") != said(runs[1], "fill")


def test_one_key_is_pulled_and_another_one_pushed_for_the_same_path(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.fill]
        stage = "build"
        script = ["mkdir -p kept; echo 1 > kept/n"]
        cache = [{ key = "old", paths = ["kept"] }]
        [jobs.hand_on]
        script = ["cat kept/n"]
        cache = [{ key = "old", paths = ["kept"], policy = "pull" }, { key = "new", paths = ["kept"], policy = "push" }]
        [jobs.use]
        stage = "integration"
        script = ["cat kept/n"]
        cache = [{ key = "new", paths = ["kept"], policy = "pull" }]
    """})  # fmt: skip

    ran = run(repo, "-j", "1", check=False)

    assert "3 jobs passed" in ran.stdout


def test_a_failed_job_stores_nothing_unless_it_is_asked_to(repo: Repo) -> None:
    config = """
        [jobs.a]
        script = ["cat normal/n on_failure/n always/n 2> /dev/null || true", "mkdir -p normal on_failure always",
                  "for d in normal on_failure always; do echo NUMBER > $d/n; done", "exit STATUS"]
        cache = [
            { key = "1", paths = ["normal"] },
            { key = "2", paths = ["on_failure"], when = "on_failure" },
            { key = "3", paths = ["always"], when = "always" },
        ]
    """
    seen = []

    for number, status in enumerate([1, 0, 1, 0]):
        repo.commit({"hookci.toml": config.replace("NUMBER", f"run{number}").replace("STATUS", str(status))})
        seen.append(said(run(repo, check=False), "a"))

    assert seen == [[], ["run0", "run0"], ["run1", "run0", "run1"], ["run1", "run2", "run2"]]


def test_what_is_cached_stays_in_place_and_everything_else_goes(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.a]
        script = ["stat -c %i kept/n 2> /dev/null || echo miss", "test ! -e other",
                  "mkdir -p kept; [ -e kept/n ] || echo > kept/n",
                  "touch other"]
        cache = [{ paths = ["kept"] }]
    """})  # fmt: skip

    lines = [said(run(repo), "a") for _ in range(3)]

    assert lines[0] == ["miss"]
    assert lines[1] == lines[2]  # the same inode: nothing was copied


@pytest.mark.executors("local")  # it kills its parent
def test_a_cache_is_right_after_a_run_was_killed_in_the_middle_of_writing_it(repo: Repo) -> None:
    config = """
        [jobs.a]
        script = ["cat kept/n 2> /dev/null || echo miss", "mkdir -p kept; echo whole > kept/n", "COMMAND"]
        cache = [{ paths = ["kept"] }]
    """
    repo.commit({"hookci.toml": config.replace("COMMAND", "true")})
    run(repo)
    repo.commit({"hookci.toml": config.replace("COMMAND", "echo torn > kept/n; kill -9 $PPID; sleep 5")})
    killed = run(repo, check=False)
    repo.commit({"hookci.toml": config.replace("COMMAND", "true")})

    ran = run(repo)

    assert killed.returncode == -9
    assert said(ran, "a") == ["whole"]


@pytest.mark.executors("local")  # containers have one path for all
def test_a_virtual_environment_works_in_another_workspace_than_it_was_made_in(repo: Repo) -> None:
    use = [
        "test $(.venv/bin/python -c 'import sys; print(sys.prefix)') = $PWD/.venv",
        ".venv/bin/tool",
        "head -1 .venv/bin/tool | grep -qF $PWD/.venv/bin/python",
        ".venv/bin/python -c 'import made; print(made.f.__code__.co_filename)' | grep -F $PWD",
    ]
    repo.commit({"make": r"""
set -e
python3 -m venv --without-pip .venv
printf '#!%s/.venv/bin/python\nprint("tool ran")\n' "$PWD" > .venv/bin/tool
chmod +x .venv/bin/tool
echo 'def f(): pass' > "$(.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')"/made.py
.venv/bin/python -c 'import made'
ln -s "$PWD/.venv/bin/tool" .venv/bin/linked
""", "hookci.toml": f"""
        [defaults]
        cache = [{{ paths = [".venv"], policy = "pull" }}]
        [jobs.make]
        stage = "build"
        script = ["[ -e .venv ] || sh make"]
        cache = [{{ paths = [".venv"] }}]
        [jobs.one]
        script = ["sleep 0.7; : one", {", ".join(f"'''{command}'''" for command in use)}, ".venv/bin/linked"]
        [jobs.two]
        script = ["sleep 0.7; : two", {", ".join(f"'''{command}'''" for command in use)}, ".venv/bin/linked"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2")

    assert outcomes(repo) == {"make": "passed", "one": "passed", "two": "passed"}
    places = {said(ran, job)[-2] for job in ("one", "two")}
    assert len(places) == 2  # the code itself knows where it is, and the two are in two places
    assert said(ran, "one")[-1] == said(ran, "two")[-1] == "tool ran"


def test_jobs_that_share_a_cache_at_the_same_time_do_not_see_each_others_files(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [defaults]
        cache = [{ paths = ["kept"] }]
        [jobs.fill]
        stage = "build"
        script = ["mkdir -p kept; echo start > kept/n"]
        [jobs.one]
        script = ["echo one > kept/n; sleep 0.5", "grep -x one kept/n"]
        [jobs.two]
        script = ["echo two > kept/n; sleep 0.5", "grep -x two kept/n"]
        [jobs.after]
        stage = "integration"
        script = ["grep -xE 'one|two' kept/n"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2")

    assert "4 jobs passed" in ran.stdout


# -- as GitLab has them


def test_what_is_stored_under_a_key_of_gitlab_stays_in_place_for_jobs_with_other_paths(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": """
make:
  stage: build
  script: ["mkdir -p c d; [ -e c/x ] || echo hi > c/x; [ -e d/y ] || echo ho > d/y"]
  cache: {key: k, paths: [c, ./d/]}
use:
  script: ["cat c/x d/y; stat -c %i c/x d/y", "touch other"]
  cache: {key: k, paths: ["c/**/*"], policy: pull}
narrow:
  stage: deploy
  script: ["cat c/x d/y; stat -c %i c/x d/y", "test ! -e other"]
  cache: {key: k, paths: [d]}
"""})  # fmt: skip

    runs = [run(repo, "-j", "1") for _ in range(2)]

    lines = said(runs[0], "use")
    assert lines[:2] == ["hi", "ho"]
    assert all(said(ran, job) == lines for ran in runs for job in ("use", "narrow"))  # no inode is another one


def test_what_a_job_damages_that_may_only_pull_a_cache_of_gitlab_is_mended(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": """
stages: [one, two, three]
make: {stage: one, script: "mkdir -p c; echo good > c/x; mkdir -p d; echo d > d/y", cache: {key: k, paths: [c, d]}}
harm: {stage: two, script: "echo bad > c/x; echo more > c/more; rm -r d", cache: {key: k, paths: [d], policy: pull}}
look: {stage: three, script: "cat c/x d/y; test ! -e c/more", cache: {key: k, paths: [e], policy: pull}}
"""})  # fmt: skip

    ran = run(repo, "-j", "1")

    assert said(ran, "look") == ["good", "d"]


def test_a_cache_path_of_gitlab_that_leaves_the_project_is_left_out(repo: Repo, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    repo.commit({".gitlab-ci.yml": f"""
make:
  stage: build
  script: "mkdir c; echo hi > c/x"
  cache: {{key: k, paths: [{precious}, ../../../up, $UP, $CI_PROJECT_DIR/c]}}
  variables: {{UP: "$CI_PROJECT_DIR/../up"}}
use:
  script: cat c/x
  cache: {{key: k, paths: [c], policy: pull}}
"""})  # fmt: skip

    ran = run(repo)

    said_by_make = said(ran, "make")
    assert len(said_by_make) == 3
    assert said_by_make[0] == f"hookci: the cache path `{precious}` is outside of the project and is not cached"
    assert said_by_make[2].endswith("/up` is outside of the project and is not cached")
    assert said(ran, "use") == ["hi"]
    assert precious.read_text() == "mine"
