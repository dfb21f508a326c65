"""The inputs of a file: what its header asks for against what an include gives.

Source: GitLab CI/CD, "CI/CD inputs", and the YAML reference, "spec:inputs".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hookci.config.expressions import ExpressionError, parse_expression
from hookci.config.gitlab.located import Items, ProblemAt, Table
from hookci.config.words import did_you_mean, show
from hookci.model.expression import Regex, evaluate

if TYPE_CHECKING:
    from hookci.config.gitlab.located import Place
    from hookci.config.problems import Problem

__all__ = ["Given", "read_inputs"]

_KEYS = ("default", "description", "options", "regex", "rules", "type")
_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "array": ("an array", (list,)),
    "boolean": ("a boolean", (bool,)),
    "number": ("a number", (int, float)),
    "string": ("a string", (str,)),
}
_WITH_OPTIONS = ("number", "string")
_MOST_OPTIONS = 50
_INPUT = re.compile(r"\$\[\[\s*inputs\.([^\s\]]+)\s*\]\]")
_BOOLEAN = re.compile(r"(?<![\w\"'$])(true|false|-?\d+(?:\.\d+)?)(?![\w\"'])")


class Given:
    """What an include gives to a file, and where that stands; ``values`` is None when it gives nothing."""

    def __init__(self, values: Table | None, place: Place) -> None:
        self.values = values if values is not None else Table()
        self.place = place

    def at(self, name: str) -> Place:
        """Where the value of an input stands."""
        return self.values.marks.get(name, self.place)


def read_inputs(header: Table, given: Given, problems: list[Problem]) -> dict[str, Any]:
    """The value of every input that the header of a file asks for."""
    reader = _Reader(header, given, problems)
    return reader.values()


class _Reader:
    def __init__(self, header: Table, given: Given, problems: list[Problem]) -> None:
        self._given = given
        self._problems = problems
        self._inputs = self._find(header)
        self._values: dict[str, Any] = {}

    def values(self) -> dict[str, Any]:
        """The values, and a problem for each that cannot be."""
        for name in self._given.values:
            if name not in self._inputs:
                self._say(f"unknown input arguments: {name}", self._given.at(name), did_you_mean(name, self._inputs))
        # those with rules depend on the others
        for ruled in (False, True):
            for name, said in self._inputs.items():
                if ("rules" in said) is ruled and self._is_sound(name, said):
                    self._values[name] = self._value(name, said)
        return self._values

    def _find(self, header: Table) -> Table:
        spec = header["spec"]
        if spec is None:
            return Table()
        if not isinstance(spec, Table):
            self._say("`spec` should be a hash", header.marks["spec"])
            return Table()
        for key in spec:
            if key == "include":
                self._say("hookci reads no `spec:include`", spec.marks[key], "write the inputs into this file")
            elif key not in {"inputs", "component", "description"}:
                self._say(f"`spec` has no `{key}`", spec.marks[key], did_you_mean(key, ["inputs", "component"]))
        inputs = spec.get("inputs")
        if inputs is None:
            return Table()
        if not isinstance(inputs, Table):
            self._say("`spec:inputs` should be a hash", spec.marks["inputs"])
            return Table()
        return Table({name: Table() if said is None else said for name, said in inputs.items()}, inputs.marks)

    def _is_sound(self, name: str, said: object) -> bool:
        """Whether what the header says of an input makes sense."""
        place = self._inputs.marks[name]
        if not isinstance(said, Table):
            self._say(f"`{name}` input: should be a hash", place)
            return False
        before = len(self._problems)
        for key in said:
            if key not in _KEYS:
                self._say(f"`{name}` input: there is no `{key}`", said.marks[key], did_you_mean(key, _KEYS))
        kind = said.get("type", "string")
        if kind not in _TYPES:
            known = ", ".join(_TYPES)
            self._say(f"`{name}` input: unknown type {show(kind)} (valid types: {known})", said.marks["type"])
        elif said.get("options") is not None:
            self._check_options(name, said, kind)
        if "regex" in said:
            self._check_regex(name, said, kind)
        return len(self._problems) == before

    def _check_options(self, name: str, said: Table, kind: str) -> None:
        place = said.marks["options"]
        if kind not in _WITH_OPTIONS:
            self._say(f"`{name}` input: options can only be used with string and number inputs", place)
        elif not isinstance(said["options"], Items) or len(said["options"]) > _MOST_OPTIONS:
            self._say(f"`{name}` input: options should be an array of {_MOST_OPTIONS} at most", place)

    def _check_regex(self, name: str, said: Table, kind: str) -> None:
        place = said.marks["regex"]
        if kind != "string":
            self._say(f"`{name}` input: RegEx validation can only be used with string inputs", place)
            return
        try:
            Regex(str(said["regex"])).compiled()
        except re.error as error:
            self._say(f"`{name}` input: invalid regular expression: {error}", place)

    def _value(self, name: str, said: Table) -> Any:  # noqa: ANN401 (any YAML value)
        said = self._ruled(name, said)
        if "default" in said and not (said["default"] is None and "rules" in said):
            self._check_value(name, said, said["default"], "default", self._inputs.marks[name])
        elif self._given.values.get(name) is None:
            self._say(f"`{name}` input: required value has not been provided", self._given.place)
            return ""
        if self._given.values.get(name) is None:
            return said["default"]
        self._check_value(name, said, self._given.values[name], "provided", self._given.at(name))
        return self._given.values[name]

    def _check_value(self, name: str, said: Table, value: Any, which: str, place: Place) -> None:  # noqa: ANN401 (any YAML value)
        kind = said.get("type", "string")
        words, types = _TYPES[kind]
        if not isinstance(value, types) or (kind == "number" and isinstance(value, bool)):
            self._say(f"`{name}` input: {which} value is not {words}", place, _quotes(kind, value))
        elif said.get("options") is not None and value not in said["options"]:
            message = f"`{name}` input: `{value}` cannot be used because it is not in the list of allowed options"
            self._say(message, place, f"one of {', '.join(map(str, said['options']))}")
        elif "regex" in said and not Regex(str(said["regex"])).compiled().search(str(value)):
            self._say(f"`{name}` input: {which} value does not match required RegEx pattern", place)

    def _ruled(self, name: str, said: Table) -> Table:
        """What is said of an input, with the first of its rules that holds laid upon it."""
        for rule in said.get("rules") or ():
            if isinstance(rule, Table) and self._holds(name, rule, said.marks["rules"]):
                more = {key: rule[key] for key in ("default", "options") if key in rule}
                return Table({**said, **more}, said.marks)
        return said

    def _holds(self, name: str, rule: Table, place: Place) -> bool:
        if "if" not in rule:
            return True
        # the inputs become variables of the expression, whose names cannot have what theirs can
        names = list(self._inputs)
        known = {f"I{index}": _text(self._values.get(name)) for index, name in enumerate(names)}
        text = _BOOLEAN.sub(r'"\1"', str(rule["if"]))
        text = _INPUT.sub(lambda found: f"$I{names.index(found[1])}" if found[1] in names else "null", text)
        try:
            return evaluate(parse_expression(text), known.get)
        except ExpressionError as error:
            self._say(f"`{name}` input: {error}", rule.marks.get("if", place))
            return False

    def _say(self, message: str, place: Place, hint: str | None = None) -> None:
        self._problems.append(ProblemAt((), message, hint, place))


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _quotes(kind: str, value: object) -> str | None:
    return "put it in quotes" if kind == "string" and isinstance(value, bool | int | float) else None
