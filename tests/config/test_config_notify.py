"""Who is told about what."""

from __future__ import annotations

import pytest
from config_samples import problems, read

from hookci.model.notification import Notify, Occasion

JOB = 'jobs.a.script = "x"\n'


def test_nobody_is_told_unless_the_config_says_so() -> None:
    assert read(JOB).notify is None


def test_people_are_told_of_what_they_asked_for_once() -> None:
    pipeline = read(JOB + "notify = { urls = ['$A', 'mailto://b'], on = ['red', 'rolled-back', 'red'] }")

    assert pipeline.notify == Notify(("$A", "mailto://b"), (Occasion.RED, Occasion.ROLLED_BACK))


def test_without_a_word_on_occasions_people_are_told_of_all_but_green() -> None:
    pipeline = read(JOB + "notify.urls = '$A'")

    assert pipeline.notify is not None
    assert set(pipeline.notify.on) == set(Occasion) - {Occasion.GREEN}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("urls = []", "notify.urls: is empty"),
        ("urls = '$A', on = []", "notify.on: is empty"),
        (
            "urls = ['$A', 'example.com/token']",
            'notify.urls[1]: expected a $VARIABLE, or an address such as "mailto://..."',
        ),
        ("urls = ''", 'notify.urls: expected a $VARIABLE, or an address such as "mailto://..."'),
    ],
)
def test_what_reaches_nobody_is_told_without_the_address(text: str, problem: str) -> None:
    assert problems(f"{JOB}notify = {{ {text} }}") == [problem]
