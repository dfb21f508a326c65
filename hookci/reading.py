"""Reads the pipeline of a tree or of the work tree, with all that its config may ask about what is around it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hookci.config.load import PIPELINE_FILES, files_of, parse
from hookci.config.noted import Noted, digest_of
from hookci.config.pinned import fetched_from, kept_in
from hookci.config.surroundings import Surroundings
from hookci.git.changes import changed_since
from hookci.git.snapshots import blob_at, config_files, of_work_tree, tree_blobs, visible_files
from hookci.model.snapshot import IS_NEW
from hookci.store.parsed import Needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hookci.git.repository import Repository
    from hookci.git.snapshots import Scratch
    from hookci.model.pipeline import Pipeline
    from hookci.model.snapshot import Snapshot
    from hookci.store.parsed import ParsedConfigs

__all__ = ["around_files", "pipeline_of_files", "pipeline_of_tree", "surroundings"]


def pipeline_of_tree(  # noqa: PLR0913 (all that reading one depends on, by keyword)
    repository: Repository,
    scratch: Scratch,
    snapshot: Callable[[], Snapshot],
    *,
    tree: str,
    data_home: Path,
    known: ParsedConfigs | None = None,
    asked: Mapping[str, str] | None = None,
) -> Pipeline | None:
    """What the config in a tree defines; None when it has none.

    Args:
        repository: where the tree is.
        scratch: where else objects may be.
        snapshot: makes the snapshot that is judged, of which a config may ask what it is; called only then.
        tree: a tree, or a commit.
        data_home: the user's, where fetched includes are.
        known: configs that were read before, None to read anew.
        asked: variables that a person gives by hand.

    Raises:
        ConfigError: the config is wrong.
    """
    files = config_files(repository, scratch, tree, PIPELINE_FILES)
    if not files:
        return None
    around = surroundings(
        snapshot,
        read=lambda path: files[path] if path in files else blob_at(repository, scratch, tree, path),
        paths=lambda: tree_blobs(repository, scratch, tree),
        compared=functools.partial(changed_since, repository, scratch),
        data_home=data_home,
        asked=asked or {},
    )
    # what a person gives by hand may be secret, and is kept nowhere
    return parse(files, around) if known is None or asked else _parsed(files, around, known)


def _parsed(files: Mapping[str, bytes], around: Surroundings, known: ParsedConfigs) -> Pipeline | None:
    """What ``files`` define, from what is known if all that it was read from is as it was."""
    before = known.get(files, lambda needed: _is_so(needed, around))
    if before is not None:
        return before
    noted = Noted(around)
    pipeline = parse(files, noted.surroundings)
    if pipeline is not None and noted.is_all:
        known.put(files, pipeline, Needed(noted.files, noted.facts))
    return pipeline


def _is_so(needed: Needed, around: Surroundings) -> bool:
    if needed.facts:
        facts = around.facts()
        if any(facts.get(name) != value for name, value in needed.facts.items()):
            return False
    return all(digest_of(around.read(path)) == digest for path, digest in needed.files.items())


def pipeline_of_files(repository: Repository, scratch: Scratch, top: Path, data_home: Path) -> Pipeline | None:
    """What the config of the work tree at ``top`` defines, as its files are; None when there is none.

    Raises:
        ConfigError: the config is wrong.
    """
    return parse(files_of(top), around_files(repository, scratch, top, data_home))


def around_files(repository: Repository, scratch: Scratch, top: Path, data_home: Path) -> Surroundings:
    """What a config in the work tree at ``top`` may ask: the files as they are."""
    return surroundings(
        lambda: of_work_tree(repository, scratch),
        read=lambda path: _file_below(top, path),
        paths=lambda: visible_files(repository),
        compared=functools.partial(changed_since, repository, scratch),
        data_home=data_home,
        asked={},
    )


def surroundings(
    snapshot: Callable[[], Snapshot],
    *,
    read: Callable[[str], bytes | None],
    paths: Callable[[], Iterable[str]],
    compared: Callable[[Snapshot, str | None], tuple[str, ...] | None],
    data_home: Path,
    asked: Mapping[str, str],
) -> Surroundings:
    """What a config may ask; ``snapshot`` and ``paths`` are called once at most."""
    judged, listed = functools.cache(snapshot), functools.cache(paths)
    return Surroundings(
        read=read,
        paths=listed,
        facts=lambda: {**judged().facts, IS_NEW: str(judged().has_no_base)},
        changed=lambda: None if judged().has_no_base else compared(judged(), None),
        compared=lambda revision: compared(judged(), revision),
        fetched=fetched_from(kept_in(data_home), read),
        asked=asked,
    )


def _file_below(top: Path, path: str) -> bytes | None:
    place = top / path
    if not place.is_file() or not place.resolve().is_relative_to(top.resolve()):
        return None
    return place.read_bytes()
