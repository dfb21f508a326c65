"""Fetching what ``.gitlab-ci.yml`` includes from elsewhere, pinned by digest: by hand, never in a hook.

Source: GitLab CI/CD YAML reference, "include", and "CI/CD components" (which version ``~latest`` and ``1.2`` mean).
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.load import CONFIG_FILES, GITLAB_FILE
from hookci.config.pinned import LOCK_FILE, content_of, digest_of, kept_in, lock_text, read_lock
from hookci.errors import HookciError, UsageError
from hookci.git.elsewhere import ElsewhereError, Place, host_of, project_url
from hookci.git.wire import without_credentials
from hookci.reading import around_files
from hookci.scan.advisories.update import download
from hookci.session import Session
from hookci.store.private import private_directory, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.config.gitlab.addresses import Elsewhere
    from hookci.config.surroundings import Surroundings
    from hookci.session import Machine

__all__ = ["TEMPLATES", "FetchReport", "Fetched", "fetch_includes", "surroundings_here"]

TEMPLATES = "https://gitlab.com/gitlab-org/gitlab/-/raw/master/lib/gitlab/ci/templates"
"""Where GitLab publishes its templates."""

_LARGEST = 4 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")


class Fetched(Struct, frozen=True):
    """One include: its address, the digest of its content, and what became of it: new, changed, or there already."""

    address: str
    digest: str
    what: str


class FetchReport(Struct, frozen=True):
    """All includes of a pipeline, and the lock file, if it was written."""

    includes: tuple[Fetched, ...]
    written: Path | None


def fetch_includes(machine: Machine, *, update: bool, templates: str, timeout: float) -> FetchReport:
    """Fetch what the pipeline of the work tree includes from elsewhere, and what that includes in turn.

    Args:
        machine: its ``data_home`` keeps the contents.
        update: take what is there now; without it, only what the lock file says, or what it says nothing of.
        templates: the address of a mirror of GitLab's templates.
        timeout: seconds for each file.

    Raises:
        UsageError: there is no pipeline here.
        HookciError: something could not be fetched, or is not what the lock file says.
    """
    session = Session.open(machine)
    top = session.repository.top
    around = surroundings_here(session)
    source = _source(around)
    if top is None or around.read(source) is None:
        raise UsageError(f"there is no {source} here", "only a pipeline in GitLab's words includes others")
    fetcher = _Fetcher(session, templates=templates, timeout=timeout)
    pins = read_lock(around.read(LOCK_FILE))
    found = _all(session, around, fetcher, {} if update else pins)
    fresh = {address: digest_of(content) for address, content in found.items()}
    rows = tuple(Fetched(address, digest, _what(pins.get(address), digest)) for address, digest in fresh.items())
    # what only another branch includes stays pinned, until a person asks for a new start
    after = fresh if update else {**pins, **fresh}
    if after == pins:
        return FetchReport(rows, None)
    lock = top / LOCK_FILE
    if after:
        write_atomic(lock, lock_text(after).encode())
        lock.chmod(0o666 & ~machine.umask)
    else:
        lock.unlink(missing_ok=True)
    return FetchReport(rows, lock)


def _source(around: Surroundings) -> str:
    """The GitLab file: the usual one, or what hookci.toml says."""
    own = around.read(CONFIG_FILES[0])
    if own is None:
        return GITLAB_FILE
    import tomli  # noqa: PLC0415 (few repositories have both)

    try:
        return str(tomli.loads(own.decode()).get("pipeline", GITLAB_FILE))
    except ValueError as error:
        raise UsageError(f"{CONFIG_FILES[0]} cannot be read: {error}", "`hookci check` says more") from error


def _what(before: str | None, after: str) -> str:
    return "new" if before is None else "there already" if before == after else "changed"


def _all(session: Session, around: Surroundings, fetcher: _Fetcher, pins: Mapping[str, str]) -> dict[str, bytes]:
    """The contents by address; one that was fetched may include more."""
    from hookci.config.gitlab.composed import included_from_elsewhere  # noqa: PLC0415 (dear)

    machine = session.machine
    machine.data_home.mkdir(parents=True, exist_ok=True)
    kept = private_directory(kept_in(machine.data_home), within=machine.data_home)
    found: dict[str, bytes] = {}
    surroundings = replace(around, fetched=found.get)
    while True:
        known = included_from_elsewhere(_source(around), surroundings)
        missing = {one.address: one for one in known if one.address not in found}
        if not missing:
            return {one.address: found[one.address] for one in known}
        for address, one in missing.items():
            found[address] = _one(one, fetcher, kept, pins.get(address))


def _one(one: Elsewhere, fetcher: _Fetcher, kept: Path, pin: str | None) -> bytes:
    if pin is not None and (known := content_of(kept, pin)) is not None:
        return known
    content = fetcher.fetch(one)
    digest = digest_of(content)
    if pin not in {None, digest}:
        message = f"{one.address} is not what {LOCK_FILE} says: its SHA-256 is {digest}, not {pin}"
        raise HookciError(message, "look at what changed; `hookci include fetch --update` takes it")
    write_atomic(kept / digest, content)
    return content


def surroundings_here(session: Session) -> Surroundings:
    """The files of the work tree as they are, as a config sees them.

    Raises:
        UsageError: there is no work tree.
    """
    repository = session.repository
    if repository.top is None:
        raise UsageError(f"{repository.common_dir} has no work tree")
    return around_files(repository, session.scratch, repository.top, session.machine.data_home)


class _Fetcher:
    """Brings one file from where an include says."""

    def __init__(self, session: Session, *, templates: str, timeout: float) -> None:
        self._session = session
        self._templates = templates.rstrip("/")
        self._timeout = timeout

    def fetch(self, one: Elsewhere) -> bytes:
        """The content of an include.

        Raises:
            HookciError: it cannot be had.
        """
        ways = {"remote": self._remote, "template": self._template, "project": self._project, "component": self._component}  # fmt: skip  # noqa: E501
        try:
            return ways[one.kind](one)
        except HookciError as error:
            message = f"include {one.address}: {error.message}"
            raise HookciError(message, error.hint if isinstance(error, UsageError) else None) from error

    def _remote(self, one: Elsewhere) -> bytes:
        return self._download(one.file)

    def _template(self, one: Elsewhere) -> bytes:
        return self._download(f"{self._templates}/{quote(one.file)}")

    def _download(self, url: str) -> bytes:
        if not url.startswith(("https://", "http://")):
            raise UsageError(f"{url} is no address of HTTP", "GitLab takes only such addresses, too")
        file = io.BytesIO()
        download(url, file, self._session.machine.env, self._timeout, _LARGEST)
        return file.getvalue()

    def _project(self, one: Elsewhere) -> bytes:
        return self._place(self._url(one)).file(one.ref, [one.file])

    def _component(self, one: Elsewhere) -> bytes:
        place = self._place(self._url(one))
        paths = [f"templates/{one.file}.yml", f"templates/{one.file}/template.yml"]
        return place.file(_version(one.ref, place), paths)

    def _url(self, one: Elsewhere) -> str:
        """Where a project is: beside the remote, unless another host is named."""
        host = one.host.partition(":")[0]
        origin = self._origin(needed=not host)
        beside = origin and (not host or host_of(origin) in {host, None})
        return project_url(origin, one.project) if beside else f"https://{one.host}/{one.project}.git"

    def _place(self, url: str) -> Place:
        return Place(url, self._session.repository.env)

    def _origin(self, *, needed: bool = True) -> str:
        """The address of the remote that says where other projects are."""
        name = self._session.settings.remote or "origin"
        url = self._session.repository.ask("remote", "get-url", name)
        if url is None and needed:
            hint = "projects are looked for where the remote is: `git remote add origin URL`"
            raise UsageError(f"there is no remote `{name}`", hint)
        return url or ""


def _version(ref: str, place: Place) -> str:
    """The tag that a component's version means: ``~latest``, ``1`` and ``1.2`` mean the highest release of those."""
    if _COMMIT.fullmatch(ref):
        return ref
    tags = place.tags()
    wanted = _VERSION.fullmatch(ref)
    if ref in tags or (ref != "~latest" and wanted is None):
        return ref
    numbers = tuple(int(part) for part in wanted.groups() if part is not None) if wanted else ()
    releases = {tuple(map(int, found.groups())): tag for tag in tags if (found := _RELEASE.fullmatch(tag))}
    fitting = [release for release in releases if release[: len(numbers)] == numbers]
    if fitting:
        return releases[max(fitting)]
    if wanted:
        return ref  # a branch may have such a name
    raise ElsewhereError(f"{without_credentials(place.url)} has no release", "releases are tags such as 1.2.3")


_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
