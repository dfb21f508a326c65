"""What a job's own test reports say."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["FailedTest", "ReportedTests"]


class FailedTest(Struct, frozen=True):
    """One test that failed: ``name`` as its tool would call it where that is known, ``message`` in one line."""

    name: str
    message: str


class ReportedTests(Struct, frozen=True, kw_only=True):
    """The tests of one job, counted over all of its reports.

    ``failed`` counts failures and errors.  ``failing`` names the first of them, in the order of the reports;
    there may be more than are named.
    """

    total: int
    failed: int
    skipped: int
    failing: tuple[FailedTest, ...] = ()
