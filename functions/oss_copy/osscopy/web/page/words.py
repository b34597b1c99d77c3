"""The words of the page, in English and Chinese. Knows no job.

English stands where it is shown; `chinese.json` has the rest, by the English text.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

Language: TypeAlias = Literal["en", "zh"]


@functools.cache
def chinese() -> dict[str, str]:
    """Return all texts by the English ones."""
    text = Path(__file__).with_name("chinese.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, str])


def language(accepted: str) -> Language:
    """Return which language an Accept-Language asks for: the first of ours, by weight and then by place."""
    best: Language = "en"
    most = 0.0
    for each in accepted.split(","):
        code, _, weight = each.strip().lower().partition(";")
        ours: Language | None = {"zh": "zh", "en": "en"}.get(code.partition("-")[0].strip())  # type: ignore[assignment]  # its two values
        if ours is not None and (value := _weight(weight)) > most:
            best, most = ours, value
    return best


def _weight(text: str) -> float:
    number = text.strip().removeprefix("q=") or "1"
    try:
        return float(number)
    except ValueError:
        return 0.0


class Words:
    """The words of one language."""

    def __init__(self, spoken: Language) -> None:
        self.language = spoken

    def __call__(self, text: str, **values: object) -> str:
        """Return a text in this language, with what belongs into its braces."""
        told = chinese().get(text, text) if self.language == "zh" else text
        return told.format(**values) if values else told
