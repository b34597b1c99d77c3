"""CRC64 of a whole from the CRC64s of its pieces: arithmetic of ECMA-182 as XZ and OSS use it.

Knows numbers only, no parts and no uploads. Written here because nothing that the function's runtime brings
can do it for 10,000 parts: oss2's `combine` takes 6 ms a part, and a compiled package would be one more
dependency of the layer for a page of arithmetic. A CRC is a polynomial over GF(2) with bit 63 as the constant
term; appending n zero bytes multiplies it by x^8n modulo the generator, as zlib's crc32_combine has it.
"""

from __future__ import annotations

from collections.abc import Iterable

_GENERATOR = 0xC96C5795D7870F42  # 0x42F0E1EBA9EA3693 with its bits reversed
_ONE = 1 << 63


def combine(crcs: Iterable[int], length: int, last: int) -> int:
    """Return the CRC64 of pieces put together: all have `length` bytes but the last one, which has `last`.

    The factor for `length` is made once, as tables of 256 entries for each of 8 bytes: a piece takes about
    2 µs, so 10,000 parts take 20 ms.
    """
    known = list(crcs)
    if not known:
        return 0
    *equal, end = known
    tables = _tables(_shift(length)) if len(equal) > 1 else ()
    whole = equal[0] if equal else 0
    for crc in equal[1:]:
        for table in tables:
            crc ^= table[whole & 255]  # noqa: PLW2901 - the sum so far
            whole >>= 8
        whole = crc
    return _multiply(_shift(last), whole) ^ end


def _multiply(a: int, b: int) -> int:
    """Return the product of two polynomials modulo the generator."""
    product, mask = 0, _ONE
    while a:
        if a & mask:
            product ^= b
            a ^= mask
        mask >>= 1
        b = (b >> 1) ^ _GENERATOR if b & 1 else b >> 1
    return product


def _shift(count: int) -> int:
    """Return the factor that appends `count` zero bytes: x^8 to the power of `count`."""
    factor, power = _ONE, _ONE >> 8
    while count:
        if count & 1:
            factor = _multiply(factor, power)
        power = _multiply(power, power)
        count >>= 1
    return factor


def _tables(factor: int) -> tuple[list[int], ...]:
    """Return the products of `factor` with every byte, for each of the 8 places a byte can have."""
    tables = []
    for place in range(8):
        table = [0]
        for bit in range(8):
            product = _multiply(1 << (8 * place + bit), factor)
            table += [product ^ each for each in table]
        tables.append(table)
    return tuple(tables)
