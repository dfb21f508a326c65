"""Whether a version is affected by an advisory, and whether the newest one that a specifier admits is.

Sources: the OSV schema's evaluation algorithm, https://ossf.github.io/osv-schema/#evaluation; PEP 440 for PyPI;
Semantic Versioning 2.0.0 for npm.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from hookci.scan.advisories.advisory import PYPI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version
    from semver import Version as SemVersion

    from hookci.scan.advisories.advisory import Advisory, Range

__all__ = ["affects", "newest_unaffected", "untold"]

_V = TypeVar("_V", "Version", "SemVersion")

_START = ("introduced", "0")
_EARLIEST = (0, 1)
_NEWEST = (999_999_999,)
_PLACES = 3


def affects(advisory: Advisory, version: str) -> bool:
    """Whether ``version`` of the advisory's package is affected: one of its ranges or its list of versions has it.

    What cannot be read in the advisory counts against the version: an end of a range is passed over, a beginning
    takes the place of the event that is listed before it, and a range without any beginning begins at the start.
    A local version (``2.2.0+cu118``) is a build of the public one, unless the advisory names local versions itself.

    Raises:
        ValueError: ``version`` is not one of PEP 440, for npm of SemVer.
    """
    scale = _scale(advisory.ecosystem)
    return scale.within(advisory.ranges)(version) or scale.is_among(advisory.versions, version)


def untold(ecosystem: str, ranges: Iterable[Range], versions: Iterable[str]) -> frozenset[str]:
    """Those of an advisory's listed ``versions`` that its ``ranges`` do not tell already; most lists are only that."""
    is_within = _scale(ecosystem).within(ranges)

    def is_told(version: str) -> bool:
        try:
            return is_within(version)
        except ValueError:
            return False

    return frozenset(version for version in versions if not is_told(version))


def newest_unaffected(advisory: Advisory, specifier: str) -> bool:
    """Whether the newest version that a PEP 440 specifier set admits is free of an advisory about a package of PyPI.

    That is the one an installer takes.  Only versions count that there is a reason to believe in: those that the
    advisory and the specifier name, their neighbours, and the newest possible one where there is no upper bound.

    Raises:
        ValueError: ``specifier`` is not a set of specifiers, or the advisory is not about a package of PyPI.
    """
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 (dear; a lock file needs none)

    if advisory.ecosystem != PYPI:
        raise ValueError(f"no specifiers of PEP 440 are in use for {advisory.ecosystem}")
    allowed = SpecifierSet(specifier)
    # said outright, since releases of packaging differ in what they take for the default
    early = bool(allowed.prereleases)
    admitted = [one for one in _candidates(advisory, allowed) if allowed.contains(one, prereleases=early)]
    # a local version is one's own build, which no installer takes unless it is asked for
    usual = [one for one in admitted if one.local is None] or admitted
    return bool(usual) and not affects(advisory, str(max(usual)))


def _candidates(advisory: Advisory, allowed: SpecifierSet) -> Iterator[Version]:
    named = [_pep440(single.version.removesuffix(".*")) for single in allowed]
    bounds = [bound for events in _PEP440.ordered(advisory.ranges) for _kind, bound in events if bound is not None]
    epoch = max((version.epoch for version in (*named, *bounds)), default=0)
    yield _release(epoch, _NEWEST)
    yield _release(epoch, _EARLIEST)
    for version in (*named, *bounds):
        yield version
        yield _release(version.epoch, version.release)
        yield from _neighbours(version)


def _neighbours(version: Version) -> Iterator[Version]:
    """The releases right before and after ``version`` that a project could number so: 1.2.2, 1.1, 1.2.4, 1.3, 2."""
    numbers = version.release + (0,) * (_PLACES - len(version.release))
    for place, number in enumerate(numbers):
        yield _release(version.epoch, (*numbers[:place], number + 1))
        before = (*numbers[:place], number - 1)
        if number and any(before):
            yield _release(version.epoch, before)


def _release(epoch: int, numbers: Sequence[int]) -> Version:
    return _pep440(f"{epoch}!{'.'.join(map(str, numbers))}")


class _Scale(Struct, Generic[_V], frozen=True):
    """How the versions of one ecosystem are read and held against each other.

    ``beside`` gives a version as it is compared with a bound.
    """

    read: Callable[[str], _V]
    beside: Callable[[_V, _V], _V]

    def ordered(self, ranges: Iterable[Range]) -> list[list[tuple[str, _V | None]]]:
        """The events of each range by version; None is the start."""
        # events at one version stay as they are listed: "fixed, introduced again" is not "introduced, fixed"
        return [sorted(self._readable(events), key=lambda event: (event[1] is not None, event[1])) for events in ranges]

    def _readable(self, events: Range) -> Iterator[tuple[str, _V | None]]:
        if not any(kind == "introduced" for kind, _text in events):
            yield ("introduced", None)
        bound: _V | None = None
        for event in events:
            kind, text = event
            try:
                bound = None if event == _START else self.read(text)
            except ValueError:
                if kind != "introduced":
                    continue
            yield (kind, bound)

    def within(self, ranges: Iterable[Range]) -> Callable[[str], bool]:
        """What says whether one of ``ranges`` has a version."""
        ordered = self.ordered(ranges)

        def is_within(text: str) -> bool:
            version = self.read(text)
            return any(self._covers(events, version) for events in ordered)

        return is_within

    def _covers(self, events: Iterable[tuple[str, _V | None]], version: _V) -> bool:
        inside = False
        for kind, bound in events:
            if kind == "introduced":
                inside = inside or bound is None or self.beside(version, bound) >= bound
            elif bound is not None and inside:
                asked = self.beside(version, bound)
                inside = asked < bound if kind == "fixed" else asked <= bound
        return inside

    def is_among(self, listed: Iterable[str], text: str) -> bool:
        """Whether the version is one of those that are listed, however it is written there."""
        version = self.read(text)
        return any(self._is_same(version, other) for other in listed)

    def _is_same(self, version: _V, text: str) -> bool:
        try:
            other = self.read(text)
        except ValueError:
            return False
        return bool(self.beside(version, other) == other)


@functools.lru_cache(maxsize=65_536)  # the advisories about one package name the same versions again and again
def _pep440(text: str) -> Version:
    from packaging.version import Version  # noqa: PLC0415 (only for packages of PyPI)

    return Version(text)


@functools.lru_cache(maxsize=65_536)
def _semver(text: str) -> SemVersion:
    from semver import Version  # noqa: PLC0415 (only for packages of npm)

    return Version.parse(text)


def _public(version: Version, bound: Version) -> Version:
    return version if version.local is None or bound.local is not None else _pep440(version.public)


_PEP440: _Scale[Version] = _Scale(_pep440, _public)
_SEMVER: _Scale[SemVersion] = _Scale(_semver, lambda version, _bound: version)


def _scale(ecosystem: str) -> _Scale[Version] | _Scale[SemVersion]:
    return _PEP440 if ecosystem == PYPI else _SEMVER
