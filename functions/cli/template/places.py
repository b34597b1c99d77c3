"""Where in a file of YAML something stands: the line of a path such as `resources.f.props.triggers.oss`.

Anchors are followed and `<<` is merged, so that what two resources share stands on one line. A trigger is
found by its name. It knows nothing else of what the file means.
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
        """The line, from 1, of the innermost part of the path that is there; None if none is."""
        node, line = self._root, None
        for step in _STEP.findall(path):
            found = _below(node, step) if node is not None else None
            if found is None:
                break
            line, node = found
        return line

    def text(self, path: str) -> str | None:
        """The scalar as it is written at exactly this path."""
        node = self._root
        for step in _STEP.findall(path):
            found = _below(node, step) if node is not None else None
            if found is None:
                return None
            node = found[1]
        return node.value if isinstance(node, yaml.ScalarNode) else None


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
