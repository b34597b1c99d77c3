"""A mistake in a template: where it is, what is wrong, and how it is shown.

Knows places in a file; it must not know which rules there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from functions.cli.errors import TemplateError
from functions.cli.template.deployment import Deployment
from functions.cli.template.places import Places


class Mistake(msgspec.Struct, frozen=True):
    """One thing wrong with a template. `path` is its place, such as `resources.f.props.timeout`."""

    path: str
    text: str
    is_error: bool = True  # False: the template can be deployed, and perhaps should not be
    is_of_a_reference: bool = False  # a wrong reference is shown once, wherever it stands
    lacks_trigger: bool = False  # no trigger does what is needed
    meant: str | None = None  # the property that a misspelt one probably stands for

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class Mistaken(TemplateError):
    """The template has mistakes; the message has a line for each.

    `repaired` is the template without them, if a function is left: more may be wrong with that.
    """

    def __init__(
        self, path: Path, places: Places, mistakes: Sequence[Mistake], repaired: Deployment | None = None
    ) -> None:
        super().__init__("\n".join(rendered(path, places, mistakes)))
        self.mistakes = tuple(mistakes)
        self.places = places
        self.repaired = repaired


def rendered(path: Path, places: Places, mistakes: Iterable[Mistake]) -> list[str]:
    """Return a line for each mistake, in the file's order.

    A mistake that one line of the file causes in several resources is shown once.
    """
    once: dict[tuple[object, str], tuple[int, Mistake]] = {}
    for each in mistakes:
        line = places.line(each.path) or 0
        place = None if each.is_of_a_reference else line or each.path
        once.setdefault((place, each.text), (line, each))
    return [
        f"{path.name}{f':{line}' if line else ''}: {each}{_origin(places, each)}"
        for line, each in sorted(once.values(), key=lambda found: found[0])
    ]


def _origin(places: Places, mistake: Mistake) -> str:
    """Return the line of the var that a property takes its value from."""
    if mistake.text.startswith("unknown "):
        return ""
    found = re.fullmatch(r"\$\{(vars\.\w+)\}", places.text(mistake.path) or "")
    line = places.line(found[1]) if found else None
    return f" ({found[1]} is in line {line})" if found and line else ""
