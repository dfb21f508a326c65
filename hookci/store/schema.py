"""The tables of ``state.db``, as the steps that lead to them.

A released step is never changed, a new one is appended: its position is the schema version.  The
words of a run and the result of a job are ASCII JSON, because names of refs and lines of output may
hold what is no valid UTF-8.  A field more in them is a new version as well.
"""

from __future__ import annotations

__all__ = ["MIGRATIONS"]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # AUTOINCREMENT: the number of a run that was pruned is not given again
        """CREATE TABLE runs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            started REAL NOT NULL,
            seconds REAL,
            verdict TEXT,
            pid INTEGER NOT NULL,
            start TEXT NOT NULL,
            words TEXT NOT NULL
        )""",
        """CREATE TABLE jobs (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
            name TEXT NOT NULL,
            result TEXT NOT NULL,
            UNIQUE (run, name)
        )""",
    ),
    (
        # from here on the result of a job may say what its test reports say
        # text is the whole key: a digest alone could be another key's
        """CREATE TABLE passes (
            digest TEXT PRIMARY KEY,
            text TEXT NOT NULL,
            job TEXT NOT NULL,
            run INTEGER NOT NULL,
            finished REAL NOT NULL,
            seconds REAL NOT NULL
        )""",
        """CREATE TABLE verdicts (
            id INTEGER PRIMARY KEY,
            hook TEXT NOT NULL,
            tree TEXT NOT NULL,
            installation TEXT NOT NULL,
            run INTEGER NOT NULL,
            text TEXT NOT NULL
        )""",
        "CREATE INDEX verdicts_by_tree ON verdicts (tree, hook, installation)",
    ),
    (
        # from here on the result of a job may say what a scan found
        "ALTER TABLE passes ADD COLUMN expires REAL",
    ),
    (
        # what a run judged, as JSON, so that another one can go on with it; the one that it goes on with itself
        # from here on the result of a job may have a coverage
        "ALTER TABLE runs ADD COLUMN snapshot TEXT",
        "ALTER TABLE runs ADD COLUMN belongs_to INTEGER",
    ),
    (
        # for how many seconds each job held its place in the last runs in which it came to its end, as JSON
        "CREATE TABLE durations (job TEXT PRIMARY KEY, seconds TEXT NOT NULL)",
    ),
    (
        # what was there when the job passed, as JSON, to say what has changed since
        "ALTER TABLE passes ADD COLUMN circumstances TEXT",
    ),
)
