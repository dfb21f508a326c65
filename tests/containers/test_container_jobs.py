"""Jobs in containers, from outside: where they run, as whom, with what, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Repo, stress
from container_tools import left, of_hookci
from execute_tools import hookci_started, outcomes, run, said, wait_until
from images import BUSYBOX, PYTHON

if TYPE_CHECKING:
    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

SOCKET = Path("/var/run/docker.sock")


def test_a_container_has_the_workspace_at_one_path_and_no_file_of_the_work_tree(repo: Repo) -> None:
    repo.commit({"a.txt": "one\n", "hookci.toml": f"""
        [defaults]
        image = "{BUSYBOX}"
        [jobs.one]
        script = ["pwd; ls; cat a.txt", "echo $CI_PROJECT_DIR"]
        [jobs.two]
        script = ["pwd; ls; cat a.txt", "echo $CI_PROJECT_DIR"]
    """})  # fmt: skip
    repo.write_files({"a.txt": "two", "untracked.txt": ""})

    ran = run(repo, "-j", "2")

    seen = ["/builds/project", "a.txt", "hookci.toml", "one", "/builds/project"]
    assert said(ran, "one") == said(ran, "two") == seen


def test_git_in_a_container_knows_the_commit(repo: Repo) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{PYTHON}"
        script = ["git status --porcelain", "git rev-parse HEAD", "git show --stat HEAD | grep -c hookci.toml"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == [repo.out("rev-parse", "HEAD"), "1"]


def test_a_job_says_what_its_container_gets(repo: Repo) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = {{ name = "{BUSYBOX}", user = "65534:65534", workdir = "/tmp", memory = "64m", network = "none",
                   entrypoint = ["env", "ENTERED=yes"] }}
        script = [
            "pwd; id -u; echo $ENTERED",
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2> /dev/null || true",
            "ls /sys/class/net",
            "touch $CI_PROJECT_DIR/new",
            "grep NoNewPrivs /proc/self/status | tr -d '\\t'",
        ]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == ["/tmp", "65534", "yes", str(64 * 2**20), "lo", "NoNewPrivs:1"]


def test_a_container_sees_what_this_clone_mounts_and_no_more(repo: Repo, tmp_path: Path) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    (place / "file").write_text("from outside")
    repo.git("config", "--add", "hookci.mount", f"{place}:/shared:ro")
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        script = ["cat /shared/file; echo", "! touch /shared/new 2> /dev/null", "test ! -e /var/run/docker.sock",
                  "test ! -e {tmp_path}/home/.gitconfig"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == ["from outside"]
    assert not (place / "new").exists()


def test_the_engines_socket_goes_only_to_images_that_this_clone_names(repo: Repo) -> None:
    repo.git("config", "hookci.socket", "hookci-test/py*")
    repo.commit({"hookci.toml": f"""
        [jobs.with]
        image = "{PYTHON}"
        script = ["test -S {SOCKET}"]
        [jobs.without]
        image = "{BUSYBOX}"
        script = ["test ! -e {SOCKET}"]
    """})  # fmt: skip

    run(repo)

    assert outcomes(repo) == {"with": "passed", "without": "passed"}


def test_a_tag_that_moved_is_a_miss(repo: Repo, engine: Engine) -> None:
    name = f"hookci-test/moving-{os.getpid()}-{time.monotonic_ns()}"
    repo.commit({"hookci.toml": f'[jobs.a]\nimage = "{name}:1"\nscript = ["true"]\n'})
    seen = []
    try:
        for image in (BUSYBOX, BUSYBOX, PYTHON, BUSYBOX):
            engine.api.tag(image, name, "1", force=True)
            repo.hookci("run")
            seen.append(outcomes(repo)["a"])
    finally:
        engine.api.remove_image(f"{name}:1")

    assert seen == ["passed", "remembered", "passed", "remembered"]


def test_a_secret_is_in_no_label_and_no_command_line(repo: Repo, engine: Engine) -> None:
    secret = "correct-horse-" + "battery"
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        secrets = ["TOKEN"]
        script = ["echo $TOKEN", "echo up", "sleep 60"]
    """})  # fmt: skip

    with hookci_started(repo, "run", env={"TOKEN": secret}) as process:
        assert process.stdout
        shown = [next(process.stdout) for _ in range(5)]
        inspected = [engine.api.inspect_container(thing.name) for thing in of_hookci(engine.api, repo)]
        process.terminate()
        shown += process.stdout.readlines()

    assert secret.encode() not in b"".join(shown)
    assert b"[MASKED]" in b"".join(shown)
    assert len(inspected) == 1
    config = inspected[0]["Config"]
    assert [word for word in config.pop("Env") if secret in word] == [f"TOKEN={secret}"]
    assert secret not in str(inspected[0])


def test_ctrl_c_and_a_deadline_leave_nothing_on_the_engine(repo: Repo, engine: Engine) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        services = [{{ image = "{BUSYBOX}", alias = "beside", command = ["nc", "-lk", "-p", "80", "-e", "cat"] }}]
        timeout = "TIMEOUT"
        script = ["echo up", "trap '' TERM; sleep 60"]
    """.replace("TIMEOUT", "2s")})  # fmt: skip
    late = run(repo, check=False)
    after_deadline = left(engine.api, repo)
    repo.commit({"hookci.toml": (repo.path / "hookci.toml").read_text().replace("2s", "1h")})

    with hookci_started(repo, "run") as process:
        assert process.stdout
        assert any(b"| up" in line for line in process.stdout)
        there = {thing.kind for thing in of_hookci(engine.api, repo)}
        process.send_signal(2)
        process.communicate(timeout=30)

    assert late.returncode == 1
    assert "did not end within 2 s" in late.stdout
    assert after_deadline == []
    assert {"container", "network"} <= there
    assert process.returncode == 130
    assert left(engine.api, repo) == []


def test_two_runs_at_once_do_not_meet(repo: Repo, engine: Engine) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{PYTHON}"
        services = [{{ image = "hookci-test/redis:1", alias = "store" }}]
        script = ['''python3 -c "
import os, redis, time
store = redis.Redis('store')
store.set(os.environ['HOOKCI_RUN'], 'here')
time.sleep(2)
print(*(key.decode() for key in store.keys()))
"''']
    """})  # fmt: skip
    argv = ["hookci", "run", "--no-memory"]

    processes = [
        subprocess.Popen(argv, cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    shown = [process.communicate(timeout=120)[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], shown
    stored = sorted(line.rpartition("| ")[2] for text in shown for line in text.splitlines() if line[-1:].isdigit())
    assert stored == ["1", "2", "3"]
    assert left(engine.api, repo) == []


def test_many_runs_in_a_row_leave_the_engine_as_it_was(repo: Repo, engine: Engine) -> None:
    repo.commit({"hookci.toml": f"""
        [defaults]
        image = "{BUSYBOX}"
        [jobs.a]
        matrix = [{{ N = ["1", "2", "3", "4"] }}]
        script = ["[ $N != 3 ]"]
        after_script = ["echo $CI_JOB_STATUS"]
        retry = 1
    """})  # fmt: skip

    runs = [run(repo, "-j", "2", "--keep-going", check=False) for _ in range(stress(2))]

    assert {ran.returncode for ran in runs} == {1}
    assert outcomes(repo) == {"a: [1]": "passed", "a: [2]": "passed", "a: [3]": "failed", "a: [4]": "passed"}
    assert wait_until(lambda: left(engine.api, repo) == [])


def test_a_run_without_containers_needs_no_engine_though_the_last_one_did(repo: Repo) -> None:
    mark = repo.path / ".git" / "hookci" / "uses-engine"
    repo.commit({"hookci.toml": f'[jobs.a]\nimage = "{BUSYBOX}"\nscript = ["true"]\n'})
    run(repo)
    expected = mark.exists()
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["true"]\n'})

    ran = run(repo, "--engine", "unix:///nowhere.sock")

    assert "nowhere" not in ran.output
    assert (expected, mark.exists()) == (True, False)


def test_a_container_that_is_made_while_its_workspace_cannot_be_is_gone_too(repo: Repo, engine: Engine) -> None:
    job = f'[jobs.a]\nimage = "{BUSYBOX}"\nscript = ["true"]\n'
    repo.commit({"hookci.toml": job})
    run(repo)  # a workspace is kept by now
    repo.commit({"hookci.toml": f'{job}carry = ["not-there"]\n'})
    begun = int(time.time())

    ran = run(repo, check=False)

    ours = {"type": "container", "label": f"io.hookci.repository={cache_name(repo)}"}
    events = engine.api.events(since=begun, until=int(time.time()) + 1, filters=ours, decode=True)
    seen = [(event["id"], event["Action"]) for event in events]  # by seconds: of the run before, too
    assert "carries `not-there`, which is not in your work tree" in ran.output
    assert [action for container, action in seen if container == seen[-1][0]] == ["create", "destroy"]


def test_a_workspace_that_is_a_link_by_now_is_made_anew(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f'[jobs.a]\nimage = "{BUSYBOX}"\nscript = ["ls > seen; cat seen"]\n'})
    run(repo)
    [kept] = Path(repo.env["HOME"], ".cache", "hookci", cache_name(repo)).glob("[0-9]*/*/hookci.toml")
    elsewhere = tmp_path / "elsewhere"
    kept.parent.rename(elsewhere)
    kept.parent.symlink_to(elsewhere)

    ran = run(repo)

    assert said(ran, "a") == ["hookci.toml", "seen"]
    assert not kept.parent.is_symlink()


def cache_name(repo: Repo) -> str:
    """What the repository is called among the workspaces, and in labels."""
    [path] = Path(repo.env["HOME"], ".cache", "hookci").glob(f"{repo.path.name}-*")
    return path.name
