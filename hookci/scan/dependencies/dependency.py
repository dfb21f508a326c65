"""What one file declares or locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hookci.model.finding import NOT_SCANNED, Finding, Severity
from hookci.scan.advisories.advisory import PYPI

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.specifiers import SpecifierSet

    from hookci.scan.dependencies.text import Place

__all__ = ["OR", "TOOL", "Dependency", "Manifest", "not_scanned"]

TOOL = "dependencies"

OR = " || "
"""What is between the alternatives of a specifier (Poetry has them)."""


class Dependency(Struct, frozen=True, kw_only=True):
    """A package that a file asks for.

    ``name`` is in the ecosystem's canonical form.  ``version`` is the exact one, None when the file leaves a choice;
    ``specifier`` is that choice, in PEP 440's form (`OR` between alternatives), empty for any version.  ``line``
    counts from 1, 0 is unknown; ``text`` is that line.
    """

    ecosystem: str
    name: str
    path: str
    version: str | None = None
    specifier: str = ""
    line: int = 0
    text: str = ""

    @property
    def label(self) -> str:
        """How it is called in a message."""
        return " ".join(filter(None, [self.name, self.version or self.specifier]))


class Manifest:
    """What is read of one file: each dependency once, where it is first; ``check`` is called before each.

    ``addresses`` are the names of what comes from an address and not from an index, so that its version says nothing;
    ``problems`` are places that could not be read, with the reason.
    """

    def __init__(self, path: str, check: Callable[[], None]) -> None:
        self.path = path
        self._check = check
        self.addresses: list[str] = []
        self.problems: list[tuple[str, Place]] = []
        self._dependencies: dict[tuple[str, str, str | None, str], Dependency] = {}

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """In the order of the file."""
        return tuple(self._dependencies.values())

    def requirement(self, requirement: str, place: Place) -> None:
        """Take a requirement in PEP 508's form; a local path is left out."""
        self.any_of([requirement], place)

    def any_of(self, requirements: Sequence[str], place: Place) -> None:
        """Take alternatives for one package, at least one of them."""
        self._check()
        try:
            read = [Requirement(requirement) for requirement in requirements]
        except InvalidRequirement as error:
            self.problems.append((f"no requirement: {str(error).splitlines()[0].lower()}", place))
            return
        if read[0].url is not None:
            if _is_remote(read[0].url):
                self.addresses.append(read[0].name)
            return
        version = _pin(read[0].specifier) if len(read) == 1 else None
        specifier = "" if version else OR.join(str(one.specifier) for one in read)
        self._add(PYPI, canonicalize_name(read[0].name), version, specifier, place)

    def locked(self, ecosystem: str, name: str, version: object, place: Place) -> None:
        """Take a package of a lock file; one without a version comes from an address."""
        self._check()
        if version is None:
            self.addresses.append(name)
        elif not (name.isascii() and isinstance(version, str) and version.isascii()):
            self.problems.append(("the name or the version of a package is none", place))
        else:
            self._add(ecosystem, canonicalize_name(name) if ecosystem == PYPI else name, version, "", place)

    def _add(self, ecosystem: str, name: str, version: str | None, specifier: str, place: Place) -> None:
        made = Dependency(
            ecosystem=ecosystem,
            name=name,
            path=self.path,
            version=version,
            specifier=specifier,
            line=place.line,
            text=place.text,
        )
        self._dependencies.setdefault((ecosystem, name, version, specifier), made)


def _is_remote(url: str) -> bool:
    return ":" in url and not url.lower().startswith("file:")


def _pin(specifiers: SpecifierSet) -> str | None:
    exact = [one.version for one in specifiers if one.operator in {"==", "==="} and not one.version.endswith(".*")]
    return min(exact, default=None)


def not_scanned(path: str, reason: str, place: Place, code: str) -> Finding:
    """The finding that says: this could not be looked at.  ``code`` is what it stays the same finding for."""
    return Finding(
        tool=TOOL,
        rule=NOT_SCANNED,
        message=reason,
        severity=Severity.HIGH,
        path=path,
        line=place.line,
        text=place.text,
        code=code,
    )
