"""Jobs on an engine that does not see this machine's files: all is as on one that does."""

from __future__ import annotations

import json
import random
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest
from execute_tools import hookci_started, outcomes, output, run, said, wait_until
from far_engines import far_engine
from images import BUSYBOX, PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Repo
    from far_engines import FarEngine

pytestmark = [pytest.mark.docker(PYTHON), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarEngine]:
    with far_engine(tmp_path_factory.getbasetemp(), BUSYBOX, PYTHON) as started:
        yield started


@pytest.fixture
def far(repo: Repo, engine: FarEngine) -> Iterator[Repo]:
    """A repository whose jobs run there."""
    repo.git("config", "hookci.engine", engine.url)
    yield repo
    assert engine.left() == []


def config(script: str, more: str = "", image: str = BUSYBOX) -> str:
    return f"""
        [jobs.a]
        image = "{image}"
        script = ['''{script}''']
        {more}
    """


def test_a_job_has_the_snapshot_and_a_red_one_names_its_command(far: Repo) -> None:
    far.commit({"a.txt": "one\n", "hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        script = ["pwd; ls; cat a.txt", "test ! -e .git/objects/info/alternates", "cat nosuch", "echo never"]
        after_script = ["echo $CI_JOB_STATUS; ls"]
    """})  # fmt: skip
    far.write_files({"a.txt": "two\n", "untracked.txt": ""})

    ran = run(far, check=False)

    assert ran.returncode == 1
    assert "command: cat nosuch" in ran.stdout
    assert said(ran, "a") == [
        "/builds/project", "a.txt", "hookci.toml", "one", "cat: can't open 'nosuch': No such file or directory",
        "failed", "a.txt", "hookci.toml",
    ]  # fmt: skip


def test_a_job_without_sources_has_none_and_the_next_one_has_them(far: Repo) -> None:
    far.commit({"a.txt": "one\n", ".gitlab-ci.yml": f"""
        default: {{image: {BUSYBOX}}}
        bare: {{stage: build, variables: {{GIT_STRATEGY: empty}}, script: [ls -A, touch left]}}
        after: {{stage: test, script: [ls -A]}}
    """})  # fmt: skip

    ran = run(far)

    assert said(ran, "bare") == []
    assert said(ran, "after") == [".git", ".gitlab-ci.yml", "a.txt"]


def test_git_in_a_container_knows_commits_tags_and_branches(far: Repo) -> None:
    far.commit({"a.txt": "1", ".gitattributes": "*.txt text eol=lf\n"}, message="first")
    far.git("tag", "-am", "annotated", "v1")
    far.git("branch", "side")
    far.commit({"hookci.toml": config(
        "git status --porcelain; git log --format=%s; git describe --tags; git diff --stat side..HEAD | tail -n 1\n"
        "git for-each-ref --format='%(refname)'; git fsck --no-dangling 2> /dev/null",
        image=PYTHON,
    )}, message="second")  # fmt: skip

    first = said(run(far), "a")
    far.git("tag", "-d", "v1")
    far.git("tag", "-am", "moved", "v2")
    second = said(run(far), "a")

    assert first[:2] == ["second", "first"]
    assert first[2].startswith("v1-1-g")
    assert first[4:] == ["refs/heads/main", "refs/heads/side", "refs/tags/v1"]
    assert second[2] == "v2"
    assert second[-1] == "refs/tags/v2"


def test_as_many_commits_travel_as_a_gitlab_runner_fetches(far: Repo) -> None:
    for number in range(25):
        far.git("commit", "--allow-empty", "-qm", f"number {number}")
    count = """
        [jobs.NAME]
        image = "IMAGE"
        script = ["git rev-list --count HEAD"]
        variables = VARIABLES
    """.replace("IMAGE", PYTHON)
    depths = {"usual": "{}", "few": '{ GIT_DEPTH = "3" }', "all": '{ GIT_DEPTH = "0" }', "more": '{ GIT_DEPTH = "30" }'}
    jobs = (count.replace("NAME", name).replace("VARIABLES", variables) for name, variables in depths.items())
    far.commit({"hookci.toml": "".join(jobs)})

    ran = run(far, "-j", "1")

    assert {name: said(ran, name) for name in depths} == {"usual": ["20"], "few": ["3"], "all": ["26"], "more": ["26"]}


@pytest.mark.parametrize("options", [["--depth=2"], ["--filter=blob:none"]])
def test_a_clone_that_lacks_objects_travels_too(far: Repo, options: list[str]) -> None:
    for number in range(3):
        far.commit({"a.txt": str(number), "hookci.toml": config("git status --short; cat a.txt", image=PYTHON)})
    far.git("push", "-q", "--no-verify", "origin", "main")
    assert far.remote
    far.run("git", "-C", str(far.remote), "config", "uploadpack.allowFilter", "true")
    clone = far.path.parent / "clone"
    far.run("git", "clone", "-q", *options, far.remote.as_uri(), str(clone), cwd=clone.parent)
    far.run("git", "config", "hookci.engine", far.out("config", "hookci.engine"), cwd=clone)

    ran = far.run("hookci", "run", "--no-memory", cwd=clone)

    assert said(ran, "a") == ["2"]


def test_submodules_travel_with_their_commits(far: Repo, make_repo: Callable[..., Repo]) -> None:
    module = make_repo("module", remote=False)
    module.commit({"inner.txt": "inner\n"}, message="of the module")
    far.git("submodule", "add", "-q", str(module.path), "lib")
    script = "cat lib/inner.txt; git status --short; git -C lib log --format=%s; git -C lib status --short"
    far.commit({"hookci.toml": config(script, image=PYTHON)})

    first, second = said(run(far), "a"), said(run(far), "a")

    assert first == second == ["inner", "of the module"]


# -- what comes back


def test_artifacts_come_back_as_they_are(far: Repo) -> None:
    far.commit({"hookci.toml": f"""
        [defaults]
        image = "{BUSYBOX}"
        [jobs.make]
        stage = "build"
        script = '''
          mkdir -p out/deep 'with space' other
          echo a > out/deep/a.txt; echo b > out/b.log; echo c > 'with space/c.txt'
          printf '#!/bin/sh\\necho ran' > out/run; chmod 750 out/run
          ln -s deep/a.txt out/link; ln out/run out/hard; ln -s /etc/passwd out/outside
          touch -d '2001-02-03 04:05:06' out/deep/a.txt
          echo d > other/d.txt; echo e > other.txt; echo f > "$(printf 'new\\nline.txt')"
          chmod 555 out/deep
        '''
        artifacts = {{ paths = ["./out/", "with space/*.txt", "./no-such-thing", "new*"], exclude = ["**/*.log"] }}
        [jobs.use]
        script = [
            "find out 'with space' new* | sort", "./out/run", "stat -c '%a %Y %n' out/run out/deep/a.txt",
            "cat out/link", "test ! -e other.txt", "test ! -e other", "test ! -e out/b.log",
        ]
    """})  # fmt: skip

    ran = run(far)

    assert said(ran, "make") == [
        "hookci: not brought back: 'out/outside' is a link that leads outside, to '/etc/passwd'",
        "hookci: no artifact matches `./no-such-thing`",
    ]
    lines = said(ran, "use")
    assert sorted(lines[:10]) == [
        "line.txt", "new", "out", "out/deep", "out/deep/a.txt", "out/hard", "out/link", "out/run",
        "with space", "with space/c.txt",
    ]  # fmt: skip
    assert lines[10] == "ran"
    assert lines[11].startswith("750 ")
    assert lines[12] == "644 981173106 out/deep/a.txt"
    assert lines[13:] == ["a"]


def test_what_a_job_removed_or_left_alone_does_not_come_back_as_new(far: Repo) -> None:
    far.commit({"out/old.txt": "old", "out/kept.txt": "kept", "report.xml": "<testsuite/>", "hookci.toml": f"""
        [defaults]
        image = "{BUSYBOX}"
        [jobs.make]
        stage = "build"
        script = ["rm out/old.txt; echo new > out/new.txt"]
        artifacts = ["out"]
        reports.junit = "report.xml"
        [jobs.use]
        script = ["ls out"]
    """})  # fmt: skip

    ran = run(far)

    assert "`report.xml` was there before the job" in output(far, "make")
    assert said(ran, "use") == ["kept.txt", "new.txt", "old.txt"]


def test_test_reports_come_back_from_wherever_they_are(far: Repo) -> None:
    report = '<testsuite><testcase name="b"/><testcase name="c"><failure message="broken"/></testcase></testsuite>'
    far.commit({"hookci.toml": f"""
        [defaults]
        image = "{BUSYBOX}"
        [jobs.make]
        stage = "build"
        script = ['''mkdir -p deep/er; echo '{report}' > deep/er/report.xml''']
        reports.junit = "**/*.xml"
    """})  # fmt: skip

    ran = far.hookci("run", "--json")

    jobs = {job["name"]: job for job in json.loads(ran.stdout)["run"]["jobs"]}
    assert (jobs["make"]["tests"]["total"], jobs["make"]["tests"]["failed"]) == (2, 1)


def test_caches_come_back_and_one_that_did_not_change_is_not_sent_again(far: Repo, engine: FarEngine) -> None:
    far.commit({"hookci.toml": config(
        "cat kept/n kept/d/* 2> /dev/null || echo miss; mkdir -p kept/d; echo x > kept/d/x; echo $NOTE >> kept/n",
        'cache = { paths = ["kept"] }\npass_env = ["NOTE"]',
    )})  # fmt: skip

    seen = [said(run(far, env={"NOTE": str(number)}), "a") for number in range(3)]
    before = [times(tree) for tree in engine.copies()]
    again = said(run(far, env={"NOTE": "last"}), "a")
    after = [times(tree) for tree in engine.copies()]

    assert seen == [["miss"], ["0", "x"], ["0", "1", "x"]]
    assert again == ["0", "1", "2", "x"]
    moved = {name for old, new in zip(before, after, strict=True) for name in new if new[name] != old.get(name)}
    assert "kept/n" in moved
    assert "hookci.toml" not in moved


def times(tree: Path) -> dict[str, tuple[int, int]]:
    """What tells that a file of a copy was written again."""
    files = (
        (path.relative_to(tree), path.lstat()) for path in tree.rglob("*") if not path.is_dir() or path.is_symlink()
    )
    return {str(name): (info.st_ino, info.st_ctime_ns) for name, info in files}


# -- what goes there


def test_only_what_changed_travels_after_the_first_time(far: Repo, engine: FarEngine) -> None:
    files = {f"d{number % 5}/f{number}": str(number) for number in range(200)}
    far.commit({**files, "hookci.toml": config("cat d1/f1; ls d2 | wc -l; test ! -e d3/f3; cat moved")})
    run(far, check=False)
    before = {str(tree): times(tree) for tree in engine.copies()}
    far.git("mv", "d4/f4", "moved")
    far.git("rm", "-q", "d3/f3")

    far.commit({"d1/f1": "changed\n"})
    changed = said(run(far), "a")
    after = {str(tree): times(tree) for tree in engine.copies()}
    run(far)
    unchanged = {str(tree): times(tree) for tree in engine.copies()}

    assert changed == ["changed", "40", "4"]
    written = {name for tree, new in after.items() for name in new if new[name] != before[tree].get(name)}
    assert {name for name in written if not name.startswith(".git/")} == {"d1/f1", "moved"}
    assert not any(name.endswith("d3/f3") for new in after.values() for name in new)
    assert unchanged == after


def test_files_directories_and_links_take_each_others_place(far: Repo) -> None:
    shapes = ["file", "directory", "link", "other link", "directory", "executable", "file", "nothing"]
    script = "if [ -L x ]; then readlink x; elif [ -d x ]; then ls x x/*; else stat -c '%a %s' x || true; fi; cat y/f"
    seen = []

    for shape in shapes:
        place = far.path / "x"
        far.run("rm", "-rf", "x")
        if shape == "file":
            place.write_text("a file")
        elif shape == "executable":
            place.write_text("a file")
            place.chmod(0o755)
        elif "link" in shape:
            place.symlink_to("y" if shape == "link" else "y/f")
        elif shape == "directory":
            (place / "sub").mkdir(parents=True)
            (place / "sub" / "f").write_text("deep")
        far.commit({"y/f": "still\n", "hookci.toml": config(script)})
        seen.append(said(run(far), "a"))

    listing = ["x:", "sub", "x/sub:", "f"]
    shown = {
        "file": ["644 6"], "executable": ["755 6"], "directory": listing, "link": ["y"], "other link": ["y/f"],
        "nothing": ["stat: can't stat 'x': No such file or directory"],
    }  # fmt: skip
    assert seen == [[*shown[shape], "still"] for shape in shapes]


def test_names_may_hold_anything(far: Repo) -> None:
    names = ["with blank", "new\nline", "caf\udce9", "-rf", "'quoted'", "$HOME", "long" * 60, "ü/ß", "back\\slash"]
    script = 'find . -name .git -prune -o -type f -print0 | sort -z | tr "\\0\\n" "|?"'
    far.commit({**dict.fromkeys(names, "x"), "hookci.toml": config(script)})
    there = said(run(far), "a")
    far.git("rm", "-q", "--", *names)

    far.commit()
    gone = said(run(far), "a")

    assert all(name.replace("\n", "?") in there[0] for name in names if name.isascii())
    assert there[0].count("|") == len(names) + 1
    assert gone == ["./hookci.toml|"]


def test_a_copy_of_which_nobody_knows_what_it_holds_is_made_anew(far: Repo, engine: FarEngine) -> None:
    def remove_volume() -> None:
        far.run("docker", "-H", engine.url, "volume", "rm", *(tree.parent.parent.name for tree in engine.copies()))

    def change_state(text: str) -> None:
        for tree in engine.copies():
            (tree.parent / "state").write_text(text)
            (tree / "b").write_text("not what was sent")
            (tree / "stray").write_text("")

    def break_record() -> None:
        for record in (far.path.parent / "home").rglob("sent-*.json"):
            record.write_text('{"a": [1')

    far.commit({"a": "1", "b": "1\n", "hookci.toml": config("cat b; ls")})
    seen = [said(run(far), "a")]

    harms: list[Callable[[], None]] = [
        remove_volume, partial(change_state, ""), partial(change_state, "0" * 64), break_record
    ]  # fmt: skip
    for number, harm in enumerate(harms):
        harm()
        far.git("mv", *(("a", "c") if number % 2 == 0 else ("c", "a")))
        far.commit()
        seen.append(said(run(far), "a"))

    even, odd = ["1", "a", "b", "hookci.toml"], ["1", "b", "c", "hookci.toml"]
    assert seen == [even, odd, even, odd, even]


def test_a_link_of_the_snapshot_never_leads_to_what_is_removed_here(far: Repo) -> None:
    precious = far.path.parent / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    (far.path / "out").symlink_to(precious)
    far.commit(
        {"hookci.toml": config("rm out; mkdir out; echo theirs > out/file", 'artifacts = ["out/file", "out/*"]')}
    )

    run(far)

    assert (precious / "file").read_text() == "mine"
    assert [path.name for path in precious.iterdir()] == ["file"]


# -- how it ends


def test_a_deadline_ends_the_job_over_there(far: Repo, engine: FarEngine) -> None:
    far.commit({"hookci.toml": config("echo begun; sleep 300", 'timeout = "1s"\nafter_script = ["echo after"]')})

    ran = run(far, check=False)

    lines = said(ran, "a")
    assert (lines[0], lines[-1]) == ("begun", "after")
    assert outcomes(far) == {"a": "timed out"}
    assert engine.left() == []


def test_ctrl_c_leaves_nothing_over_there(far: Repo, engine: FarEngine) -> None:
    far.commit({"hookci.toml": config("echo begun; sleep 300")})

    with hookci_started(far, "run") as process:
        assert process.stdout
        for line in process.stdout:
            if b"| begun" in line:
                process.send_signal(signal.SIGINT)
        status = process.wait(60)

    assert status == 130
    assert engine.left() == []


def test_after_kill_9_only_labelled_things_and_the_copy_are_there_and_the_next_run_is_right(
    far: Repo, engine: FarEngine
) -> None:
    far.commit({"hookci.toml": config("cat a b; sleep $SECONDS_TO_SLEEP", 'pass_env = ["SECONDS_TO_SLEEP"]'), "a": "1"})
    for number, things in enumerate((0, 1, 1)):
        far.commit({"b": f"{number}\n"})
        with hookci_started(far, "run", env={"SECONDS_TO_SLEEP": "300"}) as process:
            assert wait_until(partial(engine.has_more_than, things), 60)
            process.kill()
            process.communicate()
    killed = engine.left()

    ran = run(far, env={"SECONDS_TO_SLEEP": "0"})

    assert all("io.hookci.process" in thing for thing in killed)
    assert said(ran, "a") == ["12"]


def test_gc_removes_the_copy_too_and_the_next_run_makes_it_anew(far: Repo, engine: FarEngine) -> None:
    others = engine.copies()
    far.commit({"a": "1\n", "hookci.toml": config("cat a")})
    run(far)
    copies = [tree for tree in engine.copies() if tree not in others]

    far.hookci("gc")

    assert len(copies) == 1
    assert not copies[0].exists()
    assert said(run(far), "a") == ["1"]


# -- what else there is


def test_two_jobs_at_once_have_a_workspace_each(far: Repo) -> None:
    script = "echo $CI_JOB_NAME > mine; for i in 1 2 3 4 5 6 7 8 9; do cat mine >> seen; sleep 0.1; done; sort -u seen"
    far.commit({"hookci.toml": "".join(config(script).replace("jobs.a", f"jobs.{name}") for name in "ab")})

    for _ in range(2):
        ran = run(far, "-j", "2")
        assert (said(ran, "a"), said(ran, "b")) == (["a"], ["b"])


def test_a_user_that_is_not_root_may_write_and_its_files_come_back(far: Repo) -> None:
    far.commit({"a.txt": "one", "hookci.toml": f"""
        [jobs.a]
        stage = "build"
        image = {{ name = "{BUSYBOX}", user = "nobody" }}
        script = ["id -un; echo two > a.txt; mkdir out; echo x > out/f; chmod 600 out/f"]
        artifacts = ["out"]
        [jobs.b]
        image = "{BUSYBOX}"
        script = ["cat out/f a.txt"]
    """})  # fmt: skip

    ran = run(far)

    assert said(ran, "a") == ["nobody"]
    assert said(ran, "b") == ["x", "one"]


def test_secrets_are_in_no_label_name_or_command_over_there(far: Repo, engine: FarEngine) -> None:
    secret, shown = "correct horse " + "battery", "[]"
    far.commit({"hookci.toml": config('echo "got $TOKEN"; echo up; sleep 300', 'secrets = ["TOKEN"]')})

    with hookci_started(far, "run", env={"TOKEN": secret}) as process:
        assert process.stdout
        for line in process.stdout:
            if b"| up" in line:
                listed = far.run("docker", "-H", engine.url, "ps", "-aq").stdout.split()
                shown = far.run("docker", "-H", engine.url, "inspect", *listed).stdout
                process.send_signal(signal.SIGINT)
        process.wait(60)

    containers = json.loads(shown)
    assert containers
    for container in containers:
        told = [container["Name"], container["Path"], container["Args"], container["Config"]["Labels"]]
        told += [container["Config"]["Cmd"], container["Mounts"]]
        assert secret not in json.dumps(told)
    assert secret not in "".join(path.read_text(errors="replace") for path in engine.written())


def test_a_service_beside_it_is_reached_by_its_name(far: Repo) -> None:
    far.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        services = [{{ image = "{BUSYBOX}", alias = "web", variables = {{ HEALTHCHECK_TCP_PORT = "80" }},
                      command = ["sh", "-c", "mkdir /www; echo hello > /www/greeting; exec httpd -f -p 80 -h /www"] }}]
        script = ["wget -q -O - http://web/greeting"]
    """})  # fmt: skip

    ran = run(far)

    assert said(ran, "a") == ["hello"]


def test_an_image_is_built_there_and_the_next_job_runs_in_it(far: Repo) -> None:
    far.commit({"Dockerfile": f"FROM {BUSYBOX}\nCOPY name.txt /\nRUN echo hello $(cat /name.txt) > /greeting\n",
                "name.txt": "shop", "hookci.toml": """
        [jobs.image]
        stage = "build"
        build = {}
        [jobs.smoke]
        image = "job:image"
        script = ["cat /greeting name.txt"]
    """})  # fmt: skip

    ran = run(far)

    assert said(ran, "smoke") == ["hello shop", "shop"]


@pytest.mark.parametrize("program", ["cp", "rm", "sh"])
def test_an_image_that_lacks_what_is_needed_is_an_error_that_says_so(far: Repo, program: str) -> None:
    far.commit({"Dockerfile": f"FROM {PYTHON}\nRUN rm /bin/{program}\n", "gone": "", "hookci.toml": """
        [jobs.image]
        stage = "build"
        build = {}
        [jobs.a]
        image = "job:image"
        script = ["true"]
    """})  # fmt: skip
    if program == "rm":
        run(far)
        far.git("rm", "-q", "gone")
        far.commit()

    ran = run(far, check=False)

    assert ran.returncode == 3, ran.output
    assert "Traceback" not in ran.output
    assert f"`{program}`" in ran.stdout


# -- harm


def test_a_file_larger_than_all_that_is_taken_is_refused_at_once(far: Repo) -> None:
    far.commit({"hookci.toml": config("mkdir out; truncate -s 1099511627776 out/bomb", 'artifacts = ["out"]')})

    ran = run(far, check=False)

    assert ran.returncode == 3
    assert "gave files of more than 17,179,869,184 bytes" in ran.stdout


def test_a_disk_over_there_that_is_full_is_said_and_nothing_stays(
    repo: Repo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repo.commit({"large": random.randbytes(15_000_000).hex(), "hookci.toml": config("true")})

    with far_engine(tmp_path_factory.getbasetemp(), BUSYBOX, small=24) as full:
        repo.git("config", "hookci.engine", full.url)
        ran = run(repo, check=False)
        left = full.left()

    assert ran.returncode == 3, ran.output
    [line] = [line for line in ran.stdout.splitlines() if line.startswith("a errored in ")]
    assert line.lower().endswith(("no space left on device", "no space left on device: unknown"))
    assert left == []


def test_a_job_that_fills_hookcis_own_file_does_not_fill_its_memory(far: Repo) -> None:
    far.commit({"hookci.toml": config("truncate -s 1099511627776 /hookci/step; false")})

    ran = run(far, check=False)

    assert ran.returncode == 1
    assert outcomes(far) == {"a": "failed"}
