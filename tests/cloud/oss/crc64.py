"""Arithmetic of CRC64 (ECMA-182 as XZ uses it): what a CRC becomes when bytes are appended.

The checksum of bytes themselves is fastcrc's. Here a CRC is a polynomial over GF(2), bit 63 the constant
term, and appending n zero bytes multiplies it by x^8n modulo the generator, as zlib's crc32_combine does for
CRC32. It must not know what an object is.
"""

from __future__ import annotations

from functools import lru_cache

from fastcrc import crc64

ONES = (1 << 64) - 1
_GENERATOR = 0xC96C5795D7870F42  # 0x42F0E1EBA9EA3693 with its bits reversed
_ONE = 1 << 63


def checksum(data: bytes | bytearray | memoryview, before: int = 0) -> int:
    """The CRC64 of `data`, or of what had the CRC `before` followed by `data`."""
    return int(crc64.xz(data, before))


def linear(data: bytes) -> int:
    """The CRC64 without its constants: that of a ^ b is that of a ^ that of b, for equal lengths."""
    return checksum(data, ONES) ^ ONES


def multiply(a: int, b: int) -> int:
    """The product of two polynomials modulo the generator."""
    product = 0
    mask = _ONE
    while a:
        if a & mask:
            product ^= b
            a ^= mask
        mask >>= 1
        b = (b >> 1) ^ _GENERATOR if b & 1 else b >> 1
    return product


@lru_cache(maxsize=4096)
def shift(count: int) -> int:
    """What a linear CRC is multiplied by when `count` zero bytes are appended."""
    if count < 2:
        return _ONE >> (8 * count)
    half = shift(count // 2)
    square = multiply(half, half)
    return multiply(square, _ONE >> 8) if count % 2 else square


def combine(first: int, second: int, second_length: int) -> int:
    """The CRC64 of two stretches of bytes put together, from the CRC64 of each."""
    return multiply(shift(second_length), first) ^ second if first else second


def from_linear(value: int, length: int) -> int:
    """The CRC64 of `length` bytes whose linear CRC is `value`."""
    return multiply(shift(length), ONES) ^ value ^ ONES
