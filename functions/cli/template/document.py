"""The YAML of a template as it is written: its resources and vars, references still in it.

Also turns the words of msgspec about a wrong value into those for the user. It resolves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import yaml

from functions.cli.errors import TemplateError
from functions.cli.template.mistake import Mistake, Mistaken
from functions.cli.template.places import Places
from functions.cli.template.props import function, triggers
from functions.cli.template.spelling import meant, nearest

_MESSAGE = re.compile(r"(?P<text>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)  # by msgspec


class Resource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One resource: a component of `s` and its properties."""

    component: str
    props: dict[str, object]
    access: str | None = None
    actions: object = None
    extend: object = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    edition: str
    resources: dict[str, Resource]
    name: str = ""
    access: str = "default"
    vars: dict[str, object] = {}
    template: object = None


def parse(path: Path) -> tuple[Document, Places]:
    """Read the file; raise TemplateError if it is no YAML of this form."""
    try:
        text = path.read_text(encoding="utf-8")
        content, places = yaml.safe_load(text), Places(text)
    except (OSError, yaml.YAMLError, ValueError) as exc:
        raise TemplateError(f"{path.name}: {exc}") from exc
    try:
        return msgspec.convert(content, Document), places
    except msgspec.ValidationError as exc:
        raise Mistaken(path, places, [explained(exc)]) from exc


def explained(error: msgspec.ValidationError) -> Mistake:
    """Return the mistake that an error of msgspec is about, with the name that was probably meant."""
    match = _MESSAGE.fullmatch(str(error))
    text, path = (match["text"], match["path"] or "") if match else (str(error), "")
    near = None
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", text):
        near = nearest(found[1], _PROPERTIES)
        text = f"unknown property `{found[1]}`{meant(found[1], _PROPERTIES)}"
    elif found := re.fullmatch(r"Object missing required field `(.*)`", text):
        text = f"missing property `{found[1]}`"
    elif found := re.fullmatch(r"Invalid (?:enum )?value '(.*)'", text):
        text += meant(found[1], _VALUES)
    return Mistake(path.lstrip("."), text, meant=near)


def _fields() -> Iterator[str]:
    for kind in (*vars(function).values(), *vars(triggers).values()):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from (field.encode_name for field in msgspec.structs.fields(kind))


_PROPERTIES = frozenset([*_fields(), *Document.__struct_fields__, *Resource.__struct_fields__, "triggerType"])
_VALUES = (*get_args(triggers.OssEventName), *get_args(function.Runtime), *get_args(triggers.Method), "oss",
           "timer", "http", "eventbridge", "function", "anonymous", "jwt")  # fmt: skip
