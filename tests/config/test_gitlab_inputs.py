"""Inputs: the header of a file, what an include gives it, and where the values go."""

from __future__ import annotations

import json
import textwrap

import pytest
from composing import MAIN, composed, values, wrong
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.gitlab.composed import Place

CHECK = "check the function name, arguments, and types"


def included(spec: str, body: str, inputs: str = "{}") -> dict[str, str]:
    """A file with a header, and one that includes it with inputs."""
    header = textwrap.indent(textwrap.dedent(spec).strip("\n"), "    ")
    return {
        MAIN: f"include:\n  - local: a.yml\n    inputs: {inputs}\n",
        "a.yml": f"spec:\n  inputs:\n{header}\n---\n{textwrap.dedent(body)}",
    }


def test_the_documentation_s_example_of_inputs() -> None:
    spec = r"""
        job-prefix:
          description: "Define a prefix for the job name"
        job-stage:
          default: test
        environment:
          options: ['test', 'staging', 'production']
        concurrency:
          type: number
          default: 1
        version:
          type: string
          regex: ^v\d\.\d+(\.\d+)$
        export_results:
          type: boolean
          default: true
    """
    body = """
        "$[[ inputs.job-prefix ]]-scan-website":
          stage: $[[ inputs.job-stage ]]
          parallel: $[[ inputs.concurrency ]]
          script:
            - echo "scanning website -e $[[ inputs.environment ]] -c $[[ inputs.concurrency ]] -v $[[inputs.version]]"
            - if $[[ inputs.export_results ]]; then echo "export results"; fi
    """
    given_ = (
        "{job-prefix: 'some-service-', environment: staging, concurrency: 2, version: v1.3.2, export_results: false}"
    )

    assert values(included(spec, body, given_)) == {
        "some-service--scan-website": {
            "stage": "test",
            "parallel": 2,
            "script": [
                'echo "scanning website -e staging -c 2 -v v1.3.2"',
                'if false; then echo "export results"; fi',
            ],
        }
    }


@pytest.mark.parametrize(
    ("spec", "given_", "value"),
    [
        ("a:", "{a: x}", "x"),
        ("a: {default: x}", "{}", "x"),
        ("a: {default: x}", "{a: y}", "y"),
        ("a: {default: x}", "{a: null}", "x"),
        ("a: {default: ''}", "{}", None),
        ("a: {type: number}", "{a: 3}", 3),
        ("a: {type: number}", "{a: 1.5}", 1.5),
        ("a: {type: boolean}", "{a: no}", False),
        ("a: {type: array}", "{a: [1, x, {if: $A}]}", [1, "x", {"if": "$A"}]),
        ("a: {type: array, default: []}", "{}", []),
        ("a: {type: number, options: [1, 2]}", "{a: 2}", 2),
    ],
)
def test_an_input_that_is_a_whole_value_has_its_type(spec: str, given_: str, value: object) -> None:
    found = values(included(spec, "job: {x: $[[ inputs.a ]]}", given_))

    assert found == {"job": {"x": value}}


@pytest.mark.parametrize(
    ("spec", "given_", "problem"),
    [
        ("a:", "{}", f"{MAIN}:3: `a` input: required value has not been provided"),
        ("a:", "{a: x, b: y}", f"{MAIN}:3: unknown input arguments: b"),
        ("stage: {default: x}", "{stages: x}", f"{MAIN}:3: unknown input arguments: stages (did you mean `stage`?)"),
        ("a:", "{a: 3}", f"{MAIN}:3: `a` input: provided value is not a string (put it in quotes)"),
        ("a: {default: yes}", "{}", "a.yml:3: `a` input: default value is not a string (put it in quotes)"),
        ("a: {type: number}", "{a: '3'}", f"{MAIN}:3: `a` input: provided value is not a number"),
        ("a: {type: number}", "{a: true}", f"{MAIN}:3: `a` input: provided value is not a number"),
        ("a: {type: boolean}", "{a: 'true'}", f"{MAIN}:3: `a` input: provided value is not a boolean"),
        ("a: {type: array}", "{a: x}", f"{MAIN}:3: `a` input: provided value is not an array"),
        (
            "a: {options: [x, y]}",
            "{a: z}",
            f"{MAIN}:3: `a` input: `z` cannot be used because it is not in the list of allowed options (one of x, y)",
        ),
        ("a: {regex: '^v'}", "{a: x}", f"{MAIN}:3: `a` input: provided value does not match required RegEx pattern"),
        (
            "a: {regex: '^v', default: x}",
            "{a: v}",
            "a.yml:3: `a` input: default value does not match required RegEx pattern",
        ),
        (
            "a: {regex: '('}",
            "{a: x}",
            "a.yml:3: `a` input: invalid regular expression: missing ): ( at position 0",
        ),
        (
            "a: {type: text}",
            "{a: x}",
            'a.yml:3: `a` input: unknown type "text" (valid types: array, boolean, number, string)',
        ),
        (
            "a: {type: boolean, options: [true]}",
            "{a: true}",
            "a.yml:3: `a` input: options can only be used with string and number inputs",
        ),
        (
            "a: {type: number, regex: x}",
            "{a: 1}",
            "a.yml:3: `a` input: RegEx validation can only be used with string inputs",
        ),
        ("a: {defualt: x}", "{a: x}", "a.yml:3: `a` input: there is no `defualt` (did you mean `default`?)"),
        ("a: text", "{a: x}", "a.yml:3: `a` input: should be a hash"),
    ],
)
def test_an_input_that_does_not_fit_is_told_where_it_stands(spec: str, given_: str, problem: str) -> None:
    assert wrong(included(spec, "job: {script: x}", given_)) == [problem]


def test_inputs_for_a_file_that_asks_for_none_are_a_problem() -> None:
    files = {MAIN: "include:\n  local: a.yml\n  inputs:\n    x: 1\n", "a.yml": "a: {script: x}"}

    assert wrong(files) == [f"{MAIN}:3: the inputs given are not defined in a `spec` section of `a.yml`"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("spec: {inputs: {a: }}\n", "1: `spec` is a header (write a line with `---` below it)"),
        ("spec: [a]\n---\na: 1\n", "1: `spec` should be a hash"),
        ("spec: {inputs: [a]}\n---\na: 1\n", "1: `spec:inputs` should be a hash"),
        ("spec: {input: {}}\n---\na: 1\n", "1: `spec` has no `input` (did you mean `inputs`?)"),
        ("spec: {include: [x]}\n---\na: 1\n", "1: hookci reads no `spec:include` (write the inputs into this file)"),
        ("spec: {inputs: {a: }}\n---\na: 1\n", "1: `a` input: required value has not been provided"),
    ],
)
def test_a_header_that_makes_no_sense_is_told(header: str, problem: str) -> None:
    assert wrong(header) == [f"{MAIN}:{problem}"]


def test_a_header_may_ask_for_nothing() -> None:
    assert values("spec:\n---\na: 1\n") == {"a": 1}
    assert values("---\nspec: {inputs: }\n---\na: 1\n") == {"a": 1}


def test_the_main_file_has_the_defaults_of_its_inputs() -> None:
    assert values("spec: {inputs: {a: {default: x}}}\n---\n$[[ inputs.a ]]: 1\n") == {"x": 1}


def test_without_a_header_a_block_is_text() -> None:
    assert values("a: {script: 'echo $[[ inputs.x ]]'}") == {"a": {"script": "echo $[[ inputs.x ]]"}}


def test_values_of_a_matrix_are_left_for_later() -> None:
    found = values("spec: {inputs: {a: {default: x}}}\n---\nj: {needs: ['$[[ inputs.a ]] $[[ matrix.OS ]]']}\n")

    assert found == {"j": {"needs": ["x $[[ matrix.OS ]]"]}}


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("inputs.a", "some $WORD"),
        ("inputs.a | expand_vars", "some thing"),
        ("inputs.a|expand_vars|truncate(5,8)", "thing"),
        ("inputs.a | truncate( 0 , 4 )", "some"),
        ("inputs.a | truncate(100, 4)", ""),
        ("inputs.b | expand_vars", "$NOT_SET ${WORD"),
        ("inputs.c | posix_escape", "it\\'s\\ \\$5"),
        ("inputs.d | split(',')", '["x", "y z"]'),
        ("inputs.e | split('|')", '["x", "y"]'),
    ],
)
def test_functions_change_an_input_one_after_the_other(block: str, text: str) -> None:
    spec = """
        a: {default: some $WORD}
        b: {default: '$NOT_SET ${WORD'}
        c: {default: "it's $5"}
        d: {default: 'x, y z,,'}
        e: {default: 'x|y'}
    """

    found = values(included(spec, f"job:\n  script: |-\n    >$[[ {block} ]]<\n"), facts={"WORD": "thing"})

    assert found == {"job": {"script": f">{text}<"}}


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("inputs.nme", "unknown interpolation key: `nme` (did you mean `name`?)"),
        ("input.name", "unknown interpolation key: `name`"),
        ("name", "`name`: invalid interpolation access pattern (write `$[[ inputs.name ]]`)"),
        ("inputs.name | shout", f"no function matching `shout`: {CHECK}"),
        (
            "inputs.name | truncate(x)",
            f"no function matching `truncate(x)`: {CHECK} (did you mean `truncate`?)",
        ),
        (
            "inputs.many | truncate(1,2)",
            "error in `truncate` function: invalid input type: it can only be used with string inputs",
        ),
        (
            "inputs.name | expand_vars | expand_vars | expand_vars | expand_vars",
            "too many functions in interpolation block",
        ),
    ],
)
def test_a_block_without_a_value_is_told_with_its_line(block: str, problem: str) -> None:
    files = included("name: {default: x}\nmany: {type: number, default: 1}", f"job:\n  script: $[[ {block} ]]\n")

    assert wrong(files) == [f"a.yml:7: {problem}"]


def test_lines_are_those_of_the_file_also_below_an_input_of_several_lines() -> None:
    files = included('a: {default: "x\\ny\\nz"}', "job: {x: '$[[ inputs.a ]]',\n  y: 1}\nlast: 2\n")

    found = composed(files)

    assert found.values["job"] == {"x": "x y z", "y": 1}
    assert found.place(("job", "y")) == Place("a.yml", 6)
    assert found.place(("last",)) == Place("a.yml", 7)


RULES = """
    cloud: {default: aws}
    big: {type: boolean, default: false}
    instance-type:
      rules:
        - if: $[[ inputs.cloud ]] == 'aws' && $[[ inputs.big ]] == true
          options: [t3.xlarge, m5.xlarge]
          default: t3.xlarge
        - if: $[[ inputs.cloud ]] == 'aws' || $[[ inputs.cloud ]] == 'amazon'
          options: [t3.micro]
          default: t3.micro
        - options: [small, large]
          default: small
"""


@pytest.mark.parametrize(
    ("given_", "value"),
    [
        ("{}", "t3.micro"),
        ("{big: true}", "t3.xlarge"),
        ("{big: true, instance-type: m5.xlarge}", "m5.xlarge"),
        ("{cloud: amazon, big: true}", "t3.micro"),
        ("{cloud: azure}", "small"),
        ("{cloud: azure, instance-type: large}", "large"),
    ],
)
def test_the_first_rule_of_an_input_that_holds_gives_its_default_and_options(given_: str, value: str) -> None:
    assert values(included(RULES, "job: {x: '$[[ inputs.instance-type ]]'}", given_)) == {"job": {"x": value}}


def test_an_option_of_another_rule_is_none() -> None:
    why = "`m5.xlarge` cannot be used because it is not in the list of allowed options (one of t3.micro)"

    found = wrong(included(RULES, "job: 1", "{instance-type: m5.xlarge}"))

    assert found == [f"{MAIN}:3: `instance-type` input: {why}"]


def test_a_component_knows_what_it_is() -> None:
    files = {MAIN: "include: {component: example.com/g/p/lint@1.0}"}
    text = "spec: {component: [name, version]}\n---\n'$[[ component.name ]]': {script: $[[ component.version ]]}\n"

    assert values(files, fetched={"example.com/g/p/lint@1.0": text}) == {"lint": {"script": 1.0}}


@given(
    st.recursive(
        st.booleans() | st.integers() | st.text("ab '\"\\:#{}[]\n", max_size=6),
        lambda x: st.lists(x, max_size=3),
        max_leaves=5,
    )
)
def test_a_list_arrives_as_it_was_given(value: object) -> None:
    spec = f"a: {{type: array, default: {json.dumps([value])}}}"

    assert values(included(spec, "job: {x: $[[ inputs.a ]]}")) == {"job": {"x": [value]}}
