"""Finds the line of a path such as `resources.f.props.triggers.oss` in a file of YAML.

Follows anchors and merges `<<`, so that two resources share the lines of their common part. Finds a trigger
by its name, and must know nothing else of the file's meaning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

_STEP = re.compile(r"[^.\[\]]+")


class Places:
    """The lines of one file, whose text has been read as YAML."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, yaml.SafeLoader)

    def line(self, path: str) -> int | None:
        """Return the line, from 1, of the innermost part of the path that is there; None if no part is."""
        found = self._follow(path)
        return found[-1][0] if found else None

    def text(self, path: str) -> str | None:
        """Return the scalar as it is written at exactly this path, None if there is none."""
        found = self._follow(path)
        is_whole = len(found) == len(_STEP.findall(path)) and bool(found)
        node = found[-1][1] if is_whole else None
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _follow(self, path: str) -> list[tuple[int, yaml.Node]]:
        """Return line and node of each step of the path, as far as it is there."""
        found: list[tuple[int, yaml.Node]] = []
        node = self._root
        for step in _STEP.findall(path):
            below = _below(node, step) if node is not None else None
            if below is None:
                break
            found.append(below)
            node = below[1]
        return found


def _below(node: yaml.Node, step: str) -> tuple[int, yaml.Node] | None:
    match node:
        case yaml.MappingNode():
            return _entry(node, step)
        case yaml.SequenceNode():
            return _item(node.value, step)
    return None


def _entry(node: yaml.MappingNode, name: str) -> tuple[int, yaml.Node] | None:
    merged = None
    for key, value in reversed(node.value):
        if key.value == name:
            return key.start_mark.line + 1, value
        if key.tag == "tag:yaml.org,2002:merge":
            several = value.value if isinstance(value, yaml.SequenceNode) else [value]
            merged = merged or next(filter(None, (_below(each, name) for each in several)), None)
    return merged


def _item(items: Sequence[yaml.Node], step: str) -> tuple[int, yaml.Node] | None:
    for index, item in enumerate(items):
        named = _below(item, "triggerName")
        if (named is not None and named[1].value == step) or str(index) == step:
            return item.start_mark.line + 1, item
    return None
