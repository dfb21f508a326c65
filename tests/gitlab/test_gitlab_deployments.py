"""Jobs of a GitLab pipeline that deploy, by `hookci deploy` and by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Ran, Repo

PIPELINE = """\
stages: [build, deploy]
build:
  stage: build
  script: ['echo "made of $CI_COMMIT_TITLE" > app', 'echo VERSION=$CI_COMMIT_TITLE > build.env']
  artifacts: {paths: [app], reports: {dotenv: build.env}}
deploy:
  stage: deploy
  before_script: [test ! -e FAILS]
  script: ['cp app "$LIVE"', 'echo "$VERSION $HOOKCI_RELEASE $HOOKCI_DEPLOY_KIND $CI_COMMIT_BRANCH" >> "$LIVE.log"']
  environment: {name: $PLACE, url: 'https://$CI_ENVIRONMENT_SLUG.example.com'}
"""


class Project:
    """A repository whose pipeline deploys the file ``app`` to ``live``."""

    def __init__(self, repo: Repo, tmp_path: Path) -> None:
        self.repo = repo
        self.live = tmp_path / "live"
        self.head = f"variables: {{PLACE: staging, LIVE: '{self.live}'}}\n"

    def commit(self, title: str, pipeline: str = PIPELINE, **files: str) -> str:
        return self.repo.commit({".gitlab-ci.yml": self.head + pipeline, **files}, title)

    def deploy(self, *arguments: str, **options: Any) -> Ran:  # noqa: ANN401 (as they are)
        return self.repo.hookci("deploy", *arguments, **options)

    @property
    def log(self) -> list[str]:
        return self.live.with_name("live.log").read_text().splitlines()

    def tags(self) -> list[str]:
        return self.repo.out("tag", "-l", "deploy/*").split()

    def status(self) -> str:
        return self.repo.hookci("status").stdout


@pytest.fixture
def project(repo: Repo, tmp_path: Path) -> Project:
    made = Project(repo, tmp_path)
    made.commit("one")
    return made


def test_a_job_with_an_environment_is_what_a_deployment_runs(project: Project) -> None:
    done = project.deploy("staging")

    assert project.live.read_text() == "made of one\n"
    assert project.log == ["one 1 deploy main"]
    assert project.tags() == ["deploy/staging/1"]
    assert "release 1 is live" in done.output


def test_going_back_runs_the_job_of_the_older_commit_with_what_was_deployed_then(project: Project) -> None:
    project.deploy("staging")
    project.commit("two")
    project.deploy("staging")

    project.repo.hookci("rollback", "staging")

    assert project.live.read_text() == "made of one\n"
    assert project.log[1:] == ["two 2 deploy main", "one 3 rollback main"]
    assert "release 3: " in project.status()


def test_other_commands_of_a_job_are_not_run_unseen(project: Project) -> None:
    project.deploy("staging")
    project.commit("two", PIPELINE.replace("test ! -e FAILS", "echo new"))

    refused = project.deploy("staging", check=False)

    assert refused.returncode == 6
    assert "has changed since somebody looked at it" in refused.output
    assert project.log == ["one 1 deploy main"]


def test_a_job_that_fails_is_no_release_and_the_one_before_is_put_back(project: Project) -> None:
    first = PIPELINE.replace("test ! -e FAILS", "'! grep -q bad app'").replace("made of", "$(cat word) of")
    project.commit("good", first, word="fine")
    project.deploy("staging")
    project.commit("worse", first, word="bad")

    failed = project.deploy("staging", check=False)

    assert failed.returncode == 4, failed.output
    assert "the job `deploy` failed in `! grep -q bad app`: exit status 1" in failed.output
    assert project.live.read_text() == "fine of good\n"
    assert project.tags() == ["deploy/staging/1"]


def test_a_manual_job_waits_for_an_approval_unless_the_config_beside_says_otherwise(project: Project) -> None:
    manual = PIPELINE + "  when: manual\n"
    project.commit("manual", manual)

    waiting = project.deploy("staging", check=False)
    project.repo.hookci("approve", "staging")
    approved = project.deploy("staging")
    beside = 'pipeline = ".gitlab-ci.yml"\n[environments.staging]\napproval = false\n'
    project.commit("without", manual, **{"hookci.toml": beside})
    project.repo.hookci("trust", "staging", check=False)

    assert waiting.returncode == 6
    assert "waits for approval" in waiting.output
    assert approved.returncode == 0
    assert "approval: not asked for" in project.deploy("staging", "--dry-run").output


def test_a_config_beside_adds_checks_secrets_and_variables(project: Project) -> None:
    beside = """\
pipeline = ".gitlab-ci.yml"
[environments.staging]
health = [{ command = "grep -q 'word=even' app2", within = "1s" }]
secrets = ["WORD"]
variables = { MORE = "even" }
"""
    pipeline = PIPELINE.replace("script: ['cp", "script: ['echo word=$MORE secret=$WORD', 'cp")
    project.commit("two", pipeline, **{"hookci.toml": beside})

    failed = project.deploy("staging", check=False, env={"WORD": "abracadabra-17"})

    assert "word=even secret=[MASKED]" in failed.output
    assert failed.returncode == 5  # the check fails, and there is nothing to go back to


def test_another_environment_comes_first_where_its_job_does(project: Project) -> None:
    later = PIPELINE + "live:\n  stage: .post\n  script: [echo live]\n  environment: production\n"
    project.commit("two", later)

    early = project.deploy("production", check=False)
    project.deploy("staging")
    after = project.deploy("production")

    assert early.returncode == 2
    assert "never verified on staging" in early.output
    assert after.returncode == 0
    assert project.tags() == ["deploy/production/1", "deploy/staging/1"]


def test_what_comes_before_and_did_not_run_keeps_a_job_from_deploying(project: Project) -> None:
    check = "look: {stage: build, script: [echo looked], when: manual, allow_failure: false}\n"
    project.commit("two", PIPELINE + check)

    refused = project.deploy("staging", check=False)

    assert refused.returncode == 2
    assert "`deploy` comes after `look`, which waits for a person" in refused.output
    assert project.tags() == []


def test_a_job_for_tags_deploys_a_commit_with_a_tag(project: Project) -> None:
    project.commit("two", PIPELINE.replace("build:\n  stage", "build:\n  only: [tags]\n  stage") + "  only: [tags]\n")

    without = project.deploy("staging", check=False)
    project.repo.git("tag", "v1.0")
    done = project.deploy("staging")

    assert without.returncode == 2
    assert "starts no job that deploys to staging (`deploy`)" in without.output
    assert done.returncode == 0
    assert project.log == ["two 1 deploy "]


def test_a_name_that_only_a_commit_knows_is_no_environment(project: Project) -> None:
    review = "variables: {X: y}\nr: {script: [x], environment: review/$CI_COMMIT_REF_SLUG}\n"
    project.repo.commit({".gitlab-ci.yml": review})

    refused = project.deploy("r", check=False)

    assert refused.returncode == 2
    assert "`hookci play r` (review/$CI_COMMIT_REF_SLUG)" in refused.output


def test_all_jobs_of_one_environment_deploy_together(project: Project) -> None:
    regions = PIPELINE + "  parallel: {matrix: [{REGION: [eu, us]}]}\n"
    project.commit("two", regions.replace('"$LIVE"', '"$LIVE.$REGION"'))

    project.deploy("staging")

    assert {one.name for one in project.live.parent.glob("live.*")} == {"live.eu", "live.us", "live.log"}
    assert project.tags() == ["deploy/staging/1"]


def test_a_job_that_is_played_is_no_release_and_says_so(project: Project) -> None:
    project.deploy("staging")
    project.commit("two", PIPELINE + "  when: manual\n")
    project.repo.hookci("run")

    played = project.repo.hookci("play", "deploy")
    known = project.status()
    waits = project.deploy("staging", check=False)

    assert "no release is written down: `hookci deploy staging` does that" in played.output
    assert project.tags() == ["deploy/staging/1"]
    assert "`deploy` ran by itself, in run 4" in known
    assert "is live already" not in waits.output


def test_a_job_that_ran_where_nothing_was_released_contradicts_nothing(project: Project) -> None:
    done = project.repo.hookci("run")

    assert project.log == ["one   main"]
    assert "no release" not in done.output


def test_what_the_job_says_cannot_be_said_beside_it(project: Project) -> None:
    beside = 'pipeline = ".gitlab-ci.yml"\n[environments.staging]\nneeds = ["build"]\n[environments.other]\nkeep = 2\n'
    project.commit("two", **{"hookci.toml": beside})

    refused = project.deploy("staging", check=False)

    assert refused.returncode == 2
    assert "environments.staging.needs: is said by the job that deploys" in refused.output
    assert "environments.other: has no script" in refused.output


def test_a_script_beside_takes_the_place_of_the_job(project: Project) -> None:
    script = f"echo own > {project.live}"
    project.commit(
        "two", **{"hookci.toml": f'pipeline = ".gitlab-ci.yml"\n[environments.staging]\nscript = "{script}"\n'}
    )

    project.deploy("staging")

    assert project.live.read_text() == "own\n"


CONTAINED = """\
image: hookci-test/busybox:1
build: {stage: build, script: echo made > app, artifacts: {paths: [app]}}
release:
  stage: deploy
  hooks: {pre_get_sources_script: ['echo "early in $PWD, $(ls -A | wc -l) files"']}
  script: ['echo "$(cat app) in $PWD, word=$WORD, $CI_JOB_IMAGE"']
  environment: production
"""
BESIDE = 'pipeline = ".gitlab-ci.yml"\n[environments.production]\nsecrets = ["WORD"]\n'


@pytest.mark.docker("hookci-test/busybox:1")
def test_a_job_in_a_container_deploys_there_with_what_it_gets(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": CONTAINED, "hookci.toml": BESIDE})

    done = repo.hookci("deploy", env={"WORD": "abracadabra-17"})

    place = f"/builds/{repo.path.name}"
    assert f"early in {place}, 0 files" in done.output
    assert f"made in {place}, word=[MASKED], hookci-test/busybox:1" in done.output
    assert repo.out("tag", "-l", "deploy/*") == "deploy/production/1"


@pytest.mark.docker("hookci-test/busybox:1")
def test_what_fails_before_the_sources_are_there_fails_a_job_in_a_container(repo: Repo) -> None:
    failing = CONTAINED.replace("release:", "release:\n  allow_failure: false").replace('echo "early', 'exit 4; echo "')
    repo.commit({".gitlab-ci.yml": failing})

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 1
    assert "exit status 4" in ran.output
    assert "made in" not in ran.output
