"""The objects of a bucket by key: those that were written one by one, and those that were seeded in batches.

A seeded object is read, listed and counted where it lies; whatever changes it makes it one of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from .errors import OssError
from .seeds import Batch
from .sorted_map import SortedMap
from .versions import Record, Version, kept, version_of

Kept = Record | tuple[Record, ...]  # one version, or several from old to new


def records(stored: Kept) -> tuple[Record, ...]:
    """The versions of a key, from old to new."""
    return (stored,) if isinstance(stored, Record) else stored


class Objects:
    """Versions by key. Their order is that of the keys' UTF-8 bytes; versions of a key go from old to new."""

    def __init__(self) -> None:
        self._written: SortedMap[Kept] = SortedMap()
        self._seeded: list[Batch] = []

    def __bool__(self) -> bool:
        return bool(len(self._written) or self._seeded)

    def __getitem__(self, key: str) -> list[Version]:
        versions = self.get(key)
        if not versions:
            raise KeyError(key)
        return versions

    def get(self, key: str, default: Iterable[Version] = ()) -> list[Version]:
        """All versions of `key`, or what is given for a key that has none."""
        stored = self._stored(key)
        return list(default) if stored is None else [version_of(key, each) for each in records(stored)]

    def newest(self, key: str) -> Version | None:
        stored = self._stored(key)
        return None if stored is None else version_of(key, records(stored)[-1])

    def put(self, key: str, versions: Sequence[Version]) -> None:
        """Let `key` have these versions and no others; without any it is gone."""
        self._take(key)
        if not versions:
            self._written.discard(key)
            return
        several = tuple(kept(version) for version in versions)
        self._written.put(key, several[0] if len(several) == 1 else several)

    def seed(self, batch: Batch) -> None:
        """Add a batch. FileAlreadyExists if it may hold a key that is here already."""
        for other in self._seeded:
            apart = batch.last < other.first or other.last < batch.first
            nested = batch.prefix.startswith(other.prefix) or other.prefix.startswith(batch.prefix)
            if nested and not apart:
                message = f"There are seeded objects from {other.first!r} to {other.last!r}."
                raise OssError("FileAlreadyExists", message)
        for key, _ in self._written.walk(batch.first):
            if key > batch.last:
                break
            if batch.find(key) is not None:
                raise OssError("FileAlreadyExists", f"There is an object {key!r}.")
        self._seeded.append(batch)

    def walk(self, start: str) -> Iterator[tuple[str, Kept]]:
        """Keys from `start` on with what is kept of them; nothing may be written meanwhile."""
        ways: list[Iterator[tuple[str, Kept]]] = [self._written.walk(start)]
        ways += [batch.walk(start) for batch in self._seeded if start <= batch.last]
        return merge(*ways)

    def counted(self) -> Iterator[tuple[Record, int]]:
        """What is kept of all versions, with how many it stands for."""
        for _, stored in self._written.walk(""):
            yield from ((record, 1) for record in records(stored))
        for batch in self._seeded:
            yield from batch.counted()

    def _stored(self, key: str) -> Kept | None:
        stored = self._written.get(key)
        if stored is not None:
            return stored
        for batch in self._seeded:
            index = batch.find(key)
            if index is not None:
                return batch.record(index)
        return None

    def _take(self, key: str) -> None:
        """Take `key` out of its batch if it lies in one; a batch of which nothing is left goes."""
        for batch in self._seeded:
            index = batch.find(key)
            if index is not None:
                batch.take(index)
                self._seeded = [each for each in self._seeded if each.left]
                return
