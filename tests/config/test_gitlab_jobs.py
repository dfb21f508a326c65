"""Job keywords of a ``.gitlab-ci.yml``, one by one; the names of the sections are those of GitLab's reference."""

from __future__ import annotations

import pytest
from gitlab_samples import BRANCH, in_pipeline, job, problems, read, wrong

from hookci.model.pipeline import AllowFailure, JobEnvironment, Retry, RetryOn, When

# script, before_script, after_script, hooks


def test_a_script_is_a_text_or_a_list() -> None:
    assert job("script: make").script == ("make",)
    assert job("script: [make, make test]").script == ("make", "make test")


def test_lists_in_a_script_are_in_place_of_their_items() -> None:
    assert job("script: [a, [b, [c, d]], e]").script == ("a", "b", "c", "d", "e")


def test_a_script_of_eleven_levels_is_too_deep() -> None:
    assert job(f"script: {'[' * 11}a{']' * 11}").script == ("a",)
    assert problems(f"j: {{script: {'[' * 12}a{']' * 12}}}")


def test_a_command_that_yaml_reads_as_a_hash_is_told_with_what_to_do() -> None:
    assert problems("j:\n  script:\n    - ok\n    - echo a: b\n") == [
        (
            "2: jobs.j.script: config should be a string or a nested array of strings up to 10 levels deep, saw a hash "
            "(quote a command that holds a colon and a space)"
        )
    ]


@pytest.mark.parametrize("script", ["''", "[]", "['', ' ']", "null"])
def test_a_script_without_a_command_is_blank(script: str) -> None:
    assert problems(f"j: {{script: {script}}}") == ["1: jobs.j.script: can't be blank"]


def test_what_runs_around_the_script() -> None:
    found = job("before_script: a\nafter_script: [b, [c]]\nhooks: {pre_get_sources_script: [d]}")

    assert (found.before_script, found.after_script, found.before_checkout) == (("a",), ("b", "c"), ("d",))


def test_every_job_is_known_as_one_of_gitlab() -> None:
    pipeline = read("a: {script: x}\nb: {script: x}")

    assert pipeline.gitlab
    assert all(one.gitlab for one in pipeline.jobs.values())


# stages


def test_without_stages_there_are_those_of_gitlab() -> None:
    assert read("j: {script: x}").stages == (".pre", "build", "test", "deploy", ".post")
    assert job("").stage == "test"


def test_the_first_and_the_last_stage_are_where_they_are_wherever_they_are_written() -> None:
    pipeline = read("stages: [.post, b, a, .pre]\nj: {script: x, stage: a}\nk: {script: x, stage: .pre}")

    assert pipeline.stages == (".pre", "b", "a", ".post")
    assert pipeline.jobs["k"].stage == ".pre"


def test_a_stage_written_twice_is_one() -> None:
    assert read("stages: [a, test, a]\nj: {script: x}").stages == (".pre", "a", "test", ".post")


def test_a_stage_that_is_not_there_is_told_as_gitlab_does() -> None:
    assert problems("stages: [build]\nj:\n  script: x\n  stage: biuld\n") == [
        (
            "4: jobs.j.stage: j job: chosen stage biuld does not exist; available stages are .pre, build, .post "
            "(did you mean `build`?)"
        )
    ]


def test_a_job_without_a_stage_needs_the_one_called_test() -> None:
    assert problems("stages: [build]\nj: {script: x}") == [
        "2: jobs.j.stage: j job: chosen stage test does not exist; available stages are .pre, build, .post"
    ]


# default and inherit


def test_a_job_has_from_default_what_it_does_not_say() -> None:
    pipeline = read("""
        default:
          image: a
          before_script: [b]
          after_script: [c]
          retry: 2
          timeout: 90 seconds
          cache: {paths: [d]}
          artifacts: {paths: [e]}
          services: [f]
          hooks: {pre_get_sources_script: g}
        all: {script: x}
        own: {script: x, image: z, retry: 0, before_script: [], services: []}
        """)
    every, own = pipeline.jobs["all"], pipeline.jobs["own"]

    assert every.image is not None
    assert (every.image.name, every.before_script, every.after_script) == ("a", ("b",), ("c",))
    assert (every.retry.max, every.timeout, every.before_checkout) == (2, 90.0, ("g",))
    assert (every.cache[0].paths, every.artifacts.paths) == (("d",), ("e",))
    assert every.services[0].image.name == "f"
    assert own.image is not None
    assert (own.image.name, own.retry.max, own.before_script, own.services) == ("z", 0, (), ())
    assert own.after_script == ("c",)


def test_what_is_wrong_with_a_default_is_told_once() -> None:
    assert problems("default: {retry: 9}\na: {script: x}\nb: {script: x, retry: 1}\nc: {script: x}") == [
        "1: default.retry: must be less than or equal to 2, saw 9"
    ]


def test_old_files_have_their_defaults_at_the_top() -> None:
    pipeline = read("image: a\nbefore_script: [b]\ncache: {paths: [c]}\nservices: [d]\nafter_script: e\nj: {script: x}")
    found = pipeline.jobs["j"]

    assert found.image is not None
    assert (found.image.name, found.before_script, found.after_script) == ("a", ("b",), ("e",))
    assert (found.cache[0].paths, found.services[0].image.name) == (("c",), "d")


def test_a_default_in_both_places_is_a_problem() -> None:
    assert problems("image: a\ndefault: {image: b}\nj: {script: x}") == [
        "1: image: image is defined in top-level and `default:` entry (keep the one in `default`)"
    ]


def test_a_value_of_nothing_is_as_if_it_were_not_there() -> None:
    pipeline = read(
        "default: {before_script: [a], image: b}\nj: {script: x, before_script: null, image: null, needs: ~}"
    )
    found = pipeline.jobs["j"]

    assert found.before_script == ("a",)
    assert found.image is not None
    assert found.needs is None


@pytest.mark.parametrize(
    ("inherit", "image", "retry"),
    [("true", "a", 2), ("false", None, 0), ("[image]", "a", 0), ("[retry]", None, 2), ("[]", None, 0)],
)
def test_a_job_inherits_the_defaults_it_wants(inherit: str, image: str | None, retry: int) -> None:
    pipeline = read(f"default: {{image: a, retry: 2}}\nj: {{script: x, inherit: {{default: {inherit}}}}}")
    found = pipeline.jobs["j"]

    assert (found.image and found.image.name, found.retry.max) == (image, retry)


@pytest.mark.parametrize(
    ("inherit", "variables"),
    [
        ("true", {"A": "1", "B": "2", "C": "3"}),
        ("false", {"C": "3"}),
        ("[B]", {"B": "2", "C": "3"}),
    ],
)
def test_a_job_inherits_the_variables_it_wants(inherit: str, variables: dict[str, str]) -> None:
    pipeline = read(f"""
        variables: {{A: 1, B: 2, C: 0}}
        j: {{script: x, variables: {{C: 3}}, inherit: {{variables: {inherit}}}}}
        """)

    assert pipeline.jobs["j"].variables == variables


def test_what_default_may_not_hold_is_told() -> None:
    assert problems("default: {script: a}\nj: {script: x, inherit: {default: [imge], variables: maybe}}") == [
        "1: default.script: config contains unknown keys: script",
        "2: jobs.j.inherit.default: default config contains unknown values: imge",
        '2: jobs.j.inherit.variables: should be a bool or array of strings, saw "maybe"',
    ]


def test_a_problem_in_default_is_told_once() -> None:
    assert problems("default: {retry: 3}\na: {script: x}\nb: {script: x}") == [
        "1: default.retry: must be less than or equal to 2, saw 3"
    ]


# variables


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("text", "text"),
        ("'1.10'", "1.10"),
        ("1", "1"),
        ("-5", "-5"),
        ("1.10", "1.1"),
        ("1.0", "1.0"),
        ("1.0e+20", "1.0e+20"),
        ("true", "true"),
        ("yes", "true"),
        ("off", "false"),
        ("''", ""),
        ("0o17", "0o17"),
        ("017", "15"),
        ("{value: v}", "v"),
        ("{value: 3}", "3"),
    ],
)
def test_a_variable_becomes_the_text_that_ruby_makes_of_it(written: str, text: str) -> None:
    assert job(f"variables: {{A: {written}}}").variables == {"A": text}


def test_the_variables_of_a_job_win_over_those_of_the_pipeline() -> None:
    pipeline = read("variables: {A: 1, B: 2}\nj: {script: x, variables: {A: 3}}")

    assert pipeline.jobs["j"].variables == {"A": "3", "B": "2"}
    assert pipeline.jobs["j"].own == {"A"}
    assert pipeline.variables == {"A": "1", "B": "2"}


def test_a_variable_that_is_not_to_be_expanded_is_raw_until_another_takes_its_place() -> None:
    pipeline = read("""
        variables:
          A: {value: $X, expand: false}
          B: {value: $X, expand: true}
          C: {value: $X, expand: false}
        j: {script: x, variables: {C: $X, D: {value: $X, expand: false}}}
        """)

    assert pipeline.jobs["j"].raw == {"A", "D"}


def test_options_and_descriptions_are_for_those_who_start_pipelines() -> None:
    pipeline = read("variables: {A: {value: b, options: [a, b], description: why}}\nj: {script: x}")

    assert pipeline.jobs["j"].variables == {"A": "b"}
    assert pipeline.warnings == (
        (
            ".gitlab-ci.yml:1: `variables.description` has no effect here: there is no form to start a pipeline with; "
            "give variables by `--variable NAME=value`"
        ),
    )


def test_variables_that_are_none_are_told() -> None:
    text = """
        variables:
          A: [1]
          B: {value: c, options: [a, b]}
          C: {valu: c}
        j: {script: x, variables: {D: {description: no}}}
        k: {script: x, variables: [A]}
        """

    assert problems(text) == [
        "3: variables.A: variable definition must be either a string or a hash, saw a list",
        "4: variables.B: value must be present in options",
        "5: variables.C: uses invalid data keys: valu",
        "6: jobs.j.variables.D: uses invalid data keys: description",
        "7: jobs.k.variables: config should be a hash, saw a list",
    ]


def test_what_a_person_asks_for_wins_over_all_that_the_file_says() -> None:
    pipeline = read(
        "variables: {A: 1}\nj: {script: x, variables: {A: 2}, rules: [{variables: {A: 3, B: 4}}]}", {"A": "0"}
    )
    found = pipeline.jobs["j"]

    assert found.variables == {"A": "0"}
    assert found.rules is not None
    assert found.rules[0].variables == {"B": "4"}
    assert pipeline.variables == {"A": "0"}


# when, allow_failure


@pytest.mark.parametrize("when", ["on_success", "on_failure", "always", "manual"])
def test_when_a_job_runs(when: str) -> None:
    assert job(f"when: {when}").when == When(when)


def test_a_manual_job_may_fail_unless_it_says_otherwise() -> None:
    assert job("when: manual").allow_failure == AllowFailure(allowed=True)
    assert job("when: manual\nallow_failure: false").allow_failure == AllowFailure()
    assert job("when: manual\nallow_failure: {exit_codes: 3}").allow_failure == AllowFailure(exit_codes=(3,))


def test_a_job_that_is_manual_by_a_rule_holds_up_the_others() -> None:
    found = job("rules: [{when: manual}]")

    assert found.allow_failure == AllowFailure()


def test_a_delayed_job_says_how_long_it_waits() -> None:
    found = job("when: delayed\nstart_in: 30 minutes")

    assert (found.when, found.start_in) == (When.DELAYED, 1800.0)
    assert wrong("when: delayed") == [".start_in: start in should be a duration (a delayed job says how long it waits)"]
    assert wrong("start_in: 1h") == [".start_in: start in must be blank (only `when: delayed` waits)"]
    assert wrong("when: delayed\nstart_in: 8 days") == [
        '.start_in: should not exceed the limit of 1 week, saw "8 days"'
    ]


def test_a_job_that_never_runs_says_so_in_a_rule() -> None:
    assert wrong("when: never") == [
        (
            '.when: when should be one of: on_success, on_failure, always, manual, delayed, saw "never" '
            "(write it in `rules`, or begin the job's name with a dot)"
        )
    ]
    assert wrong("when: on_sucess") == [
        (
            '.when: when should be one of: on_success, on_failure, always, manual, delayed, saw "on_sucess" '
            "(did you mean `on_success`?)"
        )
    ]


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("true", AllowFailure(allowed=True)),
        ("yes", AllowFailure(allowed=True)),
        ("false", AllowFailure()),
        ("no", AllowFailure()),
        ("{exit_codes: 137}", AllowFailure(exit_codes=(137,))),
        ("{exit_codes: [1, 2]}", AllowFailure(exit_codes=(1, 2))),
    ],
)
def test_which_failures_are_overlooked(written: str, meaning: AllowFailure) -> None:
    assert job(f"allow_failure: {written}").allow_failure == meaning


def test_an_exit_code_that_is_not_listed_is_a_failure() -> None:
    found = job("allow_failure: {exit_codes: [1, 2]}").allow_failure

    assert found.permits(2)
    assert not found.permits(3)
    assert not found.permits(None)


# retry, timeout


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("0", Retry(max=0)),
        ("2", Retry(max=2)),
        ("{max: 1}", Retry(max=1)),
        ("{when: always}", Retry(max=0)),
        ("{max: 2, when: script_failure}", Retry(max=2, when=(RetryOn.FAILURE,))),
        ("{max: 2, when: [stuck_or_timeout_failure]}", Retry(max=2, when=(RetryOn.TIMEOUT,))),
        (
            "{max: 2, when: [runner_system_failure, job_execution_timeout]}",
            Retry(max=2, when=(RetryOn.ERROR, RetryOn.TIMEOUT)),
        ),
        ("{max: 2, when: api_failure}", Retry(max=2, when=())),
        ("{max: 1, exit_codes: 137}", Retry(max=1, exit_codes=(137,))),
        ("{max: 1, exit_codes: [1, 2], when: always}", Retry(max=1, exit_codes=(1, 2))),
    ],
)
def test_what_is_tried_again(written: str, meaning: Retry) -> None:
    assert job(f"retry: {written}").retry == meaning


def test_retries_that_are_none_are_told() -> None:
    assert wrong("retry: 3") == [".retry: must be less than or equal to 2, saw 3"]
    assert wrong("retry: {max: two, when: script_falure}") == [
        '.retry.max: is not a number, saw "two"',
        '.retry.when: when is not an error type to retry after: "script_falure" (did you mean `script_failure`?)',
    ]


def test_a_timeout_is_an_hour_or_what_it_says() -> None:
    assert job("").timeout == 3600.0
    assert job("timeout: 2 seconds").timeout == 2.0
    assert job("timeout: 3 hours 30 minutes").timeout == 12600.0
    assert wrong("timeout: soon") == [
        '.timeout: should be a duration, saw "soon" (write it as `1h 30m` or `90 seconds`)'
    ]
    assert wrong("timeout: 2 months") == ['.timeout: should not exceed the limit of 1 month, saw "2 months"']


# parallel


def test_parallel_makes_as_many_jobs_that_know_their_number() -> None:
    jobs = read("j: {script: x, parallel: 3, variables: {A: b}}").jobs

    assert list(jobs) == ["j 1/3", "j 2/3", "j 3/3"]
    assert jobs["j 2/3"].variables == {"A": "b", "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}
    assert {one.group for one in jobs.values()} == {"j"}


def test_a_parallel_of_one_is_one_job_that_has_a_number() -> None:
    assert list(read("j: {script: x, parallel: 1}").jobs) == ["j 1/1"]


def test_a_matrix_makes_a_job_for_every_combination_in_the_order_of_the_file() -> None:
    pipeline = read("""
        deploystacks:
          script: x
          parallel:
            matrix:
              - PROVIDER: aws
                STACK: [monitoring, app1, app2]
              - PROVIDER: [gcp, vultr]
                STACK: [data, processing]
        """)

    assert list(pipeline.jobs) == [
        "deploystacks: [aws, monitoring]",
        "deploystacks: [aws, app1]",
        "deploystacks: [aws, app2]",
        "deploystacks: [gcp, data]",
        "deploystacks: [gcp, processing]",
        "deploystacks: [vultr, data]",
        "deploystacks: [vultr, processing]",
    ]
    assert pipeline.jobs["deploystacks: [gcp, data]"].variables == {
        "PROVIDER": "gcp",
        "STACK": "data",
        "CI_NODE_INDEX": "4",
        "CI_NODE_TOTAL": "7",
    }


def test_the_variables_of_a_matrix_win_over_those_of_the_job() -> None:
    jobs = read("j: {script: x, variables: {A: {value: $B, expand: false}}, parallel: {matrix: [{A: [1, 2.0]}]}}").jobs

    assert list(jobs) == ["j: [1]", "j: [2.0]"]
    assert jobs["j: [1]"].variables["A"] == "1"
    assert not jobs["j: [1]"].raw


def test_combinations_of_equal_values_are_one_job_the_last() -> None:
    jobs = read("j: {script: x, parallel: {matrix: [{A: [a, b]}, {B: [a]}]}}").jobs

    assert list(jobs) == ["j: [a]", "j: [b]"]
    assert "B" in jobs["j: [a]"].variables


def test_too_many_or_no_jobs_are_told() -> None:
    many = ", ".join(map(str, range(201)))

    assert wrong("parallel: 0") == [".parallel: must be greater than or equal to 1, saw 0"]
    assert wrong("parallel: 201") == [".parallel: must be less than or equal to 200, saw 201"]
    assert wrong(f"parallel: {{matrix: [{{A: [{many}]}}]}}") == [
        ".parallel.matrix: config generates too many jobs (maximum is 200), saw 201"
    ]
    assert wrong("parallel: {matrix: {A: b}}") == [".parallel.matrix: config should be an array of hashes, saw a table"]
    assert wrong("parallel: {matrix: []}") == [".parallel.matrix: config generates no job"]


# resource_group, coverage, environment, and what has no effect


def test_a_resource_group_may_hold_variables() -> None:
    assert job("resource_group: deploy/$CI_COMMIT_REF_SLUG").resource_group == "deploy/$CI_COMMIT_REF_SLUG"
    assert wrong("resource_group: a#b")[0].startswith(".resource_group: can contain only")


def test_the_pattern_of_coverage_stands_between_slashes() -> None:
    assert job(r"coverage: '/Code coverage: \d+(?:\.\d+)?/'").coverage == r"Code coverage: \d+(?:\.\d+)?"
    assert job(r"coverage: '/(?<all>\d+)%/'").coverage == r"(?<all>\d+)%"
    assert wrong(r"coverage: '\d+%'") == [
        r'.coverage: must be a regular expression with re2 syntax, saw "\\d+%" (put it between slashes: /\d+%/)'
    ]
    assert wrong("coverage: '/(/'")[0].startswith(".coverage: must be a regular expression")


def test_an_environment_is_a_name_or_a_hash() -> None:
    assert job("environment: production").environment == JobEnvironment(name="production")
    assert job("environment: {name: review/$A, url: https://$B, action: prepare}").environment == JobEnvironment(
        name="review/$A", url="https://$B", action="prepare"
    )


def test_a_deployment_is_never_remembered() -> None:
    assert job("").memory
    assert not job("environment: production").memory


def test_who_stops_an_environment_is_a_job_that_does() -> None:
    text = """
        a: {script: x, environment: {name: e, on_stop: nobody}}
        b: {script: x, environment: {name: e, on_stop: plain}}
        c: {script: x, environment: {name: e, on_stop: other}}
        d: {script: x, environment: {name: e, on_stop: start}}
        f: {script: x, environment: {name: e, on_stop: good}}
        plain: {script: x}
        other: {script: x, environment: {name: f, action: stop}}
        start: {script: x, environment: e}
        good: {script: x, when: manual, environment: {name: e, action: stop}}
        """

    assert problems(text) == [
        "2: jobs.a.environment.on_stop: a job: on_stop job nobody is not defined",
        "3: jobs.b.environment.on_stop: b job: on_stop job plain does not have environment defined",
        "4: jobs.c.environment.on_stop: c job: on_stop job other have different environment name",
        "5: jobs.d.environment.on_stop: d job: on_stop job start needs to have action stop defined",
    ]


def test_an_environment_that_is_none_is_told() -> None:
    assert wrong("environment: {url: x}") == [".environment.name: can't be blank"]
    assert wrong("environment: {name: x, action: stpo}") == [
        ".environment.action: action should be start, stop, prepare, verify, or access (did you mean `stop`?)"
    ]


def test_what_has_no_effect_is_said_once_with_the_place_and_the_reason() -> None:
    pipeline = read("default: {tags: [a], interruptible: true}\nj: {script: x}\nk: {script: x, tags: [b]}")

    assert pipeline.warnings == (
        ".gitlab-ci.yml:1: `tags` has no effect here: there are no runners to choose from: every job runs here",
        ".gitlab-ci.yml:1: `interruptible` has no effect here: a run ends only when a job fails or a person stops it",
    )


def test_variables_that_speak_to_a_runner_are_told_and_are_variables_all_the_same() -> None:
    clean = "every job that wants the sources starts in a clean checkout of them"

    pipeline = read("variables: {GIT_CLEAN_FLAGS: -x, GIT_STRATEGY: none}\nj: {script: x, variables: {GIT_DEPTH: 1}}")

    assert pipeline.jobs["j"].variables == {"GIT_CLEAN_FLAGS": "-x", "GIT_STRATEGY": "none", "GIT_DEPTH": "1"}
    assert pipeline.warnings == (
        f".gitlab-ci.yml:1: `variables.GIT_CLEAN_FLAGS` has no effect here: {clean}",
        ".gitlab-ci.yml:2: `variables.GIT_DEPTH` has no effect here: the same commits come along for every job",
    )


def test_a_pages_job_runs_and_publishes_nothing() -> None:
    pipeline = read("pages: {script: x, artifacts: {paths: [public]}}")

    assert pipeline.jobs["pages"].unsupported is None
    assert pipeline.warnings[0].startswith(".gitlab-ci.yml:1: `pages` has no effect here")


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        ("pages: {script: x}", ("public",)),
        ("pages: {script: x, artifacts: {paths: [a, ./public/]}}", ("a", "./public/")),
        ("pages: {script: x, pages: false}", ()),
        ("pages: {script: x, publish: out}", ("out",)),
        ("j: {script: x, pages: true, artifacts: {paths: [a]}}", ("a", "public")),
        ("j: {script: x, pages: {publish: $OUT}}", ("$OUT",)),
        ("j: {script: x, pages: {path_prefix: x}}", ("public",)),
        ("j: {script: x, pages: {publish: a}, publish: b}", ("a",)),
        ("j: {script: x, publish: out}", ()),
        ("j: {script: x}", ()),
    ],
)
def test_what_a_pages_job_publishes_is_an_artifact(written: str, paths: tuple[str, ...]) -> None:
    (job,) = read(written).jobs.values()

    assert job.artifacts.paths == paths


# refused, unknown, broken


@pytest.mark.parametrize(
    ("keys", "keyword"),
    [
        ("secrets: {A: {vault: x}}", "secrets"),
        ("id_tokens: {A: {aud: x}}", "id_tokens"),
        ("identity: google_cloud", "identity"),
        ("needs: [{project: a/b, job: c, ref: main}]", "needs.project"),
        ("needs: [{pipeline: $A, job: c}]", "needs.pipeline"),
        ("dast_configuration: {site_profile: a}", "dast_configuration"),
        ("inputs: {a: {default: b}}", "inputs"),
        ("rules: [{exists: {paths: [a], project: b}}]", "rules.exists.project"),
        ("cache: {key: {files_commits: [a]}, paths: [b]}", "cache.key.files_commits"),
    ],
)
def test_what_would_end_differently_makes_the_job_unsupported_and_not_the_file_wrong(keys: str, keyword: str) -> None:
    found = job(keys)

    assert found.unsupported is not None
    assert found.unsupported.startswith(f"{keyword}: ")


def test_what_is_refused_in_default_is_refused_in_the_jobs_that_inherit_it() -> None:
    pipeline = read("default: {id_tokens: {A: {aud: x}}}\nj: {script: x}\nk: {script: x, inherit: {default: false}}")

    assert pipeline.jobs["j"].unsupported
    assert pipeline.jobs["k"].unsupported is None


def test_steps_and_mirrored_pipelines_are_refused() -> None:
    pipeline = read("j: {run: [{name: a, script: b}]}\nk: {needs: {pipeline: other/project}}\nl: {script: x}")

    assert pipeline.jobs["j"].unsupported == ("run: steps are run by GitLab's step runner: write them as `script`")
    assert pipeline.jobs["k"].unsupported is not None
    assert pipeline.jobs["l"].unsupported is None


def test_an_unknown_key_is_told_with_what_may_be_meant() -> None:
    assert wrong("befor_script: [a]") == [
        ".befor_script: config contains unknown keys: befor_script (did you mean `before_script`?)"
    ]
    assert wrong("artifacts: {path: [a]}") == [
        ".artifacts.path: config contains unknown keys: path (did you mean `paths`?)"
    ]


def test_what_does_nothing_is_no_job() -> None:
    assert problems("a: {stage: test}\nb: text\nc: [x]\nd: {script: x}") == [
        "1: jobs.a: config should implement the script:, run:, or trigger: keyword",
        "2: jobs.b: config should implement the script:, run:, or trigger: keyword",
        "3: jobs.c: config should implement the script:, run:, or trigger: keyword",
    ]


def test_a_pipeline_has_a_job() -> None:
    assert problems("stages: [test]\n.hidden: {script: x}") == [
        "1: jobs config should contain at least one visible job"
    ]


def test_names_that_are_none_are_told() -> None:
    long = "n" * 256

    assert problems(f"{long}: {{script: x}}") == [f"1: jobs.{long}: name is too long (maximum is 255 characters)"]
    assert problems("pages:deploy: {script: x}") == [
        '1: jobs."pages:deploy": pages:deploy is a keyword, and no name of a job'
    ]
    assert problems("on: {script: x}") == [
        "1: jobs.on: name should be a symbol, saw true (YAML reads `on` as true: put it in quotes)"
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """
        a: {script: x, retry: 9}
        b: {script: x, stage: nowhere, when: soon}
        """

    assert [line.split(":")[0] for line in problems(text)] == ["2", "3", "3"]


def test_a_date_does_not_hide_what_else_is_wrong() -> None:
    assert problems("variables: {D: 2024-01-01}\na: {script: x, wehn: x}\n") == [
        "1: `2024-01-01` is a date, which GitLab takes for no value (put it in quotes)",
        "2: jobs.a.wehn: config contains unknown keys: wehn (did you mean `when`?)",
    ]


# workflow


def test_a_workflow_has_a_name_and_rules() -> None:
    pipeline = read("""
        workflow:
          name: 'Pipeline for $CI_COMMIT_REF_NAME'
          rules: [{if: $CI_COMMIT_TAG, when: never}, {when: always, variables: {A: 1}}]
        j: {script: x, variables: {B: 2}}
        k: {script: x, inherit: {variables: false}}
        """)

    assert pipeline.name == "Pipeline for $CI_COMMIT_REF_NAME"
    assert pipeline.workflow is not None
    assert [rule.when for rule in pipeline.workflow] == [When.NEVER, When.ALWAYS]
    assert pipeline.workflow[1].variables == {"A": "1"}
    assert pipeline.jobs["j"].own == {"B"}
    assert pipeline.jobs["k"].own == {"A"}


def test_without_a_workflow_there_is_always_a_pipeline() -> None:
    assert read("j: {script: x}").workflow is None


def test_a_workflow_that_is_none_is_told() -> None:
    assert problems("workflow: {rules: [{when: manual}, {if: 3}], nam: x}\nj: {script: x}") == [
        "1: workflow.nam: config contains unknown keys: nam (did you mean `name`?)",
        '1: workflow.rules[0].when: should be one of: always, never, saw "manual"',
        "1: workflow.rules[1].if: invalid expression syntax: expected a string, saw 3",
    ]


def test_cancelling_pipelines_has_no_effect_and_says_so() -> None:
    pipeline = read("workflow: {auto_cancel: {on_new_commit: none}, name: x}\nj: {script: x}")

    assert "`workflow.auto_cancel.on_new_commit` has no effect here" in pipeline.warnings[0]
    assert in_pipeline(BRANCH, "workflow: {auto_cancel: {on_new_commit: none}}\nj: {script: x}") == ["j"]
