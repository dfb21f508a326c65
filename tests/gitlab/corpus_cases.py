"""The corpus: small pipelines, each with what GitLab's reference says must come of it.

A file of `corpus` holds one case in each YAML document:

* ``name``: a sentence; ``ci``: the text of ``.gitlab-ci.yml``; ``files``: further ones, by path
* ``at``: ``{branch: NAME}`` (default: main) or ``{tag: NAME}``; ``changed``: files that the remote has not;
  ``message``: of the commit; ``env``: what is in the person's shell; ``arguments``: of ``hookci run``
* ``jobs``: every job of the pipeline and its outcome; those that are not named must not be there.  (``statuses``: the
  same, for jobs in child pipelines too.)  Without it every job must pass.
* ``order``: each of these jobs is over before the next one starts; ``before``: pairs, the first ends before the other
* ``output``, ``not_output``: lines that stand in a job's output, or do not; ``attempts``, ``coverage``: numbers
* ``status``: of the program, 0 by default; ``error``: the pipeline is refused with status 2, this text in its message
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["CASES", "Case", "Course"]

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    """One pipeline and what must come of it."""

    place: str
    name: str
    ci: str
    files: dict[str, str] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    changed: list[str] | None = None
    message: str = "a change"
    env: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    jobs: dict[str, str] | None = None
    statuses: dict[str, str] | None = None
    order: list[str] = field(default_factory=list)
    before: list[list[str]] = field(default_factory=list)
    output: dict[str, list[Any]] = field(default_factory=dict)
    not_output: dict[str, list[str]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    coverage: dict[str, float] = field(default_factory=dict)
    status: int = 0
    error: str | None = None

    def expected(self, outcomes: dict[str, str]) -> dict[str, str]:
        """Every job with the outcome it should have; ``outcomes`` are what came."""
        said = self.statuses if self.jobs is None else self.jobs
        named = [*self.order, *self.output, *self.not_output]
        return dict.fromkeys([*outcomes, *named], "passed") if said is None else said


class Course:
    """What happened in a run, from its events."""

    def __init__(self, lines: str) -> None:
        self.events = [json.loads(line) for line in lines.splitlines() if line]
        self.outcomes: dict[str, str] = {}
        self.results: dict[str, Any] = {}
        self.output: dict[str, list[str]] = {}
        self.started: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        for number, event in enumerate(self.events):
            getattr(self, f"_{event['event'].replace('-', '_')}", lambda *_: None)(number, event)

    def _job_started(self, number: int, event: Any) -> None:  # noqa: ANN401 (JSON)
        self.started.setdefault(event["job"], number)

    def _job_output(self, _number: int, event: Any) -> None:  # noqa: ANN401 (JSON)
        # without the commands themselves
        lines = [line for line in event["lines"] if not line.startswith("$ ")]
        self.output.setdefault(event["job"], []).extend(lines)

    def _job_finished(self, number: int, event: Any) -> None:  # noqa: ANN401 (JSON)
        result = event["result"]
        self.ended[result["name"]] = number
        self.results[result["name"]] = result
        self.outcomes[result["name"]] = result["outcome"]

    @property
    def problems(self) -> str:
        """What an error says, all of it."""
        errors = [event["error"] for event in self.events if event["event"] == "error"]
        return json.dumps(errors, ensure_ascii=False)


def _cases() -> list[Case]:
    found = []
    for path in sorted(CORPUS.glob("*.yaml")):
        documents = yaml.safe_load_all(path.read_text(encoding="utf-8"))
        found += [Case(place=path.stem, **document) for document in documents]
    return found


CASES = _cases()
