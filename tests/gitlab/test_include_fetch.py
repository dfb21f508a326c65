"""What a pipeline includes from elsewhere: fetched by hand, pinned, and never asked for in a run."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hookci.config.pinned import LOCK_FILE, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran, Repo


class Site:
    """A web site on this machine: its pages by path, and what was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[str] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                found = site.pages.get(self.path)
                self.send_response(200 if found is not None else 404)
                self.end_headers()
                self.wfile.write((found or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def jobs(ran: Ran) -> str:
    assert ran.returncode == 0, ran.output
    return str(ran.stdout)


def test_a_remote_file_is_fetched_and_pinned_and_then_runs_without_the_network(repo: Repo, site: Site) -> None:
    site.pages["/ci.yml"] = "a: {script: echo from afar}\n"
    repo.commit({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})

    fetched = repo.hookci("include", "fetch")

    assert f"new: {site.url}/ci.yml" in fetched.stdout
    assert digest_of(site.pages["/ci.yml"].encode()) in (repo.path / LOCK_FILE).read_text()
    site.asked.clear()
    repo.commit()
    assert "from afar" in jobs(repo.hookci("run"))
    assert site.asked == []


def test_what_was_not_fetched_is_a_clear_error(repo: Repo, site: Site) -> None:
    repo.commit({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 2
    assert "hookci include fetch" in ran.stderr
    assert site.asked == []


def test_a_run_takes_what_is_pinned_when_there_is_something_else_now(repo: Repo, site: Site) -> None:
    site.pages["/ci.yml"] = "a: {script: echo one}\n"
    repo.write_files({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})
    repo.hookci("include", "fetch")
    repo.commit()
    site.pages["/ci.yml"] = "a: {script: echo two}\n"

    again = repo.hookci("include", "fetch")

    assert "there already" in again.stdout
    assert "one" in jobs(repo.hookci("run"))


def test_update_takes_what_is_there_now(repo: Repo, site: Site) -> None:
    site.pages["/ci.yml"] = "a: {script: echo one}\n"
    repo.write_files({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})
    repo.hookci("include", "fetch")
    site.pages["/ci.yml"] = "a: {script: echo two}\n"

    updated = repo.hookci("include", "fetch", "--update")

    assert "changed" in updated.stdout
    repo.commit()
    assert "two" in jobs(repo.hookci("run"))


def test_another_machine_refuses_what_is_not_what_was_pinned(repo: Repo, site: Site, tmp_path: Path) -> None:
    site.pages["/ci.yml"] = "a: {script: echo one}\n"
    repo.write_files({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})
    repo.hookci("include", "fetch")
    lock = (repo.path / LOCK_FILE).read_bytes()
    site.pages["/ci.yml"] = "a: {script: echo evil}\n"

    elsewhere = repo.hookci("include", "fetch", env={"XDG_DATA_HOME": str(tmp_path / "other")}, check=False)

    assert elsewhere.returncode != 0
    assert "is not what .gitlab-ci.lock.toml says" in elsewhere.stderr
    assert "--update" in elsewhere.stderr
    assert (repo.path / LOCK_FILE).read_bytes() == lock


def test_content_that_was_changed_on_the_disk_is_never_run(repo: Repo, site: Site) -> None:
    site.pages["/ci.yml"] = "a: {script: echo one}\n"
    repo.write_files({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})
    repo.hookci("include", "fetch")
    repo.commit()
    kept = next(Path(repo.env["HOME"], ".local", "share", "hookci", "includes").iterdir())
    kept.write_text("a: {script: echo evil}\n")

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 2
    assert "was not fetched" in ran.stderr


def test_what_a_fetched_file_includes_is_fetched_too(repo: Repo, site: Site) -> None:
    site.pages["/ci.yml"] = f"include: '{site.url}/more.yml'\n"
    site.pages["/more.yml"] = "a: {script: echo deep}\n"
    repo.write_files({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n"})

    repo.hookci("include", "fetch")

    repo.commit()
    assert "deep" in jobs(repo.hookci("run"))


def test_a_template_comes_from_where_templates_are(repo: Repo, site: Site) -> None:
    site.pages["/templates/Jobs/Build.gitlab-ci.yml"] = "a: {script: echo template}\n"
    repo.write_files({".gitlab-ci.yml": "include: [{template: Jobs/Build.gitlab-ci.yml}]\n"})

    repo.hookci("include", "fetch", "--templates", f"{site.url}/templates")

    repo.commit()
    assert "template" in jobs(repo.hookci("run"))


def test_what_is_not_there_says_which_include_and_why(repo: Repo, site: Site) -> None:
    repo.write_files({".gitlab-ci.yml": f"include: '{site.url}/gone.yml'\n"})

    ran = repo.hookci("include", "fetch", check=False)

    assert ran.returncode == 3
    assert f"include {site.url}/gone.yml" in ran.stderr
    assert "404" in ran.stderr
    assert not (repo.path / LOCK_FILE).exists()


@pytest.fixture
def projects(make_repo: Callable[..., Repo], tmp_path: Path) -> Callable[..., Repo]:
    """Makes other projects beside the remote of the one at hand."""

    def make(name: str, files: dict[str, str], tags: tuple[str, ...] = ()) -> Repo:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        made = make_repo(name, remote=False)
        made.commit(files)
        for tag in tags:
            made.git("tag", tag)
        return made

    return make


def test_a_file_of_another_project_comes_by_git(repo: Repo, projects: Callable[..., Repo]) -> None:
    projects(
        "group/shared",
        {"ci/a.yml": "a: {script: echo shared}\ninclude: /ci/b.yml\n", "ci/b.yml": "b: {script: echo b}\n"},
    )
    repo.write_files({".gitlab-ci.yml": "include: [{project: group/shared, file: /ci/a.yml}]\n"})

    repo.hookci("include", "fetch")

    repo.commit()
    ran = jobs(repo.hookci("run"))
    assert "shared" in ran
    assert "b" in ran


def test_a_file_of_another_project_at_a_tag(repo: Repo, projects: Callable[..., Repo]) -> None:
    shared = projects("group/shared", {"a.yml": "a: {script: echo tagged}\n"}, ("v1",))
    shared.commit({"a.yml": "a: {script: echo newest}\n"})
    repo.write_files({".gitlab-ci.yml": "include: [{project: group/shared, ref: v1, file: [a.yml]}]\n"})

    repo.hookci("include", "fetch")

    repo.commit()
    assert "tagged" in jobs(repo.hookci("run"))


@pytest.mark.parametrize(("version", "said"), [("1.0.0", "old"), ("1", "newer"), ("~latest", "newest")])
def test_a_component_in_the_version_that_is_meant(
    repo: Repo, projects: Callable[..., Repo], version: str, said: str
) -> None:
    shared = projects("group/parts", {"templates/greet.yml": "a: {script: echo old}\n"}, ("1.0.0",))
    for tag, word in (("1.10.0", "newer"), ("2.0.0", "newest"), ("3.0.0-rc1", "not yet")):
        shared.commit({"templates/greet.yml": f"a: {{script: echo {word}}}\n"})
        shared.git("tag", tag)
    repo.write_files({".gitlab-ci.yml": f"include: [{{component: gitlab.example.com/group/parts/greet@{version}}}]\n"})

    repo.hookci("include", "fetch")

    repo.commit()
    assert f"| {said}" in jobs(repo.hookci("run"))


def test_a_project_that_is_not_there_is_named(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": "include: [{project: group/none, file: a.yml}]\n"})

    ran = repo.hookci("include", "fetch", check=False)

    assert ran.returncode == 3
    assert "there is no project `group/none`" in ran.stderr


def test_a_repository_without_a_remote_says_what_is_missing(make_repo: Callable[..., Repo]) -> None:
    repo = make_repo(remote=False)
    repo.write_files({".gitlab-ci.yml": "include: [{project: group/x, file: a.yml}]\n"})

    ran = repo.hookci("include", "fetch", check=False)

    assert "there is no remote `origin`" in ran.stderr
    assert "git remote add" in ran.stderr


def test_nothing_from_elsewhere_is_nothing_to_do(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": "a: {script: echo a}\n"})

    ran = repo.hookci("include", "fetch")

    assert "nothing is included from elsewhere" in ran.stdout
    assert not (repo.path / LOCK_FILE).exists()


def test_a_repository_without_a_gitlab_file_is_told_so(repo: Repo) -> None:
    ran = repo.hookci("include", "fetch", check=False)

    assert ran.returncode == 2
    assert "there is no .gitlab-ci.yml here" in ran.stderr


def test_a_lock_that_cannot_be_read_is_an_error_with_a_way_out(repo: Repo, site: Site) -> None:
    repo.commit({".gitlab-ci.yml": f"include: '{site.url}/ci.yml'\n", LOCK_FILE: "[[include]]\naddress = 5\n"})

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 2
    assert LOCK_FILE in ran.stderr
    assert "hookci include fetch" in ran.stderr
