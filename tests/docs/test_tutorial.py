from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_pages import DOCS
from typed_in import type_in

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sealed


def test_the_tutorial_does_what_it_says(tmp_path: Path, sealed: Sealed) -> None:
    done = type_in(DOCS / "tutorial" / "first-pipeline.md", tmp_path, sealed)

    assert done > 20
