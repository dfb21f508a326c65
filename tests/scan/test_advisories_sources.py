"""Files with OSV records, as people have them and as attackers make them."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest
from advisory_samples import record, zip_of

from hookci.errors import UsageError
from hookci.scan.advisories.plainyaml import read_yaml
from hookci.scan.advisories.sources import Document, Limits, Piece, Refused, read_sources

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = record("A-1"), record("A-2")
YAML = """
id: A-1
modified: 2026-01-02T03:04:05Z
withdrawn: null
affected:
- package: {name: django, ecosystem: PyPI}
  versions: [1.10, "1.20", 2.0]
"""
SMALL = Limits(file=2000, total=5000)


def packed(content: bytes) -> bytes:
    """The same bytes at any time: they are in the names of tests, which every test process has to agree on."""
    return gzip.compress(content, mtime=0)


def read(*paths: Path, limits: Limits | None = None) -> list[Piece]:
    return list(read_sources(paths, limits or Limits()))


def values(*paths: Path) -> list[object]:
    return [piece.value for piece in read(*paths) if isinstance(piece, Document)]


def refused(*paths: Path, limits: Limits | None = None) -> list[tuple[str, str]]:
    return [(piece.where, piece.why) for piece in read(*paths, limits=limits) if isinstance(piece, Refused)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("both.json", json.dumps([ONE, TWO], indent=1).encode()),
        ("both.jsonl", f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}\n".encode()),
        ("both.json.gz", packed(json.dumps([ONE, TWO]).encode())),
        ("both.jsonl.gz", packed(f"{json.dumps(ONE)}\r\n{json.dumps(TWO)}".encode())),
        ("both.yaml", f"---\n{json.dumps(ONE)}\n---\n{json.dumps(TWO)}\n".encode()),
        ("all.zip", zip_of({"A-1.json": ONE, "d/A-2.json.gz": packed(json.dumps(TWO).encode()), "READ": b"x"})),
        ("all-without-a-suffix", zip_of({"A-1.json": ONE, "A-2.yaml": TWO})),
        ("utf16.json", json.dumps([ONE, TWO]).encode("utf-16")),
    ],
)  # fmt: skip
def test_every_form_is_read(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    found = values(tmp_path / name)

    assert found == [ONE, TWO]


def test_a_directory_is_read_at_any_depth_and_its_hidden_directories_are_not(tmp_path: Path) -> None:
    for name, value in {"b/c/A-2.json": TWO, "a.json": ONE, ".git/A-3.json": TWO, "README.md": ONE}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.json")

    found = read(tmp_path)

    assert found == [Document(str(tmp_path / "a.json"), ONE), Document(str(tmp_path / "b/c/A-2.json"), TWO)]


def test_where_a_record_stands_is_told(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(zip_of({"list.json": [ONE, TWO]}))

    places = [piece.where for piece in read(tmp_path / "all.zip")]

    assert places == [f"{tmp_path}/all.zip: list.json: item 1", f"{tmp_path}/all.zip: list.json: item 2"]


def test_versions_in_yaml_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(YAML)

    found = values(tmp_path / "a.yaml")

    package = {"name": "django", "ecosystem": "PyPI"}
    assert found == [
        {
            "id": "A-1", "modified": "2026-01-02T03:04:05Z", "withdrawn": None,
            "affected": [{"package": package, "versions": ["1.10", "1.20", "2.0"]}],
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 200_000, "YAML that is nested too deep"),
        ("a: &a [1]\nb: *a\n", "YAML with anchors"),
        ("? [1]\n: 2\n", "YAML with keys that are not texts"),
        ("a: [1", "not YAML"),
        ("a: \x01", "not YAML"),
    ],
)
def test_yaml_that_is_no_plain_data_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.yaml").write_text(text)

    assert refused(tmp_path / "a.yaml") == [(f"{tmp_path}/a.yaml", why)]


def test_no_tag_of_yaml_makes_an_object() -> None:
    text = b"a: !!python/object/apply:os.system [exit 7]\nb: !!int '7'\nc: 'null'\n"

    assert list(read_yaml(text)) == [{"a": ["exit 7"], "b": "7", "c": "null"}]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", b"", "not JSON"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 200_000, "not JSON"),
        ("a.json", b'{"a": "\xff"}', "not JSON"),
        ("a.zip", zip_of({"A-1.json": ONE})[:-30], "a broken or incomplete zip archive"),
        ("a.gz", packed(b"{}")[:-3], "broken, or packed in a way that is not known here"),
        ("a.gz", b"\x1f\x8bnonsense", "broken, or packed in a way that is not known here"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)

    assert refused(tmp_path / name) == [(f"{tmp_path}/{name}", why)]


def test_one_broken_file_of_an_archive_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    stored = zip_of({"A-1.json": ONE, "A-2.json": TWO}, compression=zipfile.ZIP_STORED)
    (tmp_path / "all.zip").write_bytes(stored.replace(b'"A-1"', b'"A-9"', 1))

    found = read(tmp_path / "all.zip")

    why = "broken, or packed in a way that is not known here"
    assert found == [
        Refused(f"{tmp_path}/all.zip: A-1.json", why),
        Document(f"{tmp_path}/all.zip: A-2.json", TWO),
    ]


def test_one_broken_line_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(ONE)}\n{{\n{json.dumps(TWO)}\n")

    assert values(tmp_path / "a.jsonl") == [ONE, TWO]
    assert refused(tmp_path / "a.jsonl") == [(f"{tmp_path}/a.jsonl: line 2", "not JSON")]


def test_an_archive_in_an_archive_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(zip_of({"inner.zip": zip_of({"A-1.json": ONE}), "A-2.json": TWO}))

    assert values(tmp_path / "all.zip") == [TWO]
    assert refused(tmp_path / "all.zip") == [(f"{tmp_path}/all.zip: inner.zip", "not JSON")]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(tmp_path: Path, compression: int) -> None:
    (tmp_path / "all.zip").write_bytes(zip_of({"A-1.json": ONE}, compression=compression))

    assert [why for _where, why in refused(tmp_path / "all.zip")] == [
        "broken, or packed in a way that is not known here"
    ]


def test_a_file_that_expands_to_too_much_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    bomb = b"[" + b" " * 1_000_000 + b"]"
    (tmp_path / "a.json.gz").write_bytes(packed(bomb))
    (tmp_path / "b.zip").write_bytes(zip_of({"bomb.json": bomb, "A-1.json": ONE}))

    found = read(tmp_path, limits=Limits(file=2000, total=5_000_000))

    assert found == [
        Refused(f"{tmp_path}/a.json.gz", "more than 2000 bytes"),
        Refused(f"{tmp_path}/b.zip: bomb.json", "more than 2000 bytes"),
        Document(f"{tmp_path}/b.zip: A-1.json", ONE),
    ]


def test_files_that_come_to_too_much_together_stop_the_import(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(zip_of({f"{number}.json": b"[]" + b" " * 1500 for number in range(9)}))

    with pytest.raises(UsageError, match=r"^the files come to more than 5000 bytes$"):
        read(tmp_path / "all.zip", limits=SMALL)


def test_a_source_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UsageError, match=r"nowhere\.json: no such file or directory$"):
        read(tmp_path / "nowhere.json")
    with pytest.raises(UsageError, match=r"pipe is neither a file nor a directory$"):
        read(tmp_path / "pipe")
