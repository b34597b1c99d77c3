"""The tree of errors that is drawn for readers is the one that is raised."""

from __future__ import annotations

import re

from functions.cli import errors
from functions.cli.errors import DeployerError
from functions.cli.template import Mistaken


def below(kind: type[DeployerError], depth: int = 0) -> dict[str, int]:
    """Return how far each error is below this one."""
    found = {each.__name__: depth for each in kind.__subclasses__()}
    for each in kind.__subclasses__():
        found |= below(each, depth + 1)
    return found


def test_the_drawing_shows_every_error_as_deep_as_it_is() -> None:
    lines = re.findall(r"^    ([│ ]*)[├└]── (\w+)  ", errors.__doc__ or "", re.MULTILINE)
    assert {name: len(indent) // 4 for indent, name in lines} == below(DeployerError)
    assert issubclass(Mistaken, errors.TemplateError)
