"""Node, Go, Rust, Make, and several of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from detect_samples import FLIT, job, jobs, look, plant, scripted

from hookci.config.detect import Found, detect

if TYPE_CHECKING:
    from pathlib import Path

NO_TEST = '"test": "echo \\"Error: no test specified\\" && exit 1"'


@pytest.mark.parametrize(
    ("lock", "installed", "install"),
    [
        ("package-lock.json", "npm", "npm ci"),
        ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
        ("pnpm-lock.yaml", "npm", "npx --yes pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
        ("README.md", "npm", "npm install"),
    ],
)
def test_the_lock_file_decides_how_node_installs(tmp_path: Path, lock: str, installed: str, install: str) -> None:
    files = {"package.json": '{"scripts": {"test": "x"}, "dependencies": {"a": "1"}}', lock: ""}

    assert job(tmp_path, files, installed).script[0] == install


def test_npms_own_placeholder_is_no_test(tmp_path: Path) -> None:
    files = {"package.json": f'{{"scripts": {{{NO_TEST}, "build": "tsc"}}, "devDependencies": {{"typescript": "5"}}}}'}

    assert job(tmp_path, files).script == ("npm install", "npm run build")


def test_tests_for_nodes_own_runner_are_run_without_a_script(tmp_path: Path) -> None:
    files = {"package.json": f'{{"scripts": {{{NO_TEST}}}}}', "test/a.test.js": "const test = require('node:test')"}

    assert job(tmp_path, files).script == ("node --test",)


def test_a_package_json_that_holds_only_settings_is_no_project(tmp_path: Path) -> None:
    found = look(tmp_path, {"package.json": '{"prettier": {}}'})

    assert found.found == ()
    assert set(scripted(found)) == {"example"}


def test_go_builds_vets_and_tests(tmp_path: Path) -> None:
    assert job(tmp_path, {"go.mod": "module x"}).script == ("go build ./...", "go vet ./...", "go test ./...")


def test_a_tool_that_is_not_installed_is_said(tmp_path: Path) -> None:
    found = detect(plant(tmp_path, {"go.mod": "module x"}), lambda _name: None)

    assert found.found == (Found("Go module (go.mod)", "go build, vet and test; go is not on PATH here"),)


def test_cargo_keeps_its_target_and_builds_what_is_ours_anew(tmp_path: Path) -> None:
    tests = job(tmp_path, {"Cargo.toml": "[package]", "Cargo.lock": ""})

    assert tests.script == ("git ls-files -z | xargs -0 touch -c --", "cargo build --locked", "cargo test --locked")
    assert tests.cache[0].paths == ("target",)
    assert tests.cache[0].key_files == ("Cargo.toml", "Cargo.lock")


def test_makefile_targets_are_found_and_assignments_are_not(tmp_path: Path) -> None:
    makefile = "check := no\n.PHONY: test lint\nall build: x\nlint:\n\tfalse\n%.o: %.c\n\ttest: no\ntest:: x\n"

    found = jobs(look(tmp_path, {"Makefile": makefile}))

    assert found["test"].script == ("make build", "make test")
    assert found["lint"].allow_failure.allowed


def test_a_makefile_says_nothing_where_a_language_does(tmp_path: Path) -> None:
    files = {"Makefile": "test:\n\tfalse\n", "go.mod": "module x"}

    assert [found.what for found in look(tmp_path, files).found] == ["Go module (go.mod)"]


def test_a_makefile_tests_a_python_project_in_which_no_tests_were_found(tmp_path: Path) -> None:
    files = {"Makefile": "test:\n\ttrue\n", "pyproject.toml": FLIT, "thing/__init__.py": ""}

    assert jobs(look(tmp_path, files))["test"].script[2:] == (
        "pip install -q -e .",
        "python -m compileall -q thing",
        "make test",
    )


def test_two_languages_get_a_job_each(tmp_path: Path) -> None:
    files = {"Cargo.toml": "[package]", "package.json": '{"scripts": {"test": "x"}}'}

    assert list(scripted(look(tmp_path, files))) == ["test-node", "test-rust"]


def test_projects_in_directories_get_a_job_each_but_fixtures_do_not(tmp_path: Path) -> None:
    package = '{"scripts": {"test": "x"}}'
    files = {"front/package.json": package, "back/go.mod": "module x", "tests/package.json": package}

    found = scripted(look(tmp_path, files))

    assert {name: job.script[0] for name, job in found.items()} == {"test-back": "cd back", "test-front": "cd front"}
