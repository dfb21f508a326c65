"""A small application of Django 1.8, and the Python 3.6 and the packages that it wants."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PIPELINE", "application", "python36", "wheels"]

PIPELINE = Path(__file__).with_name("django.gitlab-ci.yml").read_text(encoding="utf-8")

_FILES = {
    "requirements.txt": "Django==1.8.19\n",
    "manage.py": """\
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
""",
    "todo/__init__.py": "",
    "todo/settings.py": """\
SECRET_KEY = "of no use"
INSTALLED_APPS = ("tasks",)
MIDDLEWARE_CLASSES = ("django.middleware.common.CommonMiddleware",)
ROOT_URLCONF = "todo.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
""",
    "todo/urls.py": """\
from django.conf.urls import url

from tasks.views import open_tasks

urlpatterns = [url(r"^$", open_tasks)]
""",
    "tasks/__init__.py": "",
    "tasks/models.py": """\
from django.db import models


class Task(models.Model):
    title = models.CharField(max_length=100)
    done = models.BooleanField(default=False)
""",
    "tasks/views.py": """\
from django.http import JsonResponse

from tasks.models import Task


def open_tasks(request):
    titles = Task.objects.filter(done=False).values_list("title", flat=True)
    return JsonResponse({"open": list(titles)})
""",
    "tasks/tests.py": """\
from django.test import TestCase

from tasks.models import Task


class OpenTasksTest(TestCase):
    def test_what_is_done_is_not_shown(self):
        Task.objects.create(title="write")
        Task.objects.create(title="plan", done=True)

        response = self.client.get("/")

        self.assertContains(response, "write")
        self.assertNotContains(response, "plan")
""",
}


def application(pipeline: str = PIPELINE, *, broken: bool = False) -> dict[str, str]:
    """The files of the application; ``broken`` so that its test fails and its check does not."""
    files = {".gitlab-ci.yml": pipeline, **_FILES}
    if broken:
        files["tasks/views.py"] = files["tasks/views.py"].replace("done=False", "done=True")
    return files


def python36() -> Path:
    """An interpreter; without one the test is skipped."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob("versions/3.6.*/bin/python3.6"))
    if not found:
        pytest.skip("no Python 3.6 (pyenv install 3.6)")
    return found[-1]


def wheels(python: Path, place: Path) -> Mapping[str, str]:
    """The variables with which pip installs the packages without an index; they are fetched into ``place``."""
    run = [str(python), "-m", "pip"]
    # a pip that knows of the last wheels there were for this Python
    newer = [*run, "install", "-q", "--disable-pip-version-check", "--target", str(place / "pip"), "pip==21.3.1"]
    fetch = [*run, "download", "-q", "-d", str(place / "wheels"), "django==1.8.19", "virtualenv", "setuptools", "wheel"]
    for words, env in (newer, {}), (fetch, {"PYTHONPATH": str(place / "pip")}):
        done = subprocess.run(words, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tell = pytest.fail if os.environ.get("TEST_HOOKCI_COMPLETE") == "1" else pytest.skip
            tell(f"packages for Python 3.6 cannot be had here: {done.stderr.strip().splitlines()[-1:]}")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(place / "wheels"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
