"""Takes secrets out of what `s` prints: it shows all environment variables, new ones and old ones.

Pure, from a line to a line. What is kept in files of the tool's own (`~/.s/logs`) it cannot reach.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from functions.cli.account.credentials import Account
from functions.cli.template.reading import Deployment

MASKED = "***"
_NAMED = re.compile(r"TOKEN|SECRET|PASSWORD|KEY", re.IGNORECASE)
_LEAST = 4  # characters of a secret: a shorter one stands in too much that is none


def mask(account: Account, deployment: Deployment) -> Callable[[str], str]:
    """Masks the values of variables whose names tell of secrets, whatever they are, and the credentials."""
    variables = [pair for each in deployment.functions for pair in each.environment_variables.items()]
    names = {name for name, _ in variables if _NAMED.search(name)}
    values = {value for name, value in variables if name in names}
    own = (account.access_key_secret, account.security_token, account.api_token)
    return of(names, values | {each for each in own if each})


def of(names: Iterable[str], values: Iterable[str]) -> Callable[[str], str]:
    """Masks what stands behind these names, and these values wherever they stand."""
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
