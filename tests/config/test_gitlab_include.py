"""Which files a document includes, and how they are merged."""

from __future__ import annotations

import base64
import hashlib

import pytest
from composing import MAIN, around, composed, values, wrong

from hookci.config.gitlab.addresses import Elsewhere
from hookci.config.gitlab.composed import Place, compose_child, included_from_elsewhere

JOB = "{script: x}"
NO_MADE_ONE = "hookci reads no pipeline that a job makes while it runs"
ONE_KIND = "each include must use exactly one of: local, project, remote, template, artifact, component"


def test_the_documentation_s_example_of_merging() -> None:
    files = {
        MAIN: """
            include: 'common.yml'
            variables:
              POSTGRES_USER: username
            test:
              rules:
                - if: $CI_PIPELINE_SOURCE == "merge_request_event"
                  when: manual
              artifacts:
                reports:
                  junit: rspec.xml
        """,
        "common.yml": """
            variables:
              POSTGRES_USER: common_username
              POSTGRES_DB: common
            test:
              rules:
                - when: never
              script:
                - echo LOGIN=${POSTGRES_USER} > deploy.env
                - rake spec
              artifacts:
                reports:
                  dotenv: deploy.env
        """,
    }

    assert values(files) == {
        "variables": {"POSTGRES_USER": "username", "POSTGRES_DB": "common"},
        "test": {
            "rules": [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"', "when": "manual"}],
            "script": ["echo LOGIN=${POSTGRES_USER} > deploy.env", "rake spec"],
            "artifacts": {"reports": {"junit": "rspec.xml", "dotenv": "deploy.env"}},
        },
    }


@pytest.mark.parametrize(
    "include",
    [
        "a.yml",
        "/a.yml",
        "[a.yml]",
        "{local: a.yml}",
        "{local: /a.yml}",
        "[{local: a.yml}]",
        "[null, a.yml]",
        "['$WHICH.yml']",
        "[{local: '${WHICH}.yml'}]",
        "'%WHICH%.yml'",
        "'a$NOTHING.yml'",
    ],
)
def test_a_local_file_is_included_in_every_form(include: str) -> None:
    found = values({MAIN: f"include: {include}\nb: {JOB}", "a.yml": f"a: {JOB}"}, facts={"WHICH": "a"})

    assert list(found) == ["a", "b"]


def test_the_last_file_wins_over_those_before_it_and_the_including_one_over_all() -> None:
    files = {
        MAIN: "include: [one.yml, two.yml]\njob: {c: main}",
        "one.yml": "job: {a: one, b: one, c: one}",
        "two.yml": "job: {b: two, c: two}",
    }

    assert values(files) == {"job": {"a": "one", "b": "two", "c": "main"}}


def test_what_a_file_includes_itself_comes_first() -> None:
    files = {
        MAIN: "include: one.yml\njob: {c: main}",
        "one.yml": "include: [deep/two.yml]\njob: {b: one, c: one}",
        "deep/two.yml": "job: {a: two, b: two, c: two}",
    }

    assert values(files) == {"job": {"a": "two", "b": "one", "c": "main"}}


def test_a_file_can_be_included_twice_and_the_last_time_counts() -> None:
    files = {
        MAIN: "include: [unit.yml, smoke.yml]",
        "defaults.yml": "default: {before_script: default}",
        "unit.yml": "include: defaults.yml\ndefault: {before_script: unit}\nunit: {script: u}",
        "smoke.yml": "include: defaults.yml\ndefault: {before_script: smoke}\nsmoke: {script: s}",
    }

    assert values(files)["default"] == {"before_script": "smoke"}


def test_a_key_that_is_null_takes_the_place_of_what_is_included() -> None:
    files = {MAIN: "include: a.yml\njob: {variables: null}", "a.yml": "job: {variables: {A: 1}, script: x}"}

    assert values(files) == {"job": {"variables": None, "script": "x"}}


def test_every_value_keeps_the_place_in_its_own_file() -> None:
    files = {MAIN: "include: a.yml\njob:\n  image: x\n", "a.yml": "\njob:\n  script:\n    - y\n  image: z\n"}

    found = composed(files)

    assert found.place(("job", "image")) == Place(MAIN, 3)
    assert found.place(("job", "script", 0)) == Place("a.yml", 4)


@pytest.mark.parametrize(
    ("pattern", "included"),
    [
        ("configs/*.yml", ["b"]),
        ("/configs/*.yml", ["b"]),
        ("configs/**.yml", ["b", "d", "e"]),
        ("configs/**/*.yml", ["d", "e"]),
        ("configs/*/d.yml", ["d"]),
        ("**/e.yml", ["e"]),
        ("**a.yml", ["a"]),
        ("configs/*", ["b", "c"]),
    ],
)
def test_a_pattern_means_the_files_that_gitlab_s_documentation_says(pattern: str, included: list[str]) -> None:
    paths = {
        "a": "a.yml",
        "b": "configs/b.yml",
        "c": "configs/c.yaml",
        "d": "configs/x/d.yml",
        "e": "configs/x/y/e.yml",
    }
    files = {MAIN: f"include: '{pattern}'\nz: {JOB}", **{path: f"{name}: {JOB}" for name, path in paths.items()}}

    assert list(values(files)) == [*included, "z"]


def test_a_pattern_can_mean_the_file_it_stands_in() -> None:
    assert wrong(f"include: '*.yml'\nz: {JOB}") == [f"{MAIN}:1: `{MAIN}` includes itself"]


def test_a_pattern_without_a_file_is_said() -> None:
    found = composed({MAIN: f"include: 'none/*.yml'\nz: {JOB}"})

    assert list(found.values) == ["z"]
    assert found.notes == [".gitlab-ci.yml:1: no file is called `none/*.yml`, so none is included"]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("nowhere.yml", "1: local file `nowhere.yml` does not exist!"),
        ("aa.yml", "1: local file `aa.yml` does not exist! (did you mean `a.yml`?)"),
        ("a.txt", "1: included file `a.txt` does not have YAML extension!"),
        ("[[a.yml]]", "1: include[0]: each include must be a hash or a string, saw a list"),
        ("3", "1: include: each include must be a hash or a string, saw 3"),
        ("{lcal: a.yml}", "1: include.lcal: an include has no `lcal` (did you mean `local`?)"),
        ("{local: [a.yml]}", "1: include.local: needs to be a string, saw a list"),
        (
            "{file: a.yml}",
            f"1: include: {ONE_KIND} (`file` belongs to a `project`)",
        ),
        (
            "{local: a.yml, remote: 'https://x/a.yml'}",
            f"1: include: {ONE_KIND}",
        ),
        ("{project: a/b}", "1: include.file: must specify the file where to fetch the config from"),
        ("{artifact: a.yml, job: b}", f"1: include.artifact: {NO_MADE_ONE} (include a file of the repository)"),
        ("{local: a.yml, inputs: [a]}", "1: include.inputs: should be a hash, saw a list"),
        ("{local: empty.yml}", "1: is empty"),
        ("{component: x}", "1: `x` is no component: expected HOST/PROJECT/NAME@VERSION"),
    ],
)
def test_an_include_that_makes_no_sense_is_told_with_its_place(entry: str, problem: str) -> None:
    found = wrong({MAIN: f"include: {entry}", "a.yml": "a: 1", "a.txt": "a: 1", "empty.yml": ""})

    assert problem in {line.removeprefix(f"{MAIN}:").removeprefix("empty.yml:") for line in found}


def test_all_that_is_wrong_is_told_at_once_in_every_file() -> None:
    files = {
        MAIN: "include:\n  - one.yml\n  - nowhere.yml\n  - template: X.gitlab-ci.yml\nz: 1\n",
        "one.yml": "include: two.yml\na: 1",
        "two.yml": "b: {",
    }

    assert wrong(files) == [
        f"{MAIN}:3: local file `nowhere.yml` does not exist!",
        f"{MAIN}:4: `template:X.gitlab-ci.yml` was not fetched (`hookci include fetch` fetches and pins it)",
        "two.yml:2: column 1: no YAML: while parsing a flow node, did not find expected node content",
    ]


def test_files_that_include_each_other_are_told() -> None:
    files = {MAIN: "include: a.yml", "a.yml": "include: b.yml\na: 1", "b.yml": "include: a.yml\nb: 1"}

    assert wrong(files) == ["b.yml:1: `a.yml` includes itself"]


def test_150_files_can_be_included_and_no_more() -> None:
    def chain(length: int) -> dict[str, str]:
        links = {f"{n}.yml": f"include: {n + 1}.yml\nj{n}: {JOB}" for n in range(1, length)}
        return {MAIN: "include: 1.yml", **links, f"{length}.yml": f"j{length}: {JOB}"}

    assert len(values(chain(150))) == 150
    assert wrong(chain(151)) == ["150.yml:1: maximum of 150 nested includes are allowed!"]


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("{if: $CI_COMMIT_BRANCH == 'main'}", True),
        ("{if: $CI_COMMIT_BRANCH == 'other'}", False),
        ("{if: $CI_COMMIT_BRANCH, when: never}", False),
        ("{if: $CI_COMMIT_BRANCH, when: always}", True),
        ("{if: $CI_COMMIT_BRANCH, when: null}", True),
        ("{if: $GIVEN == 'yes'}", True),
        ("{if: $OWN}", False),
        ("{exists: [a.yml]}", True),
        ("{exists: ['*.yml']}", True),
        ("{exists: {paths: [a.yml]}}", True),
        ("{exists: ['$FILE']}", True),
        ("{exists: [b.yml]}", False),
        ("{exists: [dir]}", False),
        ("{exists: ['dir/*']}", True),
        ("{changes: [src/*]}", True),
        ("{changes: [docs/*]}", False),
        ("{changes: {paths: ['src/**/*']}}", True),
        ("{changes: {paths: [new], compare_to: release}}", True),
        ("{changes: {paths: [src/a], compare_to: '$BASE'}}", False),
        ("{if: $CI_COMMIT_BRANCH, changes: [docs/*]}", False),
        ("{when: never}", False),
        ("{}", True),
    ],
)
def test_an_include_counts_if_its_first_rule_that_holds_says_so(rule: str, *, holds: bool) -> None:
    files = {
        MAIN: f"variables: {{OWN: 1}}\ninclude: {{local: a.yml, rules: [{rule}]}}\nz: {JOB}",
        "a.yml": f"a: {JOB}",
        "dir/b": "",
    }

    found = values(
        files,
        facts={"CI_COMMIT_BRANCH": "main", "FILE": "a.yml", "BASE": "release"},
        changed=("src/a",),
        compared={"release": ("new",)},
        asked={"GIVEN": "yes"},
    )

    assert ("a" in found) is holds


def test_with_nothing_to_compare_with_everything_has_changed() -> None:
    files = {MAIN: f"include: {{local: a.yml, rules: [{{changes: [x]}}]}}\nz: {JOB}", "a.yml": f"a: {JOB}"}

    assert "a" in values(files, changed=None)
    assert "a" not in values(files, changed=())


def test_no_rule_that_holds_means_that_the_file_is_not_included() -> None:
    rules = "[{if: $A, when: never}, {if: $B}]"
    files = {MAIN: f"include: {{local: nowhere.yml, rules: {rules}}}\nz: {JOB}"}

    assert list(values(files)) == ["z"]
    assert list(values(files, facts={"A": "1", "B": "1"})) == ["z"]
    assert wrong(files, facts={"B": "1"}) == [f"{MAIN}:1: local file `nowhere.yml` does not exist!"]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("x", "rules: should be an array of hashes"),
        ("[x]", "rules: should be an array of hashes"),
        (
            "[{iff: $A}]",
            "rules[0].iff: an include's rule has no `iff`; it has if, changes, exists, when (did you mean `if`?)",
        ),
        ("[{if: '$A =='}]", "rules[0].if: column 6: expected a $VARIABLE, a quoted text or null, saw the end"),
        ("[{if: 3}]", 'rules[0].if: should be a condition such as `$NAME == "value"`, saw 3'),
        ("[{when: manual}]", 'rules[0].when: should be always or never, saw "manual"'),
        ("[{changes: x}]", "rules[0].changes: should be an array of strings"),
        ("[{exists: {path: [x]}}]", "rules[0].exists.path: `exists` has no `path` (did you mean `paths`?)"),
        (
            "[{exists: {paths: [x], project: a/b}}]",
            "rules[0].exists.project: hookci knows no other project's files (leave it out)",
        ),
        (
            "[{changes: {paths: [x], compare_to: gone}}]",
            "rules: `gone` is not a valid ref (`git fetch origin gone` if it is there)",
        ),
    ],
)
def test_rules_that_make_no_sense_are_told_with_their_place(rules: str, problem: str) -> None:
    files = {MAIN: f"\ninclude: {{local: a.yml, rules: {rules}}}\n", "a.yml": "a: 1"}

    assert f"{MAIN}:2: include.{problem}" in wrong(files)


def test_what_an_include_asked_about_the_snapshot_is_known() -> None:
    rules = "[{if: $CI_COMMIT_BRANCH == 'x'}, {if: $GIVEN == 'x'}, {if: $NOT_SET}, {changes: [x]}]"
    files = {MAIN: f"include: {{local: a.yml, rules: {rules}}}\nz: {JOB}", "a.yml": f"a: {JOB}"}
    facts = {"CI_COMMIT_BRANCH": "main", "HOOKCI_BASE": "abc", "hookci.new": "False", "CI_COMMIT_SHA": "def"}

    found = composed(files, facts=facts, asked={"GIVEN": "y"}, changed=())

    assert found.facts_read == {
        "CI_COMMIT_BRANCH": "main",
        "NOT_SET": None,
        "HOOKCI_BASE": "abc",
        "hookci.new": "False",
    }


def test_without_rules_and_variables_nothing_is_asked_about_the_snapshot() -> None:
    assert composed({MAIN: "include: a.yml", "a.yml": f"a: {JOB}"}, facts={"A": "b"}).facts_read == {}


REMOTE = "https://example.com/ci/a.yml"


@pytest.mark.parametrize(
    ("include", "address"),
    [
        (f"'{REMOTE}'", REMOTE),
        (f"{{remote: '{REMOTE}'}}", REMOTE),
        ("'https://$HOST/ci/a.yml'", REMOTE),
        ("{template: Jobs/Build.gitlab-ci.yml}", "template:Jobs/Build.gitlab-ci.yml"),
        ("{project: group/lib, file: /ci/a.yml}", "group/lib@HEAD:ci/a.yml"),
        ("{project: group/lib, ref: v1, file: ci/a.yml}", "group/lib@v1:ci/a.yml"),
        ("{project: '$GROUP/lib', ref: v1, file: [ci/a.yml]}", "group/lib@v1:ci/a.yml"),
        ("{component: '$HOST/group/lib/lint@1.2'}", "example.com/group/lib/lint@1.2"),
    ],
)
def test_what_is_elsewhere_is_taken_from_what_was_fetched(include: str, address: str) -> None:
    files = {MAIN: f"include: {include}\nz: {JOB}"}
    facts = {"HOST": "example.com", "GROUP": "group"}

    found = composed(files, facts=facts, fetched={address: f"\na: {JOB}\n"})

    assert list(found.values) == ["a", "z"]
    assert found.place(("a",)) == Place(address, 2)
    assert wrong(files, facts=facts) == [
        f"{MAIN}:1: `{address}` was not fetched (`hookci include fetch` fetches and pins it)"
    ]


def test_several_files_of_a_project_are_several_includes() -> None:
    files = {MAIN: "include: {project: g/p, ref: main, file: [a.yml, /b.yml]}"}

    found = values(files, fetched={"g/p@main:a.yml": f"a: {JOB}", "g/p@main:b.yml": f"b: {JOB}"})

    assert list(found) == ["a", "b"]


def test_a_local_file_of_a_project_elsewhere_is_that_project_s() -> None:
    files = {MAIN: "include: {project: g/p, ref: v1, file: a.yml}", "b.yml": f"mine: {JOB}"}

    found = values(files, fetched={"g/p@v1:a.yml": "include: /b.yml", "g/p@v1:b.yml": f"theirs: {JOB}"})

    assert list(found) == ["theirs"]


def test_a_local_file_of_a_component_is_that_of_its_project_and_server() -> None:
    files = {MAIN: "include: {component: example.com/g/p/lint@1.0}"}
    fetched = {"example.com/g/p/lint@1.0": "include: more.yml", "example.com/g/p@1.0:more.yml": f"a: {JOB}"}

    assert list(values(files, fetched=fetched)) == ["a"]


def test_a_remote_file_can_include_no_local_one() -> None:
    files = {MAIN: f"include: '{REMOTE}'", "b.yml": "b: 1"}

    assert wrong(files, fetched={REMOTE: "include: b.yml"}) == [
        f"{REMOTE}:1: local file `b.yml` does not have a project: a remote file can include no local ones"
    ]


def test_a_template_includes_templates_and_files_of_the_tree() -> None:
    files = {MAIN: "include: {template: A.gitlab-ci.yml}", "b.yml": f"b: {JOB}"}
    fetched = {
        "template:A.gitlab-ci.yml": "include: [{template: C.gitlab-ci.yml}, b.yml]",
        "template:C.gitlab-ci.yml": f"c: {JOB}",
    }

    assert list(values(files, fetched=fetched)) == ["c", "b"]


def test_a_remote_file_must_be_what_its_integrity_says() -> None:
    digest = base64.b64encode(hashlib.sha256(f"a: {JOB}".encode()).digest()).decode()
    files = {MAIN: f"include: {{remote: '{REMOTE}', integrity: 'sha256-{digest}'}}"}

    assert list(values(files, fetched={REMOTE: f"a: {JOB}"})) == ["a"]
    assert wrong(files, fetched={REMOTE: f"b: {JOB}"}) == [f"{MAIN}:1: `{REMOTE}` is not what its integrity says"]


def test_what_has_to_be_fetched_is_known_as_far_as_it_can_be_seen() -> None:
    files = {MAIN: f"include: ['{REMOTE}', {{component: h/g/p/lint@~latest}}, {{project: g/q, file: x.yml}}]"}

    first = included_from_elsewhere(MAIN, around(files))
    then = included_from_elsewhere(MAIN, around(files, fetched={REMOTE: "include: {template: T.gitlab-ci.yml}"}))

    assert first == (
        Elsewhere(kind="remote", address=REMOTE, file=REMOTE),
        Elsewhere(kind="component", address="h/g/p/lint@~latest", file="lint", project="g/p", ref="~latest", host="h"),
        Elsewhere(kind="project", address="g/q@HEAD:x.yml", file="x.yml", project="g/q"),
    )
    assert [one.kind for one in then] == ["remote", "template", "component", "project"]


def test_a_child_pipeline_is_what_its_trigger_includes() -> None:
    files = {"child.yml": f"spec: {{inputs: {{name: }}}}\n---\n$[[ inputs.name ]]: {JOB}"}
    text = "t:\n  trigger:\n    include:\n      - local: child.yml\n        inputs: {name: made}\n"
    parent = composed({MAIN: text, **files})

    child = compose_child(parent.values["t"]["trigger"]["include"], Place(MAIN, 3), around(files))

    assert child.values == {"made": {"script": "x"}}
    assert child.place(("made",)) == Place("child.yml", 3)
