"""What the pages for those who come from another hook manager say of it, and of hookci, tried with both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from markdown_pages import DOCS
from typed_in import type_in

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sealed

# What comes from the npm registry, and wants a newer Node than most machines have, is left to a person.
TRIED = ["pre-commit", "lefthook"]


@pytest.mark.parametrize("manager", TRIED)
def test_what_a_page_says_of_a_manager_is_so(manager: str, tmp_path: Path, sealed: Sealed) -> None:
    directory = tmp_path / "shop"
    directory.mkdir()

    done = type_in(DOCS / "how-to" / "coming-from" / f"{manager}.md", directory, sealed, below="See for yourself")

    assert done > 10
