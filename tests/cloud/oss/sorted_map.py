"""Keys in the order of OSS, each with a value, in short lists: a change moves few of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")
MOST = 1024  # keys in one list


class SortedMap(Generic[V]):
    """The order of code points is that of UTF-8 bytes. What is not in the map must not be None."""

    def __init__(self) -> None:
        self._keys: list[list[str]] = []
        self._values: list[list[V]] = []
        self._last: list[str] = []  # of each list
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def get(self, key: str) -> V | None:
        at, index = self._place(key)
        return self._values[at][index] if self._holds(key, at, index) else None

    def put(self, key: str, value: V) -> None:
        """Add `key`, or give it another value."""
        at, index = self._place(key)
        if self._holds(key, at, index):
            self._values[at][index] = value
            return
        self._count += 1
        if not self._keys:
            self._keys, self._values, self._last = [[key]], [[value]], [key]
            return
        if at == len(self._keys):
            at, index = at - 1, len(self._keys[-1])
        self._keys[at].insert(index, key)
        self._values[at].insert(index, value)
        self._last[at] = self._keys[at][-1]
        if len(self._keys[at]) > MOST:
            self._split(at)

    def discard(self, key: str) -> None:
        """Remove `key` if it is there."""
        at, index = self._place(key)
        if not self._holds(key, at, index):
            return
        self._count -= 1
        del self._keys[at][index], self._values[at][index]
        if self._keys[at]:
            self._last[at] = self._keys[at][-1]
        else:
            del self._keys[at], self._values[at], self._last[at]

    def walk(self, start: str) -> Iterator[tuple[str, V]]:
        """The keys from `start` on with their values; nothing may be added or removed meanwhile."""
        at, index = self._place(start)
        for number in range(at, len(self._keys)):
            yield from zip(self._keys[number][index:], self._values[number][index:], strict=True)
            index = 0

    def _place(self, key: str) -> tuple[int, int]:
        """In which list, and where in it, the first key is that is not below `key`."""
        at = bisect_left(self._last, key)
        return at, bisect_left(self._keys[at], key) if at < len(self._keys) else 0

    def _holds(self, key: str, at: int, index: int) -> bool:
        return at < len(self._keys) and self._keys[at][index] == key

    def _split(self, at: int) -> None:
        """Cut in the middle, or near the end where keys come in order: then lists stay full."""
        keys, values = self._keys[at], self._values[at]
        middle = MOST if at == len(self._keys) - 1 else MOST // 2
        self._keys[at : at + 1] = [keys[:middle], keys[middle:]]
        self._values[at : at + 1] = [values[:middle], values[middle:]]
        self._last[at : at + 1] = [keys[middle - 1], keys[-1]]
