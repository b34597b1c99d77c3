"""HTML whose every text is escaped. Knows tags; not what they show."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # of Unicode: controls, formats, halves, breaks
VOID = frozenset({"input", "img", "meta", "link", "br", "rect", "line"})


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
    """Return a text in which what nobody sees, or what turns letters around, is written out."""
    return "".join(each if each.isprintable() or each in "\n\t" else _shown(each) for each in text)


def _shown(character: str) -> str:
    """Return a character, or its number where nobody sees it, or it changes how others are shown."""
    if unicodedata.category(character) not in HIDDEN:
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def name(text: str) -> Html:
    """Return a name that others chose, whose direction of writing moves nothing around it."""
    return tag("bdi", text)
