"""The values of secrets: from where they may come, and that nothing tells them."""

from __future__ import annotations

import os
import subprocess
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookci.deploy.secrets import Answer, SecretDesk, Secrets, read_secrets
from hookci.errors import HookciError
from hookci.model.environment import SecretSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SENTINEL = "s3ntinel" + "-" + "0f-the-test"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@dataclass
class Shell:
    """Runs commands for real, and remembers for how long it was asked to; ``patience`` makes that shorter."""

    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})
    patience: float = 30.0
    asked: list[float] = field(default_factory=list)

    def __call__(self, command: str, deadline: float) -> Answer:
        self.asked.append(deadline)
        try:
            done = subprocess.run(
                ["sh", "-c", command],
                env=self.environment, capture_output=True, stdin=subprocess.DEVNULL, start_new_session=True,
                timeout=min(deadline, self.patience), check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Answer(why="timeout", returncode=-9)
        return Answer(returncode=done.returncode, output=done.stdout, errors=done.stderr)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    (path / ".git").mkdir(parents=True)
    return path


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def desk(home: Path, clone: Path, shell: Shell) -> SecretDesk:
    return SecretDesk(environment={"TOKEN": SENTINEL, "EMPTY": ""}, home=home, forbidden=(clone,), run=shell)


@pytest.fixture
def key(home: Path) -> Path:
    path = home / "key"
    path.write_text(f"{SENTINEL}\n")
    path.chmod(0o600)
    return path


def read(desk: SecretDesk, *, file: str = "", command: str = "", name: str = "TOKEN") -> str:
    return read_secrets([SecretSource(name=name, file=file, command=command)], desk)[name]


def refusal(act: Callable[[], object]) -> str:
    """What an error says, none of whose texts, causes or local variables tells the sentinel."""
    with pytest.raises(HookciError) as caught:
        act()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in told.stack if "hookci" in Path(frame.filename).parts]
    everything = [
        str(caught.value),
        repr(caught.value),
        str(caught.value.hint),
        *traceback.format_exception(caught.value),
    ]
    everything += [str(frame.locals) for frame in ours]
    cause = caught.value.__cause__ or caught.value.__context__
    assert ours
    assert SENTINEL not in "\n".join([*everything, repr(cause), str(vars(caught.value))])
    return caught.value.message


# -- from the environment


def test_a_secret_comes_from_the_environment(desk: SecretDesk) -> None:
    assert dict(read_secrets([SecretSource(name="TOKEN")], desk)) == {"TOKEN": SENTINEL}


def test_no_sources_are_no_secrets(desk: SecretDesk) -> None:
    assert dict(read_secrets([], desk)) == {}


def test_a_variable_that_is_missing_is_named(desk: SecretDesk) -> None:
    sources = [SecretSource(name="TOKEN"), SecretSource(name="OTHER")]

    assert refusal(lambda: read_secrets(sources, desk)) == "the secret `OTHER` is not in the environment"


def test_an_empty_value_is_refused(desk: SecretDesk, key: Path) -> None:
    key.write_text("\n")

    assert refusal(lambda: read(desk, name="EMPTY")) == "the secret `EMPTY` is empty"
    assert refusal(lambda: read(desk, file="~/key")) == "the secret `TOKEN`, from ~/key, is empty"
    assert refusal(lambda: read(desk, command="true")) == "the secret `TOKEN`, from `true`, is empty"


# -- from a file


def test_a_secret_comes_from_a_file_by_an_absolute_path_or_one_below_home(desk: SecretDesk, key: Path) -> None:
    assert read(desk, file=str(key)) == SENTINEL
    assert read(desk, file="~/key") == SENTINEL


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"a\n", "a"),
        (b"a\r\n", "a"),
        (b"a\n\n", "a\n"),
        (b" a ", " a "),
        (b"a\nb\n", "a\nb"),
        (b"a\r", "a\r"),
        (b"\xff\n", os.fsdecode(b"\xff")),
        (b"a" * 65_536, "a" * 65_536),
    ],
)
def test_one_line_end_is_no_part_of_a_value(desk: SecretDesk, key: Path, content: bytes, value: str) -> None:
    key.write_bytes(content)

    assert read(desk, file="~/key") == value
    assert read(desk, command=f"cat {key}") == value


@pytest.mark.parametrize("file", ["key", "./key", "~", "~root/key", "../home/key"])
def test_a_path_that_depends_on_where_one_is_is_refused(desk: SecretDesk, file: str) -> None:
    assert refusal(lambda: read(desk, file=file)) == f"the secret `TOKEN`: {file} is no absolute path"


def test_a_file_that_is_missing_is_named(desk: SecretDesk) -> None:
    assert refusal(lambda: read(desk, file="~/none")) == "the secret `TOKEN`: ~/none: no such file or directory"


@pytest.mark.parametrize("place", ["key", ".git/key", "deep/er/key", "../clone/key", "../clone/../clone/key"])
def test_nothing_is_read_from_the_repository(desk: SecretDesk, clone: Path, place: str) -> None:
    path = clone / place
    (clone / "deep/er").mkdir(parents=True)
    path.write_text(SENTINEL)
    path.chmod(0o600)

    assert "is in the repository" in refusal(lambda: read(desk, file=str(path)))


def test_links_lead_neither_into_the_repository_nor_out_of_it(
    desk: SecretDesk, clone: Path, home: Path, key: Path
) -> None:
    (clone / "kept").write_text(SENTINEL)
    (home / "in").symlink_to(clone / "kept")
    (home / "in-directory").symlink_to(clone)
    (clone / "out").symlink_to(key)

    for file in ("~/in", "~/in-directory/kept", str(clone / "out")):
        assert "is in the repository" in refusal(lambda file=file: read(desk, file=file))  # type: ignore[misc]  # mypy cannot infer it


def test_a_link_between_files_of_the_person_is_followed(desk: SecretDesk, home: Path, key: Path) -> None:
    (home / "link").symlink_to(key)

    assert read(desk, file="~/link") == SENTINEL


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused_with_the_way_out(desk: SecretDesk, key: Path, mode: int) -> None:
    key.chmod(mode)

    with pytest.raises(HookciError, match="can be written by other users") as caught:
        read(desk, file="~/key")

    assert caught.value.hint == f"chmod 600 {key}"
    assert "can be written" in refusal(lambda: read(desk, file="~/key"))


@needs_root
def test_a_file_of_another_user_is_refused(desk: SecretDesk, key: Path) -> None:
    os.chown(key, 12345, -1)

    assert "belongs to another user (uid 12345)" in refusal(lambda: read(desk, file="~/key"))


def test_only_a_regular_file_is_read(desk: SecretDesk, home: Path) -> None:
    os.mkfifo(home / "pipe", 0o600)
    (home / "directory").mkdir()

    assert "is not a regular file" in refusal(lambda: read(desk, file="~/pipe"))
    assert "is not a regular file" in refusal(lambda: read(desk, file="~/directory"))


def test_more_than_64_kib_is_refused(desk: SecretDesk, key: Path) -> None:
    key.write_bytes((SENTINEL * 10_000).encode()[:65_537])

    assert refusal(lambda: read(desk, file="~/key")) == "the secret `TOKEN`: ~/key has 65537 bytes, more than 65536"
    assert refusal(lambda: read(desk, command=f"cat {key}")).endswith("`cat` wrote 65537 bytes, more than 65536")


def test_a_nul_byte_is_refused(desk: SecretDesk, key: Path) -> None:
    key.write_bytes(SENTINEL.encode() + b"\0")

    assert refusal(lambda: read(desk, file="~/key")) == "the secret `TOKEN`, from ~/key, holds a NUL byte"


# -- from a command


def test_a_secret_comes_from_a_command_that_has_thirty_seconds(desk: SecretDesk, shell: Shell, key: Path) -> None:
    assert read(desk, command=f"cat {key}; echo told >&2") == SENTINEL
    assert shell.asked == [30.0]


def test_a_command_that_fails_is_named_with_the_last_thing_it_said(desk: SecretDesk, key: Path) -> None:
    command = f"A=b printenv NOTHING || {{ cat {key}; echo first >&2; echo 'no such entry' >&2; echo >&2; exit 4; }}"

    told = refusal(lambda: read(desk, command=command))

    assert told == "the secret `TOKEN`: `printenv` failed (exit status 4): no such entry"


def test_a_command_that_says_nothing_is_named(desk: SecretDesk) -> None:
    assert refusal(lambda: read(desk, command="exit 7")) == "the secret `TOKEN`: `exit` failed (exit status 7)"
    assert refusal(lambda: read(desk, command="it's")).startswith("the secret `TOKEN`: `the command` failed")


def test_values_that_a_command_repeats_as_it_fails_are_masked(desk: SecretDesk, key: Path) -> None:
    first = SecretSource(name="TOKEN")
    own = SecretSource(name="OWN", command="echo the-own-value; echo bad the-own-value >&2; false")
    other = SecretSource(name="OTHER", command=f"echo denied for $(cat {key}) >&2; false")

    assert refusal(lambda: read_secrets([first, other], desk)).endswith(": denied for [MASKED]")
    assert refusal(lambda: read_secrets([own], desk)).endswith(": bad [MASKED]")


def test_what_a_command_says_is_obeyed_by_no_terminal_and_of_one_line(desk: SecretDesk) -> None:
    told = refusal(lambda: read(desk, command="printf 'one\\ntwo\\033[2J%0300d' 1 >&2; false"))

    assert "one" not in told
    assert "two0000" in told
    assert told.isprintable()
    assert len(told) < 300


def test_a_command_that_hangs_is_ended(desk: SecretDesk, shell: Shell, key: Path) -> None:
    shell.patience = 0.2

    told = refusal(lambda: read(desk, command=f"cat {key}; exec sleep 60"))

    assert told == "the secret `TOKEN`: `cat` did not end within 30 s"


def test_a_command_that_is_ended_by_a_person_is_no_answer(desk: SecretDesk) -> None:
    ended = SecretDesk(
        environment={},
        home=desk.home,
        forbidden=(),
        run=lambda _command, _deadline: Answer(why="cancel", returncode=-2),
    )

    assert refusal(lambda: read(ended, command="op read x")) == "the secret `TOKEN`: `op` was ended: cancel"


# -- not shown


def test_values_are_in_no_repr() -> None:
    secrets = Secrets({"TOKEN": SENTINEL})
    answer = Answer(output=SENTINEL.encode(), errors=SENTINEL.encode())
    desk = SecretDesk(environment={"TOKEN": SENTINEL}, home=Path(), forbidden=(), run=Shell())

    assert repr(secrets) == f"{secrets}" == "Secrets(TOKEN)"
    assert SENTINEL not in f"{secrets!r} {answer!r} {desk!r} {[secrets]}"
    assert secrets == {"TOKEN": SENTINEL}
    assert {**secrets} == {"TOKEN": SENTINEL}


def test_a_later_failure_does_not_tell_an_earlier_value(desk: SecretDesk, key: Path) -> None:
    good = [
        SecretSource(name="A", file=str(key)),
        SecretSource(name="B", command=f"cat {key}"),
        SecretSource(name="TOKEN"),
    ]

    for bad in (
        SecretSource(name="NONE"),
        SecretSource(name="F", file="~/none"),
        SecretSource(name="C", command="false"),
    ):
        assert f"`{bad.name}`" in refusal(lambda bad=bad: read_secrets([*good, bad], desk))  # type: ignore[misc]  # mypy cannot infer it


@settings(max_examples=100, deadline=None)
@given(value=st.binary(min_size=1, max_size=80).filter(lambda value: b"\0" not in value and value[-1:] != b"\r"))
def test_a_value_comes_as_it_was_put(tmp_path_factory: pytest.TempPathFactory, value: bytes) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "key").write_bytes(value + b"\n")
    (home / "key").chmod(0o600)
    desk = SecretDesk(environment={}, home=home, forbidden=(), run=Shell())

    assert os.fsencode(read(desk, file="~/key")) == value
