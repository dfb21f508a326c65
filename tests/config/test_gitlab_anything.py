"""Whatever stands in a ``.gitlab-ci.yml``, it is a pipeline or a list of problems, and never anything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitlab_samples import FILE
from hypothesis import given, settings
from hypothesis import strategies as st

from hookci.config.gitlab.defaults import INHERITED
from hookci.config.gitlab.keywords import EXECUTED, REFUSED, WITHOUT_EFFECT
from hookci.config.load import parse
from hookci.errors import ConfigError

if TYPE_CHECKING:
    from hookci.model.pipeline import Pipeline

WORDS = sorted({part for word in (*EXECUTED, *WITHOUT_EFFECT, *REFUSED) for part in word.split(".")})
JOB_WORDS = sorted({word for word in (*EXECUTED, *WITHOUT_EFFECT, *REFUSED) if "." not in word})
TEXTS = st.sampled_from(
    [
        "a",
        "",
        "j",
        "$A",
        "/x/",
        "/(/",
        "manual",
        "1h",
        "main",
        "a: [x]",
        "$[[ matrix.A ]]",
        "pull",
        ".pre",
        "true",
        "\t",
    ]
)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 300), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)
JOBS = st.dictionaries(st.sampled_from(JOB_WORDS), VALUES, max_size=4).map(lambda keys: {"script": "x", **keys})
GLOBALS = st.dictionaries(st.sampled_from(["workflow", "variables", "stages", "image", "cache"]), VALUES, max_size=2)
DEFAULTS = st.dictionaries(st.sampled_from(INHERITED), VALUES, max_size=2)


def outcome(document: dict[str, Any]) -> Pipeline | ConfigError | None:
    try:
        return parse({FILE: json.dumps(document).encode()})
    except ConfigError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(JOBS, JOBS, GLOBALS, DEFAULTS)
def test_any_value_of_any_keyword_is_read_or_told(
    first: dict[str, Any], second: dict[str, Any], above: dict[str, Any], default: dict[str, Any]
) -> None:
    found = outcome({**above, "default": default, "j": first, "k": second})

    if isinstance(found, ConfigError):
        assert all(problem.path.startswith(FILE) and problem.message for problem in found.problems)
    else:
        assert found is not None
        assert {job.group for job in found.jobs.values()} <= {"j", "k"}
