"""What is special about workspaces that are overlays of one checkout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guarded import contents, guard, workers
from workspaces import Bench, can_overlay, opened

from hookci.proc.supervise import Cancel, Supervised, supervise
from hookci.workspace.cache import CachePlace, CacheStore
from hookci.workspace.kinds import Kind
from hookci.workspace.slot import Caches, Wanted
from hookci.workspace.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Repo

pytestmark = pytest.mark.skipif(not can_overlay(), reason="overlays cannot be mounted here")


@pytest.fixture
def bench(repo: Repo, tmp_path: Path) -> Iterator[Bench]:
    """A repository with some directories, seen by one job."""
    repo.write_files({"a.txt": "a\n", "src/deep/c.txt": "c\n", "src/d.txt": "d\n", "vendor/lib.txt": "lib\n"})
    repo.commit({".gitignore": "*.log\n"})
    with opened(repo, tmp_path / "place", Kind.OVERLAY) as bench:
        bench.reset()
        yield bench


def shell(bench: Bench, script: str) -> str:
    return bench.repo.run("sh", "-ec", script, cwd=bench.top).stdout


def pristine(bench: Bench, number: int = 0) -> Path:
    return bench.place / "work" / f"pristine-{number}" / "project"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("mv src other && cat other/deep/c.txt && ! test -e src", "c\n"),
        (
            "git mv src other && git status --porcelain",
            "R  src/d.txt -> other/d.txt\nR  src/deep/c.txt -> other/deep/c.txt\n",
        ),
        ("echo x >> a.txt; git stash -q; cat a.txt; git stash pop -q; cat a.txt", "a\na\nx\n"),
        ("ln a.txt hard; echo more >> hard; cat a.txt", "a\nmore\n"),
        ("chmod +x a.txt; git status --porcelain", " M a.txt\n"),
        ("git worktree add -q wt; ls wt", "a.txt\nsrc\nvendor\n"),
        ("rm -r src; mkdir src; touch src/new; ls src", "new\n"),
        ("python3 -c \"import os; os.rename('src', 'other'); print(os.listdir('other/deep'))\"", "['c.txt']\n"),
        ("touch -d '2020-01-01' a.txt; stat -c %y a.txt | cut -c1-10", "2020-01-01\n"),
        ("git gc -q; git log --format=%s", "a change\n"),
    ],
)
def test_a_job_may_do_with_the_files_what_it_may_do_elsewhere(bench: Bench, script: str, says: str) -> None:
    said = shell(bench, script)

    assert said == says
    assert contents(pristine(bench)) == bench.fresh()
    assert bench.reset() == bench.fresh()


def test_files_keep_their_times_and_inodes_from_job_to_job(bench: Bench) -> None:
    before = (bench.top / "a.txt").stat()
    shell(bench, "rm -r src")

    bench.reset()

    after = (bench.top / "a.txt").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def edited(top: Path) -> None:
    (top / "a.txt").write_text("b\n")


def added(top: Path) -> None:
    (top / "src" / "new").write_text("x")


def removed(top: Path) -> None:
    (top / "src" / "d.txt").unlink()


def hook_added(top: Path) -> None:
    (top / ".git" / "hooks").mkdir()
    (top / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\nexit 1\n")


def setting_added(top: Path) -> None:
    with (top / ".git" / "config").open("a") as config:
        config.write("[core]\n\tbare = true\n")


@pytest.mark.parametrize("tamper", [edited, added, removed, hook_added, setting_added], ids=lambda each: each.__name__)
@pytest.mark.parametrize("settled", [False, True])
def test_what_was_done_to_the_shared_checkout_is_undone_by_the_next_run(
    bench: Bench, tamper: Callable[[Path], None], settled: bool
) -> None:
    if settled:  # git's index is then newer than the files
        time.sleep(1.1)
        bench.reset()
    bench.release()
    tamper(pristine(bench))

    found = bench.reset()

    assert found == bench.fresh()
    assert bench.git("status", "--porcelain", "--ignored") == ""
    assert not (bench.top / ".git" / "hooks").exists()


class Traced:
    """Jobs of one run, of which each git process is counted."""

    def __init__(self, bench: Bench) -> None:
        self._trace = bench.place / "trace"
        self._bench = bench
        bench.repo.env["GIT_TRACE"] = str(self._trace)
        self._source = bench.source()
        del bench.repo.env["GIT_TRACE"]
        self._slots = bench.run()
        self._head = [bench.repo.out("rev-parse", name) for name in ("HEAD^{tree}", "HEAD")]

    def run(self) -> int:
        """Run a job that does nothing; how many git processes made its workspace."""
        self._trace.unlink(missing_ok=True)
        slot = self._slots.acquire("job")
        tree, commit = self._head
        slot.prepare(self._source, Wanted(tree=tree, commit=commit, local=True), self._bench.said.append)
        slot.release()
        return self._trace.read_text().count(" built-in: ") if self._trace.exists() else 0


def test_a_job_after_the_first_needs_no_git_at_all(bench: Bench) -> None:
    bench.release()
    run = Traced(bench)

    counts = [run.run() for _ in range(3)]

    assert counts == [1, 0, 0]


def test_a_copy_that_holds_the_tree_needs_one_git_process(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.txt": "a\n"})
    with opened(repo, tmp_path / "place", Kind.COPY) as bench:
        bench.reset()
        time.sleep(1.1)
        bench.reset()  # git's index is newer than the files now
        bench.release()
        run = Traced(bench)

        counts = [run.run() for _ in range(3)]

    assert counts == [2, 1, 1]


def test_two_trees_at_once_have_a_checkout_each_and_more_get_copies(bench: Bench) -> None:
    for number in range(4):
        bench.repo.commit({"a.txt": f"{number}\n"})
    commits = bench.repo.out("rev-list", "--reverse", "-n4", "HEAD").split()
    bench.release()
    slots = [bench.run().acquire("job") for _ in commits]

    for slot, commit in zip(slots, commits, strict=True):
        tree = bench.repo.out("rev-parse", f"{commit}^{{tree}}")
        slot.prepare(bench.source(), Wanted(tree=tree, commit=commit, local=True), bench.said.append)
    places = [slot.checkout.tree_path for slot in slots]
    seen = [(place / "a.txt").read_text() for place in places]
    mounted = [os.path.ismount(place) for place in places]
    for slot in slots:
        slot.release()

    assert seen == ["0\n", "1\n", "2\n", "3\n"]
    assert mounted == [True, True, True, False]


def test_runs_of_one_commit_share_the_checkout(bench: Bench) -> None:
    slot = bench.run().acquire("job")
    tree, commit = bench.repo.out("rev-parse", "HEAD^{tree}"), bench.repo.out("rev-parse", "HEAD")

    slot.prepare(bench.source(), Wanted(tree=tree, commit=commit, local=True), bench.said.append)
    (slot.checkout.tree_path / "a.txt").write_text("mine\n")

    assert (bench.top / "a.txt").read_text() == "a\n"
    assert not pristine(bench, 1).exists()
    slot.release()


def test_whoever_still_looks_at_a_workspace_is_not_waited_for(bench: Bench) -> None:
    (bench.top / "left").write_text("x")
    with subprocess.Popen(["sleep", "60"], cwd=bench.top) as shell_of_a_person:
        found = bench.reset()
        shell_of_a_person.kill()

    assert found == bench.fresh()


# -- one job after the other in one run


class Jobs:
    """Jobs of one run, one at a time."""

    def __init__(self, bench: Bench) -> None:
        bench.release()
        self.bench = bench
        self.slots = bench.run()
        self.source = bench.source()

    def begin(self, revision: str = "HEAD", *, local: bool = True) -> int:
        """Have the workspace for a job; when its overlay was mounted, in nanoseconds."""
        tree, commit = (self.bench.repo.out("rev-parse", f"{revision}^{{{kind}}}") for kind in ("tree", "commit"))
        self.bench.take(self.slots.acquire("job")).prepare(
            self.source, Wanted(tree=tree, commit=commit, local=local), self.bench.said.append
        )
        made = self.bench.slot.directory / "layer" / "work" / "work"
        return made.stat().st_ctime_ns if made.exists() else 0

    def end(self) -> None:
        self.bench.release()


def test_an_overlay_in_which_nothing_was_changed_serves_the_next_job_too(bench: Bench) -> None:
    jobs = Jobs(bench)

    before = jobs.begin()
    said = shell(bench, "ls; cat src/deep/c.txt; find . -type f | wc -l > /dev/null; git log --format=%s -n1")
    jobs.end()
    after = jobs.begin()

    assert said == "a.txt\nsrc\nvendor\nc\na change\n"
    assert after == before
    assert contents(bench.top) == bench.fresh()


CHANGES = [
    "echo x >> a.txt",
    "rm a.txt",
    "mkdir -p src/deep/er",
    "rm -rf src vendor .git .gitignore",
    "touch new",
    "touch new; rm new",
    "mkdir new; rmdir new",
    "chmod 700 .",
    "chmod +x src/d.txt",
    "touch -d 2020-01-01 .",
    "touch -d 2020-01-01 src/deep",
    "ln -s /etc src/deep/link",
    "mkfifo pipe",
    "git config user.name me",
    "git update-index --skip-worktree a.txt; echo hidden > a.txt",
    "mount -t tmpfs none src",
    "mount -t tmpfs none . && touch elsewhere",
    'umount -l . && touch "$PWD/below"',
    "mv ../layer/upper ../layer/other; mkdir ../layer/upper",
    "rm -r ../layer/upper",
    "rm -rf ../layer; ln -s /etc ../layer",
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_job_changed_the_next_one_has_an_overlay_of_its_own(bench: Bench, change: str) -> None:
    jobs = Jobs(bench)
    before = jobs.begin()
    top, mode = bench.top, bench.top.stat().st_mode
    bench.repo.run("sh", "-c", change, cwd=top)
    jobs.end()

    after = jobs.begin()

    assert after != before
    assert contents(top) == bench.fresh()
    assert top.stat().st_mode == mode
    assert bench.git("status", "--porcelain", "--ignored") == ""
    assert contents(pristine(bench)) == bench.fresh()
    jobs.end()
    jobs.slots.close()
    assert not os.path.ismount(top)


def test_whoever_still_looks_at_a_workspace_does_not_see_the_next_job(bench: Bench) -> None:
    jobs = Jobs(bench)
    before = jobs.begin()
    with subprocess.Popen(["sleep", "60"], cwd=bench.top) as left:
        jobs.end()
        after = jobs.begin()
        (bench.top / "theirs").write_text("x")
        seen = os.listdir(f"/proc/{left.pid}/cwd")  # noqa: PTH208 (what another process sees)
        left.kill()

    assert after != before
    assert "theirs" not in seen


def test_a_job_of_another_commit_or_in_a_container_has_no_overlay_of_the_job_before(bench: Bench) -> None:
    jobs = Jobs(bench)
    jobs.begin()
    jobs.end()
    bench.repo.commit({"a.txt": "b\n"})

    jobs.begin()
    other = contents(bench.top)
    jobs.end()
    jobs.begin(local=False)

    assert other == bench.fresh()
    assert not os.path.ismount(bench.top)
    assert contents(bench.top) == bench.fresh()


def test_nothing_is_mounted_any_more_when_a_run_is_over(bench: Bench) -> None:
    jobs = Jobs(bench)
    jobs.begin()
    jobs.end()

    between = os.path.ismount(bench.place / "work" / "00" / "project")
    jobs.slots.close()

    assert between
    assert not os.path.ismount(bench.place / "work" / "00" / "project")
    assert bench.reset() == bench.fresh()


# -- caches


class Cached:
    """A bench whose jobs have a cache."""

    def __init__(self, bench: Bench, pattern: str) -> None:
        self.bench = bench
        self.store = CacheStore(bench.place / "caches", bench.repo.env)
        self.places = [CachePlace("key", pattern)]
        self.slots = bench.run()

    def run(self, script: str, revision: str = "HEAD") -> str:
        bench = self.bench
        bench.release()
        bench.said.clear()
        slot = bench.take(self.slots.acquire("job"))
        wanted = Wanted(
            tree=bench.repo.out("rev-parse", f"{revision}^{{tree}}"),
            commit=bench.repo.out("rev-parse", revision),
            local=True,
            caches=Caches(
                keep=lambda files: self.store.in_place(slot.directory, files, self.places),
                fill=lambda files: self.store.restore(slot.directory, files, slot.workspace, self.places),
            ),
        )
        slot.prepare(bench.source(), wanted, bench.said.append)
        said = shell(bench, script)
        self.store.save(slot.directory, slot.found, slot.workspace, self.places)
        return said


def test_a_cache_stays_in_place(bench: Bench) -> None:
    cached = Cached(bench, "venv")
    cached.run("mkdir -p venv/bin; pwd > venv/bin/x; echo junk > junk")
    inode = (bench.top / "venv/bin/x").stat().st_ino

    said = cached.run("ls; cat venv/bin/x")

    assert said == f"a.txt\nsrc\nvendor\nvenv\n{bench.top}\n"
    assert (bench.top / "venv/bin/x").stat().st_ino == inode


def test_a_cache_that_a_job_spoiled_is_restored(bench: Bench) -> None:
    cached = Cached(bench, "venv")
    cached.run("mkdir -p venv; echo good > venv/x")
    slot = bench.slot
    shell(bench, "echo bad > venv/x; rm -r src; mkdir src")

    said = cached.run("cat venv/x; git status --porcelain")

    assert slot.directory == bench.slot.directory
    assert said == "good\n?? venv/\n"


@pytest.mark.parametrize(
    "spoil", ["true", "rm -r vendor", "rm -r vendor; mkdir vendor; touch vendor/mine", "mv src vendor/src"]
)
def test_a_cache_in_a_tracked_directory_does_not_hide_what_is_tracked(bench: Bench, spoil: str) -> None:
    cached = Cached(bench, "vendor")
    cached.run("echo cached > vendor/cached; echo old > vendor/lib.txt")
    shell(bench, spoil)

    said = cached.run("cat vendor/lib.txt vendor/cached; git status --porcelain")

    assert said == "lib\ncached\n?? vendor/cached\n"


def test_a_cache_that_becomes_tracked_gives_way(bench: Bench) -> None:
    cached = Cached(bench, "out")
    cached.run("mkdir -p out/dir; echo cached > out/file; echo cached > out/dir/x; echo cached > out/other")
    bench.repo.commit({"out/file": "tracked\n", "out/dir": "tracked too\n"})

    said = cached.run("cat out/file out/dir out/other; git status --porcelain")

    assert said == "tracked\ntracked too\ncached\n?? out/other\n"


# -- runs


def test_what_a_killed_run_mounted_is_unmounted_by_the_next(repo: Repo, tmp_path: Path) -> None:
    guard(repo, f'[jobs.one]\nscript = ["touch {tmp_path}/began a.txt; sleep 300"]\n', push=False)
    with subprocess.Popen(
        [sys.executable, "-I", "-m", "hookci", "run"], cwd=repo.path, env=repo.env, stdout=subprocess.DEVNULL
    ) as run:
        deadline = time.monotonic() + 20
        while not (tmp_path / "began").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        (place,) = (tmp_path / "home" / ".cache" / "hookci").glob("*/00/project")
        os.kill(run.pid, signal.SIGKILL)
    assert os.path.ismount(place)

    repo.commit({"hookci.toml": '[jobs.two]\nscript = ["true"]\n[jobs.two.variables]\nA = "1"\n'})
    repo.hookci("run")

    assert not os.path.ismount(place)
    assert workers(tmp_path) == []


@pytest.mark.parametrize(("setting", "kind"), [("overlay", "overlay"), ("copies", "")])
def test_a_setting_says_what_jobs_work_in(repo: Repo, tmp_path: Path, setting: str, kind: str) -> None:
    guard(repo, f'[jobs.one]\nscript = ["findmnt -n -o FSTYPE -M . > {tmp_path}/seen || true"]\n', push=False)
    repo.git("config", "hookci.workspaces", setting)

    repo.hookci("run")

    assert (tmp_path / "seen").read_text().strip() == kind


@pytest.mark.docker("hookci-test/busybox:1")
def test_an_engine_sees_the_workspace_of_a_job_of_this_machine(repo: Repo) -> None:
    command = "docker run --rm --network none -v $PWD:/x hookci-test/busybox:1 cat /x/a.txt /x/made"
    guard(repo, f'[jobs.one]\nscript = ["echo made > made", "{command}"]\n', push=False)

    ran = repo.hookci("run")

    assert "| one\none         | made" in ran.stdout


# -- in a user namespace


def test_a_job_that_ended_the_namespaces_leaves_the_next_one_a_copy(bench: Bench) -> None:
    bench.release()
    bench.kind = Kind.NAMESPACE
    jobs = Jobs(bench)
    jobs.begin()
    (holder,) = [word for word in bench.slot.enter if word.startswith("--user=")]
    os.kill(int(holder.split("/")[2]), signal.SIGKILL)
    jobs.end()

    jobs.begin()

    assert bench.slot.enter == ()
    assert contents(bench.top) == bench.fresh()


@pytest.mark.parametrize(("script", "stays"), [("ls; git log -n1", True), ("touch new; rm new", False)])
def test_in_a_user_namespace_too_an_overlay_serves_again_if_nothing_was_changed(
    bench: Bench, script: str, stays: bool
) -> None:
    bench.release()
    bench.kind = Kind.NAMESPACE
    jobs = Jobs(bench)
    before = jobs.begin()
    bench.repo.run(*bench.slot.enter, "sh", "-ec", script, cwd=Path("/"))
    jobs.end()

    after = jobs.begin()

    assert (after == before) is stays
    assert contents(Path(os.fsdecode(bench.slot.found))) == bench.fresh()


def test_in_a_user_namespace_the_job_alone_sees_the_files(bench: Bench) -> None:
    bench.release()
    slots = Slots(bench.place / "work", "project", Kind.NAMESPACE, sys.executable)
    slot = slots.acquire("job")
    tree, commit = bench.repo.out("rev-parse", "HEAD^{tree}"), bench.repo.out("rev-parse", "HEAD")
    slot.prepare(bench.source(), Wanted(tree=tree, commit=commit, local=True), bench.said.append)
    said: list[bytes] = []
    script = "pwd; id -u; git status --porcelain; echo mine > a.txt; rm -r src; (setsid env -i sleep 300 &)"
    top = str(slot.checkout.tree_path)
    what = Supervised(
        argv=[*slot.enter, "sh", "-ec", script],
        cwd="/", env={**bench.repo.env, "PWD": top}, timeout=20.0, token=slot.token, directory=top,
    )  # fmt: skip
    cancel = Cancel()

    ended = supervise(what, said.append, cancel, lambda: None)
    seen = contents(slot.checkout.tree_path), contents(Path(os.fsdecode(slot.found)))
    slot.release()
    slots.close()
    cancel.close()

    assert (ended.returncode, b"".join(said).decode()) == (0, f"{top}\n{os.getuid()}\n")
    assert seen[0] == {}
    assert seen[1].keys() == {".gitignore", "a.txt", "vendor", "vendor/lib.txt"}
    assert contents(pristine(bench)) == bench.fresh()
