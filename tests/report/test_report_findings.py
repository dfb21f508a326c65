from __future__ import annotations

from typing import TYPE_CHECKING

import tomli
from hypothesis import given
from hypothesis import strategies as st
from scan_samples import blocking, make_finding, make_judged, make_report, make_view, unreadable

from hookci.config.load import parse
from hookci.model.finding import Confidence, Severity, State
from hookci.report.findings import brief, findings_text, remarks

if TYPE_CHECKING:
    from hookci.model.finding import JudgedFinding, ScanReport
    from hookci.report.findings import View

FINGERPRINT = f"{('c0ffee' * 11)[:64]}:1"


def text(report: ScanReport, view: View | None = None) -> str:
    return "".join(f"{line}\n" for line in findings_text(report, view or make_view()))


def shown(judged: JudgedFinding, view: View | None = None) -> list[str]:
    """The lines of one finding."""
    return text(make_report(judged), view).split("\n\n")[0].splitlines()


def snippet(report: ScanReport) -> str:
    lines = text(report).splitlines()
    return "\n".join(line for line in lines if line.startswith("    ") and " | " not in line)


def test_a_report_is_new_findings_by_place_then_all_that_is_to_be_said_then_the_way_out() -> None:
    report = make_report(
        blocking(path="app/a.py"),
        blocking(path="app/b.py", line=3, end_line=3, rule="B324", name="", help_uri=""),
        unreadable(),
        make_judged(),
        make_judged(state=State.UNCHANGED),
        make_judged(state=State.UNCHANGED, suppressed="it is a test"),
        make_judged(make_finding(in_source=True)),
        unchanged=12,
        notes=("[tool.bandit] of pyproject.toml skips B101",),
    )

    assert text(report) == (
        "app/a.py:12:5: high: B602 subprocess_popen_with_shell_equals_true\n"
        "  subprocess call with shell=True identified, security issue.\n"
        "  12 |     subprocess.run(command, shell=True)\n"
        "     |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "  https://bandit.example/b602.html\n"
        "\n"
        "app/b.py:3:5: high: B324\n"
        "  subprocess call with shell=True identified, security issue.\n"
        "  3 |     subprocess.run(command, shell=True)\n"
        "    |     ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "\n"
        "app/broken.py:3: not scanned: does not parse\n"
        "\n"
        "found: 2 findings that block, 11 not new, 1 below the threshold, 1 suppressed, 1 silenced in the source, "
        "1 file not scanned\n"
        "scanned: 120 files (bandit 1.9.4, compared with 1a2b3c4d)\n"
        "note: [tool.bandit] of pyproject.toml skips B101\n"
        "\n"
        "to let app/a.py:12:5 pass (others likewise), put this into hookci.toml:\n"
        "\n"
        "    [[suppressions]]\n"
        '    rule = "B602"\n'
        '    path = "app/a.py"\n'
        "    # or, in the place of both, for this one only:\n"
        f'    # fingerprint = "{FINGERPRINT}"\n'
        '    reason = ""           # required: why it may pass\n'
        "    expires = 2027-02-20  # required: the last day it does\n"
        "\n"
        "or, at the end of the line: # nosec B602\n"
    )


def test_colour_is_for_the_place_the_severity_and_the_caret() -> None:
    view = make_view(color=True)

    name = "B602 subprocess_popen_with_shell_equals_true"
    assert shown(blocking(severity=Severity.MEDIUM, confidence=Confidence.LOW), view) == [
        f"\x1b[1mapp/run.py:12:5\x1b[0m: \x1b[33mmedium, low confidence\x1b[0m: {name}",
        "  subprocess call with shell=True identified, security issue.",
        "  \x1b[2m12 |\x1b[0m     subprocess.run(command, shell=True)",
        "  \x1b[2m   |\x1b[0m     \x1b[33m^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\x1b[0m",
        "  \x1b[2mhttps://bandit.example/b602.html\x1b[0m",
    ]
    assert shown(unreadable(), view) == ["\x1b[1mapp/broken.py:3\x1b[0m: \x1b[31mnot scanned\x1b[0m: does not parse"]
    assert text(make_report(blocking()), view).splitlines()[6] == "\x1b[31mfound:\x1b[0m 1 finding that blocks"


def test_what_is_not_new_is_counted_and_shown_in_full_only() -> None:
    report = make_report(
        blocking(), make_judged(make_finding(path="old.py", text=""), state=State.UNCHANGED), unchanged=1
    )

    assert "old.py" not in text(report)
    assert (
        "\nnot new:\n"
        "\n"
        "old.py:12:5: high, does not block: B602 subprocess_popen_with_shell_equals_true\n"
        "  subprocess call with shell=True identified, security issue.\n"
        "  https://bandit.example/b602.html\n"
        "\n"
        "found: 1 finding that blocks, 1 not new\n"
    ) in text(report, make_view(full=True))


def test_what_a_person_lets_pass_is_a_number_even_in_full() -> None:
    report = make_report(make_judged(suppressed="fine"), make_judged(make_finding(in_source=True)))

    assert text(report, make_view(full=True)) == (
        "found: 1 finding suppressed, 1 silenced in the source\n"
        "scanned: 120 files (bandit 1.9.4, compared with 1a2b3c4d)\n"
    )


def test_findings_that_block_although_they_are_not_new_are_not_counted_twice() -> None:
    report = make_report(make_judged(state=State.UNCHANGED, blocks=True), base="")

    assert "\nfound: 1 finding that blocks\nscanned: 120 files (bandit 1.9.4)\n" in text(report)


def test_a_scan_that_says_nothing_is_not_called_one() -> None:
    report = make_report(scanned=0, unscanned=("no advisory database",), base="", tool="dependencies", version="1")

    assert text(report) == "not scanned: no advisory database\n"


def test_files_that_were_read_and_could_not_be_looked_up_are_not_called_scanned() -> None:
    report = make_report(tool="pip-audit", version="2.10.1", what="1 package in 1 file", unscanned=("no answer",))

    assert (
        text(report) == "read: 1 package in 1 file (pip-audit 2.10.1, compared with 1a2b3c4d)\nnot scanned: no answer\n"
    )


def test_a_narrow_screen_wraps_words_and_cuts_code_around_the_place() -> None:
    long = "x" * 100 + "eval(user)" + "y" * 100
    finding = blocking(text=long, column=101, end_column=111)

    lines = shown(finding, make_view(width=40))

    assert lines[1:6] == [
        "  subprocess call with shell=True",
        "  identified, security issue.",
        "  12 | ...xxxxxxxxeval(user)yyyyyyyyy...",
        "     |            ^~~~~~~~~~",
        "  https://bandit.example/b602.html",
    ]
    assert max(map(len, lines[1:])) <= 40


def test_a_place_that_is_wider_than_the_screen_is_cut_too() -> None:
    lines = shown(blocking(text="f(" + "z" * 100 + ")", column=1, end_column=104), make_view(width=40))

    assert lines[3:5] == [
        "  12 | f(" + "z" * 28 + "...",
        "     | " + "^" + "~" * 32,
    ]


def test_a_line_of_a_minified_file_costs_no_more_than_what_is_shown_of_it() -> None:
    line = "ab" * 2_000_000 + "eval(x)"

    lines = shown(blocking(text=line, column=4_000_001, end_column=4_000_008))

    assert lines[2].endswith("ababababeval(x)")
    assert lines[3].rstrip("~").endswith(" ^")
    assert lines[2].index("eval") == lines[3].index("^")


def test_tabs_and_wide_characters_do_not_move_the_caret() -> None:
    line = "\t\tname = '日本語' + os.system(q)"
    column = line.index("os.system") + 1

    lines = shown(blocking(text=line, column=column, end_column=column + 9))

    assert lines[2] == "  12 |         name = '日本語' + os.system(q)"
    assert lines[3] == "     |                           ^~~~~~~~~"


def test_a_place_over_several_lines_is_marked_in_the_first_of_four() -> None:
    line = "run(\r\n    command,\r\n    shell=True,\r\n    cwd=here,\r\n    env=mine,\r\n)"

    assert shown(blocking(text=line, line=98, column=1, end_line=103, end_column=2))[2:8] == [
        "   98 | run(",
        "      | ^~~~",
        "   99 |     command,",
        "  100 |     shell=True,",
        "  101 |     cwd=here,",
        "      | ...",
    ]


def test_a_finding_without_columns_or_text_shows_what_there_is() -> None:
    assert shown(blocking(column=0, end_column=0, help_uri=""))[2:] == [
        "  12 |     subprocess.run(command, shell=True)"
    ]
    assert len(shown(blocking(line=0, column=0, help_uri=""))) == 2
    assert shown(blocking(line=0, column=0))[0].startswith("app/run.py: high: ")


def test_columns_beyond_the_line_stay_in_it() -> None:
    assert shown(blocking(text="a = 1", column=90, end_column=3))[2:4] == ["  12 | a = 1", "     |      ^"]


def test_what_files_and_scanners_say_cannot_move_hide_or_colour_anything() -> None:
    line = "x = 1 \x1b[2J\x9b1A# \u202e\u2066evil\u2069\u200b\r\x07\x00 os.system(q)"
    column = line.index("os.system") + 1
    finding = blocking(
        text=line,
        column=column,
        end_column=column + 9,
        path="a\n\x1b]0;owned\x07\u202e.py",
        rule="R\x1b[31m",
        message="first\x1b[2K\r\nsecond\u202e",
        help_uri="https://\x1b[31mx",
    )

    lines = shown(finding)

    assert lines == [
        "a\ufffd\ufffd]0;owned\ufffd\ufffd.py:12:28: high: R\ufffd[31m subprocess_popen_with_shell_equals_true",
        "  first\ufffd[2K second\ufffd",
        "  12 | x = 1 \ufffd[2J\ufffd1A# \ufffd\ufffdevil\ufffd\ufffd\ufffd\ufffd\ufffd os.system(q)",
        "     |" + " " * (lines[2].index("os.system") - 6) + "^~~~~~~~~",
        "  https://\ufffd[31mx",
    ]


@given(st.text(), st.text(), st.text(min_size=1), st.integers(1, 50), st.integers(0, 50), st.integers(1, 90))
def test_no_line_ever_has_anything_but_what_can_be_seen(
    line: str, message: str, path: str, column: int, end: int, width: int
) -> None:
    finding = blocking(text=line, message=message, path=path, column=column, end_column=end, rule=path, end_line=15)

    lines = text(make_report(finding), make_view(width=width)).split("\n")

    assert all(shown.isprintable() for shown in lines)


def test_a_secret_is_named_by_its_hash_alone_and_has_no_caret() -> None:
    finding = blocking(
        tool="secrets",
        rule="private-key",
        name="",
        text="key = 'abcd...'",
        secret="ab12:cd34",
        commit="9f8e7d6c5b4a39281706",
        help_uri="",
        message="this looks like a private key",
    )

    assert text(make_report(finding, tool="secrets", version="1", what="8 added lines")) == (
        "app/run.py:12:5: high: private-key\n"
        "  this looks like a private key\n"
        "  12 | key = 'abcd...'\n"
        "  in commit 9f8e7d6c5b4a; the tree does not have it any more\n"
        '  secret = "ab12:cd34"\n'
        "\n"
        "found: 1 finding that blocks\n"
        "scanned: 8 added lines (secrets 1, compared with 1a2b3c4d)\n"
        "\n"
        "to let app/run.py:12:5 pass, put this into hookci.toml:\n"
        "\n"
        "    [[suppressions]]\n"
        '    secret = "ab12:cd34"\n'
        '    reason = ""           # required: why it may pass\n'
        "    expires = 2027-02-20  # required: the last day it does\n"
    )


def test_an_advisory_has_its_other_names_and_an_expired_suppression_is_told() -> None:
    advisory = make_finding(rule="PYSEC-2019-1", name="django 2.2", aliases=("CVE-2019-1", "GHSA-a", "GHSA-b"))
    judged = make_judged(advisory, blocks=True, note="suppressions[0] covered it until 2026-01-01")

    lines = shown(judged)

    assert lines[0] == "app/run.py:12:5: high: PYSEC-2019-1 django 2.2 (CVE-2019-1, GHSA-a)"
    assert lines[4] == "  note: suppressions[0] covered it until 2026-01-01"


def test_the_way_out_is_for_a_finding_before_a_file_that_was_not_scanned() -> None:
    report = make_report(unreadable("a.py"), blocking(path="b.py"))

    assert tomli.loads(snippet(report))["suppressions"][0]["path"] == "b.py"


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_way_out_is_toml_whatever_rules_and_files_are_called(rule: str, path: str) -> None:
    (suppression,) = tomli.loads(snippet(make_report(blocking(rule=rule, path=path))))["suppressions"]

    named = {key: value for key, value in suppression.items() if key not in {"reason", "expires"}}
    assert named in ({"rule": rule, "path": path}, {"fingerprint": FINGERPRINT})


def test_where_there_is_nothing_to_compare_with_the_way_to_begin_is_shown() -> None:
    begin = "\n    hookci scan --all --baseline write\n"

    assert text(make_report(blocking(), base="")).endswith(begin)
    assert begin not in text(make_report(blocking()))
    assert begin not in text(make_report(blocking(), base=""), make_view(full=True))
    assert begin not in text(make_report(blocking(secret="ab:cd"), unreadable(), base=""))


def test_a_file_whose_name_is_a_pattern_is_named_by_the_fingerprint() -> None:
    (suppression,) = tomli.loads(snippet(make_report(blocking(path="app/[id].py"))))["suppressions"]

    assert suppression["fingerprint"] == FINGERPRINT


def test_the_way_out_is_what_the_config_takes_once_there_is_a_reason() -> None:
    for finding in (blocking(), blocking(secret="ab12:cd34"), blocking(path="app/[id].py")):
        config = '[jobs.code]\nscan = "bandit"\n' + snippet(make_report(finding)).replace('""', '"it is fine"')

        pipeline = parse({"hookci.toml": config.encode()})

        assert pipeline
        assert [one.reason for one in pipeline.suppressions] == ["it is fine"]


def test_what_nobody_may_overlook_is_told_in_one_line_each() -> None:
    report = make_report(
        unreadable("a.py", blocks=False),
        unreadable("b.py", blocks=False),
        unscanned=("no database\nat all",),
        notes=("the database is 20 days old",),
    )

    assert list(remarks(report)) == [
        ("not scanned: no database at all", True),
        ("not scanned: 2 files, such as a.py", True),
        ("note: the database is 20 days old", False),
    ]


def test_of_a_report_that_decides_nothing_all_that_is_new_is_shown() -> None:
    old = make_judged(make_finding(rule="B404"), state=State.UNCHANGED)
    report = make_report(make_judged(), old, tool="gitlab", version="", unchanged=1)

    text = "\n".join(findings_text(report, make_view()))

    assert "app/run.py:12:5: high, does not block: B602" in text
    assert "B404" not in text
    assert "found: 1 finding not new, 1 only shown" in text
    assert "to let" not in text


def test_what_is_new_in_a_report_that_decides_nothing_is_told_in_a_line_each_the_worst_first() -> None:
    low = [make_judged(make_finding(line=number, severity=Severity.LOW)) for number in range(1, 7)]
    report = make_report(*low, make_judged(make_finding(line=9)), tool="gitlab")

    lines = list(brief(report))

    assert lines[0].startswith("app/run.py:9:5: high: B602")
    assert (len(lines), lines[-1]) == (6, "... and 2 more, in the log")
    assert list(brief(make_report(*low))) == []
