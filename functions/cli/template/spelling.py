"""Suggests the known name that a misspelt one is nearest to. Knows no template."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like the text; None if none is like it."""
    by_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(text.lower(), by_case, n=1, cutoff=0.7)
    return by_case[near[0]] if near else None


def meant(text: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?`, or nothing if no known name is like the text."""
    near = nearest(text, known)
    return f"; did you mean {near}?" if near else ""
