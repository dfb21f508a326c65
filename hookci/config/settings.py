"""What belongs to a clone or a person and never to the repository: git's own config, and one file of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hookci.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Mount", "Settings", "read_settings"]

_PREFIX = "hookci."
_ALLOWING = ("allow", "refuse")
_WRITING = {"ro": True, "rw": False}
_SWITCH = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0", ""), False)


class Mount(Struct, frozen=True):
    """A path of the engine's machine that every job's container sees at ``target``."""

    source: str
    target: str
    read_only: bool = False


class Settings(Struct, frozen=True):
    """Settings of this clone.

    ``allow_unconfigured`` lets pushes of trees without a pipeline through (``hookci.unconfigured=allow``);
    ``allow_unsupported`` leaves out jobs that cannot be run here (``hookci.unsupported=allow``).
    ``background`` says that a commit is verified in the background (``hookci.background``).
    ``jobs`` is how many jobs run at once (``hookci.jobs``), None for one on each processor.  ``deploys`` names the
    environments that this clone deploys from its hooks (``hookci.deploys``, once for each), ``remote`` the remote that
    locks and tags of deployments go to (``hookci.remote``), None for ``origin`` where there is one.

    ``engine`` is the URL or the docker context of the container engine (``hookci.engine``), None for the usual one.
    ``privileged`` and ``socket`` are globs of the images whose containers may run privileged, or get the engine's
    socket; ``mounts`` is what every job's container sees besides its workspace (``hookci.mount``); once for each.
    ``workspaces`` is what jobs of this machine get, ``overlay`` or ``copies``; None for what is sound for this user.

    ``keep_size`` (``hookci.keepSize``, bytes) and ``keep_days`` (``hookci.keepDays``) bound what is kept on disk.
    """

    allow_unconfigured: bool = False
    allow_unsupported: bool = False
    background: bool = False
    jobs: int | None = None
    deploys: tuple[str, ...] = ()
    remote: str | None = None
    engine: str | None = None
    privileged: tuple[str, ...] = ()
    socket: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    workspaces: str | None = None
    keep_size: int = 5 << 30
    keep_days: int = 30

    @property
    def follows_branches(self) -> bool:
        """Whether something is to be done when a branch has moved."""
        return self.background or bool(self.deploys)


def read_settings(git_config: Mapping[str, list[str]], user_file: Path) -> Settings:
    """Settings from ``hookci.*`` in git's config, which beats the user's file.

    Args:
        git_config: all of git's settings; keys in lower case, the last value of a key counts, of a list all do.
        user_file: a TOML file with the same keys, without the ``hookci.`` in front; may be missing.

    Raises:
        ConfigError: a key or value makes no sense.
    """
    source = str(user_file)
    given = {name: (source, value) for name, value in _user_values(user_file).items()}
    for key, values in git_config.items():
        if key.startswith(_PREFIX):
            name = key.removeprefix(_PREFIX)
            name = _SPELLED.get(name, name)
            given[name] = ("git config", values if name in _LISTS else values[-1])
    problems: list[tuple[str, ConfigProblem]] = []
    parsed = {name: _parse(name, value, place, problems) for name, (place, value) in given.items()}
    if problems:
        raise ConfigError(problems[0][0], tuple(problem for _place, problem in problems))
    return Settings(**{_FIELDS.get(name, name): value for name, value in parsed.items()})


def _parse(name: str, value: object, place: str, problems: list[tuple[str, ConfigProblem]]) -> Any:  # noqa: ANN401 (as its field in Settings has it)
    if name not in _PARSERS:
        import difflib  # noqa: PLC0415 (only when something is wrong)

        near = difflib.get_close_matches(name, _PARSERS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(_PARSERS)}"
        problems.append((place, ConfigProblem(f"hookci.{name}", "unknown setting", hint)))
        return None
    try:
        return _PARSERS[name](value)
    except ValueError as error:
        problems.append((place, ConfigProblem(f"hookci.{name}", f"{error}, saw `{value}`")))
        return None


def _user_values(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    import tomli  # noqa: PLC0415 (few have the file)

    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), (ConfigProblem("", f"cannot be read: {error}"),)) from error


def _is_allowed(value: object) -> bool:
    if value not in _ALLOWING:
        raise ValueError("expected `allow` or `refuse`")
    return value == "allow"


def _is_on(value: object) -> bool:
    # git-config(1), "boolean"; TOML has its own
    word = _SWITCH.get(str(value).lower())
    if word is None:
        raise ValueError("expected `true` or `false`")
    return word


def _whole(value: object) -> int:
    if not str(value).isdecimal() or int(str(value)) < 1:
        raise ValueError("expected a whole number of 1 or more")
    return int(str(value))


def _size(value: object) -> int:
    from hookci.model.size import parse_size  # noqa: PLC0415 (few have one set)

    return parse_size(str(value))


def _texts(value: object, what: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError(f"expected {what}")
    return tuple(dict.fromkeys(texts))


def _deploys(value: object) -> tuple[str, ...]:
    return _texts(value, "names of environments")


def _images(value: object) -> tuple[str, ...]:
    return _texts(value, "names of images, such as `docker:*dind*`")


def _mounts(value: object) -> tuple[Mount, ...]:
    return tuple(_mount(text) for text in _texts(value, "`/path/here:/path/there` or `/path/here:/path/there:ro`"))


def _mount(text: str) -> Mount:
    source, _, rest = text.partition(":")
    target, _, writing = rest.partition(":")
    if not source.startswith("/") or not target.startswith("/") or (writing or "rw") not in _WRITING:
        raise ValueError("expected `/path/here:/path/there` or `/path/here:/path/there:ro`")
    if not target.strip("/"):
        raise ValueError("nothing can be put in place of a container's `/`")
    return Mount(source, target, _WRITING[writing or "rw"])


def _engine(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a URL such as `unix:///var/run/docker.sock`, or the name of a docker context")
    return value


def _remote(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or value.startswith("-"):
        raise ValueError("expected the name of a remote")
    return value


def _workspaces(value: object) -> str:
    if value not in {"overlay", "copies"}:
        raise ValueError("expected `overlay` or `copies`")
    return str(value)


_PARSERS: dict[str, Callable[[object], object]] = {
    "unconfigured": _is_allowed,
    "unsupported": _is_allowed,
    "background": _is_on,
    "jobs": _whole,
    "deploys": _deploys,
    "remote": _remote,
    "engine": _engine,
    "privileged": _images,
    "socket": _images,
    "mount": _mounts,
    "workspaces": _workspaces,
    "keepSize": _size,
    "keepDays": _whole,
}
_SPELLED = {name.lower(): name for name in _PARSERS}
"""Git lists keys in lower case."""
_LISTS = {"deploys", "privileged", "socket", "mount"}
_FIELDS = {"unconfigured": "allow_unconfigured", "unsupported": "allow_unsupported", "mount": "mounts"}
_FIELDS |= {"keepSize": "keep_size", "keepDays": "keep_days"}
