"""What is run in Python projects, and how its dependencies get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from detect_samples import FLIT, job, jobs, look, script_lines
from packaging.requirements import Requirement

from hookci.config.detect.python.poetry import poetry_requirements

if TYPE_CHECKING:
    from pathlib import Path

CASE = "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): pass\n"
PLAIN = "def test_it(): pass\n"
POETRY = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'


def test_the_extra_of_a_setup_py_is_found_through_a_name(tmp_path: Path) -> None:
    setup = "from setuptools import setup\nNEEDS = ['pytest<9']\nsetup(name='x', extras_require={'testing': NEEDS})\n"

    lines = script_lines(tmp_path, {"setup.py": setup, "x/tests/test_x.py": PLAIN})

    assert lines == ["pip install -q -e '.[testing]'", "python -m pytest"]


def test_the_extra_of_a_setup_cfg_is_found(tmp_path: Path) -> None:
    config = "[metadata]\nname = x\n[options.extras_require]\ndev =\n  # for people\n  black\n  pytest\n"
    files = {"setup.py": "import setuptools; setuptools.setup()", "setup.cfg": config, "tests/test_x.py": PLAIN}

    assert script_lines(tmp_path, files) == ["pip install -q -e '.[dev]'", "python -m pytest"]


def test_what_tests_require_that_is_no_extra_is_named(tmp_path: Path) -> None:
    setup = "from setuptools import setup\nsetup(name='x', tests_require=['pytest>=7'])\n"

    lines = script_lines(tmp_path, {"setup.py": setup, "tests/test_x.py": PLAIN})

    assert lines == ["pip install -q -e . 'pytest>=7'", "python -m pytest"]


def test_the_group_that_holds_the_runner_wins_over_one_that_sounds_better(tmp_path: Path) -> None:
    groups = '[dependency-groups]\ntest = ["coverage"]\nbase = ["pytest"]\ndev = [{include-group = "base"}, "ruff"]\n'

    lines = script_lines(tmp_path, {"pyproject.toml": FLIT + groups, "tests/test_x.py": PLAIN})

    assert lines[1:] == ["pip install -q -e . --group dev", "python -m pytest"]


def test_groups_that_include_each_other_do_no_harm(tmp_path: Path) -> None:
    groups = '[dependency-groups]\ntest = [{include-group = "dev"}]\ndev = [{include-group = "test"}, "pytest"]\n'

    lines = script_lines(tmp_path, {"pyproject.toml": FLIT + groups, "tests/test_x.py": PLAIN})

    assert lines[1] == "pip install -q -e . --group test"


def test_a_test_group_without_the_runner_gets_it_added(tmp_path: Path) -> None:
    groups = '[dependency-groups]\ntest = ["coverage"]\n'

    lines = script_lines(tmp_path, {"pyproject.toml": FLIT + groups, "tests/test_x.py": PLAIN})

    assert lines[1] == "pip install -q -e . --group test pytest"


@pytest.mark.parametrize("name", ["requirements-dev.txt", "test-requirements.txt", "requirements/tests.txt"])
def test_a_requirement_file_for_tests_is_installed_and_part_of_the_key(tmp_path: Path, name: str) -> None:
    files = {"pyproject.toml": FLIT, name: "pytest==8.1.1\n", "tests/test_x.py": PLAIN}

    tests = job(tmp_path, files)

    assert f"pip install -q -r {name} -e ." in tests.script
    assert tests.cache[0].key_files == ("pyproject.toml", name)
    assert tests.cache[0].paths == (".venv",)


def test_files_that_a_requirement_file_includes_are_part_of_the_key_and_not_installed_twice(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "six\n",
        "requirements/dev.txt": "-r ../requirements.txt\n-c pins.txt\npytest\n",
        "requirements/pins.txt": "six==1.16\n",
        "tests/test_x.py": PLAIN,
    }

    tests = job(tmp_path, files)

    assert "pip install -q -r requirements/dev.txt" in tests.script
    assert tests.cache[0].key_files == ("requirements/dev.txt", "requirements.txt", "requirements/pins.txt")


def test_a_pinned_runner_is_not_asked_for_again(tmp_path: Path) -> None:
    files = {"requirements.txt": "PyTest == 8.2.0  # not 8.3\nsix\n", "tests/test_x.py": "import six\n" + PLAIN}

    assert script_lines(tmp_path, files) == ["pip install -q -r requirements.txt", "python -m pytest"]


def test_a_requirement_file_with_hashes_is_installed_by_itself(tmp_path: Path) -> None:
    files = {"requirements.txt": "six==1.16 \\\n  --hash=sha256:00\n", "tests/test_x.py": PLAIN}

    lines = script_lines(tmp_path, files)

    assert lines == ["pip install -q -r requirements.txt", "pip install -q pytest", "python -m pytest"]


def test_what_nothing_declares_is_guessed_from_well_known_imports_and_fixtures(tmp_path: Path) -> None:
    tests = (
        "import freezegun, os, helpers, acme_cloud, six\nfrom . import neighbours\n"
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n"
        "def test_it(mocker): pass\n"
    )
    files = {"requirements.txt": "six\n", "tests/test_x.py": tests, "tests/helpers.py": ""}

    found = look(tmp_path, files)

    assert "pip install -q -r requirements.txt freezegun pytest pytest-mock" in jobs(found)["test"].script
    assert "# The tests also import these; add to the install line whatever is missing: acme_cloud\n" in found.text
    assert found.found[0].why.endswith("guessed from the tests: freezegun, pytest, pytest-mock")


@pytest.mark.parametrize(
    ("option", "plugin"),
    [
        ('addopts = "--cov=x"', "pytest-cov"),
        ('addopts = ["-n", "auto"]', "pytest-xdist"),
        ('addopts = "-n auto"', "pytest-xdist"),
        ('asyncio_mode = "auto"', "pytest-asyncio"),
        ("timeout = 5", "pytest-timeout"),
    ],
)
def test_plugins_that_pytest_is_configured_for_are_installed(tmp_path: Path, option: str, plugin: str) -> None:
    files = {"pyproject.toml": f"{FLIT}[tool.pytest.ini_options]\n{option}\n", "tests/test_x.py": PLAIN}

    assert f"pip install -q -e . pytest {plugin}" in job(tmp_path, files).script


def test_unittest_test_cases_need_nothing_but_python(tmp_path: Path) -> None:
    tests = job(tmp_path, {"calc.py": "", "tests/test_calc.py": CASE})

    assert tests.script == ("python3 -m unittest discover -s tests",)
    assert tests.cache == ()


def test_test_cases_are_run_by_pytest_where_the_project_asks_for_it(tmp_path: Path) -> None:
    files = {"requirements-dev.txt": "pytest\n", "tests/test_calc.py": CASE}

    assert script_lines(tmp_path, files) == ["pip install -q -r requirements-dev.txt", "python -m pytest"]


def test_unittest_in_packages_is_discovered_from_the_top(tmp_path: Path) -> None:
    files = {"pyproject.toml": FLIT, "x/__init__.py": "", "x/tests/__init__.py": "", "x/tests/test_x.py": CASE}

    assert script_lines(tmp_path, files) == ["pip install -q -e .", "python -m unittest discover"]


def test_test_cases_that_unittest_would_not_find_are_run_by_pytest(tmp_path: Path) -> None:
    files = {"tests/unit/test_x.py": CASE, "tests/more/test_y.py": CASE}

    found = look(tmp_path, files)

    assert jobs(found)["test"].script[2:] == ("pip install -q pytest", "python -m pytest")
    assert "pytest also runs unittest test cases" in found.found[0].why


def test_only_the_usual_directory_is_run_when_examples_could_hold_tests_too(tmp_path: Path) -> None:
    files = {"tests/test_x.py": PLAIN, "examples/test_shop.py": "import shop", "x/__init__.py": ""}

    assert script_lines(tmp_path, files)[-1] == "python -m pytest tests"


def test_configured_test_paths_are_left_to_pytest(tmp_path: Path) -> None:
    files = {"pytest.ini": "[pytest]\ntestpaths = t\n", "t/test_x.py": PLAIN, "tests/test_x.py": "", "docs/a.py": ""}

    assert script_lines(tmp_path, files)[-1] == "python -m pytest"


def test_a_program_that_is_no_package_gets_its_dependencies_from_its_pyproject(tmp_path: Path) -> None:
    project = '[project]\nname = "x"\ndependencies = ["six"]\n'
    files = {"pyproject.toml": project, "app/__init__.py": "", "data/x.json": "", "tests/test_x.py": PLAIN}

    tests = job(tmp_path, files)

    assert tests.script[2] == (
        "pip install -q -r <(python -c 'import tomllib; "
        'print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\\n")\') pytest'
    )


def test_a_project_with_one_package_is_installed_without_a_build_system(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[project]\nname = "x"\n', "x/__init__.py": "", "tests/test_x.py": PLAIN}

    assert script_lines(tmp_path, files)[0] == "pip install -q -e . pytest"


def test_sources_in_src_that_cannot_be_installed_are_put_on_the_path(tmp_path: Path) -> None:
    tests = job(tmp_path, {"src/x/__init__.py": "", "tests/test_x.py": PLAIN})

    assert tests.variables == {"PYTHONPATH": "src"}


def test_a_version_from_tags_is_told_where_a_source_distribution_left_it(tmp_path: Path) -> None:
    build = (
        '[build-system]\nrequires = ["setuptools", "setuptools-scm"]\n[project]\nname = "x"\ndynamic = ["version"]\n'
    )
    files = {"pyproject.toml": build, "PKG-INFO": "Name: x\nVersion: 1.7.0\n", "tests/test_x.py": PLAIN}

    lines = script_lines(tmp_path, files)

    assert lines == ["SETUPTOOLS_SCM_PRETEND_VERSION=1.7.0 pip install -q -e . pytest", "python -m pytest"]


def test_settings_of_tools_alone_are_no_python_project(tmp_path: Path) -> None:
    files = {"pyproject.toml": "[tool.black]\nline-length = 99\n", "go.mod": "module x", "x.go": "package x"}

    assert [found.what for found in look(tmp_path, files).found] == ["Go module (go.mod)"]


def test_without_tests_the_job_says_what_little_it_shows(tmp_path: Path) -> None:
    found = look(tmp_path, {"pyproject.toml": FLIT, "thing/__init__.py": "", "old/two.py": "print 'hello'"})

    assert jobs(found)["test"].script[2:] == ("pip install -q -e .", "python -m compileall -q thing")
    assert (
        "no tests were found, so all that the job shows is that it can be installed and compiles" in found.found[0].why
    )


def test_a_broken_pyproject_is_as_good_as_none(tmp_path: Path) -> None:
    assert script_lines(tmp_path, {"pyproject.toml": "[[[", "tests/test_x.py": PLAIN})[-1] == "python -m pytest"


@pytest.mark.parametrize(
    "text",
    [
        "tool = 3",
        "[tool]\nhatch = 'x'\npoetry = []\npytest = 1\npdm = ''\nuv = 0",
        "[tool.poetry]\ngroup = 1\n[tool.hatch]\nenvs = []",
        "[tool.poetry.group]\ndev = 2\n[tool.hatch.envs]\ntest = 5",
        "project = []\n[dependency-groups]\ntest = 'pytest'",
        "[project]\nname = 3\ndependencies = 4\noptional-dependencies = ['test']",
        "[build-system]\nrequires = 'x'\n[dependency-groups]\ntest = [{}, 1, {include-group = 2}]",
    ],
)
def test_a_pyproject_of_the_wrong_shape_is_read_as_far_as_it_goes(tmp_path: Path, text: str) -> None:
    files = {"pyproject.toml": text, "uv.lock": "", "poetry.lock": "", "tests/test_x.py": PLAIN}

    assert script_lines(tmp_path, files)[-1] == "python -m pytest"
    assert script_lines(tmp_path, files, "poetry")[-1] == "python -m pytest"


def test_names_that_a_shell_would_split_are_quoted(tmp_path: Path) -> None:
    found = look(tmp_path, {"my app/go.mod": "module x", "my app/it's/x.go": ""})

    assert jobs(found)["test"].script[0] == "cd 'my app'"


def test_uv_installs_what_its_lock_file_says_where_there_is_a_uv(tmp_path: Path) -> None:
    group = '[dependency-groups]\ntests = ["pytest"]\n'
    files = {"pyproject.toml": FLIT + group, "uv.lock": "", "tests/test_x.py": PLAIN}

    with_uv, without = job(tmp_path, files, "uv"), job(tmp_path, files)

    assert with_uv.script == ("uv sync --frozen --group tests", "source .venv/bin/activate", "python -m pytest")
    assert with_uv.cache[0].key_files == ("pyproject.toml", "uv.lock")
    assert "pip install -q -e . --group tests" in without.script


def test_poetry_installs_what_its_lock_file_says_where_there_is_a_poetry(tmp_path: Path) -> None:
    group = '[tool.poetry.group.test]\noptional = true\n[tool.poetry.group.test.dependencies]\npytest = "^8"\n'
    files = {"pyproject.toml": POETRY + group, "poetry.lock": "", "tests/test_x.py": PLAIN}

    tests = job(tmp_path, files, "poetry")

    assert tests.script == (
        "[ -x .venv/bin/python ] || python3 -m venv .venv",
        "source .venv/bin/activate",
        "poetry install --no-interaction --with test",
        "python -m pytest",
    )
    assert tests.cache[0].key_files == ("pyproject.toml", "poetry.lock")


def test_pip_installs_the_groups_of_poetry_where_there_is_no_poetry(tmp_path: Path) -> None:
    group = '[tool.poetry.group.dev.dependencies]\npytest = "^8.2"\nblack = {version = "~24.1", extras = ["d"]}\n'
    files = {"pyproject.toml": POETRY + group, "poetry.lock": "", "tests/test_x.py": PLAIN}

    assert script_lines(tmp_path, files)[0] == "pip install -q -e . 'pytest>=8.2,<9' 'black[d]>=24.1,<24.2'"


def test_a_poetry_project_that_is_no_package_gets_its_requirements_by_name(tmp_path: Path) -> None:
    poetry = '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\npython = "^3.11"\nsix = "*"\n'

    lines = script_lines(tmp_path, {"pyproject.toml": POETRY + poetry, "tests/test_x.py": PLAIN})

    assert lines[0] == "pip install -q six pytest"


def test_pip_installs_the_groups_of_pdm(tmp_path: Path) -> None:
    group = '[tool.pdm.dev-dependencies]\ntest = ["pytest>=8"]\n'

    lines = script_lines(tmp_path, {"pyproject.toml": FLIT + group, "tests/test_x.py": PLAIN})

    assert lines[0] == "pip install -q -e . 'pytest>=8'"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("^1.2.3", "x>=1.2.3,<2"),
        ("^0.2.3", "x>=0.2.3,<0.3"),
        ("^0.0.3", "x>=0.0.3,<0.0.4"),
        ("^0.0", "x>=0.0,<0.1"),
        ("^0", "x>=0,<1"),
        ("~1.2.3", "x>=1.2.3,<1.3"),
        ("~1", "x>=1,<2"),
        ("~=1.4", "x~=1.4"),
        ("*", "x"),
        ("1.*", "x==1.*"),
        ("1.2", "x==1.2"),
        ("=1.2", "x==1.2"),
        (">=1.2,<1.5", "x>=1.2,<1.5"),
        (">= 1.2 <1.5", "x>= 1.2,<1.5"),
        ("^1 || ^2", "x"),
    ],
)
def test_poetrys_constraints_are_written_as_pip_reads_them(written: str, meant: str) -> None:
    (requirement,) = poetry_requirements({"python": "^3.11", "x": written, "y": {"git": "somewhere"}})

    assert requirement == meant
    assert Requirement(requirement).name == "x"


def test_pdm_is_used_where_it_is_installed(tmp_path: Path) -> None:
    files = {"pyproject.toml": FLIT, "pdm.lock": "", "tests/test_x.py": PLAIN}

    assert script_lines(tmp_path, files, "pdm")[0] == "pdm install --frozen-lockfile"


def test_what_tox_and_hatch_list_is_used_when_nothing_else_declares_it(tmp_path: Path) -> None:
    tox = {"tox.ini": "[testenv]\ndeps =\n  pytest\n  py37: mock\n  attrs>=20\ncommands = pytest\n"}
    hatch = {"pyproject.toml": FLIT + '[tool.hatch.envs.test]\ndependencies = ["pytest", "attrs"]\n'}

    by_tox = script_lines(tmp_path / "a", {"pyproject.toml": FLIT, **tox, "tests/test_x.py": PLAIN})
    by_hatch = script_lines(tmp_path / "b", {**hatch, "tests/test_x.py": PLAIN})

    assert by_tox[0] == "pip install -q -e . pytest 'attrs>=20'"
    assert by_hatch[0] == "pip install -q -e . pytest attrs"


def test_tox_and_nox_run_only_where_no_tests_were_found(tmp_path: Path) -> None:
    tox = {"tox.ini": "[testenv]\ncommands = stestr run\n", "pyproject.toml": FLIT}
    nox = {"noxfile.py": "import nox\n@nox.session\ndef tests(session): pass\n", "pyproject.toml": FLIT}

    assert script_lines(tmp_path / "a", tox) == ["pip install -q tox", "tox run -e py"]
    assert script_lines(tmp_path / "b", nox) == ["pip install -q nox", "nox -s tests --force-python python3"]


def test_a_script_that_runs_the_tests_is_what_is_run(tmp_path: Path) -> None:
    files = {"setup.py": "from setuptools import setup; setup(name='x')", "runtests.py": "", "tests/test_x.py": CASE}

    assert script_lines(tmp_path, files) == ["pip install -q -e .", "python runtests.py"]
