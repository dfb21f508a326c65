"""The form of what has no effect here: GitLab checks it, so a file that it refuses is refused here.

Source: GitLab CI/CD YAML reference, "tags", "interruptible", "release", "pages", "manual_confirmation",
"artifacts:reports", "environment"; GitLab's JSON schema of the format, and the wording of its checks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.gitlab.durations import is_period
from hookci.config.gitlab.keywords import words
from hookci.config.gitlab.shapes import flag, table, texts
from hookci.config.words import did_you_mean, show
from hookci.model.deployed import TIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["INERT", "check_artifacts", "check_deployment", "check_reports", "check_tags"]

_RELEASE = words("tag_name tag_message name description ref milestones released_at assets")
_PAGES = words("path_prefix expire_in publish")
_KUBERNETES = words("agent namespace flux_resource_path managed_resources dashboard")
_ACCESS = words("none developer maintainer all")
_COVERAGE = words("cobertura jacoco")
_EXPOSED = re.compile(r"\w[-\w ]*", re.ASCII)
_LONGEST_EXPOSED = 100
_LONGEST_URL = 255
_TAGS = 50


def check_tags(value: object, path: Path, ledger: Ledger) -> None:
    """``tags``: texts, fewer than fifty."""
    if len(texts(value, path, ledger, nested=True)) >= _TAGS:
        ledger.problem(path, f"must be less than the limit of {_TAGS} tags")


def check_artifacts(said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    """What ``artifacts`` says of their name, of who sees them and for how long."""
    _word_at("name", said, path, ledger)
    if "public" in said:
        flag(said["public"], (*path, "public"), ledger)
    if "access" in said:
        _one_of(said["access"], _ACCESS, (*path, "access"), ledger)
        if "public" in said:
            ledger.problem(path, "these keys cannot be used together: access, public", "leave `public` out")
    _period_at("expire_in", said, path, ledger)
    if "expose_as" in said:
        _check_exposed(said, path, ledger)


def check_reports(said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    """Reports that are not read here: paths, and for coverage its format."""
    for name, value in said.items():
        place = (*path, name)
        if name != "coverage_report":
            texts(value, place, ledger, single=True)
            continue
        report = table(value, place, ledger, ("coverage_format", "path"))
        if not isinstance(value, dict):
            continue
        if report.get("coverage_format") not in _COVERAGE:
            formats = ", ".join(_COVERAGE)
            saw = f", saw {show(report['coverage_format'])}" if "coverage_format" in report else ""
            ledger.problem((*place, "coverage_format"), f"must be one of supported formats: {formats}{saw}")
        _needed_at("path", report, place, ledger)


def check_deployment(said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    """What ``environment`` says of its tier, its end, its address and of Kubernetes."""
    tier = said.get("deployment_tier")
    if tier is not None and not (isinstance(tier, str) and "$" in tier):
        _one_of(tier, TIERS, (*path, "deployment_tier"), ledger)
    _period_at("auto_stop_in", said, path, ledger)
    url = said.get("url")
    if isinstance(url, str) and len(url) > _LONGEST_URL:
        ledger.problem((*path, "url"), f"is too long (maximum is {_LONGEST_URL} characters)")
    if "kubernetes" in said:
        place = (*path, "kubernetes")
        inner = table(said["kubernetes"], place, ledger, _KUBERNETES)
        if said["kubernetes"] == {}:
            ledger.problem(place, "config can't be blank", "name an `agent`")
        for name in ("agent", "namespace", "flux_resource_path"):
            _word_at(name, inner, place, ledger)


def _check_release(value: object, path: Path, ledger: Ledger) -> None:
    said = table(value, path, ledger, _RELEASE)
    if not isinstance(value, dict):
        return
    if said.get("tag_name", "") == "":
        ledger.problem((*path, "tag_name"), "tag name can't be blank", "name the tag, such as `$CI_COMMIT_TAG`")
    _needed_at("description", said, path, ledger)
    if "assets" in said:
        table(said["assets"], (*path, "assets"), ledger, ("links",))


def _check_pages(value: object, path: Path, ledger: Ledger) -> None:
    if isinstance(value, bool):
        return
    if not isinstance(value, dict):
        ledger.problem(path, f"should be a hash or a boolean value, saw {show(value)}")
        return
    said = table(value, path, ledger, _PAGES)
    _word_at("path_prefix", said, path, ledger)
    _word_at("publish", said, path, ledger)
    _period_at("expire_in", said, path, ledger)


def _check_exposed(said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    name, paths = said["expose_as"], said.get("paths")
    place = (*path, "expose_as")
    if not isinstance(name, str):
        ledger.problem(place, f"should be a string, saw {show(name)}")
    elif not _EXPOSED.fullmatch(name):
        ledger.problem(place, f"can contain only letters, digits, '-', '_' and spaces, saw {show(name)}")
    elif len(name) > _LONGEST_EXPOSED:
        ledger.problem(place, f"is too long (maximum is {_LONGEST_EXPOSED} characters)")
    if not paths:
        ledger.problem((*path, "paths"), "paths can't be blank when used with 'expose_as'")
    elif isinstance(paths, list) and any(isinstance(one, str) and "*" in one for one in paths):
        ledger.problem((*path, "paths"), "can't contain '*' when used with 'expose_as'")


def _check_word(value: object, path: Path, ledger: Ledger) -> None:
    if not isinstance(value, str):
        ledger.problem(path, f"should be a string, saw {show(value)}")


def _word_at(key: str, said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    if key in said:
        _check_word(said[key], (*path, key), ledger)


def _needed_at(key: str, said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    value = said.get(key, "")
    if isinstance(value, str) and not value.strip():
        ledger.problem((*path, key), f"{key} can't be blank")
    _word_at(key, said, path, ledger)


def _one_of(value: object, allowed: Collection[str], path: Path, ledger: Ledger) -> None:
    if not isinstance(value, str) or value not in allowed:
        hint = did_you_mean(value, allowed) if isinstance(value, str) else None
        ledger.problem(path, f"should be one of: {', '.join(allowed)}, saw {show(value)}", hint)


def _period_at(key: str, said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    if key not in said:
        return
    value = said[key]
    if isinstance(value, bool | list | dict) or not is_period(str(value)):
        hint = "write it as `1 week` or `2 hrs 20 min`, or `never`"
        ledger.problem((*path, key), f"should be a duration, saw {show(value)}", hint)


INERT: Mapping[str, Callable[[object, Path, Ledger], object]] = {
    "interruptible": flag,
    "manual_confirmation": _check_word,
    "pages": _check_pages,
    "publish": _check_word,
    "release": _check_release,
    "tags": check_tags,
}
"""The check of each key of a job that is nothing but checked."""
