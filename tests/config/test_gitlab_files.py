"""``artifacts`` and ``cache`` of a ``.gitlab-ci.yml``."""

from __future__ import annotations

import pytest
from gitlab_samples import job, wrong

from hookci.model.pipeline import Artifacts, Cache, CachePolicy, When
from hookci.model.scan import GITLAB, Scan, WrittenReport


def test_artifacts_are_paths_and_when_to_keep_them() -> None:
    found = job("artifacts: {paths: [dist/, $OUT], exclude: ['**/*.o'], untracked: true, when: on_failure}")

    assert found.artifacts == Artifacts(
        paths=("dist/", "$OUT"), exclude=("**/*.o",), untracked=True, when=When.ON_FAILURE
    )


def test_reports_of_tests_and_variables_are_read() -> None:
    found = job("artifacts: {reports: {junit: [a.xml, b/*.xml], dotenv: build.env}}")

    assert found.junit == ("a.xml", "b/*.xml")
    assert found.artifacts == Artifacts(dotenv=("build.env",))


def test_artifacts_that_are_none_are_told() -> None:
    assert wrong("artifacts: [a]") == [".artifacts: config should be a hash, saw a list"]
    assert wrong("artifacts: {paths: a, when: never, reports: {junt: a}}") == [
        ".artifacts.reports.junt: config contains unknown keys: junt (did you mean `junit`?)",
        '.artifacts.paths: should be an array of strings, saw "a"',
        '.artifacts.when: should be one of: on_success, on_failure, always, saw "never"',
    ]


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("{paths: [a]}", Cache(("a",))),
        ("{key: $CI_COMMIT_REF_SLUG, paths: [a]}", Cache(("a",), key="$CI_COMMIT_REF_SLUG")),
        ("{key: 1, paths: [a]}", Cache(("a",), key="1")),
        ("{key: {files: [b, c]}, paths: [a]}", Cache(("a",), key="", key_files=("b", "c"))),
        ("{key: {files: [b], prefix: $P}, paths: [a]}", Cache(("a",), key="$P", key_files=("b",))),
        ("{paths: [a], policy: pull}", Cache(("a",), policy=CachePolicy.PULL)),
        ("{paths: [a], policy: $POLICY}", Cache(("a",), policy_from="$POLICY")),
        ("{paths: [a], when: always}", Cache(("a",), when=When.ALWAYS)),
        ("{paths: [a], fallback_keys: [b, c]}", Cache(("a",), fallback_keys=("b", "c"))),
        ("{untracked: true}", Cache((), untracked=True)),
        ("[{paths: [a]}]", Cache(("a",))),
    ],
)
def test_a_cache(written: str, meaning: Cache) -> None:
    assert job(f"cache: {written}").cache == (meaning,)


def test_several_caches() -> None:
    assert [one.key for one in job("cache: [{key: a, paths: [x]}, {key: b, paths: [y]}]").cache] == ["a", "b"]


@pytest.mark.parametrize("written", ["[]", "{}", "{key: a}", "null"])
def test_a_cache_of_no_files_is_none(written: str) -> None:
    assert job(f"cache: {written}").cache == ()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a", '.cache: config should be a hash, saw "a"'),
        ("{path: [a]}", ".cache.path: config contains unknown keys: path (did you mean `paths`?)"),
        ("{key: a/b, paths: [a]}", '.cache.key: key cannot contain the "/" character, or be "." or ".."'),
        ("{key: {files: []}, paths: [a]}", ".cache.key.files: files config must have at least 1 file"),
        ("{key: {prefix: a}, paths: [a]}", ".cache.key.files: is missing"),
        (
            "{paths: [a], policy: pul}",
            (
                ".cache.policy: policy should be a variable or one of: pull-push, pull, push, "
                'saw "pul" (did you mean `pull`?)'
            ),
        ),
        (
            "{paths: [a], fallback_keys: [a, b, c, d, e, f]}",
            ".cache.fallback_keys: has too many entries (maximum 5)",
        ),
        (
            "[{paths: [a]}, {paths: [b]}, {paths: [c]}, {paths: [d]}, {paths: [e]}]",
            ".cache: caches config no more than 4 caches can be created, saw 5",
        ),
    ],
)
def test_caches_that_are_none_are_told(written: str, message: str) -> None:
    assert wrong(f"cache: {written}") == [message]


def test_reports_of_findings_are_read_in_the_order_of_their_kinds() -> None:
    found = job("artifacts: {reports: {sast: a.json, codequality: [b.json, $C]}}").scan

    assert found == Scan(
        tool=GITLAB,
        written=(
            WrittenReport("codequality", "b.json"),
            WrittenReport("codequality", "$C"),
            WrittenReport("sast", "a.json"),
        ),
    )
    assert not found.decides


def test_a_job_without_such_reports_scans_nothing() -> None:
    assert job("artifacts: {reports: {junit: a.xml}}").scan is None
