"""What is read of the files and the output that a job leaves."""

from __future__ import annotations

import pytest

from hookci.execute.coverage import coverage_in
from hookci.execute.handing import inside, parse_dotenv, with_variables
from hookci.execute.variables import hidden_values, job_variables
from hookci.model.container import Image
from hookci.model.pipeline import Artifacts, Job, JobEnvironment, When
from hookci.model.plan import Action, Plan, PlannedJob
from hookci.model.snapshot import Snapshot

SNAPSHOT = Snapshot(tree="t", commit="c", source="commit", label="main", facts={})


def planned(given: dict[str, str] | None = None, *, gitlab: bool = True, **more: object) -> PlannedJob:
    job = Job(name="a", group="a", stage="test", gitlab=gitlab, **more)  # type: ignore[arg-type]  # whatever a job has
    return PlannedJob(job=job, action=Action.RUN, reason="asked for", when=When.ON_SUCCESS, given=given or {})


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
        ("A=1", {"A": "1"}),
        ("", {}),
        (" A = b \n", {"A": "b"}),
        ("TOKEN=abc==\r\n", {"TOKEN": "abc=="}),
        ('A="quoted"\n', {"A": '"quoted"'}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("1_A=\n", {"1_A": ""}),
        ("A=ü", {"A": "ü"}),
    ],
)
def test_a_dotenv_report_is_lines_of_names_and_values(text: str, variables: dict[str, str]) -> None:
    assert parse_dotenv(text) == variables


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A=1\n\nB=2\n", "line 2: Invalid Format"),
        ("# comment\n", "line 1: Invalid Format"),
        ("export A=1\n", "line 1: Key can contain only letters, digits and '_'"),
        ("A-B=1\n", "line 1: Key can contain only"),
        ("A=1\nB\n", "line 2: Invalid Format"),
        ("=1\n", "line 1: Key can contain only"),
    ],
)
def test_a_dotenv_report_has_nothing_else(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_dotenv(text)


@pytest.mark.parametrize(
    ("pattern", "lines", "found"),
    [
        (r"TOTAL.*\s+(\d+%)", ["TOTAL 1 2 80%", "other"], 80.0),
        (r"TOTAL ([[:digit:]]+)%", ["TOTAL 70%"], 70.0),
        (r"x (?i)total (\d+)%\z", ["x TOTAL 7%"], 7.0),
        (r"\d+\.\d+% covered", ["12.5% covered", "87.25% covered of 100%"], 87.25),
        (r"(\d+) of (\d+)", ["1 of 2 and 3 of 4"], 4.0),
        (r"coverage: (\w+)", ["coverage: 50", "coverage: none"], 50.0),
        (r"coverage: (\d+)", ["\x1b[1mcover\x1b[0mage: 33"], 33.0),
        (r"(a)|(\d+)%", ["5% a"], None),
        (r"nothing", ["TOTAL 80%"], None),
        (r"(", ["("], None),
    ],
)
def test_the_coverage_is_the_number_in_the_last_line_that_matches(
    pattern: str, lines: list[str], found: float | None
) -> None:
    assert coverage_in(pattern, lines) == found


def test_variables_refer_to_each_other_in_any_order_and_unknown_ones_are_empty() -> None:
    job = planned(
        variables={
            "URL": "$HOST/$PATH_$NAME",
            "HOST": "https://$DOMAIN",
            "DOMAIN": "x.org",
            "RAW": "$HOST",
            "R": "<$RAW>",
        },
        raw=frozenset({"RAW"}),
    )

    found = job_variables(job, {"NAME": "n"}, {})

    assert found == {
        "URL": "https://x.org/n", "HOST": "https://x.org", "DOMAIN": "x.org", "RAW": "$HOST", "R": "<$HOST>"
    }  # fmt: skip


def test_what_is_handed_on_wins_over_the_job_and_what_a_person_gives_over_all() -> None:
    job = planned({"A": "given"}, variables={"A": "job", "B": "job", "C": "$A $B"}, raw=frozenset({"B"}))

    found = job_variables(job, {"D": "known"}, {"A": "handed", "B": "handed $D"})

    assert found == {"A": "given", "B": "handed known", "C": "given handed known"}


def test_a_job_of_hookci_toml_leaves_what_is_unknown() -> None:
    job = planned(gitlab=False, variables={"A": "$NOBODY $$"})

    assert job_variables(job, {}, {}) == {"A": "$NOBODY $"}


def test_image_and_environment_are_told_with_variables_in_place_and_may_be_named_themselves() -> None:
    where = JobEnvironment(name="review/$REF", url="https://$CI_ENVIRONMENT_SLUG.$DOMAIN")
    job = planned(
        variables={"DOMAIN": "x.org", "AT": "$CI_ENVIRONMENT_URL in $CI_JOB_IMAGE"},
        environment=where,
        image=Image(name="python:$VERSION"),
    )

    found = job_variables(job, {"REF": "a", "VERSION": "3"}, {})

    assert found["CI_JOB_IMAGE"] == "python:3"
    assert found["CI_ENVIRONMENT_NAME"] == "review/a"
    assert found["CI_ENVIRONMENT_URL"] == f"https://{found['CI_ENVIRONMENT_SLUG']}.x.org"
    assert found["AT"] == f"{found['CI_ENVIRONMENT_URL']} in python:3"


def test_files_are_named_by_variables_and_by_the_whole_path_and_never_elsewhere() -> None:
    environment = {"CI_PROJECT_DIR": "/builds/p", "DIR": "out", "UP": "../x"}
    paths = ("$CI_PROJECT_DIR/a", "$DIR/*.txt", "$UP", "/etc/passwd", "$NOBODY", "b$NOBODY")

    kept = with_variables(planned(artifacts=Artifacts(paths=paths, dotenv=("$DIR/e",)), junit=paths).job, environment)

    assert kept.artifacts.paths == kept.junit == ("a", "out/*.txt", "b")
    assert kept.artifacts.dotenv == ("out/e",)
    assert inside("/builds/pq/a", environment) is None
    assert [inside(path, environment) for path in ("/builds/p", "/builds/p/", "d/../x", "./d//e/")] == [
        *(".", "./", "x", "d/e/"),
    ]


def test_a_value_given_under_a_secrets_name_is_hidden_from_every_job() -> None:
    given = {
        "DEPLOY_TOKEN": "t0k",
        "API_KEY": "k3y",
        "DB_PASSWORD": "pw",
        "LEVEL": "high",
        "TOKENIZER": "bpe",
        "PASS": "",
    }
    one, other = planned(given), planned()
    plan = Plan(snapshot=SNAPSHOT, hook="pre-push", stages=("test",), jobs={"a": one, "b": other})

    assert hidden_values(plan, {}) == {"t0k", "k3y", "pw"}
