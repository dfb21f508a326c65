"""``$NAME`` in a text, in the two ways there are: hookci's own, and GitLab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Iterator, Mapping

__all__ = ["circles", "expand", "expand_existing", "expand_for_gitlab", "references"]

_REFERENCE = pattern(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_GITLAB = pattern(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([^}]*)\}|[*#@!?0-9-])|%(?:%|([A-Za-z_][A-Za-z0-9_]*)%)")
_EXISTING = pattern(r"\$([A-Za-z_][A-Za-z0-9_]*)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|%([A-Za-z_][A-Za-z0-9_]*)%")
_PERCENT = pattern(r"%(?:%|([A-Za-z_][A-Za-z0-9_]*)%)")


def expand(text: str, look: Callable[[str], str | None]) -> str:
    """``$NAME`` and ``${NAME}`` replaced by what is known, ``$$`` by a dollar; unknown names stay as they are."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        found = look(match[2] or match[3])
        return match[0] if found is None else found

    return _REFERENCE.sub(value, text)


def expand_for_gitlab(text: str, look: Callable[[str], str | None]) -> str:
    """The same as a GitLab runner does it: what is unknown is empty, also ``${NAME:-default}`` and ``$1``.

    A dollar before anything else stays, and so do ``%%``, and ``%NAME%`` of a name that nobody knows.  Source: GitLab
    CI/CD, "Where variables can be used"; Go's ``os.Expand``, by which the runner does it; of GitLab's code
    ``Gitlab::Ci::Variables::Collection``, which alone knows ``%NAME%``.
    """

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        if match[0][0] == "%":
            found = look(match[4]) if match[4] else None
            return match[0] if found is None else found
        return look(match[2] or match[3] or "") or ""

    return _GITLAB.sub(value, text)


def expand_existing(text: str, look: Callable[[str], str | None]) -> str:
    """The same for globs and revisions in rules: what is unknown stays (of GitLab's code, ``ExpandVariables``)."""

    def value(match: re.Match[str]) -> str:
        found = look(match[1] or match[2] or match[3])
        return match[0] if found is None else found

    return _EXISTING.sub(value, text)


def references(text: str, among: Collection[str] = ()) -> Iterator[str]:
    """The names of the variables that ``text`` refers to; as ``%NAME%``, which is often none, those of ``among``."""
    yield from (match[2] or match[3] for match in _REFERENCE.finditer(text) if not match[1])
    if among and "%" in text:
        yield from (match[1] for match in _PERCENT.finditer(text) if match[1] in among)


def circles(variables: Mapping[str, str], raw: Collection[str] = ()) -> list[str]:
    """The variables that refer to each other in a circle, sorted; one that refers to itself alone is none of them."""
    edges = {
        name: {other for other in references(text, variables) if other in variables and other != name}
        for name, text in variables.items()
        if name not in raw
    }
    while True:
        # what refers to nothing that is left, or is referred to by nothing that is left, is in no circle
        named = {other for others in edges.values() for other in others}
        loose = {name for name, others in edges.items() if not others or name not in named}
        if not loose:
            return sorted(edges)
        edges = {name: others - loose for name, others in edges.items() if name not in loose}
