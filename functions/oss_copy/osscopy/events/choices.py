"""The texts and fields that a place in JSON may have by its type, and the value that was given there.

Knows msgspec's types and paths; nothing of copies.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import inspect

_STEP = re.compile(r"[^.\[\]]+")


def at(kind: Any, path: str) -> list[str]:  # noqa: ANN401 - msgspec takes any type form
    """Return the texts that can stand at `path` of a `kind`; none where any text can."""
    types = _types(kind, path)
    return [str(text) for each in types if isinstance(each, inspect.LiteralType) for text in each.values]


def fields(kind: Any, path: str) -> list[str]:  # noqa: ANN401 - msgspec takes any type form
    """Return the fields on the wire of the objects that can stand at `path` of a `kind`, in order."""
    types = _types(kind, path)
    return [each.encode_name for one in types if isinstance(one, inspect.StructType) for each in one.fields]


def given(data: bytes, path: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value at `path` of the JSON text `data`; None if there is none, or `data` is no JSON."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for step in _STEP.findall(path):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def _types(kind: Any, path: str) -> list[inspect.Type]:  # noqa: ANN401 - msgspec takes any type form
    types = _alternatives(inspect.type_info(kind))
    for step in _STEP.findall(path):
        types = [inner for outer in types for inner in _below(outer, step)]
    return types


def _below(outer: inspect.Type, step: str) -> list[inspect.Type]:
    """Return the types that a field or an item of `outer` can have."""
    match outer:
        case inspect.StructType(fields=fields):
            return [one for each in fields if each.encode_name == step for one in _alternatives(each.type)]
        case inspect.ListType(item_type=item):
            return _alternatives(item)
    return []


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    types = getattr(kind, "types", None)  # of a union
    return [kind] if types is None else list(types)
