"""``needs`` and ``dependencies``: what a job waits for, and what it gets."""

from __future__ import annotations

import pytest
from gitlab_samples import problems, read

from hookci.model.pipeline import Need

MATRIX = "parallel: {matrix: [{OS: [linux, mac], ARCH: [arm, x86]}]}"


def needs(text: str, name: str = "j") -> tuple[Need, ...] | None:
    return read(text).jobs[name].needs


def test_without_needs_the_stages_decide() -> None:
    assert needs("j: {script: x}") is None
    assert needs("j: {script: x, needs: null}") is None


def test_no_needs_are_a_start_at_once() -> None:
    assert needs("j: {script: x, needs: []}") == ()


def test_a_need_is_a_name_or_a_hash() -> None:
    text = "a: {script: x}\nj: {script: x, needs: [a, {job: b, artifacts: false}, {job: c, optional: true}]}\n"

    assert needs(text + "b: {script: x}\nc: {script: x}") == (
        Need("a"),
        Need("b", artifacts=False),
        Need("c", optional=True),
    )


def test_needs_of_a_reference_are_in_place_of_their_list() -> None:
    text = ".n: {needs: [a, b]}\na: {script: x}\nb: {script: x}\nc: {script: x}"

    assert needs(f"{text}\nj: {{script: x, needs: [!reference [.n, needs], c]}}") == (Need("a"), Need("b"), Need("c"))


def test_a_need_of_a_parallel_job_is_one_of_all_its_jobs() -> None:
    assert needs("a: {script: x, parallel: 2}\nj: {script: x, needs: [a]}") == (Need("a"),)
    assert needs("a: {script: x, parallel: 2}\nj: {script: x, needs: ['a 1/2']}") == (Need("a 1/2"),)
    assert needs(f"a: {{script: x, {MATRIX}}}\nj: {{script: x, needs: ['a: [mac, arm]']}}") == (Need("a: [mac, arm]"),)


def test_needs_of_some_cells_of_a_matrix() -> None:
    text = f"""
        a: {{script: x, {MATRIX}}}
        j:
          script: x
          needs:
            - job: a
              artifacts: false
              parallel: {{matrix: [{{OS: linux, ARCH: [arm, x86]}}, {{OS: mac, ARCH: arm}}]}}
        """

    assert needs(text) == tuple(
        Need(f"a: [{cell}]", artifacts=False) for cell in ("linux, arm", "linux, x86", "mac, arm")
    )


def test_needs_of_the_cell_that_is_like_ones_own() -> None:
    text = f"""
        a: {{script: x, {MATRIX}}}
        j:
          script: x
          {MATRIX}
          needs: [{{job: a, parallel: {{matrix: [{{OS: ['$[[ matrix.OS ]]'], ARCH: ['$[[matrix.ARCH]]']}}]}}}}]
        """

    assert needs(text, "j: [mac, x86]") == (Need("a: [mac, x86]"),)
    assert needs(text, "j: [linux, arm]") == (Need("a: [linux, arm]"),)


def test_variables_in_the_wrong_order_name_no_cell() -> None:
    other = "{job: a, parallel: {matrix: [{ARCH: arm, OS: mac}]}}"
    text = f"a: {{script: x, {MATRIX}}}\nj: {{script: x, needs: [{other}]}}"

    assert problems(text) == ["2: jobs.j.needs: j job: undefined need: a: [arm, mac]"]


def test_a_need_in_a_rule_knows_the_cell_too() -> None:
    cell = "{job: a, parallel: {matrix: [{OS: ['$[[ matrix.OS ]]'], ARCH: arm}]}}"
    pipeline = read(f"a: {{script: x, {MATRIX}}}\nj: {{script: x, {MATRIX}, rules: [{{needs: [{cell}]}}]}}")
    found = pipeline.jobs["j: [mac, x86]"].rules

    assert found is not None
    assert found[0].needs == (Need("a: [mac, arm]"),)


def test_a_need_in_the_same_stage_is_fine_and_one_in_a_later_is_not() -> None:
    text = """
        a: {stage: build, script: x, needs: [b]}
        b: {stage: build, script: x}
        c: {stage: build, script: x, needs: [d]}
        d: {stage: test, script: x}
        """

    assert problems(text) == ["4: jobs.c.needs: c job: need d is not defined in current or prior stages"]


def test_needs_of_no_job_are_told_unless_they_are_optional() -> None:
    text = "bulid: {script: x}\nj: {script: x, needs: [build, {job: nobody, optional: true}]}"

    assert problems(text) == ["2: jobs.j.needs: j job: undefined need: build (did you mean `bulid`?)"]


def test_needs_of_a_rule_are_checked_too() -> None:
    assert problems("j: {script: x, rules: [{if: $A}, {needs: [b]}]}") == [
        "1: jobs.j.rules[1].needs: j job: undefined need: b"
    ]


def test_a_need_of_a_job_that_is_wrong_itself_is_not_told() -> None:
    assert problems("a: {stage: test}\nj: {script: x, needs: [a]}") == [
        "1: jobs.a: config should implement the script:, run:, or trigger: keyword"
    ]


def test_circles_are_told() -> None:
    text = (
        "a: {script: x, needs: [b]}\nb: {script: x, needs: [c]}\nc: {script: x, needs: [a]}\nd: {script: x, needs: [d]}"
    )

    assert problems("d: {script: x, needs: [d]}") == ["1: jobs.d.needs: the pipeline has circular dependencies: d -> d"]
    assert "the pipeline has circular dependencies: " in problems(text)[0]


def test_more_than_fifty_needs_are_too_many() -> None:
    jobs = "".join(f"j{number}: {{script: x}}\n" for number in range(51))
    names = ", ".join(f"j{number}" for number in range(51))

    assert problems(f"{jobs}k: {{script: x, needs: [{names}]}}") == [
        "52: jobs.k.needs: k: one job can only need 50 others, but you have listed 51"
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a", 'jobs.j.needs: config can only be a hash or an array, saw "a"'),
        ("[3]", "jobs.j.needs[0]: need has an unsupported type, saw 3"),
        ("[{artifacts: true}]", "jobs.j.needs[0]: need has an unsupported type (name a `job`)"),
        (
            "[{job: a, artefacts: true}]",
            "jobs.j.needs[0].artefacts: config contains unknown keys: artefacts (did you mean `artifacts`?)",
        ),
        ("[{job: a, optional: maybe}]", 'jobs.j.needs[0].optional: should be a boolean value, saw "maybe"'),
        ("[a, {job: a}]", "jobs.j.needs: has the following needs duplicated: a"),
    ],
)
def test_needs_that_are_none_are_told(written: str, message: str) -> None:
    assert problems(f"a: {{script: x}}\nj: {{script: x, needs: {written}}}") == [f"2: {message}"]


def test_dependencies_choose_whose_artifacts_come_along() -> None:
    text = """
        a: {stage: build, script: x}
        j: {script: x, dependencies: [a]}
        k: {script: x, dependencies: []}
        l: {script: x}
        """
    jobs = read(text).jobs

    assert [jobs[name].dependencies for name in "jkl"] == [("a",), (), None]


def test_dependencies_are_checked_like_needs() -> None:
    text = """
        a: {script: x}
        b: {stage: deploy, script: x}
        j: {script: x, dependencies: [b, c]}
        k: {script: x, needs: [a], dependencies: [j]}
        """

    assert problems(text) == [
        "4: jobs.j.dependencies: j job: dependency b is not defined in current or prior stages",
        "4: jobs.j.dependencies: j job: undefined dependency: c",
        "5: jobs.k.dependencies: dependencies the j should be part of needs",
    ]
