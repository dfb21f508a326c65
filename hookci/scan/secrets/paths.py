"""What a file's name says of the secrets that can be in it."""

from __future__ import annotations

import re

__all__ = ["is_code", "is_lock_file", "is_trial"]

_CODE = re.compile(
    r".*\.(?:pyi?|pyx|ipynb|[cm]?[jt]sx?|vue|svelte|go|java|kts?|c|cc|cpp|cxx|h|hh|hpp|m|mm|rs|rb|php|cs|fs|vb|swift|scala|"
    r"lua|p[lm]|r|jl|dart|ex|exs|erl|hs|clj|groovy|gradle|sql|tf|hcl|html?|css|scss|less|jinja2?|j2|map)"
)
_LOCKED = re.compile(
    r"(?:.*/)?(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|Pipfile\.lock|"
    r"poetry\.lock|uv\.lock|pdm\.lock|pylock[\w.]*\.toml|Cargo\.lock|go\.sum|Gemfile\.lock|composer\.lock|mix\.lock|"
    r"pubspec\.lock|flake\.lock|Podfile\.lock|packages\.lock\.json|gradle\.lockfile|RECORD)"
)
_TRIAL = re.compile(
    r"(?i)(?:.*/)?(?:(?:tests?|testing|testdata|specs?|__tests__|fixtures?|mocks?|examples?|samples?|demos?|docs?|documentation)/.*|"
    r"test_[^/]*|conftest\.py|[^/]*[_.\-](?:tests?|spec|mock|example|sample|template|dist)\.[^/]*|tests?\.py|"
    r"[^/]*\.(?:md|rst|adoc|po|pot|html?|example|sample|template|dist|tmpl))"
)


def is_code(path: str) -> bool:
    """Whether what is not quoted there is no value but an expression."""
    return _CODE.fullmatch(path.lower()) is not None


def is_lock_file(path: str) -> bool:
    """Whether it is full of hashes, and holds nothing that a person wrote."""
    return _LOCKED.fullmatch(path) is not None


def is_trial(path: str) -> bool:
    """Whether it is a test, an example or documentation: a password that is none stands there more often than one."""
    return _TRIAL.fullmatch(path) is not None
