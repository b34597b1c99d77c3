"""Names by the million that nobody holds: the n-th of each shape in the order of OSS, made when asked for.

Equal counts and seeds make equal names. It must not know what the names are for.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache

Spell = Callable[[int], str]
_MASK = (1 << 64) - 1
_YEAR = 366 * 24  # hours of 2024
_BEGIN = 1_704_067_200  # 2024-01-01T00:00:00Z
_NEAR = 4096
_FOLDERS = 50  # before the hot folder, and as many behind it

# What headers, XML, CSV and URLs trip over, in ascending order: control characters, blanks, quotes, what has
# a meaning in URLs and XML, composed and decomposed letters, wide, private and astral ones.
ODD = (
    "\x01\t\n\r\x1f !\"#%&'+,=?@<>~\x7f\x85\u00e9\u0301\u202e\u3000\u3001\u4e2d\u56fd\u6587\u4ef6\u76ee\u5f55"
    "\ue0f0\uff20\ufffd\U00020bb7\U0001f600"
)


def mixed(seed: int, number: int) -> int:
    """64 bits that look random (splitmix64)."""
    value = (seed * 0xD1B54A32D192ED03 + (number + 1) * 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _digits(count: int, base: int) -> int:
    """How many digits the numbers below `count` need."""
    digits = 1
    while base**digits < count:
        digits += 1
    return digits


def flat(count: int, _: int) -> Spell:
    """Zero-padded numbers in one folder."""
    width = max(8, _digits(count, 10))
    return lambda number: f"{number:0{width}d}"


def uuids(count: int, seed: int) -> Spell:
    """UUIDs of version 4: evenly spread, nowhere regular."""
    step = (1 << 48) // count

    def spell(number: int) -> str:
        bits = mixed(seed, number)
        head = f"{number * step + bits % step:012x}"
        tail = f"{bits:016x}"
        return f"{head[:8]}-{head[8:]}-4{tail[:3]}-{'89ab'[bits >> 62]}{tail[3:6]}-{tail[4:]}"

    return spell


def deep(count: int, _: int) -> Spell:
    """Folders in folders, four in each, five deep or ten, down to four objects."""
    five = ["/".join(f"level-{n >> 2 * at & 3}" for at in range(4, -1, -1)) for n in range(1024)]
    last = [f"{path[:-8]}/object-{path[-1]}.bin" for path in five]
    heads = -(-_digits(count, 4) // 5) - 1

    def spell(number: int) -> str:
        head = "".join(f"{five[number >> 10 * at & 1023]}/" for at in range(heads, 0, -1))
        return head + last[number & 1023]

    return spell


def chinese(count: int, _: int) -> Spell:
    """Chinese, control and other odd characters in folders of about a thousand objects."""
    pairs = [first + second for first in sorted(ODD) for second in sorted(ODD)]
    folders = _digits(count, len(pairs)) - 1

    def spell(number: int) -> str:
        name, folder = pairs[number % len(pairs)], ""
        for _ in range(folders):
            number //= len(pairs)
            folder = pairs[number % len(pairs)] + folder
        return f"数据{folder}/文件{name}.dat"

    return spell


def hot(count: int, _: int) -> Spell:
    """95 % in one folder, the others in a hundred around it."""
    around = count // 40
    after = count - around

    def spell(number: int) -> str:
        if around <= number < after:
            return f"hot/{number - around:09d}"
        side, index = ("cold", number) if number < around else ("warm", number - after)
        return f"{side}/{index * _FOLDERS // around:03d}/{index:09d}"

    return spell


def dates(count: int, _: int) -> Spell:
    """Folders by hour through the year 2024."""

    def spell(number: int) -> str:
        hour = number * _YEAR // count
        first = -(-hour * count // _YEAR)
        return f"{_folder(hour)}/part-{number - first:05d}.json"

    return spell


@lru_cache(maxsize=_YEAR)
def _folder(hour: int) -> str:
    return time.strftime("year=%Y/month=%m/day=%d/hour=%H", time.gmtime(_BEGIN + 3600 * hour))


SHAPES: dict[str, Callable[[int, int], Spell]] = {
    "flat": flat,
    "uuid": uuids,
    "deep": deep,
    "chinese": chinese,
    "hot": hot,
    "dates": dates,
}


class Names:
    """`count` > 0 keys that begin with `prefix`, ascending."""

    def __init__(self, shape: str, prefix: str, count: int, seed: int) -> None:
        self._rule = (shape, prefix, count, seed)
        self._spell = SHAPES[shape](count, seed)
        self._prefix = prefix
        self._count = count
        self._asked, self._found = "", 0  # the last one that was looked for: listings ask for the next one

    def __reduce__(self) -> tuple[type[Names], tuple[str, str, int, int]]:
        return Names, self._rule

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> str:
        return self._prefix + self._spell(range(self._count)[index])

    def rank(self, key: str) -> int:
        """How many names are below `key`: looked for near the last one first."""
        low, high = 0, self._count
        if key < self._asked:
            high = self._found
        elif key > self._asked:
            low, step = self._found, 1
            while step <= _NEAR and low + step <= high and self[low + step - 1] < key:
                low, step = low + step, step * 2
            high = min(low + step, high) if step <= _NEAR else high
        else:
            return self._found
        self._asked, self._found = key, bisect_left(self, key, low, high)
        return self._found
