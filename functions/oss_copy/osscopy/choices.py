"""Which texts a field may have, told from the types. Knows msgspec's view of types; nothing of copies."""

from __future__ import annotations

import re
from typing import Any

from msgspec import inspect


def at(kind: Any, path: str) -> list[str]:  # noqa: ANN401 - msgspec takes any type form
    """The texts that can stand at `path` of a `kind`; none where it has any text."""
    types = _alternatives(inspect.type_info(kind))
    for step in re.findall(r"[^.\[\]]+", path):
        types = [inner for outer in types for inner in _below(outer, step)]
    return [str(text) for each in types if isinstance(each, inspect.LiteralType) for text in each.values]


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
