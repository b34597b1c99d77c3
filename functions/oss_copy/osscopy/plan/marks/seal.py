"""The mark by which the function knows what it has written itself: continuations, and records.

Knows keys and bytes; not where the mark is put, nor what follows without one. The mark is an HMAC-SHA256 of
what the text is about and of the text itself, cut to 128 bits: what is signed under one name is nothing under
another.
"""

from __future__ import annotations

import base64
import hmac

import msgspec

LENGTH = 22  # characters of a mark: 16 bytes in base64
ENVELOPE = b'{"continuation":'  # how one begins
CONTINUATION = "continuation"  # what the mark of one is about; records have names with a slash


class Seal(msgspec.Struct, frozen=True):
    """The keys of STATE_KEY: the first one signs, all are taken. Without any, nothing is signed or refused.

    `unsigned_until`: Unix seconds until when what has no mark is taken, too: a former version wrote none.
    """

    keys: tuple[bytes, ...] = ()
    unsigned_until: float = 0.0

    def mark(self, about: str, text: bytes) -> str:
        """Return the mark of a text."""
        return _mark(self.keys[0], about, text)

    def is_ours(self, about: str, text: bytes, mark: str | None, now: float) -> bool:
        """Return whether the function has written this text, as far as the settings ask."""
        if not self.keys:
            return True
        if mark is None:
            return now < self.unsigned_until
        given = mark.encode(errors="replace")
        return any(hmac.compare_digest(_mark(key, about, text).encode(), given) for key in self.keys)

    def task_id(self, name: str) -> str:
        """Return a name for FC that nobody else can take in advance; a repeated submission has the same."""
        return f"{name}-{self.mark('task', name.encode())[:8]}" if self.keys else name


def _mark(key: bytes, about: str, text: bytes) -> str:
    digest = hmac.digest(key, b"%s\0%s" % (about.encode(), text), "sha256")
    return base64.urlsafe_b64encode(digest[:16])[:LENGTH].decode()
