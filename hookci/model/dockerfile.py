"""What a Dockerfile starts from.

Source: docs.docker.com, "Dockerfile reference": FROM, ARG, COPY --from, here-documents, parser directives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["bases"]

_CONTINUED = pattern(r"\\[ \t]*\n(?:[ \t]*#[^\n]*\n)*")
_HEREDOC = pattern(r"(?<!<)<<-?(['\"]?)([A-Za-z_]\w*)\1")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_FROM = pattern(r"((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?\s*", re.IGNORECASE)
_FLAG = pattern(r"--(platform|from)=(\S+)")
_REFERENCE = pattern(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::-([^}]*))?\})")
_EMPTY = "scratch"


def bases(text: str, args: Mapping[str, str], target: str | None = None) -> list[tuple[str, str | None]]:
    """The images that a Dockerfile needs up to the stage ``target``, each with its platform (None: the engine's).

    Stages of its own and what cannot be told without building are left out.
    """
    found: dict[tuple[str, str | None], None] = {}
    stages: set[str] = {_EMPTY}
    known: dict[str, str] = {}
    last = False
    for word, rest in _instructions(text):
        if word == "ARG" and not _begun(stages):
            name, _, value = rest.partition("=")
            known[name.strip()] = args.get(name.strip(), _expanded(value.strip().strip("'\""), known))
        elif word == "FROM" and (match := _FROM.fullmatch(rest)):
            if last:
                break
            _note(found, stages, _expanded(match[2], known), _expanded(_flag("platform", match[1]), known))
            stages |= {(match[3] or "").lower(), str(len(stages))}
            last = target is not None and (match[3] or "").lower() == target.lower()
        elif word == "COPY" and (source := _flag("from", rest)):
            _note(found, stages, source, "")
    return list(found)


def _begun(stages: set[str]) -> bool:
    return len(stages) > 1


def _flag(name: str, text: str) -> str:
    return next((match[2] for match in _FLAG.finditer(text) if match[1] == name), "")


def _note(found: dict[tuple[str, str | None], None], stages: set[str], name: str, platform: str) -> None:
    if name and name.lower() not in stages and not name.isdigit() and "$" not in name:
        found[name, platform if platform and "$" not in platform else None] = None


def _expanded(text: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        there = known.get(match[1] or match[2])
        return there or (match[3] if match[3] is not None else match[0] if there is None else "")

    return _REFERENCE.sub(value, text)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction in capitals, with what follows it; here-documents are passed over."""
    ends: list[str] = []
    for line in _CONTINUED.sub(" ", text.replace("\r\n", "\n")).split("\n"):
        if ends:
            if line.strip() == ends[0]:
                ends.pop(0)
            continue
        word, *more = line.split(maxsplit=1) or [""]
        if word and not word.startswith("#"):
            word, rest = word.upper(), "".join(more)
            ends = [match[2] for match in _HEREDOC.finditer(rest)] if word in _WITH_HEREDOC else []
            yield word, rest.strip()
