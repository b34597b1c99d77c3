"""The middle between two keys, by their characters alone. Knows texts; not what lies between them.

Texts compare by code points, which is the order of their UTF-8 bytes, and OSS's.
"""

from __future__ import annotations

HIGHEST = 0x10FFFF  # of all characters
SURROGATES = range(0xD800, 0xE000)  # no characters


def shared(one: str, other: str) -> str:
    """Return what two texts begin with alike."""
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return one[:at]
    return min(one, other, key=len)


def cut(low: str, high: str) -> str | None:
    """Return a key between two others near the middle: above `low`, below `high`; None if there is none.

    Characters count alike up to 0x7F; above it the whole alphabet is halved.
    """
    alike = len(shared(low, high))
    first = ord(low[alike]) if alike < len(low) else -1
    last = ord(high[alike]) if alike < len(high) else -1
    middle = _between(first, last)
    if middle is not None:
        return high[:alike] + chr(middle)
    rest = low[alike + 1 :] if first >= 0 else ""
    after = _after(rest)
    found = None if after is None else low[: alike + 1] + after
    return found if found is not None and low < found < high else None


def _after(rest: str) -> str | None:
    """Return a text in the middle of what begins alike and comes after `rest`; None if there is none."""
    for at, each in enumerate(rest):
        middle = _between(ord(each), HIGHEST + 1)
        if middle is not None:
            return rest[:at] + chr(middle)
    return rest + "\x7f"


def _between(first: int, last: int) -> int | None:
    """Return a character's number between two others, both exclusive; None if there is none."""
    top = 0x7F if first < 0x7E < last else last  # most keys are ASCII
    middle = (first + top) // 2 if top != 0x7F or last <= 0x7F else max(first + 1, (first + 0x7F) // 2)
    middle = SURROGATES.stop if middle in SURROGATES else middle
    return middle if first < middle < last else None
