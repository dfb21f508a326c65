"""What is installed beside hookci, asked without importing it."""

from __future__ import annotations

import importlib.util
import os

__all__ = ["installed_directory", "installed_version"]

_SUFFIX = ".dist-info"


def installed_directory(package: str) -> str:
    """The directory that ``package`` would be imported from; empty when it is not there."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        return ""
    return os.path.dirname(os.path.dirname(spec.origin))  # noqa: PTH120 (pathlib costs more than the rest)


def installed_version(package: str) -> str:
    """The version of the distribution that ``package`` (an import name, such as ``pip_audit``) is of.

    Its name is the package's but for case, ``-`` and ``_``.  Empty when it is not there.

    Source: the "Recording installed projects" specification, ``NAME-VERSION.dist-info``.
    """
    directory = installed_directory(package)
    if not directory:
        return ""
    wanted = _normal(package)
    for entry in os.listdir(directory):  # noqa: PTH208 (as above)
        name, dash, version = entry.removesuffix(_SUFFIX).rpartition("-")
        if dash and entry.endswith(_SUFFIX) and _normal(name) == wanted:
            return version
    return _recorded_elsewhere(wanted)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _recorded_elsewhere(name: str) -> str:
    """Editable installations, and those of a system's packager."""
    from importlib import metadata  # noqa: PLC0415 (dear, and hardly ever needed)

    try:
        return metadata.version(name) or ""  # leftovers of a removed one have none
    except metadata.PackageNotFoundError:
        return ""
