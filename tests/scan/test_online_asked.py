from __future__ import annotations

from desk_samples import tree
from hypothesis import given
from hypothesis import strategies as st

from hookci.scan.dependencies.reading import read_declared
from hookci.scan.online.asked import left_open, open_elsewhere, rounds
from hookci.scan.online.files import python_manifests

NAMES = st.sampled_from(["django", "flask", "zope.interface", "Jinja2"])
REQUIREMENTS = st.tuples(
    NAMES,
    st.sampled_from(["", "==2.2", "==3.*", ">=1,<3", "===2.2", "~=2.0", "==1.0+cpu"]),
    st.sampled_from(["", "; sys_platform == 'win32'"]),
)


def test_lock_files_and_included_files_of_any_name_are_asked_for_and_npm_is_not() -> None:
    files = {"requirements.txt": "-r more/base.in\n", "more/base.in": "", "uv.lock": "", "package-lock.json": ""}

    paths = python_manifests(tree(files | {"notes.txt": "", "constraints.txt": ""}))

    assert paths == ["constraints.txt", "more/base.in", "requirements.txt", "uv.lock"]


def test_each_version_of_a_package_is_asked_about_and_no_name_twice_in_one_round() -> None:
    files = tree({"requirements.txt": "django==2.2.0\nflask==3.0\n", "requirements-old.txt": "Django==1.11\n"})

    asked = rounds(read_declared(files, sorted(files.oids), lambda: None).dependencies)

    assert sorted((name, version) for one in asked for name, version in one.items()) == [
        ("django", "1.11"),
        ("django", "2.2.0"),
        ("flask", "3.0"),
    ]
    assert len(asked) == 2


def test_a_local_build_is_asked_about_as_the_release_it_was_built_from() -> None:
    files = tree({"requirements.txt": "torch==2.0.1+cpu\n"})

    asked = rounds(read_declared(files, ["requirements.txt"], lambda: None).dependencies)

    assert asked == [{"torch": "2.0.1"}]


def test_a_constraint_settles_what_a_requirement_leaves_open_when_it_allows_that_version() -> None:
    files = tree({"requirements.txt": "-c pins.txt\ndjango\nflask>=3\n", "pins.txt": "django==2.2\nflask==2.0\n"})

    (left,) = left_open(files, ["requirements.txt"], lambda: None)

    assert left.requirements == ("flask>=3",)
    assert left.constraints == ("django==2.2", "flask==2.0")


def test_a_file_that_another_takes_in_is_looked_at_with_that_one_only() -> None:
    files = tree(
        {
            "requirements.txt": "-r base.txt\n-c constraints.txt\n",
            "base.txt": "django\n",
            "constraints.txt": "django==2\n",
        }
    )

    left = left_open(files, ["requirements.txt", "base.txt", "constraints.txt"], lambda: None)

    assert left == []


def test_files_that_take_in_each_other_are_not_lost() -> None:
    files = tree(
        {"requirements.txt": "-r requirements-dev.txt\n", "requirements-dev.txt": "-r requirements.txt\nflask\n"}
    )

    left = left_open(files, sorted(files.oids), lambda: None)

    assert {name for one in left for name in one.names()} == {"flask"}


def test_what_a_project_file_leaves_open_is_named() -> None:
    files = tree(
        {"pyproject.toml": '[project]\nname = "own"\nversion = "1"\ndependencies = ["flask>=3", "django==2.2"]\n'}
    )

    names = open_elsewhere(read_declared(files, ["pyproject.toml"], lambda: None).dependencies)

    assert names == ["flask"]


@given(st.lists(REQUIREMENTS, max_size=6))
def test_every_requirement_is_either_asked_about_or_left_open(requirements: list[tuple[str, str, str]]) -> None:
    lines = [f"{name}{versions}{marker}" for name, versions, marker in requirements]
    files = tree({"requirements.txt": "\n".join(lines)})

    asked = rounds(read_declared(files, ["requirements.txt"], lambda: None).dependencies)
    left = left_open(files, ["requirements.txt"], lambda: None)

    names = {name for one in asked for name in one} | {name for one in left for name in one.names()}
    assert names == {name.lower().replace(".", "-") for name, _versions, _marker in requirements}
