"""What a deployment executes is bound to what a person has accepted, outside of the repository."""

from __future__ import annotations

import json
import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
from drawn import made
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from trust_samples import SUBMODULE, Tree, of, production

from hookci.deploy.trust import Changed, Executed, Trusted, TrustStore, Unknown
from hookci.errors import StateError
from hookci.model.environment import Approval, Check, DeployJob, Environment, SecretSource, Trigger

if TYPE_CHECKING:
    from pathlib import Path

STRANGER = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "share"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    path = tmp_path / "clone" / ".git"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def store(data: Path, clone: Path) -> TrustStore:
    return TrustStore(data, clone, [clone.parent])


def tree() -> Tree:
    files = Tree().script("deploy.sh", "#!/bin/sh\n. ./lib.sh\n").put("lib.sh", "restart\n").put("k8s/pod.yml", "a: 1")
    return files.put("app.py", "print()")


ENVIRONMENT = production("./deploy.sh production", trust=("k8s/**",))
EXECUTED = of(ENVIRONMENT, tree())


def some(number: int) -> Executed:
    return of(production(f"echo {number}"), Tree())


def record(data: Path) -> Path:
    found = [path for path in data.rglob("*") if path.is_file()]
    assert len(found) == 1
    return found[0]


# -- what is bound


def test_config_scripts_what_they_call_and_what_the_globs_add_are_bound() -> None:
    assert list(EXECUTED.files) == ["deploy.sh", "k8s/pod.yml", "lib.sh"]
    assert json.loads(EXECUTED.config) == {"script": ["./deploy.sh production"], "trust": ["k8s/**"]}


@pytest.mark.parametrize(
    "changed",
    [
        tree().script("deploy.sh", "#!/bin/sh\n. ./lib.sh\n#"),
        tree().put("lib.sh", "restarT\n"),
        tree().put("k8s/pod.yml", "a: 2"),
        tree().script("lib.sh", "restart\n"),
        tree().link("lib.sh", "app.py"),
        tree().put("k8s/new.yml"),
        tree().script("deploy.sh", "#!/bin/sh\n. ./other.sh\n").put("other.sh", "restart\n"),
    ],
)
def test_a_change_of_any_byte_mode_or_name_is_another_thing_to_execute(changed: Tree) -> None:
    assert of(ENVIRONMENT, changed).digest != EXECUTED.digest


def test_a_file_that_is_not_executed_can_change() -> None:
    assert of(ENVIRONMENT, tree().put("app.py", "exit()").put("more.py")).digest == EXECUTED.digest


def test_a_file_that_was_renamed_is_another_one() -> None:
    moved = tree()
    moved.blobs["k8s/renamed.yml"] = moved.blobs.pop("k8s/pod.yml")

    assert of(ENVIRONMENT, moved).digest != EXECUTED.digest


OTHER_VALUES: dict[str, object] = {
    "branch": "next",
    "trigger": Trigger.ON_MERGE,
    "after": "staging",
    "approval": Approval(not_author=True),
    "jobs": (DeployJob(name="deploy", script=("y",)),),
    "script": ("./deploy.sh productioN",),
    "rollback": ("true",),
    "shell": "sh",
    "health": (Check(url="http://localhost/health", successes=2),),
    "variables": {"A": "b"},
    "pass_env": ("TOKEN",),
    "secrets": (SecretSource(name="KEY", file="~/key"),),
    "needs": ("build",),
    "keep": 6,
    "url": "http://localhost",
    "trust": ("k8s/*",),
    "irreversible": ("migrations/**",),
    "background": True,
    "timeout": 60.0,
    "pushed": True,
    "signers": "/etc/signers",
}


def test_every_field_of_an_environment_but_its_name_is_bound() -> None:
    digests = {of(replace(ENVIRONMENT, **{name: value}), tree()).digest for name, value in OTHER_VALUES.items()}

    assert OTHER_VALUES.keys() | {"name"} == set(Environment.__struct_fields__)
    assert len(digests - {EXECUTED.digest}) == len(OTHER_VALUES)
    assert of(replace(ENVIRONMENT, name="other"), tree()).digest == EXECUTED.digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"script": ("a", "b")}, {"script": ("a\nb",)}),
        ({"script": ("a\nb",)}, {"script": ("a\\nb",)}),
        ({"approval": None}, {"approval": Approval()}),
        ({"variables": {"A": "1", "B": "2"}}, {"variables": {"A": "2", "B": "1"}}),
        ({"health": (Check(url="a"), Check(url="b"))}, {"health": (Check(url="b"), Check(url="a"))}),
        ({"variables": {"A": "a"}}, {"variables": {"A": "\u0430"}}),
    ],
)
def test_configs_that_mean_different_things_differ(one: dict[str, object], other: dict[str, object]) -> None:
    configs = {of(replace(ENVIRONMENT, **values), tree()).config for values in (one, other)}

    assert len(configs) == 2


def test_the_order_of_keys_and_of_the_tree_says_nothing() -> None:
    turned = Tree(dict(reversed(tree().blobs.items())), tree().objects)
    one = replace(ENVIRONMENT, variables={"A": "1", "B": "2"})
    other = replace(ENVIRONMENT, variables={"B": "2", "A": "1"})

    assert of(one, tree()) == of(other, turned)
    assert of(one, tree()).digest == of(other, turned).digest


def test_a_config_is_readable_and_hides_nothing() -> None:
    environment = production("set -e\n./x \u202e\x1b[8m", variables={"ä": "b"})

    config = of(environment, Tree()).config

    assert config.isascii()
    assert '\n      "set -e",\n      "./x \\u202e\\u001b[8m"\n' in config


PATHS = ("deploy.sh", "lib.sh", "k8s/pod.yml", "k8s/deep/er.yml")
contents = st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=20), min_size=1)
modes = st.sampled_from(["100644", "100755"])


@settings(max_examples=150, deadline=None)
@given(files=contents, path=st.sampled_from(PATHS), content=st.binary(max_size=20), mode=modes)
def test_a_single_change_of_an_executed_file_changes_the_digest(
    files: dict[str, bytes], path: str, content: bytes, mode: str
) -> None:
    environment = production("./deploy.sh; ./lib.sh", trust=("k8s/**",))
    before = Tree()
    for name, data in files.items():
        before.put(name, data)
    after = before.changed().put(path, content, mode)

    same = before.blobs == after.blobs
    assert (of(environment, before).digest == of(environment, after).digest) == same


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
environments = made(
    Environment,
    name=st.just("production"),
    script=st.lists(texts, max_size=3).map(tuple),
    rollback=st.lists(texts, max_size=2).map(tuple),
    variables=st.dictionaries(texts, texts, max_size=2),
    approval=st.sampled_from([None, Approval(), Approval(expires=60.0)]),
    health=st.lists(made(Check, url=texts, command=texts), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(one=environments, other=environments)
def test_only_equal_environments_have_equal_digests(one: Environment, other: Environment) -> None:
    assert (of(one, Tree()).digest == of(other, Tree()).digest) == (one == other)


def test_a_path_cannot_be_taken_for_an_object_name() -> None:
    one = Executed(config="{}", files={"a": "100644 1", "b": "100644 2"})
    other = Executed(config="{}", files={'a", "100644 1"], ["b': "100644 2"})

    assert one.digest != other.digest


def test_names_that_are_no_utf_8_have_digests_too() -> None:
    assert len(Executed(config="{}", files={os.fsdecode(b"\xff"): "100644 1"}).digest) == 64


# -- the record


def test_nothing_is_trusted_that_nobody_has_accepted(store: TrustStore, data: Path) -> None:
    assert store.status("production", EXECUTED) == Unknown()
    assert not data.exists()


def test_what_was_accepted_is_trusted_also_by_the_next_command(store: TrustStore, data: Path, clone: Path) -> None:
    store.accept("production", EXECUTED, "Ana <ana@example.com>", 1_700_000_000.5)

    found = TrustStore(data, clone, [clone.parent]).status("production", EXECUTED)

    assert found == Trusted("Ana <ana@example.com>", 1_700_000_000.5)
    assert stat.S_IMODE(record(data).stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.rglob("*") if path.is_dir()} == {0o700}


def test_what_has_changed_is_compared_with_what_was_accepted_last(store: TrustStore) -> None:
    store.accept("production", some(1), "Ana", 1.0)
    store.accept("production", EXECUTED, "Ana", 2.0)

    assert store.status("production", some(2)) == Changed(EXECUTED)


def test_another_environment_is_another_matter(store: TrustStore) -> None:
    store.accept("staging", EXECUTED, "Ana", 1.0)
    store.accept("production", some(1), "Ana", 2.0)
    store.accept("staging", some(2), "Ana", 3.0)

    assert store.status("production", some(1)) == Trusted("Ana", 2.0)
    assert store.status("production", EXECUTED) == Changed(some(1))
    assert store.status("Production", some(1)) == Unknown()


def test_a_clone_that_was_moved_or_copied_is_unknown(store: TrustStore, data: Path, clone: Path) -> None:
    store.accept("production", EXECUTED, "Ana", 1.0)
    copied = shutil.copytree(clone, clone.parents[1] / "copied" / ".git")
    clone.parent.rename(clone.parents[1] / "moved")

    for place in (copied, clone.parents[1] / "moved" / ".git"):
        assert TrustStore(data, place, []).status("production", EXECUTED) == Unknown()


def test_a_clone_that_is_reached_through_a_link_is_the_same(store: TrustStore, data: Path, clone: Path) -> None:
    store.accept("production", EXECUTED, "Ana", 1.0)
    link = clone.parents[1] / "link"
    link.symlink_to(clone.parent)

    assert isinstance(TrustStore(data, link / ".git", []).status("production", EXECUTED), Trusted)


def test_what_was_accepted_once_stays_so_for_the_newest_fifty(store: TrustStore) -> None:
    for number in range(52):
        store.accept("production", some(number), "Ana", float(number))

    assert store.status("production", some(2)) == Trusted("Ana", 2.0)
    assert store.status("production", some(1)) == Changed(some(51))


def test_what_is_accepted_again_is_the_newest_again(store: TrustStore) -> None:
    for number in (1, 2, 1):
        store.accept("production", some(number), "Ana", 1.0)

    assert store.status("production", some(3)) == Changed(some(1))
    assert store.status("production", some(2)) == Trusted("Ana", 1.0)


def test_consent_can_be_taken_back(store: TrustStore) -> None:
    store.accept("production", EXECUTED, "Ana", 1.0)
    store.accept("staging", EXECUTED, "Ana", 1.0)

    store.forget("production")
    store.forget("nothing")

    assert store.status("production", EXECUTED) == Unknown()
    assert store.status("staging", EXECUTED) == Trusted("Ana", 1.0)


# -- records that are as good as none


def accepted(store: TrustStore, data: Path) -> Path:
    store.accept("production", EXECUTED, "Ana", 1.0)
    return record(data)


def assert_not_trusted_until_accepted_again(store: TrustStore, why: str) -> None:
    found = store.status("production", EXECUTED)
    assert isinstance(found, Unknown)
    assert why in found.why
    store.accept("production", EXECUTED, "Ana", 2.0)
    assert store.status("production", EXECUTED) == Trusted("Ana", 2.0)


def test_a_record_that_others_could_write_is_none(store: TrustStore, data: Path) -> None:
    accepted(store, data).chmod(0o620)

    assert_not_trusted_until_accepted_again(store, "could be written by other users")


def test_a_link_is_no_record(store: TrustStore, data: Path, tmp_path: Path) -> None:
    path = accepted(store, data)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    assert_not_trusted_until_accepted_again(store, "is a symlink")


def test_a_file_with_a_second_name_is_no_record(store: TrustStore, data: Path, tmp_path: Path) -> None:
    path = accepted(store, data)
    (tmp_path / "second").hardlink_to(path)

    assert_not_trusted_until_accepted_again(store, "a hard link")


@needs_root
def test_a_record_of_another_user_is_none(store: TrustStore, data: Path) -> None:
    os.chown(accepted(store, data), STRANGER, -1)

    assert_not_trusted_until_accepted_again(store, "another user")


def test_a_pipe_is_no_record_and_hangs_nobody(store: TrustStore, data: Path) -> None:
    path = accepted(store, data)
    path.unlink()
    os.mkfifo(path)

    assert_not_trusted_until_accepted_again(store, "not a regular file")


def test_the_record_of_another_environment_or_clone_is_none(store: TrustStore, data: Path, tmp_path: Path) -> None:
    path = accepted(store, data)
    TrustStore(tmp_path / "data", tmp_path / "other" / ".git", []).accept("production", EXECUTED, "Ana", 1.0)
    shutil.copy(record(tmp_path / "data"), path)

    assert_not_trusted_until_accepted_again(store, "damaged")


@pytest.mark.parametrize("place", ["hookci", "hookci/trust"])
def test_a_directory_that_others_can_write_holds_no_record(store: TrustStore, data: Path, place: str) -> None:
    accepted(store, data)
    (data / place).chmod(0o777)

    found = store.status("production", EXECUTED)

    assert isinstance(found, Unknown)
    assert "can be written by other users" in found.why
    with pytest.raises(StateError, match="can be written by other users"):
        store.accept("production", EXECUTED, "Ana", 1.0)


def test_a_linked_directory_holds_no_record(store: TrustStore, data: Path, tmp_path: Path) -> None:
    accepted(store, data)
    (data / "hookci").rename(tmp_path / "elsewhere")
    (data / "hookci").symlink_to(tmp_path / "elsewhere")

    found = store.status("production", EXECUTED)

    assert isinstance(found, Unknown)
    assert "is a symlink" in found.why


@pytest.mark.parametrize("forbidden", ["work tree", "git directory", "linked work tree"])
def test_a_repository_cannot_hold_its_own_record(clone: Path, tmp_path: Path, forbidden: str) -> None:
    worktree = tmp_path / "second"
    worktree.mkdir()
    (tmp_path / "link").symlink_to(worktree)
    places = {"work tree": clone.parent / ".local", "git directory": clone, "linked work tree": tmp_path / "link"}
    data = places[forbidden]
    outside = TrustStore(data, clone, [])
    if data != clone:
        outside.accept("production", EXECUTED, "Mallory", 1.0)
    store = TrustStore(data, clone, [clone.parent, worktree])

    with pytest.raises(StateError, match="is in the repository"):
        store.accept("production", EXECUTED, "Mallory", 1.0)
    assert isinstance(store.status("production", EXECUTED), Unknown)


def test_an_error_of_the_disk_is_told_when_something_is_to_be_kept(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StateError, match="file/share"):
        TrustStore(tmp_path / "file" / "share", clone, []).accept("production", EXECUTED, "Ana", 1.0)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_record_that_was_torn_or_edited_is_none(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, cut: bool
) -> None:
    top = tmp_path_factory.mktemp("torn")
    store = TrustStore(top / "data", top / "clone" / ".git", [])
    path = accepted(store, top / "data")
    whole = path.read_bytes()
    at = place % len(whole)
    damaged = whole[:at] if cut else whole[:at] + bytes([byte]) + whole[at + 1 :]
    path.write_bytes(damaged)

    found = store.status("production", EXECUTED)

    assert found == Trusted("Ana", 1.0) if damaged == whole else isinstance(found, Unknown)


@pytest.mark.parametrize("content", [b"", b"\n", b"[" * 100_000, b"null", b'{"accepted": []}', b"\xff"])
def test_what_is_no_record_at_all_is_none(store: TrustStore, data: Path, content: bytes) -> None:
    accepted(store, data).write_bytes(content)

    assert_not_trusted_until_accepted_again(store, "damaged")


def test_a_submodule_is_bound_to_its_commit() -> None:
    environment = production("./vendor/tool/go")
    before = of(environment, Tree().put("vendor/tool", "one", SUBMODULE))
    after = of(environment, Tree().put("vendor/tool", "two", SUBMODULE))

    assert before.digest != after.digest
