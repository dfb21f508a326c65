"""What an entry of ``include`` means: which files, of the tree or from elsewhere.

Source: GitLab CI/CD YAML reference, "include" and its subkeys.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.gitlab.inputs import Given
from hookci.config.gitlab.located import Items, Place, ProblemAt, Table
from hookci.config.words import did_you_mean, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hookci.config.problems import Problem
    from hookci.config.words import Path

__all__ = [
    "TREE",
    "Elsewhere",
    "Home",
    "Wanted",
    "as_table",
    "check_entry",
    "entries",
    "matching",
    "problem_with",
    "wanted_by",
]

_KINDS = ("local", "project", "remote", "template", "artifact", "component")
_KEYS = (*_KINDS, "file", "ref", "inputs", "rules", "job", "integrity", "cache")
_COMPONENT = re.compile(r"(?P<host>[^/]*)/(?P<project>.+)/(?P<name>[^/@]+)@(?P<ref>.+)")
_YAML = (".yml", ".yaml")


class Elsewhere(Struct, frozen=True, kw_only=True):
    """A file outside of the tree that is included.

    ``kind`` is ``remote``, ``project``, ``template`` or ``component``, ``address`` is what `Surroundings.fetched` is
    asked for.  A remote has its URL in ``file``, a template its name; a file of a project its ``project``, ``ref``
    (empty: the default branch) and path, and a ``host`` if it is another server's; a component its ``host``,
    ``project``, ``ref`` and name, for the files ``templates/NAME.yml`` or ``templates/NAME/template.yml``.
    ``integrity`` is ``sha256-`` and a digest in base64 if the include says one.
    """

    kind: str
    address: str
    file: str
    project: str = ""
    ref: str = ""
    host: str = ""
    integrity: str | None = None


class Home(Struct, frozen=True):
    """Whose files ``include: local`` means: those of the tree, of a ``project`` elsewhere, or of nobody."""

    project: str = ""
    ref: str = ""
    host: str = ""
    nobody: bool = False


TREE = Home()
_NOBODY = Home(nobody=True)


class Wanted(Struct, frozen=True):
    """A file to be included: what it is called, whose it is and what it is given; ``elsewhere`` if not the tree's."""

    file: str
    home: Home
    given: Given
    elsewhere: Elsewhere | None = None


def entries(include: object, problems: list[Problem]) -> Iterator[tuple[Path, str | Table]]:
    """The single entries of an ``include``, each with its key path."""
    listed = isinstance(include, Items)
    for index, entry in enumerate(include if isinstance(include, Items) else [include]):
        path: Path = ("include", index) if listed else ("include",)
        if isinstance(entry, str | Table):
            yield path, entry
        elif entry is not None:
            problems.append(ProblemAt(path, f"each include must be a hash or a string, saw {show(entry)}"))


def as_table(entry: str | Table, place: Place, expand: Callable[[str], str]) -> Table:
    """An entry with its kind; a lone text is a remote if it is a URL."""
    if isinstance(entry, Table):
        return entry
    address = expand(entry)
    kind = "remote" if re.match(r"https?://", address) else "local"
    return Table({kind: address}, {kind: place})


def check_entry(entry: Table, path: Path, problems: list[Problem]) -> str | None:
    """The kind of an entry; None when it makes no sense."""
    before = len(problems)
    problems.extend(
        ProblemAt((*path, key), f"an include has no `{key}`", did_you_mean(key, _KEYS))
        for key in entry
        if key not in _KEYS
    )
    kinds = [kind for kind in _KINDS if kind in entry]
    if len(kinds) != 1:
        message = f"each include must use exactly one of: {', '.join(_KINDS)}"
        hint = "`file` belongs to a `project`" if not kinds and "file" in entry else None
        problems.append(ProblemAt(path, message, hint))
    elif kinds[0] == "artifact":
        message = "hookci reads no pipeline that a job makes while it runs"
        problems.append(ProblemAt((*path, "artifact"), message, "include a file of the repository"))
    else:
        _check_texts(entry, kinds[0], path, problems)
    inputs = entry.get("inputs")
    if inputs is not None and not isinstance(inputs, Table):
        problems.append(ProblemAt((*path, "inputs"), f"should be a hash, saw {show(inputs)}"))
    return kinds[0] if len(problems) == before else None


def _check_texts(entry: Table, kind: str, path: Path, problems: list[Problem]) -> None:
    problems.extend(
        ProblemAt((*path, key), f"needs to be a string, saw {show(entry[key])}")
        for key in (kind, "ref", "integrity")
        if key in entry and not (isinstance(entry[key], str) and entry[key].strip())
    )
    if kind == "project":
        files = entry.get("file")
        listed = files if isinstance(files, Items) else [files]
        if not listed or not all(isinstance(file, str) and file for file in listed):
            problems.append(ProblemAt((*path, "file"), "must specify the file where to fetch the config from"))


def wanted_by(entry: Table, kind: str, home: Home, place: Place, expand: Callable[[str], str]) -> list[Wanted]:
    """The files that a checked entry means; a pattern for local ones is still one."""
    given = Given(entry.get("inputs"), entry.marks.get("inputs", place))
    if kind == "local":
        return [_local(expand(entry["local"]), home, given)]
    if kind == "project":
        project, ref = expand(entry["project"]).strip("/"), expand(entry.get("ref") or "")
        files = entry["file"] if isinstance(entry["file"], Items) else [entry["file"]]
        return [_of_project(Home(project, ref), expand(file), given) for file in files]
    address = expand(entry[kind])
    if kind == "component":
        return [_component(address, given)]
    if kind == "template":
        known = Elsewhere(kind=kind, address=f"template:{address}", file=address)
        return [Wanted(known.address, TREE, given, known)]
    integrity = entry.get("integrity")
    return [Wanted(address, _NOBODY, given, Elsewhere(kind=kind, address=address, file=address, integrity=integrity))]


def _local(path: str, home: Home, given: Given) -> Wanted:
    path = path.lstrip("/")
    return _of_project(home, path, given) if home.project else Wanted(path, home, given)


def _of_project(home: Home, path: str, given: Given) -> Wanted:
    path = path.lstrip("/")
    server = f"{home.host}/" if home.host else ""
    address = f"{server}{home.project}@{home.ref or 'HEAD'}:{path}"
    known = Elsewhere(kind="project", address=address, file=path, project=home.project, ref=home.ref, host=home.host)
    return Wanted(address, home, given, known)


def _component(address: str, given: Given) -> Wanted:
    found = _COMPONENT.fullmatch(address)
    if not found:
        return Wanted(address, _NOBODY, given, Elsewhere(kind="component", address=address, file=""))
    host, project, name, ref = found.group("host", "project", "name", "ref")
    known = Elsewhere(kind="component", address=address, file=name, project=project, ref=ref, host=host)
    return Wanted(address, Home(project, ref, host), given, known)


def problem_with(wanted: Wanted) -> str | None:
    """Why a file cannot be included, whatever is in it."""
    elsewhere = wanted.elsewhere
    if elsewhere is None and wanted.home.nobody:
        return f"local file `{wanted.file}` does not have a project: a remote file can include no local ones"
    if elsewhere is not None and elsewhere.kind == "component":
        return None if elsewhere.project else f"`{wanted.file}` is no component: expected HOST/PROJECT/NAME@VERSION"
    if not wanted.file.lower().endswith(_YAML):
        return f"included file `{wanted.file}` does not have YAML extension!"
    return None


def matching(wanted: Wanted, paths: Callable[[], Iterable[str]]) -> list[Wanted]:
    """The files of the tree that a local path with ``*`` (no slash) or ``**`` (any) means."""
    if wanted.elsewhere is not None or "*" not in wanted.file:
        return [wanted]
    parts = (re.escape(part).replace(r"\*", "[^/]*") for part in wanted.file.split("**"))
    pattern = re.compile(".*".join(parts))
    return [replace(wanted, file=path) for path in sorted(paths()) if pattern.fullmatch(path)]
