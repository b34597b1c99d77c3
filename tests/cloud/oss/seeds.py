"""Objects by the million that cost nothing until they are touched.

A batch holds the rule of its names and 1,024 different contents: object i has the bytes of the seed `seed`
plus i modulo 1,024. It must not know buckets, nor what touches its objects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from . import seeded
from .extents import CHUNK, Extent, Seeded, cut
from .names import Names, mixed
from .versions import NULL, Metadata, Record, Version

DIFFERENT = 1024  # contents of a batch, with so many times of writing
_BEGIN = 1_704_067_200  # 2024-01-01T00:00:00Z, the earliest Last-Modified
_YEAR = 366 * 24  # hours
OCTETS = Metadata(((b"content-type", b"application/octet-stream"),))


class Batch:
    """`_touched` has a byte for each object once one is touched: 1 if it is kept elsewhere, or gone."""

    def __init__(
        self, names: Names, prefix: str, sizes: tuple[int, int], seed: int, storage_class: str = "Standard"
    ) -> None:
        """`sizes`: the smallest and the largest; between them each order of magnitude is as frequent."""
        self.names = names
        self.prefix = prefix
        self.first, self.last = names[0], names[len(names) - 1]
        self.left = len(names)
        self._sizes = sizes
        self._seed = seed
        self._like = Version("", 0.0, metadata=OCTETS, storage_class=storage_class)
        self._records: list[Record | None] = [None] * min(len(names), DIFFERENT)
        self._touched = bytearray()

    def find(self, key: str) -> int | None:
        """The number of the object that has this key and has not been touched."""
        if not self.first <= key <= self.last:
            return None
        index = self.names.rank(key)
        return index if self.names[index] == key and self._is_left(index) else None

    def record(self, index: int) -> Record:
        """What is kept of an object; equal ones are the same."""
        number = index % len(self._records)
        record = self._records[number]
        if record is None:
            record = self._records[number] = self._made(number)
        return record

    def take(self, index: int) -> None:
        """Let an object be kept elsewhere, or nowhere, from now on."""
        if not self._touched:
            self._touched = bytearray(len(self.names))
        self._touched[index] = 1
        self.left -= 1

    def walk(self, start: str) -> Iterator[tuple[str, Record]]:
        """Keys from `start` on that have not been touched, with what is kept of them."""
        index = self.names.rank(start)
        while index < len(self.names):
            if self._touched:
                index = self._touched.find(0, index)
                if index < 0:
                    return
            yield self.names[index], self.record(index)
            index += 1

    def counted(self) -> Iterator[tuple[Record, int]]:
        """Each record, and how many objects it stands for."""
        step = len(self._records)
        for number in range(step):
            count = len(range(number, len(self.names), step))
            yield self.record(number), count - sum(self._touched[number::step])

    def _is_left(self, index: int) -> bool:
        return not self._touched or not self._touched[index]

    def _made(self, number: int) -> Record:
        seed, size = self._seed + number, self._size(number)
        content = cut(Extent(Seeded(seed), 0, size))
        etag = content.etag()
        if size <= CHUNK:  # as of an object that is stored: the MD5 of its bytes
            etag = hashlib.md5(seeded.read(seed, 0, size), usedforsecurity=False).hexdigest().upper()
        modified = float(_BEGIN + 3600 * (mixed(self._seed, number) % _YEAR))
        return Record(modified, content, etag, NULL, self._like)

    def _size(self, number: int) -> int:
        low, high = self._sizes
        spread = mixed(self._seed + 1, number) / 2.0**64
        return min(high, int((low + 1) * ((high + 1) / (low + 1)) ** spread) - 1) if low < high else low
