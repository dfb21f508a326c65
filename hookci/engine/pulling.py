"""What an engine says while it fetches an image, and when it cannot, in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.engine.calls import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Progress", "explained", "split_name"]

_MEGA = 1_000_000
_OFTEN = 10
"""A line is said after a second, and then each time another tenth of what it took so far has gone by."""
_LATEST = "latest"
_COMING = frozenset({"Pulling fs layer", "Waiting"})
_UNPACKED = frozenset({"Pull complete", "Already exists"})
_FETCHED = frozenset({"Download complete", "Verifying Checksum"}) | _UNPACKED
"""What engines say of a layer."""

# what the messages of registries and engines have in common, from the special to the general
_REASONS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("no space left",),
        "the engine's disk is full",
        "free some space there: `docker system df` says what takes it",
    ),
    (
        ("toomanyrequests", "rate limit"),
        "its registry takes no more requests from here for now",
        "wait, or `docker login` to it",
    ),
    (
        ("no matching manifest",),
        "there is none for this platform",
        "say which `platform` to take, or build it for this one",
    ),
    (
        ("manifest unknown", "manifest for", "name unknown", "repository name not known", "404 not found"),
        "its registry has none of that name and tag",
        "check name and tag",
    ),
    (
        ("denied", "unauthorized", "authentication required", "no basic auth"),
        "its registry does not hand it out, or has no such repository",
        "check the name, or `docker login` to the registry",
    ),
    (
        ("invalid reference format", "invalid repository name", "must be lowercase", "invalid tag"),
        "that is no name of an image",
        "names look like `python:3.12` or `registry.example.com:5000/team/app@sha256:...`",
    ),
    (
        ("credentials store",),
        "the login for its registry cannot be read",
        "`docker login` to it again, or mend `credHelpers` and `credsStore` in the config of the `docker` command",
    ),
    (
        ("dial tcp", "no such host", "timeout", "connection refused", "unreachable", "deadline", ": eof", "tls:"),
        "its registry cannot be reached",
        "get the engine a network, or put the image there: `docker load`, `docker import`, `docker build`",
    ),
)


def explained(name: str, said: str) -> EngineError:
    """The error for an image that could not be pulled; ``said`` is what the engine said."""
    text = said.strip().rstrip(".")
    for words, reason, hint in _REASONS:
        if any(word in text.lower() for word in words):
            return EngineError(f"image {name} cannot be pulled: {reason} ({text})", hint)
    return EngineError(f"image {name} cannot be pulled: {text}")


def split_name(name: str) -> tuple[str, str]:
    """An image's name without tag or digest, and that (``latest`` without any: the engine would fetch every tag)."""
    repository, at, digest = name.partition("@")
    if at:
        return repository, digest
    head, colon, tag = name.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (name, _LATEST)


class Progress(Struct):
    """How far a pull is: ``pulling python:3.12: 41 of 120 MB, 3 of 9 layers``.

    ``clock`` tells monotonic seconds; ``say`` gets a line when it is time for one, ``show`` the same at any time, the
    figures first, with how much of the bytes is there, from 0 to 1.
    """

    name: str
    say: Callable[[str], None]
    clock: Callable[[], float]
    show: Callable[[str, float], None]
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    _unknown: set[str] = field(default_factory=set)
    _all: set[str] = field(default_factory=set)
    _there: set[str] = field(default_factory=set)
    _share: float = 0.0
    _begun: float = 0.0
    _next: float = 0.0

    def begin(self) -> None:
        """Say that it begins."""
        self._begun = self.clock()
        self._next = self._begun + 1.0
        self.say(f"pulling {self.name}")

    def take(self, message: Mapping[str, object]) -> None:
        """Take one message of the engine's."""
        layer, status, detail = message.get("id"), message.get("status"), message.get("progressDetail")
        if not isinstance(layer, str):
            return
        if status in _COMING and layer not in self._sizes:
            self._all.add(layer)
            self._unknown.add(layer)
        elif status == "Downloading" and isinstance(detail, dict) and detail.get("total"):
            self._know(layer, int(detail.get("current", 0)), int(detail["total"]))
        elif status in _FETCHED:
            have, total = self._sizes.get(layer, (0, 0))
            self._know(layer, max(have, total), total)
            self._there.update({layer} if status in _UNPACKED else ())
        self._tell()

    def _know(self, layer: str, have: int, total: int) -> None:
        self._all.add(layer)
        self._unknown.discard(layer)
        self._sizes[layer] = (have, total)

    def _tell(self) -> None:
        have = sum(current for current, _ in self._sizes.values())
        total = sum(total for _, total in self._sizes.values())
        if total <= 0:
            return
        # the size of a layer is told when it begins; until then it counts as the others do
        known = sum(size > 0 for _, size in self._sizes.values())
        self._share = max(self._share, min(1.0, have / total * known / (known + len(self._unknown))))
        done = ", unpacking" if have >= total and not self._unknown else ""
        layers = f", {len(self._there)} of {len(self._all)} layers" if len(self._all) > 1 else ""
        much = f"{have // _MEGA} of {-(-total // _MEGA)} MB{layers}{done}"
        self.show(f"{much}: pulling {self.name}", self._share)
        now = self.clock()
        if now >= self._next:
            self._next = now + max(1.0, (now - self._begun) / _OFTEN)
            self.say(f"pulling {self.name}: {much}")
