"""``# nosec`` silences what it names, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bandit_samples import scan_files
from hypothesis import given
from hypothesis import strategies as st

from hookci.scan.bandit.nosec import Nosec, is_silenced, nosec_comments

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"assert_used": "B101", "subprocess_popen_with_shell_equals_true": "B602", "import_subprocess": "B404"}


def silenced(tmp_path: Path, source: str) -> set[tuple[str, int]]:
    """Rule and line of the findings that are there and silenced."""
    scanned = scan_files(tmp_path, {"a.py": source})
    return {(finding.rule, finding.line) for finding in scanned.findings if finding.in_source}


def rules_of(comment: str) -> set[str] | None:
    """The ids a comment silences; None: all."""
    (nosec,) = nosec_comments(f"a = 1  {comment}\n".encode(), NAMES).values()
    return None if nosec.silences_all else set(nosec.rules)


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        ("# nosec", None),
        ("#nosec", None),
        ("# nosec:", None),
        ("# noqa # nosec # a reason", None),
        ("# nosec B602", {"B602"}),
        ("# nosec B602,B101", {"B602", "B101"}),
        ("# nosec: B602, B101", {"B602", "B101"}),
        ("# nosec B602 assert_used", {"B602", "B101"}),
        ("# nosec B602 because the name is checked", {"B602"}),
        ("# nosec B999", set()),
        ("# nosec B602,B999", {"B602"}),
        ("# nosec because I say so", set()),
        ("# nosec -", set()),
        ("# nosec b602", set()),
    ],
)
def test_a_comment_silences_the_rules_it_names(comment: str, rules: set[str] | None) -> None:
    assert rules_of(comment) == rules


@pytest.mark.parametrize(
    ("comment", "unknown"),
    [
        ("# nosec B999", ("B999",)),
        ("# nosec B602,B999 for now", ("B999",)),
        ("# nosec for now", ("for", "now")),
        ("# nosec ...", ("...",)),
        ("# nosec B602 for now", ()),
        ("# nosec", ()),
    ],
)
def test_what_means_nothing_is_known(comment: str, unknown: tuple[str, ...]) -> None:
    (nosec,) = nosec_comments(comment.encode(), NAMES).values()

    assert nosec.unknown == unknown


def test_only_comments_count() -> None:
    source = 'a = "# nosec"\nb = """\n# nosec\n"""\n# noseconds left\nc = 1  # nosec\n'

    assert set(nosec_comments(source.encode(), NAMES)) == {6}


def test_what_is_no_python_has_no_comments() -> None:
    for source in (b"# coding: none\n# nosec", b"\xff # nosec", b"  '''  # nosec"):
        assert nosec_comments(source, NAMES) == {}, source


def test_in_a_file_that_ends_too_early_the_comments_before_count() -> None:
    assert set(nosec_comments(b"a  # nosec\nb = (", NAMES)) == {1}


@given(st.sets(st.sampled_from(sorted(NAMES.values())), min_size=1), st.sampled_from([",", ", ", " "]))
def test_a_list_of_ids_silences_exactly_those(ids: set[str], comma: str) -> None:
    comments = nosec_comments(f"# nosec {comma.join(sorted(ids))}".encode(), NAMES)

    assert {rule for rule in NAMES.values() if is_silenced(rule, [1, 1], comments)} == ids


def test_a_comment_covers_the_lines_of_its_statement() -> None:
    comments = {3: Nosec(frozenset({"B602"}))}

    assert [is_silenced("B602", lines, comments) for lines in ([1, 2], [2, 4], [3, 3], [4, 9])] == [
        False,
        True,
        True,
        False,
    ]


def test_a_finding_that_is_silenced_stays_in_the_answer(tmp_path: Path) -> None:
    source = "import subprocess  # nosec\nsubprocess.call(\n    cmd,\n    shell=True,  # nosec B602\n)\n"

    assert silenced(tmp_path, source) == {("B404", 1), ("B602", 4)}


def test_an_unknown_id_or_words_silence_nothing_and_are_told(tmp_path: Path) -> None:
    source = "eval(a)  # nosec B999\neval(b)  # nosec: trust me\neval(c)  # nosec B101\neval(d)  # nosec eval\n"

    scanned = scan_files(tmp_path, {"src/a.py": source})

    assert {(one.line, one.in_source) for one in scanned.findings} == {(1, False), (2, False), (3, False), (4, True)}
    assert scanned.notes == (
        "src/a.py:1: `# nosec B999` names no rule of bandit",
        "src/a.py:2: `# nosec trust me` names no rule of bandit",
    )


def test_a_comment_in_a_functions_body_says_nothing_about_its_head(tmp_path: Path) -> None:
    word = "correct" + "horse"
    body = f"def f(\n    password='{word}',{{}}\n):\n    eval(password)  # nosec\n"

    assert silenced(tmp_path, body.format("")) == {("B307", 4)}
    assert silenced(tmp_path, body.format("  # nosec")) == {("B307", 4), ("B107", 1)}
