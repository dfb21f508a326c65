from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from desk_samples import NOW, tree
from online_samples import VULNERABILITIES, black_hole, closed_door, online_desk, osv, package_index, service

from hookci.model.finding import Severity
from hookci.model.scan import Scan
from hookci.scan.online.pipaudit import PipAuditScanner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.scan.adapter import Desk, Scanned

VULNERABLE = {"requirements.txt": "# web\nflask==3.0\nDjango==2.2.0  # old\n"}


def scan(files: Mapping[str, str], desk: Desk) -> Scanned:
    snapshot, scanner = tree(files), PipAuditScanner()
    return scanner.scan(snapshot, scanner.asks(snapshot), Scan(tool="pip-audit"), desk)


def places(scanned: Scanned) -> list[tuple[str, str, int]]:
    return [(finding.rule, finding.path, finding.line) for finding in scanned.findings]


def test_pinned_versions_are_looked_up_as_they_stand(tmp_path: Path) -> None:
    with osv(VULNERABILITIES) as (running, variables):
        scanned = scan(VULNERABLE, online_desk(tmp_path, environment=variables))

    (finding,) = scanned.findings
    assert places(scanned) == [("PYSEC-2021-98", "requirements.txt", 3)]
    assert (finding.aliases, finding.severity, finding.code) == (("CVE-2021-33203",), Severity.HIGH, "django")
    assert finding.message == "django 2.2.0: Directory traversal in django (fixed in 2.2.24)"
    assert [json.loads(content)["package"]["name"] for *_others, content in running.requests] == ["django", "flask"]
    assert (scanned.unscanned, scanned.holds_until) == ((), NOW + 86_400)


def test_what_was_looked_up_and_is_clean_is_clean(tmp_path: Path) -> None:
    with osv(VULNERABILITIES) as (running, variables):
        scanned = scan({"requirements.txt": "django==2.2.24\n"}, online_desk(tmp_path, environment=variables))

    assert (scanned.findings, scanned.unscanned) == ((), ())
    assert scanned.notes == (f"asked at {running.address}/v1/query",)


def test_a_marker_takes_nothing_out(tmp_path: Path) -> None:
    with osv(VULNERABILITIES) as (_running, variables):
        files = {"requirements.txt": "django==2.2 ; sys_platform == 'no-such'\n"}
        scanned = scan(files, online_desk(tmp_path, environment=variables))

    assert places(scanned) == [("PYSEC-2021-98", "requirements.txt", 1)]


def test_versions_that_a_lock_file_has_are_looked_up(tmp_path: Path) -> None:
    lock = '[[package]]\nname = "django"\nversion = "2.2.0"\nsource = { registry = "https://example.com/simple" }\n'
    with osv(VULNERABILITIES) as (_running, variables):
        scanned = scan({"uv.lock": f"version = 1\n\n{lock}"}, online_desk(tmp_path, environment=variables))

    assert [finding.path for finding in scanned.findings] == ["uv.lock"]


def test_two_versions_of_a_package_are_no_contradiction(tmp_path: Path) -> None:
    files = {"requirements.txt": "django==2.2.24\n", "old/requirements.txt": "-r ../requirements.txt\ndjango==2.2.1\n"}
    with osv(VULNERABILITIES) as (_running, variables):
        scanned = scan(files, online_desk(tmp_path, environment=variables))

    assert places(scanned) == [("PYSEC-2021-98", "old/requirements.txt", 2)]
    assert scanned.unscanned == ()


def test_what_is_left_open_is_resolved_with_what_it_depends_on(tmp_path: Path) -> None:
    wheels = {("wheel", "1.0"): "", ("demo", "1.5"): "django", ("django", "2.2.1"): "", ("django", "9.0"): ""}
    files = {
        "requirements.txt": "-c pins.txt\n-i https://example.com/simple\ndemo>=1\nother ; python_version < '3'\n",
        "pins.txt": "django==2.2.1\n",
    }
    with osv(VULNERABILITIES) as (_running, variables), package_index(wheels) as index:
        scanned = scan(files, online_desk(tmp_path, environment=variables | index))

    assert sorted(places(scanned)) == [("PYSEC-2021-98", "pins.txt", 1), ("PYSEC-2099-1", "requirements.txt", 3)]
    assert scanned.unscanned == ()
    assert "only what this machine would install, so not other" in scanned.notes


def test_what_cannot_be_resolved_is_not_clean(tmp_path: Path) -> None:
    with osv(VULNERABILITIES) as (_running, variables), package_index({("wheel", "1.0"): ""}) as index:
        scanned = scan({"requirements.txt": "demo\n"}, online_desk(tmp_path, environment=variables | index))

    assert scanned.unscanned == ("pip-audit failed: ERROR: No matching distribution found for demo",)


def test_what_a_project_file_leaves_open_is_not_clean_when_nothing_else_is_there(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project]\nname = "own"\nversion = "1"\ndependencies = ["django>=2"]\n'}

    scanned = scan(files, online_desk(tmp_path))

    assert scanned.unscanned == ("pip resolves requirements files only, so not django",)


def test_without_a_network_nothing_is_clean(tmp_path: Path) -> None:
    desk = online_desk(tmp_path, environment={"PIP_AUDIT_OSV_URL": f"{closed_door()}/v1/query"})

    scanned = scan({"requirements.txt": "flask==3.0\n"}, desk)

    assert "Connection refused" in scanned.unscanned[0]
    assert scanned.holds_until == 0.0


def test_a_server_that_never_answers_holds_a_scan_no_longer_than_its_deadline(tmp_path: Path) -> None:
    with black_hole() as address:
        environment = {"PIP_AUDIT_OSV_URL": f"{address}/v1/query"}
        scanned = scan(VULNERABLE, online_desk(tmp_path, longest=2, environment=environment))

    assert scanned.unscanned == ("pip-audit had no answer within 60 s",)


@pytest.mark.parametrize("status", [404, 500])
def test_a_server_with_an_error_is_not_clean(tmp_path: Path, status: int) -> None:
    with service(lambda *_asked: (status, {})) as running:
        environment = {"PIP_AUDIT_OSV_URL": f"{running.address}/v1/query"}
        scanned = scan(VULNERABLE, online_desk(tmp_path, environment=environment))

    assert scanned.unscanned[0].startswith("pip-audit failed: ")


def test_an_advisory_in_a_form_that_is_not_known_is_not_clean(tmp_path: Path) -> None:
    unknown = [VULNERABILITIES["django"][0] | {"schema_version": "2.0.0"}]
    with osv({"django": unknown}) as (_running, variables):
        scanned = scan(VULNERABLE, online_desk(tmp_path, environment=variables))

    assert "Unsupported OSV schema version: 2.0.0" in scanned.unscanned[0]


@pytest.mark.parametrize(
    ("status", "report", "words"),
    [
        (0, {"dependencies": [{"name": "django", "skip_reason": "not found"}]}, "skipped django: not found"),
        (0, {"dependencies": [{"name": "flask", "version": "3.0", "vulns": []}]}, "leaves out django"),
        (1, {"dependencies": [{"name": n, "version": "1", "vulns": []} for n in ("django", "flask")]}, "exit status 1"),
        (0, {"dependencies": [{"name": "django"}]}, "failed: a last word"),
        (0, {}, "failed: a last word"),
    ],
)
def test_a_report_that_is_not_whole_is_not_clean(
    tmp_path: Path, status: int, report: dict[str, object], words: str
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho a last word >&2\necho '{json.dumps(report)}'\nexit {status}\n")
    program.chmod(0o700)

    scanned = scan(VULNERABLE, online_desk(tmp_path, python=str(program)))

    assert words in scanned.unscanned[0]


def test_hostile_modules_and_variables_change_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    with osv(VULNERABILITIES) as (_running, variables):
        hostile = {
            "PYTHONPATH": str(tmp_path / "desk"),
            "PIP_AUDIT_OUTPUT": str(tmp_path / "away"),
            "PIP_AUDIT_DESC": "no",
        }
        desk = online_desk(tmp_path, environment=variables | hostile)
        for name in ("pip_audit", "pip", "copy", "requests", "sitecustomize"):
            (desk.directory / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')\nraise SystemExit(0)\n")
        scanned = scan(VULNERABLE, desk)

    assert places(scanned) == [("PYSEC-2021-98", "requirements.txt", 3)]
    assert not marker.exists()
    assert not (tmp_path / "away").exists()


def test_a_tree_that_names_no_packages_says_so(tmp_path: Path) -> None:
    scanned = scan({"main.py": "print()\n"}, online_desk(tmp_path))

    assert (scanned.what, scanned.files, scanned.unscanned) == ("no file that names packages", 0, ())


def test_the_installed_version_is_told() -> None:
    assert PipAuditScanner().version().startswith("2.")
