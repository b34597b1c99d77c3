"""The deployer's environment: that of the shell with `.env` files added, as the `s` tool reads them.

No other module of the tools reads the environment. `s` (3.1.10, its source and by trying) reads
`.env` of the folder it is started in, then of each resource's `code`, then of the template, by dotenv 16.3.1
and dotenv-expand 10: what is set already stays, and `$NAME`, `${NAME}` and `${NAME:-default}` are replaced
inside values, whatever their quotes. This module knows no template.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

# The shell may direct the tool's component with these. The rest are FC's own variables (FC_REGION makes the
# component use internal endpoints, as inside FC) and options that s.yaml does not show.
_OF_FC = frozenset(
    {
        "FC_CLIENT_CONNECT_TIMEOUT",
        "FC_CLIENT_CUSTOM_ENDPOINT",
        "FC_CLIENT_READ_TIMEOUT",
        "FC_CODE_TEMP_OSS_ENDPOINT",
    }
)
_DEPTH = 50  # references inside each other

_LINE = re.compile(
    r"^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)"
    r"(\s*'(?:\\'|[^'])*'|\s*\"(?:\\\"|[^\"])*\"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$",
    re.MULTILINE | re.ASCII,
)
_QUOTED = re.compile(r"^(['\"`])([\s\S]*)\1$", re.MULTILINE)
_REFERENCE = re.compile(r"(?<!\\)\$\{?(\w+)(?::-([^}\\]*))?\}?", re.ASCII)


def read() -> dict[str, str]:
    """Return the environment of this process, for `${env(…)}` and for programs that are started.

    FC_REGION is in it and empty, so that no `.env` file can set it.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FC_") or name in _OF_FC}
    return {**kept, "FC_REGION": ""}


def extended(given: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """Return the environment with these files added in turn; raise ValueError for endless references."""
    found = dict(given)
    for path in files:
        _add(_text(path), found)
    return found


def mentioned(files: Iterable[Path]) -> set[str]:
    """Return the variables that these files set or refer to."""
    names: set[str] = set()
    for text in map(_text, files):
        names |= _parse(text).keys() | {match[1] for match in _REFERENCE.finditer(text)}
    return names


def _text(path: Path) -> str:
    """Return the file's text; nothing if it cannot be read, which is no error to the tool either."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _parse(text: str) -> dict[str, str]:
    found = {}
    for match in _LINE.finditer(re.sub(r"\r\n?", "\n", text)):
        value = (match[2] or "").strip()
        plain = _QUOTED.sub(r"\2", value)
        found[match[1]] = plain.replace("\\n", "\n").replace("\\r", "\r") if value[:1] == '"' else plain
    return found


def _add(text: str, environment: dict[str, str]) -> None:
    parsed = _parse(text)
    for name, value in parsed.items():
        environment.setdefault(name, value)
    for name in parsed:
        value = _expanded(environment[name], environment, parsed, name)
        parsed[name] = value.replace("\\$", "$")
    environment.update(parsed)


def _expanded(text: str, environment: Mapping[str, str], parsed: Mapping[str, str], name: str) -> str:
    """Return the text with its references replaced, the last one first, and those inside the values."""
    for _ in range(_DEPTH):
        dollars = [match.start() for match in re.finditer(r"(?<!\\)\$", text)]
        found = _REFERENCE.search(text, dollars[-1]) if dollars else None
        if found is None:
            return text
        value = environment.get(found[1]) or found[2] or parsed.get(found[1]) or ""
        text = text.replace(found[0], value, 1)
    raise ValueError(f".env: the references in {name} go round in a circle")
