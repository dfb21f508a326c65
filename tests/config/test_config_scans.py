"""What a config asks of security scanners, and which findings it lets pass."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from config_samples import in_job, problems, read

from hookci.config.schema_scan import ScannerName
from hookci.model.finding import Confidence, Severity
from hookci.model.pipeline import Artifacts, Cache, CachePolicy, Job
from hookci.model.scan import SCANNERS, Scan, Suppression

DAY = 86_400.0
FINGERPRINT = "0123456789abcdef" * 4 + ":1"


def scan_of(written: str, more: str = "") -> Scan:
    scan = read(f"[jobs.a]\nscan = {written}\n{more}").jobs["a"].scan
    assert scan is not None
    return scan


def suppression(**keys: str) -> str:
    """A suppression in which nothing is missing but what ``keys`` have."""
    written = {"reason": "'looked at'", "expires": "2027-01-31", **keys}
    return "[[suppressions]]\n" + "".join(f"{key} = {value}\n" for key, value in written.items() if value)


def in_suppression(**keys: str) -> list[str]:
    return problems(in_job("") + suppression(**keys))


def test_every_scanner_can_be_named() -> None:
    assert get_args(ScannerName) == SCANNERS


@pytest.mark.parametrize("name", SCANNERS)
def test_the_name_of_a_scanner_is_short_for_a_table(name: str) -> None:
    assert scan_of(f'"{name}"') == scan_of(f'{{ tool = "{name}" }}') == Scan(tool=name)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            '{ tool = "bandit", severity = "low", confidence = "high", allow_unscanned = true, files = ["src/**"] }',
            Scan(
                tool="bandit",
                severity=Severity.LOW,
                confidence=Confidence.HIGH,
                allow_unscanned=True,
                files=("src/**",),
            ),
        ),
        ('{ tool = "safety", db = "/srv/safety-db" }', Scan(tool="safety", db="/srv/safety-db")),
        ('{ tool = "dependencies", stale_after = "30 days" }', Scan(tool="dependencies", stale_after=30 * DAY)),
    ],
)
def test_every_key_of_a_scan_arrives(written: str, meant: Scan) -> None:
    assert scan_of(written) == meant


def test_a_report_comes_from_the_script_of_its_job() -> None:
    pipeline = read("""
        [jobs.semgrep]
        before_script = "setup"
        script = "semgrep --sarif -o out/report.sarif"
        matrix = [{ N = [1, 2] }]
        scan = { sarif = "out/report.sarif", severity = "critical", files = "src/**", allow_unscanned = true }
    """)

    job = pipeline.jobs["semgrep: [1]"]
    assert (job.stage, job.before_script) == ("test", ("setup",))
    assert job.script == ("semgrep --sarif -o out/report.sarif",)
    assert job.scan == Scan(
        tool="sarif", report="out/report.sarif", severity=Severity.CRITICAL, files=("src/**",), allow_unscanned=True
    )


def test_what_all_jobs_have_for_their_scripts_is_not_for_scanners() -> None:
    pipeline = read("""
        [defaults]
        before_script = "setup"
        after_script = "clean"
        shell = "sh"
        cache = { paths = [".venv"], policy = "pull" }
        artifacts = ["dist/"]
        carry = ".env"
        tools = ["gcc"]
        image = "python:3.12"
        services = ["postgres"]
        timeout = "5m"
        retry = 1
        secrets = ["SAFETY_API_KEY"]
        variables = { A = "x" }
        [jobs.code]
        scan = "bandit"
        [jobs.unit]
        script = "x"
    """)

    code, unit = pipeline.jobs["code"], pipeline.jobs["unit"]
    assert code == Job(
        name="code",
        group="code",
        stage="security",
        scan=Scan(tool="bandit"),
        timeout=300.0,
        retry=unit.retry,
        secrets=("SAFETY_API_KEY",),
        variables={"A": "x"},
    )
    assert unit.cache == (Cache((".venv",), policy=CachePolicy.PULL),)
    assert unit.artifacts == Artifacts(("dist/",))
    assert unit.image is not None
    assert unit.services


@pytest.mark.parametrize(
    ("stages", "written", "stage"),
    [
        ("['test', 'security']", "", "security"),
        ("['test', 'deploy']", "", "test"),
        ("['test', 'security']", "stage = 'test'", "test"),
    ],
)
def test_a_scanner_is_in_the_stage_for_security_where_there_is_one(stages: str, written: str, stage: str) -> None:
    pipeline = read(f"stages = {stages}\n[jobs.a]\nscan = 'secrets'\n{written}")

    assert pipeline.jobs["a"].stage == stage


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        (
            "scan = 'bandt'",
            (
                'jobs.a.scan: expected "bandit", "dependencies", "safety", "pip-audit" or "secrets", saw "bandt"'
                " (did you mean `bandit`?)"
            ),
        ),
        (
            "scan.tool = 'pip_audit'",
            (
                'jobs.a.scan.tool: expected "bandit", "dependencies", "safety", "pip-audit" or "secrets",'
                ' saw "pip_audit" (did you mean `pip-audit`?)'
            ),
        ),
        ("scan = {}", "jobs.a.scan: expected either tool or sarif"),
        ("scan = { tool = 'bandit', sarif = 'a' }\nscript = 'x'", "jobs.a.scan: expected either tool or sarif"),
        ("scan.sarif = 'a'", "jobs.a: has no script"),
        ("scan.sarif = ''\nscript = 'x'", 'jobs.a.scan.sarif: expected a path below the repository\'s root, saw ""'),
        (
            "scan.sarif = '../a'\nscript = 'x'",
            'jobs.a.scan.sarif: expected a path below the repository\'s root, saw "../a"',
        ),
        (
            "scan = { tool = 'bandit', severty = 'low' }",
            "jobs.a.scan.severty: unknown key (did you mean `severity`?)",
        ),
        (
            "scan = { tool = 'bandit', severity = 'hihg' }",
            ('jobs.a.scan.severity: expected "low", "medium", "high" or "critical", saw "hihg" (did you mean `high`?)'),
        ),
        (
            "scan = { tool = 'bandit', confidence = 'critical' }",
            'jobs.a.scan.confidence: expected "low", "medium" or "high", saw "critical"',
        ),
        (
            "scan = { tool = 'bandit', allow_unscanned = 'yes' }",
            'jobs.a.scan.allow_unscanned: expected true or false, saw "yes"',
        ),
        ("scan = { tool = 'bandit', files = [] }", "jobs.a.scan.files: is empty"),
        (
            "scan = { tool = 'bandit', files = ['a', '/b'] }",
            'jobs.a.scan.files[1]: expected a path below the repository\'s root, saw "/b"',
        ),
        ("scan = { tool = 'bandit', db = 'x' }", 'jobs.a.scan.db: is only for the scanner "safety"'),
        ("scan = { tool = 'safety', db = '' }", "jobs.a.scan.db: is empty"),
        (
            "scan = { tool = 'safety', stale_after = '1d' }",
            'jobs.a.scan.stale_after: is only for the scanner "dependencies"',
        ),
        (
            "scan = { tool = 'dependencies', stale_after = '0d' }",
            'jobs.a.scan.stale_after: expected a duration longer than zero, saw "0d"',
        ),
        (
            "scan = { tool = 'dependencies', stale_after = 30 }",
            'jobs.a.scan.stale_after: expected a duration such as "15m" or "1h 30m", saw 30',
        ),
    ],
)
def test_what_is_wrong_with_a_scan_is_told_at_its_place(job: str, problem: str) -> None:
    assert problems(f"[jobs.a]\n{job}") == [problem]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "script = 'x'",
            "script: is not for a scanner (a script that writes a report goes with scan = { sarif = ... })",
        ),
        ("before_script = 'x'", "before_script: is not for a scanner"),
        ("after_script = 'x'", "after_script: is not for a scanner"),
        ("shell = 'sh'", "shell: is not for a scanner"),
        ("matrix = [{ A = 1 }]", "matrix: is not for a scanner"),
        ("image = 'x'", "image: is not for a scanner"),
        ("services = ['x']", "services: is not for a scanner"),
        ("build = '.'", "build: is not for a scanner"),
        ("cache.paths = 'x'", "cache: is not for a scanner"),
        ("artifacts = ['x']", "artifacts: is not for a scanner"),
        ("carry = 'x'", "carry: is not for a scanner"),
        ("reports.junit = 'x'", "reports: is not for a scanner"),
        ("tools = []", "tools: is not for a scanner"),
        ("inputs = 'src/**'", "inputs: is not for a scanner (scan = { files = ... } says what is scanned)"),
    ],
)
def test_what_belongs_to_a_script_is_refused_beside_a_scanner(written: str, told: str) -> None:
    assert problems(f"[jobs.a]\nscan = 'bandit'\n{written}") == [f"jobs.a.{told}"]


def test_a_broken_report_makes_no_problem_of_its_script() -> None:
    assert problems(in_job("scan.sarif = 3")) == ["jobs.a.scan.sarif: expected text, saw 3"]


def test_suppressions_arrive_whole_and_reach_every_scan() -> None:
    pipeline = read(f"""
        [jobs.code]
        scan = "bandit"
        [jobs.semgrep]
        script = "x"
        scan.sarif = "report.sarif"
        [jobs.unit]
        script = "x"
        [[suppressions]]
        rule = "B602"
        path = "tools/**"
        reason = "the commands are our own"
        expires = 2027-01-31
        [[suppressions]]
        fingerprint = "{FINGERPRINT}"
        reason = "not reachable"
        expires = "2020-02-29"
        [[suppressions]]
        secret = "0a1b:2c3d"
        path = "tests/keys.py"
        reason = "a made-up key"
        expires = 2027-12-31
    """)

    expected = (
        Suppression(
            where="suppressions[0]",
            rule="B602",
            path="tools/**",
            reason="the commands are our own",
            expires=date(2027, 1, 31),
        ),
        Suppression(
            where="suppressions[1]", fingerprint=FINGERPRINT, reason="not reachable", expires=date(2020, 2, 29)
        ),
        Suppression(
            where="suppressions[2]",
            secret="0a1b:2c3d",
            path="tests/keys.py",
            reason="a made-up key",
            expires=date(2027, 12, 31),
        ),
    )
    assert pipeline.suppressions == expected
    assert pipeline.jobs["code"].scan == Scan(tool="bandit", suppressions=expected)
    assert pipeline.jobs["semgrep"].scan == Scan(tool="sarif", report="report.sarif", suppressions=expected)
    assert pipeline.jobs["unit"].scan is None


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({}, ": expected one of rule, fingerprint and secret"),
        (
            {"rule": "'B602'", "path": "'a.py'", "secret": "'0a:1b'"},
            ": expected one of rule, fingerprint and secret",
        ),
        ({"rule": "'B602'"}, ": has no path, without which a rule is not suppressed"),
        ({"rule": "' '", "path": "'a.py'"}, ".rule: is empty"),
        ({"rule": "'B602'", "path": "''"}, '.path: expected a path below the repository\'s root, saw ""'),
        ({"rule": "'B602'", "path": "'../a'"}, '.path: expected a path below the repository\'s root, saw "../a"'),
        ({"rule": "'B602'", "path": "'a.py'", "reason": ""}, ".reason: missing"),
        ({"rule": "'B602'", "path": "'a.py'", "reason": "' '"}, ".reason: is empty"),
        ({"rule": "'B602'", "path": "'a.py'", "expires": ""}, ".expires: missing"),
        (
            {"fingerprint": "'0123'"},
            '.fingerprint: expected 64 hex digits, a colon and a number, as a report shows it, saw "0123"',
        ),
        ({"secret": "'a secret'"}, '.secret: expected the hash of a secret, as a report shows it, saw "a secret"'),
        ({"secret": "'0a:1b'", "rules": "'B602'"}, ".rules: unknown key (did you mean `rule`?)"),
    ],
)
def test_what_is_wrong_with_a_suppression_is_told_at_its_place(keys: dict[str, str], problem: str) -> None:
    assert in_suppression(**keys) == [f"suppressions[0]{problem}"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2027-01-31T10:00:00", "2027-01-31 10:00:00"),
        ("2027-01-31T10:00:00Z", "2027-01-31 10:00:00+00:00"),
        ("10:00:00", "10:00:00"),
        ("20270131", "20270131"),
        ("true", "true"),
        ("'20270131'", '"20270131"'),
        ("'2027-W05-1'", '"2027-W05-1"'),
        ("'2027-02-29'", '"2027-02-29"'),
        ("'2027-01-31T10:00'", '"2027-01-31T10:00"'),
        ("'2027-01-31\\n'".replace("'", '"'), '"2027-01-31\\u000a"'),
        ("'never'", '"never"'),
        ("''", '""'),
    ],
)
def test_a_suppression_expires_on_a_day_and_nothing_else(written: str, shown: str) -> None:
    assert in_suppression(secret="'0a:1b'", expires=written) == [
        f"suppressions[0].expires: expected a date such as 2027-01-31, saw {shown}"
    ]


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"rule": "'B602'", "path": "'a.py'"}, '"B602" in "a.py"'),
        ({"secret": "'0a:1b'"}, '"0a:1b"'),
    ],
)
def test_the_same_suppression_twice_is_an_error(keys: dict[str, str], what: str) -> None:
    found = problems(in_job("") + suppression(**keys) + suppression(**keys, reason="'another'"))

    assert found == [f"suppressions[1]: there is more than one suppression of {what}"]


def test_one_rule_may_be_suppressed_in_two_places() -> None:
    first, second = suppression(rule="'B602'", path="'a.py'"), suppression(rule="'B602'", path="'b.py'")

    assert [one.path for one in read(in_job("") + first + second).suppressions] == ["a.py", "b.py"]


def test_problems_of_scans_and_suppressions_come_at_once_in_the_order_of_the_file() -> None:
    found = problems(f"""
        [[suppressions]]
        rule = "B602"
        expires = "soon"
        reason = ""
        [[suppressions]]
        fingerprint = "{FINGERPRINT}"
        [jobs.code]
        scan = {{ tool = "bandt", files = ["/etc"] }}
        [jobs.report]
        scan = {{ sarif = "/tmp/report", db = "x" }}
        [[suppressions]]
        secret = 3
        reason = "x"
        expires = 2027-01-31
    """)

    assert found == [
        "suppressions[0]: has no path, without which a rule is not suppressed",
        'suppressions[0].expires: expected a date such as 2027-01-31, saw "soon"',
        "suppressions[0].reason: is empty",
        "suppressions[1].reason: missing",
        "suppressions[1].expires: missing",
        "suppressions[2].secret: expected text, saw 3",
        (
            'jobs.code.scan.tool: expected "bandit", "dependencies", "safety", "pip-audit" or "secrets", saw "bandt"'
            " (did you mean `bandit`?)"
        ),
        'jobs.code.scan.files[0]: expected a path below the repository\'s root, saw "/etc"',
        "jobs.report: has no script",
        'jobs.report.scan.sarif: expected a path below the repository\'s root, saw "/tmp/report"',
        'jobs.report.scan.db: is only for the scanner "safety"',
    ]
