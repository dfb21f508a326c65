"""Starting what waits for a person, in real repositories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from execute_tools import outcomes, run, said

if TYPE_CHECKING:
    from conftest import Repo

WAITS = """
build:
  stage: build
  script: echo built-$CI_COMMIT_BRANCH > out.txt
  artifacts: {paths: [out.txt], reports: {dotenv: [v.env]}}
  before_script: echo VERSION=7 > v.env
unit: {script: echo unit}
ship:
  stage: deploy
  script: [cat out.txt, 'echo "$VERSION $HOW"']
  rules: [{when: manual}]
tell: {stage: .post, script: echo told}
"""


def test_a_job_that_waits_is_started_on_what_was_judged_with_what_was_made(repo: Repo) -> None:
    judged = repo.commit({".gitlab-ci.yml": WAITS})
    run(repo)
    waiting = outcomes(repo)
    repo.commit({".gitlab-ci.yml": WAITS.replace("ship:", "other:"), "more": "x"})

    ran = repo.hookci("play", "ship", "--variable", "HOW=fast")

    assert waiting == {"build": "passed", "unit": "passed", "ship": "waits for a person", "tell": "skipped"}
    assert said(ran, "ship") == ["built-main", "7 fast"]
    assert "hookci: note: this goes on with run 1" in ran.stdout
    assert "[run 2, goes on with run 1]" in ran.stdout
    assert outcomes(repo) == {"build": "remembered", "unit": "remembered", "ship": "passed", "tell": "passed"}
    shown = repo.hookci("log").stdout
    assert judged in shown
    assert "goes on with  run 1" in shown


def test_what_was_started_can_be_seen_by_a_program(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": WAITS})
    run(repo)

    document = json.loads(repo.hookci("play", "ship", "--json").stdout)["run"]
    rows = json.loads(repo.hookci("runs", "--json").stdout)["runs"]

    assert document["belongs_to"] == 1
    assert [row["belongs_to"] for row in rows] == [1, None]


def test_one_after_the_other_can_be_started(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": """
one: {stage: build, script: echo made > one, artifacts: {paths: [one]}, rules: [{when: manual}]}
two: {script: cat one, rules: [{when: manual}]}
three: {stage: deploy, script: cat one}
"""})  # fmt: skip
    run(repo)

    early = repo.hookci("play", "two", check=False)
    first = repo.hookci("play", "one")
    second = repo.hookci("play", "two")

    assert early.returncode == 2
    assert "job `two` of run 1 does not wait for a person: it is skipped" in early.stderr
    assert "these do: `one`" in early.stderr
    assert "two         = waits for a person" in first.stdout
    assert "three       = skipped" in first.stdout
    assert said(second, "two") == said(second, "three") == ["made"]
    assert "[run 3, goes on with run 1]" in second.stdout


def test_what_failed_before_is_not_what_is_started_now(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": """
bad: {script: exit 1}
shaky: {script: exit 1, allow_failure: true}
ask: {script: echo asked, rules: [{when: manual}]}
after: {stage: deploy, script: echo after}
wants: {stage: deploy, needs: [ask, shaky], script: echo wants}
"""})  # fmt: skip
    red = run(repo, check=False)

    ran = repo.hookci("play", "ask")

    assert red.returncode == 1
    assert outcomes(repo) == {"shaky": "remembered", "ask": "passed", "wants": "passed"}
    assert ran.returncode == 0


def test_a_job_that_fails_when_it_is_started_is_red(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": "ask: {script: exit 3, rules: [{when: manual}]}\n"})
    run(repo)

    ran = repo.hookci("play", "ask", check=False)

    assert ran.returncode == 1
    assert "ask failed" in ran.stdout


def test_what_is_started_is_done_again_whatever_is_remembered(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.ship]
        stage = "deploy"
        script = ["echo shipped"]
        when = "manual"
    """})  # fmt: skip
    repo.hookci("run", "ship")
    repo.hookci("run", "deploy")

    ran = repo.hookci("play", "ship")

    assert said(ran, "ship") == ["shipped"]


def test_all_cells_of_a_matrix_are_started(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": "ship: {script: echo $N, when: manual, parallel: {matrix: [{N: [a, b]}]}}\n"})
    run(repo)

    repo.hookci("play", "ship")

    assert outcomes(repo) == {"ship: [a]": "passed", "ship: [b]": "passed"}


def test_a_whole_child_pipeline_can_be_started_and_one_job_in_it(repo: Repo) -> None:
    repo.commit({
        ".gitlab-ci.yml": "kid: {trigger: {include: child.yml, strategy: depend}, when: manual}\n",
        "child.yml": "a: {stage: build, script: echo a}\nask: {script: echo asked, when: manual}\n",
    })  # fmt: skip
    run(repo)

    repo.hookci("play", "kid")
    whole = outcomes(repo)
    ran = repo.hookci("play", "kid/ask")

    assert whole == {"kid/a": "passed", "kid/ask": "waits for a person", "kid": "passed"}
    assert said(ran, "kid/ask") == ["asked"]


HOLDS = {
    ".gitlab-ci.yml": """
early: {stage: build, script: echo early}
kid: {trigger: {include: child.yml, strategy: depend}}
ship: {stage: deploy, script: echo shipped}
""",
    "child.yml": """
make: {stage: build, script: echo made > out, artifacts: {paths: [out]}}
ask: {stage: test, script: [cat out, echo asked > told], artifacts: {paths: [told]}, rules: [{when: manual}]}
may: {stage: test, script: echo may, when: manual}
use: {stage: deploy, script: cat out told}
""",
}


def test_what_a_child_held_up_goes_on_when_its_job_is_started(repo: Repo) -> None:
    repo.commit(HOLDS)

    first = run(repo)
    waiting = outcomes(repo)
    optional = repo.hookci("play", "kid/may")
    ran = repo.hookci("play", "kid/ask")

    assert first.returncode == 0
    assert waiting == {
        "early": "passed", "kid": "waits for a person", "kid/make": "passed", "kid/ask": "waits for a person",
        "kid/may": "waits for a person", "kid/use": "skipped", "ship": "skipped",
    }  # fmt: skip
    assert not said(optional, "ship")
    assert said(ran, "kid/use") == ["made", "asked"]
    assert said(ran, "ship") == ["shipped"]
    assert outcomes(repo) == {
        "early": "remembered", "kid": "passed", "kid/make": "remembered", "kid/ask": "passed",
        "kid/may": "remembered", "kid/use": "passed", "ship": "passed",
    }  # fmt: skip


def test_a_failure_of_what_a_child_waited_for_holds_up_the_rest(repo: Repo) -> None:
    repo.commit({**HOLDS, "child.yml": "ask: {script: exit 1, rules: [{when: manual}]}\n"})
    run(repo)

    ran = repo.hookci("play", "kid/ask", check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"early": "remembered", "kid/ask": "failed", "kid": "failed", "ship": "skipped"}


def test_two_jobs_of_a_child_that_wait_are_both_waited_for(repo: Repo) -> None:
    two = "a: {script: echo a, rules: [{when: manual}]}\nb: {script: echo b, rules: [{when: manual}]}\n"
    repo.commit({**HOLDS, "child.yml": two})
    run(repo)

    repo.hookci("play", "kid/a")
    between = outcomes(repo)
    ran = repo.hookci("play", "kid/b")

    assert (between["kid"], between["ship"]) == ("waits for a person", "skipped")
    assert said(ran, "ship") == ["shipped"]


def test_a_child_that_waits_is_waited_for_when_something_beside_it_is_started(repo: Repo) -> None:
    top = HOLDS[".gitlab-ci.yml"].replace("echo early}", "echo early, rules: [{when: manual}]}")
    repo.commit({**HOLDS, ".gitlab-ci.yml": top.replace("{trigger", "{needs: [], allow_failure: true, trigger")})
    run(repo)

    repo.hookci("play", "early")
    between = outcomes(repo)
    ran = repo.hookci("play", "kid/ask")

    assert (between["early"], between["kid"], between["ship"]) == ("passed", "waits for a person", "skipped")
    assert said(ran, "ship") == ["shipped"]


def test_a_child_of_a_child_goes_on_too(repo: Repo) -> None:
    middle = "pre: {stage: build, script: echo pre}\ngrand: {trigger: {include: inner.yml, strategy: mirror}}\n"
    repo.commit({**HOLDS, "inner.yml": HOLDS["child.yml"], "child.yml": middle})
    run(repo)

    whole = repo.hookci("play", "kid", check=False)
    ran = repo.hookci("play", "kid/grand/ask")

    assert whole.returncode == 2
    assert "job `kid` has started its pipeline: its pipeline waits for a person: `kid/grand/ask`" in whole.stderr
    assert said(ran, "kid/grand/use") == ["made", "asked"]
    assert not said(ran, "kid/pre")
    assert said(ran, "ship") == ["shipped"]


def test_what_was_committed_can_be_gone_on_with(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.look]
        script = ["cat file"]
        when = "manual"
        [hooks]
        pre-commit = ["test"]
    """})  # fmt: skip
    repo.write(file="staged")
    repo.git("add", "file")
    repo.hookci("run", "--staged", "--hook", "pre-commit")
    repo.write(file="later")

    assert said(repo.hookci("play", "look"), "look") == ["staged"]


def test_a_run_can_be_told_to_start_what_waits_at_once(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": WAITS})

    ran = run(repo, "--play", "ship")

    assert said(ran, "ship")[0] == "built-main"
    assert outcomes(repo) == {"build": "passed", "unit": "passed", "ship": "passed", "tell": "passed"}


def test_without_a_run_or_a_job_there_is_nothing_to_start(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": WAITS})

    none = repo.hookci("play", "ship", check=False)
    run(repo)
    unknown = repo.hookci("play", "shop", check=False)
    gone = repo.hookci("play", "ship", "--run", "9", check=False)

    assert [ran.returncode for ran in (none, unknown, gone)] == [2, 2, 2]
    assert "there is no run yet" in none.stderr
    assert "run 1 has no job `shop` that waits for a person" in unknown.stderr
    assert "these do: `ship`" in unknown.stderr
    assert "there is no run 9" in gone.stderr


def test_files_that_are_gone_are_made_again(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": WAITS})
    run(repo)
    (place,) = (repo.path.parent / "home" / ".cache" / "hookci").glob("*/artifacts")
    repo.run("rm", "-r", str(place / "1"))

    ran = repo.hookci("play", "ship")

    assert said(ran, "ship")[0] == "built-main"
    assert outcomes(repo)["build"] == "passed"


def test_a_tree_that_is_gone_is_no_verdict(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": WAITS})
    run(repo)
    tree = repo.out("rev-parse", "HEAD^{tree}")
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()

    ran = repo.hookci("play", "ship", check=False)

    assert ran.returncode == 3
    assert ran.stderr.startswith("error: ")
    assert "Traceback" not in ran.output
