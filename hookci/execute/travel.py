"""A workspace on an engine that does not see this machine's files: it travels as an archive, later only what changed.

Each kept checkout has one volume on the engine that only hookci writes, the copy; an attempt gets a volume of its own,
filled from that one over there.  So what a job does to its files never has to be undone from afar.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import posixpath
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.engine.calls import EngineError
from hookci.engine.containers import ContainerSpec, Volume, create
from hookci.engine.files import (
    get_file,
    get_tree,
    make_volume,
    put_files,
    put_tree,
    remove_volume,
    remove_volume_with_users,
)
from hookci.engine.owner import KEPT
from hookci.errors import HookciError
from hookci.execute.luggage import digest, gone, pack, walk
from hookci.git.travelling import DEPTH
from hookci.model.globs import is_literal, matcher
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hookci.engine.calls import Engine
    from hookci.engine.containers import Container
    from hookci.engine.owner import Owner
    from hookci.execute.luggage import Entry
    from hookci.proc.supervise import Cancel

__all__ = ["FarWorkspace", "git_depth"]

_COPY, _WORK = "/hookci-copy", "/hookci-work"
_TREE, _STATE = "tree", "state"
"""In the copy: the files, and the digest of what they are, or nothing while they are being changed."""
_SCRIPT = "hookci-fill"
_HELPER = 3600.0
_AT_ONCE = 100
"""Names in one command line."""
_LARGE = 16 * 2**20
"""Bytes that are told about before they travel."""
_MOST_TOLD = 5
_NOT_RUN = frozenset({126, 127})
"""What a shell ends in when there is no such program (POSIX.1, "Exit Status for Commands")."""


def git_depth(environment: Mapping[str, str]) -> int:
    """How many commits travel, 0 for all: what ``GIT_DEPTH`` says, as to a GitLab runner."""
    depth = environment.get("GIT_DEPTH", "")
    return int(depth) if depth.isdecimal() else DEPTH


class FarWorkspace(Struct, kw_only=True):
    """One attempt's workspace over there.

    ``image`` is the id of an image with `sh`, `cp` and `rm`, and `chown` for a user: the job's own.  ``slot`` is the
    kept checkout's directory here, ``local`` the workspace in it, ``target`` its path in the job's container, ``user``
    the container's user, empty for root.  ``env`` is the environment for git, ``depth`` how many commits come along, 0
    for all.
    """

    engine: Engine
    owner: Owner
    image: str
    slot: Path
    local: Path
    target: str
    user: str
    env: Mapping[str, str]
    depth: int
    cancel: Cancel
    say: Callable[[str], None]
    _work: str | None = field(default=None)

    @property
    def mount(self) -> Volume:
        """How the job's container sees it.

        Raises:
            HookciError: it was not sent.
        """
        if self._work is None:
            raise HookciError("the workspace was not sent")
        return Volume(self._work, self.target)

    # -- there

    def send(self) -> None:
        """Bring the copy up to date, and fill the attempt's own volume from it.

        Raises:
            HookciError: that could not be done, or was cancelled.
        """
        try:
            files = pack(self.local, self.slot / "travelling", env=self.env, depth=self.depth)
            self._work = make_volume(self.engine, self.owner.labels("volume"))
            self._send(files, {name: entry for name, (_path, entry) in files.items()})
        except OSError as error:
            what = f"{error.strerror}: {os.fsdecode(error.filename or self.slot)}"
            raise HookciError(f"the workspace cannot go to {self.engine.name}: {what}") from error

    def _send(self, files: Mapping[str, tuple[Path, Entry]], wanted: Mapping[str, Entry]) -> None:
        helper, there = self._open_copy(self._sent())
        try:
            changed = sorted(name for name, entry in wanted.items() if there.get(name) != entry)
            going = gone(there, wanted)
            if changed or going:
                put_files(helper, _COPY, {_STATE: b""})
                self._tell(sum(wanted[name][1] for name in changed))
                put_tree(helper, _COPY, self._members((name, files[name][0]) for name in changed))
            put_files(helper, "/", {_SCRIPT: self._script(going)})
            self._follow(helper)
            put_files(helper, _COPY, {_STATE: digest(wanted)})
        finally:
            helper.remove()
        self._record.write_text(json.dumps(wanted), encoding="utf-8", errors="surrogateescape")

    def _tell(self, size: int) -> None:
        if size >= _LARGE:
            self.say(
                f"hookci: {size / 2**20:.0f} MiB go to {self.engine.name}, which does not see this machine's files"
            )

    def _members(self, files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
        for name, path in files:
            if self.cancel.reason is not None:
                raise HookciError("the workspace was not sent")
            yield f"{_TREE}/{name}", path

    def _script(self, going: Sequence[str]) -> bytes:
        """What the helper does: remove files of the copy, fill the attempt's volume from it."""
        # a workspace with nothing in it has sent no file that would have made the directory
        lines = ["set -e", f"[ -d {_COPY}/{_TREE} ] || mkdir {_COPY}/{_TREE}", f"cd {_COPY}/{_TREE}"]
        batches = (going[start : start + _AT_ONCE] for start in range(0, len(going), _AT_ONCE))
        lines += [f"rm -rf -- {shlex.join(batch)}" for batch in batches]
        lines.append(f"cp -a . {_WORK}/")
        if self.user:
            lines.append(f"chown -R {shlex.quote(self.user)} {_WORK}")
        return ("\n".join(lines) + "\n").encode(errors="surrogateescape")

    # -- the copy

    @property
    def _copy(self) -> str:
        """The name of its volume: one for each user, repository and kept checkout."""
        place = hashlib.sha256(os.fsencode(self.slot)).hexdigest()[:16]
        return f"hookci-{self.owner.host}-{place}-{self.slot.name}"

    @property
    def _record(self) -> Path:
        """What was sent last to this engine."""
        engine = hashlib.sha256(self.engine.id.encode()).hexdigest()[:16]
        return self.slot / f"sent-{engine}.json"

    def _sent(self) -> dict[str, Entry] | None:
        try:
            rows = json.loads(self._record.read_text(encoding="utf-8", errors="surrogateescape"))
            return {name: (entry[0], entry[1], entry[2], entry[3]) for name, entry in rows.items()}
        except (OSError, ValueError, AttributeError, IndexError, TypeError, KeyError):
            return None

    def _open_copy(self, sent: dict[str, Entry] | None) -> tuple[Container, dict[str, Entry]]:
        """A helper that sees the copy, and what that holds: ``sent``, or nothing if that is not sure."""
        labels = {**self.owner.labels("workspace"), KEPT: "workspace"}
        if sent is not None:
            make_volume(self.engine, labels, self._copy)
            helper = self._helper()
            if get_file(helper, f"{_COPY}/{_STATE}") == digest(sent):
                return helper, sent
            helper.remove()
        self._record.unlink(missing_ok=True)
        remove_volume_with_users(self.engine, self._copy, self.owner.host)
        make_volume(self.engine, labels, self._copy)
        return self._helper(), {}

    def _helper(self) -> Container:
        spec = ContainerSpec(
            image=self.image,
            labels=self.owner.labels("helper"),
            entrypoint=[""],
            command=["sh", f"/{_SCRIPT}"],
            mounts=[Volume(self._copy, _COPY), Volume(self._work or "", _WORK)],
            user="0:0",
            network="none",
        )
        return create(self.engine, spec)

    def _follow(self, helper: Container) -> None:
        output: list[bytes] = []
        ended = helper.follow(output.append, _HELPER, self.cancel, lambda: None)
        if ended.why == "exit" and ended.returncode == 0:
            return
        lines = b"".join(output).decode(errors="replace").strip().splitlines()
        why = {"cancel": "cancelled", "timeout": "it takes too long"}.get(ended.why)
        why = why or (lines[-1] if lines else f"exit status {ended.returncode}")
        hint = "the engine does not see this machine's files, and then the job's image needs `cp`, `rm` and `chown`"
        raise HookciError(
            f"the workspace could not be made on {self.engine.name}: {why}",
            hint if ended.returncode in _NOT_RUN else None,
        )

    # -- and back

    def fetch(self, container: Container, patterns: Sequence[str]) -> None:
        """Have here what the attempt left at ``patterns``, and nothing else at these places.

        Raises:
            HookciError: it could not be brought.
        """
        tests = [matcher(_stem(pattern) or "**") for pattern in patterns]

        def is_wanted(path: str) -> bool:
            return path.partition("/")[0] != ".git" and any(test(path) for test in tests)

        left_out: list[str] = []
        try:
            for root in _roots(patterns):
                left_out += self._fetch(container, root, is_wanted)
        except OSError as error:
            what = f"{error.strerror}: {os.fsdecode(error.filename or self.local)}"
            raise HookciError(f"what the job left cannot be brought back: {what}") from error
        for what in left_out[:_MOST_TOLD]:
            self.say(f"hookci: not brought back: {what}")
        if len(left_out) > _MOST_TOLD:
            self.say(f"hookci: not brought back: {len(left_out) - _MOST_TOLD} more")

    def _fetch(self, container: Container, root: str, is_wanted: Callable[[str], bool]) -> list[str]:
        above = posixpath.dirname(root)

        def placed_at(name: str) -> str | None:
            # the archive of `a/b` begins with `b`, that of the workspace itself with its own name
            path = posixpath.join(above, name) if root else name.partition("/")[2]
            return path if is_wanted(path) else None

        found = get_tree(container, posixpath.join(self.target, root).rstrip("/"), self.local, placed_at=placed_at)
        self._remove_others(root, is_wanted, found.placed)
        return found.left_out

    def _remove_others(self, root: str, is_wanted: Callable[[str], bool], placed: Mapping[str, None]) -> None:
        """Remove what was there before and is not any more; nothing below a link, which leads elsewhere."""
        parts = root.split("/") if root else []
        if any((self.local / "/".join(parts[:count])).is_symlink() for count in range(1, len(parts))):
            return
        names = [root] if root and os.path.lexists(self.local / root) else []
        names += [posixpath.join(root, name) for name, _entry in walk(self.local / root)]
        for name in names:
            if is_wanted(name) and name not in placed:
                remove(os.fsencode(self.local / name))

    def close(self) -> None:
        """Remove the attempt's own volume; the copy stays for the next one."""
        if self._work is not None:
            # it has a label to be found by later
            with contextlib.suppress(EngineError):
                remove_volume(self.engine, self._work)


def _stem(pattern: str) -> str:
    """A pattern as a path from the root, empty for all."""
    path = posixpath.normpath(pattern) if is_literal(pattern) else pattern.removeprefix("./").rstrip("/")
    return "" if path == "." else path


def _roots(patterns: Sequence[str]) -> list[str]:
    """The directories or files that hold all that ``patterns`` can name, none below another."""
    found = sorted({_literal_part(_stem(pattern)) for pattern in patterns})
    return [root for root in found if not any(_is_below(root, other) for other in found)]


def _is_below(path: str, folder: str) -> bool:
    return path != folder and (not folder or path.startswith(f"{folder}/"))


def _literal_part(stem: str) -> str:
    """What of a pattern comes before its first sign."""
    if not stem or is_literal(stem):
        return stem
    parts = []
    for part in stem.split("/"):
        if not is_literal(part) or any(sign in part for sign in "{}(),"):
            break
        parts.append(part)
    return "/".join(parts)
