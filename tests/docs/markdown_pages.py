"""The pages of the documentation, read as Markdown."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"


@dataclass(frozen=True)
class Block:
    """A fenced block; ``before`` is the paragraph or comment in front of it."""

    language: str
    text: str
    before: str
    place: str


def pages() -> list[Path]:
    return [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str | None = None, *, below: str = "") -> list[Block]:
    """The fenced blocks of a page, all or those of one language, from the heading ``below`` on."""
    found, before, reached = [], "", not below
    for token in tokens(page):
        if token.type in {"inline", "html_block"}:
            before = token.content.strip()
            reached = reached or before == below
        if token.type == "fence" and reached and language in {None, token.info}:
            line = (token.map or [0])[0] + 1
            found.append(Block(token.info, token.content, before, f"{name_of(page)}:{line}"))
    return found


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield str(target)


def anchors(page: Path) -> set[str]:
    """The ids that GitHub gives the headings of a page."""
    found: dict[str, int] = {}
    for heading, title in itertools.pairwise(tokens(page)):
        if heading.type == "heading_open":
            text = "".join(child.content for child in title.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return {slug if count == 0 else f"{slug}-{count}" for slug, last in found.items() for count in range(last + 1)}


def tables(page: Path) -> list[list[list[str]]]:
    """The tables of a page as rows of cells, heads included, in the order of the page."""
    found: list[list[list[str]]] = []
    for token in tokens(page):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and token.level and found and _in_cell(token):
            found[-1][-1].append(token.content)
    return found


def _in_cell(token: Token) -> bool:
    return token.level > 3  # table, head or body, row, cell
