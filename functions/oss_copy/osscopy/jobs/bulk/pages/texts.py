"""The text of a file that is read piece by piece, plain or as gzip.

Knows bytes; not where the pieces come from, nor what is a line. Text is read forwards alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from osscopy.model import Failed

PACKED = b"\x1f\x8b"  # how gzip begins
MOST = 1 << 20  # bytes unpacked at once


class Plain:
    """The text of a file that is not packed; `begin`: the offset of what is kept."""

    def __init__(self, pieces: Iterator[bytes], name: str) -> None:
        self._pieces, self._name = pieces, name
        self._kept = bytearray()
        self._is_over = False
        self.begin = 0

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        """Return text from `offset` on, which is not before `begin`, and whether it is the end."""
        while not self._is_over and self.begin + len(self._kept) < offset + size:
            self._more()
            passed = min(len(self._kept), max(0, offset - self.begin))
            del self._kept[:passed]
            self.begin += passed
        start = offset - self.begin
        data = bytes(self._kept[start : start + size])
        return data, self._is_over and offset + len(data) >= self.begin + len(self._kept)

    def _more(self) -> None:
        """Keep a little more."""
        piece = next(self._pieces, b"")
        self._is_over = not piece
        self._kept += piece


class Unpacked(Plain):
    """The text of a gzip of one member or several."""

    def __init__(self, pieces: Iterator[bytes], name: str) -> None:
        super().__init__(pieces, name)
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._rest = b""

    def _more(self) -> None:
        """Unpack a little more; Failed if the gzip is damaged or ends in the middle of a member."""
        packed = self._rest or next(self._pieces, b"")
        if not packed:
            self._is_over = True
            if not self._member.eof:
                raise self._damaged()
            return
        if self._member.eof:
            self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            self._kept += self._member.decompress(packed, MOST)
        except zlib.error as error:
            raise self._damaged() from error
        self._rest = self._member.unconsumed_tail or self._member.unused_data

    def _damaged(self) -> Failed:
        return Failed("ManifestDamaged", f"{self._name} is no whole gzip: make it anew")
