"""Suggests the known name that a misspelt one is nearest to. Knows no template."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(text: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?`, or nothing if no known name is like the text."""
    by_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(text.lower(), by_case, n=1, cutoff=0.7)
    return f"; did you mean {by_case[near[0]]}?" if near else ""
