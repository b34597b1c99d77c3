"""Reads the function's answer from the output of `s invoke`, which exits 0 whatever the answer is.

Pure. The frame is that of the fc3 component (0.1.22, `subCommands/invoke`). Knows `status` of a result and
of a check, `results` of a list, and `failed` of a sweep.
"""

from __future__ import annotations

import json
import re

_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_FRAME = re.compile(r"^Invoke Result:\s*$\s*(?P<answer>.*)", re.MULTILINE | re.DOTALL)


def failure(printed: str) -> str | None:
    """Return the failure that the function reports; None if it reports none, or there is no answer."""
    text = _COLOURS.sub("", printed)
    if raised := re.search(r"^Error Type:\s*(\S+)", text, re.MULTILINE):
        return f"the function raised ({raised[1]})"
    framed = _FRAME.search(text)
    return _failure(_json(framed["answer"])) if framed else None


def _json(text: str) -> object:
    """Return the value at the beginning of the text; None if there is none."""
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except ValueError:
        return None


def _failure(answer: object) -> str | None:
    match answer:
        case {"status": "failed"}:
            return "the function says: failed"
        case {"results": list(results)}:
            count = sum(_failure(each) is not None for each in results)
            return f"the function says: {count} of {len(results)} failed" if count else None
        case {"failed": int(count)} if count > 0:
            return f"the function says: {count} failed"
    return None
