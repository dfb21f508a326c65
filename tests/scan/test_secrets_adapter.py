"""The secrets detector as a scanner: of trees, of an index, and of what a push brings."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from desk_samples import desk, tree
from msgspec.structs import replace
from secret_samples import INNOCENT_FILES, REAL_FILES, chance, github, key_body, private_key, wrapped

from hookci.git.patches import patches_of_commits, patches_of_tree
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch
from hookci.model.finding import Confidence, Finding, Severity
from hookci.model.scan import Scan, Suppression
from hookci.scan.adapter import ScanStoppedError
from hookci.scan.secrets.adapter import SecretScanner, scan_patches
from hookci.scan.secrets.hashing import matches, shown_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Repo

    from hookci.git.patches import Patches

SCAN = Scan(tool="secrets")


def suppressing(*hashes: str) -> Scan:
    suppressions = [Suppression(where="", reason="a test", expires=date(2099, 1, 1), secret=shown) for shown in hashes]
    return Scan(tool="secrets", suppressions=tuple(suppressions))


def found_in(tmp_path: Path, files: Mapping[str, str | bytes], scan: Scan = SCAN) -> tuple[Finding, ...]:
    held = tree(files)
    scanner = SecretScanner()
    return scanner.scan(held, scanner.asks(held), scan, desk(tmp_path)).findings


def pushed(repo: Repo, known: str) -> Patches:
    repository = Repository.discover(repo.path, repo.env)
    return patches_of_commits(repository, Scratch(repo.path.parent / "scratch"), "HEAD", (known,), "origin")


# -- trees


def test_a_tree_is_looked_at_in_all_its_files(tmp_path: Path) -> None:
    held = tree({**REAL_FILES, **INNOCENT_FILES, "logo.png": b"\x89PNG\0\0"})
    scanner = SecretScanner()

    scanned = scanner.scan(held, scanner.asks(held), SCAN, desk(tmp_path))

    assert {finding.path for finding in scanned.findings} == set(REAL_FILES)
    assert scanned.files == 17
    assert all(finding.severity.rank >= Severity.HIGH.rank for finding in scanned.findings)
    assert all(finding.confidence.rank >= Confidence.MEDIUM.rank for finding in scanned.findings)
    assert (scanner.name, scanner.per_file) == ("secrets", True)
    assert scanner.version()


def test_no_finding_holds_a_secret_in_any_form(tmp_path: Path) -> None:
    password, token = chance(14, 1), github()
    line = f'connect("https://ana:{password}@h.corp.net", "{token}", {password!r})  # {token}'
    files = {
        "a.py": f"{line}\n",
        "key.json": f'{{"private_key": "{private_key(end=chr(92) + "n")}"}}',
        "b.yaml": f"v: {wrapped(token)}",
    }

    found = found_in(tmp_path, files)

    told = repr(found)
    assert len(found) == 4
    assert [
        secret for secret in (password, token, token[4:12], key_body()[:16], wrapped(token)) if secret in told
    ] == []
    assert found[0].text == 'connect("https://ana:****@h.corp.net", "ghp_****", \'****\')  # ghp_****'


def test_a_finding_tells_kind_place_and_a_hash_that_can_be_suppressed(tmp_path: Path) -> None:
    (finding,) = found_in(tmp_path, {"src/a.py": f'# first\nünïcode = "{github()}"\n'})

    assert (finding.tool, finding.rule, finding.path) == ("secrets", "github-token", "src/a.py")
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (2, 12, 2, 12 + len(github()))
    assert finding.message == "this looks like a GitHub token"
    assert finding.text == 'ünïcode = "ghp_****"'
    assert matches(github().encode(), finding.secret)
    assert len(finding.code) == 64
    assert finding.code not in finding.secret


def test_a_private_key_is_shown_by_its_first_line_only(tmp_path: Path) -> None:
    (finding,) = found_in(tmp_path, {"deploy/id": private_key()})

    assert finding.text == private_key().split("\n")[0]
    assert (finding.line, finding.column) == (1, 1)


def test_a_long_line_is_cut_around_the_place(tmp_path: Path) -> None:
    (finding,) = found_in(tmp_path, {"app.min.js": "let a=1;" * 5000 + f'k="{github()}";' + "let b=2;" * 5000})

    assert len(finding.text) <= 202
    assert 'let a=1;k="ghp_****";let b=2;' in finding.text
    assert finding.column == 0


def test_a_secret_is_told_once_for_each_file(tmp_path: Path) -> None:
    found = found_in(tmp_path, {"a.py": f"{github()}\n{github()}\n", "b.py": github()})

    assert [(finding.path, finding.line) for finding in found] == [("a.py", 1), ("b.py", 1)]
    assert len({(finding.code, finding.secret) for finding in found}) == 1


def test_a_suppressed_secret_is_named_as_the_config_names_it(tmp_path: Path) -> None:
    shown = shown_hash(github().encode(), b"a colleague's clone")
    scan = suppressing(shown)

    known, other = found_in(tmp_path, {"a.py": github(), "b.py": github(2)}, scan)

    assert known.secret == shown
    assert other.secret != shown
    assert shown in SecretScanner().rules(tree({}), scan)


def test_a_scan_stops_when_it_is_told_to(tmp_path: Path) -> None:
    def stop() -> None:
        raise ScanStoppedError

    with pytest.raises(ScanStoppedError):
        SecretScanner().scan(tree({"a": "x"}), ["a"], SCAN, desk(tmp_path, check=stop))


# -- patches


def test_a_secret_added_and_removed_again_in_one_push_is_found_with_its_commit(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"a.py": "one = 1\n"})
    guilty = repo.commit({"a.py": f'one = 1\ntoken = "{github()}"\n'})
    repo.commit({"a.py": "one = 1\n"})

    scanned, known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    (finding,) = scanned.findings
    assert (finding.path, finding.line, finding.commit) == ("a.py", 2, guilty)
    assert known == ()
    assert (scanned.what, scanned.files) == ("2 commits, 1 added line", 1)


def test_a_secret_that_is_still_there_is_told_once_where_it_is_now(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"a.py": "one = 1\n"})
    repo.commit({"a.py": f'token = "{github()}"\n'})
    repo.commit({"a.py": f'# above\n# it\n    token = "{github()}"\n', "b.py": "two = 2\n"})

    scanned, known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    (finding,) = scanned.findings
    assert (finding.path, finding.line, finding.commit) == ("a.py", 3, "")
    assert known == ()
    assert scanned.files == 2


@pytest.mark.parametrize(
    "changed",
    [
        'if x:\n    token = "{}"\nlast = 1\n',
        'x = 1\nlast = 1\nprint(x)\ntoken = "{}"\n',
        'token = "{}"  # new\nx = 1\n',
    ],
)
def test_to_indent_or_move_a_line_within_its_file_brings_nothing_new(tmp_path: Path, repo: Repo, changed: str) -> None:
    base = repo.commit({"a.py": f'token = "{github()}"\nx = 1\nlast = 1\n'})
    repo.commit({"a.py": changed.replace("{}", github())})

    scanned, known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    assert [finding.path for finding in scanned.findings] == ["a.py"]
    assert known == scanned.findings


def test_a_revert_of_a_removal_brings_nothing_new(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"a.py": f'token = "{github()}"\n'})
    repo.commit({"a.py": "token = 1\n"})
    repo.commit({"a.py": f'token = "{github()}"\n'})

    scanned, known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    assert known == scanned.findings != ()


def test_a_secret_that_moves_to_another_file_is_new_there(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"a.py": f'token = "{github()}"\n', "b.py": "two = 2\n"})
    repo.commit({"a.py": "token = 1\n", "b.py": f'two = 2\ntoken = "{github()}"\n'})

    scanned, known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    assert [finding.path for finding in scanned.findings] == ["b.py"]
    assert known == ()


def test_a_new_secret_in_the_place_of_an_old_one_is_new(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"a.py": f'token = "{github()}"\n'})
    repo.commit({"a.py": f'token = "{github(2)}"\n'})

    scanned, known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    assert [matches(github(2).encode(), finding.secret) for finding in scanned.findings] == [True]
    assert known == ()


def test_lines_that_came_by_a_merge_are_told_with_their_own_commit_and_no_second_time(
    tmp_path: Path, repo: Repo
) -> None:
    base = repo.commit({"a.py": "one = 1\n"})
    repo.git("checkout", "-qb", "side")
    repo.commit({"b.py": f'token = "{github()}"\n'})
    repo.git("checkout", "-q", "main")
    repo.commit({"c.py": "three = 3\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")

    scanned, _known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    assert [(finding.path, finding.commit) for finding in scanned.findings] == [("b.py", "")]
    assert scanned.what == "3 commits, 2 added lines"


def test_what_only_a_merge_put_into_a_binary_file_is_said_not_to_be_looked_at(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"logo": "a\0\n"})
    repo.git("checkout", "-qb", "side")
    repo.commit({"logo": "b\0\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"logo": "c\0\n"})
    repo.git("merge", "-q", "-s", "ours", "--no-commit", "side")
    repo.commit({"logo": "d\0\n"})

    scanned, _known = scan_patches(pushed(repo, base), SCAN, desk(tmp_path))

    assert scanned.notes == ("logo is binary, and what only a merge put into it was not looked at",)


def test_what_is_about_to_be_committed_is_held_against_what_there_is(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"a.py": f'old = "{github()}"\n'})
    repo.write_files({"a.py": f'old = "{github()}"\nnew = "{github(2)}"\n'})
    repo.git("add", "-A")
    tree_name = repo.out("write-tree")
    repository = Repository.discover(repo.path, repo.env)
    patches = patches_of_tree(repository, Scratch(tmp_path / "scratch"), base, tree_name)

    scanned, known = scan_patches(patches, SCAN, desk(tmp_path))

    assert [(finding.line, finding.commit) for finding in scanned.findings] == [(2, "")]
    assert known == ()
    assert scanned.what == "1 added line"


def test_only_files_that_are_wanted_are_looked_at(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    repo.commit({"a/1.py": github(1), "a/2.py": github(2), "b/1.py": github(3)})
    patches = replace(pushed(repo, base), paths=lambda path: path.startswith("a/"))
    scan = replace(SCAN, files=("**/1.py",))

    scanned, _known = scan_patches(patches, scan, desk(tmp_path))

    assert [finding.path for finding in scanned.findings] == ["a/1.py"]


def test_secrets_in_a_push_are_suppressed_by_their_hash(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    repo.commit({"a.py": github()})
    shown = shown_hash(github().encode(), b"salt")

    scanned, _known = scan_patches(pushed(repo, base), suppressing(shown), desk(tmp_path))

    assert [finding.secret for finding in scanned.findings] == [shown]


def test_a_scan_of_a_push_stops_when_it_is_told_to(tmp_path: Path, repo: Repo) -> None:
    base = repo.commit({"x": "1\n"})
    repo.commit({"a.py": github()})

    def stop() -> None:
        raise ScanStoppedError

    with pytest.raises(ScanStoppedError):
        scan_patches(pushed(repo, base), SCAN, desk(tmp_path, check=stop))
