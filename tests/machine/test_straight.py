"""Modules are found straight where they are, and are the same that Python would have found."""

from __future__ import annotations

import os
import py_compile
import shutil
from typing import TYPE_CHECKING

import pytest
from interpreters import python

if TYPE_CHECKING:
    from pathlib import Path

IMPORT = """
    from hookci.straight import find_straight
    find_straight()
    import click.found
    print(type(click.found.__spec__.loader).__name__, click.found.VALUE, click.found.__file__)
"""
STRAIGHT, AS_EVER = "_Straight", "SourceFileLoader"
BY_HASH = py_compile.PycInvalidationMode.CHECKED_HASH


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """A module of a package that may be found straight, compiled."""
    package = tmp_path / "click"
    package.mkdir()
    (package / "__init__.py").write_text("")
    found = package / "found.py"
    found.write_text("VALUE = 1\n\n\ndef fail():\n    raise ValueError\n")
    py_compile.compile(str(found))
    return found


def compiled(source: Path) -> Path:
    (one,) = (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")
    return one


def test_what_is_compiled_is_loaded(found: Path) -> None:
    assert python(IMPORT, found.parents[1]) == f"{STRAIGHT} 1 {found}\n"


def test_a_source_that_has_changed_is_compiled_anew(found: Path) -> None:
    found.write_text("VALUE = 2\n")

    assert python(IMPORT, found.parents[1]) == f"{AS_EVER} 2 {found}\n"


def test_a_source_of_the_same_size_that_was_written_later_is_compiled_anew(found: Path) -> None:
    text, info = found.read_text(), found.stat()
    found.write_text(text.replace("VALUE = 1", "VALUE = 2"))
    os.utime(found, (info.st_atime, info.st_mtime + 2))

    assert python(IMPORT, found.parents[1]) == f"{AS_EVER} 2 {found}\n"


@pytest.mark.parametrize("torn", [b"", b"x", b"\0" * 200, None], ids=["empty", "a byte", "another Python's", "half"])
def test_a_file_that_is_torn_or_of_another_python_is_left_to_python(found: Path, torn: bytes | None) -> None:
    whole = compiled(found).read_bytes()
    compiled(found).write_bytes(whole[:4] + b"\0" * 12 if torn is None else torn)

    assert python(IMPORT, found.parents[1]) == f"{AS_EVER} 1 {found}\n"


def test_a_file_that_is_held_against_its_source_by_a_digest_is_left_to_python(found: Path) -> None:
    py_compile.compile(str(found), invalidation_mode=BY_HASH)

    assert python(IMPORT, found.parents[1]) == f"{AS_EVER} 1 {found}\n"


def test_what_was_moved_names_its_files_where_they_are_now(found: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.move(found.parent, moved)

    said = python(f"{IMPORT}\n    click.found.fail()", moved)

    assert f'File "{moved}/click/found.py", line 5, in fail' in said
    assert str(found) not in said


def test_a_library_that_is_neither_ours_nor_pythons_is_found_as_ever(found: Path, tmp_path: Path) -> None:
    shutil.copytree(found.parent, tmp_path / "other")

    said = python(IMPORT.replace("click", "other"), tmp_path)

    assert said == f"{AS_EVER} 1 {tmp_path}/other/found.py\n"


def test_the_standard_library_is_not_hidden_by_files_beside_what_is_started(tmp_path: Path) -> None:
    (tmp_path / "shlex.py").write_text("raise RuntimeError('not me')\n")

    said = python("from hookci.straight import find_straight; find_straight(); import shlex; print('ok')", tmp_path)

    assert said == "ok\n"


def test_a_package_inside_has_its_modules(found: Path) -> None:
    inner = found.parent / "inner"
    inner.mkdir()
    (inner / "__init__.py").write_text("HERE = __path__\n")
    (inner / "one.py").write_text("VALUE = 3\n")
    py_compile.compile(str(inner / "__init__.py"))

    said = python(
        """
        from hookci.straight import find_straight
        find_straight()
        import click.inner.one
        print(type(click.inner.__spec__.loader).__name__, click.inner.HERE, click.inner.__package__)
        print(click.inner.one.VALUE, click.inner.one.__package__)
        """,
        found.parents[1],
    )

    assert said == f"{STRAIGHT} {[str(inner)]} click.inner\n3 click.inner\n"
