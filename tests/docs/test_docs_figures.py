from __future__ import annotations

import json

from markdown_pages import DOCS, ROOT

from benchmarks.figures import from_json
from benchmarks.picture import picture
from benchmarks.report import documented, page

RESULTS = ROOT / "benchmarks" / "results"


def test_the_figures_of_the_documentation_are_those_that_were_measured() -> None:
    results = from_json(json.loads((RESULTS / "latest.json").read_text(encoding="utf-8")))

    speed = (DOCS / "explanation" / "speed.md").read_text(encoding="utf-8")

    assert documented(speed, results) == speed
    assert page(results, "latest.svg") == (RESULTS / "latest.md").read_text(encoding="utf-8")
    assert picture(results) == (RESULTS / "latest.svg").read_text(encoding="utf-8")
