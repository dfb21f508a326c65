from __future__ import annotations

import pytest
from markdown_pages import README, Block, blocks, pages, tables

from hookci.cli.commands import cli
from hookci.config.load import parse

EXAMPLES = [block for page in pages() for block in blocks(page, "toml")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: block.place)
def test_every_config_in_the_documentation_is_valid(example: Block) -> None:
    file = "pyproject.toml" if "[tool.hookci" in example.text else "hookci.toml"

    # a config that adds to a pipeline in GitLab's words has one beside it
    gitlab = b"unit: {script: make}\nrelease: {script: make, environment: production}\n"
    pipeline = parse({file: example.text.encode(), ".gitlab-ci.yml": gitlab})

    assert pipeline is not None
    assert pipeline.jobs


def test_the_readme_shows_a_config() -> None:
    assert any(block.place.startswith("README.md") for block in EXAMPLES)


def test_the_readme_names_exactly_the_commands_there_are() -> None:
    rows = next(table for table in tables(README) if table[0][0] == "command")[1:]
    words = {word.strip("`,") for row in rows for word in row[0].split() if word.strip("`,").islower()}

    assert words - {"hookci"} == set(cli.list_commands(None))  # type: ignore[arg-type]  # no context is needed for names
