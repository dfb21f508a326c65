"""Which files a deployment is found to run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trust_samples import SUBMODULE, Tree, run_by

from hookci.deploy.files import DEPTH, LARGEST, files_run
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch, tree_blobs

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo


def everything() -> Tree:
    """A project with all that a deployment may name, and much that it does not."""
    tree = Tree().script("deploy.sh").script("ops/deploy.sh").script("ops/lib/common.sh").put("ops/settings.toml")
    tree.put("manage.py").put("ops/release/__init__.py").put("ops/release/__main__.py").put("ops/release/steps.py")
    tree.put("ops/__init__.py").put("Makefile").put("package.json").put("ops/compose.yml").put("Dockerfile")
    tree.script("ops/eu/go.sh").script("ops/us/go.sh").script("my tools/go now.sh").script("odd:name.sh")
    return tree.put("app/server.py").put("app/static/x.css").put("README.md").script("bin/release")


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("./deploy.sh production", {"deploy.sh"}),
        ("deploy.sh", {"deploy.sh"}),
        ("exec ops/../deploy.sh", {"deploy.sh"}),
        ('bash -c "set -e; ./deploy.sh"', {"deploy.sh"}),
        ("sh -c './deploy.sh && ./ops/deploy.sh'", {"deploy.sh", "ops/deploy.sh"}),
        ("if true; then ./deploy.sh; fi", {"deploy.sh"}),
        ("echo $(./deploy.sh)", {"deploy.sh"}),
        ("echo `./deploy.sh`", {"deploy.sh"}),
        ("sudo -E env A=b ./deploy.sh>/dev/null", {"deploy.sh"}),
        ("ssh host sh <deploy.sh", {"deploy.sh"}),
        ("./dep\\\nloy.sh; ./deploy.sh", {"deploy.sh"}),
        ('"$CI_PROJECT_DIR/deploy.sh"', {"deploy.sh"}),
        ("${CI_PROJECT_DIR}/ops/deploy.sh", {"ops/deploy.sh"}),
        ('"$(pwd)/ops/deploy.sh"', {"ops/deploy.sh"}),
        ("${SCRIPT:-./deploy.sh}", {"deploy.sh"}),
        ("./ops/$REGION/go.sh", {"ops/eu/go.sh", "ops/us/go.sh"}),
        ("./ops/${REGION:-eu}/go.sh", {"ops/eu/go.sh", "ops/us/go.sh"}),
        ("for s in ops/*/go.sh; do $s; done", {"ops/eu/go.sh", "ops/us/go.sh"}),
        ("sh ./ops/{eu,us}/go.sh", {"ops/eu/go.sh", "ops/us/go.sh"}),
        ("python manage.py migrate", {"manage.py"}),
        ("python -m manage", {"manage.py"}),
        ("uv run --with x manage.py", {"manage.py"}),
        ("ansible-playbook -i inventory --extra-vars=@ops/settings.toml x", {"ops/settings.toml"}),
        ("'my tools/go now.sh' --fast", {"my tools/go now.sh"}),
        ("./my\\ tools/go\\ now.sh", {"my tools/go now.sh"}),
        ("./odd:name.sh", {"odd:name.sh"}),
        ("make deploy", {"Makefile"}),
        ("npm run deploy", {"package.json"}),
        ("docker compose --file=ops/compose.yml up -d", {"ops/compose.yml", "Dockerfile"}),
        ("docker compose -fops/compose.yml up -d", {"ops/compose.yml", "Dockerfile"}),
        ("rsync -a . host:/srv/app", set()),
        ("cp * /srv/app", set()),
        ("true", set()),
        ("", set()),
    ],
)
def test_a_command_finds_the_files_it_names(command: str, files: set[str]) -> None:
    assert run_by(everything(), command) == files


def test_a_package_is_found_by_its_modules_and_their_packages() -> None:
    found = run_by(everything(), "python3.12 -m ops.release production")

    assert {"ops/__init__.py", "ops/release/__init__.py", "ops/release/__main__.py"} <= found
    assert "app/server.py" not in found


def test_a_directory_that_a_command_names_is_found_with_all_below_it() -> None:
    assert run_by(everything(), "kubectl apply -f app/") == {"app/server.py", "app/static/x.css"}


def test_names_are_looked_up_where_a_command_has_gone() -> None:
    tree = Tree().script("deploy.sh").script("services/web/tools/go.sh").script("other/tools/go.sh")

    found = run_by(tree, "cd services/web && ./tools/go.sh && ../../deploy.sh")

    assert found == {"deploy.sh", "services/web/tools/go.sh"}


def test_a_variable_that_names_a_file_or_a_place_counts_as_well() -> None:
    tree = everything().put("ops/prod.yml")

    found = run_by(tree, "release && docker compose up", values=["bin:/usr/bin", "ops/prod.yml"])

    assert found == {"bin/release", "ops/prod.yml", "Dockerfile"}


@pytest.mark.parametrize(
    ("content", "called"),
    [
        ('. "$(dirname "$0")/lib/common.sh"\n', "ops/lib/common.sh"),
        ('source "${BASH_SOURCE[0]%/*}/lib/common.sh"\n', "ops/lib/common.sh"),
        ('cd "$(dirname "$0")" && . lib/common.sh\n', "ops/lib/common.sh"),
        ("[ -f x ] || . ./ops/lib/common.sh\n", "ops/lib/common.sh"),
        ("if true; then\n  . ops/data.txt\nfi\n", "ops/data.txt"),
        ("../bin/release\n", "bin/release"),
        ("find . -exec bin/release {} +\n", "bin/release"),
        ("python app/server.py --migrate\n", "app/server.py"),
        ("perl -w ops/data.txt\n", "ops/data.txt"),
        ("psql -f ops/data.txt\n", "ops/data.txt"),
        ("kubectl apply -f k8s\n", "k8s/web/pod.yml"),
        ("make -C ops restart\n", "ops/Makefile"),
        ('import subprocess\nsubprocess.run(["bash", "lib/run.txt"])\n', "ops/lib/run.txt"),
        ('os.execv(HERE / "lib" / "common.sh", [])\n', "ops/lib/common.sh"),
        ("import helper\n", "ops/helper.py"),
        ("def main():\n    from helper import (\n        a,\n        b,\n    )\n", "ops/helper.py"),
        ("from . import helper as h, other\n", "ops/helper.py"),
        ("from ..app import server\n", "app/server.py"),
        ('subprocess.run([sys.executable, "-m", "app.server"])\n', "app/server.py"),
        ('const x = require("./lib/run.txt")\n', "ops/lib/run.txt"),
    ],
)
def test_a_file_that_is_run_finds_what_it_runs_in_turn(content: str, called: str) -> None:
    tree = everything().script("ops/deploy.sh", content).put("ops/data.txt").put("ops/lib/run.txt")
    tree.put("k8s/web/pod.yml").put("ops/Makefile").put("ops/helper.py").put("lib/common.sh").put("data.txt")

    assert called in run_by(tree, "./ops/deploy.sh")


@pytest.mark.parametrize(
    "content",
    [
        'cp -r app "$target"\n',
        'cp app/server.py "$target"\n',
        "rsync -a app/ ops/settings.toml host:\n",
        "# python app/server.py\n",
        'ln -sfn "$releases/$new" current; rm -rf "$releases/$old"\n',
    ],
)
def test_what_a_script_only_copies_or_speaks_of_is_not_found(content: str) -> None:
    assert run_by(everything().script("deploy.sh", content), "./deploy.sh") == {"deploy.sh"}


def test_a_comment_that_ends_in_a_backslash_does_not_hide_the_next_line() -> None:
    tree = everything().script("bin/release", "# do this: \\\n./deploy.sh\n")

    assert run_by(tree, "bin/release") == {"bin/release", "deploy.sh"}


def test_calls_are_followed_to_a_fixed_depth_and_in_circles_only_once() -> None:
    tree = Tree()
    for number in range(DEPTH + 3):
        tree.script(f"s{number}.sh", f"./s{number + 1}.sh\n./s0.sh\n")

    assert run_by(tree, "./s0.sh") == {f"s{number}.sh" for number in range(DEPTH + 1)}
    assert len(tree.asked) == len(set(tree.asked)) == DEPTH


def test_a_binary_or_very_large_file_is_found_but_not_searched() -> None:
    tree = everything().put("a", b"\0\n./deploy.sh\n", "100755").script("b", "./deploy.sh\n" + "#" * LARGEST)

    assert run_by(tree, "./a && ./b") == {"a", "b"}


def test_links_are_found_with_what_they_lead_to() -> None:
    tree = everything().link("deploy", "current/deploy.sh").link("current", "./ops").link("app/up", "../ops/lib")

    assert run_by(tree, "./deploy") == {"deploy", "current", "ops/deploy.sh"}
    assert run_by(tree, "current/deploy.sh") == {"current", "ops/deploy.sh"}
    assert run_by(tree, "./app/up/common.sh") == {"app/up", "ops/lib/common.sh"}


def test_a_linked_script_finds_what_lies_beside_the_link() -> None:
    tree = everything().link("tools/go", "../ops/deploy.sh").put("tools/near.sh")
    tree.script("ops/deploy.sh", '. "${0%/*}/near.sh"\n')

    assert run_by(tree, "tools/go") == {"tools/go", "ops/deploy.sh", "tools/near.sh"}


@pytest.mark.parametrize("target", ["/usr/local/bin/deploy", "../../elsewhere", "nothing", "go"])
def test_a_link_that_leads_nowhere_in_the_tree_is_found_itself(target: str) -> None:
    assert run_by(Tree().link("go", target), "./go") == {"go"}


def test_a_submodule_is_found_by_what_is_named_in_it() -> None:
    tree = everything().put("vendor/tool", "a commit", SUBMODULE)

    assert run_by(tree, "./vendor/tool/bin/go --now") == {"vendor/tool"}
    assert run_by(tree.script("deploy.sh", "vendor/tool/bin/go\n"), "./deploy.sh") == {"deploy.sh", "vendor/tool"}


def test_the_attributes_that_change_what_a_checkout_writes_belong_to_a_file() -> None:
    tree = everything().put(".gitattributes").put("ops/.gitattributes").put("app/.gitattributes")

    assert run_by(tree, "ops/deploy.sh") == {"ops/deploy.sh", ".gitattributes", "ops/.gitattributes"}
    assert run_by(tree, "true") == set()


def test_the_files_of_a_real_commit_are_found(repo: Repo, tmp_path: Path) -> None:
    repo.write_files({"ops/deploy.sh": ". ops/lib.sh\n", "ops/lib.sh": "", "app.py": ""})
    (repo.path / "go").symlink_to("ops/deploy.sh")
    odd = repo.path / os.fsdecode(b"ops/\xff.sh")
    odd.touch()
    repo.commit()
    repository = Repository.discover(repo.path, repo.env)
    blobs = tree_blobs(repository, Scratch(tmp_path / "scratch"), repo.out("rev-parse", "HEAD^{tree}"))

    found = files_run(["./go", "sh ops/*.sh"], [], blobs, repository.blob)

    assert found == {"go", "ops/deploy.sh", "ops/lib.sh", os.fsdecode(b"ops/\xff.sh")}


@settings(max_examples=200, deadline=None)
@given(
    command=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
    | st.text("./$*?[]{}()'\"\\-mabx# \n=:@", max_size=40),
    before=st.sampled_from(["", "set -eu\n", "cd ops && ", "exec ", 'test "$a" && ']),
)
def test_no_text_around_it_hides_a_script_in_a_line_of_its_own(command: str, before: str) -> None:
    tree = everything().script("x", command).link("m", "a/b").link("a", ".")

    assert "deploy.sh" in run_by(tree, f"{before}./deploy.sh\n", command)
    assert "deploy.sh" in run_by(tree.script("x", f"{command}\n{before}./deploy.sh\n"), "./x")
