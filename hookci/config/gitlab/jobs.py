"""From the keys of a job, with what it has from ``default``, to jobs.

Source: GitLab CI/CD YAML reference, "default", "inherit" and the job keywords.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.gitlab.defaults import INHERITED, read_hooks
from hookci.config.gitlab.deployments import read_environment
from hookci.config.gitlab.endings import check_bridge, read_allow_failure, read_retry, read_when
from hookci.config.gitlab.files import HandedOn, read_artifacts, read_caches
from hookci.config.gitlab.images import read_image, read_services
from hookci.config.gitlab.inert import INERT
from hookci.config.gitlab.keywords import words
from hookci.config.gitlab.located import NoText
from hookci.config.gitlab.matrix import Cell, read_cells, with_matrix_values
from hookci.config.gitlab.needs import read_needs
from hookci.config.gitlab.only import read_only_except
from hookci.config.gitlab.pages import with_published
from hookci.config.gitlab.rules import WEEK, read_rules
from hookci.config.gitlab.shapes import commands, seconds, table, text, texts
from hookci.config.gitlab.trigger import read_trigger
from hookci.config.gitlab.variables import Variables, read_variables
from hookci.config.words import show
from hookci.model.expression import Regex
from hookci.model.pipeline import AllowFailure, Job, When

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.gitlab.trigger import Descent
    from hookci.config.words import Path
    from hookci.model.pipeline import Need, Rule, Trigger

__all__ = ["Shared", "read_job"]

_ANY = words(
    "extends stage only except rules variables inherit allow_failure when needs resource_group environment "
    "interruptible parallel manual_confirmation inputs"
)
_JOB_KEYS = (
    *_ANY,
    *words(
        "tags script image services start_in artifacts cache dependencies before_script after_script hooks coverage "
        "retry timeout release id_tokens identity secrets publish pages run dast_configuration"
    ),
)
_BRIDGE_KEYS = (*_ANY, "trigger")
_LONGEST_NAME = 255
_NO_NAMES = words("image services stages before_script after_script variables cache include pages:deploy")
_CONTROL = ("Cc", "Cs")
"""Categories of Unicode: control characters, halves of characters."""
_GROUP = re.compile(r"[A-Za-z0-9_/$\{\}. \-]+")
_SLASHES = re.compile(r"/(.*)/([ismU]*)")
_DEFAULT = Job(name="", group="", stage="test")

_Read = TypeVar("_Read")


class Shared(Struct, frozen=True):
    """What all jobs of a pipeline have in common.

    ``defaults`` are the keys of ``default``, ``places`` where each stands.  ``workflow_names`` are the variables that
    rules of ``workflow`` may set; ``in_any`` says that a job without conditions is in every pipeline, not only in those
    of branches and tags.
    """

    defaults: Mapping[str, object]
    places: Mapping[str, Path]
    variables: Variables
    workflow_names: frozenset[str]
    in_any: bool
    descent: Descent

    @property
    def passed(self) -> Mapping[str, str]:
        """The variables from above, which win over all that a file says."""
        return self.descent.passed


def read_job(name: str, value: object, shared: Shared, ledger: Ledger) -> tuple[Job, ...]:
    """The jobs that ``value`` defines under ``name``: one, or one for each cell of ``parallel``."""
    if not isinstance(value, dict) or not (value.keys() & {"script", "run", "trigger"} or _only_mirrors(value)):
        hint = "write `stages`" if name == "types" and isinstance(value, list) else None
        ledger.problem((name,), "config should implement the script:, run:, or trigger: keyword", hint)
        return ()
    _check_name(name, ledger)
    if name == "pages":
        ledger.notes.setdefault("pages", (name,))
    reader = _Reader(name, value, shared, ledger)
    job = reader.job()
    jobs = tuple(reader.cell(job, cell) for cell in reader.cells())
    unsupported = ledger.take_refused()
    return tuple(replace(one, unsupported=unsupported) for one in jobs) if unsupported else jobs


def _only_mirrors(value: Mapping[str, object]) -> bool:
    """Whether a job does nothing but show how another pipeline went (reference, "needs:pipeline")."""
    needs = value.get("needs")
    return isinstance(needs, dict) and "pipeline" in needs


def _check_name(name: str, ledger: Ledger) -> None:
    if not name.strip():
        ledger.problem((name,), "name can't be blank")
    elif any(unicodedata.category(sign) in _CONTROL for sign in name):
        ledger.problem((name,), "name holds a control character")
    elif name in _NO_NAMES:
        ledger.problem((name,), f"{name} is a keyword, and no name of a job")
    elif isinstance(name, NoText):
        ledger.problem((name,), f"name should be a symbol, saw {name.meaning}", name.hint)
    if len(name) > _LONGEST_NAME:
        ledger.problem((name,), f"name is too long (maximum is {_LONGEST_NAME} characters)")


class _Reader:
    """One job as it was written, and what it has from elsewhere."""

    def __init__(self, name: str, value: Mapping[str, object], shared: Shared, ledger: Ledger) -> None:
        self._name = name
        self._shared = shared
        self._ledger = ledger
        self._is_bridge = not value.keys() & {"script", "run"}
        # rules without a value still say that the job is not one of branches and tags only
        self._in_any = shared.in_any or "rules" in value
        self._own = table(value, (name,), ledger, _BRIDGE_KEYS if self._is_bridge else _JOB_KEYS)
        inherit = table(self._own.get("inherit", {}), (name, "inherit"), ledger, ("default", "variables"))
        self._said = {**self._inherited(inherit.get("default", True)), **self._own}
        self._inherits = self._choice("variables", inherit.get("variables", True))
        self._written = self._read("variables", read_variables, Variables())
        self._passed = Variables(shared.passed)
        self._check_exclusive()
        if self._is_bridge:
            check_bridge(self._own, (name,), ledger)
        for key, item in self._said.items():
            ledger.look_for_special(item, key, self._path(key))

    def _choice(self, key: str, which: object) -> bool | list[object]:
        """What ``inherit`` says of one kind: all, none, or those of a list."""
        if isinstance(which, bool | list):
            return which
        self._ledger.problem((self._name, "inherit", key), f"should be a bool or array of strings, saw {show(which)}")
        return True

    def _inherited(self, which: object) -> dict[str, object]:
        chosen = self._choice("default", which)
        names = INHERITED if chosen is True else [str(name) for name in chosen or ()]
        for name in names:
            if name not in INHERITED:
                path = (self._name, "inherit", "default")
                self._ledger.problem(path, f"default config contains unknown values: {name}")
        allowed = {"interruptible"} if self._is_bridge else set(INHERITED)
        return {name: item for name, item in self._shared.defaults.items() if name in allowed.intersection(names)}

    def _path(self, key: str) -> Path:
        return (self._name, key) if key in self._own else self._shared.places[key]

    def _check_exclusive(self) -> None:
        for one in {"script", "run"} & self._own.keys():
            if "trigger" in self._own:
                self._ledger.problem((self._name,), f"these keys cannot be used together: {one}, trigger")
        for key in {"only", "except", "start_in"} & self._own.keys():
            if "rules" in self._own:
                self._ledger.problem((self._name, key), f"key may not be used with `rules`: {key}")

    def _read(self, key: str, reader: Callable[[object, Path, Ledger], _Read], default: _Read) -> _Read:
        return reader(self._said[key], self._path(key), self._ledger) if key in self._said else default

    def job(self) -> Job:
        """The job, as if it stood for itself alone."""
        when = self._read("when", read_when, When.ON_SUCCESS)
        for key in INERT.keys() & self._said.keys():
            INERT[key](self._said[key], self._path(key), self._ledger)
        handed = self._read("artifacts", read_artifacts, HandedOn())
        environment = self._read("environment", read_environment, None)
        variables = self._shared.variables.only(self._inherits).with_more(self._written).with_more(self._passed)
        return Job(
            name=self._name,
            group=self._name,
            stage=self._read("stage", text, None) or _DEFAULT.stage,
            script=self._script(),
            before_script=self._read("before_script", commands, ()),
            after_script=self._read("after_script", commands, ()),
            before_checkout=self._read("hooks", read_hooks, ()),
            variables=dict(variables.values),
            raw=variables.raw,
            own=self._fixed_names(),
            needs=self._read("needs", read_needs, None),
            dependencies=self._read("dependencies", texts, None),
            rules=self._rules(),
            when=when,
            start_in=self._start_in(when),
            allow_failure=self._read("allow_failure", read_allow_failure, AllowFailure(allowed=when is When.MANUAL)),
            retry=self._read("retry", read_retry, _DEFAULT.retry),
            timeout=self._read("timeout", seconds, None) or _DEFAULT.timeout,
            cache=self._read("cache", read_caches, ()),
            artifacts=with_published(handed.artifacts, self._name, self._own),
            junit=handed.junit,
            scan=handed.scan,
            resource_group=self._read("resource_group", _resource_group, None),
            image=self._read("image", read_image, None),
            services=self._read("services", read_services, ()),
            coverage=self._read("coverage", _coverage, None),
            environment=environment,
            memory=environment is None and not {"trigger", "release"} & self._said.keys(),
            gitlab=True,
        )

    def _script(self) -> tuple[str, ...]:
        if self._is_bridge or "run" in self._own:
            return ()
        if "script" not in self._said:
            self._ledger.problem((self._name, "script"), "can't be blank")
            return ()
        before = len(self._ledger.problems)
        script: tuple[str, ...] = self._read("script", commands, ())
        if not any(command.strip() for command in script) and len(self._ledger.problems) == before:
            self._ledger.problem((self._name, "script"), "can't be blank")
        return script

    def _fixed_names(self) -> frozenset[str]:
        """The variables that rules of ``workflow`` do not change in this job: its own, those it does not inherit."""
        names = self._shared.workflow_names
        if self._inherits is not True:
            names -= set(map(str, self._inherits or ()))
            return names | self._written.values.keys() | self._passed.values.keys()
        return frozenset({*self._written.values, *self._passed.values})

    def _rules(self) -> tuple[Rule, ...] | None:
        if "rules" not in self._own:
            return read_only_except(self._own, (self._name,), self._ledger, default=not self._in_any)
        rules: tuple[Rule, ...] = self._read("rules", read_rules, ())
        passed = self._passed.values
        if not passed:
            return rules
        return tuple(
            replace(rule, variables={name: value for name, value in rule.variables.items() if name not in passed})
            for rule in rules
        )

    def _start_in(self, when: When) -> float | None:
        path = (self._name, "start_in")
        if self._is_bridge:
            return None
        if when is When.DELAYED:
            if "start_in" in self._own:
                return seconds(self._own["start_in"], path, self._ledger, most=WEEK)
            self._ledger.problem(path, "start in should be a duration", "a delayed job says how long it waits")
        elif "start_in" in self._own and "rules" not in self._own:
            self._ledger.problem(path, "start in must be blank", "only `when: delayed` waits")
        return None

    def cells(self) -> tuple[Cell, ...]:
        """The jobs that this one stands for."""
        if "parallel" not in self._own:
            return (Cell(self._name),)
        return read_cells(self._name, self._own["parallel"], (self._name, "parallel"), self._ledger)

    def cell(self, job: Job, cell: Cell) -> Job:
        """One of the jobs that this one stands for; what was passed from above wins over the cell's variables."""
        if cell.name != job.name:
            own = {name: value for name, value in cell.variables.items() if name not in self._passed.values}
            job = replace(
                job,
                name=cell.name,
                variables={**job.variables, **own},
                raw=job.raw - own.keys(),
                own=job.own | own.keys(),
                needs=_in_cell(job.needs, own),
                rules=job.rules and tuple(replace(rule, needs=_in_cell(rule.needs, own)) for rule in job.rules),
            )
        return replace(job, trigger=self._trigger(cell)) if "trigger" in self._own else job

    def _trigger(self, cell: Cell) -> Trigger | None:
        path = (self._name, "trigger")
        variables = self._shared.variables.only(self._inherits).with_more(self._written)
        variables = variables.with_more(Variables(cell.variables))
        return read_trigger(self._own["trigger"], variables, path, self._ledger, self._shared.descent)


def _in_cell(needs: tuple[Need, ...] | None, variables: Mapping[str, str]) -> tuple[Need, ...] | None:
    return needs and tuple(replace(need, job=with_matrix_values(need.job, variables)) for need in needs)


def _resource_group(value: object, path: Path, ledger: Ledger) -> str | None:
    name = text(value, path, ledger)
    if name is not None and (not _GROUP.fullmatch(name) or name.startswith("/") or name.endswith("/")):
        ledger.problem(path, "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces")
    return name


def _coverage(value: object, path: Path, ledger: Ledger) -> str | None:
    """The regular expression, without the slashes around it (reference, "coverage")."""
    pattern = text(value, path, ledger)
    if pattern is None:
        return None
    found = _SLASHES.fullmatch(pattern)
    if found is None:
        hint = f"put it between slashes: /{pattern}/"
        ledger.problem(path, f"must be a regular expression with re2 syntax, saw {show(pattern)}", hint)
        return None
    try:
        Regex(found[1]).compiled()
    except re.error as error:
        ledger.problem(path, f"must be a regular expression with re2 syntax: {error}")
        return None
    return pattern if found[2] else found[1]  # as GitLab's ``Entry::Coverage``, which takes only slashes away
