"""Git directories of hookci's own: they borrow the user's objects and have refs, config and index of their own.

Not registered worktrees of the user's repository: those share its refs, config and stash, and a job
that runs ``git stash`` or ``git branch -D`` in one would hurt the user's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.digests import sha256
from hookci.model.patterns import pattern
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch

__all__ = ["GitdirPlan", "checkout_settings", "gitdir_plan", "write_gitdir"]

_COPIED = pattern(
    r"filter\..*|lfs\..*"
    r"|core\.(attributesfile|autocrlf|eol|safecrlf|symlinks|filemode|ignorecase|precomposeunicode|bigfilethreshold)"
)
_PROMISOR = pattern(r"remote\.(.*)\.(promisor|partialclonefilter|url)")

_RELEASES = "refs/tags/deploy/"


def checkout_settings(local: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Those settings of the user's repository that a checkout needs.

    They are the ones that change what it looks like, and in a partial clone the remote that git fetches
    missing objects from.
    """
    settings = _about_looks(local)
    if any(key.startswith("extensions.partialclone") or key.endswith(".promisor") for key in local):
        promisors = {key.split(".", 1)[1].rpartition(".")[0] for key in local if key.endswith(".promisor")}
        for key, values in local.items():
            match = _PROMISOR.fullmatch(key)
            if match and match[1] in promisors:
                settings[key] = values
    return settings


def _about_looks(settings: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {key: values for key, values in settings.items() if _COPIED.fullmatch(key)}


class GitdirPlan(Struct, frozen=True):
    """What a git directory of ours holds: the same for all workspaces of one run.

    ``looks`` stands for all that changes what a checkout looks like, beside the tree itself: files that were
    checked out under another value are not what a fresh checkout holds, though git takes them to be up to date.
    """

    config: str
    looks: str
    alternates: bytes
    refs: bytes
    shallow: bytes | None
    attributes: bytes | None
    exclude: bytes | None


def gitdir_plan(repository: Repository, scratch: Scratch) -> GitdirPlan:
    """Read from the user's repository what our git directories need."""
    scratch.objects.mkdir(parents=True, exist_ok=True, mode=0o700)
    # releases are hookci's own bookkeeping: they would show up in `git describe`
    lines = (f"{oid} {name}\n" for name, oid in repository.refs.objects.items() if not name.startswith(_RELEASES))
    common = repository.common_dir
    attributes = _read(common / "info" / "attributes")
    return GitdirPlan(
        config=_config_text(repository.object_format, checkout_settings(repository.config.here)),
        looks=_looks(repository.settings, attributes, repository.env),
        alternates=b"".join(_alternate(path) for path in (scratch.objects, repository.objects)),
        refs=os.fsencode("".join(lines)),
        shallow=_read(common / "shallow"),
        attributes=attributes,
        exclude=_read(common / "info" / "exclude"),
    )


def _looks(settings: Mapping[str, list[str]], attributes: bytes | None, env: Mapping[str, str]) -> str:
    lfs = {name: value for name, value in env.items() if name.startswith("GIT_LFS_")}
    parts = [_about_looks(settings), attributes, _read(_users_attributes(settings, env)), lfs]
    return sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()


def _users_attributes(settings: Mapping[str, list[str]], env: Mapping[str, str]) -> Path:
    """The user's own attributes file (gitattributes(5))."""
    home = Path(env.get("HOME", "/"))
    named = settings.get("core.attributesfile")
    if named:
        return home / named[-1].removeprefix("~/")
    return Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "attributes"


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _alternate(path: Path) -> bytes:
    raw = os.fsencode(path)
    if raw.startswith((b'"', b"#")) or b"\n" in raw:
        raw = b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    return raw + b"\n"


def _config_text(object_format: str, settings: Mapping[str, list[str]]) -> str:
    extra = "" if object_format == "sha1" else f"[extensions]\n\tobjectFormat = {object_format}\n"
    # a promisor remote is an extension too, so the format is 1 whenever anything is special (gitrepository-layout(5))
    promisor = any(key.endswith(".promisor") for key in settings)
    version = 1 if extra or promisor else 0
    text = f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = false\n\tlogAllRefUpdates = false\n{extra}"
    for key, values in settings.items():
        section, _, rest = key.partition(".")
        subsection, _, name = rest.rpartition(".")
        head = f'[{section} "{_escape(subsection)}"]' if subsection else f"[{section}]"
        text += "".join(f'{head}\n\t{name} = "{_escape(value)}"\n' for value in values)
    return text


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_FOLDERS = ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info")
_HOLDERS = frozenset({"objects", "refs", *_FOLDERS})


def write_gitdir(
    path: Path, plan: GitdirPlan, *, head: str, index: Path | None = None, kept: AbstractSet[str] = frozenset()
) -> None:
    """Make ``path`` a git directory that holds exactly what ``plan`` says; what is there already as it should be stays.

    Args:
        path: the directory; where it holds anything else, it is made anew.
        plan: what goes in.
        head: the commit ``HEAD`` is detached at, or a line such as ``ref: refs/heads/none``.
        index: copied in, so that `git status` is clean and does not read every file again.
        kept: names of further files that stay if they are there.
    """
    wanted = _contents(plan, head)
    if index is not None and index.exists():
        wanted["index"] = index.read_bytes()
    there = _there(path, {*wanted, *kept})
    if there is None:
        remove(os.fsencode(path))
        for folder in _FOLDERS:
            (path / folder).mkdir(parents=True, mode=0o777)
        there = set()
    for name, content in wanted.items():
        place = path / name
        if name not in there or place.read_bytes() != content:
            # a new file, for the one that is there may have another name elsewhere
            place.unlink(missing_ok=True)
            place.write_bytes(content)


def _contents(plan: GitdirPlan, head: str) -> dict[str, bytes]:
    files = {
        "HEAD": f"{head}\n".encode(errors="surrogateescape"),
        "config": plan.config.encode(errors="surrogateescape"),
        "objects/info/alternates": plan.alternates,
        "packed-refs": plan.refs,
        "shallow": plan.shallow,
        "info/attributes": plan.attributes,
        "info/exclude": plan.exclude,
    }
    return {name: content for name, content in files.items() if content is not None}


def _there(path: Path, known: AbstractSet[str]) -> set[str] | None:
    """The files in a git directory; None where there is anything but those ``known``, or a folder is missing."""
    if path.is_symlink():
        return None
    files, folders, left = set(), set(), [""]
    try:
        for below in left:  # grows
            with os.scandir(path / below) as entries:
                for entry in entries:
                    name = below + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.add(name)
                        left.append(f"{name}/")
                    elif entry.is_file(follow_symlinks=False) and name in known:
                        files.add(name)
                    else:
                        return None
    except OSError:
        return None
    return files if folders == _HOLDERS else None
