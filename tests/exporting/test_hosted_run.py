"""A hosted pipeline as its engine runs it: each job in a fresh checkout of a commit, files carried by the engine."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Ran, Repo

PIPELINE = """
[jobs.build]
stage = "build"
script = ["mkdir -p dist", "echo made > dist/x", "chmod 755 dist/x", "echo 1 > c"]
artifacts = { paths = ["dist/**"], exclude = ["dist/y"] }
cache = { key = "k", paths = ["c"] }

[jobs.unit]
script = ["[ -x dist/x ]", "cat dist/x", "cat c", "echo cell $N on $CI_COMMIT_BRANCH"]
matrix = [{ N = ["1", "2"] }]
cache = { key = "k", paths = ["c"], policy = "pull" }

[jobs.alone]
needs = []
script = ["[ ! -e dist ] && echo none"]

[jobs.main]
needs = []
script = ["echo on main"]
rules = [{ branch = "main" }]

[jobs.red]
needs = []
script = ["exit 7"]
"""


class Engine:
    """What a hosted engine does around a job, as far as it matters here."""

    def __init__(self, repo: Repo, directory: Path) -> None:
        self.repo = repo
        self.directory = directory
        self.kept: dict[str, Path] = {}
        self.count = 0

    def checkout(self) -> Path:
        """A fresh checkout of the commit alone, as runners make it."""
        self.count += 1
        place = self.directory / f"job{self.count}"
        self.repo.run("git", "clone", "-q", str(self.repo.path), str(place), cwd=self.directory)
        self.repo.run("git", "checkout", "-q", "--detach", "HEAD", cwd=place)
        self.repo.run("git", "branch", "-qD", "main", cwd=place)
        return place

    def run(self, job: str, *, env: dict[str, str] | None = None, given: tuple[Path, ...] = ()) -> tuple[Ran, Path]:
        """Run the script of a job of ``.gitlab-ci.yml``, with files of other jobs put in."""
        place = self.checkout()
        for path in given:
            into = place / path.name
            if path.is_dir():
                shutil.copytree(path, into)
            else:
                shutil.copy2(path, into)
        script = self.script(job)
        told = {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main", **(env or {})}
        return self.repo.run("sh", "-ec", script, cwd=place, env=told, check=False), place

    def script(self, job: str) -> str:
        document: dict[str, Any] = yaml.safe_load(self.repo.hookci("export", "gitlab").stdout)
        return "\n".join(document[job]["script"])


@pytest.fixture
def engine(repo: Repo, tmp_path: Path) -> Engine:
    repo.commit({"hookci.toml": PIPELINE, ".gitignore": "dist\nc\n"})
    place = tmp_path / "runner"
    place.mkdir()
    return Engine(repo, place)


def test_what_a_job_hands_on_lies_in_the_work_tree_for_the_engine_to_take(engine: Engine) -> None:
    ran, place = engine.run("build")

    assert ran.returncode == 0, ran.output
    assert (place / "dist" / "x").read_text() == "made\n"
    assert (place / "c").read_text() == "1\n"
    status = engine.repo.run("git", "status", "--porcelain", cwd=place).stdout
    assert status == ""


def test_a_job_runs_alone_with_what_the_engine_put_there(engine: Engine) -> None:
    _, built = engine.run("build")

    ran, _ = engine.run("unit", env={"HOOKCI_CELL": "2"}, given=(built / "dist", built / "c"))

    assert ran.returncode == 0, ran.output
    assert "cell 2 on main" in ran.stdout
    assert "made" in ran.stdout
    assert "cell 1" not in ran.stdout
    assert "mkdir" not in ran.stdout


def test_what_a_job_does_not_need_is_not_in_its_workspace(engine: Engine) -> None:
    _, built = engine.run("build")

    ran, _ = engine.run("alone", given=(built / "dist",))

    assert ran.returncode == 0, ran.output
    assert "none" in ran.stdout


def test_a_red_job_is_red_there(engine: Engine) -> None:
    ran, _ = engine.run("red")

    assert ran.returncode == 1


def test_the_branch_is_the_one_that_the_engine_names(engine: Engine) -> None:
    on_main, _ = engine.run("main")
    elsewhere, _ = engine.run("main", env={"CI_COMMIT_BRANCH": "other", "CI_COMMIT_REF_NAME": "other"})

    assert "on main" in on_main.stdout
    assert elsewhere.returncode == 0
    assert "on main" not in elsewhere.stdout
    assert "no rule of this job holds" in elsewhere.output


def test_hosted_without_a_name_is_a_mistake(engine: Engine) -> None:
    ran = engine.repo.hookci("run", "--hosted", check=False)

    assert ran.returncode == 2
    assert "hookci run --hosted job:NAME" in ran.stderr


def test_hosted_takes_no_other_commit(engine: Engine) -> None:
    ran = engine.repo.hookci("run", "--hosted", "--rev", "HEAD~0", "build", check=False)

    assert ran.returncode == 2
    assert "--hosted runs what the engine has checked out" in ran.stderr


def test_the_file_is_written_where_it_is_wanted_and_is_the_same_again(engine: Engine) -> None:
    engine.repo.hookci("export", "github", "--output", ".github/workflows/hookci.yml")
    first = (engine.repo.path / ".github" / "workflows" / "hookci.yml").read_bytes()

    engine.repo.hookci("export", "github", "--output", ".github/workflows/hookci.yml")

    assert (engine.repo.path / ".github" / "workflows" / "hookci.yml").read_bytes() == first


def test_a_pipeline_in_the_words_of_gitlab_is_not_exported(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": "a: {script: echo a}\n"})

    ran = repo.hookci("export", "gitlab", check=False)

    assert ran.returncode == 2
    assert "was written for GitLab" in ran.stderr


def test_the_archive_of_a_github_job_keeps_modes_and_directories(engine: Engine, tmp_path: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(engine.repo.hookci("export", "github").stdout)
    _, built = engine.run("build")
    (built / "dist" / "y").write_text("not this")
    steps = workflow["jobs"]["build"]["steps"]
    pack = next(step for step in steps if "tar" in step.get("run", ""))
    shell = pack["shell"].replace("{0}", "").split()

    subprocess.run([*shell, "-c", pack["run"]], cwd=built, env=engine.repo.env, check=True)

    taken = tmp_path / "taken"
    (taken / ".hookci-given" / "build-0").mkdir(parents=True)
    shutil.copy2(built / "hookci-artifacts.tar", taken / ".hookci-given" / "build-0")
    unpack = next(step["run"] for step in workflow["jobs"]["unit"]["steps"] if ".hookci-given" in step.get("run", ""))
    subprocess.run(["bash", "-e", "-c", unpack], cwd=taken, env=engine.repo.env, check=True)
    assert sorted(str(path.relative_to(taken)) for path in taken.rglob("*")) == ["dist", "dist/x"]
    assert (taken / "dist" / "x").stat().st_mode & 0o777 == 0o755
