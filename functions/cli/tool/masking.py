"""Masks secrets in the output of `s`, which shows all environment variables, new ones and old ones.

Pure, from a line to a line. It cannot reach the files that the tool writes itself (`~/.s/logs`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from functions.cli.template import Deployment

MASKED = "***"
_NAMED = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|NOTIFY_URL", re.IGNORECASE)
_LEAST = 4  # characters of a secret: a shorter one is part of too many other texts


def mask(secrets: Iterable[str], deployment: Deployment) -> Callable[[str], str]:
    """Return a function that masks these secrets, and variables whose names say that they are secret."""
    variables = [pair for each in deployment.functions for pair in each.environment_variables.items()]
    names = {name for name, _ in variables if _NAMED.search(name)}
    values = {value for name, value in variables if name in names}
    return of(names, {*values, *secrets})


def of(names: Iterable[str], values: Iterable[str]) -> Callable[[str], str]:
    """Return a function that masks the values behind these names, and these values wherever they stand."""
    spelt = {text for value in values if len(value) >= _LEAST for text in (value, json.dumps(value)[1:-1])}
    known = "|".join(map(re.escape, sorted(spelt, key=len, reverse=True)))
    named = "|".join(map(re.escape, sorted(names)))
    value = r"\"(?:\\.|[^\"\\])*\"|'(?:[^']|'')*'|[^\s,}\"']+"
    behind = re.compile(rf"(?P<name>\b(?:{named})\b[\"']?\s*[:=]\s*)(?:{value})") if named else None
    anywhere = re.compile(known) if known else None

    def masked(line: str) -> str:
        text = behind.sub(rf"\g<name>{MASKED}", line) if behind else line
        return anywhere.sub(MASKED, text) if anywhere else text

    return masked
