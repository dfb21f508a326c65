from __future__ import annotations

import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest
from desk_samples import NOW, tree
from msgspec.structs import replace
from online_samples import (
    KEY,
    black_hole,
    closed_door,
    online_desk,
    safety_database,
    safety_servers,
    safety_variables,
    service,
    write_database,
)

from hookci.model.finding import NOT_SCANNED, Severity
from hookci.model.scan import Scan
from hookci.scan.adapter import ScanStoppedError
from hookci.scan.online.safety import SafetyScanner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.scan.adapter import Desk, Finished, Scanned

VULNERABLE = {"requirements.txt": "# web\nflask==3.0\nDjango==2.2.0  # old\n"}
ACCOUNT = {"SAFETY_API_KEY": KEY}


def scan(files: Mapping[str, str], desk: Desk, db: str = "", servers: Mapping[str, str] | None = None) -> Scanned:
    snapshot, scanner = tree(files), SafetyScanner(servers)
    return scanner.scan(snapshot, scanner.asks(snapshot), Scan(tool="safety", db=db), desk)


def rules(scanned: Scanned) -> list[str]:
    return [finding.rule for finding in scanned.findings]


def fake_python(tmp_path: Path, output: str, status: int) -> Path:
    """A program in the interpreter's place that prints ``output`` and ends with ``status``."""
    (tmp_path / "report").write_text(output)
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/report\necho a last word >&2\nexit {status}\n")
    program.chmod(0o700)
    return program


# -- with a mirror


def test_a_mirror_needs_neither_an_account_nor_a_network(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())

    scanned = scan(VULNERABLE, online_desk(tmp_path, environment={"https_proxy": closed_door()}), db=mirror)

    assert rules(scanned) == ["40637", "40638"]
    assert (scanned.unscanned, scanned.notes, scanned.files) == ((), (), 1)
    assert scanned.holds_until == NOW + 86_400


def test_a_finding_names_the_place_the_alias_and_the_severity(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())

    first, second = scan(VULNERABLE, online_desk(tmp_path), db=mirror).findings

    assert (first.path, first.line, first.text, first.code) == ("requirements.txt", 3, "Django==2.2.0  # old", "django")
    assert (first.aliases, first.severity, first.help_uri) == (
        ("CVE-2021-33203",),
        Severity.MEDIUM,
        "https://example.com/v/40637",
    )
    assert first.message.startswith("django 2.2.0: Django before 2.2.24 has a directory traversal. See")
    assert second.severity is Severity.HIGH


def test_a_mirror_can_be_an_address(tmp_path: Path) -> None:
    database = safety_database()
    with service(lambda path, _headers, _content: (200, database[path.removeprefix("/db/")])) as mirror:
        scanned = scan(VULNERABLE, online_desk(tmp_path), db=f"{mirror.address}/db")

    assert rules(scanned) == ["40637", "40638"]
    assert scanned.unscanned == ()


def test_both_versions_of_a_package_are_looked_up(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())
    files = {"requirements.txt": "django==2.2.24\n", "old/requirements.txt": "django==2.2.22\n"}

    scanned = scan(files, online_desk(tmp_path), db=mirror)

    assert [(finding.path, finding.rule) for finding in scanned.findings] == [("old/requirements.txt", "40637")]


def test_a_pre_release_is_looked_up(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())

    scanned = scan({"requirements.txt": "django==2.2.19rc1\n"}, online_desk(tmp_path), db=mirror)

    assert rules(scanned) == ["40637", "40638"]


def test_a_mirror_of_an_older_schema_is_no_clean_scan(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database(schema="1.0"))

    scanned = scan(VULNERABLE, online_desk(tmp_path), db=mirror)

    assert scanned.unscanned == ("the database is damaged, or of another schema than this safety reads (2.0.0)",)
    assert scanned.holds_until == 0.0


@pytest.mark.parametrize("lost", ["advisory", "id"])
def test_a_mirror_that_calls_a_version_insecure_and_does_not_say_why_is_no_clean_scan(
    tmp_path: Path, lost: str
) -> None:
    database = safety_database()
    advisories = database["insecure_full.json"]["vulnerable_packages"]["django"]
    advisories[0].update({"specs": ["<2"]} if lost == "advisory" else {"ids": []})
    mirror = write_database(tmp_path / "mirror", database)

    scanned = scan({"requirements.txt": "django==2.2.22\n"}, online_desk(tmp_path), db=mirror)

    assert scanned.unscanned == ("the database is damaged, or of another schema than this safety reads (2.0.0)",)


@pytest.mark.parametrize("lost", ["insecure.json", "insecure_full.json"])
def test_a_mirror_without_one_of_its_files_is_no_clean_scan(tmp_path: Path, lost: str) -> None:
    database = {name: content for name, content in safety_database().items() if name != lost}
    mirror = write_database(tmp_path / "mirror", database)

    scanned = scan({"requirements.txt": "flask==3.0\n"}, online_desk(tmp_path), db=mirror)

    assert scanned.unscanned == ("the mirror in `db` does not hold insecure.json and insecure_full.json",)


def test_a_mirror_that_is_not_json_is_no_clean_scan(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())
    Path(mirror, "insecure.json").write_text("<html>log in</html>")

    scanned = scan(VULNERABLE, online_desk(tmp_path), db=mirror)

    assert scanned.unscanned == ("the database is damaged, or of another schema than this safety reads (2.0.0)",)


@pytest.mark.parametrize(
    ("made", "note"), [(NOW - 15 * 86_400, "the mirror is 15 days old"), (0, "the mirror does not say how old it is")]
)
def test_an_old_mirror_is_worth_a_warning(tmp_path: Path, made: float, note: str) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database(made=made))

    scanned = scan(VULNERABLE, online_desk(tmp_path), db=mirror)

    assert scanned.notes == (note,)


def test_a_mirror_that_never_answers_holds_a_scan_no_longer_than_its_deadline(tmp_path: Path) -> None:
    with black_hole() as address:
        scanned = scan(VULNERABLE, online_desk(tmp_path, longest=1.5), db=address)

    assert scanned.unscanned == ("safety had no answer within 60 s",)


def test_a_mirror_where_nothing_listens_is_no_clean_scan(tmp_path: Path) -> None:
    scanned = scan(VULNERABLE, online_desk(tmp_path), db=closed_door())

    assert scanned.unscanned == ("safety's servers, or the mirror in `db`, cannot be reached",)


# -- with an account


def test_an_account_key_finds_the_same_and_tells_nobody_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with ExitStack() as running:
        safety, variables = running.enter_context(safety_servers(safety_database()))
        other = running.enter_context(service(lambda *_asked: (200, {})))
        hostile = {
            f"SAFETY_{name}": other.address for name in ("ANNOUNCEMENTS_URL", "SYSTEM_CONFIG_PATH", "PLATFORM_V2_URL")
        }
        environment = ACCOUNT | hostile | {"HOME": str(home), "SAFETY_OUTPUT": "bare", "SAFETY_DB_DIR": str(tmp_path)}

        scanned = scan(VULNERABLE, online_desk(tmp_path, environment=environment), servers=variables)

    assert rules(scanned) == ["40637", "40638"]
    assert (scanned.unscanned, other.requests) == ((), [])
    assert "/data/insecure.json" in {path.partition("?")[0] for _method, path, _headers, _content in safety.requests}
    assert list(home.iterdir()) == []


def test_without_an_account_or_a_mirror_nothing_is_started_and_nothing_is_clean(tmp_path: Path) -> None:
    desk = online_desk(tmp_path)

    scanned = scan(VULNERABLE, desk)

    assert scanned.unscanned == ('safety needs an account key (secrets = ["SAFETY_API_KEY"]) or a mirror (db = ...)',)
    assert not (desk.directory / "stderr").exists()


def test_a_key_that_is_not_accepted_is_no_clean_scan(tmp_path: Path) -> None:
    with safety_servers(safety_database()) as (_safety, variables):
        desk = online_desk(tmp_path, environment={"SAFETY_API_KEY": "another"})
        scanned = scan(VULNERABLE, desk, servers=variables)

    assert scanned.unscanned == ("safety's server does not accept the account key in SAFETY_API_KEY",)


def test_a_database_of_an_older_schema_from_the_server_is_no_clean_scan(tmp_path: Path) -> None:
    with safety_servers(safety_database(schema="1.0")) as (_safety, variables):
        scanned = scan(VULNERABLE, online_desk(tmp_path, environment=ACCOUNT), servers=variables)

    assert scanned.unscanned == ("the database is damaged, or of another schema than this safety reads (2.0.0)",)


def test_without_a_network_nothing_is_clean(tmp_path: Path) -> None:
    servers = safety_variables(closed_door())

    scanned = scan({"requirements.txt": "flask==3.0\n"}, online_desk(tmp_path, environment=ACCOUNT), servers=servers)

    assert scanned.unscanned == ("safety's servers, or the mirror in `db`, cannot be reached",)


def test_a_server_that_never_answers_holds_a_scan_no_longer_than_its_deadline(tmp_path: Path) -> None:
    with black_hole() as address:
        desk = online_desk(tmp_path, longest=2, environment=ACCOUNT)
        scanned = scan(VULNERABLE, desk, servers=safety_variables(address))

    assert scanned.unscanned == ("safety had no answer within 60 s",)


def test_a_job_whose_time_is_over_is_stopped_and_not_judged(tmp_path: Path) -> None:
    ended: list[Finished] = []

    def check() -> None:
        if ended:
            raise ScanStoppedError

    with black_hole() as address:
        usual = online_desk(tmp_path, longest=0.2, check=check)

        def run(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
            ended.append(usual.run(argv, environment, timeout))
            return ended[0]

        desk = replace(usual, run=run)
        with pytest.raises(ScanStoppedError):
            scan(VULNERABLE, desk, db=address)


def test_a_terminal_is_asked_nothing(tmp_path: Path) -> None:
    program = """
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[1])
        from test_safety_scanner import ACCOUNT, VULNERABLE, online_desk, safety_variables, scan
        desk = online_desk(Path(sys.argv[2]), environment=ACCOUNT)
        scanned = scan(VULNERABLE, desk, servers=safety_variables(sys.argv[3]))
        print(len(scanned.findings), "findings", *scanned.unscanned)
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    nobody = dict.fromkeys(safety_database(), 401)
    with safety_servers(nobody) as (safety, _variables):
        argv = [str(tmp_path / "program.py"), str(Path(__file__).parent), str(tmp_path), safety.address]
        terminal = pexpect.spawn(sys.executable, argv, encoding="utf-8", timeout=60)
        terminal.expect(pexpect.EOF)
        terminal.close()

    assert terminal.before is not None
    assert terminal.before.splitlines()[-1].startswith("0 findings")
    assert "(R)egister" not in terminal.before


# -- what it answers


CLEAN = '{"scanned_packages": {"django": {}, "flask": {}}, "vulnerabilities": []}'


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (1, "safety failed: a last word"),
        (2, "does not know what it is asked"),
        (65, "does not accept the account key"),
        (66, "wants fewer requests"),
        (67, "does not hold insecure.json"),
        (68, "could not fetch its database"),
        (69, "is damaged, or of another schema"),
        (72, "has not been verified"),
        (99, "safety failed: a last word"),
    ],
)
def test_no_exit_status_but_those_of_an_answer_is_clean(tmp_path: Path, status: int, words: str) -> None:
    desk = online_desk(tmp_path, environment=ACCOUNT, python=str(fake_python(tmp_path, CLEAN, status)))

    scanned = scan(VULNERABLE, desk)

    assert words in scanned.unscanned[0]
    assert (scanned.findings, scanned.holds_until) == ((), 0.0)


@pytest.mark.parametrize(
    ("status", "output", "words"),
    [
        (0, "", "exit status 0 and gave no report"),
        (64, "+=== DEPRECATED ===+", "exit status 64 and gave no report"),
        (0, '{"vulnerabilities": []}', "gave no report"),
        (0, '{"scanned_packages": {"flask": {}}, "vulnerabilities": []}', "leaves out django"),
        (64, CLEAN, "names none"),
    ],
)
def test_an_answer_that_is_not_whole_is_not_clean(tmp_path: Path, status: int, output: str, words: str) -> None:
    desk = online_desk(tmp_path, environment=ACCOUNT, python=str(fake_python(tmp_path, output, status)))

    scanned = scan(VULNERABLE, desk)

    assert words in scanned.unscanned[0]


def test_banners_around_the_report_do_not_hide_it(tmp_path: Path) -> None:
    output = f"\n\n+=====+\n\x1b[31mDEPRECATED: this command\x1b[0m\n{CLEAN}\n+====+ {{}}"
    desk = online_desk(tmp_path, environment=ACCOUNT, python=str(fake_python(tmp_path, output, 0)))

    scanned = scan(VULNERABLE, desk)

    assert (scanned.findings, scanned.unscanned) == ((), ())


# -- what it is asked


@pytest.mark.parametrize("way", ["mirror", "account"])
def test_hostile_modules_in_the_directory_and_on_the_path_do_not_run(tmp_path: Path, way: str) -> None:
    marker = tmp_path / "marker"
    mirror = write_database(tmp_path / "mirror", safety_database())
    with safety_servers(safety_database()) as (_safety, variables):
        desk = online_desk(
            tmp_path, environment=ACCOUNT | {"PYTHONPATH": str(tmp_path / "desk"), "PYTHONSTARTUP": "copy.py"}
        )
        for name in ("safety", "copy", "httpx", "sitecustomize", "json"):
            (desk.directory / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')\nraise SystemExit(0)\n")
        scanned = scan(VULNERABLE, desk, db=mirror if way == "mirror" else "", servers=variables)

    assert rules(scanned) == ["40637", "40638"]
    assert not marker.exists()


def test_what_is_not_pinned_is_told(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())
    files = {"requirements.txt": "django>=2\nflask==3.0\n-e .\nhttps://example.com/own.tar.gz\n"}

    scanned = scan(files, online_desk(tmp_path), db=mirror)

    assert scanned.notes[0] == "safety looks up pinned versions only, so not django"
    assert (scanned.findings, scanned.unscanned) == ((), ())


def test_a_tree_in_which_nothing_is_pinned_is_not_clean(tmp_path: Path) -> None:
    scanned = scan({"requirements.txt": "django>=2\n"}, online_desk(tmp_path, environment=ACCOUNT))

    assert scanned.unscanned == ("safety looks up pinned versions only, so not django",)


def test_a_line_that_cannot_be_read_is_a_finding_of_its_own(tmp_path: Path) -> None:
    mirror = write_database(tmp_path / "mirror", safety_database())
    files = {"requirements.txt": "flask==3.0\n${WHAT}==1\n-r lost.txt\n"}

    scanned = scan(files, online_desk(tmp_path), db=mirror)

    assert [(finding.tool, finding.rule, finding.line) for finding in scanned.findings] == [
        ("safety", NOT_SCANNED, 2),
        ("safety", NOT_SCANNED, 3),
    ]


def test_a_tree_that_names_no_packages_says_so_and_starts_nothing(tmp_path: Path) -> None:
    scanned = scan({"main.py": "print()\n"}, online_desk(tmp_path))

    assert (scanned.what, scanned.files, scanned.unscanned) == ("no file that names packages", 0, ())


def test_the_installed_version_is_told() -> None:
    assert SafetyScanner().version().startswith("3.")
