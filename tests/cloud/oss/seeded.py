"""Bytes that are made, not stored: the endless stream of a seed, and the CRC64 of any stretch of it.

Block i of seed s is one fixed pseudo-random block whose first 16 bytes carry (s, i). So every block differs,
and its CRC64 is affine in the bits of i: the CRC64 of 2^k aligned blocks is a constant plus a linear map of
the first block's header, found by doubling. A stretch of n blocks costs O(log n).
"""

from __future__ import annotations

import random
import struct
from functools import lru_cache

from . import crc64

BLOCK = 64 * 1024
_HEADER = struct.Struct("<QQ")
_BODY = random.Random(20260101).randbytes(BLOCK - _HEADER.size)
_LEVELS = 40  # 2^40 blocks of 64 KiB: more than any object holds


def read(seed: int, start: int, stop: int) -> bytes:
    """Bytes `start` to `stop` (exclusive) of the stream of `seed`."""
    first, last = start // BLOCK, -(-stop // BLOCK)
    blocks = b"".join(_HEADER.pack(seed, index) + _BODY for index in range(first, last))
    return blocks[start - first * BLOCK : stop - first * BLOCK]


def _doubling() -> tuple[list[int], list[int]]:
    """For each k, the linear CRC of 2^k blocks with headers (0, 0…), and the map of what is added to all."""
    plain, maps = [crc64.linear(bytes(_HEADER.size) + _BODY)], [crc64.shift(0)]
    for level in range(_LEVELS - 1):
        over = crc64.shift(BLOCK << level)
        upper_bit = _spread(0, 1 << level)
        plain.append(crc64.multiply(plain[-1], over) ^ plain[-1] ^ crc64.multiply(maps[-1], upper_bit))
        maps.append(maps[-1] ^ crc64.multiply(maps[-1], over))
    return plain, maps


def _spread(seed: int, index: int) -> int:
    """What the header (seed, index) adds to the linear CRC of its block."""
    return crc64.multiply(crc64.shift(len(_BODY)), crc64.linear(_HEADER.pack(seed, index)))


_PLAIN, _MAPS = _doubling()


@lru_cache(maxsize=65536)
def checksum(seed: int, start: int, stop: int) -> int:
    """The CRC64 of bytes `start` to `stop` (exclusive) of the stream of `seed`."""
    first, last = -(-start // BLOCK), stop // BLOCK
    if first >= last:
        return crc64.checksum(read(seed, start, stop))
    value = crc64.linear(read(seed, start, first * BLOCK))
    while first < last:
        aligned = (first & -first).bit_length() - 1 if first else _LEVELS
        level = min(aligned, (last - first).bit_length() - 1)
        run = _PLAIN[level] ^ crc64.multiply(_MAPS[level], _spread(seed, first))
        value = crc64.multiply(value, crc64.shift(BLOCK << level)) ^ run
        first += 1 << level
    tail = crc64.linear(read(seed, last * BLOCK, stop))
    value = crc64.multiply(value, crc64.shift(stop - last * BLOCK)) ^ tail
    return crc64.from_linear(value, stop - start)
