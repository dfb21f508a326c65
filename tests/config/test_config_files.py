"""Where a config is found, and what makes a whole file unreadable."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from config_samples import problems_in, told
from hypothesis import given
from hypothesis import strategies as st

from hookci import __version__
from hookci.config.load import CONFIG_FILES, parse
from hookci.errors import ConfigError

OWN = b'[jobs.unit]\nscript = "make"\n'
SHARED = b'[project]\nname = "x"\n[tool.hookci.jobs.unit]\nscript = "make"\n'
OTHER = b'[project]\nname = "x"\n[tool.ruff]\n'


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"pyproject.toml": OTHER},
        {"pyproject.toml": b""},
        {"pyproject.toml": b"tool = 3"},
    ],
)
def test_without_a_config_there_is_no_pipeline(files: dict[str, bytes]) -> None:
    assert parse(files) is None


def test_a_pipeline_is_found_in_either_file() -> None:
    own = parse({"hookci.toml": OWN, "pyproject.toml": OTHER})
    shared = parse({"pyproject.toml": SHARED})

    assert own is not None
    assert shared is not None
    assert own.source == "hookci.toml"
    assert shared.source == "pyproject.toml [tool.hookci]"
    assert own.jobs == shared.jobs
    assert CONFIG_FILES == ("hookci.toml", "pyproject.toml")


def test_two_pipelines_are_one_too_many() -> None:
    error = problems_in({"hookci.toml": OWN, "pyproject.toml": SHARED})

    assert error.source == "hookci.toml"
    assert told(error) == [
        ": hookci.toml and pyproject.toml [tool.hookci] both define a pipeline (keep one of them)",
    ]


def test_a_broken_pyproject_beside_hookci_toml_is_not_ours_to_judge() -> None:
    pipeline = parse({"hookci.toml": OWN, "pyproject.toml": b"[project"})

    assert pipeline is not None
    assert list(pipeline.jobs) == ["unit"]


@pytest.mark.parametrize(
    ("files", "source", "problem"),
    [
        ({"hookci.toml": b"stages = [\n  1,\nx"}, "hookci.toml", ": line 3, column 1: invalid value"),
        (
            {"hookci.toml": b"[jobs.a]\n[jobs.a]\n"},
            "hookci.toml",
            ": line 2, column 8: cannot declare ('jobs', 'a') twice",
        ),
        ({"hookci.toml": b"# a\n# \xff\n"}, "hookci.toml", ": line 2: not UTF-8: byte 0xff"),
        (
            {"pyproject.toml": b"[tool.hookci\n"},
            "pyproject.toml",
            ": line 1, column 13: expected ']' at the end of a table declaration",
        ),
        (
            {"hookci.toml": b"a = " + b"[" * 5000},
            "hookci.toml",
            ": cannot be read: TOML inline arrays/tables are nested more than the allowed 400 levels",
        ),
        ({"pyproject.toml": b"[tool]\nhookci = 3\n"}, "pyproject.toml [tool.hookci]", ": expected a table, saw 3"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(files: dict[str, bytes], source: str, problem: str) -> None:
    error = problems_in(files)

    assert error.source == source
    assert told(error) == [problem]
    assert str(error) == f"{source}: 1 problem"


def test_a_number_of_too_many_digits_is_refused() -> None:
    error = problems_in({"hookci.toml": b"a = " + b"9" * 5000})

    assert told(error)[0].startswith(": cannot be read: Exceeds the limit (4300 digits)")


def test_an_older_hookci_says_that_it_is_too_old_before_all_else() -> None:
    error = problems_in({"hookci.toml": b'requires = ">= 99.3"\nkey_of_the_future = 1\n' + OWN})

    assert told(error) == [
        f"requires: this is hookci {__version__}, the pipeline requires >= 99.3 (pip install --upgrade 'hookci>=99.3')",
    ]


def test_what_a_person_is_to_type_is_one_word_of_the_shell() -> None:
    error = problems_in({"hookci.toml": b"requires = \"===1'`id`'\"\n" + OWN})

    assert error.problems[0].hint == """pip install --upgrade 'hookci===1'"'"'`id`'"'"''"""


@pytest.mark.parametrize("requires", [f">={__version__}", f"=={__version__}", "", ">=0.0.1,<99"])
def test_a_version_that_is_met_is_no_problem(requires: str) -> None:
    pipeline = parse({"hookci.toml": f'requires = "{requires}"\n'.encode() + OWN})

    assert pipeline is not None


def test_what_is_no_version_is_told_along_with_the_rest() -> None:
    error = problems_in({"hookci.toml": b'requires = "new"\nstages = 3\n' + OWN})

    assert told(error) == [
        'requires: expected versions such as ">=0.3", saw "new"',
        "stages: expected a list, saw 3",
    ]


def test_a_repository_without_config_does_not_pay_for_pydantic() -> None:
    code = (
        "import sys, hookci.config.load as load; load.parse({'pyproject.toml': b''});"
        "print(sorted({'pydantic', 'packaging', 'wcmatch', 'difflib'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


WORDS = st.sampled_from(
    [
        "[jobs.a]\n",
        "script",
        "needs",
        " = ",
        '"x"',
        "[",
        "]",
        "{",
        "}",
        "3",
        "true",
        ", ",
        "\n",
        "rules",
        "matrix",
        "cache",
    ]
)


@given(st.lists(WORDS, max_size=20).map("".join) | st.text(max_size=30))
def test_any_text_is_a_pipeline_or_a_config_error(text: str) -> None:
    content = text.encode(errors="surrogatepass")
    try:
        pipeline = parse({"hookci.toml": content})
    except ConfigError as error:
        assert all(re.fullmatch(r"[^\n]+", problem.message) for problem in error.problems)  # noqa: PT017 (or a pipeline)
    else:
        assert pipeline is not None
