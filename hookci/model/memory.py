"""What is remembered: passes of jobs and green verdicts, each under everything it depended on."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 (msgspec reads the annotations)

from msgspec import Struct

__all__ = ["Circumstances", "JobKey", "KeptPass", "NewPass", "Pass", "RememberedVerdict"]


class JobKey(Struct, frozen=True):
    """All that a job's result depends on, as canonical ``text`` and its SHA-256 ``digest``.

    ``observations`` are the parts that concern this machine (kind, subject, value); they are in ``text`` too.
    ``circumstances`` are no part of it: a `Circumstances` as JSON, of a key under which something is written down.
    """

    digest: str
    text: str
    observations: tuple[tuple[str, str, str], ...]
    circumstances: str | None = None


class Pass(Struct, frozen=True):
    """A job passed in ``run``; ``finished`` is in unix seconds, ``seconds`` how long it took.

    ``expires`` is when it ceases to count, in unix seconds; None for never.
    """

    run: int
    finished: float
    seconds: float
    expires: float | None = None


class NewPass(Struct, frozen=True):
    """``job`` has just passed under ``key`` in ``run``; the rest is as for a `Pass`."""

    key: JobKey
    job: str
    run: int
    seconds: float
    expires: float | None = None


class Circumstances(Struct, frozen=True, kw_only=True):
    """What was there when a job passed, so that a later look can say what has changed; nothing is decided by it.

    ``tree`` and ``commit`` are object names, ``label`` is how a person calls what was judged.  ``variables`` has a
    digest for each variable of the environment that the job got, ``programs`` for each word that named one the path,
    where that leads, and when it was written (unix nanoseconds).
    """

    tree: str
    commit: str
    label: str
    host: str
    user: str | None
    variables: Mapping[str, str] = {}
    programs: Mapping[str, tuple[str, str, int]] = {}


class KeptPass(Struct, frozen=True):
    """A pass with the text of its key; what is not known of its circumstances is None."""

    passed: Pass
    text: str
    circumstances: Circumstances | None


class RememberedVerdict(Struct, frozen=True, kw_only=True):
    """Run ``run`` was green for a hook and a tree, given ``facts`` about the snapshot and ``observations``.

    It holds from ``since`` on and until ``expires`` (None for ever), both in unix seconds.
    """

    run: int
    facts: tuple[tuple[str, str | None], ...]
    observations: tuple[tuple[str, str, str], ...]
    since: float
    expires: float | None
