"""HTML whose every text is escaped. Knows tags; not what they show."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

_TURNS = {0x061C, *range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A)}
VOID = frozenset({"input", "meta", "link", "br", "rect", "line"})


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"


def tag(element: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """Return an element; a text that is no `Html` is escaped. None and False leave an attribute out.

    Names of attributes: `_` stands for `-`, and one at the end is dropped (`class_`, `for_`).
    """
    told = "".join(map(_attribute, attributes.items()))
    if element in VOID:
        return Html(f"<{element}{told}>") if element not in {"rect", "line"} else Html(f"<{element}{told}/>")
    return Html(f"<{element}{told}>{join(children)}</{element}>")


def _attribute(given: tuple[str, str | float | bool | None]) -> str:
    name, value = given
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(_plain(str(value)))}"'


def join(children: Child) -> Html:
    """Return children one after the other."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(escape(_plain(children)))
    return Html("".join(map(join, children)))


def _plain(text: str) -> str:
    """Return a text with the control characters that HTML does not take written out."""
    shown = "".join(each if each.isprintable() or each in "\n\t" else _shown(each) for each in text)
    return shown.encode("utf-8", "replace").decode()


def _shown(character: str) -> str:
    """Return a character, or its number where it would only change how others are shown."""
    number = ord(character)
    if number in _TURNS:
        return f"\\u{number:04x}"
    return character if number > 0x9F else f"\\x{number:02x}"


def name(text: str) -> Html:
    """Return a name that others chose, whose direction of writing moves nothing around it."""
    return tag("bdi", text)
