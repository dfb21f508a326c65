"""The images that scripts/engine makes, and configs whose jobs run in one."""

from __future__ import annotations

import re

__all__ = ["BUSYBOX", "NO_SHELL", "OLD_PYTHON", "POSTGRES", "PYTHON", "REDIS", "in_container"]

BUSYBOX = "hookci-test/busybox:1"
NO_SHELL = "hookci-test/noshell:1"
OLD_PYTHON = "hookci-test/python36:1"
POSTGRES = "hookci-test/postgres:1"
PYTHON = "hookci-test/python:1"
REDIS = "hookci-test/redis:1"

_DEFAULTS = re.compile(r"^[ \t]*\[defaults\][ \t]*\n", re.MULTILINE)


def in_container(config: str, image: str) -> str:
    """A ``hookci.toml`` whose jobs run in containers of an image unless they say something else."""
    setting = f'image = "{image}"\n'
    config, found = _DEFAULTS.subn(lambda match: match[0] + setting, config, count=1)
    return config if found else f"defaults.{setting}{config}"
