"""The lines of the log: JSON on standard output, where FC collects it. Knows no event."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping

import msgspec

from osscopy.model import HIDDEN

_HIDDEN = re.compile(f"[{HIDDEN}]")  # JSON leaves them as they are


def line_of(event: str, fields: Mapping[str, object]) -> str:
    """Return a line of the log, in which no character of a key moves a terminal, or turns what follows."""
    line = {"event": event, **{name: value for name, value in fields.items() if value is not None}}
    text = msgspec.json.encode(line, enc_hook=str).decode()
    return text if text.isprintable() else _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class JsonLog:
    """One line of JSON per event that matters, on standard output, where FC collects it."""

    def __init__(self, level: str) -> None:
        self._logger = logging.getLogger("osscopy")
        self._logger.setLevel(level)
        self._logger.propagate = False
        if not self._logger.handlers:
            self._logger.addHandler(logging.StreamHandler(sys.stdout))

    def __call__(self, event: str, /, **fields: object) -> None:
        self._logger.info("%s", line_of(event, fields))
