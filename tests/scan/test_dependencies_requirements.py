from __future__ import annotations

import codecs

import pytest
from desk_samples import oid_of, tree
from hypothesis import given
from hypothesis import strategies as st
from manifest_samples import declared, told

from hookci.model.finding import NOT_SCANNED
from hookci.scan.dependencies.adapter import DependencyScanner


def test_a_requirement_is_told_with_its_line_whatever_is_around_it() -> None:
    file = "# all of them\n\nDjango[argon2] == 2.2 ; python_version < '3'  # why\nflask>=1,<2\nclick\n"

    found = told("requirements.txt", file)

    assert found == [("django", "2.2", 3), ("flask", "<2,>=1", 4), ("click", "", 5)]


def test_continued_lines_are_one_requirement_at_its_first_line() -> None:
    file = "six==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\ndjango==\\\n2.2\n"

    found = told("requirements.txt", file)

    assert found == [("six", "1.0", 1), ("django", "2.2", 4)]


def test_a_comment_ends_a_continued_line() -> None:
    file = "six==1.0 \\\n# django is next\ndjango==2.2\n"

    found = told("requirements.txt", file)

    assert found == [("six", "1.0", 1), ("django", "2.2", 3)]


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_a_line_ends_where_pip_ends_it(separator: str) -> None:
    file = f"# a comment{separator}django==2.2\n"

    found = told("requirements.txt", file)

    assert [name for name, _version, _line in found] == ["django"]


def test_exact_versions_are_those_with_two_or_three_equals_signs_and_no_star() -> None:
    file = "a===1.0\nb==1.*\nc~=1.0\nd!=1,==1.5\n"

    found = declared({"requirements.txt": file}).dependencies

    assert [(one.version, one.specifier) for one in found] == [
        ("1.0", ""),
        (None, "==1.*"),
        (None, "~=1.0"),
        ("1.5", ""),
    ]


def test_a_requirement_is_judged_for_every_machine_that_may_install_it() -> None:
    file = "django==1.11 ; sys_platform == 'win32'\ndjango==2.2 ; sys_platform != 'win32'\n"

    found = told("requirements.txt", file)

    assert found == [("django", "1.11", 1), ("django", "2.2", 2)]


def test_what_is_asked_twice_is_one_dependency() -> None:
    file = "django==2.2 ; os_name == 'nt'\nDJANGO==2.2\n"

    found = told("requirements.txt", file)

    assert found == [("django", "2.2", 1)]


def test_what_comes_from_an_address_is_counted_by_name_and_never_shows_a_password() -> None:
    password = "pass" + "word"
    file = (
        f"git+https://me:{password}@git.example/me/forked.git@v1#egg=forked\n"
        f"https://me:{password}@files.example/thing-1.0.zip?token={password}\n"
        f"named @ https://me:{password}@files.example/named.whl\n"
        f"-e git+https://me:{password}@git.example\n"
        "--editable=git+https://git.example/edited.git@main\n"
        "-e git+git@git.example:me/old.git\n"
    )

    found = declared({"requirements.txt": file})

    assert found.addresses == ("forked", "thing-1.0.zip", "named", "one without a name", "edited.git", "old.git")
    assert not found.findings


def test_paths_of_this_machine_and_options_are_no_dependencies() -> None:
    file = "-e .\n--editable=./here[extra]\n./there\n../up\n/abs/x.whl\nfile:./x\nx @ file:///x.whl\ndir/x\nx-1.0.whl\n"
    options = "--index-url https://index.example/simple\n-i https://x\n--pre\n--no-binary :all:\n-f ./wheels\n"

    found = declared({"requirements.txt": file + options})

    assert (found.dependencies, found.addresses, found.findings) == ((), (), ())


def test_a_name_with_dots_is_no_archive() -> None:
    assert told("requirements.txt", "zope.zipfile==1.0\nruamel.yaml==0.1\n") == [
        ("zope-zipfile", "1.0", 1),
        ("ruamel-yaml", "0.1", 2),
    ]


def test_lines_that_are_no_requirement_are_one_finding_of_their_file() -> None:
    file = "django==2.2\nsix=1.0=main\nreally? no\nflask<1\n"

    found = declared({"requirements.txt": file})

    (finding,) = found.findings
    assert (finding.rule, finding.line, finding.text) == (NOT_SCANNED, 2, "six=1.0=main")
    assert finding.message.endswith("(and 1 more)")
    assert finding.code == oid_of(file.encode())
    assert [one.name for one in found.dependencies] == ["django", "flask"]


def test_included_files_are_read_once_whatever_they_are_called() -> None:
    files = {
        "requirements.txt": "-r more/base.in\n--requirement=more/base.in\n-c'limits'\n--pre -r last\n",
        "more/base.in": "django==2.2\n-r ../requirements.txt\n--cons next.in\n",
        "more/next.in": "six==1.0\n",
        "limits": "flask==1.0\n",
        "last": "click==8.0\n",
        "unrelated": "no==1\n",
    }
    made = tree(files)

    asked = DependencyScanner().asks(made)
    found = declared({path: files[path] for path in asked})

    assert asked == ["last", "limits", "more/base.in", "more/next.in", "requirements.txt"]
    assert [one.name for one in found.dependencies] == ["click", "flask", "django", "six"]
    assert not found.findings


@pytest.mark.parametrize("target", ["gone.txt", "../outside.txt", "/etc/requirements.txt", "https://x.example/r.txt"])
def test_an_included_file_that_is_not_in_the_tree_is_a_finding(target: str) -> None:
    file = f"six==1.0\n-r {target}\n"

    found = declared({"requirements.txt": file})

    (finding,) = found.findings
    assert (finding.rule, finding.line, finding.code) == (NOT_SCANNED, 2, target)
    assert target in finding.message
    assert found.files == 1


@pytest.mark.parametrize(
    "contents",
    [
        "django==2.2\r\n".encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + "django==2.2\r\n".encode("utf-16-le"),
        codecs.BOM_UTF32_BE + "django==2.2\r\n".encode("utf-32-be"),
        "django==2.2  # caf\xe9".encode("latin-1"),
        b"# coding: utf-7\n# +AAo-django+AD0APQ-2.2",
    ],
)
def test_a_file_is_decoded_as_pip_does_it(contents: bytes) -> None:
    found = declared({"requirements.txt": contents})

    assert [(one.name, one.version) for one in found.dependencies] == [("django", "2.2")]


@pytest.mark.parametrize(
    "contents",
    [b"# coding: klingon\n", b"# coding: ascii\n\xe9\n", b"dj\0ango==2.2\n", "django==2.2\n".encode("utf-16-be")],
)
def test_a_file_that_cannot_be_decoded_is_not_scanned(contents: bytes) -> None:
    found = declared({"requirements.txt": contents})

    assert [finding.rule for finding in found.findings] == [NOT_SCANNED]


def test_an_empty_file_declares_nothing() -> None:
    found = declared({"requirements.txt": b""})

    assert (found.dependencies, found.findings, found.files) == ((), (), 1)


@given(st.text(alphabet=st.sampled_from("dj==2.2 #\\\n\r\t-re[];@'\"/:.\0\x0c"), max_size=40))
def test_every_line_of_a_requirements_file_is_judged_or_told(text: str) -> None:
    found = declared({"requirements.txt": f"{text}\nlast==1.0\n"})

    lines = [one.line for one in found.dependencies] + [one.line for one in found.findings]
    assert all(1 <= line <= text.count("\n") + 2 for line in lines)
    assert found.files == 1
