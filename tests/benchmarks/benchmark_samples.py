"""Results that nobody has measured."""

from __future__ import annotations

from benchmarks.figures import Bound, Figure, Found, Group, Part, Results, Table

FACTS = {"date": "2026-01-02 03:04", "hookci": "abc1234", "load before": "0.10", "load after": "9.20"}


def figure(what: str, ours: list[float], theirs: list[float], at_most: float = 0.5) -> Figure:
    parts = [Part("imports", 20.0), Part("git processes (4)", 8.5)]
    found = Found(ours=ours, theirs=theirs, parts=parts)
    return Figure(bound=Bound(what=what, against="prek", at_most=at_most), found=found)


REACHED = figure("a commit", [10.0, 10.0, 10.0], [100.0, 100.0, 100.0])
MISSED = figure("a push", [80.0, 80.0, 80.0], [100.0, 100.0, 100.0])
NOISE = figure("a wink", [1.0, 1.0, 1.0], [-3.0, 0.5, -1.0])
FAILED = Figure(bound=Bound(what="a box", against="docker", at_most=1.15), failure="no engine | no box")


def results(*figures: Figure, quick: bool = False) -> Results:
    table = Table("What each adds", ["", "ms"], [["prek", "14.0"]])
    group = Group(name="hooks", facts=FACTS, figures=figures or (REACHED, MISSED, NOISE, FAILED), tables=[table])
    return Results(facts={"cores": "2", "git": "2.39.5"}, quick=quick, groups=[group])
