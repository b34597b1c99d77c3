"""Text that others wrote, made harmless for a terminal, and made one word for a shell."""

from __future__ import annotations

import re
import shlex
import unicodedata

# Control characters, and those that only change how others are shown: direction, joining, tags; separators
# that a terminal may take for a line's end; halves of pairs, which are bytes that were no UTF-8.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def plain(text: str) -> str:
    """Return the text on one line, with everything that would not show itself written as an escape."""
    return "".join(_SHORT.get(each) or (_escape(each) if _is_hidden(each) else each) for each in text)


def harmless(text: str) -> str:
    """Return a message of several lines, with all else that would not show itself written as an escape."""
    return "".join(_escape(each) if each != "\n" and _is_hidden(each) else each for each in text)


def word(text: str) -> str:
    """Return the text as one word for bash, ksh or zsh, which shows itself and does nothing."""
    if not any(map(_is_hidden, text)):
        return shlex.quote(text)
    escaped = re.sub(r"['\\]", r"\\\g<0>", text)
    return "$'" + "".join(_octets(each) if _is_hidden(each) else each for each in escaped) + "'"


def command(*words: str) -> str:
    """Return a command line that can be pasted into a shell."""
    return " ".join(map(word, words))


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _octets(character: str) -> str:
    return "".join(f"\\{each:03o}" for each in character.encode(errors="surrogateescape"))
