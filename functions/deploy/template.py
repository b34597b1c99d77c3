"""Reads s.yaml (Serverless Devs, edition 3.0.0, component fc3) into what is to be deployed.

References are resolved as the `s` tool does: `${vars.x}`, `${env('X', 'default')}`, `${config('AccountID')}`,
`${resources.r.props.x}`, `${this.props.x}`; a value that is exactly one reference keeps its type. Unlike the
tool, which drops what it does not know, an unknown reference or property is an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import yaml

from functions.deploy.props import Function, account_of, check_environment

ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"\$\{(?P<inner>[^{}]*)\}")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\Z", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")\s*""")
_DEPTH = 50  # values and references inside each other; an alias of YAML can name what it stands in


class TemplateError(ValueError):
    """The template cannot be deployed; the message names the place."""


class Resource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    component: str
    props: dict[str, object]
    access: str | None = None
    actions: object = None
    extend: object = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    edition: str
    resources: dict[str, Resource]
    name: str = ""
    access: str = "default"
    vars: dict[str, object] = {}
    template: object = None


class Deployment(msgspec.Struct, frozen=True):
    """What a template says: its resources in their order, and the values of its vars."""

    resources: Mapping[str, Function]
    props: Mapping[
        str, Mapping[str, Any]
    ]  # as they are spelt, references resolved, with the whole environment
    vars: Mapping[str, object]
    root: Path  # code and layers are relative to it

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(self.resources.values())

    @property
    def main(self) -> Function:
        """The function that copies: the template's first."""
        return self.functions[0]

    @property
    def account(self) -> str:
        """The account that it is deployed to: that of the function's role."""
        return account_of(self.main.role)

    @property
    def buckets(self) -> tuple[str, ...]:
        """A bucket for every var whose name ends in Bucket, each once."""
        names = (str(value) for name, value in self.vars.items() if name.endswith("Bucket") and value)
        return tuple(dict.fromkeys(names))


def read(
    path: Path, environment: Mapping[str, str], variables: Mapping[str, str] = MappingProxyType({})
) -> Deployment:
    """As `load`, where `environment` is all there is: `${config('AccountID')}` is its AccountID."""
    config = {name: environment[name] for name in ("AccountID",) if name in environment}
    return load(path, variables=variables, environment={}, config=config, process_environment=environment)


def load(
    path: Path,
    *,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    config: Mapping[str, str],
    process_environment: Mapping[str, str],
) -> Deployment:
    """Read the template; TemplateError if it is wrong in any way.

    `variables` override entries of `vars` (see `_overriding`), `environment` adds to or replaces environment
    variables of every function; `config` is what `${config(…)}` knows, `process_environment` what `${env(…)}`
    knows.
    """
    document = _parse(path)
    if document.edition != "3.0.0":
        raise TemplateError(f"{path.name}: edition {document.edition!r} is not 3.0.0")
    values = dict(document.vars)
    for name, text in variables.items():
        if name not in values:
            raise TemplateError(f"{path.name} has no var {name}; it has {', '.join(values)}")
        values[name] = _overriding(values[name], text)
    functions, spelt = {}, {}
    for name, resource in document.resources.items():
        where = f"{path.name}: resources.{name}"
        if resource.component not in {"fc3", "devsapp/fc3"}:
            raise TemplateError(f"{where}.component: {resource.component!r} is not fc3")
        scope = _Scope(values, document.resources, resource, config, process_environment, where=where)
        props = scope.resolve(resource.props)
        functions[name] = _function(props, environment, where)
        variables_set = {**props.get("environmentVariables", {}), **environment}
        spelt[name] = {**props, "environmentVariables": variables_set}
    if not functions:
        raise TemplateError(f"{path.name}: no resources")
    scope = _Scope(values, document.resources, None, config, process_environment, where=path.name)
    return Deployment(functions, spelt, scope.resolve(values), path.resolve().parent)


def _overriding(own: object, text: str) -> object:
    """The value that `text` gives a var in place of its `own`: YAML, so that numbers stay numbers.

    The text as it is where it is no YAML (`@every 1m`), and where the var is text and YAML makes something
    else of it (`[]`, `2026`, nothing at all).
    """
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # not YAML; a date that is none; `[[[[…`
        return text
    return text if isinstance(own, str) and not isinstance(value, str) else value


def _parse(path: Path) -> Document:
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Document)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as exc:
        raise TemplateError(f"{path.name}: {exc}") from exc


def _function(props: object, environment: Mapping[str, str], where: str) -> Function:
    try:
        function = msgspec.convert(props, Function)
        variables = {**function.environment_variables, **environment}
        check_environment(variables)
    except (msgspec.ValidationError, ValueError) as exc:
        raise TemplateError(f"{where}.props: {exc}") from exc
    return msgspec.structs.replace(function, environment_variables=variables)


class _Scope:
    """What a reference can name at one place of the template."""

    def __init__(
        self,
        variables: Mapping[str, object],
        resources: Mapping[str, Resource],
        this: Resource | None,
        config: Mapping[str, str],
        environment: Mapping[str, str],
        *,
        where: str,
    ) -> None:
        self._variables = variables
        self._resources = resources
        self._this = this
        self._config = config
        self._environment = environment
        self._where = where

    def resolve(self, value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - YAML is anything
        """The value with all its references replaced, also those inside what they name."""
        if depth > _DEPTH:
            raise TemplateError(f"{self._where}: references go round in a circle: {value!r}")
        match value:
            case str():
                return self._text(value, depth)
            case dict():
                return {name: self.resolve(item, depth + 1) for name, item in value.items()}
            case list():
                return [self.resolve(item, depth + 1) for item in value]
        return value

    def _text(self, text: str, depth: int) -> object:
        if whole := _REFERENCE.fullmatch(text):
            return self.resolve(self._look_up(whole["inner"].strip()), depth + 1)

        def replace(match: re.Match[str]) -> str:
            found = self.resolve(self._look_up(match["inner"].strip()), depth + 1)
            if isinstance(found, dict | list) or found is None:
                raise TemplateError(f"{self._where}: {match[0]} is no text and cannot stand inside one")
            return str(found).lower() if isinstance(found, bool) else str(found)

        return _REFERENCE.sub(replace, text)

    def _look_up(self, reference: str) -> object:
        if call := _CALL.match(reference):
            return self._call(call["name"], call["arguments"], reference)
        head, *path = reference.split(".")
        match head:
            case "vars":
                return self._walk(self._variables, path, reference)
            case "resources" if path and path[0] in self._resources and path[1:2] == ["props"]:
                return self._walk(self._resources[path[0]].props, path[2:], reference)
            case "this" if self._this is not None and path[:1] == ["props"]:
                return self._walk(self._this.props, path[1:], reference)
        raise self._unknown(reference)

    def _call(self, name: str, arguments: str, reference: str) -> str:
        values = [match["single"] or match["double"] or "" for match in _ARGUMENT.finditer(arguments)]
        if not values or ",".join(_ARGUMENT.sub("", part) for part in arguments.split(",")).strip(","):
            raise self._unknown(reference)
        match name, values:
            case "env", [variable]:
                if variable not in self._environment:
                    raise TemplateError(f"{self._where}: environment variable {variable} is not set")
                return self._environment[variable]
            case "env", [variable, default]:
                return self._environment.get(variable, default)
            case "config", [key] if key in self._config:
                return self._config[key]
            case "config", ["AccountID"]:
                raise TemplateError(
                    f"{self._where}: ${{{reference}}}: set the environment variable AccountID"
                )
        raise self._unknown(reference)

    def _walk(self, value: object, path: list[str], reference: str) -> object:
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                raise self._unknown(reference)
            value = value[name]
        return value

    def _unknown(self, reference: str) -> TemplateError:
        return TemplateError(f"{self._where}: unknown reference ${{{reference}}}")
