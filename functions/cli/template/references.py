"""Resolves the references of a template as the `s` tool does.

`${vars.x}`, `${env('X', 'default')}` (an empty variable counts as missing), `${config('AccountID')}`,
`${resources.r.props.x}`, `${this.props.x}`. A value that is exactly one reference keeps its type. The tool
drops a reference that it does not know; here that is a mistake. This module must not know which properties a
function has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.cli.errors import TemplateError
from functions.cli.template.document import Resource
from functions.cli.template.mistake import Mistake
from functions.cli.template.spelling import meant

_REFERENCE = re.compile(r"\$\{(?P<inner>[^{}]*)\}")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\Z", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")\s*""")
_DEPTH = 50  # values and references inside each other; an alias of YAML can contain itself
_GONE = object()  # in place of a value whose reference is wrong


class Known(msgspec.Struct, frozen=True):
    """The names that references may use everywhere in a template."""

    variables: Mapping[str, object]
    resources: Mapping[str, Resource]
    config: Mapping[str, str]
    environment: Mapping[str, str]
    asked: set[str] = msgspec.field(default_factory=set)  # the variables that were asked for so far


class Scope:
    """The names that references may use in one resource, or outside all of them."""

    def __init__(self, known: Known, this: Resource | None = None) -> None:
        self._known = known
        self._this = this

    def resolve_all(self, given: Mapping[str, Any], path: str, found: list[Mistake]) -> dict[str, Any]:
        """Return the values with all references replaced; leave wrong ones out and add them to `found`."""
        resolved: dict[str, Any] = self._resolve_each(given, path, found, 0)
        return resolved

    def _resolve_each(self, value: Any, path: str, found: list[Mistake], depth: int) -> Any:  # noqa: ANN401 - YAML is anything
        try:
            _check_depth(depth)
            match value:
                case dict():
                    each = {
                        k: self._resolve_each(v, f"{path}.{k}", found, depth + 1) for k, v in value.items()
                    }
                    return {name: item for name, item in each.items() if item is not _GONE}
                case list():
                    items = (
                        self._resolve_each(v, f"{path}[{i}]", found, depth + 1) for i, v in enumerate(value)
                    )
                    return [item for item in items if item is not _GONE]
            return self._resolve(value, 0)
        except TemplateError as error:
            found.append(Mistake(path, str(error), is_of_a_reference=True))
            return _GONE

    def _resolve(self, value: Any, depth: int) -> Any:  # noqa: ANN401 - YAML is anything
        """Return the value with all its references replaced, also those inside the values they name."""
        _check_depth(depth)
        match value:
            case str():
                return self._text(value, depth)
            case dict():
                return {name: self._resolve(item, depth + 1) for name, item in value.items()}
            case list():
                return [self._resolve(item, depth + 1) for item in value]
        return value

    def _text(self, text: str, depth: int) -> object:
        if whole := _REFERENCE.fullmatch(text):
            return self._resolve(self._look_up(whole["inner"].strip()), depth + 1)

        def replace(match: re.Match[str]) -> str:
            found = self._resolve(self._look_up(match["inner"].strip()), depth + 1)
            if isinstance(found, dict | list) or found is None:
                raise TemplateError(f"{match[0]} is no text and cannot stand inside one")
            return str(found).lower() if isinstance(found, bool) else str(found)

        return _REFERENCE.sub(replace, text)

    def _look_up(self, reference: str) -> object:
        if call := _CALL.match(reference):
            return self._call(call["name"], call["arguments"], reference)
        head, *path = reference.split(".")
        resources = self._known.resources
        match head:
            case "vars":
                return _walk(self._known.variables, path, reference)
            case "resources" if path and path[0] in resources and path[1:2] == ["props"]:
                return _walk(resources[path[0]].props, path[2:], reference)
            case "this" if self._this is not None and path[:1] == ["props"]:
                return _walk(self._this.props, path[1:], reference)
        raise _unknown(reference)

    def _call(self, name: str, arguments: str, reference: str) -> object:
        values = [match["single"] or match["double"] or "" for match in _ARGUMENT.finditer(arguments)]
        if not values or ",".join(_ARGUMENT.sub("", part) for part in arguments.split(",")).strip(","):
            raise _unknown(reference)
        match name, values:
            case "env", [variable, *default] if len(default) <= 1:
                return self._variable(variable, default)
            case "config", [key] if key in self._known.config:
                return self._known.config[key]
            case "config", ["AccountID"]:
                raise TemplateError(f"${{{reference}}}: set the environment variable AccountID")
        raise _unknown(reference)

    def _variable(self, variable: str, default: Sequence[str]) -> str:
        self._known.asked.add(variable)
        found = self._known.environment.get(variable)
        if not found and not default:
            raise TemplateError(
                f"environment variable {variable} is not set: export it, or write {variable}=… into .env "
                "beside the template"
            )
        return found or default[0]


def _check_depth(depth: int) -> None:
    if depth > _DEPTH:
        raise TemplateError("references go round in a circle")


def _walk(value: object, path: list[str], reference: str) -> object:
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            raise _unknown(reference, meant(name, value) if isinstance(value, Mapping) else "")
        value = value[name]
    return value


def _unknown(reference: str, near: str = "") -> TemplateError:
    return TemplateError(f"unknown reference ${{{reference}}}{near}")
