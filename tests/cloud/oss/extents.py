"""What objects are made of: extents of immutable blobs, so that a copy of any size costs no space.

It knows bytes, their CRC64 and what is shown as their ETag; it must not know objects, parts or HTTP.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from . import crc64, seeded

CHUNK = 1024 * 1024
SPILL = 4 * 1024 * 1024  # what is larger goes to a file
BLOBS = "oss-*.blob"  # how such files are called


class Blob(Protocol):
    """Bytes that never change."""

    def read(self, start: int, stop: int) -> bytes: ...
    def checksum(self, start: int, stop: int) -> int: ...


class Memory(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A small blob."""

    data: bytes

    def read(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]

    def checksum(self, start: int, stop: int) -> int:
        return crc64.checksum(memoryview(self.data)[start:stop])


class File:
    """A large blob, in a file that goes when the last object holding it goes; never, if it `lasts`."""

    def __init__(self, descriptor: int, path: str, *, lasts: bool = False) -> None:
        self.path = path
        self._descriptor = descriptor
        weakref.finalize(self, *((os.close, descriptor) if lasts else (_discard, descriptor, path)))

    def read(self, start: int, stop: int) -> bytes:
        return os.pread(self._descriptor, stop - start, start)

    def checksum(self, start: int, stop: int) -> int:
        value = 0
        for offset in range(start, stop, CHUNK):
            value = crc64.checksum(self.read(offset, min(offset + CHUNK, stop)), value)
        return value


def _discard(descriptor: int, path: str) -> None:
    os.close(descriptor)
    Path(path).unlink(missing_ok=True)


class Seeded(msgspec.Struct, frozen=True, gc=False):
    """The endless stream of a seed: equal seeds are equal blobs."""

    seed: int

    def read(self, start: int, stop: int) -> bytes:
        return seeded.read(self.seed, start, stop)

    def checksum(self, start: int, stop: int) -> int:
        return seeded.checksum(self.seed, start, stop)


class Extent(msgspec.Struct, frozen=True, gc=False):
    """Bytes `start` to `stop` (exclusive) of a blob."""

    blob: Blob
    start: int
    stop: int


class Content(msgspec.Struct, frozen=True, gc=False):
    """Extents in a row; `ends` are their ends counted from the beginning."""

    extents: tuple[Extent, ...]
    ends: tuple[int, ...]
    size: int
    checksum: int

    def cut(self, start: int, stop: int) -> Content:
        """Bytes `start` to `stop` (exclusive)."""
        if start == 0 and stop == self.size:
            return self
        cuts = tuple(self._within(start, stop))
        value = 0
        for extent in cuts:
            length = extent.stop - extent.start
            value = crc64.combine(value, extent.blob.checksum(extent.start, extent.stop), length)
        return _content(cuts, value)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Bytes `start` to `stop` (exclusive), at most a megabyte at a time."""
        for extent in self._within(start, stop):
            for offset in range(extent.start, extent.stop, CHUNK):
                yield extent.blob.read(offset, min(offset + CHUNK, extent.stop))

    def _within(self, start: int, stop: int) -> Iterator[Extent]:
        index = bisect_right(self.ends, start)
        while start < stop:
            extent = self.extents[index]
            begin = extent.stop - (self.ends[index] - start)
            length = min(stop - start, extent.stop - begin)
            yield Extent(extent.blob, begin, begin + length)
            start += length
            index += 1

    def etag(self) -> str:
        """MD5 in upper-case hex. Made bytes are not hashed: a stand-in that is equal where they are equal."""
        digest = hashlib.md5(usedforsecurity=False)
        if not any(isinstance(extent.blob, Seeded) for extent in self.extents):
            for chunk in self.chunks(0, self.size):
                digest.update(chunk)
            return digest.hexdigest().upper()
        for extent in self.extents:
            match extent.blob:
                case Seeded(seed):
                    digest.update(f"seed {seed} {extent.start} {extent.stop};".encode())
                case blob:
                    digest.update(f"crc {blob.checksum(extent.start, extent.stop)};".encode())
        return digest.hexdigest().upper()

    def corrupted(self) -> Content:
        """Other bytes of the same length."""
        if self.size == 0:
            return self
        first, *rest = self.extents
        match first.blob:
            case Seeded(seed):
                other = Extent(Seeded(seed + 1), first.start, first.stop)
            case blob:
                data = blob.read(first.start, first.stop)
                other = Extent(Memory(bytes([data[0] ^ 1]) + data[1:]), 0, len(data))
        return join(cut(extent) for extent in (other, *rest))


def _content(extents: tuple[Extent, ...], checksum: int) -> Content:
    ends, end = [], 0
    for extent in extents:
        end += extent.stop - extent.start
        ends.append(end)
    return Content(extents, tuple(ends), end, checksum)


EMPTY = Content((), (), 0, 0)


def cut(extent: Extent) -> Content:
    """The content that is one extent."""
    return (
        _content((extent,), extent.blob.checksum(extent.start, extent.stop))
        if extent.stop > extent.start
        else EMPTY
    )


def made(seed: int, size: int) -> Content:
    """The first `size` bytes of the stream of `seed`; small objects are stored: their ETag is their MD5."""
    if size > CHUNK:
        return cut(Extent(Seeded(seed), 0, size))
    return cut(Extent(Memory(seeded.read(seed, 0, size)), 0, size))


def join(contents: Iterable[Content]) -> Content:
    """One after the other; neighbouring extents of a blob become one."""
    extents: list[Extent] = []
    value = 0
    for content in contents:
        value = crc64.combine(value, content.checksum, content.size)
        for extent in content.extents:
            last = extents[-1] if extents else None
            if last is not None and last.stop == extent.start and last.blob == extent.blob:
                extents[-1] = Extent(last.blob, last.start, extent.stop)
            else:
                extents.append(extent)
    return _content(tuple(extents), value)


class Writer:
    """Takes bytes as they arrive; a large body goes to a file in `directory`, one that `lasts` if so told."""

    def __init__(self, directory: Path | None, *, lasts: bool = False) -> None:
        self._directory = directory
        self._lasts = lasts
        self._buffer = bytearray()
        self._file: tuple[int, str] | None = None
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._checksum = 0
        self._size = 0

    def write(self, data: bytes) -> None:
        self._md5.update(data)
        self._checksum = crc64.checksum(data, self._checksum)
        self._size += len(data)
        self._buffer += data
        if len(self._buffer) >= SPILL:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.mkstemp(".blob", "oss-", self._directory)
        rest = memoryview(self._buffer)
        while rest:
            rest = rest[os.write(self._file[0], rest) :]
        self._buffer = bytearray()

    def finish(self) -> tuple[Content, bytes]:
        """What was written, and its MD5."""
        if self._file is not None:
            self._spill()
            blob: Blob = File(*self._file, lasts=self._lasts)
        else:
            blob = Memory(bytes(self._buffer))
        extents = (Extent(blob, 0, self._size),) if self._size else ()
        return _content(extents, self._checksum), self._md5.digest()
