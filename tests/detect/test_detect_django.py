"""Django projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detect_samples import job, jobs, look, script_lines

if TYPE_CHECKING:
    from pathlib import Path

MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')\n"
TESTS = "from django.test import TestCase\nclass T(TestCase):\n    def test_it(self): pass\n"


def test_check_and_test_run_with_the_requirements(tmp_path: Path) -> None:
    files = {"manage.py": MANAGE, "requirements.txt": "Django==5.2\n", "polls/tests.py": TESTS}

    found = look(tmp_path, files)

    assert found.found[0].what == "Django project (manage.py)"
    assert jobs(found)["test"].script[2:] == (
        "pip install -q -r requirements.txt",
        "python manage.py check",
        "python manage.py test",
    )


def test_requirements_without_django_get_it_added(tmp_path: Path) -> None:
    files = {"manage.py": MANAGE, "requirements.txt": "six\n", "polls/tests.py": TESTS}

    assert script_lines(tmp_path, files)[0] == "pip install -q -r requirements.txt django"


def test_without_requirements_django_and_what_the_program_imports_are_guessed(tmp_path: Path) -> None:
    files = {"manage.py": MANAGE, "polls/views.py": "import rest_framework, yaml, os, polls.tools\n"}

    assert script_lines(tmp_path, files)[0] == "pip install -q PyYAML django djangorestframework"
    assert 'cache = [{ paths = [".venv"] }]  # kept for the next run\n' in look(tmp_path, files).text


def test_pytest_runs_where_it_is_configured_for_django(tmp_path: Path) -> None:
    files = {
        "manage.py": MANAGE,
        "requirements.txt": "Django\npytest-django\n",
        "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = site.settings\npython_files = tests.py\n",
        "polls/tests.py": TESTS,
    }

    assert script_lines(tmp_path, files) == ["pip install -q -r requirements.txt pytest", "python -m pytest"]


def test_variables_that_the_settings_cannot_do_without_are_passed_on(tmp_path: Path) -> None:
    settings = "import os\nKEY = os.environ['SECRET_KEY']\nos.environ['TZ'] = 'UTC'\nZONE = os.environ['TZ']\n"
    files = {"manage.py": MANAGE, "requirements.txt": "Django\n", "shop/settings.py": settings}

    assert job(tmp_path, files).pass_env == ("SECRET_KEY",)
    assert "# The settings cannot be read without SECRET_KEY in the environment." in look(tmp_path, files).text


def test_a_project_in_a_directory_is_worked_on_there(tmp_path: Path) -> None:
    files = {"backend/manage.py": MANAGE, "backend/requirements.txt": "Django\n", "README.md": ""}

    found = look(tmp_path, files)
    tests = jobs(found)["test"]

    assert found.found[0].what == "Django project (manage.py) in backend/"
    assert tests.script[0] == "cd backend"
    assert tests.cache[0].key_files == ("backend/requirements.txt",)
    assert tests.cache[0].paths == ("backend/.venv",)
