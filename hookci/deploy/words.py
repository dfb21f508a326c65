"""The words of a text that may name a file it runs.

Shell text is not understood here, it is searched, and rather too much is found than too little.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Part", "parts"]

_INNER_VARIABLE = re.compile(r"(?<=[\w./-])(?:\$\w+|\$?\{[^{}\n]*\}|\$\(\w+\))")
_VARIABLE = re.compile(r"\$\{?\w+")
_COMMANDS = re.compile(r"[\n;|&]+")
_WORD = re.compile(r"[^\s\\\"'`$(){}<>=,:@]+")
_SOURCED = re.compile(r"\W*(?:(?:if|then|elif|else|while|do)\s+)*(?:\.|source|include(?:_once)?)[\s(](?!\s*[:=])")
_PYTHON_OPTION = re.compile(r"(?<![\w-])-m[\"',\s]+([\w.]+)")
_PYTHON_IMPORT = re.compile(r"^[ \t]*(?:from\s+([\w.]+)\s+)?import\s+(\([^)]*\)|[\w., \t]+)", re.MULTILINE)
_VERSION = "-.0123456789"

_COMPOSE = [
    f"{name}.{end}"
    for name in ("compose", "docker-compose")
    for end in ("yaml", "yml", "override.yaml", "override.yml")
]
_CONTAINERS = ("Dockerfile", "Containerfile", *_COMPOSE)
_PACKAGE = ("package.json",)
_FOUND_BY_ITSELF: Mapping[str, Sequence[str]] = {
    "bun": _PACKAGE,
    "cap": ("Capfile", "config/deploy.rb"),
    "docker": _CONTAINERS,
    "docker-compose": _CONTAINERS,
    "fab": ("fabfile.py",),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "inv": ("tasks.py",),
    "invoke": ("tasks.py",),
    "just": ("justfile", "Justfile", ".justfile"),
    "kamal": ("config/deploy.yml",),
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "nox": ("noxfile.py",),
    "npm": _PACKAGE,
    "npx": _PACKAGE,
    "pnpm": _PACKAGE,
    "podman": _CONTAINERS,
    "podman-compose": _CONTAINERS,
    "rake": ("Rakefile",),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    "tox": ("tox.ini",),
    "yarn": _PACKAGE,
}
_APPLIERS = {"ansible-playbook", "helm", "kubectl", "kustomize", "run-parts", "terraform", "tofu"}
"""Programs that run what all files of a directory say."""
_RUNNERS = {
    *("bash", "bun", "dash", "deno", "fish", "java", "ksh", "lua", "mysql", "node", "perl", "php", "psql"),
    *("pwsh", "pypy", "python", "ruby", "sh", "sqlite", "tsx", "zsh"),
    *("require", "require_once", "require_relative"),
    *_APPLIERS,
    *_FOUND_BY_ITSELF,
}
"""Programs, and words of languages, that run what a file says (without the number of their version)."""


class Part(Struct, frozen=True):
    """One command of a text: its words, and whether a program among them runs what files, or directories, say."""

    words: tuple[str, ...]
    runs: bool
    applies: bool = False


def parts(texts: Iterable[str]) -> Iterator[Part]:
    """The commands of ``texts``, and the Python modules that these run as if they stood in a command of their own."""
    for text in texts:
        yield Part(tuple(_modules(text)), runs=True)
        # A comment is no command, and speaks of files that are none of its business.  It ends with its line, also where
        # that ends in a backslash.
        lines = (line for line in text.split("\n") if not line.lstrip().startswith("#") or line.startswith("#!"))
        code = "\n".join(lines).replace("\\\n", " ")
        commands = _COMMANDS.split(_VARIABLE.sub("", _INNER_VARIABLE.sub("*", code)))
        yield from map(_part, dict.fromkeys(commands))


def _part(text: str) -> Part:
    words = dict.fromkeys([*_WORD.findall(text), *_shell_words(text)])
    programs = {posixpath.basename(word).rstrip(_VERSION) for word in words}
    for program in programs & _FOUND_BY_ITSELF.keys():
        words.update(dict.fromkeys(_FOUND_BY_ITSELF[program]))
    for word in [word for word in words if word.startswith("-")]:
        words.update(dict.fromkeys((word.lstrip("-"), word[2:])))  # -fops/compose.yml
    runs = not programs.isdisjoint(_RUNNERS) or _SOURCED.match(text) is not None
    return Part(tuple(words), runs=runs, applies=not programs.isdisjoint(_APPLIERS))


def _shell_words(text: str) -> list[str]:
    """The same, as a shell sees them: names with blanks."""
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _modules(text: str) -> Iterator[str]:
    """The files of the Python modules that a text runs."""
    for match in _PYTHON_OPTION.finditer(text):
        yield from _module_files(match[1])
        yield match[1].replace(".", "/") + "/__main__.py"
    for match in _PYTHON_IMPORT.finditer(text):
        package = match[1] or ""
        start = package if not package or package.endswith(".") else f"{package}."
        for name in match[2].strip("()").split(","):
            yield from _module_files(start + "".join(name.split()[:1]))


def _module_files(name: str) -> Iterator[str]:
    inner = name.lstrip(".")
    up = "../" * (len(name) - len(inner) - 1)
    steps = [step for step in inner.split(".") if step]
    for count in range(1, len(steps) + 1):
        path = up + "/".join(steps[:count])
        yield from (f"{path}.py", f"{path}/__init__.py")
