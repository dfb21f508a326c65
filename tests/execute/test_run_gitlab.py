"""Runs of a ``.gitlab-ci.yml`` in real repositories: what jobs hand to each other, and what waits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from execute_tools import outcomes, output, run, said

if TYPE_CHECKING:
    from conftest import Repo


def commit(repo: Repo, text: str, **files: str) -> None:
    repo.commit({".gitlab-ci.yml": text, **{name.replace("__", "."): content for name, content in files.items()}})


# -- dotenv


HANDS = """
make:
  stage: build
  script:
    - echo "VERSION=1.2" > out.env
    - echo 'WHERE=at $CI_COMMIT_BRANCH' >> out.env
  artifacts: {reports: {dotenv: out.env}}
other:
  stage: build
  script: echo "VERSION=other" > out.env
  artifacts: {reports: {dotenv: out.env}}
"""


def test_variables_of_a_report_go_to_the_jobs_that_artifacts_go_to(repo: Repo) -> None:
    commit(repo, HANDS + """
by_stage:
  script: echo "$VERSION $WHERE"
by_need:
  needs: [make]
  variables: {VERSION: mine, SEEN: "<$VERSION>"}
  script: echo "$VERSION $SEEN"
without:
  needs: [{job: make, artifacts: false}]
  script: echo "none:$VERSION"
chosen:
  dependencies: [make]
  script: echo "$VERSION"; ls
nobodys:
  dependencies: []
  script: echo "none:$VERSION"
""")  # fmt: skip

    ran = run(repo)

    assert said(ran, "by_stage") == ["other at main"]
    assert said(ran, "by_need") == ["1.2 <1.2>"]
    assert said(ran, "without") == said(ran, "nobodys") == ["none:"]
    assert said(ran, "chosen") == ["1.2"]


def test_a_variable_that_a_person_gives_wins_over_a_report(repo: Repo) -> None:
    commit(repo, HANDS + 'use: {script: "echo $VERSION $MORE"}\n')

    ran = run(repo, "--variable", "VERSION=2.0", "--variable", "MORE=a=b $VERSION")

    assert said(ran, "use") == ["2.0 a=b 2.0"]


@pytest.mark.parametrize("line", ["# a comment", "export A=1", "A"])
def test_a_report_that_is_none_fails_its_job(repo: Repo, line: str) -> None:
    commit(repo, f"make:\n  script: echo '{line}' > out.env\n  artifacts: {{reports: {{dotenv: out.env}}}}\n")

    ran = run(repo, check=False)

    assert ran.returncode == 1
    assert "the dotenv report `out.env` cannot be read: line 1" in ran.output


def test_a_report_outside_of_the_workspace_is_not_read(repo: Repo) -> None:
    (repo.path.parent / "outside.env").write_text("SECRET=x\n")
    commit(repo, f"""
link:
  script: ln -s {repo.path.parent}/outside.env out.env
  artifacts: {{reports: {{dotenv: out.env}}}}
folder:
  script: ln -s {repo.path.parent} up
  artifacts: {{reports: {{dotenv: up/outside.env}}}}
missing:
  script: "true"
  artifacts: {{reports: {{dotenv: out.env}}}}
""")  # fmt: skip

    run(repo, check=False)

    assert outcomes(repo) == {"link": "failed", "folder": "failed", "missing": "passed"}
    assert "hookci: no dotenv report matches `out.env`" in output(repo, "missing")


def test_variables_of_a_remembered_job_are_handed_on_too(repo: Repo) -> None:
    text = HANDS.replace("other:", ".other:") + 'use: {script: "echo $VERSION"}\n'
    commit(repo, text)
    repo.hookci("run")
    commit(repo, text.replace("echo $VERSION", "echo got $VERSION"), note="x")
    repo.git("reset", "-q", "--soft", "HEAD~1")

    repo.git("commit", "-qm", "again", "--no-verify")
    ran = repo.hookci("run")

    assert said(ran, "use") == ["got 1.2"]


# -- files


def test_untracked_files_are_artifacts_also_those_that_git_ignores(repo: Repo) -> None:
    commit(repo, """
make:
  stage: build
  script: mkdir out; touch out/new ignored.log skipped.tmp; echo changed > tracked
  artifacts: {untracked: true, exclude: ["*.tmp"]}
use:
  script: ls; cat tracked
""", __gitignore="*.log\n", tracked="as it was\n")  # fmt: skip

    ran = run(repo)

    assert said(ran, "use") == ["ignored.log", "out", "tracked", "as it was"]


@pytest.mark.parametrize(
    ("when", "ends", "there"),
    [
        ("on_success", "true", True),
        ("on_success", "false", False),
        ("on_failure", "true", False),
        ("on_failure", "false", True),
        ("always", "false", True),
    ],
)
def test_files_are_kept_of_the_jobs_that_end_as_when_says_and_reports_of_all(
    repo: Repo, when: str, ends: str, *, there: bool
) -> None:
    commit(repo, f"""
make:
  stage: build
  script: [echo x > file, echo A=1 > out.env, "{ends}"]
  allow_failure: true
  artifacts: {{paths: [file], when: {when}, reports: {{dotenv: out.env}}}}
use: {{script: 'ls; echo "A=$A"'}}
""")  # fmt: skip

    ran = run(repo)

    assert said(ran, "use") == ([*(["file"] if there else []), "A=1"])


def test_paths_of_artifacts_may_be_whole_and_hold_variables(repo: Repo) -> None:
    commit(repo, """
make:
  stage: build
  variables: {DIR: out}
  script: mkdir out; touch out/a out/b top
  artifacts: {paths: ["$CI_PROJECT_DIR/top", "$DIR/"], exclude: ["$DIR/b"]}
use: {script: find out top | sort}
""")  # fmt: skip

    ran = run(repo)

    assert said(ran, "use") == ["out", "out/a", "top"]


# -- caches


CACHED = """
a:
  script: cat kept/n || echo none; mkdir -p kept; echo "$CI_COMMIT_BRANCH" > kept/n
  cache: {key: "of-$CI_COMMIT_BRANCH", fallback_keys: ["of-$NOBODY", of-main], paths: [kept]}
"""


def test_a_cache_that_is_not_there_yet_begins_with_a_fallback(repo: Repo) -> None:
    commit(repo, CACHED)
    seen = [said(run(repo), "a")[-1]]
    repo.git("switch", "-qc", "other")

    seen += [said(run(repo), "a")[-1] for _ in range(2)]
    repo.git("switch", "-q", "main")
    seen += [said(run(repo), "a")[-1]]

    assert seen == ["none", "main", "other", "main"]


def test_the_fallback_of_all_caches_is_the_last(repo: Repo) -> None:
    commit(repo, "variables: {CACHE_FALLBACK_KEY: of-main}\n" + CACHED.replace(", of-main", ""))
    run(repo)
    repo.git("switch", "-qc", "other")

    assert said(run(repo), "a") == ["main"]


def test_untracked_files_can_be_cached(repo: Repo) -> None:
    commit(repo, """
a:
  script: ls; touch ignored.log new
  cache: {untracked: true, key: k}
""", __gitignore="*.log\n")  # fmt: skip
    run(repo)

    assert said(run(repo), "a") == ["ignored.log", "new"]


@pytest.mark.parametrize(("policy", "again"), [("pull", "none"), ("pull-push", "x"), ("push", "none")])
def test_the_policy_of_a_cache_may_be_a_variable(repo: Repo, policy: str, again: str) -> None:
    commit(repo, f"""
a:
  variables: {{POLICY: {policy}}}
  script: cat kept/n || echo none; mkdir -p kept; echo x > kept/n
  cache: {{key: k, paths: [kept], policy: $POLICY}}
""")  # fmt: skip
    run(repo)

    assert said(run(repo), "a")[-1] == again


# -- what is told


def test_coverage_is_in_the_summary_the_log_and_the_document(repo: Repo) -> None:
    commit(repo, r"""
unit:
  script: echo "TOTAL 12 3 75.5%"
  coverage: '/TOTAL.*\s(\d+\.\d+)%/'
""")  # fmt: skip

    ran = run(repo)
    document = json.loads(run(repo, "--json").stdout)

    assert "hookci: unit: coverage 75.5%" in ran.stdout
    assert "coverage 75.5%" in repo.hookci("log").stdout
    assert document["run"]["jobs"][0]["coverage"] == 75.5


def test_a_secret_that_a_person_gives_is_shown_nowhere(repo: Repo) -> None:
    commit(repo, 'a: {script: "echo got $DEPLOY_TOKEN $LEVEL"}\n')

    ran = run(repo, "--variable", "DEPLOY_TOKEN=hushhush", "--variable", "LEVEL=high")

    assert said(ran, "a") == ["got [MASKED] high"]
    kept = [path.read_bytes() for path in (repo.path / ".git" / "hookci").rglob("*") if path.is_file()]
    assert not any(b"hushhush" in content for content in kept)


@pytest.mark.parametrize("given", ["=x", "hushhush", "A-B=hushhush", "1=hushhush"])
def test_a_variable_without_a_name_is_refused_without_its_value(repo: Repo, given: str) -> None:
    commit(repo, "a: {script: x}\n")

    ran = repo.hookci("run", "--variable", given, check=False)

    assert ran.returncode == 2
    assert "NAME=VALUE" in ran.stderr
    assert "hushhush" not in ran.output


def test_what_runs_before_the_sources_fails_the_job_when_it_fails(repo: Repo) -> None:
    commit(repo, """
good:
  hooks: {pre_get_sources_script: [echo first, export LOST=1]}
  script: echo "then:$LOST"
bad:
  hooks: {pre_get_sources_script: [exit 4]}
  script: echo never
""")  # fmt: skip

    ran = run(repo, check=False)

    assert said(ran, "good") == ["first", "then:"]
    assert said(ran, "bad") == []
    assert outcomes(repo) == {"good": "passed", "bad": "failed"}


def test_a_job_of_a_child_pipeline_has_its_own_name_and_its_own_files(repo: Repo) -> None:
    commit(repo, """
make: {stage: build, script: touch parents, artifacts: {paths: [parents]}}
kid:
  variables: {LEVEL: "$CI_COMMIT_BRANCH/high"}
  trigger: {include: child.yml, strategy: depend}
""", child__yml="""
make: {stage: build, script: touch childs, artifacts: {paths: [childs]}}
use: {script: 'ls; echo "$CI_JOB_NAME $CI_PIPELINE_SOURCE $LEVEL"', variables: {LEVEL: low}}
""")  # fmt: skip

    ran = run(repo)

    assert said(ran, "kid/use") == ["child.yml", "childs", "use parent_pipeline main/high"]
    assert list(outcomes(repo)) == ["make", "kid/make", "kid/use", "kid"]


def test_a_passed_child_is_remembered_as_any_job(repo: Repo) -> None:
    commit(repo, "kid: {trigger: {include: child.yml, strategy: depend}}\n", child__yml="a: {script: echo x}\n")
    repo.hookci("run")

    again = repo.hookci("run")

    assert "kid/a = remembered: passed in run 1" in " ".join(again.stdout.split())
    assert "main is green" in again.stdout


def test_what_cannot_be_run_here_is_refused_or_left_out_visibly(repo: Repo) -> None:
    commit(repo, "far: {stage: build, trigger: {project: a/b}}\nnear: {script: echo x}\n")

    refused = repo.hookci("run", check=False)
    allowed = repo.hookci("run", "--allow-unsupported")
    repo.git("config", "hookci.unsupported", "allow")
    by_setting = repo.hookci("run", "--no-memory")

    assert refused.returncode == 2
    assert "far: cannot be run here: " in refused.stderr
    for ran in (allowed, by_setting):
        assert "1 job not supported (far)" in ran.stdout
    assert outcomes(repo) == {"far": "not supported", "near": "passed"}
