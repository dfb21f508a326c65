"""What changed in what a deployment executes, for the eyes of a person who is to agree to it.

It may have been written to deceive them.  So a control sequence is not removed, since it would be executed with what
stands in it: it is spelled out.  Nothing is left out without being counted.
"""

from __future__ import annotations

import difflib
from itertools import islice
from typing import TYPE_CHECKING

from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hookci.deploy.trust import Executed

__all__ = ["difference"]

_MOST_LINES = 400
_MOST_NAMES = 20
_LONGEST_LINE = 500
_MOST_COMPARED = 4000
"""Lines; comparing takes time that grows with their square."""
_KINDS = {"100644": "a file", "100755": "an executable file", "120000": "a symbolic link", "160000": "a submodule"}
_SUBMODULE = "160000"


def difference(before: Executed | None, after: Executed, read: Callable[[str], bytes]) -> list[str]:
    r"""What is executed ``after`` and was not ``before`` (None: nothing was), as lines of a unified diff.

    The config comes first, then each file that is new or another one, with a line above that says so.  Unprintable
    characters are spelled out (``\x1b``).  After 400 lines it says how many more there are of the same file, and which
    files follow.

    Args:
        before: what was accepted last.
        after: what is asked for.
        read: returns the content of an object by its name; when it cannot (`HookciError`) for what was before, the
            file is shown whole.
    """
    shown: list[str] = []
    cut, left = "", []
    for name, section in _sections(before, after, read):
        room = _MOST_LINES - len(shown)
        if room <= 0:
            left.append(_visible(name))
            continue
        lines = [_visible(line) for line in section]
        shown += lines[:room]
        cut = f"... and {len(lines) - room} more lines of {_visible(name)}" if len(lines) > room else ""
    return [*shown, *filter(None, (cut, _following(left)))]


def _sections(
    before: Executed | None, after: Executed, read: Callable[[str], bytes]
) -> Iterator[tuple[str, Iterable[str]]]:
    """What each part is called, and its lines."""
    config = before.config if before else ""
    if config != after.config:
        what = "the environment in the config"
        yield what, [f"{what}:", *_compared(config, after.config)]
    old = before.files if before else {}
    for path in sorted({*old, *after.files}):
        if old.get(path) != after.files.get(path):
            yield path, _file(path, old.get(path, ""), after.files.get(path, ""), read)


def _file(path: str, old: str, new: str, read: Callable[[str], bytes]) -> Iterator[str]:
    """The lines about one file; ``old`` and ``new`` are mode and object name, empty when it is not there."""
    (was, _, old_oid), (now, _, oid) = old.partition(" "), new.partition(" ")
    kind = _KINDS.get(now, now)
    if not new:
        yield f"{path}: is not executed any more"
        return
    changed = f"changed, {kind}" if was == now else f"was {_KINDS.get(was, was)}, is {kind}"
    yield f"{path}: {changed if old else f'new, {kind}'}"
    if oid == old_oid:
        return
    if _SUBMODULE in {was, now}:
        yield f"commit {oid}, was {old_oid}" if old else f"commit {oid}"
    else:
        yield from _contents(_readable(old_oid, read), oid, read)


def _contents(old: bytes | None, oid: str, read: Callable[[str], bytes]) -> Iterator[str]:
    new = read(oid)
    if old is None:
        yield "what it was is not in this clone any more, so this is all of it"
    if b"\0" in new:
        yield f"binary, {len(new)} bytes: `git cat-file blob {oid}` has them"
    else:
        was_binary = b"\0" in (old or b"")
        yield from _compared("" if was_binary else _text(old or b""), _text(new))


def _readable(oid: str, read: Callable[[str], bytes]) -> bytes | None:
    """The content of an object that may be gone; None when it is."""
    try:
        return read(oid) if oid else b""
    except HookciError:
        return None


def _text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")


def _compared(old: str, new: str) -> Iterable[str]:
    """A unified diff without its first two lines; where there is nothing to compare with, every line."""
    before, after = old.split("\n"), new.split("\n")
    if not old:
        return (f"+{line}" for line in after)
    if max(len(before), len(after)) > _MOST_COMPARED:
        return ("too long to be compared, so this is all of it", *(f"+{line}" for line in after))
    return islice(difflib.unified_diff(before, after, lineterm=""), 2, None)


def _visible(line: str) -> str:
    spelled = "".join(one if one.isprintable() or one == "\t" else _spelled(one) for one in line)
    more = len(spelled) - _LONGEST_LINE
    return f"{spelled[:_LONGEST_LINE]} ... and {more} more characters" if more > 0 else spelled


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _following(names: Sequence[str]) -> str:
    if not names:
        return ""
    first, more = ", ".join(names[:_MOST_NAMES]), len(names) - _MOST_NAMES
    count = f"{len(names)} more file{'s' if len(names) > 1 else ''}"
    return f"... and {count}: {first}{f' and {more} others' if more > 0 else ''}"
