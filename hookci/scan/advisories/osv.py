"""Reading one OSV record; it comes from outside, so nothing in it is taken on trust.

Source: the Open Source Vulnerability schema, https://ossf.github.io/osv-schema/.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from hookci.model.finding import Severity
from hookci.model.text import plain
from hookci.scan.advisories.advisory import NPM, PYPI, Advisory
from hookci.scan.advisories.severity import cvss_severity, named_severity
from hookci.scan.advisories.versions import untold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hookci.scan.advisories.advisory import Range

__all__ = ["INSTANT", "Record", "read_record"]

INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"
"""The form of `Record.modified`: in UTC, so that the order of the texts is that of the times."""

_ID = re.compile(r"[A-Za-z0-9][\w.:+-]{0,127}", re.ASCII)
_NAMES = {
    PYPI: re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,212}[A-Z0-9])?", re.ASCII | re.IGNORECASE),
    NPM: re.compile(r"(?:@[\w.~!*'()-]+/)?[\w.~!*'()-]{1,214}", re.ASCII),
}
_URL = re.compile(r"https?://[!-~]{1,2000}")
_KINDS = ("introduced", "fixed", "last_affected")
_SUMMARY = 160
_ECOSYSTEM = 40
_VERSION = 256
# no package has as many versions; without a limit, one record could keep an import and every scan busy for hours
_MOST = 20_000


class Record(Struct, frozen=True, kw_only=True):
    """What is kept of one OSV record.

    ``modified`` has the form `INSTANT`.  ``advisories`` has one advisory for each package that we can tell versions
    of; when there is none, ``left_out`` says why in a word or two: an ecosystem, ``no versions``, ``no package``.
    """

    id: str
    modified: str
    withdrawn: bool
    advisories: tuple[Advisory, ...]
    left_out: str


class _Parts(Struct):
    """What the entries of one package come to."""

    ranges: list[Range]
    versions: set[str]
    severity: Severity | None


def read_record(document: object) -> Record:
    """Read a record as JSON or YAML gives it.

    Raises:
        ValueError: it is not one; the message says what is wrong, such as ``it has no id``.
    """
    record = _mapping(document, "a record")
    ident, modified = record.get("id"), record.get("modified")
    if not isinstance(ident, str) or not _ID.fullmatch(ident):
        raise ValueError("it has no id" if ident is None else "its id is not one")
    if not isinstance(modified, str):
        raise ValueError("it does not say when it was modified")  # noqa: TRY004 (what is wrong with the record, as all)
    packages, left_out = _packages(record)
    return Record(
        id=ident,
        modified=_instant(modified),
        withdrawn=bool(record.get("withdrawn")),
        advisories=tuple(_advisory(record, ident, *key, parts) for key, parts in packages.items()),
        left_out="" if packages else left_out,
    )


def _packages(record: Mapping[str, object]) -> tuple[dict[tuple[str, str], _Parts], str]:
    packages: dict[tuple[str, str], _Parts] = {}
    left_out = "no package"
    for item in _items(record, "affected"):
        entry = _mapping(item, "affected")
        if "package" not in entry:
            continue
        package = _mapping(entry["package"], "package")
        ecosystem = _line(package.get("ecosystem")).partition(":")[0][:_ECOSYSTEM]
        if ecosystem not in _NAMES:
            left_out = ecosystem or left_out
            continue
        ranges, versions = _ranges(entry), _texts(entry, "versions")
        if not ranges and not versions:
            left_out = "no versions"
            continue
        parts = packages.setdefault((ecosystem, _name(ecosystem, package)), _Parts([], set(), None))
        parts.ranges += ranges
        parts.versions.update(versions)
        parts.severity = _worst([parts.severity, *_severities(entry)])
    return packages, left_out


def _name(ecosystem: str, package: Mapping[str, object]) -> str:
    from packaging.utils import canonicalize_name  # noqa: PLC0415 (dear, and only an import of advisories needs it)

    name = package.get("name")
    if not isinstance(name, str) or not _NAMES[ecosystem].fullmatch(name):
        raise ValueError(f"it names a package that {ecosystem} cannot have")
    return canonicalize_name(name) if ecosystem == PYPI else name


def _ranges(entry: Mapping[str, object]) -> list[Range]:
    ranges = (_mapping(item, "ranges") for item in _items(entry, "ranges"))
    read = (tuple(_events(found)) for found in ranges if found.get("type") in {"ECOSYSTEM", "SEMVER"})
    return [events for events in read if events]


def _events(found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for item in _items(found, "events"):
        event = _mapping(item, "events")
        for kind in _KINDS:
            if kind in event:
                yield kind, _version(event[kind])


def _texts(entry: Mapping[str, object], key: str) -> list[str]:
    return [_version(item) for item in _items(entry, key)]


def _version(value: object) -> str:
    if not isinstance(value, str) or len(value) > _VERSION:
        raise ValueError("it has a version that is none")
    return value


def _advisory(record: Mapping[str, object], ident: str, ecosystem: str, package: str, parts: _Parts) -> Advisory:
    word = _line(_soft(record.get("database_specific")).get("severity"))
    stated = _worst([parts.severity, named_severity(word), *_severities(record)])
    named = (alias for alias in _listed(record.get("aliases")) if isinstance(alias, str) and _ID.fullmatch(alias))
    aliases = tuple(named)
    return Advisory(
        id=ident,
        ecosystem=ecosystem,
        package=package,
        summary=_summary(record),
        ranges=tuple(parts.ranges),
        versions=untold(ecosystem, parts.ranges, parts.versions),
        aliases=aliases,
        # malicious packages, https://github.com/ossf/malicious-packages, state none
        severity=Severity.CRITICAL if ident.startswith("MAL-") else stated,
        url=_url(record, ident, aliases),
    )


def _severities(place: Mapping[str, object]) -> list[Severity | None]:
    return [cvss_severity(_line(_soft(item).get("score"))) for item in _listed(place.get("severity"))]


def _worst(severities: Sequence[Severity | None]) -> Severity | None:
    return max((one for one in severities if one is not None), key=lambda one: one.rank, default=None)


def _url(record: Mapping[str, object], ident: str, aliases: Sequence[str]) -> str:
    """The page that tells most: one about this very advisory before those about whatever else has to do with it."""
    references = [_soft(item) for item in _listed(record.get("references"))]
    told = [
        (reference.get("type"), url)
        for reference in references
        if isinstance(url := reference.get("url"), str) and _URL.fullmatch(url)
    ]
    pages = [url for wanted in ("ADVISORY", "WEB") for kind, url in told if kind == wanted]
    own = [url for url in pages if any(name in url for name in (ident, *aliases))]
    return next(iter(own + pages), f"https://osv.dev/vulnerability/{ident}")


def _summary(record: Mapping[str, object]) -> str:
    """The summary, or the first line of the details that is not a heading, on one line."""
    text = str(record.get("summary") or record.get("details") or "")
    lines = (_line(line) for line in text.splitlines() if not line.lstrip().startswith("#"))
    return textwrap.shorten(next(filter(None, lines), ""), _SUMMARY, placeholder=" ...")


def _instant(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("it does not say when it was modified") from None
    return moment.strftime(INSTANT).rjust(len("2000-01-01T00:00:00.000000Z"), "0")


def _line(value: object) -> str:
    """A text as one line that can be printed and stored anywhere; empty when it is no text."""
    if not isinstance(value, str):
        return ""
    return " ".join(plain(value).encode("utf-8", "replace").decode().split())


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not an object")  # noqa: TRY004 (what is wrong with the record, as all)
    return cast("dict[str, object]", value)


def _items(place: Mapping[str, object], key: str) -> list[object]:
    """A list that has to be right; one that is missing is empty."""
    value = place.get(key)
    if value is not None and not isinstance(value, list):
        raise ValueError(f"{key} is not a list")
    if value and len(value) > _MOST:
        raise ValueError(f"{key} has more than {_MOST} entries")
    return value or []


# of what is only shown, whatever is of another shape is passed over


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _soft(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
