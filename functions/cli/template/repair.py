"""Makes a function of resolved properties, and names every one that is wrong.

msgspec stops at the first mistake. Here that property is taken away and the rest is tried again, until the
properties make a function or nothing is left. It must not know where the properties come from.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.cli.template.document import explained
from functions.cli.template.mistake import Mistake
from functions.cli.template.props import Function, check_environment

_MOST = 50  # mistakes of one resource


def make_function(
    given: Mapping[str, Any], more: Mapping[str, str], where: str, found: list[Mistake]
) -> Function | None:
    """Return the function without its mistakes, which are added to `found`; None if nothing is left.

    `more` are environment variables that come on top. `where` is the path of the properties.
    """
    variables = variables_of(given)
    texts = {name: value for name, value in variables.items() if isinstance(value, str)}
    found += (
        Mistake(f"{where}.environmentVariables.{name}", _no_text(name, variables[name]))
        for name in variables.keys() - texts.keys()
    )
    value = copy.deepcopy({**given, "environmentVariables": texts} if variables else dict(given))
    function = _Repair(value, where).convert(found)
    if function is None:
        return None
    both = {**function.environment_variables, **more}
    try:
        check_environment(both)
    except ValueError as exc:
        found.append(Mistake(f"{where}.environmentVariables", str(exc)))
    return msgspec.structs.replace(function, environment_variables=both)


def variables_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment variables among these properties, of whatever type they are."""
    variables = given.get("environmentVariables")
    return dict(variables) if isinstance(variables, Mapping) else {}


def _no_text(name: str, value: object) -> str:
    if isinstance(value, bool | int | float):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return f'{shown} is no text: put it in quotes, {name}: "{shown}"'
    return f"{type(value).__name__} is no text" if value is not None else 'there is no value: write ""'


class _Repair:
    """Properties that lose one mistake after the other."""

    def __init__(self, value: Any, where: str) -> None:  # noqa: ANN401 - YAML is anything
        self._value = value
        self._where = where
        self._removed: set[tuple[int, str]] = set()  # by the container's identity
        self._containers: list[Any] = []  # kept, so that identities stay what they are

    def convert(self, found: list[Mistake]) -> Function | None:
        for _ in range(_MOST):
            try:
                return msgspec.convert(self._value, Function)
            except msgspec.ValidationError as error:
                if not self._remove(error, found):
                    return None
        return None

    def _remove(self, error: msgspec.ValidationError, found: list[Mistake]) -> bool:
        """Take the wrong property away and return True, or return False if that is impossible.

        The mistake is added to `found` unless it only follows from a property that was taken away before.
        """
        mistake = explained(error)
        chain = self._chain(mistake.path)
        holder, key, inner = chain[-1]
        names = re.findall(r"`([^`]*)`", str(error).rpartition(" - at `")[0] or str(error))
        named = [name for name in names if name in inner] if isinstance(inner, dict) else []
        lacking = names if "missing" in mistake.text else []
        path = ".".join([self._path(chain), *(named or lacking)[:1]])
        follows = any((id(inner), name) in self._removed for name in names)
        if not follows and path not in {each.path for each in found}:
            found.append(msgspec.structs.replace(mistake, path=path))
        container, entry = (inner, named[0]) if named else (holder, key)
        if container is None:
            return False
        del container[entry]
        self._removed.add((id(container), str(entry)))
        self._containers.append(container)
        return True

    def _chain(self, place: str) -> list[tuple[Any, Any, Any]]:
        """Return container, key and value at each step of the place, from the outside in."""
        chain: list[tuple[Any, Any, Any]] = [(None, "", self._value)]
        for step in re.findall(r"[^.\[\]]+", place):
            inner = chain[-1][2]
            key = int(step) if isinstance(inner, list) else step
            if isinstance(inner, dict) and key not in inner:
                break
            chain.append((inner, key, inner[key]))
        return chain

    def _path(self, chain: Sequence[tuple[Any, Any, Any]]) -> str:
        """Return the path of a chain, with triggers by name: their numbers change when one is removed."""
        steps = [
            inner.get("triggerName", key) if isinstance(inner, dict) and isinstance(key, int) else key
            for _, key, inner in chain[1:]
        ]
        return ".".join(map(str, [self._where, *steps]))
