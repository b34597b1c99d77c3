"""Which texts and fields a place may have, told from the types, and what was given there.

Knows msgspec's view of types and paths; nothing of copies.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import inspect

_STEP = re.compile(r"[^.\[\]]+")


def at(kind: Any, path: str) -> list[str]:  # noqa: ANN401 - msgspec takes any type form
    """The texts that can stand at `path` of a `kind`; none where it has any text."""
    types = _types(kind, path)
    return [str(text) for each in types if isinstance(each, inspect.LiteralType) for text in each.values]


def fields(kind: Any, path: str) -> list[str]:  # noqa: ANN401 - msgspec takes any type form
    """The fields, on the wire, of the objects that can stand at `path` of a `kind`, in their order."""
    types = _types(kind, path)
    return [each.encode_name for one in types if isinstance(one, inspect.StructType) for each in one.fields]


def given(data: bytes, path: str) -> Any:  # noqa: ANN401 - any JSON
    """What stands at `path` of the JSON text `data`; None where the path leads nowhere, or it is no JSON."""
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
    """The types that a field or an item of `outer` can have."""
    match outer:
        case inspect.StructType(fields=fields):
            return [one for each in fields if each.encode_name == step for one in _alternatives(each.type)]
        case inspect.ListType(item_type=item):
            return _alternatives(item)
    return []


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    types = getattr(kind, "types", None)  # of a union
    return [kind] if types is None else list(types)
