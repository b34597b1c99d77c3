"""CRC64s of pieces put together are the CRC64 of the whole."""

from __future__ import annotations

import time

import fastcrc
from hypothesis import given, strategies as st

from osscopy.plan import crc64


@given(st.binary(max_size=400), st.integers(1, 50))
def test_crcs_of_pieces_combine_to_that_of_the_whole(data: bytes, length: int) -> None:
    pieces = [data[at : at + length] for at in range(0, len(data), length)]
    crcs = [fastcrc.crc64.xz(piece) for piece in pieces]
    assert crc64.combine(crcs, length, len(pieces[-1]) if pieces else 0) == fastcrc.crc64.xz(data)


def test_long_pieces_and_a_shorter_last_one_combine_to_the_whole() -> None:
    assert crc64.combine([], 1000, 0) == 0
    data = bytes(range(256)) * 50
    for length in (1000, 4096, 12_799, 12_800):
        pieces = [data[at : at + length] for at in range(0, len(data), length)]
        crcs = [fastcrc.crc64.xz(piece) for piece in pieces]
        assert crc64.combine(crcs, length, len(pieces[-1])) == fastcrc.crc64.xz(data)


def test_a_swapped_a_lost_and_a_changed_piece_show() -> None:
    crcs = [fastcrc.crc64.xz(bytes([n]) * 100) for n in range(5)]
    right = crc64.combine(crcs, 100, 100)
    assert crc64.combine([crcs[1], crcs[0], *crcs[2:]], 100, 100) != right
    assert crc64.combine(crcs[:4], 100, 100) != right
    assert crc64.combine([*crcs[:4], crcs[4] ^ 1], 100, 100) != right


def test_ten_thousand_parts_are_combined_within_a_moment() -> None:
    begun = time.process_time()
    crc64.combine(range(1, 10_001), 5 << 30, 12_345)
    assert time.process_time() - begun < 0.5
