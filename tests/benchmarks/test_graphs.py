from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.graphs import Node, critical_path, graph, lower_bound

DIAMOND = [
    Node("top", 1.0, works=False),
    Node("left", 2.0, works=False, needs=("top",)),
    Node("right", 0.5, works=True, needs=("top",)),
    Node("bottom", 1.0, works=False, needs=("left", "right")),
]


def test_the_longest_chain_counts() -> None:
    assert critical_path(DIAMOND) == 4.0


def test_with_few_places_all_work_counts() -> None:
    assert [lower_bound(DIAMOND, places) for places in (1, 2)] == [4.5, 4.0]


@given(st.integers(1, 60), st.integers(0, 20))
def test_jobs_come_after_what_they_need(count: int, seed: int) -> None:
    nodes = graph(count, seconds=0.5, seed=seed)

    names = [node.name for node in nodes]
    assert len(set(names)) == count
    assert all(set(node.needs) <= set(names[:number]) for number, node in enumerate(nodes))


def test_the_same_graph_comes_for_the_same_arguments() -> None:
    assert graph(20, seconds=0.5) == graph(20, seconds=0.5)
