from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from markdown_pages import DOCS, ROOT, anchors, links, name_of, pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    broken = []

    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    pending, reached = [DOCS / "index.md"], set()

    while pending:
        page = pending.pop()
        reached.add(page)
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link}
        pending += [path for path in found if path.suffix == ".md" and path not in reached]

    assert set(DOCS.rglob("*.md")) - reached == set()


def test_the_site_has_every_page_in_its_navigation() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text())

    listed = [ROOT / name for name in leaves(site["project"]["nav"])]

    assert sorted(listed) == sorted(pages())


def leaves(nav: object) -> Iterator[str]:
    """The pages in a navigation, where lists and tables of one section stand in each other."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict | list):
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(entry)
