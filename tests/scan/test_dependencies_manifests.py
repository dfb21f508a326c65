from __future__ import annotations

import json

import pytest
from desk_samples import oid_of, tree
from manifest_samples import NPM_LOCK_1, NPM_LOCK_3, PIPFILE_LOCK, POETRY_LOCK, PYLOCK, UV_LOCK, declared, told

from hookci.model.finding import NOT_SCANNED
from hookci.scan.dependencies.adapter import DependencyScanner


def test_files_that_declare_or_lock_are_asked_for_at_any_depth_but_not_what_is_installed() -> None:
    wanted = [
        "Pipfile.lock",
        "a/b/package-lock.json",
        "a/b/uv.lock",
        "constraints-test.txt",
        "dev-requirements.txt",
        "npm-shrinkwrap.json",
        "poetry.lock",
        "pylock.dev.toml",
        "pylock.toml",
        "pyproject.toml",
        "requirements-dev.txt",
        "requirements/dev.txt",
    ]
    others = ["notes.txt", "my-uv.lock", "package.json", "Cargo.lock", "requirements.md", "docs/dev.txt"]
    installed = [f"{directory}/x/pyproject.toml" for directory in ("node_modules", ".venv", "venv", "a/site-packages")]

    asked = DependencyScanner().asks(tree(dict.fromkeys([*wanted, *others, *installed], "")))

    assert asked == wanted


def test_a_pyproject_is_read_in_all_the_places_that_the_standards_have() -> None:
    file = """[build-system]
requires = ["hatchling==1.0"]
[project]
# "django<2" was here before
dependencies = [
  "django<2",
  'flask>=1 ; python_version < "3"',
]
optional-dependencies.more = ["six==1.0", "there @ https://x.example/there.zip", "here @ file:///here"]
[dependency-groups]
test = ["pytest~=8.0", { include-group = "lint" }]
lint = ["ruff"]
"""

    found = declared({"pyproject.toml": file})

    assert [(one.name, one.version or one.specifier, one.line) for one in found.dependencies] == [
        ("django", "<2", 6),
        ("flask", ">=1", 7),
        ("six", "1.0", 9),
        ("pytest", "~=8.0", 11),
        ("ruff", "", 12),
        ("hatchling", "1.0", 2),
    ]
    assert found.addresses == ("there",)
    assert found.dependencies[0].text == '  "django<2",'


def test_poetrys_own_tables_are_read_in_its_own_words() -> None:
    file = """[tool.poetry.dependencies]
python = "^3.11"
django = "^2.1"
flask = { version = "~1.0", extras = ["async"] }
six = "1.0"
Jinja2 = [{ version = "2.10", python = "<3" }, { version = ">=3", python = ">=3" }]
either = "<1 || >=2,<2.1"
near = { path = "../near" }
far = { git = "https://git.example/far.git" }
any = "*"

[tool.poetry.group.dev.dependencies.pytest]
version = "8.*"

[tool.poetry.dev-dependencies]
old = "0.1"
"""

    found = declared({"pyproject.toml": file})

    assert [(one.name, one.version or one.specifier, one.line) for one in found.dependencies] == [
        ("django", "<3,>=2.1", 3),
        ("flask", "<1.1,>=1.0", 4),
        ("six", "1.0", 5),
        ("jinja2", "2.10", 6),
        ("jinja2", ">=3", 6),
        ("either", "<1 || <2.1,>=2", 7),
        ("any", "", 10),
        ("old", "0.1", 16),
        ("pytest", "==8.*", 12),
    ]
    assert found.addresses == ("far",)


@pytest.mark.parametrize(
    ("path", "lock", "expected"),
    [
        ("uv.lock", UV_LOCK, [("django", "2.2", 13)]),
        ("poetry.lock", POETRY_LOCK, [("django", "2.2", 4)]),
        ("pylock.toml", PYLOCK, [("django", "2.2", 5)]),
        ("Pipfile.lock", PIPFILE_LOCK, [("django", "2.2", 4), ("jinja2", "2.10", 16)]),
        (
            "package-lock.json",
            NPM_LOCK_1,
            [
                ("requires", "1.0.0", 5),
                ("lodash", "4.17.21", 16),
                ("@scope/real", "1.2.3", 19),
                ("lodash", "4.17.4", 11),
            ],
        ),
        ("package-lock.json", NPM_LOCK_3, [("lodash", "4.17.4", 9), ("lodash", "3.0.0", 12), ("real", "1.2.3", 15)]),
    ],
)
def test_a_lock_tells_each_package_with_the_line_it_is_named_in(
    path: str, lock: str, expected: list[tuple[str, str, int]]
) -> None:
    assert told(path, lock) == expected
    assert told(path, b"\xef\xbb\xbf" + lock.replace("\n", "\r\n").encode()) == expected


def test_what_a_lock_takes_from_an_address_is_counted() -> None:
    found = declared({"uv.lock": UV_LOCK, "Pipfile.lock": PIPFILE_LOCK, "package-lock.json": NPM_LOCK_1})

    assert found.addresses == ("tool", "forked")


def test_a_lock_without_line_breaks_has_no_line_to_show() -> None:
    lock = json.dumps(json.loads(NPM_LOCK_3) | {"padding": "x" * 400})

    found = declared({"package-lock.json": lock}).dependencies

    assert {(one.line, one.text) for one in found} == {(1, "")}
    assert len(found) == 3


def test_a_lock_settles_what_the_pyproject_beside_it_leaves_open() -> None:
    pyproject = (
        '[project]\ndependencies = ["django<2", "six==1.0", "unlocked<3"]\n[build-system]\nrequires = ["hatchling<2"]\n'
    )

    beside = declared({"a/pyproject.toml": pyproject, "a/uv.lock": UV_LOCK}).dependencies
    elsewhere = declared({"a/pyproject.toml": pyproject, "b/uv.lock": UV_LOCK}).dependencies

    assert [(one.path, one.name) for one in beside] == [
        ("a/pyproject.toml", "six"),
        ("a/pyproject.toml", "unlocked"),
        ("a/pyproject.toml", "hatchling"),
        ("a/uv.lock", "django"),
    ]
    assert ("a/pyproject.toml", "django") in [(one.path, one.name) for one in elsewhere]


@pytest.mark.parametrize(
    ("path", "contents", "line"),
    [
        ("pyproject.toml", "[project]\nname =\n", 2),
        ("pyproject.toml", "[project]\ndependencies = 'django'\n", 0),
        ("pyproject.toml", "tool = 1\n", 0),
        ("pyproject.toml", f"a = {'[' * 100_000}", 0),
        ("uv.lock", "package = 1", 0),
        ("uv.lock", "[[package]]\nversion = '1'\n", 0),
        ("poetry.lock", "a = 1\na = 2\n", 2),
        ("Pipfile.lock", '{"default": {"django": "==2.2"}}', 1),
        ("Pipfile.lock", "", 1),
        ("package-lock.json", '{\n"packages": {,}}', 2),
        ("package-lock.json", '{\n"packages": []}', 2),
        ("package-lock.json", '{"dependencies": {"lodash": "4"}}', 1),
        ("package-lock.json", "[]", 0),
        ("package-lock.json", '{"a":' * 100_000, 0),
        ("package-lock.json", b"\0\0", 1),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_not_scanned(path: str, contents: str | bytes, line: int) -> None:
    found = declared({path: contents, "requirements.txt": "six==1.0"})

    (finding,) = found.findings
    assert (finding.path, finding.rule, finding.line) == (path, NOT_SCANNED, line)
    assert finding.code == oid_of(contents.encode() if isinstance(contents, str) else contents)
    assert (found.files, len(found.dependencies)) == (1, 1)


def test_a_package_whose_name_or_version_is_none_is_not_scanned() -> None:
    lock = '{"packages": {"node_modules/\\ud800": {"version": "1.0.0"}, "node_modules/b": {"version": 1}}}'

    found = declared({"package-lock.json": lock})

    assert [finding.rule for finding in found.findings] == [NOT_SCANNED]
    assert not found.dependencies


def test_a_file_that_is_too_large_to_be_a_manifest_is_not_scanned() -> None:
    found = declared({"package-lock.json": b" " * (50 * 2**20)})

    (finding,) = found.findings
    assert finding.message == "cannot be read: larger than 32 MiB"
